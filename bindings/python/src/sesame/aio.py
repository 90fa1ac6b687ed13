"""The same handles for asyncio: every call that reads the store is awaited, and the names are the same.

A device has one thread of its own, so that its calls happen in the order in which they were awaited, and the event loop is never held up.

A call that has begun comes to its end, whatever becomes of the task that awaits it: it is one commit, so it happens whole or not at all. If
the task is cancelled before the call has begun, nothing happens. If it is cancelled meanwhile, the result is lost and its effect is not:
messages and events are in ``inbox()``, sends in ``outbox()``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, Self, TypeVar

from . import handles
from .codes import Code
from .errors import AppError
from .given import BytesLike, Handle, Users
from .store import StoreLike
from .values import GroupChange, GroupInfo, GroupKind, GroupView, PendingSend

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Handle)


class _Thread:
    """The one thread of a device and of the handles over it."""

    def __init__(self, name: str) -> None:
        self.pool = ThreadPoolExecutor(1, f"sesame {name}")

    async def run(self, call: Callable[[], R]) -> R:
        try:
            begun = self.pool.submit(call)
        except RuntimeError:
            raise AppError(Code.CLOSED, "the handle is closed") from None
        return await asyncio.wrap_future(begun)

    def end(self) -> None:
        """Takes no more calls; those that were awaited before come to their end."""
        self.pool.shutdown(wait=False)


class _Over(Protocol[H]):
    _thread: _Thread
    _of: H


def _awaited(method: Callable[Concatenate[H, P], R]) -> Callable[Concatenate[_Over[H], P], Coroutine[Any, Any, R]]:
    """The method of a handle, as a coroutine."""

    @wraps(method)
    async def call(self: _Over[H], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._thread.run(lambda: method(self._of, *args, **kwargs))

    return call


class _Handle:
    """What the handles have in common."""

    def __init__(self, thread: _Thread, of: Any) -> None:
        self._thread = thread
        self._of = of

    def __repr__(self) -> str:
        return f"aio.{self._of!r}"

    def __refuse(self, *_: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: share the object itself between tasks")

    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = __refuse


def _close(devices: list[handles.Device]) -> None:
    for device in devices:
        device.close()


class Device(_Handle):
    """This device. Use it with ``async with``: at the end its keys are wiped and its store is closed."""

    _of: handles.Device
    _closed: Future[None] | None = None

    @classmethod
    async def _begin(cls, thread: _Thread, make: Callable[[], handles.Device]) -> Self:
        made: list[handles.Device] = []
        try:
            await thread.run(lambda: made.append(make()))
            return cls(thread, made.pop())
        except BaseException:
            # A device that nobody will get is closed in its turn, after it has been made.
            thread.pool.submit(_close, made)
            thread.end()
            raise

    @classmethod
    async def create(cls, *, user: str, store_key: BytesLike, store: StoreLike | None = None) -> Self:
        """See ``sesame.Device.create``."""
        return await cls._begin(_Thread(user), lambda: handles.Device.create(user=user, store_key=store_key, store=store))

    @classmethod
    async def open(cls, *, store: StoreLike, store_key: BytesLike) -> Self:
        """See ``sesame.Device.open``."""
        return await cls._begin(_Thread("device"), lambda: handles.Device.open(store=store, store_key=store_key))

    @staticmethod
    async def link(*, store_key: BytesLike, store: StoreLike | None = None) -> Linking:
        """See ``sesame.Device.link``."""
        thread = _Thread("linking")
        try:
            return Linking(thread, await thread.run(lambda: handles.Device.link(store_key=store_key, store=store)))
        except BaseException:
            thread.end()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Wipes the keys and closes the store after the calls that were awaited before. To close twice is no error."""
        if self._closed is None:
            self._closed = self._thread.pool.submit(self._of.close)
            self._thread.end()
        await asyncio.shield(asyncio.wrap_future(self._closed))

    @property
    def user(self) -> str:
        """The user that this device belongs to."""
        return self._of.user

    @property
    def id(self) -> int:
        """This device's id, unique within its user."""
        return self._of.id

    def registry(self) -> DeviceRegistry:
        """Users and their devices."""
        return DeviceRegistry(self._thread, self._of.registry())

    def session(self, user: str, device: int) -> Session:
        """The session with one device."""
        return Session(self._thread, self._of.session(user, device))

    async def group(self, id: BytesLike) -> Group:
        """The group with this id, 32 bytes."""
        return Group(self._thread, await self._thread.run(lambda: self._of.group(id)))

    async def create_group(
        self, users: Users, info: GroupChange | None = None, *, name: str | None = None, kind: GroupKind = GroupKind.PAIRWISE
    ) -> tuple[Group, PendingSend]:
        """See ``sesame.Device.create_group``."""
        group, send = await self._thread.run(lambda: self._of.create_group(users, info, name=name, kind=kind))
        return Group(self._thread, group), send

    async def batch_encrypt(self, to: Users | Group, payload: BytesLike, *, content_id: BytesLike | None = None) -> PendingSend:
        """See ``sesame.Device.batch_encrypt``."""
        recipients = to._of if isinstance(to, Group) else to
        return await self._thread.run(lambda: self._of.batch_encrypt(recipients, payload, content_id=content_id))

    abandon = _awaited(handles.Device.abandon)
    accepted = _awaited(handles.Device.accepted)
    ack = _awaited(handles.Device.ack)
    batch_decrypt = _awaited(handles.Device.batch_decrypt)
    confirm_link = _awaited(handles.Device.confirm_link)
    groups = _awaited(handles.Device.groups)
    inbox = _awaited(handles.Device.inbox)
    no_such_user = _awaited(handles.Device.no_such_user)
    outbox = _awaited(handles.Device.outbox)
    pending = _awaited(handles.Device.pending)
    publication = _awaited(handles.Device.publication)
    published = _awaited(handles.Device.published)
    rejected = _awaited(handles.Device.rejected)
    reload = _awaited(handles.Device.reload)
    remove_device = _awaited(handles.Device.remove_device)
    tick = _awaited(handles.Device.tick)


