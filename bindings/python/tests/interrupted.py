"""Two devices that are interrupted inside their calls, so many times: ``python interrupted.py TIMES sqlite|memory|app``."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from memory_store import MemoryStore
from sesame import Device, LocalRelay, Store
from sesame.store import StoreLike
from world import KEY, SERVER, Host


class Interrupt(BaseException):
    """What the handler raises. It is no ``Exception``, as ``KeyboardInterrupt`` is none."""


class Alarm:
    """Raises at a random moment."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.raised = self.seen = 0
        signal.signal(signal.SIGALRM, self.ring)

    def ring(self, number: int, frame: FrameType | None) -> None:
        self.raised += 1
        raise Interrupt

    def during(self, act: Callable[[], object]) -> None:
        """Runs an act until it is interrupted or has ended."""
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, self.random.choice([2e-5, 1e-4, 5e-4, 3e-3]) * self.random.random() + 1e-6)
                act()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupt:
            self.seen += 1


def store_of(kind: str, folder: Path, user: str) -> StoreLike:
    match kind:
        case "sqlite":
            return folder / f"{user}.db"
        case "memory":
            return Store.memory()
        case _:
            return MemoryStore()


def resident() -> int:
    """The process's memory, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def give_up(device: Device) -> None:
    """Ends what was interrupted, and every pause."""
    for send in device.sends():
        device.cancel(send.id)
    while items := device.inbox():
        device.ack([item.id for item in items])
    device.retry_now()


def open_files(folder: Path) -> list[str]:
    """The store's files that this process has open."""
    entries = [f"/proc/self/fd/{entry}" for entry in os.listdir("/proc/self/fd")]
    return [os.readlink(entry) for entry in entries if os.path.lexists(entry) and os.readlink(entry).startswith(str(folder))]


def main(times: int, kind: str, folder: Path) -> None:
    alarm = Alarm(times)
    relay = LocalRelay(SERVER)
    stores = {user: store_of(kind, folder, user) for user in ("alice", "bob")}
    hosts = {user: Host(relay, Device.create(user=user, store_key=KEY, server=SERVER, store=store)) for user, store in stores.items()}
    for host in hosts.values():
        host.exchange()
    hosts["alice"].send(["bob"], b"hello")
    hosts["bob"].fetch()
    before, warm = 0, times // 4
    while alarm.raised < times:
        (name, host), (other, peer) = alarm.random.sample(list(hosts.items()), 2)
        device, store = host.device, stores[name]
        acts: list[Callable[[], object]] = [
            lambda: device.batch_encrypt([other], bytes(60_000)),
            lambda: (device.inbox(), device.groups(), device.registry().users(), device.registry().devices(other)),
            lambda: (device.sends(), device.health(), device.due_in()),
            lambda: Device.open(store=store, store_key=KEY).registry().users(),
            lambda: device.session(other, 1).info(),
            lambda: (device.batch_encrypt([other], b"interrupted"), device.exchange(relay.perform)),
            lambda: (peer.device.request_mail(), peer.device.exchange(relay.perform), peer.take()),
            lambda: Device.create(user="carol", store_key=KEY, server=SERVER, store=store_of("app", folder, "carol")).next_request(),
            lambda: (device.next_request(), device.batch_decrypt([b"no envelope"], complete=True)),
            lambda: Store.app(MemoryStore()),
        ]
        alarm.during(alarm.random.choice(acts))
        if alarm.raised % 20 == 0:
            for host in hosts.values():
                give_up(host.device)
                host.items.clear()
        if before == 0 and alarm.raised >= warm:
            gc.collect()
            before = resident()
    assert alarm.seen == alarm.raised, f"{alarm.raised - alarm.seen} of {alarm.raised} interrupts were swallowed"
    gc.collect()
    assert resident() - before < 30_000_000, f"{resident() - before} bytes were not freed"
    for host in hosts.values():
        give_up(host.device)
        host.exchange()
        host.take()
    hosts["alice"].send(["bob"], b"still here")
    hosts["bob"].fetch()
    host = peer = hosts.pop("alice")
    del host, peer, device, acts, hosts
    gc.collect()
    assert open_files(folder) == [], "a device was not freed"
    again = {user: Host(relay, Device.open(store=store, store_key=KEY)) for user, store in stores.items()}
    for sender, reader in (("alice", "bob"), ("bob", "alice")):
        again[sender].send([reader], b"opened again")
        again[reader].fetch()
        assert again[reader].read[b"opened again"] == 1
    print("whole")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(int(sys.argv[1]), sys.argv[2], Path(place))
