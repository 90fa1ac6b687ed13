"""The story: one message to every device, a stale view healed, a restart. Run by `cargo xtask demo`."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path

import sesame
from sesame import Device, LocalRelay

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

    def send(self, to: str, text: str) -> None:
        """Submits every batch, brings what is needed, until the send is settled."""
        send: sesame.PendingSend | None = self.device.batch_encrypt([to], text.encode())
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

    def reopen(self) -> None:
        self.device.close()
        self.device = Device.open(path=self.path, store_key=self.key)


def create(folder: Path, relay: LocalRelay, name: str, user: str) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    host = Host(name, relay, Device.create(user=user, store_key=key, path=path), path, key)
    host.publish()
    return host


def link(folder: Path, relay: LocalRelay, name: str, primary: Host) -> Host:
    key, path = secrets.token_bytes(32), folder / f"{name.replace(' ', '-')}.db"
    linking = Device.link(store_key=key, path=path)
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
        for host in hosts:
            host.device.close()
    print(f"\n{GREEN}The story is told{RESET} in {time.monotonic() - begun:.1f} s.")


if __name__ == "__main__":
    main()
