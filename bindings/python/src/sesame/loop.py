"""The loop of requests, and the clock for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from . import _native, reading
from .errors import documented
from .given import BytesLike, Handle, octets
from .reading import maybe, whole
from .values import Answered, ServerRequest

Transport = Callable[[ServerRequest], tuple[int, bytes]]
"""What brings a request to the server: it gives the HTTP status and the body, and raises what it likes when no answer came."""


def native_clock(clock: TestClock | None) -> Any:
    if clock is not None and not isinstance(clock, TestClock):
        raise TypeError(f"clock takes a TestClock, not {type(clock).__name__}")
    return None if clock is None else clock._native


class TestClock(Handle):
    """A clock that stands still until it is moved, for tests of an app: devices and a relay that are made with it see its time."""

    __test__ = False  # pytest takes it for tests otherwise.

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        native: Any = _native
        super().__init__(native.TestClock(now))

    def __repr__(self) -> str:
        return f"TestClock(now={self.now()})"

    @documented(_native.TestClock.advance)
    def advance(self, by: timedelta) -> None:
        if not isinstance(by, timedelta):
            raise TypeError(f"advance takes a timedelta, not {type(by).__name__}")
        self._native.advance(by)

    @documented(_native.TestClock.now)
    def now(self) -> int:
        now: int = self._native.now()
        return now


def answered(answer: tuple[int, bytes]) -> tuple[int, bytes]:
    """What a transport has given, checked."""
    status, body = answer
    if not isinstance(status, int) or not 0 <= status < 1000:
        raise TypeError(f"a transport gives the HTTP status and the body, not {status!r} for a status")
    return status, octets(body, "body")


class Loop(Handle):
    """The loop of requests, the same for a device and for one that is being linked."""

    @documented(_native.Device.next_request)
    def next_request(self) -> ServerRequest | None:
        return maybe(reading.server_request, self._native.next_request())

    @documented(_native.Device.respond)
    def respond(self, id: BytesLike, status: int, body: BytesLike = b"") -> Answered:
        return whole(reading.answered, self._native.respond(octets(id, "id"), status, octets(body, "body")))

    @documented(_native.Device.release)
    def release(self, id: BytesLike) -> None:
        self._native.release(octets(id, "id"))

    @documented(_native.Device.retry_now)
    def retry_now(self) -> None:
        self._native.retry_now()

    @documented(_native.Device.due_in)
    def due_in(self) -> timedelta:
        due: timedelta = self._native.due_in()
        return due

    def exchange(self, transport: Transport) -> list[Answered]:
        """Gives every request that is due to ``transport`` and takes in what it answers; ends whatever the server says.

        An exception out of ``transport`` counts as no answer. The loop comes to its end all the same, and then the first one is raised. What
        is no ``Exception``, a ``KeyboardInterrupt`` for one, is raised at once; its request is given out again.
        """
        answers: list[Answered] = []
        failure: Exception | None = None
        while request := self.next_request():
            status, body = 0, b""
            try:
                status, body = answered(transport(request))
            except Exception as error:
                failure = failure or error
            except BaseException:
                self.release(request.id)
                raise
            answers.append(self.respond(request.id, status, body))
        if failure is not None:
            raise failure
        return answers
