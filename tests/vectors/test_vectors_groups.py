"""What becomes of a group's operations, against tests/vectors/v1.json."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from second.groups import Entered, View, cited_lists, entered, word
from second.wire import h

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "v1.json").read_text())


def test_what_is_kept_of_several_operations_under_one_number() -> None:
    g = VECTORS["group_kept"]
    lists = cited_lists(g["lists"])
    group = entered(h(g["id"]), (word(h(signed), lists) for signed in g["operations"]))
    view = View(group)
    assert [each.id.hex() for each in group.kept()] == g["kept"] and len(g["kept"]) < len(group.words)
    assert ([user.decode() for user, _ in view.members], view.digest) == (g["members"], h(g["digest"]))


COUNTS = VECTORS["group_counts"]


@pytest.mark.parametrize("case", COUNTS["sets"], ids=[case["what"] for case in COUNTS["sets"]])
def test_what_counts_in_small_sets(case: dict[str, Any]) -> None:
    lists = cited_lists(COUNTS["lists"])
    words = [word(h(said["signed"]), lists) for said in case["operations"]]
    view = View(entered(h(COUNTS["id"]), words))
    assert [view.counts[said.id] for said in words] == [said["counts"] for said in case["operations"]]
    members = [(user.decode(), account.hex()) for user, account in view.members]
    assert members == [(member["user"], key) for member in case["members"] for key in member["account_keys"]]
    assert (view.info["name"], view.digest) == (case["name"].encode(), h(case["digest"]))


def test_no_small_set_is_lost() -> None:
    assert len({case["what"] for case in COUNTS["sets"]}) == len(COUNTS["sets"]) >= 20


def test_a_history_of_every_kind_of_operation_gives_the_same_group() -> None:
    g = VECTORS["group_history"]
    lists = cited_lists(g["lists"])
    words = [word(h(each["signed"]), lists) for each in g["operations"]]
    assert [each.id for each in words] == [h(each["id"]) for each in g["operations"]]
    assert {each.kind for each in words} == set(range(1, 8))
    view = View(entered(h(g["id"]), words))
    assert {id.hex(): counts for id, counts in view.counts.items()} == {each["id"]: each["counts"] for each in g["operations"]}
    assert [user.decode() for user, _ in view.members] == g["members"]
    assert (view.info["name"], view.info["timer"], view.info["app_data"]) == (g["name"].encode(), g["timer"], h(g["app_data"]))
    assert view.digest == h(g["digest"])


def test_random_histories_in_any_order_give_the_same_group() -> None:
    g = VECTORS["group_random"]
    lists, chance = cited_lists(g["lists"]), random.Random(1)
    spares = 0
    for history in g["histories"]:
        words = [word(h(signed), lists) for signed in history["operations"]]
        # As they come: what lacks its parents waits.
        group, waiting = Entered(h(g["id"])), words[:]
        chance.shuffle(waiting)
        while waiting:
            waiting = [each for each in waiting if not group.enter(each)]
        view = View(group)
        spares += len(words) - len(view.words)
        assert sorted(id.hex() for id, counts in view.counts.items() if not counts) == sorted(history["void"])
        assert sorted({user.decode() for user, _ in view.members}) == history["members"]
        assert (view.info["name"], view.digest) == (history["name"].encode(), h(history["digest"]))
    assert spares > 0 and any(history["void"] for history in g["histories"])
