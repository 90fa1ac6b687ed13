"""The handles: a thin layer over the generated ones that takes keywords, closes with ``with``, and raises this package's exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from . import _native, reading, types, values
from .errors import documented, translated
from .given import BytesLike, Envelopes, Handle, Users, envelope_list, id_list, octets, text, user_id, user_list
from .loop import Loop, TestClock, native_clock
from .reading import many, maybe, whole
from .shown import shown
from .store import StoreLike, native_store
from .types import InboxItem
from .values import (
    Batch,
    Cost,
    DeviceView,
    GroupChange,
    GroupInfo,
    GroupKind,
    GroupView,
    HandoverView,
    Health,
    HistoryEntry,
    MailResult,
    PendingSend,
    SendStatus,
    SessionView,
    UserView,
)


def _id(content_id: BytesLike | None) -> bytes | None:
    return None if content_id is None else octets(content_id, "content_id")


class Device(Loop):
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
    @documented(_native.Device.create)
    def create(
        cls,
        *,
        user: str,
        store_key: BytesLike,
        server: str,
        store: StoreLike | None = None,
        token: BytesLike | None = None,
        clock: TestClock | None = None,
    ) -> Self:
        given = octets(store_key, "store_key"), user_id(user, "user"), text(server, "server")
        allowed = None if token is None else octets(token, "token")
        return cls(_native.Device.create(native_store(store), *given, allowed, native_clock(clock)))

    @classmethod
    @documented(_native.Device.open)
    def open(cls, *, store: StoreLike, store_key: BytesLike, clock: TestClock | None = None) -> Self:
        return cls(_native.Device.open(native_store(store), octets(store_key, "store_key"), native_clock(clock)))

    @staticmethod
    @documented(_native.Linking.begin)
    def link(*, store_key: BytesLike, server: str, store: StoreLike | None = None, clock: TestClock | None = None) -> Linking:
        given = octets(store_key, "store_key"), text(server, "server")
        return Linking(_native.Linking.begin(native_store(store), *given, native_clock(clock)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys from memory and closes the store; every later call raises ``AppError`` with code 106. To close twice is no error."""
        self._native.wipe()

    @property
    @documented(_native.Device.user)
    def user(self) -> str:
        return self._user

    @property
    @documented(_native.Device.id)
    def id(self) -> int:
        return self._id

    @property
    @documented(_native.Device.is_primary)
    def is_primary(self) -> bool:
        primary: bool = self._native.is_primary()
        return primary

    @documented(_native.Device.health)
    def health(self) -> Health:
        return whole(reading.health, self._native.health())

    @documented(_native.Device.request_mail)
    def request_mail(self, limit: int = 10_000) -> None:
        self._native.request_mail(limit)

    @documented(_native.Device.registry)
    def registry(self) -> DeviceRegistry:
        return DeviceRegistry(self._native.registry(), self._user)

    @documented(_native.Device.session)
    def session(self, user: str, device: int) -> Session:
        return Session(self._native.session(user_id(user, "user"), device), user, device)

    @documented(_native.Device.batch_encrypt)
    def batch_encrypt(self, to: Users | Group, payload: BytesLike, *, content_id: BytesLike | None = None) -> PendingSend:
        if isinstance(to, Group):
            return to.send(payload, content_id=content_id)
        native = self._native.batch_encrypt(user_list(to, "batch_encrypt"), octets(payload, "payload"), _id(content_id))
        return whole(reading.pending_send, native)

    @translated
    def send_status(self, id: BytesLike) -> SendStatus | None:
        """How a send stands, by its own id or by its content id; nothing once the app has acked its end."""
        name = octets(id, "id")
        found = maybe(reading.send_status, self._native.send_status(name))
        return found if found is not None else maybe(reading.send_status, self._native.send_with(name))

    @documented(_native.Device.sends)
    def sends(self) -> list[SendStatus]:
        return many(reading.send_status, self._native.sends())

    @documented(_native.Device.batches)
    def batches(self, send: BytesLike) -> list[Batch]:
        return many(reading.batch, self._native.batches(octets(send, "send")))

    @documented(_native.Device.cancel)
    def cancel(self, send: BytesLike, users: Users | None = None) -> None:
        self._native.cancel(octets(send, "send"), None if users is None else user_list(users, "cancel"))

    @documented(_native.Device.retry)
    def retry(self, send: BytesLike) -> None:
        self._native.retry(octets(send, "send"))

    @documented(_native.Device.create_group)
    def create_group(
        self, users: Users, info: GroupChange | None = None, *, name: str | None = None, kind: GroupKind = GroupKind.PAIRWISE
    ) -> tuple[Group, PendingSend]:
        change = info if info is not None else GroupChange(name=name)
        native = values.native_group_kind(kind), values.native_group_change(change), user_list(users, "create_group")
        return _new_group(self._native.create_group(*native))

    @documented(_native.Device.group)
    def group(self, id: BytesLike) -> Group:
        return Group(self._native.group(octets(id, "id")))

    @documented(_native.Device.groups)
    def groups(self) -> list[GroupView]:
        return many(reading.group_view, self._native.groups())

    @documented(_native.Device.batch_decrypt)
    def batch_decrypt(self, envelopes: Envelopes, *, complete: bool = False) -> list[MailResult]:
        given = envelope_list(envelopes)
        return many(reading.mail_result, self._native.batch_decrypt(given, complete)) if given else []

    @documented(_native.Device.inbox)
    def inbox(self, *, after: int = 0, limit: int = 256) -> list[InboxItem]:
        return many(types.inbox_item, self._native.inbox(after, limit))

    @documented(_native.Device.ack)
    def ack(self, ids: Iterable[int]) -> None:
        self._native.ack(id_list(ids))

    @documented(_native.Device.set_push)
    def set_push(self, value: BytesLike | None = None) -> None:
        self._native.set_push(None if value is None else octets(value, "value"))

    @documented(_native.Device.keep_sent)
    def keep_sent(self, days: int) -> None:
        self._native.keep_sent(days)

    @documented(_native.Device.set_memory_limit)
    def set_memory_limit(self, limit: int) -> None:
        self._native.set_memory_limit(limit)

    @documented(_native.Device.delete_account)
    def delete_account(self) -> None:
        self._native.delete_account()

    @documented(_native.Device.log_out)
    def log_out(self) -> PendingSend:
        return whole(reading.pending_send, self._native.log_out())

    @translated
    def link_device(self, code: str) -> PendingLink:
        """On the primary: reads the code that a new device shows.

        Nothing is signed yet: show the digits, and call the link's ``confirm()`` once the user has seen the same ones on the new device.
        """
        return PendingLink(self._native, self._native.link_device(text(code, "code")))

    @documented(_native.Device.hand_over)
    def hand_over(self, device: int) -> HandoverView:
        return whole(reading.handover_view, self._native.hand_over(device))

    @documented(_native.Device.confirm_handover)
    def confirm_handover(self, handover: BytesLike) -> None:
        self._native.confirm_handover(octets(handover, "handover"))

    @documented(_native.Device.cancel_handover)
    def cancel_handover(self, handover: BytesLike) -> None:
        self._native.cancel_handover(octets(handover, "handover"))

    @documented(_native.Device.adopt_own_list)
    def adopt_own_list(self, hash: BytesLike) -> None:
        self._native.adopt_own_list(octets(hash, "hash"))

    @documented(_native.Device.remove_device)
    def remove_device(self, device: int) -> None:
        self._native.remove_device(device)


