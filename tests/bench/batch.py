"""What a message costs through Python, by the size of its batch, as ``ffi/benches/batch.rs`` does it in Rust.

``encrypt`` is a send to so many users to its end, ``decrypt`` a mailbox of so many messages, both through the loop and without the relay;
``inbox`` reads what they said, the sender and the payload of each; ``envelopes`` is ``batch_decrypt`` of so many envelopes with a look at each
result; ``ack`` ends so many items. Prints a line each: what, how many items, microseconds of this thread an item (the median of the rounds).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import thread_time

from sesame import Device, LocalRelay, MailOutcome, Message, RequestKind, Store

PEERS = 250
SENDS, MAILS = (1, 100, PEERS), (1, 100, 1000)
SERVER = "relay.example"
TEXT = b"a message of about a hundred bytes, as people write them all day long, in the group or to each other"


class Host:
    def __init__(self, user: str, store: Store, relay: LocalRelay) -> None:
        self.user, self.relay = user, relay
        self.device = Device.create(user=user, store_key=bytes([1]) * 32, server=SERVER, store=store)
        self.exchange()

    def exchange(self) -> float:
        """Runs the loop; gives what the library itself took, without the relay."""
        ours = 0.0
        while True:
            begun = thread_time()
            request = self.device.next_request()
            ours += thread_time() - begun
            if request is None:
                return ours
            status, body = self.relay.perform(request)
            assert status == 200, request
            begun = thread_time()
            self.device.respond(request.id, status, body)
            # What follows from mail, its confirmation, is not what is measured.
            if request.kind is not RequestKind.CONFIRM:
                ours += thread_time() - begun

    def send(self, to: list[str]) -> float:
        """One send to its end."""
        begun = thread_time()
        self.device.batch_encrypt(to, TEXT)
        encrypted = thread_time() - begun
        return encrypted + self.exchange()

    def ack(self) -> int:
        """Acks the inbox; gives how many items it had."""
        acked = 0
        while items := self.device.inbox(limit=4096):
            self.device.ack([item.id for item in items])
            acked += len(items)
        return acked

    def read(self) -> float:
        """Opens all that waits."""
        self.device.request_mail()
        return self.exchange()

    def look(self) -> tuple[list[int], int]:
        """Reads the inbox as an app does: the ids, and the bytes of the senders' names and of the payloads."""
        ids, octets = [], 0
        for item in self.device.inbox(limit=4096):
            ids.append(item.id)
            match item:
                case Message(user=user, payload=payload):
                    octets += len(user) + len(payload)
        return ids, octets

    def open(self, envelopes: list[bytes]) -> int:
        """How many of these envelopes were opened."""
        return sum(result.outcome is MailOutcome.OPENED for result in self.device.batch_decrypt(envelopes))

    def meet(self, peers: list[Host]) -> None:
        """Begins sessions, and has them answered: what is measured is what most messages are."""
        self.send([peer.user for peer in peers])
        for peer in peers:
            peer.read()
            peer.send([self.user])
            peer.ack()
        self.read()
        self.ack()


def show(what: str, items: int, times: list[float]) -> None:
    print(f"{what} {items} {median(times) * 1e6 / items:.3f}", flush=True)


def rounds(items: int) -> int:
    return {1: 60, 100: 11}.get(items, 5)


def write(writer: Host, reader: Host, items: int) -> None:
    """Puts so many messages into the reader's mailbox."""
    for _ in range(items):
        writer.send([reader.user])
    writer.ack()


def measure(kind: str, writer: Host, reader: Host, users: list[str]) -> None:
    for items in SENDS:
        times = []
        for _ in range(rounds(items)):
            times.append(writer.send(users[:items]))
            assert writer.ack() == 1, "its end"
        show(f"encrypt{kind}", items, times)
    device, relay = reader.device, reader.relay
    for items in MAILS[:-1] if kind else MAILS:
        figures: dict[str, list[float]] = {"decrypt": [], "inbox": [], "envelopes": [], "ack": []}
        for _ in range(rounds(items)):
            write(writer, reader, items)
            figures["decrypt"].append(reader.read())
            begun = thread_time()
            ids, octets = reader.look()
            figures["inbox"].append(thread_time() - begun)
            assert octets == items * (len(writer.user) + len(TEXT))
            begun = thread_time()
            device.ack(ids)
            figures["ack"].append(thread_time() - begun)
            write(writer, reader, items)
            envelopes = relay.mailbox(reader.user, device.id)
            begun = thread_time()
            opened = reader.open(envelopes)
            figures["envelopes"].append(thread_time() - begun)
            assert opened == items
            relay.lose(reader.user, device.id)
            reader.exchange()
            assert reader.ack() == items
        for what, times in figures.items():
            show(f"{what}{kind}", items, times)


def main() -> None:
    relay = LocalRelay(SERVER)
    peers = [Host(f"peer-{n}", Store.memory(), relay) for n in range(PEERS)]
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("", "-sqlite"):
            stores = [Store.memory() if not kind else Store.sqlite(Path(folder, name)) for name in ("writer", "reader")]
            writer, reader = Host(f"writer{kind}", stores[0], relay), Host(f"reader{kind}", stores[1], relay)
            writer.meet(peers)
            writer.meet([reader])
            measure(kind, writer, reader, [peer.user for peer in peers])
        times = []
        for _ in range(20):
            begun = thread_time()
            for _ in range(1000):
                writer.device.registry()
            times.append((thread_time() - begun) / 1000)
        show("call", 1, times)


if __name__ == "__main__":
    main()
