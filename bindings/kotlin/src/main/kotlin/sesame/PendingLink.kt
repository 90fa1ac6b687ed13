package sesame

import java.time.Instant

/**
 * On the primary: a new device whose code was read, before the app confirms it.
 *
 * [Device.confirmLink] and [Device.cancelLink] do the same by [id], also after the app was started anew.
 */
public class PendingLink internal constructor(
    private val device: Device,
    private val view: PendingLinkView,
) {
    /** The link's name. */
    public val id: LinkId
        get() = view.id

    /** 15 digits to show: the app goes on only if the user sees the same ones on the new device. */
    public val digits: String
        get() = view.digits

    /** When the link can no longer be confirmed, by the new device's clock. */
    public val expiresAt: Instant
        get() = Instant.ofEpochMilli(view.expiresAt.toLong())

    /** The user has seen the same digits on both devices: the new device is put on the list. Gives its id. */
    @Throws(SesameException::class)
    public fun confirm(): UInt = device.confirmLink(id)

    /** Gives the link up, for example because the digits differ. Its code is never taken again. */
    @Throws(SesameException::class)
    public fun cancel(): Unit = device.cancelLink(id)

    override fun toString(): String = "PendingLink($id)"
}

internal fun pendingLink(
    device: Device,
    view: RustBuffer.ByValue,
): PendingLink = PendingLink(device, FfiConverterTypePendingLinkView.lift(view))
