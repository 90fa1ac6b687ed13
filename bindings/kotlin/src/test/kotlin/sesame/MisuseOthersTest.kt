package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.IOException
import java.time.Duration
import kotlin.test.assertNotNull

private val HOUR: Duration = Duration.ofHours(1)

/** Ways to hold wrongly what has to do with the server, with mail, with other users and with other devices. */
class MisuseOthersTest {
    private fun begin(world: World): ServerRequest {
        world.bob.encrypt(ALICE, "x")
        return assertNotNull(world.bob.device.nextRequest())
    }

    private fun respond(
        world: World,
        request: ServerRequest,
        answer: ServerAnswer,
    ) = world.bob.device.respond(request.id, answer.status, answer.body)

    /** A request that is changed on its way is refused once, and the loop signs it anew: everything goes out. */
    private fun heals(
        world: World,
        change: (ServerRequest) -> ServerRequest,
    ): Boolean {
        world.bob.encrypt(ALICE, "x")
        val statuses = mutableListOf<Int>()
        world.bob.device.exchange { request ->
            world.relay.perform(if (statuses.isEmpty()) change(request) else request).also { statuses += it.status.toInt() }
        }
        return statuses.first() == 401 && world.alice.read() == listOf("x")
    }

    @TestFactory
    fun `the loop`(): List<DynamicTest> =
        Misuse()
            .apply {
                row("respond", "an id of 15 bytes", Code.INVALID_ARGUMENT) { it.bob.device.respond(RequestId(bytes(15)), 200u) }
                row("respond", "another device's request", Code.FOREIGN_REQUEST) { it.alice.device.respond(begin(it).id, 200u) }
                row("release", "an id of 15 bytes", Code.INVALID_ARGUMENT) { it.bob.device.release(RequestId(bytes(15))) }
                row("release", "another device's request", Code.FOREIGN_REQUEST) { it.alice.device.release(begin(it).id) }
                shows("respond", "twice", "the second time `known` is false") {
                    val request = begin(it)
                    val answer = it.relay.perform(request)
                    respond(it, request, answer).known && !respond(it, request, answer).known
                }
                shows("respond", "after `release`", "`known` is false") {
                    val request = begin(it)
                    it.bob.device.release(request.id)
                    !respond(it, request, ServerAnswer(503)).known
                }
                val answers =
                    mapOf(
                        "status 0 with a body" to (ServerAnswer(0, byteArrayOf(1)) to Code.SERVER_UNREACHABLE),
                        "no body" to (ServerAnswer(200) to Code.SERVER_ANSWER),
                        "a page for a body" to (ServerAnswer(200, "<html>".encodeToByteArray()) to Code.SERVER_ANSWER),
                        "status 65,535" to (ServerAnswer(65_535u, ByteString()) to Code.SERVER_ANSWER),
                        "status 302" to (ServerAnswer(302) to Code.SERVER_ANSWER),
                        "a body of a megabyte" to (ServerAnswer(200, ByteArray(1 shl 20) { -1 }) to Code.SERVER_ANSWER),
                        "status 500" to (ServerAnswer(500) to Code.SERVER_BUSY),
                    )
                for ((mistake, said) in answers) {
                    shows("respond", mistake, "the problem ${said.second}, and a pause") {
                        respond(it, begin(it), said.first).problem == said.second && it.bob.device.dueIn() > Duration.ZERO
                    }
                }
                shows("respond", "the answer to another request", "a problem, and it heals") {
                    val problem = respond(it, begin(it), ServerAnswer(200, ByteArray(4))).problem
                    it.bob.device.retryNow()
                    it.bob.exchange()
                    problem != null && it.alice.read() == listOf("x")
                }
                shows("respond", "never", "the loop ends, and goes on within a minute") {
                    begin(it)
                    val count = generateSequence { it.bob.device.nextRequest() }.take(100).count()
                    count < 100 && it.bob.device.dueIn() <= Duration.ofMinutes(1)
                }
                shows("exchange", "a transport that always throws", "its exception, once, and a pause") {
                    it.bob.encrypt(ALICE, "x")
                    var asked = 0
                    val outcome =
                        runCatching {
                            it.bob.device.exchange {
                                asked += 1
                                throw IOException()
                            }
                        }
                    outcome.exceptionOrNull() is IOException && asked == 1 && it.bob.device.dueIn() > Duration.ZERO
                }
                shows("exchange", "within a transport", "the inner loop does what is left, and both end") {
                    it.bob.encrypt(ALICE, "x")
                    it.bob.device.exchange { request ->
                        it.bob.exchange()
                        it.relay.perform(request)
                    }
                    it.alice.read() == listOf("x")
                }
                val healed = "it is refused, signed anew, and goes out"
                shows("perform", "a request without its headers", healed) { heals(it) { request -> request.copy(headers = listOf()) } }
                shows("perform", "a request with another body", healed) {
                    heals(it) { request -> request.copy(body = ByteString(request.body.toByteArray() + 0)) }
                }
                shows("perform", "two hours later", healed) {
                    heals(it) { request -> request.also { _ -> it.clock.advance(HOUR.multipliedBy(2)) } }
                }
                shows("perform", "another path", "the outcome FAILED, SERVER_ANSWER") {
                    val request = begin(it)
                    respond(it, request, it.relay.perform(request.copy(path = "/v1/nothing")))
                    assertNotNull(
                        it.bob.device
                            .sends()
                            .single(),
                    ).users.single().code == Code.SERVER_ANSWER
                }
                shows("perform", "at a server of another name", "the problem SERVER_UNAUTHORIZED") {
                    val other = LocalRelay("other.example", it.clock)
                    it.bob.encrypt(ALICE, "x")
                    val problems =
                        List(4) { _ ->
                            val said =
                                it.bob.device
                                    .exchange { request -> other.perform(request) }
                                    .problems
                            it.bob.device.retryNow()
                            said
                        }
                    Code.SERVER_UNAUTHORIZED in problems.flatten()
                }
                row("nextRequest", "after `close`", Code.CLOSED) {
                    it.bob.device.close()
                    it.bob.device.nextRequest()
                }
                row("requestMail", "after `close`", Code.CLOSED) {
                    it.bob.device.close()
                    it.bob.device.requestMail()
                }
            }.rows

