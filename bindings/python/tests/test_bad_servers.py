"""Servers as nobody wants them. The loop that the README prints ends at each of them, for an hour of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import sesame
from sesame import Code, Device, LocalRelay, Outcome, RequestKind, ServerRequest, TestClock
from world import KEY, SERVER, Host, World

Server = Callable[[ServerRequest], tuple[int, bytes] | None]
HOUR = timedelta(hours=1)


def exchange(device: Device, server: Server) -> int:
    """The README's loop; gives how many requests it made. A server that gives ``None`` is a host that forgets ``respond``."""
    requests = 0
    while request := device.next_request():
        requests += 1
        assert requests < 1_000, "the loop does not end"
        if answer := server(request):
            device.respond(request.id, *answer)
    return requests


def pause(device: Device, clock: TestClock) -> None:
    """Waits until the loop is due. An app that comes back at once would spin for ever."""
    due = device.due_in()
    assert due > timedelta(0), "the loop has ended, and is due at once"
    clock.advance(due)


def an_hour(device: Device, server: Server, clock: TestClock) -> int:
    """Calls the loop whenever it is due, as an app does, for an hour; gives how many requests there were."""
    end, requests = clock.now() + HOUR // timedelta(milliseconds=1), 0
    while clock.now() < end:
        device.request_mail()
        requests += exchange(device, server)
        pause(device, clock)
    return requests


def world() -> tuple[World, Host, Host, TestClock]:
    clock = TestClock()
    made = World(clock=clock)
    return made, made.create("alice"), made.create("bob"), clock


def opaque(data: bytes, length: int) -> bytes:
    """Bytes behind their length, as ``docs/wire.md`` has it."""
    return len(data).to_bytes(length) + data


def no_such_user(relay: LocalRelay) -> Server:
    return relay.perform


def stale(relay: LocalRelay) -> Server:
    """Refuses each batch as stale, and shows the list that its sender knows."""

    def perform(request: ServerRequest) -> tuple[int, bytes]:
        if request.kind is not RequestKind.SUBMIT:
            return relay.perform(request)
        result = b"\x03" + opaque(relay.device_list("alice") or b"", 2) + opaque((2).to_bytes(4), 1) + opaque(b"", 1) * 2
        return 200, opaque(result * len(request.users), 4)

    return perform


def busy(relay: LocalRelay) -> Server:
    return lambda request: (503, b"")


def portal(relay: LocalRelay) -> Server:
    return lambda request: (200, b"<html><body>Welcome to the airport. Please accept our terms.</body></html>")


def redirect(relay: LocalRelay) -> Server:
    return lambda request: (302, b"")


def garbage(relay: LocalRelay) -> Server:
    return lambda request: (200, bytes(range(256)) * 8)


def empty(relay: LocalRelay) -> Server:
    return lambda request: (200, b"")


def nothing(relay: LocalRelay) -> Server:
    return lambda request: (0, b"")


def unauthorized(relay: LocalRelay) -> Server:
    return lambda request: (401, b"")


def forgotten(relay: LocalRelay) -> Server:
    return lambda request: None


BAD = [busy, portal, redirect, garbage, empty, nothing, unauthorized, forgotten]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_the_loop_ends_and_what_was_written_goes_out_when_the_server_is_well_again(bad: Callable[[LocalRelay], Server]) -> None:
    made, alice, bob, clock = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")
    requests = an_hour(alice.device, bad(made.relay), clock)
    # A pause doubles up to five minutes, and a request that is lent comes back after a minute.
    assert 1 <= requests <= 200
    status = alice.device.send_status(send.id)
    assert status is not None and not status.finished and status.users[0].outcome is Outcome.WAITING
    if bad is not forgotten:
        alice.device.retry_now()
        exchange(alice.device, bad(made.relay))
        problem = alice.device.health().problem
        assert problem in (Code.SERVER_BUSY, Code.SERVER_ANSWER, Code.SERVER_UNREACHABLE, Code.SERVER_UNAUTHORIZED)
    # The network is there again.
    alice.device.retry_now()
    alice.act(send)
    bob.fetch()
    assert bob.read == Counter({b"hello": 1})


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_a_first_publication_ends_as_well_and_succeeds_later(bad: Callable[[LocalRelay], Server]) -> None:
    clock = TestClock()
    relay = LocalRelay(SERVER, clock)
    device = Device.create(user="alice", store_key=KEY, server=SERVER, clock=clock)
    assert an_hour(device, bad(relay), clock) <= 200
    assert not device.health().registered
    device.retry_now()
    exchange(device, relay.perform)
    assert device.health().registered and relay.device_list("alice") is not None


