"""Users, devices and a relay, as an app would drive them through the bindings."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import sesame
from sesame import Device, LocalRelay, Outcome, TestClock

KEY = bytes(range(32))
SERVER = "relay.example"


class Host:
    """One device, and everything that it has read."""

    def __init__(self, relay: LocalRelay, device: Device) -> None:
        self.relay, self.device = relay, device
        self.user, self.id = device.user, device.id
        self.read: Counter[bytes] = Counter()
        self.items: list[sesame.InboxItem] = []

    @property
    def name(self) -> tuple[str, int]:
        return self.user, self.id

    def exchange(self) -> list[sesame.Answered]:
        """The whole loop, over a server that has nothing to complain of."""
        answers = self.device.exchange(self.relay.perform)
        assert [answer.problem for answer in answers if answer.problem] == []
        return answers

    def settle(self, send: sesame.PendingSend) -> sesame.SendStatus:
        """Brings a send to its end, and whatever else waits."""
        self.exchange()
        status = self.device.send_status(send.id)
        assert status is not None and status.finished, status
        self.take()
        return status

    def act(self, send: sesame.PendingSend) -> sesame.SendStatus:
        """The same for a send that reaches everybody."""
        status = self.settle(send)
        assert all(user.outcome is Outcome.SENT for user in status.users), status
        return status

    def send(self, to: list[str], payload: bytes) -> sesame.SendStatus:
        return self.act(self.device.batch_encrypt(to, payload))

    def meet(self, *users: str) -> None:
        """Makes users known, so that they can be added to a group."""
        self.device.registry().look_up(users)
        self.exchange()
        self.take()

    def fetch(self, order: random.Random | None = None) -> list[sesame.InboxItem]:
        """The whole mailbox; counts what was read. With ``order``, by one ``batch_decrypt`` of its envelopes in any order."""
        if order is None:
            self.device.request_mail()
        else:
            envelopes = self.relay.mailbox(self.user, self.id)
            self.relay.lose(self.user, self.id)
            order.shuffle(envelopes)
            results = self.device.batch_decrypt(envelopes, complete=True)
            assert not any(result.keep for result in results)
        self.exchange()
        return self.take()

    def take(self) -> list[sesame.InboxItem]:
        """Reads the inbox and acks it."""
        taken: list[sesame.InboxItem] = []
        while items := self.device.inbox():
            self.device.ack([item.id for item in items])
            taken += items
        self.read.update(item.payload for item in taken if isinstance(item, sesame.Message))
        self.items += taken
        return taken


class World:
    """Everything there is."""

    def __init__(self, folder: Path | None = None, clock: TestClock | None = None) -> None:
        self.relay = LocalRelay(SERVER, clock)
        self.clock = clock
        self.hosts: dict[tuple[str, int], Host] = {}
        self.folder = folder
        self.made = 0

    def path(self) -> Path | None:
        self.made += 1
        return self.folder / f"{self.made}.db" if self.folder else None

    def join(self, device: Device) -> Host:
        host = Host(self.relay, device)
        host.exchange()
        host.take()
        self.hosts[host.name] = host
        return host

    def create(self, user: str) -> Host:
        return self.join(Device.create(user=user, store_key=KEY, server=SERVER, store=self.path(), clock=self.clock))

    def link(self, user: str) -> Host:
        primary = self.hosts[user, 1]
        linking = Device.link(store_key=KEY, server=SERVER, store=self.path(), clock=self.clock)
        pending = primary.device.link_device(linking.code)
        primary.exchange()
        linking.exchange(self.relay.perform)
        assert linking.digits == pending.digits
        linking.confirm()
        number = pending.confirm()
        primary.exchange()
        primary.take()
        linking.exchange(self.relay.perform)
        device = linking.device()
        assert device is not None and device.id == number
        return self.join(device)

    def remove(self, user: str, device: int) -> Host:
        primary = self.hosts[user, 1]
        primary.device.remove_device(device)
        primary.exchange()
        primary.take()
        return self.hosts.pop((user, device))

    def of(self, user: str) -> list[Host]:
        return [host for host in self.hosts.values() if host.user == user]
