package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.time.Duration
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The situations of an app that are about its device: registration, mail, other devices, time. */
class DeviceSituationTest {
    private val world = World()
    private val alice = world.alice
    private val bob = world.bob

    @Test
    fun `the first exchange publishes the device`() {
        val carol = world.create("carol")
        assertFalse(carol.device.health().registered)
        assertEquals(listOf(RequestKind.PUBLICATION, RequestKind.PUBLICATION), carol.kinds(), "the list, then prekeys")
        assertTrue(carol.device.health().registered)
        assertNotNull(world.relay.deviceList("carol"))
    }

    @Test
    fun `a registration token goes out with the first publication`() {
        val token = "what the app's own server gave".encodeToByteString()
        val carol = Device.create(Store.memory(), KEY, "carol", SERVER, token, world.clock)
        val request = assertNotNull(carol.nextRequest())
        assertEquals(RequestKind.PUBLICATION, request.kind)
        assertEquals(token, request.body.substring(2, 2 + token.size))
    }

    @Test
    fun `a refused registration is said and is the end`() {
        val second = world.create("alice")
        second.exchange()
        assertEquals(Code.REGISTRATION_REFUSED, second.device.health().problem)
        assertNull(second.device.nextRequest())
        val told = second.device.inbox().filterIsInstance<InboxItem.Event>()
        assertEquals(listOf<Event>(Event.RegistrationRefused("alice")), told.map { it.content })
    }

    @Test
    fun `mail by push is opened once, whatever the loop brings`() {
        bob.send("alice", "knock")
        val envelopes = alice.pushed()
        assertEquals(1, envelopes.size)
        val results = alice.device.batchDecrypt(envelopes)
        assertEquals(listOf(MailOutcome.OPENED), results.map { it.outcome })
        assertFalse(results[0].keep)
        assertEquals(listOf(MailOutcome.DUPLICATE), alice.device.batchDecrypt(envelopes).map { it.outcome })
        assertEquals(listOf("knock"), alice.read())
    }

    @Test
    fun `mail comes through the loop up to a limit, and is confirmed`() {
        val all = (1..7).map { "$it" }
        all.forEach { bob.encrypt(listOf("alice"), it) }
        bob.exchange()
        alice.device.requestMail(3u)
        val kinds = alice.kinds()
        assertEquals(RequestKind.MAIL to RequestKind.CONFIRM, kinds.first() to kinds.last())
        assertEquals(all.take(3), texts(alice.device.inbox()))
        assertEquals(4u, alice.device.health().mailLeft)
        assertEquals(all, alice.read())
        val waiting = world.relay.view().waiting
        assertEquals(listOf(), waiting.filter { it.address.user == "alice" && it.count > 0u })
    }

    @Test
    fun `a full inbox fetches no mail`() {
        val payload = ByteString(ByteArray(Limits.MAX_PAYLOAD))
        repeat(280) {
            bob.device.batchEncrypt(listOf("alice"), payload)
            bob.exchange()
        }
        alice.device.requestMail()
        alice.exchange()
        val held = alice.device.inbox(limit = 4096u)
        assertEquals(Code.INBOX_FULL, alice.device.health().problem)
        assertTrue(held.size in 200..279, "${held.size}")
        alice.device.requestMail()
        assertFalse(RequestKind.MAIL in alice.kinds())
        alice.device.ack(held.map { it.id })
        assertEquals(280, texts(held).size + alice.read().size)
    }

    @Test
    fun `acked items are gone, and so is the send`() {
        val send = bob.encrypt(listOf("alice"), "x")
        bob.exchange()
        assertNotNull(bob.device.sendStatus(send.id))
        bob.device.ack(bob.device.inbox().map { it.id })
        assertEquals(listOf(), bob.device.inbox())
        assertNull(bob.device.sendStatus(send.id))
        assertNull(bob.device.sendWith(send.contentId))
    }

    @Test
    fun `a second process reads and never acks`(
        @TempDir folder: File,
    ) {
        val path = File(folder, "carol.db").path
        val app = world.join("carol", Store.sqlite(path))
        val second = world.open(Store.sqlite(path))
        bob.send("carol", "one")
        second.device.batchDecrypt(second.pushed())
        val shown = second.device.inbox().last()
        bob.send("carol", "two")
        second.device.batchDecrypt(second.pushed())
        assertEquals(listOf("two"), texts(second.device.inbox(shown.id)))
        assertEquals(listOf("one", "two"), app.read())
        assertEquals(listOf(), second.device.inbox())
    }

    @Test
    fun `a device is linked once both sides have confirmed`() {
        val linking = Linking.begin(Store.memory(), KEY, SERVER, world.clock)
        val pending = alice.device.linkDevice(linking.code)
        assertEquals(15, pending.digits.length)
        assertTrue(pending.expiresAt.toEpochMilli().toULong() > world.clock.now())
        assertNull(linking.digits())
        pending.cancel()
        assertEquals(Code.LINK_USED, assertFailsWith<SesameException.App> { alice.device.linkDevice(linking.code) }.code)
        val tablet = world.link(alice)
        assertTrue(alice.device.isPrimary)
        assertFalse(tablet.device.isPrimary)
        alice.send("bob", "from the phone")
        val copy =
            tablet
                .items()
                .filterIsInstance<InboxItem.Message>()
                .first()
                .content
        assertEquals(listOf("bob"), copy.recipients)
    }

