"""What came of an envelope, and what the relay in memory gives and shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import values
from .codes import Code
from .shown import Value
from .values import Address, Event, Message, _variant


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sender(Value):
    """The device that an envelope says it comes from."""

    user: str
    device: int
    authenticated: bool
    """Whether the envelope's gate fits the keys that are known for this device. If not, anybody may have written this address on it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Duplicate(Value):
    """An envelope that was received before; nothing changed by it. Confirm it to the server."""

    envelope: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Failure(Value):
    """An envelope that could not be opened; nothing changed by it. With ``confirm`` it will never open, so confirm it to the server."""

    envelope: int
    sender: Sender | None
    """The sender, if the envelope can be read so far."""
    code: Code
    reason: str
    confirm: bool


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Held(Value):
    """An envelope that waits here for ``registry.accept_identity``, or for its group to be known; confirm it to the server."""

    envelope: int


Received = Message | Event | Duplicate | Failure | Held


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Accepted(Value):
    """The server took the batch whole: call ``device.accepted``."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stale(Value):
    """The batch was made from a stale view and refused whole: call ``device.rejected`` with the list."""

    device_list: bytes
    missing: tuple[int, ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NoSuchUser(Value):
    """The server does not know the user: call ``device.no_such_user``."""


Submission = Accepted | Stale | NoSuchUser


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Mail(Value):
    """An envelope in a mailbox; ``id`` is for ``relay.confirm``."""

    id: int
    envelope: bytes


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


def failure(native: Any) -> Failure:
    it = native.sender
    return Failure(
        envelope=native.envelope,
        sender=None if it is None else Sender(user=it.user, device=it.device, authenticated=it.authenticated),
        code=Code(native.code.value),
        reason=native.reason,
        confirm=native.confirm,
    )


def received(native: Any) -> Received:
    match _variant(native):
        case "MESSAGE":
            return values.message(native.content, native.id, native.envelope)
        case "EVENT":
            return values.event(native.content, native.id, native.envelope)
        case "DUPLICATE":
            return Duplicate(envelope=native.envelope)
        case "FAILURE":
            return failure(native)
        case _:
            return Held(envelope=native.envelope)


def submission(native: Any) -> Submission:
    match _variant(native):
        case "ACCEPTED":
            return Accepted()
        case "STALE":
            return Stale(device_list=native.device_list, missing=tuple(native.missing), gone=tuple(native.gone))
        case _:
            return NoSuchUser()


def relay_view(native: Any) -> RelayView:
    def seen(one: Any) -> Seen:
        match _variant(one):
            case "BUNDLE_FETCHED":
                return BundleFetched(user=one.user, device=one.device)
            case "PUBLISHED":
                return Published(user=one.user, device=one.device, size=one.size)
            case _:
                return Submitted(
                    sender=values.address(one.sender),
                    recipient=one.recipient,
                    envelopes=tuple(SeenEnvelope(**vars(envelope)) for envelope in one.envelopes),
                    skipped=tuple(one.skipped),
                    accepted=one.accepted,
                )

    return RelayView(
        seen=tuple(seen(one) for one in native.seen),
        waiting={(each.address.user, each.address.device): each.count for each in native.waiting},
    )