    @TestFactory
    fun mail(): List<DynamicTest> =
        Misuse()
            .apply {
                row("batchDecrypt", "4,097 envelopes", Code.TOO_MANY) {
                    it.bob.device.batchDecrypt(List(Limits.MAX_BATCH + 1) { bytes(0) })
                }
                for ((mistake, said) in mapOf(
                    "an empty envelope" to (bytes(0) to Code.TRUNCATED),
                    "garbage" to ("garbage".encodeToByteString() to Code.UNSUPPORTED_VERSION),
                )) {
                    shows("batchDecrypt", mistake, "REFUSED, ${said.second}") {
                        val result =
                            it.bob.device
                                .batchDecrypt(listOf(said.first))
                                .single()
                        result.outcome == MailOutcome.REFUSED && result.code == said.second && !result.keep
                    }
                }
                shows("batchDecrypt", "no envelope", "no result") {
                    it.bob.device
                        .batchDecrypt(listOf())
                        .isEmpty()
                }
                shows("batchDecrypt", "an envelope twice", "OPENED, and a DUPLICATE") {
                    it.bob.send("alice", "x")
                    val envelope = it.alice.pushed().first()
                    val outcomes =
                        it.alice.device
                            .batchDecrypt(listOf(envelope, envelope))
                            .map { result -> result.outcome }
                    outcomes == listOf(MailOutcome.OPENED, MailOutcome.DUPLICATE)
                }
                shows("batchDecrypt", "another device's envelope", "REFUSED, WRONG_RECIPIENT") {
                    it.bob.send("alice", "x")
                    val result =
                        it.bob.device
                            .batchDecrypt(it.alice.pushed())
                            .first()
                    result.outcome == MailOutcome.REFUSED && result.code == Code.WRONG_RECIPIENT
                }
                shows("ack", "an id that is not there", "what is there stays") {
                    it.bob.send("alice", "x")
                    it.alice.device.ack(listOf(4711u, ULong.MAX_VALUE))
                    it.alice.read() == listOf("x")
                }
                shows("ack", "never", "the items are there again when the device is opened") {
                    val store = Store.memory()
                    val carol = it.join("carol", store)
                    it.bob.send("carol", "x")
                    carol.device.requestMail()
                    carol.exchange()
                    texts(Device.open(store, KEY).inbox()) == listOf("x")
                }
                shows("inbox", "an id beyond all", "no item") {
                    it.bob.device
                        .inbox(ULong.MAX_VALUE)
                        .isEmpty()
                }
                shows("inbox", "a limit of 0", "no item") {
                    it.bob.send("alice", "x")
                    it.bob.device
                        .inbox(limit = 0u)
                        .isEmpty()
                }
            }.rows

