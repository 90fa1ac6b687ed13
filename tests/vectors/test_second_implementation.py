"""A second implementation of the receiving side, written from docs/wire.md alone, against tests/vectors/v1.json.

It shares no code with the library: X25519, Ed25519, HKDF and AES-256-GCM come from the `cryptography` package. ML-KEM's shared secret is
taken from the vectors. It has no limits and no checks that the vectors do not need; it is here to show that the document is complete.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "v1.json").read_text())


def h(text: str) -> bytes:
    return bytes.fromhex(text)


def join(*fields: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in fields)


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt or bytes(32), info).derive(ikm)


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def dh(private: bytes, public: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


class Reader:
    """Bytes, read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, length: int) -> bytes:
        part = self.data[self.at : self.at + length]
        assert len(part) == length, "truncated"
        self.at += length
        return part

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def opaque(self, length_bytes: int) -> bytes:
        return self.take(self.number(length_bytes))

    def end(self) -> None:
        assert self.at == len(self.data), "trailing bytes"


def party(side: dict[str, Any]) -> bytes:
    account = Ed25519PrivateKey.from_private_bytes(h(side["account_seed"])).public_key().public_bytes_raw()
    signing = Ed25519PrivateKey.from_private_bytes(h(side["signing_seed"])).public_key().public_bytes_raw()
    return join(side["user"].encode(), account, u32(side["device"]), signing, public(h(side["identity_private"])))