def test_a_name_that_nobody_has_fails_and_ends() -> None:
    made, alice, _, clock = world()
    send = alice.device.batch_encrypt(["bbo", "bob"], b"hello")
    exchange(alice.device, no_such_user(made.relay))
    status = alice.device.send_status(send.id)
    assert status is not None and status.finished
    outcomes = {user.user: (user.outcome, user.code) for user in status.users}
    assert outcomes == {"bbo": (Outcome.FAILED, Code.UNKNOWN_USER), "bob": (Outcome.SENT, None)}
    (finished,) = (item for item in alice.take() if isinstance(item, sesame.SendFinished))
    assert (finished.reached, [(user.user, user.code) for user in finished.failed]) == (1, [("bbo", Code.UNKNOWN_USER)])
    assert an_hour(alice.device, made.relay.perform, clock) < 10_000


def test_a_user_who_is_stale_for_ever_fails_after_a_few_spaced_rounds() -> None:
    made, alice, bob, clock = world()
    bob.device.batch_encrypt(["alice"], b"hello")
    server = stale(made.relay)
    requests = 0
    for _ in range(20):
        requests += exchange(bob.device, server)
        pause(bob.device, clock)
    assert requests < 100
    (status,) = bob.device.sends()
    assert status.finished and [(user.user, user.outcome) for user in status.users] == [("alice", Outcome.FAILED)]


def test_a_changed_identity_waits_visibly_and_goes_on_when_it_is_accepted() -> None:
    made, alice, bob, clock = world()
    bob.send(["alice"], b"before")
    # Alice has lost her device and her key, and registers anew with the operator's leave.
    again = World(clock=clock)
    new = again.create("alice")
    bob.relay = again.relay
    bob.device.request_mail()
    an_hour(bob.device, again.relay.perform, clock)
    send = bob.device.batch_encrypt(["alice"], b"after")
    assert exchange(bob.device, again.relay.perform) < 100
    an_hour(bob.device, again.relay.perform, clock)
    status = bob.device.send_status(send.id)
    assert status is not None and status.users[0].waiting_for is sesame.WaitingFor.IDENTITY and not status.finished
    (changed,) = (item for item in bob.take() if isinstance(item, sesame.IdentityChanged))
    assert an_hour(bob.device, again.relay.perform, clock) < 10_000
    bob.device.registry().accept_identity("alice", changed.claimed)
    bob.act(send)
    new.fetch()
    assert new.read[b"after"] == 1


def test_an_exception_out_of_the_transport_is_no_answer_and_is_raised_after_the_loop() -> None:
    made, alice, _, _ = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")

    def fails(request: ServerRequest) -> tuple[int, bytes]:
        raise ConnectionResetError("the cable is cut")

    with pytest.raises(ConnectionResetError):
        alice.device.exchange(fails)
    assert alice.device.health().problem is Code.SERVER_UNREACHABLE and alice.device.exchange(fails) == []

    def interrupted(request: ServerRequest) -> tuple[int, bytes]:
        raise KeyboardInterrupt

    alice.device.retry_now()
    with pytest.raises(KeyboardInterrupt):
        alice.device.exchange(interrupted)
    assert alice.device.health().problem is None, "the request was given back, without a pause"
    alice.act(send)


@pytest.mark.parametrize("answer", [None, 200, (200,), ("200", b""), (200, "text"), (-1, b""), (200, b"", b"")])
def test_a_transport_that_gives_no_answer_is_told_so_and_ends(answer: object) -> None:
    made, alice, _, _ = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")
    with pytest.raises((TypeError, ValueError)):
        alice.device.exchange(lambda request: answer)  # type: ignore[arg-type,return-value]
    alice.device.retry_now()
    alice.act(send)
