package sesame

/** The group, so that `val (group, send) = device.createGroup(...)` reads as it is. */
public operator fun NewGroup.component1(): Group = group()

/** What tells the others, to be submitted like any send. */
public operator fun NewGroup.component2(): PendingSend = send()

/**
 * Runs [block] with this device, then wipes its keys from memory and lets go of it, whatever came of it.
 *
 * [Device.close] alone lets go of the handle; the keys live on while a [Group], a [Session] or a [DeviceRegistry] of this device does.
 */
public inline fun <R> Device.useThenWipe(block: (Device) -> R): R =
    use { device ->
        val result =
            try {
                block(device)
            } catch (thrown: Throwable) {
                try {
                    device.wipe()
                } catch (another: Exception) {
                    thrown.addSuppressed(another)
                }
                throw thrown
            }
        device.wipe()
        result
    }

/** A stable number, the same in every language: its hundreds say by whose fault it was. */
public val SesameException.code: Int
    get() =
        when (this) {
            is SesameException.App -> code
            is SesameException.Peer -> code
            is SesameException.Server -> code
            is SesameException.Store -> code
            is SesameException.Internal -> code
        }

/** What happened, in words that hold no secret and no peer's bytes. */
public val SesameException.reason: String
    get() =
        when (this) {
            is SesameException.App -> reason
            is SesameException.Peer -> reason
            is SesameException.Server -> reason
            is SesameException.Store -> reason
            is SesameException.Internal -> reason
        }

/**
 * Runs the conformance suite against an app's store; [make] gives a fresh, empty one each time.
 *
 * Gives the first claim that does not hold, in words, or null when all do.
 */
public fun checkStore(make: () -> AppStore): String? =
    checkStore(
        object : StoreFactory {
            override fun make(): AppStore = make()
        },
    )
