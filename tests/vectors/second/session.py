"""Parties, pair keys, PQXDH, openings and the Double Ratchet: docs/wire.md 4, 6, 7, 11."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey

from . import forms
from .forms import Content, Envelope, Initiation, Opening
from .lists import shown_list
from .wire import Reader, Refused, check, dh, h, hkdf, join, mac, point, public, seal, sha256, u32, u64, unseal, verifying_key, xor

MAX_JUMP = 25_000
"""How far ahead in its chain a message may lie."""


@dataclass
class Party:
    user: bytes
    account_key: bytes
    device: int
    signing_key: bytes
    identity_key: bytes

    @staticmethod
    def of(side: dict[str, Any]) -> Party:
        """From what a vector says of a side; its keys follow from its secrets."""
        signing = Ed25519PrivateKey.from_private_bytes(h(side["signing_seed"])).public_key().public_bytes_raw()
        account = h(side["account_key"])
        if side["account_seed"]:
            assert account == Ed25519PrivateKey.from_private_bytes(h(side["account_seed"])).public_key().public_bytes_raw()
        return Party(side["user"].encode(), account, side["device"], signing, public(h(side["identity_private"])))

    def encoded(self) -> bytes:
        return join(self.user, self.account_key, u32(self.device), self.signing_key, self.identity_key)


@dataclass
class PairKeys:
    """The keys of one direction."""

    mask: bytes
    gate: bytes
    control: bytes

    @staticmethod
    def of(private: bytes, theirs: bytes, sender: Party, recipient: Party) -> PairKeys:
        info = join(b"sesame/1 pair", b"\x01", sender.encoded(), recipient.encoded())
        keys = hkdf(b"", dh(private, theirs), info, 96)
        return PairKeys(keys[:32], keys[32:64], keys[64:])

    def gate_of(self, head: bytes) -> bytes:
        return mac(self.gate, head)[:16]

    def masked(self, salt: bytes, tag: bytes) -> bytes:
        """A chain tag as a locator, and back."""
        return xor(tag, mac(self.mask, salt)[:16])


@dataclass
class PreKeys:
    """The private keys of a device by their ids; KEM keys as seeds of 64 bytes."""

    signed: dict[int, bytes]
    one_time: dict[int, bytes]
    kem: dict[int, bytes]


@dataclass
class Secrets:
    """What an agreement gives both sides."""

    ad: bytes
    root: bytes
    initiator_header: bytes
    responder_header: bytes

    @property
    def session_id(self) -> bytes:
        return sha256(join(b"sesame/1 sid", self.ad))


def associated_data(kind: int, scope: bytes, generation: int, a: Party, b: Party, transcript: bytes) -> bytes:
    both = a.encoded(), b.encoded()
    return sha256(join(b"sesame/1 session", b"\x01", bytes([kind]), scope, u64(generation), *both, transcript))


def of_keys(ad: bytes, keys: bytes) -> Secrets:
    return Secrets(ad, keys[:32], keys[32:64], keys[64:])


def respond(identity: bytes, pre_keys: PreKeys, us: Party, them: Party, first: Initiation) -> Secrets:
    """PQXDH as the responder, from private keys alone."""
    signed, kem_seed = pre_keys.signed.get(first.signed_pre_key), pre_keys.kem.get(first.kem_pre_key)
    one_time = None if first.one_time_pre_key is None else pre_keys.one_time.get(first.one_time_pre_key)
    known = signed is not None and kem_seed is not None and (one_time is not None or first.one_time_pre_key is None)
    check(known, 215)
    assert signed and kem_seed
    ephemeral = point(first.ephemeral_key)
    kem = MLKEM1024PrivateKey.from_seed_bytes(kem_seed)
    opk = join(u32(first.one_time_pre_key or 0), public(one_time)) if one_time else b""
    transcript = join(
        ephemeral,
        u32(first.signed_pre_key),
        public(signed),
        opk,
        u32(first.kem_pre_key),
        kem.public_key().public_bytes_raw(),
        sha256(first.kem_ciphertext),
    )
    ad = associated_data(1, b"", first.generation, them, us, transcript)
    agreed = dh(signed, them.identity_key) + dh(identity, ephemeral) + dh(signed, ephemeral)
    agreed += dh(one_time, ephemeral) if one_time else b""
    agreed += kem.decapsulate(first.kem_ciphertext)
    label = b"sesame/1 pqxdh X25519 SHA-256 ML-KEM-1024"
    return of_keys(ad, hkdf(bytes(32), b"\xff" * 32 + agreed, join(label, ad), 96))


def respond_to_opening(identity: bytes, us: Party, them: Party, opening: Opening) -> Secrets:
    transcript = join(opening.ephemeral_key, sha256(opening.seed))
    ad = associated_data(opening.kind, opening.group, opening.generation, them, us, transcript)
    shared = dh(identity, them.identity_key)
    return of_keys(ad, hkdf(bytes(32), opening.seed + shared, join(b"sesame/1 opening", ad), 96))


def chain_tag(header_key: bytes) -> bytes:
    return hkdf(b"", header_key, join(b"sesame/1 tag"), 16)


def body_keys(ad: bytes, head: bytes, salt: bytes, message_key: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Key, nonce, commitment, and the info that is AD as well."""
    info = join(b"sesame/1 body", ad, head)
    keys = hkdf(salt, message_key, info, 76)
    return keys[:32], keys[32:44], keys[44:], info


