package sesame

import kotlinx.io.bytestring.ByteString
import java.nio.ByteBuffer

/** The arguments of one call, as they are made. What was made is freed if another cannot be, or if the call does not come about. */
internal class Arguments {
    private val made = ArrayList<() -> Unit>()

    /** What is converted into bytes. */
    inline fun buffer(
        field: String,
        lower: () -> RustBuffer.ByValue,
    ): RustBuffer.ByValue = converted(field, lower).also { made.add { RustBuffer.free(it) } }

    /** A handle of the library: a copy, which the library frees. */
    inline fun handle(
        field: String,
        owned: () -> Owned,
    ): Long =
        converted(field) {
            val from = owned()
            from.copy().also { copy -> made.add { from.kind.free(copy) } }
        }

    /** An object of the app's that the library will call. */
    inline fun callback(
        field: String,
        handles: UniffiHandleMap<*>,
        lower: () -> Long,
    ): Long = converted(field, lower).also { made.add { handles.remove(it) } }

    /** From here on everything is the library's. */
    fun passed() = made.clear()

    fun free() = made.forEach { it() }
}

/** Frees the arguments that did not come as far as the library. */
internal inline fun <R> withArguments(call: (Arguments) -> R): R {
    val arguments = Arguments()
    try {
        return call(arguments)
    } finally {
        arguments.free()
    }
}

/** The [field], or the error that says which argument it is that cannot be used. */
internal inline fun <T> converted(
    field: String,
    convert: () -> T,
): T =
    try {
        convert()
    } catch (error: SesameException) {
        throw if (error.code == Code.CLOSED) closed(field) else error
    } catch (error: Exception) {
        throw unusable(field, error)
    }

/** No text in UTF-16, a null from Java, a list that another thread changed meanwhile. */
internal fun unusable(
    field: String,
    cause: Exception,
): SesameException =
    SesameException.App(Code.INVALID_ARGUMENT, "an argument is outside its documented range", null, field, null).apply { initCause(cause) }

/** A fault that UniFFI finds. */
internal fun internalFault(reason: String): SesameException = SesameException.Internal(Code.INTERNAL, reason, null, null, null)

/** Writes items behind their number, which is of those written, even if another thread changes the list meanwhile. */
internal inline fun <T> ByteBuffer.putItems(
    items: List<T>,
    write: (T) -> Unit,
) {
    val at = position()
    putInt(0)
    var count = 0
    for (item in items) {
        write(item)
        count += 1
    }
    putInt(at, count)
}

internal fun shown(bytes: ByteString?): String = if (bytes == null) "null" else "${bytes.size} bytes"

/** The first four bytes of a name. */
@OptIn(ExperimentalStdlibApi::class)
internal fun shown(
    name: String,
    bytes: ByteString,
): String = "$name(${bytes.substring(0, minOf(4, bytes.size)).toByteArray().toHexString()})"

internal fun shown(text: String?): String = if (text == null) "null" else "${text.length} characters"

internal fun shown(items: List<*>?): String = if (items == null) "null" else "${items.size} items"
