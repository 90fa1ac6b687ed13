package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull

/** A store that ends a call in some other way. */
private class Broken(
    private val inner: MemoryStore,
) : AppStore by inner {
    var onLoad: () -> Unit = {}
    var onCommit: () -> Unit = {}
    var says = true

    override fun load(
        queries: List<StoreQuery>,
        hold: Boolean,
    ): StoreSnapshot {
        onLoad()
        return inner.load(queries, hold)
    }

    override fun commit(
        expected: ByteString,
        next: ByteString,
        changes: List<StoreChange>,
    ): Boolean {
        onCommit()
        return inner.commit(expected, next, changes) && says
    }
}

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
        carol.device.useThenWipe { }
        val again = Host(world.relay, Device.open(Store.app(rows), KEY))
        world.bob.send("carol", "again")
        assertEquals(listOf("again"), again.read())
    }

    @Test
    fun `every fault has its code, and nothing changes`() {
        val rows = MemoryStore()
        val device = Device.create(Store.app(rows), KEY, "alice")
        val faults =
            mapOf(401 to StoreFault.Busy(), 402 to StoreFault.Io(), 403 to StoreFault.Full(), 404 to StoreFault.ReadOnly())
        for ((code, fault) in faults) {
            for (method in listOf("load", "commit")) {
                val before = rows.rows
                rows.faults[method] = fault
                val error = assertFailsWith<SesameException.Store> { device.batchEncrypt(listOf("bob"), "x".encodeToByteString()) }
                rows.faults.clear()
                assertEquals(code, error.code)
                assertEquals(before, rows.rows)
            }
        }
        assertEquals(listOf(), device.outbox())
    }

    @Test
    fun `whatever a store throws counts as a fault of it`() {
        val store = Broken(MemoryStore())
        val device = Device.create(Store.app(store), KEY, "alice")
        store.onLoad = { throw IllegalStateException("secret of the app") }
        val thrown = assertFailsWith<SesameException.Store> { device.inbox() }
        assertEquals(402, thrown.code)
        assertEquals(false, "secret" in thrown.toString())
        // A Java Error is no Exception; it ends the call all the same, and the device lives on.
        store.onLoad = { throw StackOverflowError() }
        assertEquals(true, assertFailsWith<SesameException.Store> { device.inbox() }.code in setOf(402, 412))
        store.onLoad = {}
        assertEquals(listOf(), device.inbox())
    }

    @Test
    fun `a commit that ends by an Error, or says false, is read back`() {
        val store = Broken(MemoryStore())
        val device = Device.create(Store.app(store), KEY, "alice")
        store.onCommit = { throw OutOfMemoryError() }
        assertEquals(402, assertFailsWith<SesameException.Store> { device.batchEncrypt(listOf("bob"), ByteString()) }.code)
        store.onCommit = {}
        assertEquals(listOf(), device.outbox())
        store.says = false
        device.batchEncrypt(listOf("bob"), ByteString())
        store.says = true
        assertEquals(1, device.outbox().size)
    }

    @Test
    fun `a store must not call into the library`() {
        val store = Broken(MemoryStore())
        val device = Device.create(Store.app(store), KEY, "alice")
        var code = 0
        store.onLoad = { code = assertFailsWith<SesameException.App> { device.id() }.code }
        assertEquals(listOf(), device.inbox())
        assertEquals(104, code)
    }
}