def pair_keys(ours: dict[str, Any], theirs: dict[str, Any], sender: dict[str, Any], recipient: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    shared = dh(h(ours["identity_private"]), h(theirs["identity_key"]))
    keys = hkdf(b"", shared, join(b"sesame/1 pair", b"\x01", party(sender), party(recipient)), 96)
    return keys[:32], keys[32:64], keys[64:]


@dataclass
class Envelope:
    head: bytes
    salt: bytes
    locator: bytes | None
    initiation: dict[str, Any] | None
    header: bytes
    gate: bytes
    commitment: bytes
    body: bytes


def envelope(data: bytes) -> Envelope:
    r = Reader(data)
    assert r.take(2) == b"\x01\x01"
    for _ in range(2):
        r.opaque(1), r.number(4)
    salt = r.take(16)
    locator, initiation = None, None
    if r.number(1) == 1:
        locator = r.take(16)
    else:
        initiation = {
            "account_key": r.take(32),
            "signing_key": r.take(32),
            "identity_key": r.take(32),
            "ephemeral_key": r.take(32),
            "generation": r.number(8),
            "signed_pre_key": r.number(4),
            "one_time_pre_key": r.number(4) if r.number(1) else None,
            "kem_pre_key": r.number(4),
            "kem_ciphertext": r.take(1568),
        }
    header = r.opaque(2)
    head = data[: r.at]
    made = Envelope(head, salt, locator, initiation, header, r.take(16), r.take(32), r.opaque(4))
    r.end()
    return made


def bundle(data: bytes) -> dict[str, Any]:
    r = Reader(data)
    assert r.number(1) == 1
    user, device = r.opaque(1), r.number(4)
    signing_key, identity_key = r.take(32), r.take(32)

    def verify(label: bytes, id: int, created_at: int, key: bytes, signature: bytes) -> None:
        covered = join(user, u32(device), u32(id), created_at.to_bytes(8, "big"), key)
        Ed25519PublicKey.from_public_bytes(signing_key).verify(signature, join(label, covered))

    signed = {"id": r.number(4), "key": r.take(32)}
    verify(b"sesame/1 sign signed prekey", signed["id"], r.number(8), signed["key"], r.take(64))
    one_time = None
    if r.number(1):
        one_time = {"id": r.number(4), "key": r.take(32)}
        verify(b"sesame/1 sign one-time prekey", one_time["id"], 0, one_time["key"], r.take(64))
    id, usage, created_at = r.number(4), r.number(1), r.number(8)
    kem = {"id": id, "key": r.take(1568)}
    label = {1: b"sesame/1 sign one-time kem prekey", 2: b"sesame/1 sign last-resort kem prekey"}[usage]
    assert usage != 1 or created_at == 0
    verify(label, id, created_at, kem["key"], r.take(64))
    r.end()
    return {"identity_key": identity_key, "signed": signed, "one_time": one_time, "kem": kem}


def chain_tag(header_key: bytes) -> bytes:
    return hkdf(b"", header_key, join(b"sesame/1 tag"), 16)


@dataclass
class Ratchet:
    """The receiving half of a Double Ratchet with header encryption, and as much of the sending half as a DH step needs."""

    ad: bytes
    root: bytes
    private: bytes
    receiving_header: bytes | None
    next_receiving_header: bytes
    chain: bytes | None = None
    received: int = 0
    # What was opened: message number to payload, for the test.
    log: list[int] = field(default_factory=list)

    def root_step(self, theirs: bytes) -> tuple[bytes, bytes]:
        keys = hkdf(self.root, dh(self.private, theirs), join(b"sesame/1 root", self.ad), 96)
        self.root = keys[:32]
        return keys[32:64], keys[64:]

    def open_nested(self, e: Envelope, tag: bytes | None = None) -> bytes:
        steps = self.receiving_header is None or (tag is not None and tag == chain_tag(self.next_receiving_header))
        key = self.next_receiving_header if steps else self.receiving_header
        assert key is not None and (tag is None or tag == chain_tag(key))
        r = Reader(AESGCM(key).decrypt(e.salt[:12], e.header, join(b"sesame/1 header", self.ad)))
        theirs, _pn, n = r.take(32), r.number(4), r.number(4)
        assert r.opaque(2) == b""
        r.end()
        if steps:
            self.receiving_header = key
            self.chain, self.next_receiving_header = self.root_step(theirs)
            self.received = 0
        assert self.chain is not None and n == self.received, "the vectors come in order"
        message_key, self.chain = mac(self.chain, b"\x01"), mac(self.chain, b"\x02")
        self.received += 1
        info = join(b"sesame/1 body", self.ad, e.head)
        keys = hkdf(e.salt, message_key, info, 76)
        assert keys[44:] == e.commitment
        return AESGCM(keys[:32]).decrypt(keys[32:44], e.body, info)

    def open(self, e: Envelope, tag: bytes | None) -> bytes:
        padded = self.open_nested(e, tag)
        assert len(padded) in (768, 1024, 1536, 2048, 3072, 4096)
        content = padded.rstrip(b"\0")
        assert content[-1] == 0x80
        return content[:-1]


def content(data: bytes) -> dict[str, Any]:
    r = Reader(data)
    assert r.number(1) == 1
    claims = [(r.number(8), r.take(16)) for _ in range(2)]
    device_list, sequence = r.opaque(2), r.number(8)
    kind, content_id, sent_at = r.number(1), r.take(16), r.number(8)
    assert kind == 1
    payload = r.opaque(4)
    r.end()
    return {"claims": claims, "list": device_list, "sequence": sequence, "content_id": content_id, "sent_at": sent_at, "payload": payload}


def associated_data() -> bytes:
    first = envelope(h(VECTORS["conversation"][0]["envelope"])).initiation
    assert first
    b = bundle(h(VECTORS["bundle"]))
    transcript = join(
        first["ephemeral_key"],
        u32(first["signed_pre_key"]),
        b["signed"]["key"],
        join(u32(first["one_time_pre_key"]), b["one_time"]["key"]),
        u32(first["kem_pre_key"]),
        b["kem"]["key"],
        sha256(first["kem_ciphertext"]),
    )
    generation = first["generation"].to_bytes(8, "big")
    bob, alice = party(VECTORS["bob"]), party(VECTORS["alice"])
    return sha256(join(b"sesame/1 session", b"\x01", b"\x01", b"", generation, bob, alice, transcript))


def test_parties_and_pair_keys() -> None:
    alice, bob = VECTORS["alice"], VECTORS["bob"]
    assert party(alice) == h(alice["party"]) and party(bob) == h(bob["party"])
    expected = VECTORS["pair_bob_to_alice"]
    assert pair_keys(alice, bob, bob, alice) == (h(expected["mask"]), h(expected["gate"]), h(expected["control"]))
    assert pair_keys(bob, alice, bob, alice) == pair_keys(alice, bob, bob, alice)


def test_device_list() -> None:
    r = Reader(h(VECTORS["device_list"]["signed"]))
    form, signature = r.opaque(2), r.take(64)
    r.end()
    account = Ed25519PublicKey.from_public_bytes(h(VECTORS["alice"]["account_key"]))
    account.verify(signature, join(b"sesame/1 sign device list", form))
    assert sha256(form) == h(VECTORS["device_list"]["hash"])
    r = Reader(form)
    assert (r.number(1), r.opaque(1), r.take(32)) == (1, b"alice", h(VECTORS["alice"]["account_key"]))
    assert r.number(8) == VECTORS["device_list"]["epoch"]
    r.number(8)
    devices = Reader(r.opaque(2))
    assert (devices.number(4), devices.take(32), devices.take(32)) == (1, h(VECTORS["alice"]["signing_key"]), h(VECTORS["alice"]["identity_key"]))
    assert (devices.opaque(1), devices.number(8)) == (b"\x01", 1)
    devices.end()
    assert (r.number(4), r.number(4), r.take(32)) == (1, 1, bytes(32))
    r.end()


@dataclass
class Chain:
    """Hashes of consecutive lists, with the history of the first; and what the newest says of ids."""

    first: int
    history: bytes
    hashes: list[bytes]
    last_id: int = 0
    devices: dict[int, bytes] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        return self.first + len(self.hashes) - 1

    def after(self) -> bytes:
        history = self.history
        for one in self.hashes:
            history = sha256(join(b"sesame/1 list history", history, one))
        return history


def shown_list(data: bytes) -> Chain:
    r = Reader(data)
    form, _ = r.opaque(2), r.take(64)
    links = r.opaque(2)
    r.end()
    r = Reader(form)
    r.number(1), r.opaque(1), r.take(32)
    epoch = r.number(8)
    r.number(8)
    inner, devices = Reader(r.opaque(2)), {}
    while inner.at < len(inner.data):
        device, keys = inner.number(4), inner.take(64)
        inner.opaque(1), inner.number(8)
        devices[device] = keys
    last_id, primary, history = r.number(4), r.number(4), r.take(32)
    r.end()
    assert primary in devices and max(devices) <= last_id and (history == bytes(32)) == (epoch == 1)
    if not links:
        return Chain(epoch, history, [sha256(form)], last_id, devices)
    first, *before = [links[at : at + 32] for at in range(0, len(links), 32)]
    earlier = Chain(epoch - len(before), first, before)
    assert earlier.first >= 1 and before and earlier.after() == history
    return Chain(earlier.first, first, [*before, sha256(form)], last_id, devices)


def verdict(ours: Chain, theirs: Chain) -> str:
    common = min(ours.newest, theirs.newest)
    if common >= max(ours.first, theirs.first):
        if ours.hashes[common - ours.first] != theirs.hashes[common - theirs.first]:
            return "fork"
        found = "same" if ours.newest == theirs.newest else "newer" if theirs.newest > ours.newest else "older"
    elif theirs.first == ours.newest + 1:
        found = "newer" if theirs.history == ours.after() else "fork"
    elif ours.first == theirs.newest + 1:
        found = "older" if ours.history == theirs.after() else "fork"
    else:
        return "not proved" if theirs.newest > ours.newest else "below"
    if found == "newer":
        again = any(ours.devices.get(device, None if device <= ours.last_id else keys) != keys for device, keys in theirs.devices.items())
        if again or theirs.last_id < ours.last_id:
            return "fork"
    return found


def test_lists() -> None:
    signed = [shown_list(h(one) + bytes(2)) for one in VECTORS["lists"]["signed"]]
    for one, following in zip(signed, signed[1:]):
        assert one.after() == following.history
    found = set()
    for case in VECTORS["lists"]["cases"]:
        held = signed[case["held"] - 1]
        hashes = [one.hashes[0] for one in signed[case["from"] - 1 : case["held"]]]
        ours = Chain(case["from"], signed[case["from"] - 1].history, hashes, held.last_id, held.devices)
        assert verdict(ours, shown_list(h(case["shown"]))) == case["verdict"], case
        found.add(case["verdict"])
    assert found == {"same", "newer", "older", "fork", "not proved", "below"}


def test_agreement() -> None:
    p, keys, alice = VECTORS["pqxdh"], VECTORS["pre_keys"], VECTORS["alice"]
    first = envelope(h(VECTORS["conversation"][0]["envelope"])).initiation
    assert first
    ad = associated_data()
    assert ad == h(p["associated_data"]) and sha256(join(b"sesame/1 sid", ad)) == h(p["session_id"])
    agreed = [
        dh(h(keys["signed_private"]), first["identity_key"]),
        dh(h(alice["identity_private"]), first["ephemeral_key"]),
        dh(h(keys["signed_private"]), first["ephemeral_key"]),
        dh(h(keys["one_time_private"]), first["ephemeral_key"]),
        h(p["kem_shared_secret"]),
    ]
    label = b"sesame/1 pqxdh X25519 SHA-256 ML-KEM-1024"
    sk = hkdf(bytes(32), b"\xff" * 32 + b"".join(agreed), join(label, ad), 96)
    assert (sk[:32], sk[32:64], sk[64:]) == (h(p["root"]), h(p["initiator_header"]), h(p["responder_header"]))
    assert chain_tag(sk[32:64]) == h(p["initiator_first_chain_tag"])


def test_alice_reads_what_bob_wrote_before_she_answers() -> None:
    p, alice, bob = VECTORS["pqxdh"], VECTORS["alice"], VECTORS["bob"]
    mask, gate, _ = pair_keys(alice, bob, bob, alice)
    ratchet = Ratchet(
        ad=associated_data(),
        root=h(p["root"]),
        private=h(VECTORS["pre_keys"]["signed_private"]),
        receiving_header=None,
        next_receiving_header=h(p["initiator_header"]),
    )
    read = 0
    for expected in VECTORS["conversation"]:
        if (expected["from"], read) != ("bob", read):
            break
        e = envelope(h(expected["envelope"]))
        assert mac(gate, e.head)[:16] == e.gate
        tag = None
        if e.locator is not None:
            tag = bytes(a ^ b for a, b in zip(e.locator, mac(mask, e.salt)[:16]))
        opened = content(ratchet.open(e, tag))
        assert opened["payload"] == h(expected["payload"])
        assert opened["content_id"] == h(expected["content_id"])
        assert (opened["sequence"], opened["sent_at"]) == (expected["sequence"], expected["sent_at"])
        read += 1
    assert read == 2, "from then on the ratchet needs Alice's own fresh keys"


def opening(direct_content: bytes) -> dict[str, Any]:
    """What opens a group's session, out of the content of a direct message."""
    r = Reader(direct_content)
    assert r.number(1) == 1
    r.take(48), r.opaque(2), r.number(8)
    assert r.number(1) == 3
    o = {"kind": r.number(1), "group": r.take(32), "generation": r.number(8), "ephemeral_key": r.take(32), "seed": r.take(32)}
    o |= {"header": r.opaque(2), "commitment": r.take(32), "body": r.opaque(3)}
    r.end()
    return o


def operation(signed: Reader, lists: dict[bytes, bytes], operations: dict[bytes, dict[str, Any]]) -> None:
    """Reads one signed operation and checks it against the device list that it cites."""
    form, signature = signed.opaque(2), signed.take(64)
    r = Reader(form)
    assert r.number(1) == 1
    group, author, device, sequence, lamport, cited = r.take(32), r.opaque(1), r.number(4), r.number(8), r.number(8), r.take(32)
    parents = r.opaque(2)
    kind = r.number(1)
    members: list[tuple[bytes, bytes]] = []
    if kind == 1:
        scope_kind, account, random = r.number(1), r.take(32), r.take(32)
        assert scope_kind == 2 and sha256(join(b"sesame/1 group id", account, random)) == group
        fields = [r.opaque(2) if r.number(1) else None for _ in range(3)]
        timer = r.number(4) if r.number(1) else None
        app_data = r.opaque(2) if r.number(1) else None
        assert (fields, timer, app_data) == ([b"Trip", None, None], None, None)
        assert r.number(1) == 0, "it is no fork"
        members = [(author, account)]
    elif kind == 2:
        added = Reader(r.opaque(2))
        while added.at < len(added.data):
            members.append((added.opaque(1), added.take(32)))
            assert added.opaque(2) == b"", "nobody has left"
    r.end()
    # The list is the author's, and the device on it has signed.
    device_list = Reader(lists[cited])
    assert (device_list.number(1), device_list.opaque(1)) == (1, author)
    device_list.take(32), device_list.number(8), device_list.number(8)
    listed, keys = Reader(device_list.opaque(2)), {}
    while listed.at < len(listed.data):
        id, key = listed.number(4), listed.take(32)
        listed.take(32), listed.opaque(1), listed.number(8)
        keys[id] = key
    Ed25519PublicKey.from_public_bytes(keys[device]).verify(signature, join(b"sesame/1 sign group operation", form))
    name = sha256(join(b"sesame/1 operation id", form))
    assert lamport == 1 + max([0] + [operations[parents[at : at + 32]]["lamport"] for at in range(0, len(parents), 32)])
    operations[name] = {"lamport": lamport, "sequence": sequence, "members": members}


def test_alice_reads_what_bob_says_in_a_group() -> None:
    g, alice, bob = VECTORS["group"], VECTORS["alice"], VECTORS["bob"]
    ratchet: Ratchet | None = None
    operations: dict[bytes, dict[str, Any]] = {}
    for number, each in enumerate(g["openings"]):
        o, salt = opening(h(each["direct_content"])), h(each["salt"])
        assert (o["kind"], o["group"]) == (2, h(g["id"]))
        transcript = join(o["ephemeral_key"], sha256(o["seed"]))
        generation = o["generation"].to_bytes(8, "big")
        ad = sha256(join(b"sesame/1 session", b"\x01", b"\x02", o["group"], generation, party(bob), party(alice), transcript))
        assert ad == h(g["associated_data"]) and sha256(join(b"sesame/1 sid", ad)) == h(g["session_id"])
        shared = dh(h(alice["identity_private"]), h(bob["identity_key"]))
        sk = hkdf(bytes(32), o["seed"] + shared, join(b"sesame/1 opening", ad), 96)
        if ratchet is None:
            ratchet = Ratchet(ad, sk[:32], h(alice["identity_private"]), None, sk[32:64])
        # As an envelope without padding, whose head is the salt and the encrypted header.
        head = join(b"sesame/1 nested", salt, o["header"])
        inner = Reader(ratchet.open_nested(Envelope(head, salt, None, None, o["header"], b"", o["commitment"], o["body"])))
        assert inner.number(1) == 1
        inner.take(48), inner.opaque(2)
        assert inner.number(8) == number + 1, "the group counts for itself"
        kind = inner.number(1)
        inner.take(24)
        count, digest, payload = inner.number(2), inner.take(16), inner.opaque(4)
        inner.end()
        if kind == 5:
            bundle_reader = Reader(payload)
            lists, offered = Reader(bundle_reader.opaque(3)), Reader(bundle_reader.opaque(3))
            bundle_reader.end()
            cited: dict[bytes, bytes] = {}
            while lists.at < len(lists.data):
                outer = Reader(lists.opaque(2))
                form, signature = outer.opaque(2), outer.take(64)
                account = Ed25519PublicKey.from_public_bytes(h(bob["account_key"]))
                account.verify(signature, join(b"sesame/1 sign device list", form))
                cited[sha256(form)] = form
            while offered.at < len(offered.data):
                operation(offered, cited, operations)
        else:
            assert (kind, payload) == (4, h(g["payload"]))
        assert count == len(operations)
        assert digest == sha256(join(b"sesame/1 group digest", *sorted(operations)))[:16] == h(g["digest"])
    assert sorted(operations) == sorted(h(each["id"]) for each in g["operations"])
    members = {user for each in operations.values() for user, _ in each["members"]}
    assert sorted(members) == [user.encode() for user in g["members"]]


@dataclass
class Word:
    """One operation of a group's history, as docs/wire.md lays it out."""

    id: bytes
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
    change: dict[str, bytes | int] = field(default_factory=dict)
    about: bytes = b""
    retires: tuple[int, int] = (0, 0)

    def order(self) -> tuple[int, bytes, int, bytes]:
        return self.lamport, self.author, self.device, self.id


def ids(data: bytes) -> list[bytes]:
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def change(r: Reader) -> dict[str, bytes | int]:
    said: dict[str, bytes | int] = {}
    for name in ("name", "description", "picture"):
        if r.number(1):
            said[name] = r.opaque(2)
    if r.number(1):
        said["timer"] = r.number(4)
    if r.number(1):
        said["app_data"] = r.opaque(2)
    return said


def word(group: bytes, signed: bytes, lists: dict[bytes, bytes]) -> Word:
    outer = Reader(signed)
    form, signature = outer.opaque(2), outer.take(64)
    outer.end()
    r = Reader(form)
    assert (r.number(1), r.take(32)) == (1, group)
    author, device, sequence, lamport, cited = r.opaque(1), r.number(4), r.number(8), r.number(8), r.take(32)
    listed = Reader(lists[cited])
    assert (listed.number(1), listed.opaque(1)) == (1, author)
    account, epoch = listed.take(32), listed.number(8)
    listed.take(8)
    on_it, keys = Reader(listed.opaque(2)), {}
    while on_it.at < len(on_it.data):
        number, key = on_it.number(4), on_it.take(32)
        on_it.take(32), on_it.opaque(1), on_it.number(8)
        keys[number] = key
    Ed25519PublicKey.from_public_bytes(keys[device]).verify(signature, join(b"sesame/1 sign group operation", form))
    name = sha256(join(b"sesame/1 operation id", form))
    made = Word(name, author, account, device, keys[device], epoch, sequence, lamport, ids(r.opaque(2)), r.number(1))
    if made.kind == 1:
        assert r.number(1) == 2
        assert r.take(32) == account and sha256(join(b"sesame/1 group id", account, r.take(32))) == group
        made.change, made.added = change(r), [(author, account, [])]
        assert r.number(1) == 0, "it is no fork"
    elif made.kind == 2:
        added = Reader(r.opaque(2))
        while added.at < len(added.data):
            made.added.append((added.opaque(1), added.take(32), ids(added.opaque(2))))
    elif made.kind == 3:
        made.change = change(r)
    elif made.kind in (5, 6):
        made.about = r.take(32)
    elif made.kind == 7:
        made.retires = (r.number(4), r.number(8))
        assert made.retires[0] not in keys, "a list that names the device is no evidence"
    r.end()
    return made


class Judge:
    """What a set of operations makes of a group: the four rules of "What counts" in docs/wire.md 12."""

    def __init__(self, words: list[Word]) -> None:
        self.words = {each.id: each for each in words}
        self.past: dict[bytes, set[bytes]] = {}
        self.counts: dict[bytes, bool] = {}
        for each in sorted(words, key=Word.order):
            self.past[each.id] = set(each.parents).union(*(self.past[parent] for parent in each.parents))
            assert each.lamport == 1 + max([0] + [self.words[parent].lamport for parent in each.parents])
            before = [self.words[id] for id in self.past[each.id]]
            assert each.kind == 1 or any((each.author, each.account) == (u, k) for o in before for u, k, _ in o.added)
            own = [o.sequence for o in before if (o.account, o.signing) == (each.account, each.signing)]
            assert each.sequence == 1 or each.sequence - 1 in own
        for each in sorted(words, key=Word.order):
            self.counts[each.id] = self.count(each)

    def retired(self, each: Word) -> bool:
        retires = [o for o in self.words.values() if o.kind == 7 and (o.author, o.account) == (each.author, each.account)]
        return any(
            o.retires[0] == each.device and each.sequence > o.retires[1] and each.id not in self.past[o.id] and each.epoch < o.epoch
            for o in retires
        )

    def leaves(self, user: bytes, account: bytes) -> list[Word]:
        return [o for o in self.words.values() if o.kind == 4 and (o.author, o.account) == (user, account) and not self.retired(o)]

    def count(self, each: Word) -> bool:
        if each.kind == 7:
            return True
        if self.retired(each):
            return False
        return each.kind not in (2, 3) or self.is_member(each.author, each.account, self.past[each.id])

    def is_member(self, user: bytes, account: bytes, seen: set[bytes]) -> bool:
        for add in (self.words[id] for id in seen if self.counts.get(id)):
            for _, _, named in (entry for entry in add.added if entry[:2] == (user, account)):
                leaves = [o.id for o in self.leaves(user, account) if o.id in seen]
                covered = all(o in named or any(o in self.past[later] for later in named) for o in leaves)
                answers = [o.kind for o in self.words.values() if o.id in seen and self.counts.get(o.id) and (o.author, o.account) == (user, account) and o.about == add.id]
                if covered and (not named or (5 in answers and 6 not in answers)):
                    return True
        return False


def cited(group: dict[str, Any]) -> dict[bytes, bytes]:
    lists = {}
    for signed in group["lists"]:
        form = Reader(h(signed)).opaque(2)
        lists[sha256(form)] = form
    return lists


def kept(words: list[Word]) -> set[bytes]:
    """For each slot the two operations with the lowest ids, and the whole past of each."""
    slots: dict[tuple[bytes, bytes, int], list[bytes]] = {}
    for each in words:
        slots.setdefault((each.account, each.signing, each.sequence), []).append(each.id)
    past = Judge(words).past
    lowest = {id for slot in slots.values() for id in sorted(slot)[:2]}
    return lowest.union(*(past[id] for id in lowest))


def test_what_is_kept_of_several_operations_under_one_number() -> None:
    g = VECTORS["group_kept"]
    words = [word(h(g["id"]), h(signed), cited(g)) for signed in g["operations"]]
    ids = kept(words)
    assert ids == {h(id) for id in g["kept"]} and len(ids) < len(words)
    assert sha256(join(b"sesame/1 group digest", *sorted(ids)))[:16] == h(g["digest"])
    the_set = [each for each in words if each.id in ids]
    assert [each.id.hex() for each in sorted(the_set, key=Word.order)] == g["kept"]
    judge = Judge(the_set)
    named = {(user, account) for each in the_set for user, account, _ in each.added}
    assert sorted(user.decode() for user, account in named if judge.is_member(user, account, ids)) == g["members"]


def test_what_counts_in_small_sets() -> None:
    g = VECTORS["group_counts"]
    assert len(g["sets"]) >= 11
    for each in g["sets"]:
        words = [word(h(g["id"]), h(said["signed"]), cited(g)) for said in each["operations"]]
        judge = Judge(words)
        assert [judge.counts[said.id] for said in words] == [said["counts"] for said in each["operations"]], each["what"]
        named = {(user, account) for said in words for user, account, _ in said.added}
        members = sorted((user.decode(), account.hex()) for user, account in named if judge.is_member(user, account, set(judge.words)))
        assert members == [(member["user"], key) for member in each["members"] for key in member["account_keys"]], each["what"]
        info: dict[str, bytes | int] = {}
        for said in sorted(words, key=Word.order):
            if judge.counts[said.id]:
                info |= said.change
        assert info["name"] == each["name"].encode()
        assert sha256(join(b"sesame/1 group digest", *sorted(judge.words)))[:16] == h(each["digest"])


def test_a_history_of_every_kind_of_operation_gives_the_same_group() -> None:
    g = VECTORS["group_history"]
    lists = {}
    for signed in g["lists"]:
        form = Reader(h(signed)).opaque(2)
        lists[sha256(form)] = form
    words = [word(h(g["id"]), h(each["signed"]), lists) for each in g["operations"]]
    assert [each.id for each in words] == [h(each["id"]) for each in g["operations"]]
    assert {each.kind for each in words} == set(range(1, 8))
    judge = Judge(words)
    assert {id.hex(): counts for id, counts in judge.counts.items()} == {each["id"]: each["counts"] for each in g["operations"]}
    named = {(user, account) for each in words for user, account, _ in each.added}
    members = sorted(user.decode() for user, account in named if judge.is_member(user, account, set(judge.words)))
    assert members == g["members"]
    info: dict[str, bytes | int] = {}
    for each in sorted(words, key=Word.order):
        if judge.counts[each.id]:
            info |= each.change
    assert (info["name"], info["timer"], info["app_data"]) == (g["name"].encode(), g["timer"], h(g["app_data"]))
    assert sha256(join(b"sesame/1 group digest", *sorted(judge.words)))[:16] == h(g["digest"])


def test_linking_code() -> None:
    link = VECTORS["linking"]
    assert link["code"].startswith("SESAME1")
    letters, checksum = link["code"][7:-4], link["code"][-4:]
    offer = base64.b32decode(letters + "=" * (-len(letters) % 8))
    assert checksum == base64.b32encode(sha256(join(b"sesame/1 link code", offer)))[:4].decode()
    r = Reader(offer)
    assert (r.number(1), r.take(32), r.take(32), r.take(32)) == (1, h(link["new_signing_key"]), h(link["new_identity_key"]), h(link["secret"]))
    r.number(8)
    r.end()


def test_linking_hello_digits_and_answer() -> None:
    link, alice = VECTORS["linking"], VECTORS["alice"]
    secret, keys = h(link["secret"]), (h(link["new_signing_key"]), h(link["new_identity_key"]))
    assert public(h(link["new_identity_private"])) == keys[1]
    assert hkdf(b"", secret, join(b"sesame/1 link box"), 16) == h(link["box"])

    r = Reader(h(link["hello"]))
    assert r.number(1) == 1
    ephemeral, sealed = r.take(32), r.opaque(2)
    r.end()
    key = hkdf(b"", secret, join(b"sesame/1 link hello", *keys, ephemeral), 44)
    r = Reader(AESGCM(key[:32]).decrypt(key[32:], sealed, b""))
    account_key, user = r.take(32), r.opaque(1)
    r.end()
    assert (account_key, user) == (h(alice["account_key"]), b"alice")

    sides = (*keys, ephemeral, account_key, user)
    stretched = hashlib.pbkdf2_hmac("sha256", secret, join(b"sesame/1 link digits", *sides), 65_536, 8)
    assert f"{int.from_bytes(stretched, 'big') % 10**15:015}" == link["digits"]

    r = Reader(h(link["answer"]))
    assert (r.number(1), r.take(32)) == (1, ephemeral)
    salt, sealed = r.take(16), r.opaque(4)
    r.end()
    key = hkdf(salt, secret + dh(h(link["new_identity_private"]), ephemeral), join(b"sesame/1 link", *sides), 44)
    r = Reader(AESGCM(key[:32]).decrypt(key[32:], sealed, b""))
    assert (r.opaque(1), r.number(4)) == (b"alice", link["new_device"])
    device_list = Reader(r.opaque(2)).opaque(2)
    links = r.opaque(3)
    assert len(links) == 64 and links[:32] == bytes(32), "it is the second list"
    assert all(key in device_list for key in (*keys, account_key))
    contacts = Reader(r.opaque(3))
    pinned = {}
    while contacts.at < len(contacts.data):
        contact, pin = contacts.opaque(1), contacts.take(32)
        assert contacts.number(1) in (0, 1)
        contacts.opaque(2)
        pinned[contact] = pin
    assert pinned[b"bob"] == h(VECTORS["bob"]["account_key"])
    r.opaque(4)
    r.end()


def test_padding() -> None:
    steps = (768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152, 65536, 98304)
    for payload, riding_list, length, padded in VECTORS["padding"]:
        riding = riding_list + 2 + 17 * 32 if riding_list else 0
        assert padded == next(step for step in steps if step >= max(payload + 384 + riding, length + 1))


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def opaque(length_bytes: int, data: bytes) -> bytes:
    return len(data).to_bytes(length_bytes, "big") + data


def requests_and_answers() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The bodies that docs/wire.md 13 says, but for the deletion, which is signed."""
    stock = u32(39) + u32(40) + u64(2)
    named = u32(1) + b"\x07" * 16 + b"\x01" + opaque(4, b"\x01\x02\x03") + u32(4) + b"\x07" * 16 + b"\x02" + (305).to_bytes(2, "big")
    batch = opaque(1, b"bob") + b"\x00" + opaque(4, named)
    results = b"\x01" + u64(258) + b"\x01" * 32 + b"\x02" + u64(257) + b"\x02" * 32
    results += b"\x03" + opaque(2, b"\x03" * 5) + opaque(1, u32(1) + u32(2)) + opaque(1, u32(3)) + opaque(1, b"")
    results += b"\x04\x05\x06\x07" + opaque(1, u32(9)) + b"\x08" + u32(60) + b"\x09"
    asked = {
        "/v1/publication": opaque(2, b"\x01") + opaque(4, b"\x02\x03"),
        "/v1/lists": opaque(2, opaque(1, b"bob") + u64(0) + opaque(1, b"jen") + u64(258)),
        "/v1/bundles": opaque(2, opaque(1, b"bob") + u32(4)),
        "/v1/submit": opaque(4, batch),
        "/v1/mail": u64(257) + (256).to_bytes(2, "big"),
        "/v1/confirm": u64(257) + opaque(3, u64(259) + u64(300)),
        "/v1/push": opaque(2, b"\x06" * 3),
        "/v1/link": b"\x05" * 16 + b"\x01" + b"\x01" + opaque(4, b"\x08" * 4),
    }
    answered = {
        "/v1/publication": stock,
        "/v1/lists": opaque(4, b"\x00\x01" + opaque(2, b"\x04" * 2)),
        "/v1/bundles": opaque(4, b"\x01" + opaque(2, b"\x05" * 3)),
        "/v1/submit": opaque(4, results),
        "/v1/mail": opaque(4, u64(258) + opaque(4, b"\x01\x02\x03")) + u32(7) + stock,
        "/v1/link": b"\x01" + opaque(4, b"\x08" * 4),
    }
    return asked, answered


def test_requests_and_answers() -> None:
    vectors = VECTORS["requests"]
    asked, answered = requests_and_answers()
    assert asked == {path: h(body) for path, body in vectors["asked"].items() if path != "/v1/delete"}
    assert answered == {path: h(body) for path, body in vectors["answered"].items()}
    assert h(vectors["problem"]) == (325).to_bytes(2, "big") + u32(1_000) + u64(1_700_000_000_123) + opaque(2, b"\x03" * 5)


def test_signatures_of_requests() -> None:
    vectors = VECTORS["requests"]
    audience = vectors["audience"].encode()
    account = Ed25519PrivateKey.from_private_bytes(h(vectors["account_seed"])).public_key()
    signing = Ed25519PrivateKey.from_private_bytes(h(vectors["signing_seed"])).public_key()
    keys = [account.public_bytes_raw(), u32(3), signing.public_bytes_raw(), public(h(vectors["identity_private"]))]
    assert sha256(join(b"sesame/1 device", b"alice", *keys))[:16] == h(vectors["fingerprint"])

    body = h(vectors["asked"]["/v1/submit"])
    assert sha256(join(b"sesame/1 receipt", b"alice", u32(3), body[4:]))[:16] == h(vectors["receipt"])
    header = vectors["auth"]
    r = Reader(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    assert (r.number(1), r.opaque(1), r.number(4), r.number(8)) == (1, b"alice", 3, 1_700_000_000_123)
    nonce, signature = r.take(16), r.take(64)
    r.end()
    message = join(audience, b"POST", b"/v1/submit", b"alice", u32(3), u64(1_700_000_000_123), nonce, sha256(body))
    signing.verify(signature, join(b"sesame/1 sign request", message))

    r = Reader(h(vectors["asked"]["/v1/delete"]))
    assert (r.opaque(1), r.take(32), r.number(8)) == (b"alice", account.public_bytes_raw(), 1_700_000_000_123)
    signature = r.take(64)
    r.end()
    message = join(audience, b"alice", account.public_bytes_raw(), u64(1_700_000_000_123))
    account.verify(signature, join(b"sesame/1 sign delete", message))
