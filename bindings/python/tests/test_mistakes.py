"""Ways to hold it wrongly: the call, the mistake, and what the user sees. None is silence, a crash or an endless loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sesame
from sesame import Code, Device, Group, LocalRelay, Session, Store, TestClock
from world import KEY, SERVER, Host, World


@dataclass
class Place:
    """Where the mistakes are made."""

    alice: Host
    bob: Host
    laptop: Host
    group: Group
    send: sesame.PendingSend
    tmp: str

    @property
    def device(self) -> Any:
        return self.alice.device

    @property
    def registry(self) -> Any:
        return self.alice.device.registry()

    @property
    def closed(self) -> Any:
        device = Device.create(user="jen", store_key=KEY, server=SERVER)
        device.close()
        return device


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    laptop = world.link("alice")
    alice.meet("bob")
    group, send = alice.device.create_group(["bob"], name="Trip")
    alice.act(send)
    return Place(alice, bob, laptop, group, alice.device.batch_encrypt(["bob"], b"once", content_id=bytes(16)), str(tmp_path_factory.mktemp("m")))


create: Any = Device.create
open_: Any = Device.open
relay: Any = LocalRelay
link: Any = Device.link

# The call and the mistake in words, the mistake, and what is raised: a class, or the name of the code.
MISTAKES: list[tuple[str, Callable[[Place], object], type[Exception] | Code]] = [
    ("create: no user", lambda p: create(store_key=KEY, server=SERVER), TypeError),
    ("create: no server", lambda p: create(user="a", store_key=KEY), TypeError),
    ("create: no key", lambda p: create(user="a", server=SERVER), TypeError),
    ("create: arguments without names", lambda p: create("a", KEY, SERVER), TypeError),
    ("create: an empty user", lambda p: create(user="", store_key=KEY, server=SERVER), Code.INVALID_ARGUMENT),
    ("create: a user of 65 bytes", lambda p: create(user="x" * 65, store_key=KEY, server=SERVER), Code.INVALID_ARGUMENT),
    ("create: a user in bytes", lambda p: create(user=b"a", store_key=KEY, server=SERVER), TypeError),
    ("create: a user that is a number", lambda p: create(user=1, store_key=KEY, server=SERVER), TypeError),
    ("create: a user with half a surrogate", lambda p: create(user="\ud800", store_key=KEY, server=SERVER), UnicodeEncodeError),
    ("create: a short key", lambda p: create(user="a", store_key=b"x" * 31, server=SERVER), Code.INVALID_ARGUMENT),
    ("create: a long key", lambda p: create(user="a", store_key=b"x" * 33, server=SERVER), Code.INVALID_ARGUMENT),
    ("create: a key as text", lambda p: create(user="a", store_key="x" * 32, server=SERVER), TypeError),
    ("create: a key in hexadecimal", lambda p: create(user="a", store_key=KEY.hex().encode(), server=SERVER), Code.INVALID_ARGUMENT),
    ("create: an empty server", lambda p: create(user="a", store_key=KEY, server=""), Code.INVALID_ARGUMENT),
    ("create: a server of 256 bytes", lambda p: create(user="a", store_key=KEY, server="x" * 256), Code.INVALID_ARGUMENT),
    ("create: a server in bytes", lambda p: create(user="a", store_key=KEY, server=b"s"), TypeError),
    ("create: a token as text", lambda p: create(user="a", store_key=KEY, server=SERVER, token="t"), TypeError),
    ("create: a token of 1,025 bytes", lambda p: create(user="a", store_key=KEY, server=SERVER, token=bytes(1025)), Code.INVALID_ARGUMENT),
    ("create: a clock that is a number", lambda p: create(user="a", store_key=KEY, server=SERVER, clock=5), TypeError),
    ("create: a clock that is a function", lambda p: create(user="a", store_key=KEY, server=SERVER, clock=timedelta), TypeError),
    ("create: a folder for a store", lambda p: create(user="a", store_key=KEY, server=SERVER, store=p.tmp), Code.STORE_PATH_NOT_A_FILE),
    ("create: a folder that is not there", lambda p: create(user="a", store_key=KEY, server=SERVER, store=p.tmp + "/no/a.db"), Code.STORE_PATH_MISSING),
    ("create: an empty path", lambda p: create(user="a", store_key=KEY, server=SERVER, store=""), Code.STORE_PATH_NOT_A_FILE),
    ("create: SQLite's name for memory", lambda p: create(user="a", store_key=KEY, server=SERVER, store=":memory:"), Code.STORE_PATH_NOT_A_FILE),
    ("create: a store that is a dictionary", lambda p: create(user="a", store_key=KEY, server=SERVER, store={}), TypeError),
    ("create: over another device", lambda p: twice(p), Code.FOREIGN_STORE),
    ("open: no store", lambda p: open_(store_key=KEY), TypeError),
    ("open: an empty store", lambda p: open_(store=Store.memory(), store_key=KEY), Code.FOREIGN_STORE),
    ("open: another key", lambda p: other_key(p), Code.WRONG_KEY),
    ("open: a file that is no store", lambda p: junk(p), Code.NOT_A_STORE),
    ("a closed device: batch_encrypt", lambda p: p.closed.batch_encrypt(["bob"], b"x"), Code.CLOSED),
    ("a closed device: next_request", lambda p: p.closed.next_request(), Code.CLOSED),
    ("a closed device: inbox", lambda p: p.closed.inbox(), Code.CLOSED),
    ("a closed device: exchange", lambda p: p.closed.exchange(p.alice.relay.perform), Code.CLOSED),
    ("a closed device: health", lambda p: p.closed.health(), Code.CLOSED),
    ("batch_encrypt: nobody", lambda p: p.device.batch_encrypt([], b"x"), Code.EMPTY_BATCH),
    ("batch_encrypt: a name for a list", lambda p: p.device.batch_encrypt("bob", b"x"), TypeError),
    ("batch_encrypt: bytes for a list", lambda p: p.device.batch_encrypt(b"bob", b"x"), TypeError),
    ("batch_encrypt: None for a list", lambda p: p.device.batch_encrypt(None, b"x"), TypeError),
    ("batch_encrypt: a list of bytes", lambda p: p.device.batch_encrypt([b"bob"], b"x"), TypeError),
    ("batch_encrypt: an empty name", lambda p: p.device.batch_encrypt([""], b"x"), Code.INVALID_ARGUMENT),
    ("batch_encrypt: a name of 65 bytes", lambda p: p.device.batch_encrypt(["x" * 65], b"x"), Code.INVALID_ARGUMENT),
    ("batch_encrypt: 257 users", lambda p: p.device.batch_encrypt([str(n) for n in range(257)], b"x"), Code.TOO_MANY),
    ("batch_encrypt: text", lambda p: p.device.batch_encrypt(["bob"], "hello"), TypeError),
    ("batch_encrypt: None", lambda p: p.device.batch_encrypt(["bob"], None), TypeError),
    ("batch_encrypt: a number", lambda p: p.device.batch_encrypt(["bob"], 5), TypeError),
    ("batch_encrypt: a list of numbers", lambda p: p.device.batch_encrypt(["bob"], [1, 2]), TypeError),
    ("batch_encrypt: 65,537 bytes", lambda p: p.device.batch_encrypt(["bob"], bytes(sesame.MAX_PAYLOAD + 1)), Code.PAYLOAD_TOO_LARGE),
    ("batch_encrypt: a content id of 15 bytes", lambda p: p.device.batch_encrypt(["bob"], b"x", content_id=bytes(15)), Code.INVALID_ARGUMENT),
    ("batch_encrypt: a content id as text", lambda p: p.device.batch_encrypt(["bob"], b"x", content_id="x" * 16), TypeError),
    ("batch_encrypt: a content id of another message", lambda p: p.device.batch_encrypt(["bob"], b"other", content_id=bytes(16)), Code.CONTENT_ID_IN_USE),
    ("batch_encrypt: a content id for other users", lambda p: p.device.batch_encrypt(["jen"], b"once", content_id=bytes(16)), Code.CONTENT_ID_IN_USE),
    ("respond: an id of 15 bytes", lambda p: p.device.respond(bytes(15), 200), Code.INVALID_ARGUMENT),
    ("respond: an id that is text", lambda p: p.device.respond("id", 200), TypeError),
    ("respond: a request for an id", lambda p: p.device.respond(p.send, 200), TypeError),
    ("respond: a status as text", lambda p: p.device.respond(bytes(16), "200"), TypeError),
    ("respond: a status below 0", lambda p: p.device.respond(bytes(16), -1), ValueError),
    ("respond: a status beyond all", lambda p: p.device.respond(bytes(16), 70_000), ValueError),
    ("respond: a body as text", lambda p: p.device.respond(bytes(16), 200, "body"), TypeError),
    ("respond: another device's request", lambda p: foreign(p), Code.FOREIGN_REQUEST),
    ("release: an id of 15 bytes", lambda p: p.device.release(bytes(15)), Code.INVALID_ARGUMENT),
    ("release: another device's request", lambda p: foreign_release(p), Code.FOREIGN_REQUEST),
    ("delete_account: and a send afterwards", lambda p: late(p), Code.DEVICE_REMOVED),
    ("request_mail: a limit below 0", lambda p: p.device.request_mail(-1), ValueError),
    ("request_mail: a limit as text", lambda p: p.device.request_mail("all"), TypeError),
    ("exchange: no transport", lambda p: p.device.exchange(), TypeError),
    ("send_status: an id of 15 bytes", lambda p: p.device.send_status(bytes(15)), Code.INVALID_ARGUMENT),
    ("send_status: a send for its id", lambda p: p.device.send_status(p.send), TypeError),
    ("cancel: an unknown send", lambda p: p.device.cancel(b"x" * 16), Code.UNKNOWN_SEND),
    ("cancel: a name for a list", lambda p: p.device.cancel(p.send.id, "bob"), TypeError),
    ("retry: an unknown send", lambda p: p.device.retry(b"x" * 16), Code.UNKNOWN_SEND),
    ("batch_decrypt: one envelope for a list", lambda p: p.device.batch_decrypt(b"x"), TypeError),
    ("batch_decrypt: text", lambda p: p.device.batch_decrypt(["x"]), TypeError),
    ("batch_decrypt: 4,097 envelopes", lambda p: p.device.batch_decrypt([b""] * 4097), Code.TOO_MANY),
    ("inbox: a number below 0", lambda p: p.device.inbox(after=-1), ValueError),
    ("inbox: arguments without names", lambda p: p.device.inbox(5), TypeError),
    ("ack: one id for a list", lambda p: p.device.ack(1), TypeError),
    ("ack: items for ids", lambda p: p.device.ack([p.send]), TypeError),
    ("ack: text", lambda p: p.device.ack("1"), TypeError),
    ("ack: a number below 0", lambda p: p.device.ack([-1]), ValueError),
    ("set_push: text", lambda p: p.device.set_push("token"), TypeError),
    ("set_push: 513 bytes", lambda p: p.device.set_push(bytes(513)), Code.INVALID_ARGUMENT),
    ("set_memory_limit: a limit below 0", lambda p: p.device.set_memory_limit(-1), ValueError),
    ("set_memory_limit: a limit beyond 64 bits", lambda p: p.device.set_memory_limit(2**64), ValueError),
    ("set_memory_limit: a limit as text", lambda p: p.device.set_memory_limit("8 MiB"), TypeError),
    ("group: an id of 31 bytes", lambda p: p.device.group(bytes(31)), Code.INVALID_ARGUMENT),
    ("group: an unknown id", lambda p: p.device.group(bytes(32)), Code.UNKNOWN_GROUP),
    ("create_group: a name for a list", lambda p: p.device.create_group("bob"), TypeError),
    ("create_group: a stranger", lambda p: p.device.create_group(["stranger"]), Code.UNKNOWN_USER),
    ("create_group: a name with a turn of direction", lambda p: p.device.create_group(["bob"], name="a\u202eb"), Code.INVALID_ARGUMENT),
    ("create_group: a name of 257 bytes", lambda p: p.device.create_group(["bob"], name="x" * 257), Code.INVALID_ARGUMENT),
    ("group.add: nobody", lambda p: p.group.add([]), Code.EMPTY_BATCH),
    ("group.add: a member", lambda p: p.group.add(["bob"]), Code.ALREADY_MEMBER),
    ("group.add: a stranger", lambda p: p.group.add(["stranger"]), Code.UNKNOWN_USER),
    ("group.rename: bytes", lambda p: any_of(p.group).rename(b"x"), TypeError),
    ("group.update_info: nothing", lambda p: p.group.update_info(sesame.GroupChange()), Code.INVALID_ARGUMENT),
    ("group.accept: no invitation", lambda p: p.group.accept(), Code.NOT_INVITED),
    ("group.decline: no invitation", lambda p: p.group.decline(), Code.NOT_INVITED),
    ("group.fork_without: a stranger", lambda p: p.group.fork_without(["stranger"]), Code.INVALID_ARGUMENT),
    ("group.send: 65,537 bytes", lambda p: p.group.send(bytes(sesame.MAX_PAYLOAD + 1)), Code.PAYLOAD_TOO_LARGE),
    ("link_device: no code", lambda p: p.device.link_device("hello"), Code.LINK_MALFORMED),
    ("link_device: bytes", lambda p: p.device.link_device(b"SESAME"), TypeError),
    ("link_device: on a device that is no primary", lambda p: p.laptop.device.link_device(link(store_key=KEY, server=SERVER).code), Code.NOT_PRIMARY),
    ("link: no server", lambda p: link(store_key=KEY), TypeError),
    ("linking.respond: an id that nobody gave", lambda p: link(store_key=KEY, server=SERVER).respond(bytes(16), 200), Code.FOREIGN_REQUEST),
    ("linking.release: an id that nobody gave", lambda p: link(store_key=KEY, server=SERVER).release(bytes(16)), Code.FOREIGN_REQUEST),
    ("linking.confirm: no digits yet", lambda p: link(store_key=KEY, server=SERVER).confirm(), Code.INVALID_ARGUMENT),
    ("hand_over: to itself", lambda p: p.device.hand_over(1), Code.INVALID_ARGUMENT),
    ("hand_over: an unknown one", lambda p: p.device.hand_over(9), Code.UNKNOWN_DEVICE),
    ("hand_over: on a device that is no primary", lambda p: p.laptop.device.hand_over(1), Code.NOT_PRIMARY),
    ("confirm_handover: one that nobody offered", lambda p: p.device.confirm_handover(bytes(16)), Code.HANDOVER_ENDED),
    ("confirm_handover: text", lambda p: p.device.confirm_handover("0123456789abcdef"), TypeError),
    ("cancel_handover: too short", lambda p: p.device.cancel_handover(bytes(15)), Code.INVALID_ARGUMENT),
    ("remove_device: an unknown one", lambda p: p.device.remove_device(9), Code.UNKNOWN_DEVICE),
    ("remove_device: on a device that is no primary", lambda p: p.laptop.device.remove_device(1), Code.NOT_PRIMARY),
    ("remove_device: text", lambda p: p.device.remove_device("2"), TypeError),
    ("registry.devices: a stranger", lambda p: p.registry.devices("stranger"), Code.UNKNOWN_USER),
    ("registry.devices: a list", lambda p: p.registry.devices(["bob"]), TypeError),
    ("registry.look_up: a name for a list", lambda p: p.registry.look_up("bob"), TypeError),
    ("registry.look_up: 101 users", lambda p: p.registry.look_up([str(n) for n in range(101)]), Code.TOO_MANY),
    ("registry.accept_identity: a short key", lambda p: p.registry.accept_identity("bob", bytes(31)), Code.INVALID_ARGUMENT),
    ("registry.mark_verified: a stranger", lambda p: p.registry.mark_verified("stranger"), Code.UNKNOWN_USER),
    ("registry.safety_number: a stranger", lambda p: p.registry.safety_number("stranger"), Code.UNKNOWN_USER),
    ("registry.compare_safety_code: no code", lambda p: p.registry.compare_safety_code("bob", "hello"), Code.INVALID_ARGUMENT),
    ("registry.forget: oneself", lambda p: p.registry.forget("alice"), Code.INVALID_ARGUMENT),
    ("session: a device below 0", lambda p: p.device.session("bob", -1), ValueError),
    ("session: made by hand", lambda p: any_of(Session)(), TypeError),
    ("LocalRelay: no name", lambda p: relay(), TypeError),
    ("LocalRelay: an empty name", lambda p: relay(""), Code.INVALID_ARGUMENT),
    ("LocalRelay.perform: a send for a request", lambda p: any_of(p.alice.relay).perform(p.send), AttributeError),
    ("TestClock.advance: a number", lambda p: any_of(TestClock()).advance(5), TypeError),
]


def any_of(thing: object) -> Any:
    return thing


def twice(place: Place) -> None:
    store = Store.memory()
    for user in ("jen", "dan"):
        Device.create(user=user, store_key=KEY, server=SERVER, store=store)


def other_key(place: Place) -> None:
    store = Store.memory()
    Device.create(user="jen", store_key=KEY, server=SERVER, store=store)
    Device.open(store=store, store_key=bytes(32))


def junk(place: Place) -> None:
    path = place.tmp + "/junk.db"
    with open(path, "wb") as file:
        file.write(b"x" * 4096)
    Device.open(store=path, store_key=KEY)


def late(place: Place) -> None:
    device = Device.create(user="jen", store_key=KEY, server=SERVER)
    device.exchange(LocalRelay(SERVER).perform)
    device.delete_account()
    device.batch_encrypt(["bob"], b"late")


def foreign(place: Place) -> None:
    place.bob.device.request_mail()
    request = place.bob.device.next_request()
    assert request is not None
    try:
        place.alice.device.respond(request.id, 200)
    finally:
        place.bob.device.release(request.id)


def foreign_release(place: Place) -> None:
    place.bob.device.request_mail()
    request = place.bob.device.next_request()
    assert request is not None
    try:
        place.alice.device.release(request.id)
    finally:
        place.bob.device.release(request.id)


def test_there_are_a_hundred() -> None:
    assert len(MISTAKES) >= 100 and len({name for name, _, _ in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(("mistake", "seen"), [(call, seen) for _, call, seen in MISTAKES], ids=[name for name, _, _ in MISTAKES])
def test_a_mistake_is_told(place: Place, mistake: Callable[[Place], object], seen: type[Exception] | Code) -> None:
    before = place.device.sends()
    with pytest.raises(sesame.SesameError if isinstance(seen, Code) else seen) as caught:
        mistake(place)
    if isinstance(seen, Code):
        assert isinstance(caught.value, sesame.SesameError) and caught.value.code is seen
        assert isinstance(caught.value, sesame.AppError | sesame.StoreError), "it is the app's to mend"
    assert place.device.sends() == before, "nothing has changed"
