"""What a message costs through Python, by the size of its batch, as ``ffi/benches/batch.rs`` does it in Rust.

``encrypt`` is a send to so many users to its end, ``decrypt`` a mailbox of so many messages, both as the library's own time, without the
relay. Prints a line each: what, how many items, microseconds an item (the median of the rounds).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from sesame import Device, LocalRelay, RequestKind, Store

PEERS, SIZES, ROUNDS = 250, (1, 100, 250), 7
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
            begun = perf_counter()
            request = self.device.next_request()
            ours += perf_counter() - begun
            if request is None:
                return ours
            status, body = self.relay.perform(request)
            assert status == 200, request
            begun = perf_counter()
            self.device.respond(request.id, status, body)
            # What follows from mail, its confirmation, is not what is measured.
            if request.kind is not RequestKind.CONFIRM:
                ours += perf_counter() - begun

    def send(self, to: list[str]) -> float:
        """One send to its end."""
        begun = perf_counter()
        self.device.batch_encrypt(to, TEXT)
        encrypted = perf_counter() - begun
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


def measure(kind: str, writer: Host, reader: Host, users: list[str]) -> None:
    rounds = {items: ROUNDS * (20 if items == 1 else 1) for items in SIZES}
    for items in SIZES:
        times = []
        for _ in range(rounds[items]):
            times.append(writer.send(users[:items]))
            assert writer.ack() == 1, "its end"
        show(f"encrypt{kind}", items, times)
    for items in SIZES:
        times = []
        for _ in range(rounds[items]):
            for _ in range(items):
                writer.send([reader.user])
            writer.ack()
            times.append(reader.read())
            assert reader.ack() == items
        show(f"decrypt{kind}", items, times)


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
        for _ in range(2000):
            begun = perf_counter()
            writer.device.registry()
            times.append(perf_counter() - begun)
        show("call", 1, times)


if __name__ == "__main__":
    main()
