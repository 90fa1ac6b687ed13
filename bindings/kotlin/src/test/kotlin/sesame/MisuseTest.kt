package sesame

import kotlinx.io.bytestring.ByteString
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.File
import java.time.Duration
import kotlin.test.assertNotNull

/** Ways to hold wrongly what begins, and what sends. */
class MisuseTest {
    private fun create(
        user: String,
        server: String = SERVER,
        key: StoreKey = KEY,
        store: Store = Store.memory(),
        token: ByteString? = null,
    ) = Device.create(store, key, user, server, token)

    private fun used() = Store.memory().also { create("a", store = it).close() }

    private fun key(size: Int) = StoreKey(ByteArray(size))

    @TestFactory
    fun `at the begin`(): List<DynamicTest> =
        Misuse()
            .apply {
                row("Device.create", "a key of 31 bytes", Code.INVALID_ARGUMENT) { create("a", key = key(31)) }
                row("Device.create", "a key of 33 bytes", Code.INVALID_ARGUMENT) { create("a", key = key(33)) }
                row("Device.create", "no key", Code.INVALID_ARGUMENT) { create("a", key = key(0)) }
                row("Device.create", "a key that was wiped", Code.CLOSED) { create("a", key = key(32).apply { close() }) }
                row("Device.create", "an empty user", Code.INVALID_ARGUMENT) { create("") }
                row("Device.create", "a user of 65 bytes", Code.INVALID_ARGUMENT) { create(LONG) }
                row("Device.create", "a user of 22 characters of 3 bytes", Code.INVALID_ARGUMENT) { create("あ".repeat(22)) }
                row("Device.create", "a user that is half a surrogate", Code.INVALID_ARGUMENT) { create("\uD800") }
                row("Device.create", "an empty server", Code.INVALID_ARGUMENT) { create("a", "") }
                row("Device.create", "a server of 256 bytes", Code.INVALID_ARGUMENT) { create("a", "x".repeat(256)) }
                row("Device.create", "a token of 1,025 bytes", Code.INVALID_ARGUMENT) { create("a", token = bytes(1025)) }
                row("Device.create", "a store that has a device", Code.FOREIGN_STORE) { create("b", store = used()) }
                row("Device.create", "a store that has a link", Code.FOREIGN_STORE) {
                    val store = Store.memory()
                    Linking.begin(store, KEY, SERVER)
                    create("a", store = store)
                }
                row("Device.create", "a store that is closed", Code.CLOSED) { create("a", store = Store.memory().apply { close() }) }
                row("Device.open", "a store without a device", Code.FOREIGN_STORE) { Device.open(Store.memory(), KEY) }
                row("Device.open", "a key of 31 bytes", Code.INVALID_ARGUMENT) { Device.open(Store.memory(), key(31)) }
                row("Device.open", "another key", Code.WRONG_KEY) { Device.open(used(), key(32)) }
                row("Linking.resume", "a store without a link", Code.FOREIGN_STORE) { Linking.resume(Store.memory(), KEY) }
                row("Linking.resume", "a store with a device", Code.FOREIGN_STORE) { Linking.resume(used(), KEY) }
                row("Linking.begin", "a store that has a device", Code.FOREIGN_STORE) { Linking.begin(used(), KEY, SERVER) }
                row("Linking.begin", "an empty server", Code.INVALID_ARGUMENT) { Linking.begin(Store.memory(), KEY, "") }
                row("LocalRelay", "an empty server", Code.INVALID_ARGUMENT) { LocalRelay("") }
                row("Store.sqlite", "a folder that is not there", Code.STORE_PATH_MISSING) {
                    create("a", store = Store.sqlite("/no/such/a.db"))
                }
                row("Store.sqlite", "a path that is a folder", Code.STORE_PATH_NOT_A_FILE) { create("a", store = Store.sqlite("/tmp")) }
                row("Store.sqlite", "a file that is no database", Code.NOT_A_STORE) {
                    val file = File.createTempFile("sesame", ".db")
                    try {
                        file.writeText("no database")
                        create("a", store = Store.sqlite(file.path))
                    } finally {
                        file.delete()
                    }
                }
                row("AppStore", "a store that throws", Code.STORE_IO) {
                    val store = FailingStore().apply { faults["load"] = IllegalStateException() }
                    create("a", store = Store.app(store))
                }
                shows("AppStore", "a call into the library from within a store", "the code REENTRANT") {
                    val store = FailingStore()
                    val device = create("a", store = Store.app(store))
                    var code: Code? = null
                    store.onLoad = { code = (runCatching { device.inbox() }.exceptionOrNull() as? SesameException)?.code }
                    device.inbox()
                    code == Code.REENTRANT
                }
                shows("checkStore", "a store that keeps nothing", "the claim that does not hold") {
                    checkStore {
                        object : AppStore by MemoryStore() {
                            override fun commit(
                                expected: ByteString,
                                next: ByteString,
                                changes: List<StoreChange>,
                            ) = true
                        }
                    } != null
                }
            }.rows

