"""The chat of two processes over a socket, in ``examples``: its clients are killed, and its server loses everything."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
PAIRS = (("alice", "bob"), ("bob", "alice"))


class Process:
    """A program of the examples, and what it has said so far."""

    def __init__(self, program: str, *arguments: str) -> None:
        command = [sys.executable, str(EXAMPLES / program), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self) -> list[str]:
        """SIGKILL; gives all that it has said."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close(), self.process.stdout.close()
        return self.said


class Chat:
    """Two clients and their server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, list[str]] = {"alice": [], "bob": []}
        self.server = Process("chat_server.py", "0")
        wait_for(lambda: bool(self.server.said))
        self.url = self.server.said[0].split()[-1]
        self.clients = {name: self.start(name) for name in self.said}

    def start(self, name: str) -> Process:
        return Process("chat.py", name, str(self.folder), self.url)

    def kill(self, name: str) -> None:
        """Kills a client, and starts it again over its store."""
        self.said[name] += self.clients[name].kill()
        self.clients[name] = self.start(name)

    def all_said(self, name: str) -> list[str]:
        return self.said[name] + self.clients[name].said

    def write(self, name: str, to: str, text: str) -> None:
        """Types a line until the client says that it keeps it: before that, a killed client has promised nothing."""
        self.clients[name].type(f"{to}: {text}")
        wait_for(lambda: f"kept for {to}: {text}" in self.all_said(name))

    def restart_server(self) -> None:
        """The server forgets all devices and all mail."""
        self.server.kill()
        self.server = Process("chat_server.py", self.url.rpartition(":")[2])
        wait_for(lambda: bool(self.server.said))


def wait_for(reached: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)


@contextmanager
def chat(folder: Path) -> Iterator[Chat]:
    running = Chat(folder)
    try:
        yield running
    finally:
        for process in (*running.clients.values(), running.server):
            process.kill()


def test_clients_are_killed_again_and_again_and_no_message_is_lost(tmp_path: Path) -> None:
    rng = random.Random(13)
    with chat(tmp_path) as running:
        # Whoever is not registered yet cannot be reached.
        for name, peer in PAIRS:
            wait_for(lambda: greeted(running, name, peer))
        for number in range(30):
            name, peer = rng.sample(["alice", "bob"], 2)
            running.write(name, peer, f"message {number}")
            # At once, or in the middle of its requests; the writer, or the reader.
            time.sleep(rng.choice([0, 0, 0.02, 0.1]) * rng.random())
            running.kill(rng.choice([name, peer]))
        for number in range(30):
            wait_for(lambda: any(f"{sender}: message {number}" in running.all_said(reader) for sender, reader in PAIRS))


def greeted(running: Chat, name: str, peer: str, text: str = "are you there?") -> bool:
    """Writes to a peer who may not be known at the server yet, again and again; gives whether the peer has read it."""
    running.write(name, peer, text)
    time.sleep(0.3)
    return f"{name}: {text}" in running.all_said(peer)


def test_a_server_that_has_lost_everything_is_told_it_all_again(tmp_path: Path) -> None:
    with chat(tmp_path) as running:
        for name, peer in PAIRS:
            wait_for(lambda: greeted(running, name, peer))
        running.restart_server()
        for name, peer in PAIRS:
            wait_for(lambda: greeted(running, name, peer, "here again"))
