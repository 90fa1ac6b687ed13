"""The handles: a thin layer over the generated ones that takes keywords, closes with ``with``, and raises this package's exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from . import _native, types, values
from .errors import translated
from .given import BytesLike, Envelopes, Handle, Users, envelope_list, octets, user_id, user_list
from .store import StoreLike, native_store
from .types import Mail, Received, RelayView, Submission
from .values import (
    Answers,
    Applied,
    Batch,
    Cost,
    DeviceView,
    Event,
    GroupChange,
    GroupInfo,
    GroupKind,
    GroupView,
    HistoryEntry,
    Need,
    PendingSend,
    Publication,
    SessionView,
    UserView,
)

F = TypeVar("F", bound=Callable[..., Any])


def _documented(native: Any) -> Callable[[F], F]:
    """Takes the docstring over from Rust and translates what is raised."""

    def wrap(method: F) -> F:
        text = " ".join((native.__doc__ or "").split())
        method.__doc__ = text
        wrapped: Any = translated(method)
        return wrapped  # type: ignore[no-any-return]

    return wrap


def _id(content_id: BytesLike | None) -> bytes | None:
    return None if content_id is None else octets(content_id, "content_id")


class Device(Handle):
    """This device. Any thread may call it; every call reads the store and commits once.

    Use it with ``with``: at the end its keys are wiped from memory and its store is closed.
    """

    def __init__(self, native: Any) -> None:
        super().__init__(native)
        self._user: str = native.user()
        self._id: int = native.id()

    def __repr__(self) -> str:
        return f"Device(user={self._user!r}, id={self._id})"

    @classmethod
    @_documented(_native.Device.create)
    def create(cls, *, user: str, store_key: BytesLike, store: StoreLike | None = None) -> Self:
        return cls(_native.Device.create(native_store(store), octets(store_key, "store_key"), user_id(user, "user")))

    @classmethod
    @_documented(_native.Device.open)
    def open(cls, *, store: StoreLike, store_key: BytesLike) -> Self:
        return cls(_native.Device.open(native_store(store), octets(store_key, "store_key")))

    @staticmethod
    @_documented(_native.Linking.begin)
    def link(*, store_key: BytesLike, store: StoreLike | None = None) -> Linking:
        return Linking(_native.Linking.begin(native_store(store), octets(store_key, "store_key")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys from memory and closes the store; every later call raises ``AppError`` with code 106. To close twice is no error."""
        self._native.wipe()

    @property
    @_documented(_native.Device.user)
    def user(self) -> str:
        return self._user

    @property
    @_documented(_native.Device.id)
    def id(self) -> int:
        return self._id

    @_documented(_native.Device.publication)
    def publication(self, *, left: int | None = None) -> Publication | None:
        native = self._native.publication(left)
        return None if native is None else values.publication(native)

    @_documented(_native.Device.published)
    def published(self, id: BytesLike) -> None:
        self._native.published(octets(id, "id"))

    @_documented(_native.Device.registry)
    def registry(self) -> DeviceRegistry:
        return DeviceRegistry(self._native.registry(), self._user)

    @_documented(_native.Device.session)
    def session(self, user: str, device: int) -> Session:
        return Session(self._native.session(user_id(user, "user"), device), user, device)

    @_documented(_native.Device.batch_encrypt)
    def batch_encrypt(self, to: Users | Group, payload: BytesLike, *, content_id: BytesLike | None = None) -> PendingSend:
        if isinstance(to, Group):
            return to.send(payload, content_id=content_id)
        native = self._native.batch_encrypt(user_list(to, "batch_encrypt"), octets(payload, "payload"), _id(content_id))
        return values.pending_send(native)

    @_documented(_native.Device.create_group)
    def create_group(
        self, users: Users, info: GroupChange | None = None, *, name: str | None = None, kind: GroupKind = GroupKind.PAIRWISE
    ) -> tuple[Group, PendingSend]:
        change = info if info is not None else GroupChange(name=name)
        native = values.native_group_kind(kind), values.native_group_change(change), user_list(users, "create_group")
        return _new_group(self._native.create_group(*native))

    @_documented(_native.Device.group)
    def group(self, id: BytesLike) -> Group:
        return Group(self._native.group(octets(id, "id")))

    @_documented(_native.Device.groups)
    def groups(self) -> list[GroupView]:
        return [values.group_view(view) for view in self._native.groups()]

    @_documented(_native.Device.accepted)
    def accepted(self, send: BytesLike, user: str) -> None:
        self._native.accepted(octets(send, "send"), user)

    @_documented(_native.Device.rejected)
    def rejected(self, send: BytesLike, user: str, *, device_list: BytesLike) -> PendingSend:
        return values.pending_send(self._native.rejected(octets(send, "send"), user, octets(device_list, "device_list")))

    @_documented(_native.Device.no_such_user)
    def no_such_user(self, send: BytesLike, user: str) -> PendingSend:
        return values.pending_send(self._native.no_such_user(octets(send, "send"), user))

    @_documented(_native.Device.abandon)
    def abandon(self, send: BytesLike, user: str) -> None:
        self._native.abandon(octets(send, "send"), user)

    @_documented(_native.Device.pending)
    def pending(self, send: BytesLike) -> PendingSend | None:
        native = self._native.pending(octets(send, "send"))
        return None if native is None else values.pending_send(native)

    @_documented(_native.Device.outbox)
    def outbox(self) -> list[PendingSend]:
        return [values.pending_send(send) for send in self._native.outbox()]

    @_documented(_native.Device.batch_decrypt)
    def batch_decrypt(self, envelopes: Envelopes) -> list[Received]:
        given = envelope_list(envelopes)
        return [types.received(result) for result in self._native.batch_decrypt(given)] if given else []

    @_documented(_native.Device.inbox)
    def inbox(self) -> list[Received]:
        return [types.received(row) for row in self._native.inbox()]

    @_documented(_native.Device.ack)
    def ack(self, ids: Iterable[int]) -> None:
        self._native.ack(list(ids))

    @_documented(_native.Device.tick)
    def tick(self, *, mailbox_empty: bool = False) -> list[Event]:
        return [values.event(event) for event in self._native.tick(mailbox_empty)]

    @_documented(_native.Device.confirm_link)
    def confirm_link(self, code: str) -> bytes:
        answer: bytes = self._native.confirm_link(code)
        return answer

    @_documented(_native.Device.remove_device)
    def remove_device(self, device: int) -> list[Event]:
        return [values.event(event) for event in self._native.remove_device(device)]

    @_documented(_native.Device.reload)
    def reload(self) -> None:
        self._native.reload()


