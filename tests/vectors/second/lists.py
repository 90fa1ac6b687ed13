"""Device lists and their descent: docs/wire.md 5."""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import Reader, check, join, point, sha256, user_id, verify, verifying_key, versioned


@dataclass
class Listed:
    id: int
    signing_key: bytes
    identity_key: bytes
    suites: bytes
    added_at: int

    @property
    def keys(self) -> bytes:
        return self.signing_key + self.identity_key


@dataclass
class DeviceList:
    hash: bytes
    user: bytes
    account_key: bytes
    epoch: int
    devices: dict[int, Listed]
    last_id: int
    history: bytes


def device_list(form: bytes) -> DeviceList:
    """The form of what is signed."""
    r = versioned(form)
    r.number(1)
    user, account_key, epoch, _issued_at = r.opaque(1), r.take(32), r.number(8), r.number(8)
    devices = r.each(2, lambda d: Listed(d.number(4), d.take(32), d.take(32), d.opaque(1), d.number(8)))
    last_id, primary, history = r.number(4), r.number(4), r.take(32)
    r.end()
    user_id(user)
    check(devices != [], 307)
    check(len(devices) <= 32, 308)
    check(1 <= epoch < 2**63, 203)
    for at, device in enumerate(devices):
        check(len(device.suites) <= 8, 204)
        check(device.suites != b"" and 1 <= device.added_at <= epoch, 203)
        check(device.signing_key != account_key, 303)
        for other in devices[:at]:
            check(other.id != device.id, 306)
            check(other.id < device.id, 203)
            check(other.signing_key != device.signing_key and other.identity_key != device.identity_key, 303)
    listed = {device.id: device for device in devices}
    check(max(listed) <= last_id and primary in listed, 203)
    check((epoch == 1) == (history == bytes(32)), 311)
    return DeviceList(sha256(form), user, account_key, epoch, listed, last_id, history)


def verified(form: bytes, signature: bytes) -> DeviceList:
    """A list, its keys and its signature."""
    made = device_list(form)
    verify(verifying_key(made.account_key), b"sesame/1 sign device list", form, signature)
    for device in made.devices.values():
        verifying_key(device.signing_key)
        point(device.identity_key)
    return made


def signed_list(data: bytes) -> DeviceList:
    r = Reader(data)
    form, signature = r.opaque(2), r.take(64)
    r.end()
    return verified(form, signature)


@dataclass
class Chain:
    """Hashes of consecutive lists, with the history of the first; and what the newest says of ids."""

    first: int
    history: bytes
    hashes: list[bytes]
    last_id: int = 0
    devices: dict[int, bytes] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        return self.first + len(self.hashes) - 1

    def after(self) -> bytes:
        history = self.history
        for one in self.hashes:
            history = sha256(join(b"sesame/1 list history", history, one))
        return history


def shown_list(data: bytes, most: int = 1025) -> tuple[DeviceList, Chain]:
    """A ShownList: a list, and what its links prove."""
    r = Reader(data)
    form, signature, links = r.opaque(2), r.take(64), r.names(2)
    r.end()
    check(len(links) <= most, 203)
    made = verified(form, signature)
    devices = {id: device.keys for id, device in made.devices.items()}
    if not links:
        return made, Chain(made.epoch, made.history, [made.hash], made.last_id, devices)
    history, *before = links
    earlier = Chain(made.epoch - len(before), history, before)
    check(before != [] and earlier.first >= 1 and earlier.after() == made.history, 311)
    return made, Chain(earlier.first, history, [*before, made.hash], made.last_id, devices)


def verdict(ours: Chain, theirs: Chain) -> str:
    """How a list that is shown stands to the one that is held."""
    common = min(ours.newest, theirs.newest)
    if common >= max(ours.first, theirs.first):
        if ours.hashes[common - ours.first] != theirs.hashes[common - theirs.first]:
            return "fork"
        found = "same" if ours.newest == theirs.newest else "newer" if theirs.newest > ours.newest else "older"
    elif theirs.first == ours.newest + 1:
        found = "newer" if theirs.history == ours.after() else "fork"
    elif ours.first == theirs.newest + 1:
        found = "older" if ours.history == theirs.after() else "fork"
    else:
        return "not proved" if theirs.newest > ours.newest else "below"
    if found == "newer":
        again = any(ours.devices.get(device, None if device <= ours.last_id else keys) != keys for device, keys in theirs.devices.items())
        if again or theirs.last_id < ours.last_id:
            return "fork"
    return found
