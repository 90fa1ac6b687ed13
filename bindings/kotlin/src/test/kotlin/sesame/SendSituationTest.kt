package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import java.io.IOException
import java.nio.ByteBuffer
import java.time.Duration
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The situations of an app that are about what it sends. */
class SendSituationTest {
    private val world = World()
    private val bob = world.bob
    private val alice = world.alice

    private fun claimed() =
        bob.device
            .registry()
            .users()
            .find { it.user == "alice" }
            ?.claimedKey

    @Test
    fun `a send ends with an outcome for each user`() {
        val send = bob.encrypt(listOf("alice"), "hello")
        assertEquals(WaitingFor.SERVER, bob.status(send).waitingFor)
        bob.exchange()
        val status = assertNotNull(bob.device.sendWith(send.contentId))
        assertEquals(status, bob.device.sendStatus(send.id))
        assertTrue(status.finished)
        assertEquals("hello".encodeToByteString(), status.payload)
        assertEquals(Outcome.SENT to null, status.users.single().let { it.outcome to it.code })
        assertEquals(listOf("hello"), alice.read())
        val end = assertIs<Event.SendFinished>(bob.events().last())
        assertEquals(Event.SendFinished(send.id, send.contentId, null, 1u, listOf(), listOf()), end)
    }

    @Test
    fun `an unknown user fails and the others get it`() {
        val send = bob.encrypt(listOf("alice", "alicia"), "hello")
        bob.exchange()
        val users = assertNotNull(bob.device.sendStatus(send.id)).users
        assertEquals(listOf(Outcome.SENT, Outcome.FAILED), users.map { it.outcome })
        assertEquals(listOf(null, Code.UNKNOWN_USER), users.map { it.code })
        val end = assertIs<Event.SendFinished>(bob.events().last())
        assertEquals(listOf(FailedUser("alicia", Code.UNKNOWN_USER)), end.failed)
    }

    @Test
    fun `a stale view is updated within the loop`() {
        bob.send("alice", "before")
        val tablet = world.link(alice)
        assertEquals(2u, bob.send("alice", "to both").reached)
        assertEquals("to both", alice.read().last())
        assertEquals(listOf("to both"), tablet.read())
    }

    @Test
    fun `offline a send waits and goes out later`() {
        val send = bob.encrypt(listOf("alice"), "hello")
        assertFailsWith<IOException> { bob.device.exchange { throw IOException() } }
        assertEquals(Outcome.WAITING, bob.status(send).outcome)
        world.clock.advance(bob.device.dueIn())
        bob.exchange()
        assertEquals(listOf("hello"), alice.read())
    }

    @Test
    fun `a crash between request and answer sends nothing twice`() {
        val rows = MemoryStore()
        val carol = world.join("carol", Store.app(rows))
        carol.send("alice", "first")
        carol.encrypt(listOf("alice"), "second")
        generateSequence { carol.device.nextRequest() }.forEach { world.relay.perform(it) }
        val again = world.open(Store.app(rows))
        assertEquals(1, again.device.sends().count { !it.finished })
        again.exchange()
        assertEquals(0, again.device.sends().count { !it.finished })
        assertEquals(listOf("first", "second"), alice.read())
    }

    @Test
    fun `a retry reaches who is there by then`() {
        val send = bob.encrypt(listOf("carol"), "hello")
        bob.exchange()
        assertEquals(Outcome.FAILED, bob.status(send).outcome)
        val carol = world.join("carol")
        bob.device.retry(send.id)
        bob.exchange()
        assertEquals(Outcome.SENT, bob.status(send).outcome)
        assertEquals(listOf("hello"), carol.read())
    }

    @Test
    fun `a send that the server puts off expires after 30 days`() {
        val send = bob.encrypt(listOf("alice"), "hello")
        repeat(33) { day ->
            bob.device.requestMail()
            bob.device.exchange { if (it.kind == RequestKind.SUBMIT) later(it.users.size) else world.relay.perform(it) }
            assertEquals(day > 30, assertNotNull(bob.device.sendStatus(send.id)).finished, "day $day")
            world.clock.advance(Duration.ofDays(1))
        }
        assertEquals(Outcome.FAILED to Code.EXPIRED, bob.status(send).let { it.outcome to it.code })
    }

    /** Results of kind 8, each with an hour to wait. */
    private fun later(batches: Int): ServerAnswer {
        val result = byteArrayOf(8) + ByteBuffer.allocate(4).putInt(3_600).array()
        val all = List(batches) { result }.reduce(ByteArray::plus)
        return ServerAnswer(200, ByteBuffer.allocate(4).putInt(all.size).array() + all)
    }

