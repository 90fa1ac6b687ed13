"""What a call raises: one exception class for each kind of blame, the same code in every language."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from threading import local
from typing import Any, ParamSpec, TypeVar

from . import _native
from .codes import Code

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class SesameError(Exception):
    """A call failed, and nothing has changed.

    ``code`` is a stable ``Code``, ``reason`` says it in words that hold no secret, ``item`` and ``field`` say what it is about, where that is
    known. For an error of the store ``detail`` has its path with the system's cause, or what the app's own store raised, which is also the
    ``__cause__``; for a call that comes too early, too late or on the wrong device, what to do.
    """

    def __init__(
        self, code: int, reason: str, item: int | None = None, field: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(reason)
        self.code = Code(code)
        self.reason = reason
        self.item = item
        self.field = field
        self.detail = detail

    def __str__(self) -> str:
        item = None if self.item is None else f"item {self.item}"
        where = "".join(f" ({part})" for part in (self.field, item) if part)
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.code.name} ({self.code.value}): {self.reason}{where}{detail}"


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


class _Raised(local):
    """What methods of the app's store raised in this thread, for the call that they were part of."""

    cause: Exception | None = None
    """What made the store fail."""


raised = _Raised()


def described(error: BaseException) -> str:
    """The class and the message of what a store raised."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _snake(field: str | None) -> str | None:
    # The generated code has names as in Kotlin and Swift.
    return None if field is None else re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), field)


def translated(method: Callable[P, R]) -> Callable[P, R]:
    """Raises the exceptions of this module in place of the generated ones."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: SesameError
        raised.cause = None
        try:
            return method(*args, **kwargs)
        except _native.SesameError as error:
            native: Any = error
            code: int = native.code.value
            failure = _KINDS[code // 100](code, native.reason, native.item, _snake(native.field), native.detail)
        except _native.InternalError:
            # A fault below the engine's own boundary; its text may hold anything, so it is not passed on.
            failure = InternalError(Code.INTERNAL, "a fault in the library")
        cause, raised.cause = raised.cause, None
        if cause is None or not (isinstance(failure, StoreError) or failure.code is Code.REENTRANT):
            raise failure from None
        failure.detail = failure.detail or described(cause)[:512]
        raise failure from cause

    return call


def documented(native: Any) -> Callable[[F], F]:
    """Takes the docstring over from Rust and translates what is raised."""

    def wrap(method: F) -> F:
        text = " ".join((native.__doc__ or "").split())
        method.__doc__ = text
        wrapped: Any = translated(method)
        return wrapped  # type: ignore[no-any-return]

    return wrap
