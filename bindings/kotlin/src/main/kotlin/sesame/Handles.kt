package sesame

/** The group, so that `val (group, send) = device.createGroup(...)` reads as it is. */
public operator fun NewGroup.component1(): Group = group()

/** What tells the others, to be submitted like any send. */
public operator fun NewGroup.component2(): PendingSend = send()

/**
 * Runs [block] with this device, then wipes its keys from memory and lets go of it, whatever came of it.
 *
 * [Device.close] alone lets go of the handle; the keys live on while a [Group], a [Session] or a [DeviceRegistry] of this device does. A block
 * that closes the device itself leaves nothing to wipe with: that fails with [Code.CLOSED], or is suppressed by what the block throws.
 */
public inline fun <R> Device.useThenClose(crossinline block: (Device) -> R): R =
    use { device ->
        val result = runCatching { block(device) }
        runCatching { device.wipe() }.onFailure { unwiped ->
            result.exceptionOrNull()?.addSuppressed(unwiped) ?: throw unwiped
        }
        result.getOrThrow()
    }

/** What went wrong; its `value` is the same number in every language, whose hundreds say by whose fault it was. */
public val SesameException.code: Code
    get() = parts.code

/** What happened, in words that hold no secret and no peer's bytes. */
public val SesameException.reason: String
    get() = parts.reason

/** Which item of a list it is about, from 0. */
public val SesameException.item: UInt?
    get() = parts.item

/** Which argument it is about. */
public val SesameException.field: String?
    get() = parts.field

/** For an error of the store: its path with the system's cause, or what the app's own store threw, which is also the `cause`. */
public val SesameException.detail: String?
    get() = parts.detail

private class Parts(
    val code: Code,
    val reason: String,
    val item: UInt?,
    val field: String?,
    val detail: String?,
)

private val SesameException.parts: Parts
    get() =
        when (this) {
            is SesameException.App -> Parts(code, reason, item, field, detail)
            is SesameException.Peer -> Parts(code, reason, item, field, detail)
            is SesameException.Server -> Parts(code, reason, item, field, detail)
            is SesameException.Store -> Parts(code, reason, item, field, detail)
            is SesameException.Internal -> Parts(code, reason, item, field, detail)
        }

/**
 * Runs the conformance suite against an app's store; [make] gives a fresh, empty one each time.
 *
 * Gives the first claim that does not hold, in words, or null when all do. That a hold keeps another process out is for the app's own tests.
 */
public fun checkStore(make: () -> AppStore): String? =
    checkStore(
        object : StoreFactory {
            override fun make(): AppStore = make()
        },
    )
