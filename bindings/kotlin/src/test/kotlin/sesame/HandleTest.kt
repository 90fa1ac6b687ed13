package sesame

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.CyclicBarrier
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

/** Text that is no Unicode: half of a pair of surrogates. */
private const val NO_TEXT = "a\uD800"

class HandleTest {
    private fun refused(call: () -> Unit): Pair<Code, String?> {
        val error = assertFailsWith<SesameException.App> { call() }
        return error.code to error.field
    }

    @Test
    fun `a closed handle is no argument`() {
        val store = Store.memory()
        store.close()
        val calls =
            listOf(
                { Device.create(store, KEY, "alice", SERVER) },
                { Device.open(store, KEY) },
                { Linking.begin(store, KEY, SERVER) },
                { Linking.resume(store, KEY) },
            )
        for (call in calls) assertEquals(Code.CLOSED to "store", refused { call() })
    }

    @Test
    fun `an argument may be closed by another thread`() {
        val rounds = 5_000
        val barrier = CyclicBarrier(2)
        val stores = List(rounds) { Store.memory() }
        val closing =
            thread {
                for (store in stores) {
                    barrier.await()
                    store.close()
                }
            }
        var refusals = 0
        for (store in stores) {
            barrier.await()
            try {
                // What is in the store does not matter: an empty one refuses.
                Device.open(store, KEY)
            } catch (error: SesameException) {
                if (error.code == Code.CLOSED) refusals += 1
            }
        }
        closing.join()
        assertTrue(refusals in 1..<rounds, "$refusals of $rounds came too late")
    }

    @Test
    fun `a handle may be closed while it is called`() {
        repeat(2_000) {
            val relay = LocalRelay(SERVER)
            val calls = List(2) { thread { runCatching { repeat(3) { relay.view() } } } }
            relay.close()
            calls.forEach { it.join() }
            assertEquals(Code.CLOSED, refused { relay.view() }.first)
        }
    }

    @Test
    fun `an argument that cannot be converted is named, and nothing leaks`(
        @TempDir folder: File,
    ) {
        val before = openFiles()
        val path = File(folder, "alice.db").path
        val store = Store.sqlite(path)
        val device = Device.create(store, KEY, "alice", SERVER)
        repeat(50) {
            assertEquals(Code.INVALID_ARGUMENT to "user", refused { device.session(NO_TEXT, 1u) })
            val payload = ByteString(ByteArray(1_000_000))
            assertEquals(Code.INVALID_ARGUMENT to "recipients", refused { device.batchEncrypt(listOf(NO_TEXT), payload) })
            assertEquals(Code.INVALID_ARGUMENT to "user", refused { Device.create(store, KEY, NO_TEXT, SERVER) })
        }
        device.close()
        store.close()
        assertEquals(before, openFiles())
    }

    @Test
    fun `a failed call frees the arguments before the one that failed`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        val large = "x".repeat(1_000_000)

        fun fail() = refused { device.createGroup(GroupKind.PAIRWISE, GroupChange(description = large), listOf(NO_TEXT)) }
        repeat(20) { fail() }
        val before = residentKilobytes()
        repeat(300) { assertEquals(Code.INVALID_ARGUMENT to "users", fail()) }
        // What leaks is 3 MB each time.
        assertTrue(residentKilobytes() - before < 300_000, "from $before KB to ${residentKilobytes()} KB")
    }

    @Test
    fun `a null from Java and a list that changes are refused`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)

        @Suppress("UNCHECKED_CAST")
        val withNull = listOf("bob", null) as List<String>
        assertEquals(Code.INVALID_ARGUMENT to "recipients", refused { device.batchEncrypt(withNull, ByteString()) })
        // Each look shows one item more: as many as are written are counted.
        val growing =
            object : AbstractList<String>() {
                override var size = 1
                    get() = field++

                override fun get(index: Int) = "bob"

                override fun iterator() = List(size * 10) { "bob" }.iterator()
            }
        val outcome = runCatching { device.batchEncrypt(growing, ByteString()) }
        assertTrue(outcome.fold({ true }, { it is SesameException.App }), "$outcome")
        assertEquals("alice", device.user)
    }

    @Test
    fun `many suspended calls over a store that waits for a pool do not starve`() {
        val rows = MemoryStore()
        val store =
            object : AppStore by rows {
                override fun load(
                    queries: List<StoreQuery>,
                    hold: Boolean,
                ) = runBlocking { withContext(Dispatchers.IO) { rows.load(queries, hold) } }
            }
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        val registry = device.registry()
        runBlocking {
            withTimeout(60_000) {
                val calls =
                    List(200) { n ->
                        async(Dispatchers.IO) {
                            if (n % 2 == 0) registry.suspending { users().size } else device.suspending { inbox().size }
                        }
                    }
                assertEquals(200, calls.awaitAll().size)
            }
        }
    }

    @Test
    fun `calls of one device run one at a time, whatever the handle`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        val handles = listOf(device, device.registry(), device.session("bob", 1u))
        var running = 0
        runBlocking {
            val calls =
                List(60) { n ->
                    async(Dispatchers.Default) {
                        handles[n % 3].suspending {
                            running += 1
                            val seen = running
                            Thread.sleep(1)
                            running -= 1
                            seen
                        }
                    }
                }
            assertEquals(List(60) { 1 }, calls.awaitAll())
        }
    }

    @Test
    fun `no text of a record shows what was said`() {
        val world = World()
        val status = assertNotNull(world.bob.encrypt(listOf("alice"), "secret words").let { world.bob.device.sendStatus(it.id) })
        world.bob.exchange()
        world.alice.device.requestMail()
        world.alice.exchange()
        val items = world.alice.device.inbox()
        assertEquals(listOf("secret words"), texts(items))
        assertTrue("payload=12 bytes" in "$items" && "user=bob" in "$items", "$items")
        assertTrue("payload=12 bytes" in "$status" && "secret" !in "$status", "$status")
        val change = GroupChange(name = "Trip to Rome", picture = "picture".encodeToByteString())
        assertTrue("name=12 characters" in "$change" && "Rome" !in "$change" && "70696374" !in "$change", "$change")
        assertEquals("ServerRestored", "${Event.ServerRestored}")
    }

    @Test
    fun `a name prints its first bytes and is equal by all`() {
        val name = SendId(ByteString(ByteArray(16) { it.toByte() }))
        assertEquals("SendId(00010203)", "$name")
        assertEquals(name, SendId(ByteString(ByteArray(16) { it.toByte() })))
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        assertEquals(Code.INVALID_ARGUMENT to "send", refused { device.sendStatus(SendId(ByteString(ByteArray(15)))) })
    }

    @Test
    fun `a wiped key opens nothing`() {
        val store = Store.memory()
        val key = StoreKey(ByteArray(32) { 7 })
        key.use { Device.create(store, it, "alice", SERVER).close() }
        assertEquals(Code.CLOSED to "storeKey", refused { Device.open(store, key) })
        val bytes =
            key.javaClass
                .getDeclaredField("bytes")
                .apply { isAccessible = true }
                .get(key) as ByteArray
        assertTrue(bytes.all { it == 0.toByte() })
        assertEquals("alice", Device.open(store, StoreKey(ByteArray(32) { 7 })).user)
        assertEquals("StoreKey", "$key")
    }

    private fun openFiles(): Int = File("/proc/self/fd").list()!!.size

    private fun residentKilobytes(): Long {
        val line = File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }
        return line.filter { it.isDigit() }.toLong()
    }
}