@dataclass
class Ratchet:
    """A responder's Double Ratchet with header encryption (Double Ratchet 4). The fresh private keys of its DH steps are given."""

    ad: bytes
    root: bytes
    private: bytes
    next_receiving_header: bytes
    next_sending_header: bytes
    fresh: list[bytes] = field(default_factory=list)
    receiving_header: bytes | None = None
    receiving_chain: bytes = b""
    received: int = 0
    sending_header: bytes = b""
    sending_chain: bytes = b""
    sent: int = 0
    previous: int = 0
    steps: int = 0
    skipped: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    @staticmethod
    def responder(secrets: Secrets, private: bytes, fresh: list[bytes]) -> Ratchet:
        return Ratchet(secrets.ad, secrets.root, private, secrets.initiator_header, secrets.responder_header, fresh)

    def root_step(self, theirs: bytes) -> tuple[bytes, bytes]:
        keys = hkdf(self.root, dh(self.private, theirs), join(b"sesame/1 root", self.ad), 96)
        self.root = keys[:32]
        return keys[32:64], keys[64:]

    def skip_to(self, number: int) -> None:
        """Goes on to a number, and keeps the keys of the last 1,000 before it."""
        check(number - self.received <= MAX_JUMP, 212)
        while self.received < number:
            key, self.receiving_chain = mac(self.receiving_chain, b"\x01"), mac(self.receiving_chain, b"\x02")
            assert self.receiving_header
            if number - self.received <= 1_000:
                self.skipped[self.receiving_header, self.received] = key
            self.received += 1

    def message_key(self, e: Envelope, tag: bytes | None) -> bytes:
        """The key of a message whose header opens. Without a locator it is of the first chain."""
        ad = join(b"sesame/1 header", self.ad)
        for kept, number in list(self.skipped):
            if tag == chain_tag(kept):
                _, _, n = forms.header(unseal(kept, e.salt[:12], e.header, ad))
                if n == number:
                    return self.skipped.pop((kept, number))
        steps = self.receiving_header is None or tag == chain_tag(self.next_receiving_header)
        key = self.next_receiving_header if steps else self.receiving_header
        check(tag is None or tag == chain_tag(key or b""), 211)
        assert key
        theirs, pn, n = forms.header(unseal(key, e.salt[:12], e.header, ad))
        if steps:
            point(theirs)
            # A chain whose end is out of reach is given up.
            if self.receiving_header and pn - self.received <= MAX_JUMP:
                self.skip_to(pn)
            self.receiving_header = key
            self.receiving_chain, self.next_receiving_header = self.root_step(theirs)
            self.received, self.previous, self.sent = 0, self.sent, 0
            self.sending_header = self.next_sending_header
            self.steps += 1
            if self.fresh:
                self.private = self.fresh.pop(0)
                self.sending_chain, self.next_sending_header = self.root_step(theirs)
        self.skip_to(n)
        message_key, self.receiving_chain = mac(self.receiving_chain, b"\x01"), mac(self.receiving_chain, b"\x02")
        self.received += 1
        return message_key

    def open(self, e: Envelope, tag: bytes | None) -> bytes:
        """The body of a message, with its padding."""
        key, nonce, commitment, info = body_keys(self.ad, e.head, e.salt, self.message_key(e, tag))
        check(commitment == e.commitment, 209)
        return unseal(key, nonce, e.body, info)

    def send(self) -> tuple[bytes, bytes]:
        """The next message key, and the header that names it."""
        header = public(self.private) + u32(self.previous) + u32(self.sent) + b"\0\0"
        message_key, self.sending_chain = mac(self.sending_chain, b"\x01"), mac(self.sending_chain, b"\x02")
        self.sent += 1
        return message_key, header