class PendingLink(Handle):
    """A link that the primary has begun, before its app confirms it."""

    def __init__(self, device: Any, view: Any) -> None:
        super().__init__(device)
        self._view = view

    def __repr__(self) -> str:
        return f"PendingLink(digits={self.digits!r})"

    @property
    def id(self) -> bytes:
        """The link's name, 16 bytes."""
        id: bytes = self._view.id
        return id

    @property
    def digits(self) -> str:
        """15 decimal digits. The app shows them, and goes on only if the user sees the same ones on the new device."""
        digits: str = self._view.digits
        return digits

    @property
    def expires_at(self) -> int:
        """When the link can no longer be confirmed, in ms since 1970, by the new device's clock."""
        expires_at: int = self._view.expires_at
        return expires_at

    @documented(_native.Device.confirm_link)
    def confirm(self) -> int:
        device: int = self._native.confirm_link(self.id)
        return device

    @documented(_native.Device.cancel_link)
    def cancel(self) -> None:
        self._native.cancel_link(self.id)


class DeviceRegistry(Handle):
    """Users, their devices, and whom to trust."""

    def __init__(self, native: Any, user: str) -> None:
        super().__init__(native)
        self._user = user

    def __repr__(self) -> str:
        return f"DeviceRegistry(of={self._user!r})"

    @documented(_native.DeviceRegistry.users)
    def users(self) -> list[UserView]:
        return many(reading.user_view, self._native.users())

    @documented(_native.DeviceRegistry.devices)
    def devices(self, user: str) -> list[DeviceView]:
        return many(reading.device_view, self._native.devices(user_id(user, "user")))

    @documented(_native.DeviceRegistry.look_up)
    def look_up(self, users: Users) -> None:
        self._native.look_up(user_list(users, "look_up"))

    @documented(_native.DeviceRegistry.forget)
    def forget(self, user: str) -> None:
        self._native.forget(user_id(user, "user"))

    @documented(_native.DeviceRegistry.accept_identity)
    def accept_identity(self, user: str, account_key: BytesLike) -> None:
        self._native.accept_identity(user_id(user, "user"), octets(account_key, "account_key"))

    @documented(_native.DeviceRegistry.mark_verified)
    def mark_verified(self, user: str) -> None:
        self._native.mark_verified(user_id(user, "user"))

    @documented(_native.DeviceRegistry.resolve_fork)
    def resolve_fork(self, user: str, hash: BytesLike) -> None:
        self._native.resolve_fork(user_id(user, "user"), octets(hash, "hash"))

    @documented(_native.DeviceRegistry.safety_number)
    def safety_number(self, user: str) -> str:
        number: str = self._native.safety_number(user_id(user, "user"))
        return number

    @documented(_native.DeviceRegistry.safety_code)
    def safety_code(self, user: str) -> str:
        code: str = self._native.safety_code(user_id(user, "user"))
        return code

    @documented(_native.DeviceRegistry.compare_safety_code)
    def compare_safety_code(self, user: str, code: str) -> bool:
        same: bool = self._native.compare_safety_code(user_id(user, "user"), text(code, "code"))
        return same