class DeviceRegistry(Handle):
    """Users, their devices, and whom to trust."""

    def __init__(self, native: Any, user: str) -> None:
        super().__init__(native)
        self._user = user

    def __repr__(self) -> str:
        return f"DeviceRegistry(of={self._user!r})"

    @_documented(_native.DeviceRegistry.users)
    def users(self) -> list[UserView]:
        return [values.user_view(user) for user in self._native.users()]

    @_documented(_native.DeviceRegistry.devices)
    def devices(self, user: str) -> list[DeviceView]:
        return [values.device_view(device) for device in self._native.devices(user)]

    @_documented(_native.DeviceRegistry.apply)
    def apply(self, answers: Answers) -> Applied:
        return values.applied(self._native.apply(values.native_answers(answers)))

    @_documented(_native.DeviceRegistry.accept_identity)
    def accept_identity(self, user: str, account_key: BytesLike) -> list[Received]:
        return [types.received(result) for result in self._native.accept_identity(user, octets(account_key, "account_key"))]

    @_documented(_native.DeviceRegistry.mark_verified)
    def mark_verified(self, user: str) -> None:
        self._native.mark_verified(user)

    @_documented(_native.DeviceRegistry.resolve_fork)
    def resolve_fork(self, user: str) -> None:
        self._native.resolve_fork(user)

    @_documented(_native.DeviceRegistry.safety_number)
    def safety_number(self, user: str) -> str:
        number: str = self._native.safety_number(user)
        return number


class Session(Handle):
    """The session with one device: what is active now, whatever was before."""

    def __init__(self, native: Any, user: str, device: int) -> None:
        super().__init__(native)
        self._user, self._device = user, device

    def __repr__(self) -> str:
        return f"Session(user={self._user!r}, device={self._device})"

    @_documented(_native.Session.info)
    def info(self) -> SessionView | None:
        native = self._native.info()
        return None if native is None else values.session_view(native)

    @_documented(_native.Session.encrypt)
    def encrypt(self, payload: BytesLike) -> PendingSend:
        return values.pending_send(self._native.encrypt(octets(payload, "payload")))


def _new_group(native: Any) -> tuple[Group, PendingSend]:
    return Group(native.group()), values.pending_send(native.send())


