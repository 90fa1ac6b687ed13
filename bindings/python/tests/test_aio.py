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
from world import KEY, Host, World


async def publish(relay: LocalRelay, device: aio.Device) -> None:
    while upload := await device.publication():
        relay.publish(device.user, device.id, upload.bytes)
        await device.published(upload.id)


async def settle(relay: LocalRelay, device: aio.Device, send: bytes) -> None:
    while pending := await device.pending(send):
        for batch in pending.batches:
            assert isinstance(relay.submit(device.user, device.id, batch), sesame.Accepted)
            await device.accepted(send, batch.user)
        await device.registry().apply(relay.answer(pending.needs))


def test_both_faces_have_the_same_names() -> None:
    for name in ("Device", "DeviceRegistry", "Group", "Linking", "Session"):
        names = [{each for each, _ in inspect.getmembers(face) if not each.startswith("_")} for face in (getattr(sesame, name), getattr(aio, name))]
        assert names[0] == names[1], name


def test_a_conversation_a_group_and_a_link(tmp_path: Path) -> None:
    async def main() -> None:
        relay = LocalRelay()
        async with (
            await aio.Device.create(user="alice", store_key=KEY, store=tmp_path / "a.db") as alice,
            await aio.Device.create(user="bob", store_key=KEY) as bob,
        ):
            await asyncio.gather(publish(relay, alice), publish(relay, bob))
            await settle(relay, alice, (await alice.batch_encrypt(["bob"], b"hello")).id)
            mails = relay.fetch("bob", 1)
            (message,) = [each for each in await bob.batch_decrypt([mail.envelope for mail in mails]) if isinstance(each, sesame.Message)]
            assert message.payload == b"hello" and (await bob.session("alice", 1).info()) is not None
            group, send = await alice.create_group(["bob"], name="Trip")
            await settle(relay, alice, send.id)
            await settle(relay, alice, (await alice.batch_encrypt(group, b"hello, group")).id)
            assert await group.members() == ("alice", "bob") and (await group.info()).name == "Trip"
            assert (await (await alice.group(group.id)).view()).id == group.id
            linking = await aio.Device.link(store_key=KEY)
            second = await linking.complete(await alice.confirm_link(linking.code))
            assert (second.user, second.id) == ("alice", 2)
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
        alice = await aio.Device.create(user="alice", store_key=KEY, store=tmp_path / "a.db")
        await publish(world.relay, alice)
        sent = 0
        for number in range(1_000):
            if number % 50 == 0:
                for _ in range(5):
                    bob.send(["alice"], b"%d" % sent)
                    sent += 1
            mails = world.relay.fetch("alice", 1)
            acts: list[Callable[[], Awaitable[object]]] = [
                lambda: alice.batch_decrypt([mail.envelope for mail in mails]),
                lambda: alice.batch_encrypt(["bob"], b"x"),
                lambda: alice.registry().users(),
                lambda: alice.tick(),
                lambda: alice.publication(),
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
                for send in await alice.outbox():
                    for user in {need.user for need in send.needs if not isinstance(need, sesame.NeedsPublication)} | {
                        batch.user for batch in send.batches
                    }:
                        await alice.abandon(send.id, user)
        await alice.batch_decrypt([mail.envelope for mail in world.relay.fetch("alice", 1)])
        messages = [item.payload for item in await alice.inbox() if isinstance(item, sesame.Message)]
        assert sorted(messages, key=int) == [b"%d" % each for each in range(sent)], "each is there once, though results were lost"
        await alice.close()
        again = Host(world.relay, sesame.Device.open(store=tmp_path / "a.db", store_key=KEY))
        again.send(["bob"], b"still here")
        bob.fetch()
        assert bob.read[b"still here"] == 1
        return cancelled

    assert asyncio.run(main()) == 1_000


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
        device = await aio.Device.create(user="alice", store_key=KEY, store=Slow())
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        turning = asyncio.create_task(turn())
        sends = await asyncio.gather(*(device.batch_encrypt(["bob"], b"%d" % number) for number in range(20)))
        assert [send.id for send in await device.outbox()] == [send.id for send in sends]
        turning.cancel()
        assert turns > 100
        await device.close()

    asyncio.run(main())


def test_a_closed_device_leaves_no_thread_and_close_waits_for_what_was_awaited_before() -> None:
    before = threading.active_count()

    async def main() -> None:
        device = await aio.Device.create(user="alice", store_key=KEY, store=Slow())
        send = asyncio.create_task(device.batch_encrypt(["bob"], b"hello"))
        await asyncio.sleep(0)
        await asyncio.gather(device.close(), device.close())
        assert (await send).content_id
        with pytest.raises(sesame.StoreError):
            await aio.Device.open(store=sesame.Store.memory(), store_key=KEY)
        for _ in range(20):
            store = Gated()
            making = asyncio.create_task(aio.Device.create(user="bob", store_key=KEY, store=store))
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
