package sesame

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.io.bytestring.ByteString
import java.io.IOException
import java.nio.ByteBuffer
import java.time.Duration
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertSame
import kotlin.test.assertTrue

/** Servers that keep no rule, and hosts that forget: the loop ends, and heals or fails as it should. */
class BadServerTest {
    private val page = "<!doctype html><title>Sign in to the network</title>".encodeToByteArray()
    private val world = World()
    private val bob = world.bob

    /** Lets Bob's app meet a bad server for two hours. Gives the number of requests. */
    private fun twoHours(transport: (ServerRequest) -> ServerAnswer): Int {
        var (asked, passed) = 0 to Duration.ZERO
        while (passed < Duration.ofHours(2)) {
            runCatching {
                bob.device.exchange {
                    asked += 1
                    if (asked > 500) throw Endless()
                    transport(it)
                }
            }.onFailure { if (it is Endless) throw it }
            val due = bob.device.dueIn()
            assertTrue(due > Duration.ZERO, "the loop has ended, and something is due")
            world.clock.advance(due)
            passed += due
        }
        return asked
    }

    private class Endless : Error("the loop does not end")

    /** Nothing is settled by a server like this: it is asked ever more seldom, and the send goes on when the server is well again. */
    private fun onlyPauses(transport: (ServerRequest) -> ServerAnswer) {
        val send = bob.encrypt(listOf("alice"), "x")
        val asked = twoHours(transport)
        assertTrue(asked in 5..100, "$asked requests in two hours")
        assertEquals(Outcome.WAITING, bob.status(send).outcome)
        bob.device.retryNow()
        bob.exchange()
        assertEquals(Outcome.SENT, bob.status(send).outcome)
        assertEquals(listOf("x"), world.alice.read())
    }

    @Test
    fun `a server that is always unavailable only pauses`() = onlyPauses { ServerAnswer(503) }

    @Test
    fun `a server that is always busy only pauses`() = onlyPauses { ServerAnswer(429) }

    @Test
    fun `a portal's page only pauses`() = onlyPauses { ServerAnswer(200, page) }

    @Test
    fun `a portal's redirection only pauses`() = onlyPauses { ServerAnswer(302, page) }

    @Test
    fun `garbage only pauses`() = onlyPauses { ServerAnswer(200, byteArrayOf(-1) + it.body.toByteArray().take(99)) }

    @Test
    fun `a status that is none only pauses`() = onlyPauses { ServerAnswer(-1, ByteArray(1000) { -1 }) }

    @Test
    fun `nothing at all only pauses`() = onlyPauses { throw IOException("no network") }

    @Test
    fun `a user who does not exist ends the send`() {
        val send = bob.encrypt(listOf("alicia"), "x")
        assertTrue(bob.kinds().size < 5)
        assertEquals(Outcome.FAILED to Code.UNKNOWN_USER, bob.status(send).let { it.outcome to it.code })
    }

    @Test
    fun `a server that says stale for ever ends the send`() {
        bob.send("alice", "so that the session is there")
        val send = bob.encrypt(listOf("alice"), "x")
        val list = assertNotNull(world.relay.deviceList("alice")).toByteArray()
        val asked =
            twoHours { request ->
                if (request.kind == RequestKind.SUBMIT) stale(list, request.users.size) else world.relay.perform(request)
            }
        assertTrue(asked < 60, "$asked")
        assertEquals(Outcome.FAILED to Code.TOO_MANY_ROUNDS, bob.status(send).let { it.outcome to it.code })
    }

    /** Results of kind 3, each with the same list and without a device that differs. */
    private fun stale(
        list: ByteArray,
        batches: Int,
    ): ServerAnswer {
        val result = byteArrayOf(3) + ByteBuffer.allocate(2).putShort(list.size.toShort()).array() + list + ByteArray(3)
        val all = List(batches) { result }.reduce(ByteArray::plus)
        return ServerAnswer(200, ByteBuffer.allocate(4).putInt(all.size).array() + all)
    }

    @Test
    fun `another identity makes the send wait for the app`() {
        val (moved) = world.reborn()
        val send = bob.encrypt(listOf("alice"), "x")
        val asked = twoHours { moved.relay.perform(it) }
        assertTrue(asked < 60, "$asked")
        assertEquals(Outcome.WAITING to WaitingFor.IDENTITY, bob.status(send).let { it.outcome to it.waitingFor })
    }

