package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.File
import kotlin.test.assertEquals

/** The bad-input corpus: the same files give the same codes as from Rust, and change nothing. */
@OptIn(ExperimentalStdlibApi::class)
class BadInputTest {
    private val folder = File(System.getProperty("sesame.root"), "tests/bad-inputs")
    private val stores = listOf("alice", "bob").associateWith(::rows)

    private fun rows(name: String): Pair<ByteString, Map<ByteString, ByteString>> {
        val lines = File(folder, "stores/$name.rows").readLines()
        val rows = lines.drop(1).map { it.split(" ") }.associate { (key, row) -> key.bytes() to row.bytes() }
        return lines.first().bytes() to rows
    }

    private fun String.bytes() = ByteString(hexToByteArray())

    @TestFactory
    fun cases(): List<DynamicTest> {
        val files =
            folder
                .listFiles()!!
                .filter { it.extension == "txt" }
                .sorted()
        assertTrue(files.size >= 360)
        return files.map { file -> DynamicTest.dynamicTest(file.nameWithoutExtension) { case(file.readText()) } }
    }

    private fun case(text: String) {
        val (head, body) = text.split("\n\n", limit = 2)
        val fields = head.lines().associate { line -> line.split(": ").let { (name, value) -> name to value } }
        val (surface, data) = fields.getValue("surface") to body.filterNot { it.isWhitespace() }.bytes()
        val filled = stores.getValue(if (surface == "bundle" || surface == "device-list") "bob" else "alice")
        val put = if (surface == "record") mapOf(fields.getValue("key").bytes() to data) else mapOf()
        val store = MemoryStore(filled.first, filled.second + put)
        val before = store.rows
        val said =
            try {
                Device.open(Store.app(store), KEY).use { device -> code(device, surface, data) }
            } catch (error: SesameException) {
                // Nothing that came from outside stands in the text.
                val shown =
                    data
                        .toByteArray()
                        .take(8)
                        .toByteArray()
                        .toHexString()
                assertTrue(shown.isEmpty() || shown !in error.toString())
                error.code.value
            }
        assertEquals(fields.getValue("expect").toInt(), said)
        if (surface != "bundle") assertEquals(before, store.rows)
    }

    private fun code(
        device: Device,
        surface: String,
        data: ByteString,
    ): Int? =
        when (surface) {
            "envelope", "group" -> {
                when (val received = device.batchDecrypt(listOf(data)).single()) {
                    is Received.Duplicate -> Code.DUPLICATE.value
                    else -> (received as Received.Failure).code.value
                }
            }

            "bundle" -> refused(device, Answers(listOf(), listOf(data), listOf(), listOf()))
            "device-list" -> refused(device, Answers(listOf(data), listOf(), listOf(), listOf()))
            "linking-code" -> device.confirmLink(data.decodeToString()).let { null }
            else -> null
        }

    private fun refused(
        device: Device,
        answers: Answers,
    ) = device
        .registry()
        .apply(answers)
        .refusals
        .first()
        .code
        .value
}