    @TestFactory
    fun sends(): List<DynamicTest> =
        Misuse()
            .apply {
                val noSend = SendId(bytes(16))
                row("batchEncrypt", "nobody", Code.EMPTY_BATCH) { it.bob.device.batchEncrypt(listOf(), TEXT) }
                row("batchEncrypt", "257 users", Code.TOO_MANY) {
                    it.bob.device.batchEncrypt(List(Limits.MAX_DIRECT_USERS + 1) { n -> "u$n" }, TEXT)
                }
                row("batchEncrypt", "an empty user", Code.INVALID_ARGUMENT) { it.bob.device.batchEncrypt(listOf(""), TEXT) }
                row("batchEncrypt", "a user of 65 bytes", Code.INVALID_ARGUMENT) { it.bob.device.batchEncrypt(listOf(LONG), TEXT) }
                row("batchEncrypt", "a payload of 65,537 bytes", Code.PAYLOAD_TOO_LARGE) {
                    it.bob.device.batchEncrypt(ALICE, bytes(Limits.MAX_PAYLOAD + 1))
                }
                for (size in listOf(0, 15, 17)) {
                    row("batchEncrypt", "a content id of $size bytes", Code.INVALID_ARGUMENT) {
                        it.bob.device.batchEncrypt(ALICE, TEXT, ContentId(bytes(size)))
                    }
                }
                row("batchEncrypt", "the content id of another text", Code.CONTENT_ID_IN_USE) {
                    it.bob.device.batchEncrypt(ALICE, TEXT, ContentId(bytes(16)))
                    it.bob.device.batchEncrypt(ALICE, bytes(0), ContentId(bytes(16)))
                }
                row("batchEncrypt", "the content id of a text for others", Code.CONTENT_ID_IN_USE) {
                    it.bob.device.batchEncrypt(ALICE, TEXT, ContentId(bytes(16)))
                    it.bob.device.batchEncrypt(listOf("carol"), TEXT, ContentId(bytes(16)))
                }
                shows("batchEncrypt", "one user twice", "one outcome, and one message") {
                    val send = it.bob.encrypt(ALICE + ALICE, "once")
                    it.bob.exchange()
                    assertNotNull(it.bob.device.sendStatus(send.id)).users.size == 1 && it.alice.read() == listOf("once")
                }
                for ((mistake, user) in mapOf("a misspelled user" to "alicia", "another case" to "Alice", "a space too many" to "alice ")) {
                    shows("batchEncrypt", mistake, "the outcome FAILED, UNKNOWN_USER") {
                        it.bob.send(user, "x").run { outcome == Outcome.FAILED && code == Code.UNKNOWN_USER }
                    }
                }
                shows("batchEncrypt", "é in two code points for é in one", "the outcome FAILED, UNKNOWN_USER") {
                    it.join("\u00e9")
                    it.bob.send("e\u0301", "x").code == Code.UNKNOWN_USER
                }
                shows("batchEncrypt", "an empty payload", "an empty message") {
                    it.bob.send("alice", "")
                    it.alice.read() == listOf("")
                }
                shows("batchEncrypt", "only oneself", "a send that finishes") {
                    val send = it.bob.encrypt(BOB, "x")
                    it.bob.exchange()
                    assertNotNull(it.bob.device.sendStatus(send.id)).finished
                }
                shows("batchEncrypt", "no loop afterwards", "the outcome WAITING, and something due") {
                    val send = it.bob.encrypt(ALICE, "x")
                    it.bob.status(send).waitingFor == WaitingFor.SERVER && it.bob.device.dueIn() == Duration.ZERO
                }
                shows("batchEncrypt", "before the device was published", "the loop publishes it first, then sends") {
                    it.create("carol").send("alice", "x").outcome == Outcome.SENT
                }
                shows("session.encrypt", "a user whom nobody knows", "the outcome FAILED, UNKNOWN_USER") {
                    val send =
                        it.bob.device
                            .session("nobody", 1u)
                            .encrypt(TEXT)
                    it.bob.exchange()
                    it.bob.status(send).code == Code.UNKNOWN_USER
                }
                row("session", "an empty user", Code.INVALID_ARGUMENT) { it.bob.device.session("", 1u) }
                row("sendStatus", "an id of 15 bytes", Code.INVALID_ARGUMENT) { it.bob.device.sendStatus(SendId(bytes(15))) }
                shows("sendStatus", "a send that is not there", "null") { it.bob.device.sendStatus(noSend) == null }
                row("sendWith", "an id of 17 bytes", Code.INVALID_ARGUMENT) { it.bob.device.sendWith(ContentId(bytes(17))) }
                shows("sendWith", "a content id that is not there", "null") { it.bob.device.sendWith(ContentId(bytes(16))) == null }
                row("cancel", "a send that is not there", Code.UNKNOWN_SEND) { it.bob.device.cancel(noSend) }
                row("cancel", "a user whom it does not name", Code.UNKNOWN_USER) {
                    it.bob.device.cancel(it.bob.encrypt(ALICE, "x").id, listOf("carol"))
                }
                shows("cancel", "a send that was sent", "it stays sent") {
                    val send = it.bob.encrypt(ALICE, "x")
                    it.bob.exchange()
                    it.bob.device.cancel(send.id)
                    it.bob.status(send).outcome == Outcome.SENT
                }
                row("retry", "a send that is not there", Code.UNKNOWN_SEND) { it.bob.device.retry(noSend) }
                row("retry", "an id of 15 bytes", Code.INVALID_ARGUMENT) { it.bob.device.retry(SendId(bytes(15))) }
                shows("retry", "a send that was sent", "it is not sent twice") {
                    val send = it.bob.encrypt(ALICE, "x")
                    it.bob.exchange()
                    it.bob.device.retry(send.id)
                    it.bob.exchange()
                    it.alice.read() == listOf("x")
                }
                shows("batches", "a send that is not there", "no batch") {
                    it.bob.device
                        .batches(noSend)
                        .isEmpty()
                }
                row("batchEncrypt", "after `close`", Code.CLOSED) {
                    it.bob.device.close()
                    it.bob.encrypt(ALICE, "x")
                }
                row("batchEncrypt", "after `wipe`", Code.CLOSED) {
                    it.bob.device.wipe()
                    it.bob.encrypt(ALICE, "x")
                }
                shows("wipe and close", "twice", "nothing") {
                    repeat(2) { _ -> it.bob.device.wipe() }
                    repeat(2) { _ -> it.bob.device.close() }
                    true
                }
            }.rows
}
