"""Where a device lives: a SQLite file, memory, or a store of the app's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from os import PathLike, fsdecode
from typing import Any, Self

from . import _native
from ._native import sesame_ffi
from .codes import Code
from .errors import StoreError, described, raised, translated
from .given import Handle

# The generated class has its variants as attributes that its type does not show.
_faults: Any = _native.StoreFault
_ffi: Any = sesame_ffi


@dataclass(frozen=True, slots=True)
class ExactQuery:
    """The row under this key, if there is one. 1 to 64 bytes."""

    key: bytes


@dataclass(frozen=True, slots=True)
class PrefixQuery:
    """Every row whose key begins so; an empty prefix for all rows."""

    prefix: bytes


StoreQuery = ExactQuery | PrefixQuery


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """Rows as they were at one generation: 16 bytes, what the last commit said, zeros in a fresh store."""

    generation: bytes
    rows: dict[bytes, bytes]


class StoreFault(Exception):
    """What a store of the app's own raises when it cannot do it. Nothing changed.

    Any other exception of a load counts as one; of a commit, whether it landed is then asked for.
    """

    _native: Any = _faults.Io


class StoreBusyFault(StoreFault):
    """Another process holds it."""

    _native: Any = _faults.Busy


class StoreFullFault(StoreFault):
    """No space is left."""

    _native: Any = _faults.Full


class StoreReadOnlyFault(StoreFault):
    """It cannot be written."""

    _native: Any = _faults.ReadOnly


class StoreConflict(StoreFault):
    """Of a commit: the generation has moved on."""

    _native: Any = _faults.Conflict


class StoreOutcomeUnknown(StoreFault):
    """Of a commit: the store cannot say whether it landed; the generation will."""

    _native: Any = _faults.OutcomeUnknown


class AppStore(ABC):
    """A store of the app's own. It holds sealed rows under opaque keys; ``check_store`` says whether it keeps the contract.

    A method must not call into this package: that fails with code 104. It must not hold the device, or neither is ever freed.
    """

    @abstractmethod
    def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
        """All rows that match any query, at one generation.

        With ``hold``, other writers wait until ``commit`` or ``release``; loads without it may come in between. If it fails, nothing is held.
        """

    @abstractmethod
    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        """Applies all changes durably, all or none, if the generation is still ``expected``, and is at ``next`` from then on.

        ``None`` deletes a row; one that is not there is no error. Raises ``StoreConflict`` for another generation. Ends a hold whatever
        comes out.
        """

    @abstractmethod
    def release(self) -> None:
        """Ends a hold without a change."""


def _fault(call: Callable[[], Any]) -> Any:
    """Runs a method of the app's and raises what the generated code knows.

    What is no ``Exception``, a ``KeyboardInterrupt`` for one, goes on when the library's call has come to its end. Anything else is the
    cause of that call's error.
    """
    try:
        return call()
    except StoreFault as fault:
        raised.cause = fault
        failure = fault._native()
    except Exception as error:
        raised.cause = error
        failure = _faults.Thrown(described(error))
    except BaseException as interrupt:
        _ffi._uniffi_interrupts.pending = interrupt
        failure = _faults.Thrown(type(interrupt).__name__)
    raise failure


def _query(native: Any) -> StoreQuery:
    kind: Any = _native.StoreQuery
    return ExactQuery(native.key) if isinstance(native, kind.EXACT) else PrefixQuery(native.prefix)


class _Adapter(_native.AppStore):
    """An app's store, as the generated code calls it."""

    def __init__(self, store: AppStore) -> None:
        self._store = store

    def load(self, queries: list[Any], hold: bool) -> Any:
        return _fault(lambda: self._loaded([_query(query) for query in queries], hold))

    def _loaded(self, queries: list[StoreQuery], hold: bool) -> Any:
        try:
            snapshot = self._store.load(queries, hold=hold)
            rows = [_native.StoreRow(key=key, row=row) for key, row in snapshot.rows.items()]
            loaded = _native.StoreSnapshot(generation=snapshot.generation, rows=rows)
            _ffi._UniffiFfiConverterTypeStoreSnapshot.check_lower(loaded)
            return loaded
        except StoreFault:
            raise
        except BaseException:
            # The store may hold: what it gave is no snapshot, or a signal's handler has raised.
            if hold:
                with suppress(Exception):
                    self._store.release()
            raise

    def commit(self, expected: bytes, next: bytes, changes: list[Any]) -> bool:
        rows = {change.key: change.row for change in changes}
        _fault(lambda: self._store.commit(expected, next, rows))
        return True

    def release(self) -> None:
        _fault(self._store.release)


@cache
def _keep_interrupts() -> None:
    _ffi._uniffi_keep_interrupts()


class Store(Handle):
    """Where a device lives. A path or an ``AppStore`` may stand wherever a ``Store`` is asked for."""

    def __init__(self, native: Any, name: str) -> None:
        super().__init__(native)
        self._name = name

    def __repr__(self) -> str:
        return f"Store.{self._name}"

    @classmethod
    @translated
    def sqlite(cls, path: str | PathLike[str]) -> Self:
        """A SQLite file, made if it is not there. Several processes may share one."""
        name = fsdecode(path)
        if name in ("", ":memory:"):
            text = f"{name!r} names no file: for a store in memory give Store.memory(), which is what store=None means"
            raise StoreError(Code.STORE_PATH_NOT_A_FILE, text, field="store")
        return cls(_native.Store.sqlite(name), f"sqlite({name!r})")

    @classmethod
    @translated
    def memory(cls) -> Self:
        """Memory, which lives as long as this object or a device over it."""
        return cls(_native.Store.memory(), "memory()")

    @classmethod
    @translated
    def app(cls, store: AppStore) -> Self:
        """A store of the app's own."""
        _keep_interrupts()
        return cls(_native.Store.app(_Adapter(store)), f"app({type(store).__name__})")

    @translated
    def erase(self) -> None:
        """Deletes every row, in one commit, whoever's device the store holds and whatever its key is: to log out, or because the key is lost.

        It is empty afterwards; a SQLite file stays, and what a disk keeps of deleted bytes is the system's. Devices over it raise
        ``FOREIGN_STORE``.
        """
        self._native.erase()


StoreLike = Store | AppStore | str | PathLike[str]


def native_store(store: StoreLike | None) -> Any:
    """What the generated code takes; ``None`` for fresh memory."""
    match store:
        case None:
            return Store.memory()._native
        case Store():
            return store._native
        case AppStore():
            return Store.app(store)._native
        case _:
            return Store.sqlite(store)._native


class _Factory(_native.StoreFactory):
    def __init__(self, open: Callable[[], AppStore]) -> None:
        self._open = open

    def make(self) -> Any:
        return _Adapter(self._open())


@translated
def check_store(open: Callable[[], AppStore]) -> str | None:
    """Runs the conformance suite; ``open`` gives a fresh, empty store each time.

    Gives the first claim that does not hold, in words, or ``None`` when all do. That a hold keeps another process out is for the app's own tests.
    """
    claim: str | None = _native.check_store(_Factory(open))
    return claim
