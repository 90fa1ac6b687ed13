"""One device that is told what to do over standard input: ``tests/story/README.md``, "Peers"."""

from __future__ import annotations

import sys

import sesame
from sesame import Device

KEY = b"\x5a" * 32


def decoded(digits: str) -> bytes:
    return b"" if digits == "-" else bytes.fromhex(digits)


def encoded(data: bytes) -> str:
    return data.hex() or "-"


class Peer:
    device: Device

    def create(self, user: str, server: str, path: str) -> list[str]:
        self.device = Device.create(user=user, store_key=KEY, server=server, store=path)
        return [str(self.device.id)]

    def open(self, path: str) -> list[str]:
        self.device = Device.open(store=path, store_key=KEY)
        return [str(self.device.id)]

    def close(self) -> list[str]:
        self.device.close()
        del self.device
        return []

    def encrypt(self, users: str, payload: str) -> list[str]:
        self.device.batch_encrypt(users.split(","), decoded(payload))
        return []

    def next(self) -> list[str]:
        request = self.device.next_request()
        if request is None:
            return []
        auth = {header.name: header.value for header in request.headers}.get("Sesame-Auth", "-")
        return [encoded(request.id), request.path, auth, encoded(request.body)]

    def respond(self, id: str, status: str, body: str) -> list[str]:
        problem = self.device.respond(decoded(id), int(status), decoded(body)).problem
        return [str(problem)] if problem else []

    def mail(self, limit: str) -> list[str]:
        self.device.request_mail(int(limit))
        return []

    def inbox(self) -> list[str]:
        said, items = [], self.device.inbox(limit=1000)
        for item in items:
            match item:
                case sesame.Message(user=user, payload=payload):
                    said.append(f"{user}:{encoded(payload)}")
                case sesame.NotOpened(code=code):
                    said.append(f"not-opened:{code}")
                case sesame.SendFinished(failed=(first, *_)):
                    said.append(f"failed:{first.code}")
        self.device.ack([item.id for item in items])
        return said


def main() -> None:
    peer = Peer()
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            print("ok", *getattr(peer, verb)(*words), flush=True)
        except sesame.SesameError as error:
            print("error", error.code, flush=True)


if __name__ == "__main__":
    main()
