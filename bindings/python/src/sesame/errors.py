"""What a call raises: one exception class for each kind of blame, the same code in every language."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import local
from typing import Any, ParamSpec, TypeVar

from . import _native

P = ParamSpec("P")
R = TypeVar("R")


class SesameError(Exception):
    """A call failed, and nothing has changed.

    ``code`` is stable, ``reason`` says it in words that hold no secret, ``item`` and ``field`` say what it is about, where that is known.
    """

    def __init__(self, code: int, reason: str, item: int | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.item = item
        self.field = field

    def __str__(self) -> str:
        where = "".join(f" ({part})" for part in (self.field, None if self.item is None else f"item {self.item}") if part)
        return f"{self.reason}{where} [{self.code}]"


class AppError(SesameError):
    """The calling app's fault: mend the call. Codes 101 to 199."""


class PeerError(SesameError):
    """Another client's fault: drop the item. Codes 201 to 299."""


class ServerError(SesameError):
    """The server's fault: fetch again or distrust it. Codes 301 to 399."""


class StoreError(SesameError):
    """The store's fault: mend it and call again. Codes 401 to 499."""


class InternalError(SesameError):
    """A fault of this library. Codes 501 to 599."""


_KINDS: dict[int, type[SesameError]] = {1: AppError, 2: PeerError, 3: ServerError, 4: StoreError, 5: InternalError}


class _Interrupts(local):
    """What ended a method of the app's store in this thread, to go on when the call that it was part of has ended."""

    pending: BaseException | None = None


interrupts = _Interrupts()


def _go_on() -> None:
    pending, interrupts.pending = interrupts.pending, None
    if pending is not None:
        raise pending


def translated(method: Callable[P, R]) -> Callable[P, R]:
    """Raises the exceptions of this module in place of the generated ones."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: SesameError
        try:
            result = method(*args, **kwargs)
            _go_on()
            return result
        except _native.SesameError as error:
            native: Any = error
            failure = _KINDS[native.code // 100](native.code, native.reason, native.item, native.field)
        except _native.InternalError:
            # A fault below the engine's own boundary; its text may hold anything, so it is not passed on.
            failure = InternalError(501, "a fault in the library")
        _go_on()
        raise failure from None

    return call
