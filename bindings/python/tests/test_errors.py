"""Exceptions carry their fields, handles close, and nothing prints what is secret."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sesame
from sesame import Code, Device, LocalRelay
from world import KEY, SERVER, World


def test_an_error_says_who_is_to_blame_and_where() -> None:
    device = Device.create(user="alice", store_key=KEY, server=SERVER)
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
        Device.create(user=user, store_key=KEY, server=SERVER)
    assert (caught.value.code, caught.value.field) == (101, "user")


@pytest.mark.parametrize("key", [b"", b"x" * 31, b"x" * 33])
def test_a_store_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(sesame.AppError) as caught:
        Device.create(user="alice", store_key=key, server=SERVER)
    assert (caught.value.code, caught.value.field) == (101, "store_key")


def test_a_payload_that_no_step_holds_is_refused_and_nothing_is_sent() -> None:
    device = Device.create(user="alice", store_key=KEY, server=SERVER)
    with pytest.raises(sesame.AppError) as caught:
        device.batch_encrypt(["bob"], bytes(sesame.MAX_PAYLOAD + 1))
    assert (caught.value.code, caught.value.field) == (sesame.Code.PAYLOAD_TOO_LARGE, "payload")
    assert device.sends() == []


def test_the_wrong_key_a_foreign_file_and_a_second_device_are_told_apart(tmp_path: Path) -> None:
    Device.create(user="alice", store_key=KEY, server=SERVER, store=tmp_path / "a.db").close()
    with pytest.raises(sesame.StoreError) as caught:
        Device.open(store=tmp_path / "a.db", store_key=bytes(32))
    assert caught.value.code == 405
    with pytest.raises(sesame.StoreError) as caught:
        Device.create(user="bob", store_key=KEY, server=SERVER, store=tmp_path / "a.db")
    assert caught.value.code == 410
    with pytest.raises(sesame.StoreError) as caught:
        Device.open(store=tmp_path / "empty.db", store_key=KEY)
    assert caught.value.code == 410


def test_with_closes_the_device() -> None:
    with Device.create(user="alice", store_key=KEY, server=SERVER) as device:
        assert (device.user, device.id) == ("alice", 1)
    with pytest.raises(sesame.AppError) as caught:
        device.sends()
    assert caught.value.code == 106


def test_each_cause_of_a_refused_link_has_a_code_of_its_own() -> None:
    clock = sesame.TestClock()
    world = World(clock=clock)
    alice = world.create("alice")

    def linking() -> sesame.Linking:
        return Device.link(store_key=KEY, server=SERVER, clock=clock)

    def refused(call: Callable[[], object]) -> sesame.AppError:
        with pytest.raises(sesame.AppError) as caught:
            call()
        return caught.value

    first = linking()
    assert first.code.startswith("SESAME1")
    assert refused(lambda: alice.device.link_device("no code")).code is Code.LINK_MALFORMED
    assert refused(lambda: alice.device.link_device(first.code[:-1])).code is Code.LINK_MALFORMED
    assert refused(first.confirm).field == "hello", "there are no digits yet"
    pending = alice.device.link_device(first.code)
    pending.cancel()
    assert refused(lambda: alice.device.link_device(first.code)).code is Code.LINK_USED
    second = linking()
    clock.advance(timedelta(minutes=11))
    assert refused(lambda: alice.device.link_device(second.code)).code is Code.LINK_EXPIRED
    slow = Device.link(store_key=KEY, server=SERVER, clock=sesame.TestClock(clock.now() - 3_600_000_000))
    error = refused(lambda: alice.device.link_device(slow.code))
    assert error.code is Code.LINK_CLOCK
    linked = world.link("alice")
    assert linked.id == 2 and alice.device.is_primary and not linked.device.is_primary
    assert refused(lambda: linked.device.link_device(linking().code)).code is Code.NOT_PRIMARY


def test_a_link_survives_a_restart_on_both_sides(tmp_path: Path) -> None:
    world = World(tmp_path)
    alice = world.create("alice")
    code = Device.link(store_key=KEY, server=SERVER, store=tmp_path / "new.db").code
    pending = alice.device.link_device(code)
    alice.exchange()
    resumed = sesame.Linking.resume(store=tmp_path / "new.db", store_key=KEY)
    assert resumed.code == code
    resumed.exchange(world.relay.perform)
    assert resumed.digits == pending.digits and len(pending.digits) == 15
    resumed.confirm()
    assert pending.confirm() == 2
    alice.device.close()
    alice.device = Device.open(store=tmp_path / "1.db", store_key=KEY)
    alice.exchange()
    resumed = sesame.Linking.resume(store=tmp_path / "new.db", store_key=KEY)
    resumed.exchange(world.relay.perform)
    device = resumed.device()
    assert device is not None
    device.close()
    assert Device.open(store=tmp_path / "new.db", store_key=KEY).id == 2


def test_the_relay_refuses_what_is_not_signed_by_the_device() -> None:
    relay = LocalRelay(SERVER)
    device = Device.create(user="alice", store_key=KEY, server="another.example")
    assert [answer.problem for answer in device.exchange(relay.perform)][-1] is Code.SERVER_UNAUTHORIZED
    assert relay.device_list("alice") is None and not device.health().registered


def test_a_message_does_not_print_its_payload() -> None:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"a secret")
    assert "secret" not in repr(alice.fetch()) and "8 bytes" in repr(alice.items)


def test_threads_may_share_a_device() -> None:
    world = World()
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"hello")
    sends: list[sesame.PendingSend] = []

    def write(name: int) -> None:
        for number in range(10):
            sends.append(bob.device.batch_encrypt(["alice"], b"%d/%d" % (name, number)))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bob.exchange()
    assert [status.finished for status in bob.device.sends()] == [True] * len(sends)
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
