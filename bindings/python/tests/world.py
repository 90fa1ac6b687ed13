"""Users, devices and a relay, as an app would drive them through the bindings."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import sesame
from sesame import Device, LocalRelay

KEY = bytes(range(32))


class Host:
    """One device, and everything that it has read."""

    def __init__(self, relay: LocalRelay, device: Device) -> None:
        self.relay, self.device = relay, device
        self.user, self.id = device.user, device.id
        self.read: Counter[bytes] = Counter()
        self.results: list[sesame.Received] = []

    @property
    def name(self) -> tuple[str, int]:
        return self.user, self.id

    def publish(self) -> None:
        while upload := self.device.publication():
            self.relay.publish(self.user, self.id, upload.bytes)
            self.device.published(upload.id)

    def encrypt(self, to: list[str], payload: bytes) -> bytes:
        return self.device.batch_encrypt(to, payload).id

    def settle(self, send: bytes) -> sesame.PendingSend | None:
        """Submits and answers needs until nothing more can be done; gives what is left."""
        for _ in range(20):
            pending = self.device.pending(send)
            if pending is None or not (pending.batches or pending.needs):
                return pending
            for batch in pending.batches:
                match self.relay.submit(self.user, self.id, batch):
                    case sesame.Accepted():
                        self.device.accepted(send, batch.user)
                    case sesame.Stale(device_list=device_list):
                        self.device.rejected(send, batch.user, device_list=device_list)
                    case sesame.NoSuchUser():
                        self.device.no_such_user(send, batch.user)
            answers = self.relay.answer(pending.needs)
            if answers:
                self.device.registry().apply(answers)
            elif not pending.batches:
                return pending
        raise AssertionError("the send goes round in circles")

    def send(self, to: list[str], payload: bytes) -> None:
        assert self.settle(self.encrypt(to, payload)) is None

    def act(self, send: sesame.PendingSend) -> None:
        """Brings a send to its end, and whatever else waits."""
        assert self.settle(send.id) is None
        for waiting in self.device.outbox():
            assert self.settle(waiting.id) is None

    def meet(self, *users: str) -> None:
        """Makes users known, so that they can be added to a group."""
        self.device.registry().apply(self.relay.answer([sesame.NeedsDeviceList(user=user) for user in users]))

    def fetch(self, order: random.Random | None = None) -> list[sesame.Received]:
        """One `batch_decrypt` of the whole mailbox; counts what was read."""
        mails = self.relay.fetch(self.user, self.id)
        if not mails:
            return []
        if order:
            order.shuffle(mails)
        results = self.device.batch_decrypt([mail.envelope for mail in mails])
        self.relay.confirm(self.user, self.id, [mail.id for mail in mails])
        self.take(results)
        return results

    def take(self, results: list[sesame.Received]) -> None:
        self.results += results
        for result in results:
            if isinstance(result, sesame.Message):
                self.read[result.payload] += 1
        self.device.ack([result.id for result in results if not isinstance(result, sesame.Duplicate | sesame.Failure | sesame.Held) and result.id is not None])


class World:
    """Everything there is."""

    def __init__(self, folder: Path | None = None) -> None:
        self.relay = LocalRelay()
        self.hosts: dict[tuple[str, int], Host] = {}
        self.folder = folder
        self.made = 0

    def path(self) -> Path | None:
        self.made += 1
        return self.folder / f"{self.made}.db" if self.folder else None

    def create(self, user: str) -> Host:
        host = Host(self.relay, Device.create(user=user, store_key=KEY, store=self.path()))
        host.publish()
        self.hosts[host.name] = host
        return host

    def link(self, user: str) -> Host:
        primary = self.hosts[user, 1]
        linking = Device.link(store_key=KEY, store=self.path())
        host = Host(self.relay, linking.complete(primary.device.confirm_link(linking.code)))
        primary.publish()
        host.publish()
        self.hosts[host.name] = host
        return host

    def remove(self, user: str, device: int) -> Host:
        primary = self.hosts[user, 1]
        primary.device.remove_device(device)
        primary.publish()
        return self.hosts.pop((user, device))

    def of(self, user: str) -> list[Host]:
        return [host for host in self.hosts.values() if host.user == user]
