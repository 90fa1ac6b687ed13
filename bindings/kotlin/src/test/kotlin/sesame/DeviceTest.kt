package sesame

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

class DeviceTest {
    @Test
    fun `a message goes there and back`() {
        val world = World()
        world.bob.send("alice", "hello")
        assertEquals(listOf("hello"), world.alice.read())
        world.alice.send("bob", "hello yourself")
        assertEquals(listOf("hello yourself"), world.bob.read())
    }

    @Test
    fun `records with bytes are equal when their bytes are`() {
        val world = World()
        val send = world.bob.device.batchEncrypt(listOf("alice"), "x".encodeToByteString())
        val again = assertNotNull(world.bob.device.pending(send.id))
        assertEquals(send, again)
        assertEquals(send.hashCode(), again.hashCode())
        assertTrue(send in world.bob.device.outbox())
        val other = world.bob.device.batchEncrypt(listOf("alice"), "x".encodeToByteString())
        assertNotEquals(send, other)
    }

    @Test
    fun `every error says by whose fault it was`() {
        val world = World()
        val unknown =
            assertFailsWith<SesameException.App> {
                world.alice.device
                    .registry()
                    .devices("nobody")
            }
        assertEquals(Code.UNKNOWN_USER, unknown.code)
        val empty = assertFailsWith<SesameException> { world.alice.device.batchEncrypt(listOf(), ByteString()) }
        assertEquals(102, empty.code.value)
        assertTrue(empty.reason.isNotEmpty())
        val garbage = assertFailsWith<SesameException.Peer> { world.relay.publish("alice", 1u, "no".encodeToByteString()) }
        assertEquals(Code.UNSUPPORTED_VERSION, garbage.code)
        val wrongKey = StoreKey(ByteArray(32))
        val store = Store.memory().also { Device.create(it, KEY, "carol").close() }
        assertEquals(Code.WRONG_KEY, assertFailsWith<SesameException.Store> { Device.open(store, wrongKey) }.code)
    }

    @Test
    fun `a sealed result is matched without a default`() {
        val world = World()
        world.bob.send("alice", "hello")
        val results = world.alice.device.batchDecrypt(world.alice.fetch() + "garbage".encodeToByteString())
        val said =
            results.map {
                when (it) {
                    is Received.Message -> "message from ${it.content.user}"
                    is Received.Event -> "event"
                    is Received.Duplicate -> "duplicate"
                    is Received.Failure -> "failure ${it.confirm}"
                    is Received.Held -> "held"
                }
            }
        assertEquals(listOf("event", "event", "message from bob", "failure true"), said)
    }

    @Test
    fun `keys are wiped at the end of a block, whatever came of it`() {
        val device = Device.create(Store.memory(), KEY, "alice")
        val registry = device.registry()
        assertFailsWith<IllegalStateException> { device.useThenWipe { error("the app's own") } }
        assertEquals(Code.CLOSED, assertFailsWith<SesameException.App> { registry.users() }.code)
    }

    @Test
    fun `a closed handle stays closed`() {
        val device = Device.create(Store.memory(), KEY, "alice")
        device.close()
        device.close()
        assertEquals(Code.CLOSED, assertFailsWith<SesameException.App> { device.user }.code)
    }

    @Test
    fun `a device is opened again from its file`(
        @TempDir folder: File,
    ) {
        val path = File(folder, "alice.db").path
        val world = World { Store.sqlite(File(folder, "${System.nanoTime()}.db").path) }
        val carol = world.join("carol", Store.sqlite(path))
        world.bob.send("carol", "kept")
        val results = carol.device.batchDecrypt(carol.fetch())
        assertEquals(listOf("kept"), texts(results))
        carol.device.useThenWipe { }
        Device.open(Store.sqlite(path), KEY).use { assertEquals(listOf("kept"), texts(it.inbox())) }
    }

    @Test
    fun `a group is made, taken apart and forked`() {
        val world = World()
        val needs = listOf(Need.DeviceList("bob"))
        world.alice.device
            .registry()
            .apply(world.relay.answer(needs))
        val (group, send) = world.alice.device.createGroup(GroupKind.PAIRWISE, GroupChange(name = "Trip"), listOf("bob"))
        world.alice.settle(send)
        val joined = world.bob.device.batchDecrypt(world.bob.fetch())
        assertIs<Event.GroupJoined>(joined.filterIsInstance<Received.Event>().last().content)
        world.alice.settle(group.send("hello, group".encodeToByteString()))
        assertEquals(listOf("hello, group"), world.bob.read())
        assertEquals(listOf("alice", "bob"), group.view().members)
        assertEquals(group.view(), group.view())
    }

    @Test
    fun `calls are suspended away from the caller's thread, and many at once do no harm`() =
        runBlocking {
            val world = World()
            val caller = Thread.currentThread()
            val sends =
                (1..40)
                    .map { n ->
                        async(Dispatchers.Default) {
                            world.bob.device.suspending {
                                assertNotEquals(caller, Thread.currentThread())
                                batchEncrypt(listOf("alice"), "$n".encodeToByteString())
                            }
                        }
                    }.awaitAll()
            assertEquals(40, sends.map { it.id }.toSet().size)
            sends.forEach { send -> world.bob.settle(assertNotNull(world.bob.device.pending(send.id))) }
            assertEquals((1..40).map { "$it" }.toSet(), world.alice.read().toSet())
        }

    @Test
    fun `a coroutine that is cancelled within a call loses nothing`() =
        runBlocking {
            val world = World()
            val (begun, go) = CountDownLatch(1) to CountDownLatch(1)
            var given: PendingSend? = null
            val job =
                launch(Dispatchers.Default) {
                    given =
                        world.bob.device.suspending {
                            begun.countDown()
                            go.await()
                            batchEncrypt(listOf("alice"), "written".encodeToByteString())
                        }
                }
            begun.await()
            job.cancel(CancellationException("the screen was closed"))
            go.countDown()
            job.cancelAndJoin()
            world.bob.settle(assertNotNull(given))
            assertEquals(listOf("written"), world.alice.read())
        }

    @Test
    fun `a coroutine that was cancelled before begins no call`() =
        runBlocking {
            val world = World()
            val job =
                launch(start = CoroutineStart.UNDISPATCHED) {
                    cancel()
                    world.bob.device.suspending { batchEncrypt(listOf("alice"), ByteString()) }
                }
            job.join()
            assertEquals(listOf(), world.bob.device.outbox())
        }

    @Test
    fun `what a block throws is not hidden by the end of it`() {
        val device = Device.create(Store.memory(), KEY, "alice")
        val thrown =
            assertFailsWith<IllegalStateException> {
                device.useThenWipe {
                    it.close()
                    error("the app's own")
                }
            }
        assertEquals("the app's own", thrown.message)
        assertEquals(1, thrown.suppressed.size)
    }

    @Test
    fun `no text shows a key`() {
        val world = World()
        val error = assertFailsWith<SesameException> { Device.open(Store.memory(), StoreKey(ByteArray(31) { 0x41 })) }
        assertFalse("4141" in "$error ${error.message}")
        assertFalse("5a5a" in world.alice.device.toString())
    }
}
