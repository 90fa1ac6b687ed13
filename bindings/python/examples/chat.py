"""A chat in a terminal: ``python chat.py NAME FOLDER http://127.0.0.1:PORT``, with ``chat_server.py`` at that port.

A line ``bob: hello`` goes to Bob. The program may be killed at any moment: what it has said that it keeps, it sends when it runs again, and a
message that has come is shown again until its item of the inbox is acked.
"""

from __future__ import annotations

import os
import queue
import secrets
import sys
import threading
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sesame import Code, Device, Message, SendFinished, ServerRequest, StoreError, Transport


def over_http(server: str) -> Transport:
    """The transport: one POST for each request."""

    def perform(request: ServerRequest) -> tuple[int, bytes]:
        headers = {header.name: header.value for header in request.headers}
        try:
            with urlopen(Request(server + request.path, request.body, headers), timeout=10) as answer:
                return answer.status, answer.read()
        except HTTPError as error:  # the server says no, which is an answer
            return error.code, error.read()

    return perform


def opened(name: str, folder: Path) -> Device:
    """The device in the folder, or a new one."""
    key = folder / f"{name}.key"  # an app has it in its keychain
    if not key.exists():
        new = key.with_suffix(".new")
        new.write_bytes(secrets.token_bytes(32))
        os.replace(new, key)
    store, store_key = folder / f"{name}.db", key.read_bytes()
    try:
        return Device.open(store=store, store_key=store_key)
    except StoreError as error:
        if error.code is not Code.FOREIGN_STORE:
            raise
        # The store is empty.
        return Device.create(user=name, store_key=store_key, server="chat.example", store=store)


def typed(lines: queue.SimpleQueue[str | None]) -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put(None)


def main(name: str, folder: Path, server: str) -> None:
    perform = over_http(server)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=typed, args=(lines,), daemon=True).start()
    with opened(name, folder) as device:
        while True:
            device.request_mail()
            try:
                device.exchange(perform)
            except OSError:
                pass  # No server: the device waits for a while, and gives the request out again.
            for item in device.inbox():
                match item:
                    case Message(user=user, payload=payload):
                        print(f"{user}: {payload.decode()}", flush=True)
                    case SendFinished(failed=failed):
                        for lost in failed:
                            print(f"! not sent to {lost.user}: {lost.code.name}", flush=True)
                device.ack([item.id])
            try:
                line = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                return
            to, _, text = line.strip().partition(": ")
            device.batch_encrypt([to], text.encode())
            print(f"kept for {to}: {text}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
