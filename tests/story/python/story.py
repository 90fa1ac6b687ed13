"""Plays the story of ``tests/story/story.json``; ``tests/story/README.md`` says what each step does and prints."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sesame
from events import said
from memory_store import MemoryStore
from sesame import Device, Group, LocalRelay
from words import h, named, s, words, yes

KEY = b"\x5a" * 32
DAY = 24 * 60 * 60 * 1000
FAULTS: dict[int, type[sesame.StoreFault]] = {
    1: sesame.StoreConflict,
    401: sesame.StoreBusyFault,
    402: sesame.StoreFault,
    403: sesame.StoreFullFault,
    404: sesame.StoreReadOnlyFault,
    411: sesame.StoreOutcomeUnknown,
}


class FailingStore(MemoryStore):
    """Fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, type[sesame.StoreFault] | None] = {}

    def load(self, queries: Sequence[sesame.StoreQuery], *, hold: bool) -> sesame.StoreSnapshot:
        self._fail("load")
        return super().load(queries, hold=hold)

    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        self._fail("commit")
        super().commit(expected, next, changes)

    def _fail(self, method: str) -> None:
        if fault := self.faults.get(method):
            raise fault


def outside() -> ctypes.CDLL:
    """The library's seed and clock."""
    folder = Path(sesame.__file__).parent / "_native"
    library = ctypes.CDLL(str(next(path for path in folder.iterdir() if path.suffix in {".so", ".dylib", ".dll"})))
    library.sesame_test_outside.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
    library.sesame_test_advance.argtypes = [ctypes.c_uint64]
    return library


def event(of: sesame.Event) -> str:
    return f"event {said(of)}"


def sender(of: sesame.Sender | None) -> str:
    return f"{of.user}/{of.device} {'authenticated' if of.authenticated else 'claimed'}" if of else "nobody"


def received(of: sesame.Received) -> str:
    match of:
        case sesame.Message():
            return (
                f"message {of.user}/{of.device} number {of.sequence} at {of.sent_at} content {s(of.content_id)} session {s(of.session_id)}"
                + words(
                    f"group {s(of.group)}" if of.group else None,
                    None if of.recipients is None else named("to", of.recipients),
                    "removed-device" if of.from_removed_device else None,
                    "no-one-time-key" if of.no_one_time_key else None,
                    "older-session" if of.older_session else None,
                    "former-member" if of.from_former_member else None,
                )
                + f' "{of.payload.decode()}"'
            )
        case sesame.Duplicate():
            return "duplicate"
        case sesame.Failure():
            return f"failure {of.code} {'confirm' if of.confirm else 'keep'} from {sender(of.sender)}"
        case sesame.Held():
            return "held"
        case _:
            return event(of)


def group_line(view: sesame.GroupView) -> str:
    diverged = [f"{at.user}/{at.device}" for at in view.diverged]
    name = f'name "{view.info.name}"'
    standing = f"standing {view.standing.name.lower()}"
    return f"group {s(view.id)}" + words(standing, named("members", view.members), name, named("diverged", diverged))


def session_line(view: sesame.SessionView | None) -> str:
    if view is None:
        return "no session"
    counts = f"sent {view.sent} received {view.received} inactive {view.inactive}"
    return f"session {s(view.id)} generation {view.generation} initiating {yes(view.initiating)} {counts}"


def act(of: sesame.Act) -> str:
    match of:
        case sesame.AddedMembers(users=users):
            return f"added {','.join(users)}"
        case sesame.RetiredDevice(retired=retired):
            return f"retired {retired}"
        case sesame.AcceptedInvitation():
            return "accepted"
        case sesame.DeclinedInvitation():
            return "declined"
        case sesame.CreatedGroup():
            return "created"
        case sesame.LeftGroup():
            return "left"
        case sesame.UpdatedInfo():
            return "updated"


@dataclass
class Host:
    """A device, and what an app keeps around it."""

    relay: LocalRelay
    store: sesame.Store
    device: Device
    user: str
    id: int
    own: FailingStore | None


