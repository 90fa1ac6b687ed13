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
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

class DeviceTest {
    private val world = World()

    @Test
    fun `a message goes there and back`() {
        world.bob.send("alice", "hello")
        assertEquals(listOf("hello"), world.alice.read())
        world.alice.send("bob", "hello yourself")
        assertEquals(listOf("hello yourself"), world.bob.read())
    }

    @Test
    fun `records with bytes are equal when their bytes are`() {
        val send = world.bob.encrypt(listOf("alice"), "x")
        val status = assertNotNull(world.bob.device.sendStatus(send.id))
        val again = assertNotNull(world.bob.device.sendWith(send.contentId))
        assertEquals(status, again)
        assertEquals(status.hashCode(), again.hashCode())
        assertTrue(status in world.bob.device.sends())
        assertNotEquals(send, world.bob.encrypt(listOf("alice"), "x"))
    }

    @Test
    fun `every error says by whose fault it was`() {
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
        val wrongKey = StoreKey(ByteArray(32))
        val store = Store.memory().also { Device.create(it, KEY, "carol", SERVER).close() }
        assertEquals(Code.WRONG_KEY, assertFailsWith<SesameException.Store> { Device.open(store, wrongKey) }.code)
    }

    @Test
    fun `a sealed item is matched without a default, and a code is read by its name`() {
        world.bob.send("alice", "hello")
        world.alice.device.requestMail()
        world.alice.exchange()
        val said =
            world.alice.device.inbox().map {
                when (it) {
                    is InboxItem.Message -> "message from ${it.content.user}"
                    is InboxItem.Event -> "event"
                }
            }
        assertEquals("message from bob", said.last())
        val result =
            world.alice.device
                .batchDecrypt(listOf("garbage".encodeToByteString()))
                .single()
        assertEquals(MailOutcome.REFUSED to Code.UNSUPPORTED_VERSION, result.outcome to result.code)
        assertEquals(205, result.code?.value)
        assertEquals(Code.INTERNAL, KnownCode.of(999))
    }

    @Test
    fun `keys are wiped at the end of a block, whatever came of it`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        val registry = device.registry()
        assertFailsWith<IllegalStateException> { device.useThenClose { error("the app's own") } }
        assertEquals(Code.CLOSED, assertFailsWith<SesameException.App> { registry.users() }.code)
    }

    @Test
    fun `a closed handle stays closed`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        device.close()
        device.close()
        assertEquals(Code.CLOSED, assertFailsWith<SesameException.App> { device.user }.code)
    }

    @Test
    fun `a device is opened again from its file`(
        @TempDir folder: File,
    ) {
        val path = File(folder, "carol.db").path
        val carol = world.join("carol", Store.sqlite(path))
        world.bob.send("carol", "kept")
        carol.device.requestMail()
        carol.exchange()
        carol.device.useThenClose { }
        Device.open(Store.sqlite(path), KEY).use { assertEquals(listOf("kept"), texts(it.inbox())) }
    }

    @Test
    fun `calls are suspended away from the caller's thread, and many at once do no harm`() =
        runBlocking {
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
            world.bob.exchange()
            assertEquals((1..40).map { "$it" }.toSet(), world.alice.read().toSet())
        }

    @Test
    fun `a coroutine that is cancelled within a call loses nothing`() =
        runBlocking {
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
            assertNotNull(given)
            world.bob.exchange()
            assertEquals(listOf("written"), world.alice.read())
        }

    @Test
    fun `a coroutine that was cancelled before begins no call`() =
        runBlocking {
            val job =
                launch(start = CoroutineStart.UNDISPATCHED) {
                    cancel()
                    world.bob.device.suspending { batchEncrypt(listOf("alice"), ByteString()) }
                }
            job.join()
            assertEquals(listOf(), world.bob.device.sends())
        }

    @Test
    fun `what a block throws is not hidden by the end of it`() {
        val device = Device.create(Store.memory(), KEY, "alice", SERVER)
        val thrown =
            assertFailsWith<IllegalStateException> {
                device.useThenClose {
                    it.close()
                    error("the app's own")
                }
            }
        assertEquals("the app's own", thrown.message)
        assertEquals(1, thrown.suppressed.size)
    }

    @Test
    fun `no text shows a key`() {
        val error = assertFailsWith<SesameException> { Device.open(Store.memory(), StoreKey(ByteArray(31) { 0x41 })) }
        assertFalse("4141" in "$error ${error.message}")
        assertFalse("5a5a" in world.alice.device.toString())
    }
}
