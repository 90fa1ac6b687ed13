"""What calls take and give: small immutable records, made for ``match``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from . import _native


def _short(data: bytes) -> str:
    return f"<{len(data)} bytes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One device of one user."""

    user: str
    device: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to upload to the server, then confirm with ``device.published(publication.id)``."""

    id: bytes
    bytes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One ciphertext for one device."""

    device: int
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A listed device that gets nothing, and the code that says why."""

    device: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One user's ciphertexts: all of them go to the server together, or none."""

    user: str
    targeted: bool
    envelopes: tuple[Outgoing, ...]
    skips: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsDeviceList:
    """The user's signed device list is missing."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsBundle:
    """A prekey bundle of this device is missing."""

    user: str
    device: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsIdentityAcceptance:
    """The user's account key changed: ask the user, then ``registry.accept_identity(user, account_key)``."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsPublication:
    """This device must upload fresh prekeys before it sends: ``device.publication()``."""


Need = NeedsDeviceList | NeedsBundle | NeedsIdentityAcceptance | NeedsPublication


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the server gave for needs."""

    device_lists: tuple[bytes, ...] = ()
    bundles: tuple[bytes, ...] = ()
    without_bundle: tuple[Address, ...] = ()
    unknown_users: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.device_lists or self.bundles or self.without_bundle or self.unknown_users)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceListChanged:
    """A newer signed device list was taken."""

    user: str
    added: tuple[int, ...]
    removed: tuple[int, ...]
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceListFork:
    """Two signed lists contradict each other; sends go only to devices on both. ``other`` is empty when only a claim was seen."""

    user: str
    known: bytes
    other: bytes
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceListGap:
    """A list jumped so far that its ancestry could not be checked."""

    user: str
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceListOld:
    """The newest list of this user is older than 35 days."""

    user: str
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceListRollback:
    """An older list than the known one was offered and refused."""

    user: str
    epoch: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages ``first`` to ``last`` of a device are missing: lost, withheld, or still to come."""

    user: str
    device: int
    group: bytes | None
    first: int
    last: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAdded:
    """A member was added to a group by ``user``, or has accepted an invitation."""

    group: bytes
    user: str
    device: int
    added: tuple[str, ...]
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDiverged:
    """A device has other operations of a group than this one: call ``device.tick()`` and submit what ``device.outbox()`` gives."""

    group: bytes
    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEquivocation:
    """A device told members of a group different things."""

    group: bytes
    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInvited:
    """This user, who had left a group, is asked back: ``group.accept()`` or ``group.decline()``."""

    group: bytes
    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupJoined:
    """This user is a member of a group now, by the word of ``user``."""

    group: bytes
    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLeft:
    """A member has left a group."""

    group: bytes
    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRevoked:
    """These users are no members after all: who added them had left."""

    group: bytes
    users: tuple[str, ...]
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUpdated:
    """A group's name or other info was changed by ``user``."""

    group: bytes
    user: str
    device: int
    operation: bytes
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDropped:
    """What was held for a user was dropped for age or size."""

    user: str
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleDevice:
    """A bundle older than 14 days was used: the device may be idle."""

    user: str
    device: int
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChanged:
    """Another account key claims this user; sending is blocked and what arrives is held until the app accepts it."""

    user: str
    pinned: bytes
    claimed: bytes
    was_verified: bool
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInconsistent:
    """The server refused a batch and showed no newer list."""

    user: str
    id: int | None = None
    envelope: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """A session was begun by the other side. ``session_id`` is equal on both."""

    user: str
    device: int
    session_id: bytes
    id: int | None = None
    envelope: int | None = None


