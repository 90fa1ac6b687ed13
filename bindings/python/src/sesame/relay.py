"""The server's part in memory, for a first try and for tests."""

from __future__ import annotations

from typing import Any

from . import _native, types
from .errors import documented, translated
from .given import BytesLike, Handle, octets, text, user_id
from .loop import TestClock, native_clock
from .types import RelayView, ServerAnswer
from .values import ServerRequest


class LocalRelay(Handle):
    """A whole server in memory, without a network: for a first try, for tests, and behind a socket of the app's own."""

    def __init__(self, server: str, clock: TestClock | None = None) -> None:
        self._server = server
        super().__init__(self._made(text(server, "server"), clock))

    @staticmethod
    @translated
    def _made(server: str, clock: TestClock | None) -> Any:
        native: Any = _native
        return native.LocalRelay(server, native_clock(clock))

    def __repr__(self) -> str:
        return f"LocalRelay({self._server!r})"

    @documented(_native.LocalRelay.perform)
    def perform(self, request: ServerRequest) -> ServerAnswer:
        auth = next((header.value for header in request.headers if header.name.lower() == "sesame-auth"), None)
        return self.handle(request.path, auth, request.body)

    @documented(_native.LocalRelay.handle)
    def handle(self, path: str, auth: str | None, body: BytesLike) -> ServerAnswer:
        native = self._native.handle(text(path, "path"), auth, octets(body, "body"))
        return ServerAnswer(native.status, native.body)

    @documented(_native.LocalRelay.device_list)
    def device_list(self, user: str) -> bytes | None:
        device_list: bytes | None = self._native.device_list(user_id(user, "user"))
        return device_list

    @documented(_native.LocalRelay.mailbox)
    def mailbox(self, user: str, device: int) -> list[bytes]:
        envelopes: list[bytes] = self._native.mailbox(user_id(user, "user"), device)
        return envelopes

    @documented(_native.LocalRelay.lose)
    def lose(self, user: str, device: int) -> None:
        self._native.lose(user_id(user, "user"), device)

    @documented(_native.LocalRelay.restored)
    def restored(self) -> None:
        self._native.restored()

    @documented(_native.LocalRelay.view)
    def view(self) -> RelayView:
        return types.relay_view(self._native.view())