def retry(pair: PairKeys, e: Envelope) -> tuple[int, list[tuple[bytes, int]]]:
    """What the sender asks for, under the control key: a floor, and salts with causes."""
    label = join(b"sesame/1 retry")
    check(pair.gate_of(e.head) == e.gate, 222)
    check(e.locator is not None and pair.masked(e.salt, e.locator) == bytes(16), 211)
    check(e.header == hkdf(e.salt, pair.control, label, 58), 209)
    key, nonce, commitment, info = body_keys(bytes(32), e.head, e.salt, hkdf(b"", pair.control, label, 32))
    check(commitment == e.commitment, 209)
    r = Reader(forms.unpadded(unseal(key, nonce, e.body, info)))
    asked = forms.retry(r)
    r.end()
    return asked


def address(party: Party) -> bytes:
    return bytes([len(party.user)]) + party.user + u32(party.device)


def ordinary(ratchet: Ratchet, pair: PairKeys, sides: tuple[Party, Party], salt: bytes, body: bytes) -> bytes:
    """An ordinary envelope as its sender makes it, of a padded body."""
    key, header = ratchet.send()
    header = seal(ratchet.sending_header, salt[:12], header, join(b"sesame/1 header", ratchet.ad))
    locator = pair.masked(salt, chain_tag(ratchet.sending_header))
    head = b"\x01\x01" + address(sides[0]) + address(sides[1]) + salt + b"\x01" + locator
    head += len(header).to_bytes(2, "big") + header
    key, nonce, commitment, info = body_keys(ratchet.ad, head, salt, key)
    sealed = seal(key, nonce, body, info)
    return head + pair.gate_of(head) + commitment + u32(len(sealed)) + sealed


def first_contact(identity: bytes, pre_keys: PreKeys, us: Party, data: bytes) -> tuple[Ratchet, Content]:
    """An initiation by a device of which nothing is known, through all that a receiver checks."""
    e = forms.envelope(data)
    check(e.recipient == (us.user, us.device), 210)
    first = e.initiation
    if first is None:
        raise Refused(211)
    keys = verifying_key(first.account_key), verifying_key(first.signing_key), point(first.identity_key)
    them = Party(e.sender[0], keys[0], e.sender[1], keys[1], keys[2])
    check(them.identity_key != us.identity_key, 303)
    pair = PairKeys.of(identity, them.identity_key, them, us)
    check(pair.gate_of(e.head) == e.gate, 222)
    secrets = respond(identity, pre_keys, us, them, first)
    ratchet = Ratchet.responder(secrets, pre_keys.signed[first.signed_pre_key], [])
    said = forms.content(forms.unpadded(ratchet.open(e, None)))
    listed, _ = shown_list(said.riding, 17)
    check(listed.user == them.user, 312)
    check(listed.account_key == them.account_key, 218)
    ours = {us.account_key, us.signing_key, us.identity_key}
    names = {listed.account_key, *(key for each in listed.devices.values() for key in (each.signing_key, each.identity_key))}
    check(them.user == us.user or not ours & names, 303)
    device = listed.devices.get(them.device)
    check(device is not None and device.keys == them.signing_key + them.identity_key, 221)
    check(said.kind in (1, 2, 3, 6, 7, 8), 220)
    # Only an own device makes transcripts, asks to be removed, and hands the account key over.
    check(said.kind in (1, 3, 8) or (them.user, them.account_key) == (us.user, us.account_key), 221)
    return ratchet, said
