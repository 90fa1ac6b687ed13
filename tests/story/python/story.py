"""Plays the story of ``tests/story/story.json`` over the package: ``python story.py SCRIPT FOLDER``."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lines
import sesame
from memory_store import MemoryStore
from sesame import Device, Group, Linking, LocalRelay, PendingSend, ServerAnswer, ServerRequest
from words import h, s, words, yes

KEY = b"\x5a" * 32
SERVER = "relay.example"
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


@dataclass
class Host:
    """A device, and what an app keeps around it."""

    relay: LocalRelay
    store: sesame.Store
    own: FailingStore | None
    device: Device
    last: bytes = bytes(16)
    """The send that a step has printed last."""
    trouble: tuple[int, bytes] | None = None
    """How the requests of the next exchange are answered, if not by the relay."""
    replay: str = ""
    """The kind of requests that get the same answer each time."""
    replayed: ServerAnswer | None = None

    def perform(self, request: ServerRequest) -> ServerAnswer:
        if request.kind.value != self.replay:
            return self.relay.perform(request)
        self.replayed = self.replayed or self.relay.perform(request)
        return self.replayed


@dataclass
class Scene:
    """What a scene has made so far."""

    number: int
    folder: Path
    clock: ctypes.CDLL
    out: list[str]
    hosts: dict[str, Host] = field(default_factory=dict)
    relays: dict[str, LocalRelay] = field(default_factory=dict)
    groups: dict[str, bytes] = field(default_factory=dict)
    mails: dict[str, list[bytes]] = field(default_factory=dict)
    handover: bytes = bytes(16)

    def say(self, line: str) -> None:
        self.out.append(f"  {line}")

    def say_all(self, said: Sequence[str]) -> None:
        for line in said or ["nothing"]:
            self.say(line)

    def step(self, step: dict[str, Any]) -> None:
        do, name = step["do"], step.get("device")
        self.out.append(f"> {do}" + words(name))
        try:
            getattr(self, f"do_{do}")(step)
        except sesame.SesameError as error:
            self.say(f"! {error.code}")

    # What several steps do.

    def host(self, step: dict[str, Any]) -> Host:
        return self.hosts[step["device"]]

    def group(self, step: dict[str, Any]) -> Group:
        return self.host(step).device.group(self.groups[step["group"]])

    def relay(self, step: dict[str, Any]) -> LocalRelay:
        return self.relays.setdefault(step.get("relay", ""), LocalRelay(SERVER))

    def store(self, step: dict[str, Any]) -> tuple[sesame.Store, FailingStore | None]:
        match step.get("store", "memory"):
            case "sqlite":
                return sesame.Store.sqlite(self.folder / f"{self.number}-{step['device']}.db"), None
            case "app":
                own = FailingStore()
                return sesame.Store.app(own), own
            case _:
                return sesame.Store.memory(), None

    def exchange(self, host: Host) -> None:
        trouble, host.trouble = host.trouble, None
        while request := host.device.next_request():
            self.say(lines.request(request))
            if trouble and trouble[0] < 0:
                self.say("  unanswered")
            else:
                self.respond(host.device, request, trouble or host.perform(request))

    def respond(self, of: Device | Linking, request: ServerRequest, answer: tuple[int, bytes]) -> None:
        status, body = answer
        self.say(lines.answered(status, of.respond(request.id, status, body)))

    def one_request(self, device: Device) -> ServerRequest:
        device.request_mail(1)
        request = device.next_request()
        assert request is not None
        return request

    def attempt(self, call: Callable[[], object]) -> None:
        try:
            call()
            self.say("ok")
        except sesame.SesameError as error:
            self.say(f"! {error.code}")

    def made(self, host: Host, send: PendingSend) -> None:
        self.say(lines.send(send))
        host.last = send.id

    def print_status(self, host: Host) -> None:
        status = host.device.send_status(host.last)
        self.say_all(lines.status(status) if status else ["gone"])

    def sends(self, host: Host, send: PendingSend) -> None:
        self.made(host, send)
        self.exchange(host)
        self.print_status(host)

    def print_inbox(self, host: Host) -> list[int]:
        items = host.device.inbox(limit=1000)
        self.say_all([lines.item(item) for item in items])
        return [item.id for item in items]

    def new_group(self, step: dict[str, Any], made: tuple[Group, PendingSend]) -> None:
        group, send = made
        self.groups[step["as"]] = group.id
        self.say(f"group {s(group.id)}")
        self.sends(self.host(step), send)

    # Devices.

    def do_create(self, step: dict[str, Any]) -> None:
        relay, (store, own) = self.relay(step), self.store(step)
        host = Host(relay, store, own, Device.create(user=step["user"], store_key=KEY, server=SERVER, store=store))
        self.say(f"device {host.device.id}")
        self.hosts[step["device"]] = host
        self.exchange(host)

    def do_link(self, step: dict[str, Any]) -> None:
        primary, (store, own) = self.hosts[step["primary"]], self.store(step)
        linking = Device.link(store_key=KEY, server=SERVER, store=store)
        self.say(f"code {h(linking.code.encode())}")
        pending = primary.device.link_device(linking.code)
        self.exchange(primary)
        self.exchange_new(primary.relay, linking)
        digits = linking.digits
        self.say(f"digits {digits}" + words(None if digits == pending.digits else f"other {pending.digits}"))
        linking.confirm()
        number = pending.confirm()
        self.say(f"device {number}")
        self.exchange(primary)
        self.exchange_new(primary.relay, linking)
        device = linking.device()
        assert device is not None and device.id == number
        self.hosts[step["device"]] = host = Host(primary.relay, store, own, device)
        self.exchange(host)

    def exchange_new(self, relay: LocalRelay, linking: Linking) -> None:
        while request := linking.next_request():
            self.say(lines.request(request))
            self.respond(linking, request, relay.perform(request))

    def do_link_wrong(self, step: dict[str, Any]) -> None:
        device = self.host(step).device
        self.attempt(lambda: device.link_device("no code"))
        first = Device.link(store_key=KEY, server=SERVER)
        self.attempt(lambda: device.link_device(first.code[:-1]))
        self.attempt(first.confirm)
        self.attempt(lambda: (device.link_device(first.code).cancel(), device.link_device(first.code)))
        second = Device.link(store_key=KEY, server=SERVER)
        self.clock.sesame_test_advance(660_000)
        self.attempt(lambda: device.link_device(second.code))
        self.say(f"expired {yes(second.expired)}")

    def do_reopen(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        host.device.close()
        host.device = Device.open(store=host.store, store_key=KEY)
        self.say(f"device {host.device.id}")

    def do_close(self, step: dict[str, Any]) -> None:
        self.host(step).device.close()

    def do_adopt_own_list(self, step: dict[str, Any]) -> None:
        self.host(step).device.adopt_own_list(bytes(32))

    def do_hand_over(self, step: dict[str, Any]) -> None:
        view = self.host(step).device.hand_over(step["number"])
        self.say(f"handover {s(view.id)} digits {view.digits}")
        self.handover = view.id

    def do_confirm_handover(self, step: dict[str, Any]) -> None:
        self.host(step).device.confirm_handover(self.handover)

    def do_cancel_handover(self, step: dict[str, Any]) -> None:
        self.host(step).device.cancel_handover(self.handover)

    def do_remove_device(self, step: dict[str, Any]) -> None:
        self.host(step).device.remove_device(step["number"])

    def do_keep_sent(self, step: dict[str, Any]) -> None:
        self.host(step).device.keep_sent(step["number"])

    def do_set_push(self, step: dict[str, Any]) -> None:
        self.host(step).device.set_push(step.get("text", "").encode() or None)

    def do_delete_account(self, step: dict[str, Any]) -> None:
        self.host(step).device.delete_account()

    def do_log_out(self, step: dict[str, Any]) -> None:
        self.made(self.host(step), self.host(step).device.log_out())

    def do_erase(self, step: dict[str, Any]) -> None:
        self.host(step).store.erase()

    def do_primary(self, step: dict[str, Any]) -> None:
        self.say(f"primary {yes(self.host(step).device.is_primary)}")

    def do_advance(self, step: dict[str, Any]) -> None:
        self.clock.sesame_test_advance((step.get("days", 0) * 24 * 60 * 60 + step.get("seconds", 0)) * 1000)

    def do_fail(self, step: dict[str, Any]) -> None:
        own = self.host(step).own
        assert own is not None
        own.faults[step["method"]] = FAULTS.get(step["with"])

    def do_spoil(self, step: dict[str, Any]) -> None:
        own = self.host(step).own
        assert own is not None
        own.rows = {key: row[:-1] + bytes([row[-1] ^ 1]) for key, row in own.rows.items()}

    def do_open_wrong_key(self, step: dict[str, Any]) -> None:
        Device.open(store=self.host(step).store, store_key=b"\x5b" * 32)

    def do_create_over(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        Device.create(user=host.device.user, store_key=KEY, server=SERVER, store=host.store)

    def do_open_empty(self, step: dict[str, Any]) -> None:
        Device.open(store=sesame.Store.memory(), store_key=KEY)

    # The loop.

    def do_exchange(self, step: dict[str, Any]) -> None:
        self.exchange(self.host(step))

    def do_request_mail(self, step: dict[str, Any]) -> None:
        self.host(step).device.request_mail(step["number"])

    def do_answer_twice(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        request = self.one_request(host.device)
        self.say(lines.request(request))
        answer = host.perform(request)
        self.respond(host.device, request, answer)
        self.respond(host.device, request, answer)

    def do_foreign(self, step: dict[str, Any]) -> None:
        other = self.hosts[step["of"]].device
        request = self.one_request(other)
        self.attempt(lambda: self.host(step).device.respond(request.id, 200))
        other.release(request.id)

    def do_trouble(self, step: dict[str, Any]) -> None:
        self.host(step).trouble = (step.get("status", 0), step.get("body", "").encode())

    def do_replay(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        host.replay, host.replayed = step.get("kind", ""), None

    def do_retry_now(self, step: dict[str, Any]) -> None:
        self.host(step).device.retry_now()

    def do_move(self, step: dict[str, Any]) -> None:
        self.host(step).relay = self.relay(step)

    def do_restored(self, step: dict[str, Any]) -> None:
        self.relay(step).restored()

    def do_health(self, step: dict[str, Any]) -> None:
        self.say(lines.health(self.host(step).device.health()))

    def do_seen(self, step: dict[str, Any]) -> None:
        for line in lines.seen(self.relay(step).view()):
            self.say(line)

    # Sends.

    def encrypt(self, step: dict[str, Any], to: list[str], payload: bytes) -> PendingSend:
        content_id = step.get("content", "").encode() or None
        return self.host(step).device.batch_encrypt(to, payload, content_id=content_id)

    def do_encrypt(self, step: dict[str, Any]) -> None:
        self.made(self.host(step), self.encrypt(step, step.get("to", []), step.get("text", "").encode()))

    def do_encrypt_long(self, step: dict[str, Any]) -> None:
        self.made(self.host(step), self.encrypt(step, step.get("to", []), b"x" * step["number"]))

    def do_encrypt_crowd(self, step: dict[str, Any]) -> None:
        crowd = [f"u{number}" for number in range(step["number"])]
        self.made(self.host(step), self.encrypt(step, crowd, step.get("text", "").encode()))

    def do_send(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.encrypt(step, step.get("to", []), step.get("text", "").encode()))

    def do_session_send(self, step: dict[str, Any]) -> None:
        session = self.host(step).device.session(step["user"], step["number"])
        self.sends(self.host(step), session.encrypt(step["text"].encode()))

    def do_session_reset(self, step: dict[str, Any]) -> None:
        self.host(step).device.session(step["user"], step["number"]).reset()
        self.do_exchange(step)

    def do_batches(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        self.say_all([lines.batch(batch) for batch in host.device.batches(host.last)])

    def do_status(self, step: dict[str, Any]) -> None:
        self.say_all([line for send in self.host(step).device.sends() for line in lines.status(send)])

    def do_cancel(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        host.device.cancel(host.last, step.get("users") or None)
        self.print_status(host)

    def do_retry(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        host.device.retry(host.last)
        self.print_status(host)

    # Mail.

    def do_peek(self, step: dict[str, Any]) -> list[int]:
        host = self.host(step)
        host.device.request_mail(1000)
        self.exchange(host)
        return self.print_inbox(host)

    def do_read(self, step: dict[str, Any]) -> None:
        self.host(step).device.ack(self.do_peek(step))

    def do_inbox(self, step: dict[str, Any]) -> None:
        self.print_inbox(self.host(step))

    def do_steal(self, step: dict[str, Any]) -> None:
        host = self.host(step)
        envelopes = host.relay.mailbox(host.device.user, host.device.id)
        host.relay.lose(host.device.user, host.device.id)
        self.mails[step["as"]] = envelopes
        self.say(f"stolen {len(envelopes)}")

    def deliver(self, host: Host, envelopes: list[bytes]) -> None:
        for at, result in enumerate(host.device.batch_decrypt(envelopes)):
            self.say(lines.result(at, result))
        host.device.ack(self.print_inbox(host))

    def do_deliver(self, step: dict[str, Any]) -> None:
        envelopes = self.mails[step["mails"]]
        self.deliver(self.host(step), envelopes[::-1] if step["order"] == "reversed" else envelopes)

    def do_deliver_spoilt(self, step: dict[str, Any]) -> None:
        envelope = bytearray(self.mails[step["mails"]][0])
        if step["at"] >= 0:
            envelope[step["at"]] ^= 1
        if step["cut"]:
            del envelope[step["cut"] :]
        self.deliver(self.host(step), [bytes(envelope)])

    def do_decrypt_many(self, step: dict[str, Any]) -> None:
        self.say(f"{len(self.host(step).device.batch_decrypt([b''] * step['number']))} results")

    # Groups.

    def do_group(self, step: dict[str, Any]) -> None:
        self.new_group(step, self.host(step).device.create_group(step["users"], name=step["name"]))

    def do_fork(self, step: dict[str, Any]) -> None:
        self.new_group(step, self.group(step).fork_without(step["users"]))

    def do_add(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).add(step["users"]))

    def do_rename(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).rename(step["name"]))

    def do_leave(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).leave())

    def do_accept(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).accept())

    def do_decline(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).decline())

    def do_say(self, step: dict[str, Any]) -> None:
        self.sends(self.host(step), self.group(step).send(step["text"].encode()))

    def do_forget_group(self, step: dict[str, Any]) -> None:
        self.group(step).forget()

    def do_view(self, step: dict[str, Any]) -> None:
        self.say(lines.group(self.group(step).view()))

    def do_groups(self, step: dict[str, Any]) -> None:
        self.say_all([lines.group(view) for view in self.host(step).device.groups()])

    def do_history(self, step: dict[str, Any]) -> None:
        for entry in self.group(step).history():
            self.say(f"{s(entry.id)} {entry.user}/{entry.device} {lines.act(entry.act)} {'counts' if entry.counts else 'void'}")

    def do_cost(self, step: dict[str, Any]) -> None:
        cost = self.group(step).cost(step["number"])
        unknown = f"unknown {','.join(cost.unknown)}" if cost.unknown else None
        self.say(f"{cost.envelopes} envelopes {cost.bytes} bytes" + words(unknown))

    def do_group_session(self, step: dict[str, Any]) -> None:
        self.say(lines.session(self.group(step).session(step["user"], step["number"])))

    # Users, their devices, and whom to trust.

    def do_session(self, step: dict[str, Any]) -> None:
        self.say(lines.session(self.host(step).device.session(step["user"], step["number"]).info()))

    def do_users(self, step: dict[str, Any]) -> None:
        for view in self.host(step).device.registry().users():
            self.say(lines.user(view))

    def do_devices(self, step: dict[str, Any]) -> None:
        for view in self.host(step).device.registry().devices(step["user"]):
            self.say(lines.device(view))

    def do_look_up(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().look_up(step["users"])
        self.exchange(self.host(step))

    def do_safety(self, step: dict[str, Any]) -> None:
        self.say(f"safety {self.host(step).device.registry().safety_number(step['user'])}")

    def do_compare(self, step: dict[str, Any]) -> None:
        device = self.host(step).device
        code = self.hosts[step["with"]].device.registry().safety_code(device.user) if step.get("with") else "no code"
        self.say(f"code {h(code.encode())}")
        self.say(f"same {yes(device.registry().compare_safety_code(step['user'], code))}")

    def do_verify(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().mark_verified(step["user"])

    def do_resolve_fork(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().resolve_fork(step["user"], bytes(32))

    def do_forget(self, step: dict[str, Any]) -> None:
        self.host(step).device.registry().forget(step["user"])

    def do_accept_identity(self, step: dict[str, Any]) -> None:
        registry = self.host(step).device.registry()
        user = next((each for each in registry.users() if each.user == step["user"]), None)
        key = user and (user.claimed_key if step.get("claimed") else user.account_key)
        registry.accept_identity(step["user"], key or bytes(32))


def play(script: dict[str, Any], folder: Path) -> list[str]:
    clock, out = outside(), list[str]()
    for number, scene in enumerate(script["scenes"]):
        clock.sesame_test_outside(script["seed"] + number, script["now"])
        out.append(f"# scene {scene['name']}")
        told = Scene(number, folder, clock, out)
        for step in scene["steps"]:
            told.step(step)
    return out


if __name__ == "__main__":
    told = play(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
    sys.stdout.buffer.write(("\n".join(told) + "\n").encode())
