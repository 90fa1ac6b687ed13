"""What tests/vectors/v1.json and tests/bad-inputs say is refused, each by its code: docs/wire.md 14.

An input goes through the parser and the rules of the second implementation; nothing here knows what is wrong with it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from second import forms, groups
from second.lists import shown_list
from second.session import PairKeys, Party, PreKeys, first_contact
from second.wire import Refused, check, h, verify
from test_second_implementation import alice_after_the_conversation

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE / "v1.json").read_text())
REFUSALS: dict[str, Any] = VECTORS["refusals"]


def receive(data: bytes) -> None:
    made, keys = forms.bundle(h(VECTORS["bundle"])), VECTORS["pre_keys"]
    assert made.one_time
    signed, one_time, seed = (h(keys[name]) for name in ("signed_private", "one_time_private", "kem_seed"))
    pre_keys = PreKeys({made.signed.id: signed}, {made.one_time.id: one_time}, {made.kem.id: seed})
    first_contact(h(VECTORS["alice"]["identity_private"]), pre_keys, Party.of(VECTORS["alice"]), data)


KNOWN = alice_after_the_conversation()
READ = {forms.envelope(h(each["envelope"])).salt for each in VECTORS["conversation"]}


def receive_later(data: bytes) -> None:
    """An ordinary envelope of Bob's, when the conversation has been read."""
    e, alice, bob = forms.envelope(data), Party.of(VECTORS["alice"]), Party.of(VECTORS["bob"])
    check((e.recipient, e.sender) == ((alice.user, alice.device), (bob.user, bob.device)) and e.initiation is None, 211)
    pair = PairKeys.of(h(VECTORS["alice"]["identity_private"]), bob.identity_key, bob, alice)
    check(pair.gate_of(e.head) == e.gate, 222)
    check(e.salt not in READ, 213)
    forms.content(forms.unpadded(copy.deepcopy(KNOWN).open(e, pair.masked(e.salt, e.locator))))


def take_bundle(data: bytes) -> None:
    alice = Party.of(VECTORS["alice"])
    forms.bundle_of(data, (alice.user, alice.device, alice.signing_key, alice.identity_key), REFUSALS["bundles"]["now"])


def enter(data: bytes) -> None:
    g = REFUSALS["operations"]
    lists = groups.cited_lists(g["lists"])
    group = groups.entered(h(g["id"]), (groups.word(h(signed), lists) for signed in g["operations"]))
    assert group.enter(groups.word(data, lists)), "nothing before it is missing"


SMALL = REFUSALS["small"]
FORMS: dict[str, tuple[dict[str, Any], Callable[[bytes], Any]]] = {
    "envelope": (REFUSALS["received"], receive),
    "later envelope": (REFUSALS["later"], receive_later),
    "list": (REFUSALS["lists"], shown_list),
    "bundle": (REFUSALS["bundles"]["cases"], take_bundle),
    "operation": (REFUSALS["operations"]["cases"], enter),
    "signature": (SMALL["signatures"], lambda data: verify(h(SMALL["signer"]), b"sesame/1 sign device list", b"sesame", data)),
    "header": (SMALL["headers"], forms.header),
    "padded": (SMALL["padded"], forms.unpadded),
    "code": (SMALL["codes"], lambda data: forms.link_code(data.decode())),
}
CASES = [(form, case) for form, (told, _) in FORMS.items() for case in told["refused"]]


def refusal(judge: Callable[[bytes], Any], data: bytes) -> int | None:
    try:
        judge(data)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize(("form", "case"), CASES, ids=[f"{form}: {case['what']}" for form, case in CASES])
def test_it_is_refused_by_its_code(form: str, case: dict[str, Any]) -> None:
    told, judge = FORMS[form]
    sound = h(told["sound"])
    data = sound[: case["first"]] + h(case["between"]) + sound[len(sound) - case["last"] :]
    assert refusal(judge, data) == case["code"]


@pytest.mark.parametrize("form", FORMS)
def test_what_the_refused_is_made_of_is_taken(form: str) -> None:
    told, judge = FORMS[form]
    assert refusal(judge, h(told["sound"])) is None


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40 and len({case["code"] for _, case in CASES}) >= 20


def corpus() -> list[tuple[str, Callable[[bytes], Any], int, bytes]]:
    """The files of tests/bad-inputs that are wrong whatever their receiver knows."""
    by_form = {201, 202, 203, 204, 205, 206}
    judges: dict[str, tuple[Callable[[bytes], Any], set[int]]] = {
        "envelope": (forms.envelope, by_form),
        "bundle": (forms.bundle, {*by_form, 304}),
        "device-list": (shown_list, {*by_form, 207, 208, 302, 303, 306, 307, 308, 311}),
        "linking-code": (lambda data: forms.link_code(data.decode()), {120}),
    }
    found = []
    for file in sorted((HERE.parent / "bad-inputs").glob("*.txt")):
        head, _, body = file.read_text().partition("\n\n")
        fields = dict(line.split(": ") for line in head.splitlines())
        judge, codes = judges.get(fields["surface"], (None, set[int]()))
        if judge and int(fields["expect"]) in codes:
            found.append((file.stem, judge, int(fields["expect"]), h("".join(body.split()))))
    return found


CORPUS = corpus()


@pytest.mark.parametrize(("judge", "code", "data"), [each[1:] for each in CORPUS], ids=[each[0] for each in CORPUS])
def test_the_corpus_is_refused_by_the_same_codes(judge: Callable[[bytes], Any], code: int, data: bytes) -> None:
    assert refusal(judge, data) == code
