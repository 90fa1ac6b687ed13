"""The face for asyncio: the same calls, in order, and nothing half-done by a cancellation."""

from __future__ import annotations

import asyncio
import copy
import inspect
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import sesame
from memory_store import MemoryStore
from sesame import LocalRelay, StoreQuery, StoreSnapshot, aio
from world import KEY, SERVER, Host, World


def over(relay: LocalRelay) -> aio.Transport:
    """A transport that takes a turn of the event loop."""

    async def perform(request: sesame.ServerRequest) -> sesame.ServerAnswer:
        await asyncio.sleep(0)
        return relay.perform(request)

    return perform


def test_both_faces_have_the_same_names() -> None:
    for name in ("Device", "DeviceRegistry", "Group", "Linking", "PendingLink", "Session"):
        names = [{each for each, _ in inspect.getmembers(face) if not each.startswith("_")} for face in (getattr(sesame, name), getattr(aio, name))]
        assert names[0] == names[1], name


def test_a_conversation_a_group_and_a_link(tmp_path: Path) -> None:
    async def main() -> None:
        relay = LocalRelay(SERVER)
        async with (
            await aio.Device.create(user="alice", store_key=KEY, server=SERVER, store=tmp_path / "a.db") as alice,
            await aio.Device.create(user="bob", store_key=KEY, server=SERVER) as bob,
        ):
            perform = over(relay)
            await asyncio.gather(alice.exchange(perform), bob.exchange(perform))
            send = await alice.batch_encrypt(["bob"], b"hello")
            await alice.exchange(perform)
            status = await alice.send_status(send.content_id)
            assert status is not None and status.finished
            await bob.request_mail()
            await bob.exchange(perform)
            (message,) = [item for item in await bob.inbox() if isinstance(item, sesame.Message)]
            assert message.payload == b"hello" and (await bob.session("alice", 1).info()) is not None
            group, send = await alice.create_group(["bob"], name="Trip")
            await alice.batch_encrypt(group, b"hello, group")
            await alice.exchange(perform)
            assert [send.finished for send in await alice.sends()] == [True] * 3
            assert await group.members() == ("alice", "bob") and (await group.info()).name == "Trip"
            assert (await (await alice.group(group.id)).view()).id == group.id
            linking = await aio.Device.link(store_key=KEY, server=SERVER)
            pending = await alice.link_device(linking.code)
            await alice.exchange(perform)
            await linking.exchange(perform)
            assert await linking.digits() == pending.digits
            await linking.confirm()
            assert await pending.confirm() == 2
            await alice.exchange(perform)
            await linking.exchange(perform)
            second = await linking.device()
            assert second is not None and (second.user, second.id, await second.is_primary()) == ("alice", 2, False)
            await second.set_memory_limit(0)
            await second.close()
        with pytest.raises(sesame.AppError) as closed:
            await alice.inbox()
        assert closed.value.code == sesame.Code.CLOSED
        await alice.close()
        async with await aio.Device.open(store=tmp_path / "a.db", store_key=KEY) as again:
            assert repr(again) == "aio.Device(user='alice', id=1)"
            with pytest.raises(TypeError):
                copy.deepcopy(again)

    asyncio.run(main())