    @Test
    fun `a removed device is told, and asks nothing more`() {
        val tablet = world.link(alice)
        alice.device.removeDevice(tablet.device.id)
        alice.exchange()
        tablet.device.requestMail()
        tablet.exchange()
        val told = tablet.device.inbox().filterIsInstance<InboxItem.Event>()
        assertTrue(told.any { it.content is Event.RemovedFromAccount })
        assertEquals(Code.REMOVED_FROM_ACCOUNT, tablet.device.health().problem)
        assertNull(tablet.device.nextRequest())
        val refused = assertFailsWith<SesameException.App> { tablet.encrypt(listOf("bob"), "x") }
        assertEquals(Code.DEVICE_REMOVED, refused.code)
    }

    @Test
    fun `a device logs out and its store is erased`() {
        val store = Store.memory()
        val tablet = world.link(alice, store)
        val send = tablet.device.logOut()
        tablet.exchange()
        assertTrue(assertNotNull(tablet.device.sendStatus(send.id)).finished)
        assertTrue(Event.DeviceWantsRemoval(tablet.device.id) in alice.events())
        alice.device.removeDevice(tablet.device.id)
        alice.exchange()
        val devices = alice.device.registry().devices("alice")
        assertEquals(listOf(DeviceState.OWN, DeviceState.STALE), devices.map { it.state })
        store.erase()
        assertEquals(Code.FOREIGN_STORE, assertFailsWith<SesameException> { Device.open(store, KEY) }.code)
    }

    @Test
    fun `a wrong clock costs one request`() {
        val ahead = Duration.ofHours(2).toMillis()
        val late = TestClock(world.clock.now() + ahead.toULong())
        val carol = Host(world.relay, Device.create(Store.memory(), KEY, "carol", SERVER, null, late))
        assertEquals(List(3) { RequestKind.PUBLICATION }, carol.kinds())
        assertTrue(carol.device.health().registered)
        assertEquals(-ahead, carol.device.health().clockOffset)
    }

    @Test
    fun `a restored server gets the keys again, and the app is told`() {
        world.relay.restored()
        alice.device.requestMail()
        assertEquals(listOf(RequestKind.MAIL), alice.kinds())
        world.clock.advance(Duration.ofSeconds(2))
        assertTrue(RequestKind.PUBLICATION in alice.kinds())
        assertTrue(Event.ServerRestored in alice.events())
    }

    @Test
    fun `a deleted account is gone, and nothing follows`() {
        alice.device.deleteAccount()
        assertEquals(listOf(RequestKind.DELETE), alice.kinds())
        assertNull(world.relay.deviceList("alice"))
        alice.device.requestMail()
        assertNull(alice.device.nextRequest())
        assertEquals(Code.UNKNOWN_USER, bob.send("alice", "x").code)
    }

    @Test
    fun `the push value goes out once`() {
        alice.device.setPush("token of the push service".encodeToByteString())
        assertEquals(listOf(RequestKind.PUSH), alice.kinds())
        assertEquals(listOf(), alice.kinds())
        alice.device.setPush()
        assertEquals(listOf(RequestKind.PUSH), alice.kinds())
    }

    @Test
    fun `a background task knows when to call again`() {
        val due = alice.device.dueIn()
        assertTrue(due > Duration.ZERO && due <= Duration.ofDays(1), "$due")
        var published = 0
        repeat(90) {
            world.clock.advance(alice.device.dueIn())
            published += alice.kinds().count { it == RequestKind.PUBLICATION }
        }
        assertTrue(published in 2..60, "prekeys and lists are renewed when their time has come: $published")
    }

    @Test
    fun `retryNow ends a pause, and release gives a request back`() {
        bob.encrypt(listOf("alice"), "x")
        bob.device.exchange { ServerAnswer(503) }
        assertNull(bob.device.nextRequest())
        assertTrue(bob.device.dueIn() > Duration.ZERO)
        bob.device.retryNow()
        val given = generateSequence { bob.device.nextRequest() }.toList().last()
        bob.device.release(given.id)
        assertEquals(given.kind, bob.device.nextRequest()?.kind)
    }

    @Test
    fun `health says how the device stands`() {
        val well = bob.device.health()
        assertTrue(well.registered)
        assertNull(well.problem)
        assertEquals(listOf(0u, 0u, 0u), listOf(well.openSends, well.inbox, well.mailLeft))
        bob.encrypt(listOf("alice"), "x")
        bob.device.exchange { ServerAnswer(503) }
        val ill = bob.device.health()
        assertEquals(Code.SERVER_BUSY to 1u, ill.problem to ill.openSends)
        assertEquals(bob.device.dueIn(), ill.dueIn)
        assertTrue(ill.dueIn > Duration.ZERO)
    }
}
