"""One device that is told what to do over standard input: ``tests/story/README.md``, "Peers"."""

from __future__ import annotations

import sys

import sesame
from sesame import Device

KEY = b"\x5a" * 32


class Peer:
    device: Device

    def create(self, user: str, path: str) -> list[str]:
        self.device = Device.create(user=user, store_key=KEY, store=path)
        return [str(self.device.id)]

    def open(self, path: str) -> list[str]:
        self.device = Device.open(store=path, store_key=KEY)
        return [str(self.device.id)]

    def close(self) -> list[str]:
        self.device.close()
        del self.device
        return []

    def publication(self) -> list[str]:
        upload = self.device.publication()
        return [upload.id.hex(), upload.bytes.hex()] if upload else []

    def published(self, id: str) -> list[str]:
        self.device.published(bytes.fromhex(id))
        return []

    def encrypt(self, users: str, payload: str) -> list[str]:
        self.device.batch_encrypt(users.split(","), bytes.fromhex(payload))
        return []

    def outbox(self) -> list[str]:
        words = []
        for send in self.device.outbox():
            for batch in send.batches:
                assert not batch.skips and not batch.targeted
                envelopes = ",".join(f"{out.device}={out.envelope.hex()}" for out in batch.envelopes)
                words.append(f"batch:{send.id.hex()}:{batch.user}:{envelopes}")
            for need in send.needs:
                match need:
                    case sesame.NeedsDeviceList(user=user):
                        words.append(f"list:{user}")
                    case sesame.NeedsBundle(user=user, device=device):
                        words.append(f"bundle:{user}:{device}")
                    case _:
                        raise SystemExit(f"no peer needs {need}")
        return words

    def accepted(self, send: str, user: str) -> list[str]:
        self.device.accepted(bytes.fromhex(send), user)
        return []

    def apply(self, *answers: str) -> list[str]:
        found = [answer.split(":") for answer in answers]
        lists = tuple(bytes.fromhex(data) for kind, data in found if kind == "list")
        bundles = tuple(bytes.fromhex(data) for kind, data in found if kind == "bundle")
        applied = self.device.registry().apply(sesame.Answers(device_lists=lists, bundles=bundles))
        return [str(refusal.code) for refusal in applied.refusals]

    def decrypt(self, *envelopes: str) -> list[str]:
        words, ids = [], []
        for result in self.device.batch_decrypt([bytes.fromhex(envelope) for envelope in envelopes]):
            match result:
                case sesame.Message(user=user, payload=payload, id=id):
                    words.append(f"{user}:{payload.hex()}")
                    ids.append(id)
                case sesame.Failure(code=code):
                    words.append(f"failure:{code}")
                case sesame.Duplicate():
                    words.append("duplicate")
                case sesame.Held():
                    words.append("held")
                case event:
                    ids.append(event.id or 0)
        self.device.ack(ids)
        return words


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