    @Test
    fun `a host that forgets to respond ends too, and heals within a minute`() {
        val send = bob.encrypt(listOf("alice"), "x")
        val forgotten = generateSequence { bob.device.nextRequest() }.take(200).count()
        assertTrue(forgotten in 1..10, "$forgotten")
        val due = bob.device.dueIn()
        assertTrue(due > Duration.ZERO && due <= Duration.ofMinutes(1), "$due")
        world.clock.advance(due)
        bob.exchange()
        assertEquals(Outcome.SENT, bob.status(send).outcome)
    }

    @Test
    fun `an exchange throws what the transport threw, and only pauses`() {
        val send = bob.encrypt(listOf("alice"), "x")
        var asked = 0
        val thrown = IOException("offline")
        val caught =
            assertFailsWith<IOException> {
                bob.device.exchange {
                    asked += 1
                    throw thrown
                }
            }
        assertSame(thrown, caught)
        assertEquals(1, asked)
        assertEquals(Outcome.WAITING, bob.status(send).outcome)
        assertEquals(Code.SERVER_UNREACHABLE, bob.device.health().problem)
        bob.device.retryNow()
        val exchanged = bob.exchange()
        assertEquals(listOf(), exchanged.problems)
        assertTrue(send.id in exchanged.sends)
    }

    @Test
    fun `a busy server is no exception and is named`() {
        bob.encrypt(listOf("alice"), "x")
        assertEquals(listOf(Code.SERVER_BUSY), bob.device.exchange { ServerAnswer(503) }.problems)
    }

    @Test
    fun `an interruption and a Java Error end the loop at once, and nothing pauses`() {
        bob.encrypt(listOf("alice"), "x")
        for (thrown in listOf(InterruptedException(), CancellationException("enough"), StackOverflowError())) {
            val caught = assertFailsWith<Throwable> { bob.device.exchange { throw thrown } }
            assertSame(thrown, caught)
            assertNull(bob.device.health().problem)
            assertEquals(Duration.ZERO, bob.device.dueIn())
        }
        bob.exchange()
        assertEquals(listOf("x"), world.alice.read())
    }

    @Test
    fun `a device that is closed meanwhile ends the loop`() {
        bob.encrypt(listOf("alice"), "x")
        val error =
            assertFailsWith<SesameException.App> {
                bob.device.exchange {
                    bob.device.close()
                    ServerAnswer(200)
                }
            }
        assertEquals(Code.CLOSED, error.code)
    }

    @Test
    fun `a suspended exchange lets other calls run, and gives a request back when it is cancelled`() =
        runBlocking {
            withTimeout(60_000) {
                val send = bob.encrypt(listOf("alice"), "x")
                val asked = CompletableDeferred<RequestKind>()
                val exchange =
                    async {
                        bob.device.exchangeSuspending {
                            asked.complete(it.kind)
                            awaitCancellation()
                        }
                    }
                val kind = asked.await()
                assertEquals(1u, bob.device.suspending { health() }.openSends, "other calls run meanwhile")
                exchange.cancel()
                assertFailsWith<CancellationException> { exchange.await() }
                assertNull(bob.device.health().problem)
                val again = assertNotNull(bob.device.nextRequest())
                assertEquals(kind, again.kind, "the request was given back")
                bob.device.release(again.id)
                val exchanged = bob.device.exchangeSuspending { world.relay.perform(it) }
                assertTrue(send.id in exchanged.sends)
                assertEquals(listOf("x"), world.alice.read())
                val offline = IOException("offline")
                bob.encrypt(listOf("alice"), "later")
                assertSame(offline.message, assertFailsWith<IOException> { bob.device.exchangeSuspending { throw offline } }.message)
                assertEquals(Code.SERVER_UNREACHABLE, bob.device.health().problem)
            }
        }

    @Test
    fun `an answer is read as HTTP clients give it`() {
        assertEquals(ServerAnswer(0u, ByteString()), ServerAnswer(-1))
        assertEquals(ServerAnswer(0u, ByteString()), ServerAnswer(70_000))
        assertEquals(ServerAnswer(200u, ByteString(1, 2)), ServerAnswer(200, byteArrayOf(1, 2)))
    }
}