Event = (
    DeviceListChanged
    | DeviceListFork
    | DeviceListGap
    | DeviceListOld
    | DeviceListRollback
    | Gap
    | GroupAdded
    | GroupDiverged
    | GroupEquivocation
    | GroupInvited
    | GroupJoined
    | GroupLeft
    | GroupRevoked
    | GroupUpdated
    | HeldDropped
    | IdleDevice
    | IdentityChanged
    | ServerInconsistent
    | SessionStarted
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Message:
    """A message that was opened and authenticated; ``recipients`` is set for a transcript of what another own device sent, ``group`` for
    what was said in a group.

    ``id`` is for ``device.ack``; ``content_id`` is the same in every copy and resend; ``envelope`` says which of a batch it came in, from 0.
    """

    id: int
    content_id: bytes
    user: str
    device: int
    group: bytes | None
    session_id: bytes
    sent_at: int
    sequence: int
    recipients: tuple[str, ...] | None
    payload: bytes
    from_removed_device: bool
    no_one_time_key: bool
    older_session: bool
    from_former_member: bool
    envelope: int = 0

    def __repr__(self) -> str:
        return f"Message(id={self.id}, user={self.user!r}, device={self.device}, payload={_short(self.payload)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An envelope that could not be opened; nothing changed by it. With ``confirm`` it will never open, so confirm it to the server."""

    envelope: int
    code: int
    reason: str
    confirm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An envelope that waits here for ``registry.accept_identity``; it may be confirmed to the server."""

    envelope: int


Received = Message | Event | Failure | Held


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSend:
    """How a send stands. It lives in the store: ``device.outbox()`` gives it again after a crash.

    Submit ``batches``, bring ``needs``; each user is settled by ``accepted`` or ``rejected``. ``failed`` maps a user that was given up to
    the code that says why.
    """

    id: bytes
    content_id: bytes
    batches: tuple[Batch, ...]
    needs: tuple[Need, ...]
    failed: dict[str, int]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something in the answers that was not taken."""

    field: str
    item: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of the answers."""

    events: tuple[Event, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user, as this device knows it."""

    user: str
    account_key: bytes
    claimed_key: bytes | None
    verified: bool
    epoch: int
    forked: bool
    paused: bool


class DeviceState(Enum):
    """How a device stands with this one."""

    ACTIVE = "active"
    """Listed, with a usable session."""
    NO_SESSION = "no_session"
    """Listed; the next send initiates."""
    STALE = "stale"
    """No longer listed; kept for late messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """A device, as this device knows it."""

    device: int
    signing_key: bytes
    identity_key: bytes
    state: DeviceState
    session_id: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A session, as this device knows it."""

    id: bytes
    generation: int
    initiating: bool
    sent: int
    received: int
    inactive: int


class GroupKind(Enum):
    """How a group's messages travel."""

    PAIRWISE = "pairwise"
    """A ratchet for each pair of devices, apart from their direct one."""


class Standing(Enum):
    """How this user stands in a group."""

    LEFT = "left"
    """Has left."""
    INVITED = "invited"
    """Has left and is asked back."""
    MEMBER = "member"
    """A member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupInfo:
    """A group's name and what else its members agreed upon."""

    name: str
    description: str
    picture: bytes
    timer: int
    app_data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """New values for a group's info; what is ``None`` stays."""

    name: str | None = None
    description: str | None = None
    picture: bytes | None = None
    timer: int | None = None
    app_data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A group, as this device knows it; ``diverged`` names members' devices with other operations."""

    id: bytes
    kind: GroupKind
    standing: Standing
    members: tuple[str, ...]
    info: GroupInfo
    diverged: tuple[Address, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedInvitation:
    """Came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedMembers:
    """Added, or asked back."""

    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedGroup:
    """Made the group."""

    change: GroupChange


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclinedInvitation:
    """Stayed away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftGroup:
    """Left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredDevice:
    """Took a device of their own off the list."""

    retired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedInfo:
    """Changed the info."""

    change: GroupChange


Act = AcceptedInvitation | AddedMembers | CreatedGroup | DeclinedInvitation | LeftGroup | RetiredDevice | UpdatedInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One operation of a group, with its authenticated author; one that does not ``count`` changes nothing."""

    id: bytes
    user: str
    device: int
    act: Act
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a message to a group costs; ``unknown`` names members whose device list is not here yet."""

    envelopes: int
    bytes: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The server took the batch whole: call ``device.accepted``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The batch was made from a stale view and refused whole: call ``device.rejected`` with the list."""

    device_list: bytes
    missing: tuple[int, ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchUser:
    """The server does not know the user: call ``device.no_such_user``."""


Submission = Accepted | Stale | NoSuchUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An envelope in a mailbox; ``id`` is for ``relay.confirm``."""

    id: int
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEnvelope:
    """One envelope, as the server sees it."""

    device: int
    size: int
    initiation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFetched:
    """The server handed out a bundle."""

    user: str
    device: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A device list or prekeys came up."""

    user: str
    device: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A batch came to the server."""

    sender: Address
    recipient: str
    envelopes: tuple[SeenEnvelope, ...]
    skipped: tuple[int, ...]
    accepted: bool


Seen = BundleFetched | Published | Submitted


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayView:
    """All that the server holds and has seen; ``waiting`` counts the envelopes in each mailbox."""

    seen: tuple[Seen, ...]
    waiting: dict[tuple[str, int], int]


# From the generated types to these, and back. The generated module has no annotations that mypy could follow.

_EVENTS: dict[str, type[Any]] = {
    "DEVICE_LIST_CHANGED": DeviceListChanged,
    "DEVICE_LIST_FORK": DeviceListFork,
    "DEVICE_LIST_GAP": DeviceListGap,
    "DEVICE_LIST_OLD": DeviceListOld,
    "DEVICE_LIST_ROLLBACK": DeviceListRollback,
    "GAP": Gap,
    "GROUP_ADDED": GroupAdded,
    "GROUP_DIVERGED": GroupDiverged,
    "GROUP_EQUIVOCATION": GroupEquivocation,
    "GROUP_INVITED": GroupInvited,
    "GROUP_JOINED": GroupJoined,
    "GROUP_LEFT": GroupLeft,
    "GROUP_REVOKED": GroupRevoked,
    "GROUP_UPDATED": GroupUpdated,
    "HELD_DROPPED": HeldDropped,
    "IDLE_DEVICE": IdleDevice,
    "IDENTITY_CHANGED": IdentityChanged,
    "SERVER_INCONSISTENT": ServerInconsistent,
    "SESSION_STARTED": SessionStarted,
}

_NEEDS: dict[str, type[Any]] = {
    "DEVICE_LIST": NeedsDeviceList,
    "BUNDLE": NeedsBundle,
    "IDENTITY_ACCEPTANCE": NeedsIdentityAcceptance,
    "PUBLICATION": NeedsPublication,
}


def _fields(native: Any) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in vars(native).items()}


def _variant(native: Any) -> str:
    # The generated classes are named after their enum, as in `Need.BUNDLE`.
    return type(native).__name__.rpartition(".")[2]


def event(native: Any, id: int | None = None, envelope: int | None = None) -> Event:
    made: Event = _EVENTS[_variant(native)](**_fields(native), id=id, envelope=envelope)
    return made


def received(native: Any) -> Received:
    match _variant(native):
        case "MESSAGE":
            return Message(id=native.id, envelope=native.envelope, **_fields(native.content))
        case "EVENT":
            return event(native.content, native.id, native.envelope)
        case "FAILURE":
            return Failure(**_fields(native))
        case _:
            return Held(**_fields(native))


def need(native: Any) -> Need:
    made: Need = _NEEDS[_variant(native)](**_fields(native))
    return made


def native_need(need: Need) -> Any:
    native: Any = _native.Need
    match need:
        case NeedsDeviceList(user=user):
            return native.DEVICE_LIST(user)
        case NeedsBundle(user=user, device=device):
            return native.BUNDLE(user, device)
        case NeedsIdentityAcceptance(user=user):
            return native.IDENTITY_ACCEPTANCE(user)
        case NeedsPublication():
            return native.PUBLICATION()


def batch(native: Any) -> Batch:
    return Batch(
        user=native.user,
        targeted=native.targeted,
        envelopes=tuple(Outgoing(**vars(outgoing)) for outgoing in native.envelopes),
        skips=tuple(Skipped(**vars(skip)) for skip in native.skips),
    )


def native_batch(batch: Batch) -> Any:
    native: Any = _native
    return native.Batch(
        user=batch.user,
        targeted=batch.targeted,
        envelopes=[native.Outgoing(device=out.device, envelope=out.envelope) for out in batch.envelopes],
        skips=[native.Skipped(device=skip.device, code=skip.code) for skip in batch.skips],
    )


def pending_send(native: Any) -> PendingSend:
    return PendingSend(
        id=native.id,
        content_id=native.content_id,
        batches=tuple(batch(each) for each in native.batches),
        needs=tuple(need(each) for each in native.needs),
        failed={each.user: each.code for each in native.failed},
        events=tuple(event(each) for each in native.events),
    )


def answers(native: Any) -> Answers:
    return Answers(
        device_lists=tuple(native.device_lists),
        bundles=tuple(native.bundles),
        without_bundle=tuple(Address(**vars(address)) for address in native.without_bundle),
        unknown_users=tuple(native.unknown_users),
    )


def native_answers(answers: Answers) -> Any:
    native: Any = _native
    return native.Answers(
        device_lists=list(answers.device_lists),
        bundles=list(answers.bundles),
        without_bundle=[native.Address(user=at.user, device=at.device) for at in answers.without_bundle],
        unknown_users=list(answers.unknown_users),
    )


def applied(native: Any) -> Applied:
    return Applied(
        events=tuple(event(each) for each in native.events),
        refusals=tuple(Refusal(**vars(each)) for each in native.refusals),
    )


def device_view(native: Any) -> DeviceView:
    fields = vars(native) | {"state": DeviceState[native.state.name]}
    return DeviceView(**fields)


def session_view(native: Any) -> SessionView:
    return SessionView(**vars(native))


def native_change(change: GroupChange) -> Any:
    native: Any = _native
    return native.GroupChange(
        name=change.name,
        description=change.description,
        picture=change.picture,
        timer=change.timer,
        app_data=change.app_data,
    )


def native_kind(kind: GroupKind) -> Any:
    return _native.GroupKind[kind.name]


def group_view(native: Any) -> GroupView:
    return GroupView(
        id=native.id,
        kind=GroupKind[native.kind.name],
        standing=Standing[native.standing.name],
        members=tuple(native.members),
        info=GroupInfo(**vars(native.info)),
        diverged=tuple(Address(**vars(each)) for each in native.diverged),
    )


def history_entry(native: Any) -> HistoryEntry:
    act: Act
    match _variant(native.act):
        case "ACCEPTED":
            act = AcceptedInvitation()
        case "ADDED":
            act = AddedMembers(users=tuple(native.act.users))
        case "CREATED":
            act = CreatedGroup(change=GroupChange(**vars(native.act.change)))
        case "DECLINED":
            act = DeclinedInvitation()
        case "LEFT":
            act = LeftGroup()
        case "RETIRED":
            act = RetiredDevice(retired=native.act.retired)
        case _:
            act = UpdatedInfo(change=GroupChange(**vars(native.act.change)))
    return HistoryEntry(id=native.id, user=native.user, device=native.device, act=act, counts=native.counts)


def cost(native: Any) -> Cost:
    return Cost(envelopes=native.envelopes, bytes=native.bytes, unknown=tuple(native.unknown))


def submission(native: Any) -> Submission:
    match _variant(native):
        case "ACCEPTED":
            return Accepted()
        case "STALE":
            return Stale(**_fields(native))
        case _:
            return NoSuchUser()


def relay_view(native: Any) -> RelayView:
    def seen(one: Any) -> Seen:
        match _variant(one):
            case "BUNDLE_FETCHED":
                return BundleFetched(**_fields(one))
            case "PUBLISHED":
                return Published(**_fields(one))
            case _:
                return Submitted(
                    sender=Address(**vars(one.sender)),
                    recipient=one.recipient,
                    envelopes=tuple(SeenEnvelope(**vars(envelope)) for envelope in one.envelopes),
                    skipped=tuple(one.skipped),
                    accepted=one.accepted,
                )

    return RelayView(
        seen=tuple(seen(one) for one in native.seen),
        waiting={(each.address.user, each.address.device): each.count for each in native.waiting},
    )
