"""Handles are neither copied nor pickled, close their files, and print short; calls refuse what only looks like their arguments."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import sesame
from sesame import AppError, Device, LocalRelay, Store, StoreError, TestClock
from sesame._native import sesame_ffi
from world import KEY, SERVER, World


def handles() -> list[object]:
    """One handle of each kind, and what UniFFI has generated for it."""
    world = World()
    alice, _ = world.create("alice"), world.create("bob")
    alice.meet("bob")
    device = alice.device
    group, _ = device.create_group(["bob"])
    linking = Device.link(store_key=KEY, server=SERVER)
    pending = device.link_device(linking.code)
    ours = [device, device.registry(), device.session("bob", 1), group, linking, pending, world.relay, Store.memory(), TestClock()]
    native: list[object] = [vars(handle)["_native"] for handle in ours]
    return [*ours, *native, *(vars(each)["_handle"] for each in native)]


COPIES: list[Callable[[object], object]] = [copy.copy, copy.deepcopy, pickle.dumps, lambda handle: asdict(Holder(handle))]


@dataclass
class Holder:
    handle: object


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "pickle", "asdict"])
def test_no_handle_is_copied(copied: Callable[[object], object]) -> None:
    for handle in handles():
        with pytest.raises(TypeError, match="cannot be copied or pickled: share the object itself between threads"):
            copied(handle)


def test_no_handle_goes_to_a_process_that_is_spawned() -> None:
    device = Device.create(user="alice", store_key=KEY, server=SERVER)
    process = multiprocessing.get_context("spawn").Process(target=print, args=(device,))
    with pytest.raises(TypeError, match="open the store again in another process"):
        process.start()
    assert device.inbox() == []


def test_every_class_that_holds_a_handle_was_tried() -> None:
    tried = {type(handle).__name__ for handle in handles()}
    generated = {name for name, thing in vars(sesame_ffi).items() if isinstance(thing, type) and "_uniffi_clone_handle" in vars(thing)}
    assert generated - tried == {"AppStoreImpl", "StoreFactoryImpl", "NewGroup"}, "the first two are the library's own stores, which it gives nobody"
    for name in generated - tried:
        assert "__reduce_ex__" in vars(vars(sesame_ffi)[name])


def test_values_are_copied_and_pickled() -> None:
    address = sesame.Address(user="bob", device=1)
    assert copy.deepcopy(address) == address == pickle.loads(pickle.dumps(address)) and asdict(address) == {"user": "bob", "device": 1}


def test_a_single_user_is_no_list_of_users() -> None:
    device = Device.create(user="alice", store_key=KEY, server=SERVER)
    # mypy refuses each of these as well: without an error to ignore, `--strict` reports the comment.
    with pytest.raises(TypeError, match=r"batch_encrypt takes user ids in a list: \['bob'\], not 'bob'"):
        device.batch_encrypt("bob", b"hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="create_group takes user ids in a list"):
        device.create_group("bob")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="in a list, not bytes"):
        device.batch_encrypt(b"bob", b"hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a user id is a str, not int"):
        device.batch_encrypt([1], b"hello")  # type: ignore[list-item]
    with pytest.raises(TypeError, match="a user id is a str, not bytes"):
        Device.create(user=b"alice", store_key=KEY, server=SERVER)  # type: ignore[arg-type]
    assert device.sends() == []
    for users in (["bob"], ("bob",), {"bob"}, frozenset(["bob"]), {"bob": 1}, {"bob": 1}.keys()):
        device.batch_encrypt(users, b"hello")
    assert len(device.sends()) == 6


@pytest.mark.parametrize("made", [bytes, bytearray, memoryview], ids=["bytes", "bytearray", "memoryview"])
def test_bytes_come_in_any_form(made: Callable[[bytes], bytes | bytearray | memoryview]) -> None:
    world = World()
    alice = Device.create(user="alice", store_key=made(KEY), server=SERVER, token=made(b"a token"))
    bob = world.create("bob")
    while request := alice.next_request():
        status, body = world.relay.handle(request.path, request.headers[1].value, made(request.body))
        alice.respond(made(request.id), status, made(body))
    send = bob.device.batch_encrypt(["alice"], made(b"hello"), content_id=made(b"sixteen bytes id"))
    bob.act(send)
    (result,) = alice.batch_decrypt([made(envelope) for envelope in world.relay.mailbox("alice", 1)])
    items = {item.id: item for item in alice.inbox()}
    assert [item.payload for item in map(items.get, result.items) if isinstance(item, sesame.Message)] == [b"hello"]


def test_every_byte_of_a_view_counts_and_text_is_no_payload() -> None:
    device = Device.create(user="alice", store_key=memoryview(array("I", range(8))), server=SERVER)
    assert device.user == "alice", "8 numbers of 4 bytes are a key of 32"
    with pytest.raises(TypeError, match=r"payload takes bytes, not str: text becomes bytes by .encode\(\)"):
        device.batch_encrypt(["bob"], "hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="payload takes bytes, not int"):
        device.batch_encrypt(["bob"], 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="envelopes in a list, not one bytes"):
        device.batch_decrypt(b"an envelope")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="an envelope takes bytes, not str"):
        device.batch_decrypt(["an envelope"])  # type: ignore[list-item]
    assert device.sends() == []


def test_an_empty_mailbox_is_no_error() -> None:
    assert Device.create(user="alice", store_key=KEY, server=SERVER).batch_decrypt([]) == []


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_store_in_memory_is_asked_for_by_its_name(name: str) -> None:
    with pytest.raises(StoreError, match=r"Store.memory\(\)") as caught:
        Device.create(user="alice", store_key=KEY, server=SERVER, store=name)
    assert (caught.value.code, caught.value.field) == (414, "store")


def test_an_argument_that_there_is_not_is_an_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        Device.create(user="alice", store_key=KEY, server=SERVER, path="alice.db")  # type: ignore[call-arg]


def open_files(folder: Path) -> list[str]:
    entries = [f"/proc/self/fd/{entry}" for entry in os.listdir("/proc/self/fd")]
    return [os.readlink(entry) for entry in entries if os.path.lexists(entry) and os.readlink(entry).startswith(str(folder))]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it reads /proc")
def test_close_closes_the_files_and_twice_is_harmless(tmp_path: Path) -> None:
    with Device.create(user="alice", store_key=KEY, server=SERVER, store=tmp_path / "a.db") as device:
        registry = device.registry()
        assert open_files(tmp_path)
    assert open_files(tmp_path) == [], "whatever other handles there are"
    device.close()
    assert (device.user, device.id, repr(device)) == ("alice", 1, "Device(user='alice', id=1)")
    with pytest.raises(AppError) as caught:
        registry.users()
    assert caught.value.code == 106
    with Device.open(store=tmp_path / "a.db", store_key=KEY) as again:
        again.close()


def test_nothing_prints_keys_or_payloads_or_is_long() -> None:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    alice.meet("bob")
    device = alice.device
    group, send = device.create_group(["bob"], name="Trip")
    request = Device.create(user="jen", store_key=KEY, server=SERVER).next_request()
    assert request is not None
    assert repr(device) == "Device(user='alice', id=1)"
    assert repr(device.registry()) == "DeviceRegistry(of='alice')"
    assert repr(device.session("bob", 1)) == "Session(user='bob', device=1)"
    assert repr(group) == f"Group(id=…{group.id.hex()[-8:]})"
    assert repr(LocalRelay(SERVER)) == "LocalRelay('relay.example')" and repr(Store.memory()) == "Store.memory()"
    linking = Device.link(store_key=KEY, server=SERVER)
    assert repr(linking) == "Linking()" and linking.code not in repr(linking)
    assert f"body=<{len(request.body)} bytes>" in repr(request) and repr(world.relay.perform(request)).startswith("ServerAnswer(status=")
    alice.act(send)
    bob.fetch()
    bob.send(["alice"], b"a secret payload")
    mails = world.relay.mailbox("alice", 1)
    shown = [repr(each) for each in (*device.batch_decrypt(mails), *device.inbox(), *device.registry().users(), device.health())]
    assert "payload=<16 bytes>" in "".join(shown) and "account_key=<32 bytes>" in "".join(shown)
    send = device.batch_encrypt([f"user {number}" for number in range(200)], bytes(60_000))
    assert "… 200 in all" in repr(device.send_status(send.id))
    assert max(map(len, [*shown, repr(send), repr(device.send_status(send.id))])) < 2_000