class Session(Handle):
    """The session with one device: what is active now, whatever was before."""

    def __init__(self, native: Any, user: str, device: int) -> None:
        super().__init__(native)
        self._user, self._device = user, device

    def __repr__(self) -> str:
        return f"Session(user={self._user!r}, device={self._device})"

    @documented(_native.Session.info)
    def info(self) -> SessionView | None:
        return maybe(reading.session_view, self._native.info())

    @documented(_native.Session.encrypt)
    def encrypt(self, payload: BytesLike) -> PendingSend:
        return whole(reading.pending_send, self._native.encrypt(octets(payload, "payload")))

    @documented(_native.Session.reset)
    def reset(self) -> None:
        self._native.reset()


def _new_group(native: Any) -> tuple[Group, PendingSend]:
    return Group(native.group()), whole(reading.pending_send, native.send())


class Group(Handle):
    """One group. What is said about it is signed, and sent like any other message; the server knows nothing of it."""

    def __repr__(self) -> str:
        return f"Group(id={shown('id', self._native.id())})"

    @property
    @documented(_native.Group.id)
    def id(self) -> bytes:
        id: bytes = self._native.id()
        return id

    @documented(_native.Group.view)
    def view(self) -> GroupView:
        return whole(reading.group_view, self._native.view())

    @property
    def members(self) -> tuple[str, ...]:
        """The members, rising."""
        return self.view().members

    @property
    def info(self) -> GroupInfo:
        """Name, description and the like."""
        return self.view().info

    @documented(_native.Group.add)
    def add(self, users: Users) -> PendingSend:
        return whole(reading.pending_send, self._native.add(user_list(users, "add")))

    @documented(_native.Group.readmit)
    def readmit(self, user: str) -> PendingSend:
        return whole(reading.pending_send, self._native.readmit(text(user, "user")))

    @documented(_native.Group.update_info)
    def update_info(self, change: GroupChange) -> PendingSend:
        return whole(reading.pending_send, self._native.update_info(values.native_group_change(change)))

    @documented(_native.Group.rename)
    def rename(self, name: str) -> PendingSend:
        return whole(reading.pending_send, self._native.rename(text(name, "name")))

    @documented(_native.Group.leave)
    def leave(self) -> PendingSend:
        return whole(reading.pending_send, self._native.leave())

    @documented(_native.Group.accept)
    def accept(self) -> PendingSend:
        return whole(reading.pending_send, self._native.accept())

    @documented(_native.Group.decline)
    def decline(self) -> PendingSend:
        return whole(reading.pending_send, self._native.decline())

    @documented(_native.Group.fork_without)
    def fork_without(self, users: Users) -> tuple[Group, PendingSend]:
        return _new_group(self._native.fork_without(user_list(users, "fork_without")))

    @documented(_native.Group.send)
    def send(self, payload: BytesLike, *, content_id: BytesLike | None = None) -> PendingSend:
        return whole(reading.pending_send, self._native.send(octets(payload, "payload"), _id(content_id)))

    @documented(_native.Group.session)
    def session(self, user: str, device: int) -> SessionView | None:
        return maybe(reading.session_view, self._native.session(user_id(user, "user"), device))

    @documented(_native.Group.forget)
    def forget(self) -> None:
        self._native.forget()

    @documented(_native.Group.history)
    def history(self) -> list[HistoryEntry]:
        return many(reading.history_entry, self._native.history())

    @documented(_native.Group.cost)
    def cost(self, length: int) -> Cost:
        return whole(reading.cost, self._native.cost(length))


class Linking(Loop):
    """A new device that waits for its primary's answer."""

    def __repr__(self) -> str:
        return "Linking()"

    @classmethod
    @documented(_native.Linking.resume)
    def resume(cls, *, store: StoreLike, store_key: BytesLike, clock: TestClock | None = None) -> Self:
        return cls(_native.Linking.resume(native_store(store), octets(store_key, "store_key"), native_clock(clock)))

    @property
    @documented(_native.Linking.code)
    def code(self) -> str:
        code: str = self._native.code()
        return code

    @property
    @documented(_native.Linking.digits)
    def digits(self) -> str | None:
        digits: str | None = self._native.digits()
        return digits

    @documented(_native.Linking.confirm)
    def confirm(self) -> None:
        self._native.confirm()

    @property
    @documented(_native.Linking.expired)
    def expired(self) -> bool:
        expired: bool = self._native.expired()
        return expired

    # No property: it gives the device away, and a debugger that shows properties would take it.
    @documented(_native.Linking.device)
    def device(self) -> Device | None:
        native = self._native.device()
        return None if native is None else Device(native)