class Group(Handle):
    """One group. What is said about it is signed, and sent like any other message; the server knows nothing of it."""

    def __repr__(self) -> str:
        return f"Group(id={self._native.id().hex()[:8]}…)"

    @property
    @_documented(_native.Group.id)
    def id(self) -> bytes:
        id: bytes = self._native.id()
        return id

    @_documented(_native.Group.view)
    def view(self) -> GroupView:
        return values.group_view(self._native.view())

    @property
    def members(self) -> tuple[str, ...]:
        """The members, rising."""
        return self.view().members

    @property
    def info(self) -> GroupInfo:
        """Name, description and the like."""
        return self.view().info

    @_documented(_native.Group.add)
    def add(self, users: Users) -> PendingSend:
        return values.pending_send(self._native.add(user_list(users, "add")))

    @_documented(_native.Group.update_info)
    def update_info(self, change: GroupChange) -> PendingSend:
        return values.pending_send(self._native.update_info(values.native_group_change(change)))

    @_documented(_native.Group.rename)
    def rename(self, name: str) -> PendingSend:
        return values.pending_send(self._native.rename(name))

    @_documented(_native.Group.leave)
    def leave(self) -> PendingSend:
        return values.pending_send(self._native.leave())

    @_documented(_native.Group.accept)
    def accept(self) -> PendingSend:
        return values.pending_send(self._native.accept())

    @_documented(_native.Group.decline)
    def decline(self) -> PendingSend:
        return values.pending_send(self._native.decline())

    @_documented(_native.Group.fork_without)
    def fork_without(self, users: Users) -> tuple[Group, PendingSend]:
        return _new_group(self._native.fork_without(user_list(users, "fork_without")))

    @_documented(_native.Group.send)
    def send(self, payload: BytesLike, *, content_id: BytesLike | None = None) -> PendingSend:
        return values.pending_send(self._native.send(octets(payload, "payload"), _id(content_id)))

    @_documented(_native.Group.session)
    def session(self, user: str, device: int) -> SessionView | None:
        native = self._native.session(user, device)
        return None if native is None else values.session_view(native)

    @_documented(_native.Group.history)
    def history(self) -> list[HistoryEntry]:
        return [values.history_entry(entry) for entry in self._native.history()]

    @_documented(_native.Group.cost)
    def cost(self, length: int) -> Cost:
        return values.cost(self._native.cost(length))


class Linking(Handle):
    """A new device that waits for its primary's answer."""

    def __repr__(self) -> str:
        return "Linking()"

    @classmethod
    @_documented(_native.Linking.resume)
    def resume(cls, *, store: StoreLike, store_key: BytesLike) -> Self:
        return cls(_native.Linking.resume(native_store(store), octets(store_key, "store_key")))

    @property
    @_documented(_native.Linking.code)
    def code(self) -> str:
        code: str = self._native.code()
        return code

    @_documented(_native.Linking.complete)
    def complete(self, answer: BytesLike) -> Device:
        return Device(self._native.complete(octets(answer, "answer")))


class LocalRelay(Handle):
    """A whole server in memory. ``user`` and ``device`` of a call stand for whom the transport has authenticated."""

    def __repr__(self) -> str:
        return "LocalRelay()"

    def __init__(self) -> None:
        native: Any = _native
        super().__init__(native.LocalRelay())

    @_documented(_native.LocalRelay.publish)
    def publish(self, user: str, device: int, publication: BytesLike) -> int:
        left: int = self._native.publish(user, device, octets(publication, "publication"))
        return left

    @_documented(_native.LocalRelay.device_list)
    def device_list(self, user: str) -> bytes | None:
        device_list: bytes | None = self._native.device_list(user)
        return device_list

    @_documented(_native.LocalRelay.bundle)
    def bundle(self, user: str, device: int) -> bytes | None:
        bundle: bytes | None = self._native.bundle(user, device)
        return bundle

    @_documented(_native.LocalRelay.answer)
    def answer(self, needs: Sequence[Need]) -> Answers:
        return values.answers(self._native.answer([values.native_need(need) for need in needs]))

    @_documented(_native.LocalRelay.submit)
    def submit(self, user: str, device: int, batch: Batch) -> Submission:
        return types.submission(self._native.submit(user, device, values.native_batch(batch)))

    @_documented(_native.LocalRelay.fetch)
    def fetch(self, user: str, device: int, *, limit: int = 4096) -> list[Mail]:
        return [Mail(**vars(mail)) for mail in self._native.fetch(user, device, limit)]

    @_documented(_native.LocalRelay.confirm)
    def confirm(self, user: str, device: int, ids: Iterable[int]) -> None:
        self._native.confirm(user, device, list(ids))

    @_documented(_native.LocalRelay.view)
    def view(self) -> RelayView:
        return types.relay_view(self._native.view())