    @Test
    fun `what was not given out is cancelled, and what was may be sent`() {
        bob.send("alice", "first")
        val early = bob.encrypt(listOf("alice"), "never sent")
        bob.device.cancel(early.id)
        assertEquals(Code.CANCELLED, bob.status(early).code)
        val late = bob.encrypt(listOf("alice"), "given out")
        assertEquals(RequestKind.SUBMIT, assertNotNull(bob.device.nextRequest()).kind)
        bob.device.cancel(late.id, listOf("alice"))
        assertEquals(Outcome.CANCELLED to Code.MAYBE_SENT, bob.status(late).let { it.outcome to it.code })
        bob.exchange()
        assertEquals(listOf("first"), alice.read())
    }

    @Test
    fun `the same content id is the same send`() {
        val id = ContentId(ByteString(ByteArray(16) { 9 }))
        val send = bob.encrypt(listOf("alice"), "once", id)
        assertEquals(send, bob.encrypt(listOf("alice"), "once", id))
        val other = assertFailsWith<SesameException.App> { bob.encrypt(listOf("alice"), "other", id) }
        assertEquals(Code.CONTENT_ID_IN_USE, other.code)
        bob.exchange()
        assertEquals(listOf("once"), alice.read())
    }

    @Test
    fun `a contested identity waits visibly`() {
        val (moved) = world.reborn()
        val status = moved.send("alice", "to whom?")
        assertEquals(Outcome.WAITING to WaitingFor.IDENTITY, status.outcome to status.waitingFor)
        assertNotNull(claimed())
        assertNull(bob.device.nextRequest())
        val events = bob.device.inbox().filterIsInstance<InboxItem.Event>()
        assertTrue(events.any { it.content is Event.IdentityChanged })
    }

    @Test
    fun `an accepted identity gets what waited`() {
        val (moved, again) = world.reborn()
        val send = moved.encrypt(listOf("alice"), "it is you")
        moved.exchange()
        bob.device.registry().acceptIdentity("alice", assertNotNull(claimed()))
        // What the new identity was never asked for pauses at times.
        repeat(4) {
            moved.exchange()
            world.clock.advance(Duration.ofSeconds(5))
        }
        assertEquals(Outcome.SENT, bob.status(send).outcome)
        assertEquals(listOf("it is you"), again.read())
    }

    @Test
    fun `a group is made and spoken to`() {
        alice.device.registry().lookUp(listOf("bob"))
        alice.exchange()
        val (group, made) = alice.device.createGroup(GroupKind.PAIRWISE, GroupChange(name = "Trip"), listOf("bob"))
        alice.exchange()
        assertEquals(Outcome.SENT, alice.status(made).outcome)
        assertTrue(bob.events().any { it is Event.GroupInvited }, "Bob has never written to Alice")
        bob.device.group(group.id).accept()
        bob.exchange()
        val send = group.send("hello, group".encodeToByteString())
        alice.exchange()
        assertEquals(group.id, assertNotNull(alice.device.sendStatus(send.id)).group)
        assertEquals(listOf("hello, group"), bob.read())
        assertEquals(listOf("alice", "bob"), group.view().members)
        assertEquals(group.view(), group.view())
        assertEquals(listOf(group.view()), alice.device.groups())
    }

    @Test
    fun `a group is forked, left and forgotten, and so is a contact`() {
        val carol = world.join("carol")
        alice.device.registry().lookUp(listOf("bob", "carol"))
        alice.exchange()
        val (group) = alice.device.createGroup(GroupKind.PAIRWISE, GroupChange(name = "Trip"), listOf("bob", "carol"))
        alice.exchange()
        bob.send("alice", "whom I know now")
        val (fork) = group.forkWithout(listOf("carol"))
        alice.exchange()
        assertTrue(bob.events().any { it is Event.GroupJoined && it.group == fork.id && it.forkedFrom == group.id })
        assertTrue(carol.events().none { it is Event.GroupJoined && it.group == fork.id })
        group.leave()
        alice.exchange()
        group.forget()
        assertEquals(listOf(fork.id), alice.device.groups().map { it.id })
        val registry = alice.device.registry()
        registry.forget("carol")
        assertTrue(registry.users().none { it.user == "carol" })
    }

    @Test
    fun `many sends share requests`() {
        val carol = world.join("carol")
        val texts = (1..10).map { "$it" }
        texts.forEach { bob.encrypt(listOf("alice", "carol"), it) }
        val asked = bob.kinds().size
        assertTrue(asked < 16, "$asked requests, and not one for each message")
        assertEquals(texts, alice.read())
        assertEquals(texts, carol.read())
    }

    @Test
    fun `requests that are given out together are answered in any order`() {
        bob.send("alice", "first")
        val carol = world.join("carol")
        bob.encrypt(listOf("carol"), "to carol")
        bob.encrypt(listOf("alice"), "to alice")
        bob.device.requestMail()
        val together = generateSequence { bob.device.nextRequest() }.toList()
        assertTrue(together.size > 1)
        for (request in together.reversed()) {
            val answer = world.relay.perform(request)
            assertTrue(bob.device.respond(request.id, answer.status, answer.body).known)
        }
        bob.exchange()
        assertEquals(listOf("first", "to alice"), alice.read())
        assertEquals(listOf("to carol"), carol.read())
    }
}
