"""Daemon threads inside an app's store, and the interpreter's end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

from memory_store import MemoryStore
from sesame import Device, StoreQuery, StoreSnapshot
from world import KEY, SERVER


class Slow(MemoryStore):
    def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
        time.sleep(random.random() * 0.01)
        return super().load(queries, hold=hold)

    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        time.sleep(random.random() * 0.01)
        super().commit(expected, next, changes)

    def release(self) -> None:
        time.sleep(random.random() * 0.01)


def work(device: Device) -> None:
    while True:
        device.batch_encrypt(["bob"], b"hello")
        device.inbox()
        Device.create(user="jen", store_key=KEY, server=SERVER, store=Slow())


def main() -> None:
    for user in ("alice", "bob"):
        device = Device.create(user=user, store_key=KEY, server=SERVER, store=Slow())
        for _ in range(2):
            threading.Thread(target=work, args=(device,), daemon=True).start()
    time.sleep(random.random() * 0.05)


if __name__ == "__main__":
    main()
