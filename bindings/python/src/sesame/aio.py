"""The same handles for asyncio: every call that reads the store is awaited, and the names are the same.

A device has one thread of its own, so that its calls happen in the order in which they were awaited, and the event loop is never held up.

A call that has begun comes to its end, whatever becomes of the task that awaits it: it is one commit, so it happens whole or not at all. If
the task is cancelled before the call has begun, nothing happens. If it is cancelled meanwhile, the result is lost and its effect is not:
messages and events are in ``inbox()``, sends in ``sends()``. An ``exchange`` that is cancelled gives its request back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, NoReturn, ParamSpec, Protocol, Self, TypeVar

from . import handles
from .codes import Code
from .errors import AppError
from .given import BytesLike, Handle, Users
from .loop import Loop, TestClock, answered
from .store import StoreLike
from .values import Answered, GroupChange, GroupInfo, GroupKind, GroupView, PendingSend, ServerRequest

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Handle)
C = TypeVar("C", bound=Handle, covariant=True)

Transport = Callable[[ServerRequest], Awaitable[tuple[int, bytes]]]
"""What brings a request to the server, awaited: it gives the HTTP status and the body, and raises what it likes when no answer came."""


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


class _Over(Protocol[C]):
    @property
    def _thread(self) -> _Thread: ...

    @property
    def _of(self) -> C: ...


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


class _Requests(_Handle):
    """The loop of requests."""

    _of: Loop

    async def exchange(self, transport: Transport) -> list[Answered]:
        """Gives every request that is due to ``transport`` and takes in what it answers; ends whatever the server says.

        An exception out of ``transport`` counts as no answer. The loop comes to its end all the same, and then the first one is raised. If the
        task is cancelled, the request is given out again.
        """
        answers: list[Answered] = []
        failure: Exception | None = None
        given: list[ServerRequest | None] = []
        try:
            while True:
                await self._thread.run(lambda: given.append(self._of.next_request()))
                request = given[0]
                if request is None:
                    break
                status, body = 0, b""
                try:
                    status, body = answered(await transport(request))
                except Exception as error:
                    failure = failure or error
                given.clear()
                answers.append(await self.respond(request.id, status, body))
        except BaseException:
            with suppress(RuntimeError):
                self._thread.pool.submit(self._release, given)
            raise
        if failure is not None:
            raise failure
        return answers

    def _release(self, given: list[ServerRequest | None]) -> None:
        for request in given:
            if request is not None:
                self._of.release(request.id)

    due_in = _awaited(Loop.due_in)
    next_request = _awaited(Loop.next_request)
    release = _awaited(Loop.release)
    respond = _awaited(Loop.respond)
    retry_now = _awaited(Loop.retry_now)


class Device(_Requests):
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
    async def create(
        cls,
        *,
        user: str,
        store_key: BytesLike,
        server: str,
        store: StoreLike | None = None,
        token: BytesLike | None = None,
        clock: TestClock | None = None,
    ) -> Self:
        """See ``sesame.Device.create``."""
        create = handles.Device.create
        return await cls._begin(
            _Thread(user), lambda: create(user=user, store_key=store_key, server=server, store=store, token=token, clock=clock)
        )

    @classmethod
    async def open(cls, *, store: StoreLike, store_key: BytesLike, clock: TestClock | None = None) -> Self:
        """See ``sesame.Device.open``."""
        return await cls._begin(_Thread("device"), lambda: handles.Device.open(store=store, store_key=store_key, clock=clock))

    @staticmethod
    async def link(*, store_key: BytesLike, server: str, store: StoreLike | None = None, clock: TestClock | None = None) -> Linking:
        """See ``sesame.Device.link``."""
        return await Linking._begin(lambda: handles.Device.link(store_key=store_key, server=server, store=store, clock=clock))

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

    async def is_primary(self) -> bool:
        """Whether this device holds the account key: it links and removes devices."""
        return await self._thread.run(lambda: self._of.is_primary)

    async def link_device(self, code: str) -> PendingLink:
        """See ``sesame.Device.link_device``."""
        return PendingLink(self._thread, await self._thread.run(lambda: self._of.link_device(code)))

    ack = _awaited(handles.Device.ack)
    batch_decrypt = _awaited(handles.Device.batch_decrypt)
    batches = _awaited(handles.Device.batches)
    cancel = _awaited(handles.Device.cancel)
    delete_account = _awaited(handles.Device.delete_account)
    groups = _awaited(handles.Device.groups)
    log_out = _awaited(handles.Device.log_out)
    health = _awaited(handles.Device.health)
    inbox = _awaited(handles.Device.inbox)
    hand_over = _awaited(handles.Device.hand_over)
    confirm_handover = _awaited(handles.Device.confirm_handover)
    cancel_handover = _awaited(handles.Device.cancel_handover)
    adopt_own_list = _awaited(handles.Device.adopt_own_list)
    remove_device = _awaited(handles.Device.remove_device)
    request_mail = _awaited(handles.Device.request_mail)
    retry = _awaited(handles.Device.retry)
    send_status = _awaited(handles.Device.send_status)
    sends = _awaited(handles.Device.sends)
    set_memory_limit = _awaited(handles.Device.set_memory_limit)
    keep_sent = _awaited(handles.Device.keep_sent)
    set_push = _awaited(handles.Device.set_push)


class PendingLink(_Handle):
    """A link that the primary has begun, before its app confirms it."""

    _of: handles.PendingLink

    @property
    def id(self) -> bytes:
        """The link's name, 16 bytes."""
        return self._of.id

    @property
    def digits(self) -> str:
        """15 decimal digits, to be compared with those on the new device."""
        return self._of.digits

    @property
    def expires_at(self) -> int:
        """When the link can no longer be confirmed, in ms since 1970, by the new device's clock."""
        return self._of.expires_at

    cancel = _awaited(handles.PendingLink.cancel)
    confirm = _awaited(handles.PendingLink.confirm)