    @TestFactory
    fun users(): List<DynamicTest> =
        Misuse()
            .apply {
                fun registry(world: World) = world.bob.device.registry()

                fun met(world: World) = registry(world).also { world.bob.send("alice", "x") }
                row("devices", "a user who is not known", Code.UNKNOWN_USER) { registry(it).devices("nobody") }
                row("markVerified", "a user who is not known", Code.UNKNOWN_USER) { registry(it).markVerified("nobody") }
                row("safetyNumber", "a user who is not known", Code.UNKNOWN_USER) { registry(it).safetyNumber("nobody") }
                row("safetyCode", "a user who is not known", Code.UNKNOWN_USER) { registry(it).safetyCode("nobody") }
                row("acceptIdentity", "a user who is not known", Code.UNKNOWN_USER) {
                    registry(it).acceptIdentity("nobody", AccountKey(bytes(32)))
                }
                row("acceptIdentity", "a key of 31 bytes", Code.INVALID_ARGUMENT) {
                    registry(it).acceptIdentity("alice", AccountKey(bytes(31)))
                }
                row("acceptIdentity", "a key that nobody claims", Code.INVALID_ARGUMENT) {
                    met(it).acceptIdentity("alice", AccountKey(ByteString(ByteArray(32) { 7 })))
                }
                row("compareSafetyCode", "a text that is no code", Code.INVALID_ARGUMENT) { met(it).compareSafetyCode("alice", "no code") }
                row("resolveFork", "a user who is not known", Code.UNKNOWN_USER) {
                    registry(it).resolveFork("nobody", ListHash(bytes(32)))
                }
                row("resolveFork", "a user without a fork", Code.INVALID_ARGUMENT) { met(it).resolveFork("alice", ListHash(bytes(32))) }
                row("resolveFork", "a hash of 31 bytes", Code.INVALID_ARGUMENT) { met(it).resolveFork("alice", ListHash(bytes(31))) }
                row("forget", "a user who is not known", Code.UNKNOWN_USER) { registry(it).forget("nobody") }
                row("forget", "oneself", Code.INVALID_ARGUMENT) { registry(it).forget("bob") }
                row("lookUp", "101 users", Code.TOO_MANY) { registry(it).lookUp(List(101) { n -> "u$n" }) }
                row("lookUp", "an empty user", Code.INVALID_ARGUMENT) { registry(it).lookUp(listOf("")) }
                shows("lookUp", "a misspelled user", "the user is not among `users`") {
                    registry(it).lookUp(listOf("alicia"))
                    it.bob.exchange()
                    registry(it).users().none { view -> view.user == "alicia" }
                }
                row("users", "after `wipe` of the device", Code.CLOSED) {
                    val registry = registry(it)
                    it.bob.device.wipe()
                    registry.users()
                }
            }.rows

    private fun group(world: World): Group {
        world.bob.device
            .registry()
            .lookUp(ALICE)
        world.bob.exchange()
        val (group) = world.bob.device.createGroup(GroupKind.PAIRWISE, GroupChange(name = "Trip"), ALICE)
        world.bob.exchange()
        return group
    }

    @TestFactory
    fun groups(): List<DynamicTest> =
        Misuse()
            .apply {
                fun create(
                    world: World,
                    change: GroupChange,
                    users: List<String>,
                ) = world.bob.device.createGroup(GroupKind.PAIRWISE, change, users)
                row("group", "an id of 31 bytes", Code.INVALID_ARGUMENT) { it.bob.device.group(GroupId(bytes(31))) }
                row("group", "a group that is not known", Code.UNKNOWN_GROUP) { it.bob.device.group(GroupId(bytes(32))) }
                row("createGroup", "a user who is not known", Code.UNKNOWN_USER) { create(it, GroupChange(), ALICE) }
                row("createGroup", "a name of a megabyte", Code.INVALID_ARGUMENT) {
                    create(it, GroupChange(name = "x".repeat(1 shl 20)), listOf())
                }
                row("add", "a member", Code.ALREADY_MEMBER) { group(it).add(ALICE) }
                row("add", "a user who is not known", Code.UNKNOWN_USER) { group(it).add(listOf("carol")) }
                row("add", "nobody", Code.EMPTY_BATCH) { group(it).add(listOf()) }
                row("add", "201 users", Code.TOO_MANY) { group(it).add(List(201) { n -> "u$n" }) }
                row("send", "a payload of 65,537 bytes", Code.PAYLOAD_TOO_LARGE) { group(it).send(bytes(Limits.MAX_PAYLOAD + 1)) }
                row("send", "a content id of 15 bytes", Code.INVALID_ARGUMENT) { group(it).send(TEXT, ContentId(bytes(15))) }
                row("send", "after `leave`", Code.NOT_A_MEMBER) { group(it).apply { leave() }.send(TEXT) }
                row("accept", "without an invitation", Code.NOT_INVITED) { group(it).accept() }
                row("decline", "without an invitation", Code.NOT_INVITED) { group(it).decline() }
                row("forkWithout", "a user who is no member", Code.INVALID_ARGUMENT) { group(it).forkWithout(listOf("carol")) }
                row("forget", "a group that one has not left", Code.ALREADY_MEMBER) { group(it).forget() }
                row("view", "after `forget`", Code.UNKNOWN_GROUP) {
                    val group = group(it)
                    group.leave()
                    it.bob.exchange()
                    group.forget()
                    group.view()
                }
            }.rows

