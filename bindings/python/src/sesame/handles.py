"""The handles: a thin layer over the generated ones that takes keywords, closes with ``with``, and raises this package's exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from . import _native, types, values
from .errors import translated
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


class Device:
    """This device. Any thread may call it; every call reads the store and commits once.

    Use it with ``with``: at the end its keys are wiped from memory.
    """

    def __init__(self, native: Any) -> None:
        self._native = native

    @classmethod
    @_documented(_native.Device.create)
    def create(cls, *, user: str, store_key: bytes, store: StoreLike | None = None) -> Self:
        return cls(_native.Device.create(native_store(store), store_key, user))

    @classmethod
    @_documented(_native.Device.open)
    def open(cls, *, store: StoreLike, store_key: bytes) -> Self:
        return cls(_native.Device.open(native_store(store), store_key))

    @staticmethod
    @_documented(_native.Linking.begin)
    def link(*, store_key: bytes, store: StoreLike | None = None) -> Linking:
        return Linking(_native.Linking.begin(native_store(store), store_key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys from memory; every later call raises ``AppError`` with code 106."""
        self._native.wipe()

    @property
    @_documented(_native.Device.user)
    def user(self) -> str:
        user: str = self._native.user()
        return user

    @property
    @_documented(_native.Device.id)
    def id(self) -> int:
        id: int = self._native.id()
        return id

    @_documented(_native.Device.publication)
    def publication(self, *, left: int | None = None) -> Publication | None:
        native = self._native.publication(left)
        return None if native is None else values.publication(native)

    @_documented(_native.Device.published)
    def published(self, id: bytes) -> None:
        self._native.published(id)

    @_documented(_native.Device.registry)
    def registry(self) -> DeviceRegistry:
        return DeviceRegistry(self._native.registry())

    @_documented(_native.Device.session)
    def session(self, user: str, device: int) -> Session:
        return Session(self._native.session(user, device))

    @_documented(_native.Device.batch_encrypt)
    def batch_encrypt(self, to: Sequence[str] | Group, payload: bytes, *, content_id: bytes | None = None) -> PendingSend:
        if isinstance(to, Group):
            return to.send(payload, content_id=content_id)
        return values.pending_send(self._native.batch_encrypt(list(to), payload, content_id))

    @_documented(_native.Device.create_group)
    def create_group(
        self, users: Sequence[str], info: GroupChange | None = None, *, name: str | None = None, kind: GroupKind = GroupKind.PAIRWISE
    ) -> tuple[Group, PendingSend]:
        change = info if info is not None else GroupChange(name=name)
        return _new_group(self._native.create_group(values.native_group_kind(kind), values.native_group_change(change), list(users)))

    @_documented(_native.Device.group)
    def group(self, id: bytes) -> Group:
        return Group(self._native.group(id))

    @_documented(_native.Device.groups)
    def groups(self) -> list[GroupView]:
        return [values.group_view(view) for view in self._native.groups()]

    @_documented(_native.Device.accepted)
    def accepted(self, send: bytes, user: str) -> None:
        self._native.accepted(send, user)

    @_documented(_native.Device.rejected)
    def rejected(self, send: bytes, user: str, *, device_list: bytes) -> PendingSend:
        return values.pending_send(self._native.rejected(send, user, device_list))

    @_documented(_native.Device.no_such_user)
    def no_such_user(self, send: bytes, user: str) -> PendingSend:
        return values.pending_send(self._native.no_such_user(send, user))

    @_documented(_native.Device.abandon)
    def abandon(self, send: bytes, user: str) -> None:
        self._native.abandon(send, user)

    @_documented(_native.Device.pending)
    def pending(self, send: bytes) -> PendingSend | None:
        native = self._native.pending(send)
        return None if native is None else values.pending_send(native)

    @_documented(_native.Device.outbox)
    def outbox(self) -> list[PendingSend]:
        return [values.pending_send(send) for send in self._native.outbox()]

    @_documented(_native.Device.batch_decrypt)
    def batch_decrypt(self, envelopes: Sequence[bytes]) -> list[Received]:
        return [types.received(result) for result in self._native.batch_decrypt(list(envelopes))]

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


class DeviceRegistry:
    """Users, their devices, and whom to trust."""

    def __init__(self, native: Any) -> None:
        self._native = native

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
    def accept_identity(self, user: str, account_key: bytes) -> list[Received]:
        return [types.received(result) for result in self._native.accept_identity(user, account_key)]

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


class Session:
    """The session with one device: what is active now, whatever was before."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @_documented(_native.Session.info)
    def info(self) -> SessionView | None:
        native = self._native.info()
        return None if native is None else values.session_view(native)

    @_documented(_native.Session.encrypt)
    def encrypt(self, payload: bytes) -> PendingSend:
        return values.pending_send(self._native.encrypt(payload))


def _new_group(native: Any) -> tuple[Group, PendingSend]:
    return Group(native.group()), values.pending_send(native.send())


class Group:
    """One group. What is said about it is signed, and sent like any other message; the server knows nothing of it."""

    def __init__(self, native: Any) -> None:
        self._native = native

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
    def add(self, users: Sequence[str]) -> PendingSend:
        return values.pending_send(self._native.add(list(users)))

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
    def fork_without(self, users: Sequence[str]) -> tuple[Group, PendingSend]:
        return _new_group(self._native.fork_without(list(users)))

    @_documented(_native.Group.send)
    def send(self, payload: bytes, *, content_id: bytes | None = None) -> PendingSend:
        return values.pending_send(self._native.send(payload, content_id))

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


class Linking:
    """A new device that waits for its primary's answer."""

    def __init__(self, native: Any) -> None:
        self._native = native

    @classmethod
    @_documented(_native.Linking.resume)
    def resume(cls, *, store: StoreLike, store_key: bytes) -> Self:
        return cls(_native.Linking.resume(native_store(store), store_key))

    @property
    @_documented(_native.Linking.code)
    def code(self) -> str:
        code: str = self._native.code()
        return code

    @_documented(_native.Linking.complete)
    def complete(self, answer: bytes) -> Device:
        return Device(self._native.complete(answer))


class LocalRelay:
    """A whole server in memory. ``user`` and ``device`` of a call stand for whom the transport has authenticated."""

    def __init__(self) -> None:
        native: Any = _native
        self._native = native.LocalRelay()

    @_documented(_native.LocalRelay.publish)
    def publish(self, user: str, device: int, publication: bytes) -> int:
        left: int = self._native.publish(user, device, publication)
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
