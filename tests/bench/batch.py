"""What a message costs through Python, by the size of its batch, as ``ffi/benches/batch.rs`` does it in Rust.

Prints a line each: what, how many items in one call, microseconds an item (the median of the rounds).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from sesame import Accepted, Device, LocalRelay, Message, PendingSend, Store

PEERS, SIZES, ROUNDS = 1000, (1, 100, 1000), 7
TEXT = b"a message of about a hundred bytes, as people write them all day long, in the group or to each other"


class Host:
    def __init__(self, user: str, store: Store, relay: LocalRelay) -> None:
        self.user, self.relay = user, relay
        self.device = Device.create(user=user, store_key=bytes([1]) * 32, store=store)
        while upload := self.device.publication():
            relay.publish(user, 1, upload.bytes)
            self.device.published(upload.id)

    def settle(self, send: PendingSend | None) -> None:
        while send is not None:
            for batch in send.batches:
                assert self.relay.submit(self.user, 1, batch) == Accepted()
                self.device.accepted(send.id, batch.user)
            self.device.registry().apply(self.relay.answer(send.needs))
            send = self.device.pending(send.id)

    def fetch(self) -> list[bytes]:
        mails = self.relay.fetch(self.user, 1, limit=PEERS)
        self.relay.confirm(self.user, 1, [mail.id for mail in mails])
        return [mail.envelope for mail in mails]

    def read(self) -> None:
        self.device.batch_decrypt(self.fetch())
        self.ack()

    def ack(self) -> None:
        self.device.ack([item.id for item in self.device.inbox() if hasattr(item, "id") and item.id is not None])

    def meet(self, peers: list[Host]) -> None:
        self.settle(self.device.batch_encrypt([peer.user for peer in peers], TEXT))
        for peer in peers:
            peer.read()
            peer.settle(peer.device.batch_encrypt([self.user], TEXT))
        self.read()


def show(what: str, items: int, times: list[float]) -> None:
    print(f"{what} {items} {median(times) * 1e6 / items:.3f}", flush=True)


def measure(kind: str, writer: Host, reader: Host, users: list[str]) -> None:
    rounds = {items: ROUNDS * (20 if items == 1 else 1) for items in SIZES}
    for items in SIZES:
        times = []
        for _ in range(rounds[items]):
            begun = perf_counter()
            send = writer.device.batch_encrypt(users[:items], TEXT)
            times.append(perf_counter() - begun)
            assert len(send.batches) == items + 1
            writer.settle(send)
        show(f"encrypt{kind}", items, times)
    for items in SIZES:
        times = []
        for _ in range(rounds[items]):
            for _ in range(items):
                writer.settle(writer.device.batch_encrypt([reader.user], TEXT))
            envelopes = reader.fetch()
            begun = perf_counter()
            results = reader.device.batch_decrypt(envelopes)
            times.append(perf_counter() - begun)
            assert sum(isinstance(result, Message) for result in results) == items
            reader.ack()
        show(f"decrypt{kind}", items, times)


def main() -> None:
    relay = LocalRelay()
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
            writer.device.id
            times.append(perf_counter() - begun)
        show("call", 1, times)


if __name__ == "__main__":
    main()