    private fun linking(world: World) = Linking.begin(Store.memory(), KEY, SERVER, world.clock)

    @TestFactory
    fun devices(): List<DynamicTest> =
        Misuse()
            .apply {
                row("linkDevice", "a text that is no code", Code.LINK_MALFORMED) { it.alice.device.linkDevice("no code") }
                row("linkDevice", "no text", Code.LINK_MALFORMED) { it.alice.device.linkDevice("") }
                row("linkDevice", "a code without its last character", Code.LINK_MALFORMED) {
                    it.alice.device.linkDevice(linking(it).code.dropLast(1))
                }
                row("linkDevice", "a code twice", Code.LINK_USED) {
                    val linking = linking(it)
                    it.alice.device
                        .linkDevice(linking.code)
                        .cancel()
                    it.alice.device.linkDevice(linking.code)
                }
                row("linkDevice", "a code of an hour ago", Code.LINK_EXPIRED) {
                    val linking = linking(it)
                    it.clock.advance(HOUR)
                    it.alice.device.linkDevice(linking.code)
                }
                row("linkDevice", "a device that is not the primary", Code.NOT_PRIMARY) {
                    it.link(it.alice).device.linkDevice(linking(it).code)
                }
                row("Linking.respond", "a device's request", Code.FOREIGN_REQUEST) { linking(it).respond(begin(it).id, 200u) }
                row("Linking.release", "a device's request", Code.FOREIGN_REQUEST) { linking(it).release(begin(it).id) }
                row("Linking.confirm", "before there are digits", Code.INVALID_ARGUMENT) { linking(it).confirm() }
                row("PendingLink.confirm", "after `cancel`", Code.LINK_USED) {
                    it.alice.device
                        .linkDevice(linking(it).code)
                        .apply { cancel() }
                        .confirm()
                }
                shows("Linking.device", "before the answer", "null") {
                    val linking = linking(it)
                    linking.device() == null && !linking.expired()
                }
                shows("Linking", "never confirmed", "it is expired in the end") {
                    val linking = linking(it)
                    it.clock.advance(HOUR)
                    linking.expired()
                }
                row("adoptOwnList", "a list that does not wait", Code.INVALID_ARGUMENT) {
                    it.alice.device.adoptOwnList(ListHash(bytes(32)))
                }
                row("handOver", "to itself", Code.INVALID_ARGUMENT) { it.alice.device.handOver(1u) }
                row("handOver", "a device that is not there", Code.UNKNOWN_DEVICE) { it.alice.device.handOver(9u) }
                row("handOver", "on a device that is not the primary", Code.NOT_PRIMARY) {
                    it.link(it.alice).device.handOver(1u)
                }
                row("confirmHandover", "one that nobody offered", Code.HANDOVER_ENDED) {
                    it.alice.device.confirmHandover(HandoverId(bytes(16)))
                }
                row("removeDevice", "a device that is not there", Code.UNKNOWN_DEVICE) { it.alice.device.removeDevice(9u) }
                row("removeDevice", "the primary itself", Code.INVALID_ARGUMENT) { it.alice.device.removeDevice(1u) }
                row("removeDevice", "on a device that is not the primary", Code.NOT_PRIMARY) {
                    it.link(it.alice).device.removeDevice(1u)
                }
                row("setPush", "513 bytes", Code.INVALID_ARGUMENT) { it.alice.device.setPush(bytes(513)) }
                row("deleteAccount", "and sends afterwards", Code.DEVICE_REMOVED) {
                    it.bob.device.deleteAccount()
                    it.bob.encrypt(ALICE, "x")
                }
            }.rows
}
