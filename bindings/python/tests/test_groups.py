"""Private groups through the bindings: the story, own devices, restarts, errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sesame
from sesame import Group, GroupChange, Standing
from world import KEY, Host, World


def story(folder: Path | None = None) -> tuple[World, list[Host], bytes]:
    """Alice (two devices), Bob (two) and Jen (one), and a group of all."""
    world = World(folder)
    phone, laptop = world.create("alice"), world.link("alice")
    bob, tablet = world.create("bob"), world.link("bob")
    jen = world.create("jen")
    phone.meet("bob")
    group, send = phone.device.create_group(["bob"], name="Trip")
    phone.act(send)
    fetch(world)
    # Neither has written to Alice before.
    bob.act(bob.device.group(group.id).accept())
    fetch(world)
    phone.meet("jen")
    phone.act(phone.device.group(group.id).add(["jen"]))
    fetch(world)
    jen.act(jen.device.group(group.id).accept())
    fetch(world)
    return world, [phone, laptop, bob, tablet, jen], group.id


def fetch(world: World) -> None:
    for host in world.hosts.values():
        host.fetch()


def group(host: Host, id: bytes) -> Group:
    return host.device.group(id)


def test_the_story_of_a_group(tmp_path: Path) -> None:
    world, [phone, laptop, bob, tablet, jen], id = story(tmp_path)
    hosts = [phone, laptop, bob, tablet, jen]
    assert {group(host, id).members for host in hosts} == {("alice", "bob", "jen")}
    jen.act(jen.device.batch_encrypt(group(jen, id), b"hello, group"))
    fetch(world)
    assert [host.read[b"hello, group"] for host in hosts] == [1, 1, 1, 1, 0]
    message = next(result for result in bob.items if isinstance(result, sesame.Message) and result.payload == b"hello, group")
    assert (message.user, message.device, message.group, message.recipients) == ("jen", 1, id, None)
    jen.act(group(jen, id).rename("Summer trip"))
    fetch(world)
    assert {group(host, id).info.name for host in hosts} == {"Summer trip"}
    updated = [result for result in tablet.items if isinstance(result, sesame.GroupUpdated)]
    assert [(event.user, event.device) for event in updated] == [("jen", 1)]
    fork, send = group(phone, id).fork_without(["jen"])
    phone.act(send)
    fetch(world)
    assert {group(host, fork.id).members for host in hosts[:4]} == {("alice", "bob")}
    with pytest.raises(sesame.AppError) as unknown:
        jen.device.group(fork.id)
    assert unknown.value.code == 108
    phone.act(group(phone, id).leave())
    fetch(world)
    assert {group(host, id).members for host in (bob, tablet, jen)} == {("bob", "jen")}
    assert {group(host, id).view().standing for host in (phone, laptop)} == {Standing.LEFT}
    with pytest.raises(sesame.AppError) as left:
        group(laptop, id).send(b"x")
    assert left.value.code == 110
    jen.act(group(jen, id).send(b"without Alice"))
    fetch(world)
    assert [host.read[b"without Alice"] for host in hosts] == [0, 0, 1, 1, 0]


def test_who_left_is_asked_back_and_answers() -> None:
    world, [phone, _, bob, _, jen], id = story()
    jen.act(group(jen, id).leave())
    fetch(world)
    phone.act(group(phone, id).add(["jen"]))
    fetch(world)
    assert [event.user for event in jen.items if isinstance(event, sesame.GroupInvited)] == ["alice", "alice"]
    assert group(jen, id).view().standing is Standing.INVITED
    assert group(bob, id).members == ("alice", "bob")
    jen.act(group(jen, id).accept())
    fetch(world)
    assert group(bob, id).members == ("alice", "bob", "jen")
    acts = [type(entry.act).__name__ for entry in group(bob, id).history()]
    assert acts == ["CreatedGroup", "AddedMembers", "AddedMembers", "LeftGroup", "AddedMembers", "AcceptedInvitation"]
    assert all(entry.counts for entry in group(bob, id).history())


def test_a_group_survives_a_restart_and_reaches_a_new_device(tmp_path: Path) -> None:
    world, [phone, *_], id = story(tmp_path)
    phone.device.close()
    phone.device = sesame.Device.open(store=tmp_path / "1.db", store_key=KEY)
    assert [view.id for view in phone.device.groups()] == [id]
    watch = world.link("alice")
    assert group(watch, id).members == ("alice", "bob", "jen")
    watch.act(group(watch, id).send(b"from the watch"))
    fetch(world)
    assert phone.read[b"from the watch"] == 1
    session = group(phone, id).session("jen", 1)
    direct = phone.device.session("jen", 1).info()
    assert session is not None and (direct is None or direct.id != session.id)


def test_info_cost_and_errors() -> None:
    world, [phone, _, bob, _, jen], id = story()
    change = GroupChange(description="two weeks", picture=b"ref", timer=3600, app_data=b"\x00\x01")
    phone.act(group(phone, id).update_info(change))
    fetch(world)
    info = group(bob, id).info
    assert (info.name, info.description, info.picture, info.timer, info.app_data) == ("Trip", "two weeks", b"ref", 3600, b"\x00\x01")
    cost = group(phone, id).cost(1_000)
    send = group(phone, id).send(bytes(1_000))
    envelopes = [out.envelope for batch in phone.device.batches(send.id) for out in batch.envelopes]
    assert (cost.envelopes, cost.bytes, cost.unknown) == (len(envelopes), sum(map(len, envelopes)), ())
    refused: list[tuple[Callable[[], object], int, str | None]] = [
        (lambda: group(phone, id).rename("a\u202eb"), 101, "change"),
        (lambda: group(phone, id).update_info(GroupChange()), 101, "change"),
        (lambda: group(phone, id).add([]), 102, "users"),
        (lambda: group(phone, id).add(["jen"]), 112, "users"),
        (lambda: group(phone, id).add(["stranger"]), 107, "users"),
        (lambda: group(phone, id).accept(), 113, None),
        (lambda: group(phone, id).fork_without(["stranger"]), 101, "users"),
        (lambda: phone.device.group(bytes(31)), 101, "group"),
        (lambda: phone.device.group(bytes(32)), 108, None),
        (lambda: group(phone, id).send(bytes(sesame.MAX_PAYLOAD + 1)), 131, "payload"),
    ]
    for call, code, field in refused:
        with pytest.raises(sesame.SesameError) as error:
            call()
        assert (error.value.code, error.value.field) == (code, field)
    assert jen.device.groups()[0].members == ("alice", "bob", "jen")