class DeviceRegistry(_Handle):
    """Users, their devices, and whom to trust."""

    _of: handles.DeviceRegistry

    accept_identity = _awaited(handles.DeviceRegistry.accept_identity)
    apply = _awaited(handles.DeviceRegistry.apply)
    devices = _awaited(handles.DeviceRegistry.devices)
    mark_verified = _awaited(handles.DeviceRegistry.mark_verified)
    resolve_fork = _awaited(handles.DeviceRegistry.resolve_fork)
    safety_number = _awaited(handles.DeviceRegistry.safety_number)
    users = _awaited(handles.DeviceRegistry.users)


class Session(_Handle):
    """The session with one device: what is active now, whatever was before."""

    _of: handles.Session

    encrypt = _awaited(handles.Session.encrypt)
    info = _awaited(handles.Session.info)


class Group(_Handle):
    """One group. What is said about it is signed, and sent like any other message; the server knows nothing of it."""

    _of: handles.Group

    @property
    def id(self) -> bytes:
        """The group's id, 32 bytes."""
        return self._of.id

    async def members(self) -> tuple[str, ...]:
        """The members, rising."""
        return (await self.view()).members

    async def info(self) -> GroupInfo:
        """Name, description and the like."""
        return (await self.view()).info

    async def fork_without(self, users: Users) -> tuple[Group, PendingSend]:
        """See ``sesame.Group.fork_without``."""
        group, send = await self._thread.run(lambda: self._of.fork_without(users))
        return Group(self._thread, group), send

    async def view(self) -> GroupView:
        """See ``sesame.Group.view``."""
        return await self._thread.run(self._of.view)

    accept = _awaited(handles.Group.accept)
    add = _awaited(handles.Group.add)
    cost = _awaited(handles.Group.cost)
    decline = _awaited(handles.Group.decline)
    history = _awaited(handles.Group.history)
    leave = _awaited(handles.Group.leave)
    rename = _awaited(handles.Group.rename)
    send = _awaited(handles.Group.send)
    session = _awaited(handles.Group.session)
    update_info = _awaited(handles.Group.update_info)


class Linking(_Handle):
    """A new device that waits for its primary's answer."""

    _of: handles.Linking

    @classmethod
    async def resume(cls, *, store: StoreLike, store_key: BytesLike) -> Self:
        """See ``sesame.Linking.resume``."""
        thread = _Thread("linking")
        try:
            return cls(thread, await thread.run(lambda: handles.Linking.resume(store=store, store_key=store_key)))
        except BaseException:
            thread.end()
            raise

    @property
    def code(self) -> str:
        """What to show as text or QR, to nobody but one's own primary."""
        return self._of.code

    async def complete(self, answer: BytesLike) -> Device:
        """Takes the primary's answer and gives the device. If it is cancelled, the device is in the store: open it there."""
        return Device(self._thread, await self._thread.run(lambda: self._of.complete(answer)))
