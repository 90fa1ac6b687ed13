"""The story: one message to every device, a stale view healed, a restart. Run by `cargo xtask demo`."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sesame
from sesame import Device, Group, LocalRelay, Outcome, RequestKind

SERVER = "relay.example"
BOLD, DIM, GREEN, RESET = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")


def title(text: str) -> None:
    print(f"\n{BOLD}{text}{RESET}")


def say(text: str) -> None:
    print(f"  {text}")


class Host:
    """An app around one device: it moves bytes between the library and the server, and shows what was read."""

    def __init__(self, name: str, relay: LocalRelay, device: Device, path: Path, key: bytes) -> None:
        self.name, self.relay, self.device, self.path, self.key = name, relay, device, path, key

    def exchange(self) -> None:
        """The whole transport: what is due goes to the server, and its answers come back. The loop ends whatever the server says."""
        self.device.exchange(self.perform)

    def perform(self, request: sesame.ServerRequest) -> sesame.ServerAnswer:
        """Brings one request to the server; with HTTP this would be a POST."""
        before = len(self.relay.view().seen)
        answer = self.relay.perform(request)
        if request.kind is RequestKind.LISTS or request.kind is RequestKind.BUNDLES:
            say(f"{DIM}{self.name} fetches {request.kind.value} of {', '.join(request.users)}{RESET}")
        for seen in self.relay.view().seen[before:]:
            if isinstance(seen, sesame.Submitted):
                sizes = ", ".join(f"{seen.recipient}/{each.device} {each.size} B" for each in seen.envelopes) or "nobody"
                outcome = f"{GREEN}accepted{RESET}" if seen.accepted else f"{BOLD}refused whole{RESET}: the devices have changed"
                say(f"{self.name} -> relay: batch for {sizes} {outcome}")
        return answer

    def exchange_until(self, reached: Callable[[], bool]) -> None:
        """The same loop by hand, to look at what is there in between."""
        while not reached() and (request := self.device.next_request()):
            self.device.respond(request.id, *self.perform(request))

    def envelopes(self, send: sesame.PendingSend) -> dict[int, bytes]:
        """What is there for each of Alice's devices."""
        batches = {batch.user: batch for batch in self.device.batches(send.id)}
        return {each.device: each.envelope for each in batches["alice"].envelopes} if "alice" in batches else {}

    def send(self, to: str | Group, text: str) -> None:
        self.settle(self.device.batch_encrypt([to] if isinstance(to, str) else to, text.encode()))

    def settle(self, send: sesame.PendingSend) -> None:
        """Brings a send to its end."""
        self.exchange()
        status = self.device.send_status(send.id)
        if status is None or not status.finished or any(user.outcome is not Outcome.SENT for user in status.users):
            raise SystemExit(f"{self.name} did not reach everybody: {status}")
        self.show()

    def read(self) -> list[str]:
        """Fetches the mailbox, shows the inbox, acks it; gives what was read."""
        self.device.request_mail()
        self.exchange()
        return self.show()

    def show(self) -> list[str]:
        texts = []
        for item in self.device.inbox():
            match item:
                case sesame.GroupJoined(group=group, user=user):
                    say(f"{self.name} is in the group {self.group(group).info.name!r} now, by {user}")
                case sesame.GroupAdded(user=user, added=added):
                    say(f"{self.name} hears: {user} added {', '.join(added)}")
                case sesame.GroupLeft(user=user):
                    say(f"{self.name} hears: {user} has left")
                case sesame.GroupUpdated(group=group, user=user):
                    say(f"{self.name} hears: {user} calls the group {self.group(group).info.name!r}")
                case sesame.Message(payload=payload, user=user, recipients=recipients):
                    kind = f" (transcript: {user} to {', '.join(recipients)})" if recipients else f" (from {user})"
                    say(f"{self.name} reads {BOLD}{payload.decode()!r}{RESET}{DIM}{kind}{RESET}")
                    texts.append(payload.decode())
                case sesame.NotOpened(code=code):
                    raise SystemExit(f"{self.name} could not open an envelope: {code.name}")
            self.device.ack([item.id])
        return texts

    def group(self, id: bytes) -> Group:
        return self.device.group(id)

    def meet(self, *users: str) -> None:
        """Makes users known: their signed device lists come from the server, and their account keys are pinned."""
        self.device.registry().look_up(users)
        self.exchange()

    def reopen(self) -> None:
        self.device.close()
        self.device = Device.open(store=self.path, store_key=self.key)


