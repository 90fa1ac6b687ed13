package sesame

/**
 * The key of a store, 32 bytes that the app keeps in its keychain: `StoreKey(bytes).use { Device.open(store, it) }`.
 *
 * The key has a copy of [bytes], which [close] wipes; the app wipes its own. Its text shows nothing.
 */
public class StoreKey(
    bytes: ByteArray,
) : AutoCloseable {
    private val bytes = bytes.copyOf()

    @Volatile
    private var isClosed = false

    /** Wipes the key from memory; it is no argument after that. */
    override fun close() {
        isClosed = true
        bytes.fill(0)
    }

    internal fun raw(): ByteArray = if (isClosed) throw closed(null) else bytes

    override fun toString(): String = "StoreKey"
}
