"""A store of the app's own, in memory: where an app begins that writes one over its own database."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import sesame


class MemoryStore(sesame.AppStore):
    """Sealed rows in a dictionary.

    A hold keeps nobody out here: in one process, who loses a race against another device over the same store runs again. A store that several
    processes share keeps other writers waiting from a load with ``hold`` to the next ``commit`` or ``release``.
    """

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.generation = bytes(16)
        self._lock = Lock()

    def load(self, queries: Sequence[sesame.StoreQuery], *, hold: bool) -> sesame.StoreSnapshot:
        with self._lock:
            found = {key: row for key, row in self.rows.items() if any(matches(query, key) for query in queries)}
            return sesame.StoreSnapshot(self.generation, found)

    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        with self._lock:
            if expected != self.generation:
                raise sesame.StoreConflict
            # All or nothing: a signal's handler may raise at any step before the last line.
            rows = {key: row for key, row in {**self.rows, **changes}.items() if row is not None}
            self.rows, self.generation = rows, next

    def release(self) -> None:
        pass


def matches(query: sesame.StoreQuery, key: bytes) -> bool:
    match query:
        case sesame.ExactQuery(key=wanted):
            return key == wanted
        case sesame.PrefixQuery(prefix=prefix):
            return key.startswith(prefix)