class DeviceRegistry(_Handle):
    """Users, their devices, and whom to trust."""

    _of: handles.DeviceRegistry

    accept_identity = _awaited(handles.DeviceRegistry.accept_identity)
    compare_safety_code = _awaited(handles.DeviceRegistry.compare_safety_code)
    devices = _awaited(handles.DeviceRegistry.devices)
    forget = _awaited(handles.DeviceRegistry.forget)
    look_up = _awaited(handles.DeviceRegistry.look_up)
    mark_verified = _awaited(handles.DeviceRegistry.mark_verified)
    resolve_fork = _awaited(handles.DeviceRegistry.resolve_fork)
    safety_code = _awaited(handles.DeviceRegistry.safety_code)
    safety_number = _awaited(handles.DeviceRegistry.safety_number)
    users = _awaited(handles.DeviceRegistry.users)


class Session(_Handle):
    """The session with one device: what is active now, whatever was before."""

    _of: handles.Session

    encrypt = _awaited(handles.Session.encrypt)
    info = _awaited(handles.Session.info)
    reset = _awaited(handles.Session.reset)


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
    forget = _awaited(handles.Group.forget)
    history = _awaited(handles.Group.history)
    leave = _awaited(handles.Group.leave)
    readmit = _awaited(handles.Group.readmit)
    rename = _awaited(handles.Group.rename)
    send = _awaited(handles.Group.send)
    session = _awaited(handles.Group.session)
    update_info = _awaited(handles.Group.update_info)


class Linking(_Requests):
    """A new device that waits for its primary's answer."""

    _of: handles.Linking

    @classmethod
    async def _begin(cls, make: Callable[[], handles.Linking]) -> Self:
        thread = _Thread("linking")
        try:
            return cls(thread, await thread.run(make))
        except BaseException:
            thread.end()
            raise

    @classmethod
    async def resume(cls, *, store: StoreLike, store_key: BytesLike, clock: TestClock | None = None) -> Self:
        """See ``sesame.Linking.resume``."""
        return await cls._begin(lambda: handles.Linking.resume(store=store, store_key=store_key, clock=clock))

    @property
    def code(self) -> str:
        """What to show as text or QR, to nobody but one's own primary."""
        return self._of.code

    async def device(self) -> Device | None:
        """See ``sesame.Linking.device``. If it is cancelled, the device is in the store: open it there."""
        device = await self._thread.run(self._of.device)
        return None if device is None else Device(self._thread, device)

    async def digits(self) -> str | None:
        """See ``sesame.Linking.digits``."""
        return await self._thread.run(lambda: self._of.digits)

    async def expired(self) -> bool:
        """See ``sesame.Linking.expired``."""
        return await self._thread.run(lambda: self._of.expired)

    confirm = _awaited(handles.Linking.confirm)
