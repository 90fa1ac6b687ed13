package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import java.lang.ref.WeakReference
import java.util.concurrent.CancellationException
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertSame
import kotlin.test.assertTrue

class StoreTest {
    @Test
    fun `the memory store keeps the contract`() {
        assertNull(checkStore { MemoryStore() })
    }

    @Test
    fun `the suite says what a store does wrong`() {
        val forgets = {
            object : AppStore by MemoryStore() {
                override fun commit(
                    expected: ByteString,
                    next: ByteString,
                    changes: List<StoreChange>,
                ) = true
            }
        }
        assertNotNull(checkStore(forgets))
        assertContains(assertNotNull(checkStore { throw StoreFault.Full() }), "full")
    }

    @Test
    fun `a device lives in a store of the app's own, and goes on from it`() {
        val rows = MemoryStore()
        val world = World()
        val carol = world.join("carol", Store.app(rows))
        world.bob.send("carol", "hello")
        assertEquals(listOf("hello"), carol.read())
        carol.device.useThenClose { }
        val again = world.open(Store.app(rows))
        world.bob.send("carol", "again")
        assertEquals(listOf("again"), again.read())
    }

    @Test
    fun `every fault has its code, and nothing changes`() {
        val store = FailingStore()
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        val faults =
            mapOf(401 to StoreFault.Busy(), 402 to StoreFault.Io(), 403 to StoreFault.Full(), 404 to StoreFault.ReadOnly())
        for ((code, fault) in faults) {
            for (method in listOf("load", "commit")) {
                val before = store.rows.rows
                store.faults[method] = fault
                val error = assertFailsWith<SesameException.Store> { device.batchEncrypt(listOf("bob"), "x".encodeToByteString()) }
                store.faults.clear()
                assertEquals(code, error.code.value)
                assertEquals(before, store.rows.rows)
            }
        }
        assertEquals(listOf(), device.sends())
    }

    @Test
    fun `whatever a store throws counts as a fault of it`() {
        val store = FailingStore()
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        for (method in listOf("load", "commit")) {
            val cause = IllegalStateException("what the app says")
            store.faults[method] = cause
            val thrown = assertFailsWith<SesameException.Store> { device.batchEncrypt(listOf("bob"), ByteString()) }
            store.faults.clear()
            assertEquals(Code.STORE_IO, thrown.code)
            assertSame(cause, thrown.cause)
            val detail = "java.lang.IllegalStateException: what the app says"
            assertEquals(detail, thrown.detail)
            assertEquals("STORE_IO (402): the store failed to read or write: $detail", thrown.toString())
        }
        // A Java Error is no Exception; it ends the call all the same, and the device lives on.
        store.faults["load"] = StackOverflowError()
        assertEquals(Code.STORE_IO, assertFailsWith<SesameException.Store> { device.inbox() }.code)
        store.faults.clear()
        assertEquals(listOf(), device.inbox())
    }

    @Test
    fun `a cancellation and an interruption in a store go on as they are`() {
        val store = FailingStore()
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        for (method in listOf("load", "commit")) {
            val cancelled = CancellationException("enough")
            store.faults[method] = cancelled
            assertSame(cancelled, assertFailsWith<CancellationException> { device.batchEncrypt(listOf("bob"), ByteString()) })
            store.faults[method] = InterruptedException()
            assertFailsWith<InterruptedException> { device.batchEncrypt(listOf("bob"), ByteString()) }
            assertTrue(Thread.interrupted(), "the thread's mark is as it was")
            store.faults.clear()
        }
        // What a store threw once is not the cause of what another call fails by.
        val missing = assertFailsWith<SesameException.Store> { Store.sqlite("/no/such/folder/chat.db") }
        assertEquals(Code.STORE_PATH_MISSING, missing.code)
        assertNull(missing.cause)
        assertContains(assertNotNull(missing.detail), "/no/such/folder/chat.db: ")
    }

    @Test
    fun `a commit that ends by an Error, or says false, is read back`() {
        val store = FailingStore()
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        store.faults["commit"] = OutOfMemoryError()
        assertEquals(Code.STORE_IO, assertFailsWith<SesameException.Store> { device.batchEncrypt(listOf("bob"), ByteString()) }.code)
        store.faults.clear()
        assertEquals(listOf(), device.sends())
        store.says = false
        device.batchEncrypt(listOf("bob"), ByteString())
        store.says = true
        assertEquals(1, device.sends().size)
    }

    @Test
    fun `a store must not call into the library`() {
        val store = FailingStore()
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        var code: Code? = null
        store.onLoad = { code = assertFailsWith<SesameException.App> { device.groups() }.code }
        assertEquals(listOf(), device.inbox())
        assertEquals(Code.REENTRANT, code)
        // A store that fails by it shows that, and not a fault of its own.
        store.onLoad = { device.groups() }
        val failed = assertFailsWith<SesameException.App> { device.inbox() }
        assertEquals(Code.REENTRANT, failed.code)
        assertEquals(Code.REENTRANT, assertIs<SesameException.App>(failed.cause).code)
    }

    @Test
    fun `a limit of memory holds until the device is closed`() {
        var asked = 0
        val store = FailingStore()
        store.onLoad = { asked += 1 }
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)

        fun asks(): Int {
            asked = 0
            device.registry().devices("alice")
            return asked
        }
        asks()
        val kept = asks()
        device.setMemoryLimit(0u)
        val nothing = asks()
        assertTrue(nothing > kept, "$nothing and $kept")
        assertEquals(nothing, asks())
        device.setMemoryLimit(ULong.MAX_VALUE)
        asks()
        assertEquals(kept, asks())
        device.useThenClose { }
        assertEquals(Code.CLOSED, assertFailsWith<SesameException.App> { device.setMemoryLimit(0u) }.code)
    }

    @Test
    fun `a store is freed with its device`() {
        fun kept(): WeakReference<MemoryStore> {
            val rows = MemoryStore()
            Device.create(Store.app(rows), KEY, "alice", SERVER).close()
            return WeakReference(rows)
        }
        val rows = kept()
        // The handle of the store itself is freed by the collector.
        repeat(50) {
            if (rows.get() != null) {
                System.gc()
                Thread.sleep(20)
            }
        }
        assertNull(rows.get())
    }

    @Test
    fun `a commit that throws after it has landed is read back`() {
        val rows = MemoryStore()
        var late = false
        val store =
            object : AppStore by rows {
                override fun commit(
                    expected: ByteString,
                    next: ByteString,
                    changes: List<StoreChange>,
                ): Boolean {
                    rows.commit(expected, next, changes)
                    check(!late) { "the connection was lost, and the commit was not" }
                    return true
                }
            }
        val device = Device.create(Store.app(store), KEY, "alice", SERVER)
        late = true
        val send = device.batchEncrypt(listOf("bob"), ByteString())
        assertEquals(listOf(send.id), device.sends().map { it.id })
    }
}
