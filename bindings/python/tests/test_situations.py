"""The kinds of situation in the life of an app that the face was made from, each with the calls that an app makes there."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sesame
from sesame import Code, Device, DeviceState, LocalRelay, MailOutcome, Outcome, RequestKind, TestClock
from world import KEY, SERVER, Host, World


def world() -> tuple[World, Host, Host, TestClock]:
    clock = TestClock()
    made = World(clock=clock)
    return made, made.create("alice"), made.create("bob"), clock


def no_network(request: sesame.ServerRequest) -> tuple[int, bytes]:
    return 0, b""


def test_first_publication_and_health() -> None:
    device = Device.create(user="alice", store_key=KEY, server=SERVER)
    assert not device.health().registered and device.health().due_in == device.due_in() == timedelta(0)
    device.exchange(LocalRelay(SERVER).perform)
    assert device.health().registered and device.health().problem is None and device.is_primary


def test_a_registration_token_goes_out_with_the_first_publication(tmp_path: Path) -> None:
    token = b"what the app's own server gave"
    Device.create(user="alice", store_key=KEY, server=SERVER, store=tmp_path / "a.db", token=token).close()
    device = Device.open(store=tmp_path / "a.db", store_key=KEY)
    request = device.next_request()
    assert request is not None and request.kind is RequestKind.PUBLICATION
    assert request.body.startswith(len(token).to_bytes(2) + token)


def test_a_registration_that_is_refused_is_told_and_ends_all_requests() -> None:
    relay = LocalRelay(SERVER)
    for name in ("first", "second"):
        device = Device.create(user="alice", store_key=KEY, server=SERVER)
        device.exchange(relay.perform)
    assert device.health().problem is Code.REGISTRATION_REFUSED and device.next_request() is None, name
    assert [type(item) for item in device.inbox()] == [sesame.RegistrationRefused]


def test_a_send_is_followed_by_its_content_id_until_its_end_is_acked() -> None:
    _, alice, bob, _ = world()
    send = alice.device.batch_encrypt(["bob"], b"hello", content_id=b"message no. 0001")
    alice.exchange()
    status = alice.device.send_status(b"message no. 0001")
    assert status is not None and (status.id, status.payload, status.users[0].outcome) == (send.id, b"hello", Outcome.SENT)
    alice.take()
    assert alice.device.send_status(b"message no. 0001") is None


def test_offline_a_send_waits_and_goes_out_when_the_network_is_there() -> None:
    _, alice, bob, _ = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")
    alice.device.exchange(no_network)
    assert timedelta(0) < alice.device.due_in() == alice.device.health().due_in < timedelta(seconds=2)
    alice.device.retry_now()
    alice.act(send)
    bob.fetch()
    assert bob.read[b"hello"] == 1


def test_a_crash_between_the_send_and_its_end_loses_nothing(tmp_path: Path) -> None:
    made = World(tmp_path)
    alice, bob = made.create("alice"), made.create("bob")
    alice.device.batch_encrypt(["bob"], b"hello")
    request = alice.device.next_request()
    assert request is not None
    made.relay.perform(request)  # The server has answered; the app has not heard it.
    alice.device.close()
    alice.device = Device.open(store=tmp_path / "1.db", store_key=KEY)
    (status,) = alice.device.sends()
    assert (status.payload, status.finished) == (b"hello", False)
    alice.exchange()
    bob.fetch()
    assert bob.read[b"hello"] == 1


def test_the_same_content_id_is_the_same_send() -> None:
    _, alice, _, _ = world()
    first = alice.device.batch_encrypt(["bob"], b"hello", content_id=bytes(16))
    assert alice.device.batch_encrypt(["bob"], b"hello", content_id=bytes(16)) == first and len(alice.device.sends()) == 1
    with pytest.raises(sesame.AppError) as caught:
        alice.device.batch_encrypt(["bob"], b"another", content_id=bytes(16))
    assert caught.value.code is Code.CONTENT_ID_IN_USE


def test_a_send_is_cancelled_before_it_has_left_and_tried_again() -> None:
    _, alice, bob, _ = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")
    alice.device.cancel(send.id)
    status = alice.device.send_status(send.id)
    assert status is not None and (status.finished, status.users[0].outcome, status.users[0].code) == (True, Outcome.CANCELLED, Code.CANCELLED)
    alice.device.retry(send.id)
    alice.act(send)
    bob.fetch()
    assert bob.read[b"hello"] == 1


def test_a_send_to_nobody_fails_and_is_tried_again_when_the_user_is_there() -> None:
    made, alice, _, _ = world()
    send = alice.device.batch_encrypt(["carol"], b"hello")
    alice.exchange()
    status = alice.device.send_status(send.id)
    assert status is not None and (status.users[0].outcome, status.users[0].code) == (Outcome.FAILED, Code.UNKNOWN_USER)
    carol = made.create("carol")
    alice.device.retry(send.id)
    alice.act(send)
    carol.fetch()
    assert carol.read[b"hello"] == 1


def test_a_send_that_the_server_puts_off_expires_after_30_days() -> None:
    made, alice, _, clock = world()
    send = alice.device.batch_encrypt(["bob"], b"hello")

    def later(request: sesame.ServerRequest) -> tuple[int, bytes]:
        if request.kind is not RequestKind.SUBMIT:
            return made.relay.perform(request)
        put_off = b"\x08" + (3_600).to_bytes(4)
        return 200, (len(request.users) * len(put_off)).to_bytes(4) + put_off * len(request.users)

    for day in range(33):
        alice.device.request_mail()
        alice.device.exchange(later)
        status = alice.device.send_status(send.id)
        assert status is not None and status.finished is (day > 30), day
        clock.advance(timedelta(days=1))
    (finished,) = (item for item in alice.take() if isinstance(item, sesame.SendFinished))
    assert [(user.user, user.code) for user in finished.failed] == [("bob", Code.EXPIRED)]


def test_a_device_that_the_sender_has_not_seen_yet_gets_the_message() -> None:
    made, alice, bob, _ = world()
    alice.send(["bob"], b"before")
    tablet = made.link("bob")
    assert [user.reached for user in alice.send(["bob"], b"to both").users] == [2]
    for host in (bob, tablet):
        host.fetch()
        assert host.read[b"to both"] == 1


def test_requests_that_are_given_out_together_are_answered_in_any_order() -> None:
    made, alice, bob, _ = world()
    carol = made.create("carol")
    alice.send(["bob"], b"first")
    alice.device.batch_encrypt(["carol"], b"to Carol")
    alice.device.batch_encrypt(["bob"], b"to Bob")
    alice.device.request_mail()
    together = list(iter(alice.device.next_request, None))
    assert len(together) > 1
    for request in reversed(together):
        assert alice.device.respond(request.id, *made.relay.perform(request)).known
    alice.exchange()
    bob.fetch()
    carol.fetch()
    assert (bob.read, carol.read) == (Counter([b"first", b"to Bob"]), Counter([b"to Carol"]))


def test_a_cancelled_send_that_may_have_left_says_so() -> None:
    made, alice, bob, _ = world()
    alice.send(["bob"], b"first")
    send = alice.device.batch_encrypt(["bob"], b"second")
    request = alice.device.next_request()
    assert request is not None and request.kind is RequestKind.SUBMIT
    alice.device.cancel(send.id)
    status = alice.device.send_status(send.id)
    assert status is not None and status.users[0].code is Code.MAYBE_SENT


def test_many_sends_go_out_in_their_order() -> None:
    _, alice, bob, _ = world()
    for number in range(50):
        alice.device.batch_encrypt(["bob"], b"%d" % number)
    alice.exchange()
    assert [status.finished for status in alice.device.sends()] == [True] * 50
    assert [item.payload for item in bob.fetch() if isinstance(item, sesame.Message)] == [b"%d" % number for number in range(50)]


def test_mail_by_push_is_opened_without_the_loop_and_not_read_twice() -> None:
    made, alice, bob, _ = world()
    alice.send(["bob"], b"hello")
    (envelope,) = made.relay.mailbox("bob", 1)
    (result,) = bob.device.batch_decrypt([envelope])
    assert result.outcome is MailOutcome.OPENED and not result.keep and len(result.items) == len(bob.device.inbox())
    bob.fetch()
    assert bob.read[b"hello"] == 1


def test_a_flood_of_mail_ends_at_the_limit_and_goes_on() -> None:
    _, alice, bob, _ = world()
    for number in range(30):
        alice.send(["bob"], b"%d" % number)
    bob.device.request_mail(10)
    bob.exchange()
    assert bob.device.health().mail_left == 20
    bob.take()
    bob.fetch()
    assert bob.read.total() == 30 and bob.device.health().mail_left == 0


def test_a_full_inbox_leaves_the_mail_at_the_server_until_something_is_acked() -> None:
    made, alice, bob, _ = world()
    for _ in range(280):
        alice.device.batch_encrypt(["bob"], bytes(sesame.MAX_PAYLOAD))
    alice.exchange()

    def messages(items: list[sesame.InboxItem]) -> int:
        return sum(isinstance(item, sesame.Message) for item in items)

    bob.device.request_mail()
    bob.exchange()
    held = bob.device.inbox(limit=4_096)
    assert 200 <= messages(held) < 280 and bob.device.health().problem is Code.INBOX_FULL
    bob.device.request_mail()
    assert bob.device.next_request() is None
    assert len(made.relay.mailbox("bob", 1)) == 280 - messages(held), "the mail stays where it is"
    assert bob.device.inbox(limit=4_096) == held
    bob.device.ack([item.id for item in held])
    assert bob.device.health().problem is None
    assert messages(held) + messages(bob.fetch()) == 280


def test_what_is_not_acked_is_there_again_and_a_second_process_reads_on(tmp_path: Path) -> None:
    made = World(tmp_path)
    alice, bob = made.create("alice"), made.create("bob")
    alice.send(["bob"], b"one")
    bob.device.request_mail()
    bob.exchange()
    extension = Device.open(store=tmp_path / "2.db", store_key=KEY)
    seen = extension.inbox()
    assert seen == bob.device.inbox() and extension.inbox(after=seen[-1].id) == []
    alice.send(["bob"], b"two")
    extension.request_mail()
    extension.exchange(made.relay.perform)
    (new,) = extension.inbox(after=seen[-1].id)
    assert isinstance(new, sesame.Message) and new.payload == b"two"
    bob.take()
    assert bob.read.total() == 2 and extension.inbox() == []


def test_a_removed_device_is_told_and_sends_nothing_more() -> None:
    made, alice, bob, _ = world()
    laptop = made.link("alice")
    made.remove("alice", 2)
    laptop.device.batch_encrypt(["bob"], b"too late")
    laptop.device.exchange(made.relay.perform)
    assert laptop.device.health().problem is Code.REMOVED_FROM_ACCOUNT and laptop.device.next_request() is None
    assert any(isinstance(item, sesame.RemovedFromAccount) for item in laptop.take())


def test_a_device_logs_out_and_its_store_is_erased(tmp_path: Path) -> None:
    made = World(tmp_path)
    alice, laptop = made.create("alice"), made.link("alice")
    laptop.act(laptop.device.log_out())
    assert [item.device for item in alice.fetch() if isinstance(item, sesame.DeviceWantsRemoval)] == [laptop.id]
    alice.device.remove_device(laptop.id)
    alice.exchange()
    assert [view.state for view in alice.device.registry().devices("alice")] == [DeviceState.OWN, DeviceState.STALE]
    laptop.device.close()
    store = sesame.Store.sqlite(tmp_path / "2.db")
    store.erase()
    with pytest.raises(sesame.SesameError) as caught:
        Device.open(store=store, store_key=KEY)
    assert caught.value.code is Code.FOREIGN_STORE


def test_a_clock_that_is_wrong_is_mended_by_the_servers_time() -> None:
    clock = TestClock()
    made = World(clock=clock)
    bob = made.create("bob")
    behind = Device.create(user="alice", store_key=KEY, server=SERVER, clock=TestClock(clock.now() - 7_200_000))
    behind.exchange(made.relay.perform)
    assert behind.health().registered and behind.health().clock_offset == 7_200_000
    behind.batch_encrypt(["bob"], b"hello")
    behind.exchange(made.relay.perform)
    bob.fetch()
    assert bob.read[b"hello"] == 1


def test_a_server_that_was_restored_is_told_by_an_event() -> None:
    made, alice, bob, clock = world()
    made.relay.restored()
    for _ in range(3):
        alice.device.request_mail()
        alice.device.exchange(made.relay.perform)
        clock.advance(timedelta(seconds=10))
    assert any(isinstance(item, sesame.ServerRestored) for item in alice.take())
    bob.send(["alice"], b"hello")
    alice.fetch()
    assert alice.read[b"hello"] == 1


def test_an_account_is_deleted_and_nothing_goes_out_afterwards() -> None:
    made, alice, bob, _ = world()
    alice.device.delete_account()
    kinds = []
    while request := alice.device.next_request():
        kinds.append(request.kind)
        alice.device.respond(request.id, *made.relay.perform(request))
    assert kinds == [RequestKind.DELETE] and made.relay.device_list("alice") is None


def test_a_push_value_goes_to_the_server_once() -> None:
    made, alice, _, _ = world()
    alice.device.set_push(b"where to knock")
    request = alice.device.next_request()
    assert request is not None and request.kind is RequestKind.PUSH
    alice.device.respond(request.id, *made.relay.perform(request))
    assert alice.device.next_request() is None


def test_in_the_background_due_in_says_when_to_call_again() -> None:
    _, alice, _, clock = world()
    due = alice.device.due_in()
    assert timedelta(0) < due <= timedelta(days=1) and alice.device.next_request() is None
    clock.advance(due)
    alice.exchange()
    assert alice.device.due_in() > timedelta(0)


def test_a_request_that_was_not_sent_is_given_back() -> None:
    _, alice, _, _ = world()
    alice.device.request_mail()
    request = alice.device.next_request()
    assert request is not None and alice.device.next_request() is None
    alice.device.release(request.id)
    again = alice.device.next_request()
    assert again is not None and again.kind is request.kind and again.id != request.id
    assert not alice.device.respond(request.id, 200).known, "late answers change nothing"


def test_a_group_send_reaches_members_and_a_contact_is_forgotten() -> None:
    _, alice, bob, _ = world()
    alice.meet("bob")
    group, send = alice.device.create_group(["bob"], name="Trip")
    alice.act(send)
    alice.act(group.send(b"hello, group"))
    bob.fetch()
    assert bob.read[b"hello, group"] == 0, "Bob has never written to Alice, and is asked"
    bob.act(bob.device.group(group.id).accept())
    bob.fetch()
    assert bob.read[b"hello, group"] == 1
    alice.act(group.leave())
    group.forget()
    assert alice.device.groups() == []
    alice.device.registry().forget("bob")
    assert [view.user for view in alice.device.registry().users()] == ["alice"]


def test_safety_codes_are_compared() -> None:
    _, alice, bob, _ = world()
    alice.send(["bob"], b"hello")
    bob.fetch()
    ours, theirs = alice.device.registry(), bob.device.registry()
    assert ours.safety_number("bob") == theirs.safety_number("alice")
    assert ours.compare_safety_code("bob", theirs.safety_code("alice"))
    ours.mark_verified("bob")
    assert [view.verified for view in ours.users() if view.user == "bob"] == [True]


def test_the_list_of_situations_names_tests_that_there_are() -> None:
    root = Path(__file__).resolve().parents[3]
    rows = (root / "tests/README.md").read_text().split("## Situations of an app")[1].split("\n## ")[0].splitlines()
    cells = [row.strip("| ").split(" | ") for row in rows if row.startswith("| ")][1:]
    assert len(cells) == 28
    for _, python, kotlin in cells:
        for file, name in re.findall("`(.*?)`: `(.*?)`", python):
            assert f"def test_{name}(" in Path(__file__).with_name(f"test_{file}.py").read_text(), name
        for one in kotlin.split("<br>"):
            file, name = one.removeprefix("`").split("`: ")
            assert f"fun `{name}`(" in (root / f"bindings/kotlin/src/test/kotlin/sesame/{file}.kt").read_text(), name