@dataclass
class Scene:
    """What a scene has made so far."""

    name: str
    number: int
    folder: Path
    clock: ctypes.CDLL
    out: list[str]
    hosts: dict[str, Host] = field(default_factory=dict)
    relays: dict[str, LocalRelay] = field(default_factory=dict)
    groups: dict[str, bytes] = field(default_factory=dict)
    mails: dict[str, list[bytes]] = field(default_factory=dict)

    def say(self, line: str) -> None:
        self.out.append(f"  {line}")

    def step(self, step: dict[str, Any]) -> None:
        do, name = step["do"], step.get("device")
        self.out.append(f"> {do}" + words(name))
        try:
            getattr(self, f"do_{do}")(step)
        except sesame.SesameError as error:
            self.say(f"! {error.code}")

    # What is printed of lists.

    def print_send(self, send: sesame.PendingSend) -> None:
        self.say(f"send {s(send.id)} content {s(send.content_id)}")
        for batch in send.batches:
            envelopes = [f"{out.device}:{len(out.envelope)}:{h(out.envelope)}" for out in batch.envelopes]
            skips = [f"{skip.device}:{skip.code}" for skip in batch.skips]
            skipped = "skip " + " ".join(skips) if skips else None
            self.say(f"  batch {batch.user}" + words("targeted" if batch.targeted else None, " ".join(envelopes), skipped))
        for need in send.needs:
            match need:
                case sesame.NeedsDeviceList(user=user):
                    self.say(f"  need device-list {user}")
                case sesame.NeedsBundle(user=user, device=device):
                    self.say(f"  need bundle {user}/{device}")
                case sesame.NeedsIdentityAcceptance(user=user):
                    self.say(f"  need identity-acceptance {user}")
                case sesame.NeedsPublication():
                    self.say("  need publication")
        for user, code in send.failed.items():
            self.say(f"  failed {user} {code}")
        for each in send.events:
            self.say(f"  {event(each)}")

    def print_all(self, lines: Sequence[str]) -> None:
        for line in lines or ["nothing"]:
            self.say(line)

    def print_received(self, results: Sequence[sesame.Received]) -> None:
        self.print_all([f"{getattr(result, 'envelope', 0)}: {received(result)}" for result in results])

    def print_applied(self, applied: sesame.Applied) -> None:
        lines = [event(each) for each in applied.events]
        lines += [f"refused {refusal.field} {refusal.item} {refusal.code}" for refusal in applied.refusals]
        for line in lines:
            self.say(line)

    # What several steps do.

    def host(self, step: dict[str, Any]) -> Host:
        return self.hosts[step["device"]]

    def group(self, step: dict[str, Any]) -> Group:
        return self.host(step).device.group(self.groups[step["group"]])

    def relay(self, step: dict[str, Any]) -> LocalRelay:
        return self.relays.setdefault(step.get("relay", ""), LocalRelay())

    def store(self, step: dict[str, Any]) -> tuple[sesame.Store, FailingStore | None]:
        match step.get("store", "memory"):
            case "sqlite":
                return sesame.Store.sqlite(self.folder / f"{self.number}-{step['device']}.db"), None
            case "app":
                own = FailingStore()
                return sesame.Store.app(own), own
            case _:
                return sesame.Store.memory(), None

    def joined(self, step: dict[str, Any], relay: LocalRelay, store: sesame.Store, own: FailingStore | None, device: Device) -> Host:
        host = Host(relay, store, device, device.user, device.id, own)
        self.hosts[step["device"]] = host
        self.say(f"device {host.id}")
        return host

    def publish(self, host: Host) -> None:
        while upload := host.device.publication():
            left = host.relay.publish(host.user, host.id, upload.bytes)
            self.say(f"publishes {len(upload.bytes)} {h(upload.bytes)} left {left}")
            host.device.published(upload.id)

    def settle(self, host: Host) -> None:
        for _ in range(8):
            progress = False
            for send in host.device.outbox():
                self.print_send(send)
                progress |= self.round(host, send)
            if not progress:
                break
        left = len(host.device.outbox())
        self.say(f"unsettled {left}" if left else "settled")

    def round(self, host: Host, send: sesame.PendingSend) -> bool:
        """One send's batches and needs; whether anything happened."""
        progress = bool(send.batches)
        for batch in send.batches:
            match host.relay.submit(host.user, host.id, batch):
                case sesame.Accepted():
                    self.say(f"{batch.user} accepted")
                    host.device.accepted(send.id, batch.user)
                case sesame.Stale(device_list=device_list, missing=missing, gone=gone):
                    self.say(f"{batch.user} stale" + words(named("missing", missing), named("gone", gone)))
                    host.device.rejected(send.id, batch.user, device_list=device_list)
                case sesame.NoSuchUser():
                    self.say(f"{batch.user} unknown")
                    host.device.no_such_user(send.id, batch.user)
        if any(isinstance(need, sesame.NeedsPublication) for need in send.needs):
            self.publish(host)
            progress = True
        if answers := host.relay.answer(send.needs):
            self.print_applied(host.device.registry().apply(answers))
            progress = True
        return progress

    def begin(self, host: Host, send: sesame.PendingSend) -> None:
        self.print_send(send)
        self.settle(host)

    def take(self, host: Host, results: Sequence[sesame.Received]) -> None:
        self.print_received(results)
        host.device.ack([result.id for result in results if not isinstance(result, sesame.Duplicate | sesame.Failure | sesame.Held) and result.id is not None])

    # The steps.

    def do_create(self, step: dict[str, Any]) -> None:
        relay = self.relay(step)
        store, own = self.store(step)
        self.publish(self.joined(step, relay, store, own, Device.create(user=step["user"], store_key=KEY, store=store)))

    def do_publish(self, step: dict[str, Any]) -> None:
        self.publish(self.host(step))

    def do_link(self, step: dict[str, Any]) -> None:
        primary = self.hosts[step["primary"]]
        store, own = self.store(step)
        linking = Device.link(store_key=KEY, store=store)
        self.say(f"code {h(linking.code.encode())}")
        answer = primary.device.confirm_link(linking.code)
        self.say(f"answer {len(answer)} {h(answer)}")
        host = self.joined(step, primary.relay, store, own, linking.complete(answer))
        self.publish(primary)
        self.publish(host)

    def do_link_wrong(self, step: dict[str, Any]) -> None:
        linking = Device.link(store_key=KEY)

        def attempt(call: Callable[[], object]) -> None:
            try:
                call()
            except sesame.SesameError as error:
                self.say(f"! {error.code}")

        attempt(lambda: self.host(step).device.confirm_link("no code"))
        attempt(lambda: linking.complete(b"no answer"))

    def do_encrypt(self, step: dict[str, Any]) -> None:
        self.print_send(self.host(step).device.batch_encrypt(step["to"], step["text"].encode()))

    def do_encrypt_long(self, step: dict[str, Any]) -> None:
        self.print_send(self.host(step).device.batch_encrypt(step["to"], b"x" * step["number"]))

    def do_send(self, step: dict[str, Any]) -> None:
        self.do_encrypt(step)
        self.settle(self.host(step))

    def do_settle(self, step: dict[str, Any]) -> None:
        self.settle(self.host(step))

    def do_read(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        mails = host.relay.fetch(host.user, host.id, limit=1000)
        results = host.device.batch_decrypt([mail.envelope for mail in mails]) if mails else []
        kept = {result.envelope for result in results if isinstance(result, sesame.Failure) and not result.confirm}
        host.relay.confirm(host.user, host.id, [mail.id for at, mail in enumerate(mails) if at not in kept])
        self.take(host, results)

    def do_peek(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        mails = host.relay.fetch(host.user, host.id, limit=1000)
        self.print_received(host.device.batch_decrypt([mail.envelope for mail in mails]))

    def do_steal(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        mails = host.relay.fetch(host.user, host.id, limit=1000)
        host.relay.confirm(host.user, host.id, [mail.id for mail in mails])
        self.mails[step["as"]] = [mail.envelope for mail in mails]
        self.say(f"stolen {len(mails)}")

    def do_deliver(self, step: dict[str, Any]) -> None:
        mails = self.mails[step["mails"]]
        if step["order"] == "reversed":
            mails = mails[::-1]
        self.take(self.host(step), self.host(step).device.batch_decrypt(mails))

    def do_deliver_spoilt(self, step: dict[str, Any]) -> None:
        envelope = bytearray(self.mails[step["mails"]][0])
        if step["at"] >= 0:
            envelope[step["at"]] ^= 1
        if step["cut"]:
            del envelope[step["cut"] :]
        self.take(self.host(step), self.host(step).device.batch_decrypt([bytes(envelope)]))

    def do_decrypt_many(self, step: dict[str, Any]) -> None:
        self.say(f"{len(self.host(step).device.batch_decrypt([b''] * step['number']))} results")

    def do_inbox(self, step: dict[str, Any]) -> None:
        self.print_received(self.host(step).device.inbox())

    def do_outbox(self, step: dict[str, Any]) -> None:
        sends = self.host(step).device.outbox()
        for send in sends:
            self.print_send(send)
        if not sends:
            self.say("nothing")

    def do_reopen(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        host.device.close()
        host.device = Device.open(store=host.store, store_key=KEY)
        self.say(f"device {host.device.id}")

    def do_close(self, step: dict[str, Any]) -> None:
        self.host(step).device.close()

    def do_tick(self, step: dict[str, Any]) -> None:
        self.print_all([event(each) for each in self.host(step).device.tick()])

    def do_advance(self, step: dict[str, Any]) -> None:
        self.clock.sesame_test_advance(step["days"] * DAY)

    def do_meet(self, step: dict[str, Any]) -> None:
        answers = self.relay(step).answer([sesame.NeedsDeviceList(user=user) for user in step["users"]])
        self.print_applied(self.host(step).device.registry().apply(answers))

    def new_group(self, step: dict[str, Any], made: tuple[Group, sesame.PendingSend]) -> None:
        group, send = made
        self.groups[step["as"]] = group.id
        self.say(f"group {s(group.id)}")
        self.begin(self.host(step), send)

    def do_group(self, step: dict[str, Any]) -> None:
        self.new_group(step, self.host(step).device.create_group(step["users"], name=step["name"]))

    def do_fork(self, step: dict[str, Any]) -> None:
        self.new_group(step, self.group(step).fork_without(step["users"]))

    def do_add(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).add(step["users"]))

    def do_rename(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).rename(step["name"]))

    def do_leave(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).leave())

    def do_accept(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).accept())

    def do_decline(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).decline())

    def do_say(self, step: dict[str, Any]) -> None:
        self.begin(self.host(step), self.group(step).send(step["text"].encode()))

    def do_view(self, step: dict[str, Any]) -> None:
        self.say(group_line(self.group(step).view()))

    def do_groups(self, step: dict[str, Any]) -> None:
        self.print_all([group_line(view) for view in self.host(step).device.groups()])

    def do_history(self, step: dict[str, Any]) -> None:
        for entry in self.group(step).history():
            self.say(f"{s(entry.id)} {entry.user}/{entry.device} {act(entry.act)} {'counts' if entry.counts else 'void'}")

    def do_cost(self, step: dict[str, Any]) -> None:
        cost = self.group(step).cost(step["number"])
        self.say(f"{cost.envelopes} envelopes {cost.bytes} bytes" + words(named("unknown", cost.unknown)))

    def do_session(self, step: dict[str, Any]) -> None:
        self.say(session_line(self.host(step).device.session(step["user"], step["number"]).info()))

    def do_group_session(self, step: dict[str, Any]) -> None:
        self.say(session_line(self.group(step).session(step["user"], step["number"])))

    def do_session_send(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        self.begin(host, host.device.session(step["user"], step["number"]).encrypt(step["text"].encode()))

    def do_users(self, step: dict[str, Any]) -> None:
        for user in self.host(step).device.registry().users():
            self.say(
                f"user {user.user} key {s(user.account_key)}"
                + words(
                    f"claimed {s(user.claimed_key)}" if user.claimed_key else None,
                    "verified" if user.verified else None,
                    f"epoch {user.epoch}",
                    "forked" if user.forked else None,
                    "paused" if user.paused else None,
                )
            )

    def do_devices(self, step: dict[str, Any]) -> None:
        for device in self.host(step).device.registry().devices(step["user"]):
            state = device.state.name.lower().replace("_", "-")
            keys = f"signing {s(device.signing_key)} identity {s(device.identity_key)}"
            self.say(f"device {device.device} {keys} {state}" + words(f"session {s(device.session_id)}" if device.session_id else None))

    def do_safety(self, step: dict[str, Any]) -> None:
        self.say(f"safety {self.host(step).device.registry().safety_number(step['user'])}")

    def do_verify(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().mark_verified(step["user"])

    def do_resolve_fork(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().resolve_fork(step["user"])

    def do_accept_identity(self, step: dict[str, Any]) -> None:
        registry = self.host(step).device.registry()
        user = next((each for each in registry.users() if each.user == step["user"]), None)
        key = user and (user.claimed_key if step["claimed"] else user.account_key)
        self.take(self.host(step), registry.accept_identity(step["user"], key or bytes(32)))

    def do_abandon(self, step: dict[str, Any]) -> None:
        device = self.host(step).device
        for send in device.outbox():
            device.abandon(send.id, step["user"])

    def do_remove_device(self, step: dict[str, Any]) -> None:
        self.print_all([event(each) for each in self.host(step).device.remove_device(step["number"])])

    def do_fail(self, step: dict[str, Any]) -> None:
        own = self.host(step).own
        assert own is not None
        own.faults[step["method"]] = FAULTS.get(step["with"])

    def do_open_wrong_key(self, step: dict[str, Any]) -> None:
        Device.open(store=self.host(step).store, store_key=b"\x5b" * 32)

    def do_create_over(self, step: dict[str, Any]) -> None:
        Device.create(user=self.host(step).user, store_key=KEY, store=self.host(step).store)

    def do_open_empty(self, step: dict[str, Any]) -> None:
        Device.open(store=sesame.Store.memory(), store_key=KEY)

    def do_spoil(self, step: dict[str, Any]) -> None:
        own = self.host(step).own
        assert own is not None
        own.rows = {key: row[:-1] + bytes([row[-1] ^ 1]) for key, row in own.rows.items()}

    def do_apply_garbage(self, step: dict[str, Any]) -> None:
        answers = sesame.Answers(device_lists=(b"no list",), bundles=(b"no bundle",))
        self.print_applied(self.host(step).device.registry().apply(answers))

    def do_seen(self, step: dict[str, Any]) -> None:
        view = self.relay(step).view()
        for seen in view.seen:
            match seen:
                case sesame.BundleFetched(user=user, device=device):
                    self.say(f"bundle {user}/{device}")
                case sesame.Published(user=user, device=device, size=size):
                    self.say(f"published {user}/{device} {size}")
                case sesame.Submitted():
                    envelopes = [f"{one.device}:{one.size}{':initiation' if one.initiation else ''}" for one in seen.envelopes]
                    outcome = "accepted" if seen.accepted else "refused"
                    line = f"{seen.sender.user}/{seen.sender.device} -> {seen.recipient}"
                    self.say(line + words(" ".join(envelopes), named("skipped", seen.skipped), outcome))
        for (user, device), count in view.waiting.items():
            if count:
                self.say(f"waiting {user}/{device} {count}")


def play(script: dict[str, Any], folder: Path) -> list[str]:
    clock, out = outside(), list[str]()
    for number, scene in enumerate(script["scenes"]):
        clock.sesame_test_outside(script["seed"] + number, script["now"])
        out.append(f"# scene {scene['name']}")
        told = Scene(scene["name"], number, folder, clock, out)
        for step in scene["steps"]:
            told.step(step)
    return out


if __name__ == "__main__":
    lines = play(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
    sys.stdout.buffer.write(("\n".join(lines) + "\n").encode())
