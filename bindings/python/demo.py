"""The story: one message to every device, a stale view healed, a restart. Run by `cargo xtask demo`."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path

import sesame
from sesame import Device, Group, LocalRelay

BOLD, DIM, GREEN, RESET = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")


def title(text: str) -> None:
    print(f"\n{BOLD}{text}{RESET}")


def say(text: str) -> None:
    print(f"  {text}")


class Host:
    """An app around one device: it moves bytes between the library and the server, and shows what was read."""

    def __init__(self, name: str, relay: LocalRelay, device: Device, path: Path, key: bytes) -> None:
        self.name, self.relay, self.device, self.path, self.key = name, relay, device, path, key

    def publish(self) -> None:
        while upload := self.device.publication():
            self.relay.publish(self.device.user, self.device.id, upload.bytes)
            self.device.published(upload.id)

    def send(self, to: str | Group, text: str) -> None:
        self.settle(self.device.batch_encrypt([to] if isinstance(to, str) else to, text.encode()))

    def settle(self, pending: sesame.PendingSend) -> None:
        """Submits every batch, brings what is needed, until the send is settled."""
        send: sesame.PendingSend | None = pending
        before: dict[tuple[str, int], bytes] = {}
        while send is not None:
            for batch in send.batches:
                sizes = ", ".join(f"{batch.user}/{out.device} {len(out.envelope)} B" for out in batch.envelopes) or "nobody"
                kept = [out.device for out in batch.envelopes if before.get((batch.user, out.device)) == out.envelope]
                before |= {(batch.user, out.device): out.envelope for out in batch.envelopes}
                match self.relay.submit(self.device.user, self.device.id, batch):
                    case sesame.Accepted():
                        say(f"{self.name} -> relay: batch for {sizes} {GREEN}accepted{RESET}")
                        if kept:
                            say(f"{DIM}byte-identical to the refused batch: device {', '.join(map(str, kept))}{RESET}")
                        self.device.accepted(send.id, batch.user)
                    case sesame.Stale(device_list=device_list, missing=missing):
                        say(f"{self.name} -> relay: batch for {sizes} {BOLD}refused whole{RESET}: device {missing[0]} of {batch.user} is missing")
                        self.device.rejected(send.id, batch.user, device_list=device_list)
                    case sesame.NoSuchUser():
                        self.device.no_such_user(send.id, batch.user)
            for need in send.needs:
                say(f"{DIM}{self.name} fetches {need}{RESET}")
            if answers := self.relay.answer(send.needs):
                self.device.registry().apply(answers)
            send = self.device.pending(send.id)

    def read(self) -> list[str]:
        """Fetches, decrypts in one call, confirms, acks; gives what was read."""
        mails = self.relay.fetch(self.device.user, self.device.id)
        results = self.device.batch_decrypt([mail.envelope for mail in mails]) if mails else []
        self.relay.confirm(self.device.user, self.device.id, [mail.id for mail in mails])
        texts = []
        for result in results:
            match result:
                case sesame.GroupJoined(group=group, user=user, id=int(id)):
                    say(f"{self.name} is in the group {self.group(group).info.name!r} now, by {user}")
                    self.device.ack([id])
                case sesame.GroupAdded(user=user, added=added, id=int(id)):
                    say(f"{self.name} hears: {user} added {', '.join(added)}")
                    self.device.ack([id])
                case sesame.GroupLeft(user=user, id=int(id)):
                    say(f"{self.name} hears: {user} has left")
                    self.device.ack([id])
                case sesame.GroupUpdated(group=group, user=user, id=int(id)):
                    say(f"{self.name} hears: {user} calls the group {self.group(group).info.name!r}")
                    self.device.ack([id])
                case sesame.Message(payload=payload, user=user, recipients=recipients, id=id):
                    kind = f" (transcript: {user} to {', '.join(recipients)})" if recipients else f" (from {user})"
                    say(f"{self.name} reads {BOLD}{payload.decode()!r}{RESET}{DIM}{kind}{RESET}")
                    texts.append(payload.decode())
                    self.device.ack([id])
                case sesame.Failure(reason=reason):
                    raise SystemExit(f"{self.name} could not open an envelope: {reason}")
                case sesame.Held():
                    raise SystemExit(f"{self.name} holds an envelope")
                case event:
                    assert event.id is not None
                    self.device.ack([event.id])
        return texts

    def group(self, id: bytes) -> Group:
        return self.device.group(id)

    def meet(self, *users: str) -> None:
        """Makes users known: their signed device lists come from the server, and their account keys are pinned."""
        self.device.registry().apply(self.relay.answer([sesame.NeedsDeviceList(user=user) for user in users]))

    def reopen(self) -> None:
        self.device.close()
        self.device = Device.open(store=self.path, store_key=self.key)


def create(folder: Path, relay: LocalRelay, name: str, user: str) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    host = Host(name, relay, Device.create(user=user, store_key=key, store=path), path, key)
    host.publish()
    return host


def link(folder: Path, relay: LocalRelay, name: str, primary: Host) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    linking = Device.link(store_key=key, store=path)
    answer = primary.device.confirm_link(linking.code)
    host = Host(name, relay, linking.complete(answer), path, key)
    primary.publish()
    host.publish()
    return host


def expect(actual: object, expected: object) -> None:
    if actual != expected:
        raise SystemExit(f"the story went wrong: {actual!r} in place of {expected!r}")


def main() -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sesame-demo-") as name:
        folder, relay = Path(name), LocalRelay()
        title("Alice has a phone and a laptop, Bob a phone and a tablet")
        phone = create(folder, relay, "Alice's phone", "alice")
        laptop = link(folder, relay, "Alice's laptop", phone)
        bob = create(folder, relay, "Bob's phone", "bob")
        tablet = link(folder, relay, "Bob's tablet", bob)
        say("each with a SQLite store of its own; the laptop and the tablet were linked by a code")

        title("Bob writes once: one call makes the batch for Alice's devices and the batch for his own")
        bob.send("alice", "hello Alice")
        expect([host.read() for host in (phone, laptop, tablet)], [["hello Alice"]] * 3)

        title("Alice answers from her laptop")
        laptop.send("bob", "hi Bob")
        expect([host.read() for host in (bob, tablet, phone)], [["hi Bob"]] * 3)

        title("Alice links a third device; Bob has not heard of it and writes again")
        watch = link(folder, relay, "Alice's watch", phone)
        bob.send("alice", "are you there?")
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
        expect({host.group(trip.id).members for host in everyone}, {("alice", "bob", "jen")})

        title("Jen writes to the group, and every device of every member reads it; then she changes the title")
        before = len(relay.view().seen)
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
        since_groups = relay.view().seen[before:]
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