def test_a_thousand_cancellations_leave_whole_devices_and_lose_no_message(tmp_path: Path) -> None:
    rng = random.Random(13)

    async def main() -> int:
        cancelled = 0
        world = World()
        bob = world.create("bob")
        alice = await aio.Device.create(user="alice", store_key=KEY, server=SERVER, store=tmp_path / "a.db")
        perform = over(world.relay)
        await alice.exchange(perform)
        sent = 0
        for number in range(1_000):
            if number % 50 == 0:
                for _ in range(5):
                    bob.send(["alice"], b"%d" % sent)
                    sent += 1
            await alice.request_mail()
            acts: list[Callable[[], Awaitable[object]]] = [
                lambda: alice.exchange(perform),
                lambda: alice.batch_encrypt(["bob"], b"x"),
                lambda: alice.registry().users(),
                lambda: alice.health(),
                lambda: alice.next_request(),
            ]
            try:
                async with asyncio.timeout(rng.random() * 0.01):
                    async with asyncio.TaskGroup() as group:
                        for act in rng.sample(acts, 2):
                            group.create_task(ended(act()))
                        await asyncio.sleep(rng.random() * 0.01)
                        await asyncio.sleep(1)
            except TimeoutError:
                cancelled += 1
            if number % 50 == 49:
                for send in await alice.sends():
                    await alice.cancel(send.id)
                await alice.ack([item.id for item in await alice.inbox(limit=4_096) if not isinstance(item, sesame.Message)])
        await alice.retry_now()
        await alice.request_mail()
        await alice.exchange(perform)
        messages = [item.payload for item in await alice.inbox(limit=4_096) if isinstance(item, sesame.Message)]
        assert sorted(messages, key=int) == [b"%d" % each for each in range(sent)], "each is there once, though results were lost"
        await alice.close()
        again = Host(world.relay, sesame.Device.open(store=tmp_path / "a.db", store_key=KEY))
        again.send(["bob"], b"still here")
        bob.fetch()
        assert bob.read[b"still here"] == 1
        return cancelled

    assert asyncio.run(main()) == 1_000


def test_an_exchange_that_is_cancelled_gives_its_request_back_and_one_that_fails_raises() -> None:
    async def main() -> None:
        relay = LocalRelay(SERVER)
        async with await aio.Device.create(user="alice", store_key=KEY, server=SERVER) as alice:
            begun = asyncio.Event()

            async def hanging(request: sesame.ServerRequest) -> tuple[int, bytes]:
                begun.set()
                await asyncio.sleep(3600)
                return 200, b""

            hung = asyncio.create_task(alice.exchange(hanging))
            await begun.wait()
            hung.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hung

            async def refused(request: sesame.ServerRequest) -> tuple[int, bytes]:
                raise ConnectionRefusedError("no network")

            with pytest.raises(ConnectionRefusedError):
                await alice.exchange(refused)
            assert (await alice.health()).problem is sesame.Code.SERVER_UNREACHABLE
            assert await alice.exchange(over(relay)) == [], "it pauses"
            await alice.retry_now()
            await alice.exchange(over(relay))
            assert (await alice.health()).registered

    asyncio.run(main())


async def ended(act: Awaitable[object]) -> None:
    await act


class Slow(MemoryStore):
    def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
        time.sleep(0.002)
        return super().load(queries, hold=hold)


class Gated(MemoryStore):
    """Waits until its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def load(self, queries: Sequence[StoreQuery], *, hold: bool) -> StoreSnapshot:
        self.gate.wait()
        return super().load(queries, hold=hold)


def test_calls_happen_in_the_order_in_which_they_were_awaited_and_hold_no_loop_up() -> None:
    async def main() -> None:
        device = await aio.Device.create(user="alice", store_key=KEY, server=SERVER, store=Slow())
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        turning = asyncio.create_task(turn())
        sends = await asyncio.gather(*(device.batch_encrypt(["bob"], b"%d" % number) for number in range(20)))
        assert [send.id for send in await device.sends()] == [send.id for send in sends]
        turning.cancel()
        assert turns > 100
        await device.close()

    asyncio.run(main())


def test_a_closed_device_leaves_no_thread_and_close_waits_for_what_was_awaited_before() -> None:
    before = threading.active_count()

    async def main() -> None:
        device = await aio.Device.create(user="alice", store_key=KEY, server=SERVER, store=Slow())
        send = asyncio.create_task(device.batch_encrypt(["bob"], b"hello"))
        await asyncio.sleep(0)
        await asyncio.gather(device.close(), device.close())
        assert (await send).content_id
        with pytest.raises(sesame.StoreError):
            await aio.Device.open(store=sesame.Store.memory(), store_key=KEY)
        for _ in range(20):
            store = Gated()
            making = asyncio.create_task(aio.Device.create(user="bob", store_key=KEY, server=SERVER, store=store))
            await asyncio.sleep(0.001)
            making.cancel()
            with pytest.raises(asyncio.CancelledError):
                await making
            store.gate.set()

    asyncio.run(main())
    for _ in range(200):
        if threading.active_count() == before:
            return
        time.sleep(0.01)
    assert threading.active_count() == before
