package sesame

import java.nio.ByteBuffer

/** A field that is the number of a code. */
internal object KnownCode {
    private val codes = Code.entries.associateBy { it.value }

    fun read(buf: ByteBuffer): Code = of(buf.getInt())

    fun of(number: Int): Code = codes[number] ?: Code.INTERNAL

    @Suppress("UNUSED_PARAMETER")
    fun allocationSize(value: Code) = 4UL

    fun write(
        value: Code,
        buf: ByteBuffer,
    ) {
        buf.putInt(value.value)
    }
}

/** A field that is the number of a code, or 0 for none. */
internal object MaybeCode {
    fun read(buf: ByteBuffer): Code? = buf.getInt().let { if (it == 0) null else KnownCode.of(it) }

    @Suppress("UNUSED_PARAMETER")
    fun allocationSize(value: Code?) = 4UL

    fun write(
        value: Code?,
        buf: ByteBuffer,
    ) {
        buf.putInt(value?.value ?: 0)
    }
}
