"""The main job through the bindings: many devices, any order, losses, restarts."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import pytest
import sesame
from sesame import Device, DeviceState, MailOutcome, Outcome, RequestKind, WaitingFor
from world import KEY, Host, World


def pair() -> tuple[World, Host, Host]:
    world = World()
    return world, world.create("alice"), world.create("bob")


def failures(items: list[sesame.InboxItem]) -> list[sesame.InboxItem]:
    return [item for item in items if isinstance(item, sesame.NotOpened | sesame.Gap)]


def test_a_thousand_messages_among_three_users_whose_devices_come_and_go() -> None:
    chance = random.Random(1)
    world, users = World(), ["alice", "bob", "carol"]
    for user in users:
        world.create(user)
        world.link(user)
    entitled: dict[tuple[str, int], Counter[bytes]] = {}
    gone: list[Host] = []
    for number in range(1_000):
        if chance.random() < 0.03:
            user = chance.choice(users)
            devices = [host.id for host in world.of(user)]
            if len(devices) < 5 and (len(devices) == 1 or chance.random() < 0.6):
                world.link(user)
            elif len(devices) > 1:
                # A transcript of a removed device is refused, so the others fetch before it goes.
                for host in world.of(user):
                    host.fetch(chance)
                gone.append(world.remove(user, chance.choice([device for device in devices if device != 1])))
        sender = chance.choice(list(world.hosts.values()))
        others = [user for user in users if user != sender.user]
        to = chance.choice([[others[0]], [others[1]], others])
        payload = f"{number}".encode()
        sender.send(to, payload)
        for host in world.hosts.values():
            if host is not sender and (host.user in to or host.user == sender.user):
                entitled.setdefault(host.name, Counter())[payload] += 1
        if chance.random() < 0.3:
            chance.choice(list(world.hosts.values())).fetch(chance)
    for host in world.hosts.values():
        host.fetch(chance)
    assert any(isinstance(item, sesame.Message) and item.from_removed_device for host in world.hosts.values() for item in host.items)
    for host in world.hosts.values():
        assert host.read == entitled.get(host.name, Counter()), host.name
        assert failures(host.items) == []
    # What a removed device reads at most is what was sent while it was listed.
    for host in gone:
        host.device.request_mail()
        host.device.exchange(world.relay.perform)
        host.take()
        assert any(isinstance(item, sesame.RemovedFromAccount) for item in host.items)
        assert host.read <= entitled.get(host.name, Counter()), host.name


def test_first_contact_asks_for_a_list_and_bundles_and_no_more() -> None:
    world, alice, bob = pair()
    send = bob.device.batch_encrypt(["alice"], b"hello")
    kinds: list[RequestKind] = []

    def perform(request: sesame.ServerRequest) -> sesame.ServerAnswer:
        kinds.append(request.kind)
        return world.relay.perform(request)

    bob.device.exchange(perform)
    assert kinds == [RequestKind.LISTS, RequestKind.BUNDLES, RequestKind.SUBMIT]
    status = bob.device.send_status(send.id)
    assert status is not None and status.finished and status.payload == b"hello"
    assert [(user.user, user.outcome, user.reached) for user in status.users] == [("alice", Outcome.SENT, 1)]
    started, message = (item for item in alice.fetch() if not isinstance(item, sesame.DeviceListChanged))
    assert isinstance(started, sesame.SessionStarted) and isinstance(message, sesame.Message)
    assert (message.user, message.device, message.payload, message.recipients) == ("bob", 1, b"hello", None)
    assert started.session_id == message.session_id and message.content_id == send.content_id


def test_simultaneous_initiation_settles_on_one_session() -> None:
    _, alice, bob = pair()
    first, second = alice.device.batch_encrypt(["bob"], b"from alice"), bob.device.batch_encrypt(["alice"], b"from bob")
    alice.act(first), bob.act(second)
    alice.fetch(), bob.fetch()
    assert alice.read == Counter([b"from bob"]) and bob.read == Counter([b"from alice"])
    ours, theirs = alice.device.session("bob", 1).info(), bob.device.session("alice", 1).info()
    assert ours and theirs and ours.id == theirs.id
    for number in range(10):
        alice.send(["bob"], b"a%d" % number)
        bob.send(["alice"], b"b%d" % number)
        alice.fetch(), bob.fetch()
    assert alice.read.total() == bob.read.total() == 11
    ours, theirs = alice.device.session("bob", 1).info(), bob.device.session("alice", 1).info()
    assert ours and theirs and ours.id == theirs.id and not ours.initiating and not theirs.initiating


def test_out_of_order_duplicated_and_lost() -> None:
    _, alice, bob = pair()
    for number in range(60):
        bob.send(["alice"], b"%d" % number)
    envelopes = alice.relay.mailbox("alice", 1)
    chance = random.Random(2)
    lost = chance.sample(envelopes, 10)
    kept = [envelope for envelope in envelopes if envelope not in lost]
    doubled = kept + chance.sample(kept, 20)
    chance.shuffle(doubled)
    results = alice.device.batch_decrypt(doubled)
    alice.take()
    assert alice.read.total() == 50 and set(alice.read.values()) == {1}
    assert Counter(result.outcome for result in results) == {MailOutcome.OPENED: 50, MailOutcome.DUPLICATE: 20}
    assert not any(result.keep for result in results)


def test_a_device_that_was_offline_through_500_messages_catches_up_in_one_call() -> None:
    world, alice, bob = pair()
    laptop = world.link("alice")
    for number in range(250):
        bob.send(["alice"], b"b%d" % number)
        alice.fetch()
        alice.send(["bob"], b"a%d" % number)
        bob.fetch()
    assert failures(laptop.fetch()) == []
    assert laptop.read.total() == 500 and set(laptop.read.values()) == {1}


def test_a_mailbox_of_1000_mixed_envelopes_in_any_order() -> None:
    world, alice, bob = pair()
    senders = [bob, world.link("bob"), world.create("carol"), world.link("carol"), world.create("dan")]
    chance = random.Random(3)
    sent = Counter[bytes]()
    for number in range(1_000):
        payload = b"%d" % number
        chance.choice(senders).send(["alice"], payload)
        sent[payload] += 1
    assert len(alice.relay.mailbox("alice", 1)) == 1_000
    assert failures(alice.fetch(chance)) == []
    assert alice.read == sent


def test_a_note_to_oneself_reaches_the_own_devices_as_a_message() -> None:
    world, alice, _ = pair()
    laptop = world.link("alice")
    alice.send(["alice"], b"milk")
    (message,) = (item for item in laptop.fetch() if isinstance(item, sesame.Message))
    assert message.recipients is None and message.payload == b"milk"


def test_a_targeted_message_has_no_transcript() -> None:
    world, alice, bob = pair()
    tablet, laptop = world.link("bob"), world.link("alice")
    bob.send(["alice"], b"hello")
    for host in (alice, laptop, tablet):
        host.fetch()
    bob.act(bob.device.session("alice", 2).encrypt(b"only you"))
    laptop.fetch()
    assert laptop.read[b"only you"] == 1
    assert (alice.fetch(), tablet.fetch()) == ([], [])


def test_the_registry_shows_state_keys_and_session(tmp_path: Path) -> None:
    world, alice, bob = pair()
    world.link("alice")
    with pytest.raises(sesame.AppError) as unknown:
        bob.device.registry().devices("alice")
    assert unknown.value.code == 107
    bob.send(["alice"], b"hello")
    devices = bob.device.registry().devices("alice")
    assert [(view.device, view.state) for view in devices] == [(1, DeviceState.ACTIVE), (2, DeviceState.ACTIVE)]
    assert all(len(view.signing_key) == len(view.identity_key) == len(view.session_id or b"") == 32 for view in devices)
    world.remove("alice", 2)
    bob.send(["alice"], b"again")
    assert [view.state for view in bob.device.registry().devices("alice")] == [DeviceState.ACTIVE, DeviceState.STALE]
    world.link("alice")
    bob.meet("alice")
    assert bob.device.registry().devices("alice")[2].state is DeviceState.NO_SESSION
    assert bob.device.registry().devices("alice")[2].session_id is None


def test_reopened_from_disk_the_sends_are_the_same_and_the_inbox_waits(tmp_path: Path) -> None:
    world = World(tmp_path)
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"one")
    envelopes = world.relay.mailbox("alice", 1)
    alice.device.request_mail()
    alice.exchange()
    waiting = alice.device.inbox()
    assert any(isinstance(item, sesame.Message) and item.payload == b"one" for item in waiting)
    alice.device.close()
    alice.device = Device.open(store=tmp_path / "1.db", store_key=KEY)
    assert alice.device.inbox() == waiting
    alice.device.ack([item.id for item in waiting if isinstance(item, sesame.Message)])
    assert not any(isinstance(item, sesame.Message) for item in alice.device.inbox())
    # Once more: the server may hand an envelope out again; it is not read twice.
    assert [result.outcome for result in alice.device.batch_decrypt(envelopes)] == [MailOutcome.DUPLICATE]

    send = bob.device.batch_encrypt(["alice"], b"two")
    before = bob.device.batches(send.id)
    assert [batch.user for batch in before] == ["alice", "bob"], "an empty batch for oneself lets the server show new devices"
    bob.device.close()
    bob.device = Device.open(store=tmp_path / "2.db", store_key=KEY)
    (open_send,) = bob.device.sends()
    assert (open_send.id, open_send.payload, open_send.finished) == (send.id, b"two", False)
    assert [user.waiting_for for user in open_send.users] == [WaitingFor.SERVER]
    assert bob.device.batches(send.id) == before, "a batch's bytes never change"
    bob.act(send)
    assert bob.device.sends() == [] and bob.device.send_status(send.id) is None, "its end is acked"
    alice.fetch()
    assert alice.read[b"two"] == 1


def test_two_handles_on_one_store_never_use_a_key_twice(tmp_path: Path) -> None:
    world = World(tmp_path)
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"hello")
    alice.fetch()
    alice.send(["bob"], b"hi")
    bob.fetch()
    extension = Device.open(store=tmp_path / "2.db", store_key=KEY)
    for number in range(20):
        handle = (bob.device, extension)[number % 2]
        bob.act(handle.batch_encrypt(["alice"], b"%d" % number))
    assert failures(alice.fetch()) == [] and alice.read.total() == 21


def test_two_handles_on_one_store_may_write_at_once(tmp_path: Path) -> None:
    """As an app and its notification extension do: who loses a race runs again, and nothing is lost or used twice."""
    world = World(tmp_path)
    alice, bob = world.create("alice"), world.create("bob")
    bob.send(["alice"], b"hello")
    alice.fetch()
    alice.send(["bob"], b"hi")
    bob.fetch()
    sends: list[sesame.PendingSend] = []
    errors: list[BaseException] = []

    def write(handle: Device, name: int) -> None:
        try:
            for number in range(25):
                sends.append(handle.batch_encrypt(["alice"], b"%d/%d" % (name, number)))
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    handles = [bob.device, Device.open(store=tmp_path / "2.db", store_key=KEY), Device.open(store=tmp_path / "2.db", store_key=KEY)]
    threads = [threading.Thread(target=write, args=(handle, name)) for name, handle in enumerate(handles)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    bob.exchange()
    for send in sends:
        status = bob.device.send_status(send.id)
        assert status is not None and status.finished
    assert failures(alice.fetch()) == []
    assert alice.read.total() == 76 and set(alice.read.values()) == {1}
