"""A store of the app's own: what it must do, and what happens when it does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sesame
from memory_store import MemoryStore
from sesame import Device, StoreQuery, StoreSnapshot
from world import KEY, SERVER, Host, World


class DictStore(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.loads, self.commits, self.asked = 0, 0, 0

    def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
        self.loads += 1
        self.asked += len(queries)
        return super().load(queries, hold=hold)

    def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        self.commits += 1
        super().commit(expected, next, changes)


def test_the_suite_passes_a_whole_store_and_names_what_another_does_not_keep() -> None:
    assert sesame.check_store(DictStore) is None

    class Forgetful(DictStore):
        def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
            super().commit(self.generation, next, changes)

    class Upset(DictStore):
        def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
            raise RuntimeError("what the app says")

    class Short(DictStore):
        def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
            return StoreSnapshot(super().load(queries, hold=hold).generation, {})

    assert sesame.check_store(Forgetful) == "a stale generation conflicts"
    assert sesame.check_store(Short) is not None
    claim = sesame.check_store(Upset)
    assert claim is not None and claim.endswith(": RuntimeError: what the app says")


def test_a_commit_that_raises_after_it_has_landed_is_read_back() -> None:
    class Late(DictStore):
        late = False

        def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
            super().commit(expected, next, changes)
            if self.late:
                raise RuntimeError("the connection was lost, and the commit was not")

    store = Late()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    store.late = True
    send = device.batch_encrypt(["bob"], b"once")
    assert [each.id for each in device.sends()] == [send.id]


def test_a_conversation_over_stores_of_the_apps_own_and_a_few_loads_for_each_call() -> None:
    world, stores = World(), [DictStore(), DictStore()]
    hosts = [Host(world.relay, Device.create(user=user, store_key=KEY, server=SERVER, store=store)) for user, store in zip(("alice", "bob"), stores)]
    for host in hosts:
        host.exchange()
    alice, bob = hosts
    alice.send(["bob"], b"hello")
    bob.fetch()
    bob.send(["alice"], b"hello, too")
    alice.fetch()
    for number in range(20):
        alice.send(["bob"], b"%d" % number)
    envelopes = world.relay.mailbox("bob", 1)
    for batch in (envelopes[:1], envelopes[1:]):
        stores[1].loads = stores[1].commits = 0
        bob.device.batch_decrypt(batch)
        assert stores[1].commits == 1 and stores[1].loads <= 5
    stores[1].loads = stores[1].commits = 0
    bob.device.batch_encrypt(["alice"], b"and so on")
    assert stores[1].commits == 1 and stores[1].loads <= 6
    again = Device.open(store=stores[1], store_key=KEY)
    assert [item.payload for item in again.inbox() if isinstance(item, sesame.Message)] == [
        b"%d" % number for number in range(20)
    ]


def test_a_limit_of_memory_holds_until_the_device_is_closed() -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)

    def asks() -> int:
        store.asked = 0
        device.registry().devices("alice")
        return store.asked

    asks()
    kept = asks()
    device.set_memory_limit(0)
    nothing = asks()
    assert nothing > kept and asks() == nothing
    device.set_memory_limit(2**64 - 1)
    asks()
    assert asks() == kept
    device.close()
    with pytest.raises(sesame.AppError) as caught:
        device.set_memory_limit(0)
    assert caught.value.code is sesame.Code.CLOSED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (sesame.StoreFault, 402),
        (sesame.StoreBusyFault, 401),
        (sesame.StoreFullFault, 403),
        (sesame.StoreReadOnlyFault, 404),
        (RuntimeError, 402),
        (KeyError, 402),
    ],
)
@pytest.mark.parametrize("method", ["load", "commit"])
def test_what_a_store_raises_is_an_error_and_changes_nothing(method: str, fault: type[Exception], code: int) -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    before = dict(store.rows)

    def fail(*args: object, **kwargs: object) -> None:
        raise fault("what the app says")

    setattr(store, method, fail)
    with pytest.raises(sesame.StoreError) as caught:
        device.next_request()
    assert caught.value.code == code and caught.value.code is sesame.Code(code)
    assert type(caught.value.__cause__) is fault
    assert caught.value.detail == f"{fault.__name__}: {fault('what the app says')}"
    assert str(caught.value).startswith(f"{caught.value.code.name} ({code}): ") and str(caught.value).endswith(caught.value.detail)
    delattr(store, method)
    assert store.rows == before
    assert device.next_request() is not None


@pytest.mark.parametrize("landed", [False, True])
def test_an_interrupt_in_a_commit_goes_on_and_nothing_is_handed_out_unstored(landed: bool) -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    real = store.commit

    def interrupted(expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
        if landed:
            real(expected, next, changes)
        raise KeyboardInterrupt

    setattr(store, "commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        device.batch_encrypt(["alice"], b"to myself")
    delattr(store, "commit")
    assert len(device.sends()) == int(landed), "what is durable is a send, and nothing else was given"
    device.batch_encrypt(["alice"], b"and on")
    assert len(device.sends()) == 1 + int(landed)


@pytest.mark.parametrize("method", ["load", "release"])
def test_an_interrupt_elsewhere_in_a_store_goes_on_too(method: str) -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)

    def interrupted(*args: object, **kwargs: object) -> None:
        raise SystemExit

    setattr(store, method, interrupted)
    if method == "load":
        with pytest.raises(SystemExit):
            device.next_request()
        delattr(store, method)
    assert device.next_request() is not None


@pytest.mark.parametrize(
    "garbage",
    [
        StoreSnapshot(b"short", {}),
        StoreSnapshot(bytes(16), {b"what nobody asked for": b"x"}),
        None,
        StoreSnapshot(bytes(16), {b"": b""}),
    ],
)
def test_garbage_from_a_store_is_an_error_and_changes_nothing(garbage: StoreSnapshot) -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    whole, before = store.load, dict(store.rows)
    store.load = lambda queries, *, hold: garbage  # type: ignore[method-assign]
    with pytest.raises(sesame.SesameError) as caught:
        device.next_request()
    assert caught.value.code in (402, 412)
    store.load = whole  # type: ignore[method-assign]
    assert store.rows == before and device.next_request() is not None


def test_a_store_that_calls_the_library_and_fails_by_it_shows_that() -> None:
    store = DictStore()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    whole = store.load
    store.load = lambda queries, *, hold: device.inbox()  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(sesame.AppError) as caught:
        device.next_request()
    assert caught.value.code is sesame.Code.REENTRANT and isinstance(caught.value.__cause__, Exception)
    store.load = whole  # type: ignore[method-assign]
    assert device.next_request() is not None


def test_a_path_that_is_no_store_is_told_with_the_systems_cause(tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"x" * 4096)
    for path, code, cause in [
        (tmp_path / "no" / "chat.db", sesame.Code.STORE_PATH_MISSING, "os error 2"),
        (tmp_path, sesame.Code.STORE_PATH_NOT_A_FILE, "is a directory"),
        (junk, sesame.Code.NOT_A_STORE, "SQLite 26"),
    ]:
        with pytest.raises(sesame.StoreError) as caught:
            Device.open(store=path, store_key=KEY)
        assert caught.value.code is code and caught.value.detail
        assert caught.value.detail.startswith(f"{path}: ") and cause in caught.value.detail


def test_a_store_must_not_call_the_library() -> None:
    codes: list[int] = []

    class Curious(DictStore):
        def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
            try:
                device.user  # noqa: B018
            except sesame.AppError as error:
                codes.append(error.code)
            except NameError:
                pass
            try:
                Device.create(user="bob", store_key=KEY, server=SERVER)
            except sesame.AppError as error:
                codes.append(error.code)
            return super().load(queries, hold=hold)

    store = Curious()
    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=store)
    assert device.next_request() is not None
    assert codes and set(codes) == {104}


def test_an_unknown_outcome_is_read_back() -> None:
    class Unsure(DictStore):
        def commit(self, expected: bytes, next: bytes, changes: dict[bytes, bytes | None]) -> None:
            super().commit(expected, next, changes)
            raise sesame.StoreOutcomeUnknown

    device = Device.create(user="alice", store_key=KEY, server=SERVER, store=Unsure())
    assert device.next_request() is not None


def test_memory_may_be_closed_and_opened_again() -> None:
    store = sesame.Store.memory()
    with Device.create(user="alice", store_key=KEY, server=SERVER, store=store) as device:
        number = device.id
    assert Device.open(store=store, store_key=KEY).id == number