def create(folder: Path, relay: LocalRelay, name: str, user: str) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    host = Host(name, relay, Device.create(user=user, store_key=key, server=SERVER, store=path), path, key)
    host.exchange()
    return host


def link(folder: Path, relay: LocalRelay, name: str, primary: Host) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    linking = Device.link(store_key=key, server=SERVER, store=path)
    pending = primary.device.link_device(linking.code)  # which the primary has read as a QR code
    primary.exchange()
    linking.exchange(relay.perform)
    expect(linking.digits, pending.digits)  # which the user sees on both screens
    linking.confirm()
    pending.confirm()
    primary.exchange()
    linking.exchange(relay.perform)
    device = linking.device()
    assert device is not None
    host = Host(name, relay, device, path, key)
    host.exchange()
    return host


def expect(actual: object, expected: object) -> None:
    if actual != expected:
        raise SystemExit(f"the story went wrong: {actual!r} in place of {expected!r}")


def main() -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sesame-demo-") as name:
        folder, relay = Path(name), LocalRelay(SERVER)
        title("Alice has a phone and a laptop, Bob a phone and a tablet")
        phone = create(folder, relay, "Alice's phone", "alice")
        laptop = link(folder, relay, "Alice's laptop", phone)
        bob = create(folder, relay, "Bob's phone", "bob")
        tablet = link(folder, relay, "Bob's tablet", bob)
        say("each with a SQLite store of its own; the laptop and the tablet were linked by a code, and the digits compared")

        title("Bob writes once: one call makes the batch for Alice's devices and the batch for his own")
        bob.send("alice", "hello Alice")
        expect([host.read() for host in (phone, laptop, tablet)], [["hello Alice"]] * 3)

        title("Alice answers from her laptop")
        laptop.send("bob", "hi Bob")
        expect([host.read() for host in (bob, tablet, phone)], [["hi Bob"]] * 3)

        title("Alice links a third device; Bob has not heard of it and writes again")
        watch = link(folder, relay, "Alice's watch", phone)
        send = bob.device.batch_encrypt(["alice"], b"are you there?")
        refused = bob.envelopes(send)
        bob.exchange_until(lambda: not bob.envelopes(send))
        bob.exchange_until(lambda: len(bob.envelopes(send)) > len(refused))
        kept = [device for device, envelope in bob.envelopes(send).items() if refused.get(device) == envelope]
        expect(kept, [1, 2])
        bob.settle(send)
        say(f"{DIM}byte-identical to the refused batch: devices {', '.join(map(str, kept))} of alice{RESET}")
        expect([host.read() for host in (phone, laptop, watch, tablet)], [["are you there?"]] * 4)
        expect([host.read() for host in (phone, laptop, watch, tablet)], [[]] * 4)
        say("everywhere exactly once")

        title("Everything is closed, reopened from disk, and goes on")
        hosts = (phone, laptop, watch, bob, tablet)
        for host in hosts:
            host.reopen()
        watch.send("bob", "from my wrist")
        expect([host.read() for host in (bob, tablet, phone, laptop)], [["from my wrist"]] * 4)

        title("Alice and Bob have a group; Alice adds Jen")
        jen = create(folder, relay, "Jen's phone", "jen")
        everyone = (*hosts, jen)
        trip, told = phone.device.create_group(["bob"], name="Trip")
        phone.settle(told)
        for host in everyone:
            host.read()
        phone.meet("jen")
        phone.settle(phone.group(trip.id).add(["jen"]))
        for host in everyone:
            host.read()
        say("Jen has never written to Alice, so that her phone asks her; she accepts")
        jen.settle(jen.group(trip.id).accept())
        for host in everyone:
            host.read()
        expect({host.group(trip.id).members for host in everyone}, {("alice", "bob", "jen")})

        title("Jen writes to the group, and every device of every member reads it; then she changes the title")
        begun_at = len(relay.view().seen)
        jen.send(jen.group(trip.id), "hello, group")
        expect([host.read() for host in hosts], [["hello, group"]] * 5)
        jen.settle(jen.group(trip.id).rename("Summer trip"))
        for host in hosts:
            host.read()
        expect({host.group(trip.id).info.name for host in everyone}, {"Summer trip"})
        cost = jen.group(trip.id).cost(100)
        say(f"{DIM}100 bytes to this group cost {cost.envelopes} envelopes, {cost.bytes} B{RESET}")

        title("Jen should go and will not leave: nobody can remove her, so Alice makes a new group without her")
        fork, told = phone.group(trip.id).fork_without(["jen"])
        phone.settle(told)
        for host in hosts:
            host.read()
        expect(jen.read(), [])
        expect({host.group(fork.id).members for host in hosts}, {("alice", "bob")})
        say(f"the new group has an id of its own, {fork.id.hex()[:8]}.. beside {trip.id.hex()[:8]}..; Jen hears nothing of it")
        phone.settle(phone.group(trip.id).leave())
        for host in everyone:
            host.read()
        expect({host.group(trip.id).members for host in (bob, tablet, jen)}, {("bob", "jen")})
        try:
            laptop.group(trip.id).send(b"?")
        except sesame.AppError as error:
            say(f"{DIM}Alice's laptop cannot write there any more: {error.reason}{RESET}")
        jen.send(jen.group(trip.id), "only Bob reads this")
        expect([host.read() for host in everyone], [[], [], [], ["only Bob reads this"], ["only Bob reads this"], []])
        bob.send(bob.group(fork.id), "just us")
        expect([host.read() for host in (phone, laptop, watch, tablet, jen)], [["just us"]] * 4 + [[]])
        bob.send("alice", "and this is no group message")
        expect([host.read() for host in (phone, laptop, watch, tablet)], [["and this is no group message"]] * 4)
        since_groups = relay.view().seen[begun_at:]
        shapes = sorted({(e.size, e.initiation) for seen in since_groups if isinstance(seen, sesame.Submitted) for e in seen.envelopes})
        say("the relay saw no group: messages, a new title, a fork, a leave and a direct message are envelopes of these sizes:")
        say(", ".join(f"{size} B{' initiation' if initiation else ''}" for size, initiation in shapes))

        title("What the relay saw, beside what the devices read")
        uploads: dict[tuple[str, int], tuple[int, int]] = {}
        for seen in relay.view().seen:
            match seen:
                case sesame.Submitted(sender=sender, recipient=recipient, envelopes=envelopes, accepted=accepted):
                    parts = ", ".join(f"{e.device}: {e.size} B{' initiation' if e.initiation else ''}" for e in envelopes)
                    say(f"{sender.user}/{sender.device} -> {recipient} [{parts or 'no other device'}] {'accepted' if accepted else 'refused'}")
                case sesame.BundleFetched(user=user, device=device):
                    say(f"{DIM}prekey bundle of {user}/{device} handed out{RESET}")
                case sesame.Published(user=user, device=device, size=size):
                    count, before = uploads.get((user, device), (0, 0))
                    uploads[user, device] = (count + 1, before + size)
        expect(all(count == 0 for count in relay.view().waiting.values()), True)
        for (user, device), (count, size) in sorted(uploads.items()):
            say(f"{DIM}{user}/{device} published its list and prekeys: {count} uploads, {size} B{RESET}")
        say("who writes to whom and in which of 15 sizes, but no word of it; every mailbox is empty again")
        number = bob.device.registry().safety_number("alice")
        say("safety number of Alice and Bob: " + " ".join(number[at : at + 5] for at in range(0, 60, 5)))
        for host in everyone:
            host.device.close()
    print(f"\n{GREEN}The story is told{RESET} in {time.monotonic() - begun:.1f} s.")


if __name__ == "__main__":
    main()
