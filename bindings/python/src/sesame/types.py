"""What waits in the inbox, and what the relay in memory answers and shows."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any, NamedTuple

from . import reading
from .shown import Value, shown
from .values import Address, Event, Message

InboxItem = Message | Event
"""An item of the inbox. It waits until ``device.ack([item.id])``."""


class ServerAnswer(NamedTuple):
    """What the server answers."""

    status: int
    """The HTTP status."""
    body: bytes
    """The body."""

    def __repr__(self) -> str:
        return f"ServerAnswer(status={self.status}, body={shown('body', self.body)})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SeenEnvelope(Value):
    """One envelope, as the server sees it."""

    device: int
    size: int
    initiation: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BundleFetched(Value):
    """The server handed out a bundle."""

    user: str
    device: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Published(Value):
    """A device list or prekeys came up."""

    user: str
    device: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Submitted(Value):
    """A batch came to the server."""

    sender: Address
    recipient: str
    envelopes: tuple[SeenEnvelope, ...]
    skipped: tuple[int, ...]
    accepted: bool


Seen = BundleFetched | Published | Submitted


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RelayView(Value):
    """All that the server holds and has seen; ``waiting`` counts the envelopes in each mailbox."""

    seen: tuple[Seen, ...]
    waiting: dict[tuple[str, int], int]


_head = Struct(">iQ").unpack_from


def inbox_item(data: bytes, at: int) -> tuple[InboxItem, int]:
    """Reads an item, and gives the place where it ends."""
    kind, id = _head(data, at)
    return reading.message(data, at + 12, id) if kind == 1 else reading.event(data, at + 12, id)


def _variant(native: Any) -> str:
    # UniFFI names a variant's class after its enum, as in `SeenByRelay.PUBLISHED`.
    return type(native).__name__.rpartition(".")[2]


def _address(native: Any) -> Address:
    return Address(user=native.user, device=native.device)


def relay_view(native: Any) -> RelayView:
    def seen(one: Any) -> Seen:
        match _variant(one):
            case "BUNDLE_FETCHED":
                return BundleFetched(user=one.user, device=one.device)
            case "PUBLISHED":
                return Published(user=one.user, device=one.device, size=one.size)
            case _:
                return Submitted(
                    sender=_address(one.sender),
                    recipient=one.recipient,
                    envelopes=tuple(SeenEnvelope(**vars(envelope)) for envelope in one.envelopes),
                    skipped=tuple(one.skipped),
                    accepted=one.accepted,
                )

    return RelayView(
        seen=tuple(seen(one) for one in native.seen),
        waiting={(each.address.user, each.address.device): each.count for each in native.waiting},
    )
