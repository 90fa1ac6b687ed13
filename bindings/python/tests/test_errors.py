"""Exceptions carry their fields, handles close, and nothing prints what is secret."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sesame
from sesame import Device, LocalRelay
from world import KEY, World


def test_an_error_says_who_is_to_blame_and_where() -> None:
    device = Device.create(user="alice", store_key=KEY)
    with pytest.raises(sesame.AppError) as caught:
        device.batch_encrypt([], b"")
    error = caught.value
    assert (error.code, error.field, error.item) == (sesame.Code.EMPTY_BATCH, "recipients", None)
    assert error.code == 102
    assert str(error) == "EMPTY_BATCH (102): the batch is empty (recipients)"
    assert isinstance(error, sesame.SesameError) and error.__cause__ is None


@pytest.mark.parametrize("user", ["", "x" * 65])
def test_a_user_id_has_1_to_64_bytes(user: str) -> None:
    with pytest.raises(sesame.AppError) as caught:
        Device.create(user=user, store_key=KEY)
    assert (caught.value.code, caught.value.field) == (101, "user")


@pytest.mark.parametrize("key", [b"", b"x" * 31, b"x" * 33])
def test_a_store_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(sesame.AppError) as caught:
        Device.create(user="alice", store_key=key)
    assert (caught.value.code, caught.value.field) == (101, "store_key")


def test_a_payload_that_no_step_holds_is_refused_and_nothing_is_sent() -> None:
    device = Device.create(user="alice", store_key=KEY)
    with pytest.raises(sesame.AppError) as caught:
        device.batch_encrypt(["bob"], bytes(98_304))
    assert (caught.value.code, caught.value.field) == (sesame.Code.PAYLOAD_TOO_LARGE, "payload")
    assert device.outbox() == []


def test_the_wrong_key_a_foreign_file_and_a_second_device_are_told_apart(tmp_path: Path) -> None:
    Device.create(user="alice", store_key=KEY, store=tmp_path / "a.db").close()
    with pytest.raises(sesame.StoreError) as caught:
        Device.open(store=tmp_path / "a.db", store_key=bytes(32))
    assert caught.value.code == 405
    with pytest.raises(sesame.StoreError) as caught:
        Device.create(user="bob", store_key=KEY, store=tmp_path / "a.db")
    assert caught.value.code == 410
    with pytest.raises(sesame.StoreError) as caught:
        Device.open(store=tmp_path / "empty.db", store_key=KEY)
    assert caught.value.code == 410


def test_with_closes_the_device() -> None:
    with Device.create(user="alice", store_key=KEY) as device:
        assert (device.user, device.id) == ("alice", 1)
    with pytest.raises(sesame.AppError) as caught:
        device.outbox()
    assert caught.value.code == 106


def test_a_linking_code_is_good_once_and_for_its_own_device() -> None:
    world = World()
    alice = world.create("alice")
    first, second = Device.link(store_key=KEY), Device.link(store_key=KEY)
    assert first.code.startswith("SESAME1")
    answer = alice.device.confirm_link(first.code)
    with pytest.raises(sesame.PeerError) as wrong:
        second.complete(answer)
    assert wrong.value.code == 209
    assert second.complete(alice.device.confirm_link(second.code)).id == 3, "the right answer may still come"
    assert first.complete(answer).id == 2
    with pytest.raises(sesame.AppError) as closed:
        first.complete(answer)
    assert closed.value.code == 106
    with pytest.raises(sesame.AppError) as again:
        alice.device.confirm_link(first.code)
    assert (again.value.code, again.value.field) == (101, "code")
    linked = world.link("alice")
    with pytest.raises(sesame.AppError) as not_primary:
        linked.device.confirm_link(Device.link(store_key=KEY).code)
    assert not_primary.value.code == 111


def test_a_link_survives_a_restart(tmp_path: Path) -> None:
    alice = World().create("alice")
    code = Device.link(store_key=KEY, store=tmp_path / "new.db").code
    resumed = sesame.Linking.resume(store=tmp_path / "new.db", store_key=KEY)
    assert resumed.code == code
    resumed.complete(alice.device.confirm_link(code)).close()
    assert Device.open(store=tmp_path / "new.db", store_key=KEY).id == 2


def test_the_relay_refuses_an_upload_that_is_not_the_callers() -> None:
    relay = LocalRelay()
    upload = Device.create(user="alice", store_key=KEY).publication()
    assert upload
    with pytest.raises(sesame.PeerError) as caught:
        relay.publish("mallory", 1, upload.bytes)
    assert (caught.value.code, caught.value.field) == (221, "publication")
    assert relay.device_list("alice") is None


def test_a_message_does_not_print_its_payload() -> None:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"a secret")
    assert "secret" not in repr(alice.fetch()) and "8 bytes" in repr(alice.results)


def test_threads_may_share_a_device() -> None:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"hello")
    sends: list[bytes] = []

    def write(name: int) -> None:
        for number in range(10):
            sends.append(bob.encrypt(["alice"], b"%d/%d" % (name, number)))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for send in sends:
        assert bob.settle(send) is None
    alice.fetch()
    assert alice.read.total() == 41 and set(alice.read.values()) == {1}


def test_everything_public_has_a_docstring() -> None:
    for name in sesame.__all__:
        thing = getattr(sesame, name)
        if isinstance(thing, type):
            assert thing.__doc__, name
            for member, value in vars(thing).items():
                if not member.startswith("_") and callable(value):
                    assert value.__doc__, f"{name}.{member}"
    assert "every device of every recipient" in (Device.batch_encrypt.__doc__ or "")
