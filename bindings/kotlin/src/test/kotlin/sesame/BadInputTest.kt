package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.io.File
import java.nio.ByteBuffer
import kotlin.test.assertEquals

/** The first byte of the keys of what is to be asked for. */
private const val OWED: Byte = 39

/** The first bytes of the keys of the inbox, its numbers and its items, of the clock, and of what is to be asked for. */
private val INBOX = listOf<Byte>(21, 18, 34, OWED)

/** The time at which the stores of the corpus were made, in ms: `FIXTURE_NOW` in tests/src/bad_inputs.rs. */
private const val MADE_AT = 4_102_444_800_000uL

/**
 * The bad-input corpus: the same files give the same codes as from Rust, and change nothing but what the app is told. What a server says of
 * users gives no code: it is answered to the loop's own requests, and leads to nothing.
 */
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
        if (surface == "bundle" || surface == "device-list") {
            val (generation, rows) = stores.getValue("bob")
            open(MemoryStore(generation, rows)).use {
                leadsToNothing(it, if (surface == "bundle") RequestKind.BUNDLES else RequestKind.LISTS, data)
            }
            return
        }
        val filled = stores.getValue("alice")
        val put = if (surface == "record") mapOf(fields.getValue("key").bytes() to data) else mapOf()
        val store = MemoryStore(filled.first, filled.second + put)
        val before = store.rows
        val said =
            try {
                open(store).use { device -> code(device, surface, data) }
            } catch (error: SesameException) {
                // Nothing that came from outside stands in the text.
                val shown =
                    data
                        .toByteArray()
                        .take(8)
                        .toByteArray()
                        .toHexString()
                assertTrue(shown.isEmpty() || shown !in error.toString())
                error.code to false
            }
        assertEquals(fields.getValue("expect").toInt(), said.first?.value)

        val owes = store.rows.keys.any { it[0] == OWED }

        fun untold(rows: Map<ByteString, ByteString>) = if (said.second || owes) rows.filterKeys { it[0] !in INBOX } else rows
        assertEquals(untold(before), untold(store.rows))
    }

    private fun open(store: MemoryStore) = Device.open(Store.app(store), KEY, TestClock(MADE_AT))

    /** The code of a case, and whether the app is told of it. */
    private fun code(
        device: Device,
        surface: String,
        data: ByteString,
    ): Pair<Code?, Boolean> {
        when (surface) {
            "envelope", "group" -> {
                val result = device.batchDecrypt(listOf(data)).single()
                return (if (result.outcome == MailOutcome.DUPLICATE) Code.DUPLICATE else result.code) to result.items.isNotEmpty()
            }

            "linking-code" -> {
                device.linkDevice(data.decodeToString())
            }
        }
        return null to false
    }

    /** Gives bad bytes for Alice, or for her second device, to the loop: they are asked for, the loop ends, and nothing follows from them. */
    private fun leadsToNothing(
        device: Device,
        kind: RequestKind,
        bad: ByteString,
    ) {
        // The form of the answer holds no more.
        if (bad.size > 0xffff) return
        val registry = device.registry()
        val before = registry.users() to runCatching { registry.devices("alice") }.getOrNull()
        val asked = mutableListOf<RequestKind>()
        registry.lookUp(listOf("alice"))
        device.batchEncrypt(listOf("alice"), ByteString(1))
        device.exchange { request ->
            asked += request.kind
            check(asked.size < 20) { "the loop does not end" }
            when (request.kind) {
                RequestKind.PUBLICATION ->
                    ServerAnswer(
                        200,
                        ByteBuffer
                            .allocate(16)
                            .putInt(100)
                            .putInt(0)
                            .putLong(1)
                            .array(),
                    )
                RequestKind.LISTS -> ServerAnswer(200, vector(request.users.map { if (it == "alice") bad else null }))
                RequestKind.BUNDLES -> ServerAnswer(200, vector(devices(request.body).map { if (it == "alice/2") bad else null }))
                else -> ServerAnswer(503)
            }
        }
        assertTrue(kind in asked, "$asked")
        val after = registry.users() to runCatching { registry.devices("alice") }.getOrNull()
        assertEquals(before, after)
    }

    /** Whom a request for bundles names: `{user opaque (u8), device u32}`. */
    private fun devices(body: ByteString): List<String> {
        val buffer = ByteBuffer.wrap(body.toByteArray())
        buffer.getShort()
        return buildList {
            while (buffer.hasRemaining()) {
                val user = ByteArray(buffer.get().toInt()).also(buffer::get).decodeToString()
                add("$user/${buffer.getInt()}")
            }
        }
    }

    /** The server's answer about several things, some of which it does not have. */
    private fun vector(parts: List<ByteString?>): ByteArray {
        val items = ByteArrayOutputStream()
        val out = DataOutputStream(items)
        for (part in parts) {
            out.writeByte(if (part == null) 0 else 1)
            if (part == null) continue
            out.writeShort(part.size)
            out.write(part.toByteArray())
        }
        return ByteBuffer.allocate(4).putInt(items.size()).array() + items.toByteArray()
    }
}
