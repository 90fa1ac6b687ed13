"""A store of the app's own, in memory: where an app begins that writes one over its own database."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition

import sesame


class MemoryStore(sesame.AppStore):
    """Sealed rows in a dictionary. ``faults`` makes ``load`` or ``commit`` fail, to see what an app sees then."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.generation = bytes(16)
        self.faults: dict[str, type[sesame.StoreFault] | None] = {}
        self._changed = Condition()
        self._held = False

    def load(self, queries: Sequence[sesame.StoreQuery], *, hold: bool) -> sesame.StoreSnapshot:
        self._fail("load")
        with self._changed:
            if hold:
                self._changed.wait_for(lambda: not self._held)
                self._held = True
            found = {key: row for key, row in self.rows.items() if any(matches(query, key) for query in queries)}
            return sesame.StoreSnapshot(self.generation, found)

    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()
            self._fail("commit")
            if expected != self.generation:
                raise sesame.StoreConflict
            self.generation = next
            for key, row in changes.items():
                if row is None:
                    self.rows.pop(key, None)
                else:
                    self.rows[key] = row

    def release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def _fail(self, method: str) -> None:
        if fault := self.faults.get(method):
            raise fault


def matches(query: sesame.StoreQuery, key: bytes) -> bool:
    match query:
        case sesame.ExactQuery(key=wanted):
            return key == wanted
        case sesame.PrefixQuery(prefix=prefix):
            return key.startswith(prefix)
