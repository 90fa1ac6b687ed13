"""What calls are given: users in a collection, bytes in any form that Python has for them, and what handles have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, Protocol

BytesLike = bytes | bytearray | memoryview


class Users(Protocol):
    """User ids in a list, a tuple, a set, or anything else with a length. A ``str`` is one user id, and no collection of them."""

    # A `str` does not look for an `object` in itself, which tells it from every collection.
    def __contains__(self, user: object, /) -> bool: ...

    def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int: ...


class Envelopes(Protocol):
    """Envelopes in a list, a tuple, or anything else with a length. ``bytes`` are one envelope, and no collection of them."""

    def __iter__(self) -> Iterator[BytesLike]: ...

    def __len__(self) -> int: ...


def user_list(users: Users, name: str) -> list[str]:
    """The user ids in a list."""
    if isinstance(users, str):
        raise TypeError(f"{name} takes user ids in a list: [{users!r}], not {users!r}")
    if isinstance(users, bytes | bytearray | memoryview):
        raise TypeError(f"{name} takes user ids in a list, not {type(users).__name__}")
    return [user_id(user, name) for user in users]


def user_id(user: str, name: str) -> str:
    """One user id."""
    if not isinstance(user, str):
        raise TypeError(f"{name}: a user id is a str, not {type(user).__name__}")
    return user


def octets(value: BytesLike, name: str) -> bytes:
    """The bytes of whatever has some."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        raise TypeError(f"{name} takes bytes, not str: text becomes bytes by .encode(), bytes in hexadecimal by bytes.fromhex()")
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise TypeError(f"{name} takes bytes, not {type(value).__name__}") from None


def text(value: str, name: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} takes a str, not {type(value).__name__}")
    return value


def id_list(ids: Iterable[int]) -> list[int]:
    """The ids of inbox items in a list."""
    if isinstance(ids, int | str | bytes):
        raise TypeError(f"ack takes ids in a list: [item.id], not {type(ids).__name__}")
    given = list(ids)
    for id in given:
        if not isinstance(id, int):
            raise TypeError(f"ack takes ids of items, item.id, not {type(id).__name__}")
    return given


def envelope_list(envelopes: Envelopes) -> list[bytes]:
    """The envelopes in a list."""
    if isinstance(envelopes, str | bytes | bytearray | memoryview):
        raise TypeError(f"batch_decrypt takes envelopes in a list, not one {type(envelopes).__name__}")
    return [octets(envelope, "an envelope") for envelope in envelopes]


class Handle:
    """What the handles have in common: each is one object of the library, which is neither copied nor pickled."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def __refuse(self, *_: object) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be copied or pickled: share the object itself between threads, and open the store again in "
            "another process"
        )

    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = __getstate__ = __refuse
