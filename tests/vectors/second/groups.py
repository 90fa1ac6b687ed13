"""A group's operations: docs/wire.md 12."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from .lists import DeviceList, signed_list
from .wire import Reader, check, h, join, sha256, verify, verifying_key, versioned

Change = dict[str, bytes | int]
Identity = tuple[bytes, bytes]

MAX_MEMBERS = 1_000
TURNS = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


@dataclass
class Word:
    """One operation, with the keys that its list gives its author."""

    id: bytes
    group: bytes
    author: bytes
    account: bytes
    device: int
    signing: bytes
    epoch: int
    sequence: int
    lamport: int
    parents: list[bytes]
    kind: int
    added: list[tuple[bytes, bytes, list[bytes]]] = field(default_factory=list)
    change: Change = field(default_factory=dict)
    about: bytes = b""
    retires: tuple[int, int] = (0, 0)
    # A create's account key and random bytes.
    made_of: tuple[bytes, bytes] = (b"", b"")

    @property
    def identity(self) -> Identity:
        return self.author, self.account

    def order(self) -> tuple[int, bytes, int, bytes]:
        return self.lamport, self.author, self.device, self.id


def change(r: Reader) -> Change:
    said: Change = {}
    for name in ("name", "description", "picture"):
        value = r.optional(lambda: r.opaque(2))
        if value is not None:
            said[name] = value
    timer = r.optional(lambda: r.number(4))
    if timer is not None:
        said["timer"] = timer
    app_data = r.optional(lambda: r.opaque(2))
    if app_data is not None:
        said["app_data"] = app_data
    return said


def is_plain(text: bytes, newlines: bool) -> bool:
    try:
        letters = text.decode()
    except UnicodeDecodeError:
        return False
    control = (c for c in letters if unicodedata.category(c) == "Cc" and not (newlines and c == "\n"))
    return not TURNS.intersection(letters) and not any(control)


def fits(said: Change) -> bool:
    limits = {"name": 256, "description": 2048, "picture": 1024, "app_data": 4096}
    short = all(len(said[name]) <= most for name, most in limits.items() if name in said)  # type: ignore[arg-type]
    texts = ((name, said[name]) for name in ("name", "description") if name in said)
    return short and all(is_plain(text, name == "description") for name, text in texts)  # type: ignore[arg-type]


def rise(names: list[bytes]) -> bool:
    return all(one < other for one, other in zip(names, names[1:]))


def word(signed: bytes, lists: dict[bytes, DeviceList]) -> Word:
    """An operation whose form, list and signature are right."""
    outer = Reader(signed)
    form, signature = outer.opaque(2), outer.take(64)
    outer.end()
    r = versioned(form)
    r.number(1)
    group, author, device = r.take(32), r.opaque(1), r.number(4)
    sequence, lamport, cited = r.number(8), r.number(8), r.take(32)
    id = sha256(join(b"sesame/1 operation id", form))
    made = Word(id, group, author, b"", device, b"", 0, sequence, lamport, r.names(2), r.number(1))
    check(1 <= made.kind <= 7, 206)
    scope_kind = 2
    if made.kind == 1:
        scope_kind, made.made_of = r.number(1), (r.take(32), r.take(32))
        made.change = change(r)
        r.optional(lambda: r.take(32))
    elif made.kind == 2:
        made.added = r.each(2, lambda a: (a.opaque(1), a.take(32), a.names(2)))
    elif made.kind == 3:
        made.change = change(r)
    elif made.kind in (5, 6):
        made.about = r.take(32)
    elif made.kind == 7:
        made.retires = r.number(4), r.number(8)
    r.end()
    creates = made.kind == 1
    check(1 <= len(author) <= 64 and 1 <= sequence <= 1024 and lamport >= 1, 233)
    check(rise(made.parents) and len(made.parents) <= 16, 233)
    check((made.parents == []) == creates == (lamport == 1), 233)
    check(scope_kind == 2, 236)
    check(fits(made.change) and (made.kind != 3 or made.change != {}), 233)
    if made.kind == 2:
        users = [user for user, _, _ in made.added]
        check(1 <= len(users) <= 200 and rise(users) and all(1 <= len(user) <= 64 for user in users), 233)
        check(all(rise(leaves) and len(leaves) <= 8 for _, _, leaves in made.added), 233)
    check(cited in lists, 221)
    listed = lists[cited]
    check(listed.user == author, 312)
    check(device in listed.devices, 221)
    made.account, made.epoch, made.signing = listed.account_key, listed.epoch, listed.devices[device].signing_key
    verify(verifying_key(made.signing), b"sesame/1 sign group operation", form, signature)
    check(made.kind != 7 or made.retires[0] not in listed.devices, 232)
    if creates:
        made.added = [(author, made.made_of[0], [])]
    return made


def cited_lists(signed: Iterable[str]) -> dict[bytes, DeviceList]:
    return {one.hash: one for one in map(signed_list, map(h, signed))}


class Entered:
    """The operations of a group that have entered: rules 1 to 4 of "Entering"."""

    def __init__(self, group: bytes) -> None:
        self.group = group
        self.words: dict[bytes, Word] = {}
        self.past: dict[bytes, set[bytes]] = {}

    def enter(self, new: Word) -> bool:
        """Whether its parents are there; it is refused if it may not follow them."""
        check(new.group == self.group, 220)
        if not all(parent in self.words for parent in new.parents):
            return False
        past = set(new.parents).union(*(self.past[parent] for parent in new.parents))
        before = [self.words[id] for id in past]
        check(new.lamport == 1 + max([0] + [self.words[parent].lamport for parent in new.parents]), 233)
        if new.kind == 1:
            account, random = new.made_of
            check(account == new.account and sha256(join(b"sesame/1 group id", account, random)) == self.group, 233)
        for user, account, leaves in new.added if new.kind == 2 else []:
            theirs = {each.id for each in before if each.kind == 4 and each.identity == (user, account)}
            check(theirs.issuperset(leaves), 232)
        if new.kind in (5, 6):
            entries = [entry for each in before if each.id == new.about and each.kind == 2 for entry in each.added]
            check(any(entry[:2] == new.identity and entry[2] != [] for entry in entries), 232)
        named = (entry[:2] for each in before for entry in each.added)
        check(new.kind == 1 or new.identity in named, 231)
        own = (each.sequence for each in before if (each.account, each.signing) == (new.account, new.signing))
        check(new.sequence == 1 or new.sequence - 1 in own, 233)
        self.words[new.id], self.past[new.id] = new, past
        return True

    def kept(self) -> list[Word]:
        """For each slot the two operations with the lowest ids, and the whole past of each."""
        slots: dict[tuple[bytes, bytes, int], list[bytes]] = {}
        for each in self.words.values():
            slots.setdefault((each.account, each.signing, each.sequence), []).append(each.id)
        lowest = {id for slot in slots.values() for id in sorted(slot)[:2]}
        return sorted((self.words[id] for id in lowest.union(*(self.past[id] for id in lowest))), key=Word.order)


def entered(group: bytes, words: Iterable[Word]) -> Entered:
    """All of these, whatever order they come in."""
    set_of = Entered(group)
    for each in sorted(words, key=Word.order):
        assert set_of.enter(each)
    return set_of


class View:
    """What the set makes of the group: rules 1 to 4 of "What counts"."""

    def __init__(self, group: Entered) -> None:
        self.words = {each.id: each for each in group.kept()}
        self.past = group.past
        self.counts: dict[bytes, bool] = {}
        for each in self.words.values():
            self.counts[each.id] = self.count(each)
        self.members = sorted(identity for identity in self.named(self.words) if self.is_member(identity, self.words))
        self.info: Change = {}
        for each in self.words.values():
            if self.counts[each.id]:
                self.info |= each.change
        self.digest = sha256(join(b"sesame/1 group digest", *sorted(self.words)))[:16]

    def named(self, seen: Iterable[bytes]) -> set[Identity]:
        return {(user, account) for id in seen for user, account, _ in self.words[id].added}

    def is_void(self, each: Word) -> bool:
        """Whether a retirement of its identity names its device and does not know it."""
        retires = (o for o in self.words.values() if o.kind == 7 and o.identity == each.identity)
        return any(
            o.retires[0] == each.device and each.sequence > o.retires[1] and each.id not in self.past[o.id] and each.epoch < o.epoch
            for o in retires
        )

    def count(self, each: Word) -> bool:
        if each.kind == 7:
            return True
        if self.is_void(each):
            return False
        if each.kind not in (2, 3):
            return True
        before = self.past[each.id]
        if each.kind == 2:
            members = {identity for identity in self.named(before) if self.is_member(identity, before)}
            if len(members | {entry[:2] for entry in each.added}) > MAX_MEMBERS:
                return False
        return self.is_member(each.identity, before)

    def is_member(self, identity: Identity, seen: Iterable[bytes]) -> bool:
        known = [self.words[id] for id in seen if self.counts[id]]
        theirs = [o for o in known if o.identity == identity]
        leaves = [o.id for o in theirs if o.kind == 4]
        for add in known:
            for entry in add.added:
                named = entry[2]
                answers = {o.kind for o in theirs if o.about == add.id}
                covered = all(o in named or any(o in self.past[later] for later in named) for o in leaves)
                if entry[:2] == identity and covered and (named == [] or (5 in answers and 6 not in answers)):
                    return True
        return False
