"""The forms of docs/wire.md 3, 5, 7, 8, 9 and 11: read to the end first, then checked."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from .wire import Reader, Refused, check, join, kem_key, point, sha256, u32, u64, user_id, verify, versioned

STEPS = (768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152, 65536, 98304)
DAY = 24 * 60 * 60 * 1_000
MAX_ENVELOPE = 2 + 2 * (1 + 64 + 4) + 16 + 1 + (4 * 32 + 8 + 4 + 5 + 4 + 1568) + 2 + 512 + 16 + 32 + 4 + 98304 + 16


@dataclass
class Initiation:
    account_key: bytes
    signing_key: bytes
    identity_key: bytes
    ephemeral_key: bytes
    generation: int
    signed_pre_key: int
    one_time_pre_key: int | None
    kem_pre_key: int
    kem_ciphertext: bytes


@dataclass
class Envelope:
    sender: tuple[bytes, int]
    recipient: tuple[bytes, int]
    salt: bytes
    locator: bytes
    initiation: Initiation | None
    header: bytes
    head: bytes
    gate: bytes
    commitment: bytes
    body: bytes


def envelope(data: bytes) -> Envelope:
    check(len(data) <= MAX_ENVELOPE, 204)
    check(data[:2] == b"\x01\x01"[: len(data)], 205)
    r = Reader(data)
    r.take(2)
    sender, recipient = (r.opaque(1), r.number(4)), (r.opaque(1), r.number(4))
    salt, kind = r.take(16), r.number(1)
    check(kind in (1, 2), 206)
    locator = r.take(16) if kind == 1 else b""
    initiation = None
    if kind == 2:
        keys = r.take(32), r.take(32), r.take(32), r.take(32)
        initiation = Initiation(*keys, r.number(8), r.number(4), r.optional(lambda: r.number(4)), r.number(4), r.take(1568))
    header = r.opaque(2)
    head = data[: r.at]
    made = Envelope(sender, recipient, salt, locator, initiation, header, head, r.take(16), r.take(32), r.opaque(4))
    r.end()
    user_id(sender[0]), user_id(recipient[0])
    check(initiation is None or initiation.generation < 2**63, 203)
    check(len(header) >= 58, 201)
    check(len(header) <= 512, 204)
    check(len(made.body) >= 16, 201)
    check(len(made.body) - 16 in STEPS, 203)
    return made


@dataclass
class PreKey:
    id: int
    key: bytes
    made_at: int
    signature: bytes
    use: int = 0


@dataclass
class Bundle:
    user: bytes
    device: int
    signing_key: bytes
    identity_key: bytes
    signed: PreKey
    one_time: PreKey | None
    kem: PreKey


def bundle(data: bytes) -> Bundle:
    r = versioned(data)
    r.number(1)
    whose = r.opaque(1), r.number(4), r.take(32), r.take(32)
    signed = PreKey(r.number(4), r.take(32), r.number(8), r.take(64))
    one_time = r.optional(lambda: PreKey(r.number(4), r.take(32), 0, r.take(64)))
    id, use, made_at = r.number(4), r.number(1), r.number(8)
    check(use in (1, 2), 206)
    made = Bundle(*whose, signed, one_time, PreKey(id, r.take(1568), made_at, r.take(64), use))
    r.end()
    user_id(made.user)
    check(all(key.id < 2**24 for key in (signed, one_time, made.kem) if key), 304)
    check(use == 2 or made_at == 0, 203)
    return made


def bundle_of(data: bytes, party: tuple[bytes, int, bytes, bytes], now: int) -> Bundle:
    """A bundle of the device (user, id, signing key, IK) that its list names."""
    made = bundle(data)
    check((made.user, made.device, made.signing_key, made.identity_key) == party, 301)
    keys = [point(key.key) for key in (made.signed, made.one_time) if key]
    kem_key(made.kem.key)
    check(len({made.identity_key, *keys}) == 1 + len(keys), 303)
    labels = {0: b"signed prekey", 1: b"one-time kem prekey", 2: b"last-resort kem prekey"}
    for key, label in ((made.signed, labels[0]), (made.one_time, b"one-time prekey"), (made.kem, labels[made.kem.use])):
        if key:
            covered = join(made.user, u32(made.device), u32(key.id), u64(key.made_at), key.key)
            verify(made.signing_key, b"sesame/1 sign " + label, covered, key.signature)
    for key in (made.signed, made.kem):
        check(key.use == 1 or now - 45 * DAY <= key.made_at <= now + DAY, 305)
    return made


def header(data: bytes) -> tuple[bytes, int, int]:
    """Ratchet key, pn, n."""
    r = Reader(data)
    made, chunk = (r.take(32), r.number(4), r.number(4)), r.opaque(2)
    r.end()
    check(chunk == b"", 205)
    return made


def padded(content: bytes, payload: int, room: int) -> bytes:
    step = next(step for step in STEPS if step >= max(payload + room, len(content) + 1))
    return (content + b"\x80").ljust(step, b"\0")


def unpadded(body: bytes) -> bytes:
    content = body.rstrip(b"\0")
    check(len(body) in STEPS and content[-1:] == b"\x80", 219)
    return content[:-1]


@dataclass
class Claim:
    epoch: int
    hash: bytes


@dataclass
class Opening:
    kind: int
    group: bytes
    generation: int
    ephemeral_key: bytes
    seed: bytes
    header: bytes
    commitment: bytes
    body: bytes


@dataclass
class Content:
    my_list: Claim
    your_list: Claim
    riding: bytes
    sequence: int
    kind: int
    content_id: bytes = b""
    sent_at: int = 0
    payload: bytes = b""
    # (user, pinned account key, verified) of a transcript.
    recipients: list[tuple[bytes, bytes | None, int]] | None = None
    # (count, digest) of a group's operations.
    claim: tuple[int, bytes] = (0, b"")
    opening: Opening | None = None
    # The marks: whether the session is a reset, and the salt of the first envelope of what is sent again.
    reset: bool = False
    again: bytes | None = None
    # What is asked for: (salt, cause).
    asked: list[tuple[bytes, int]] | None = None
    floor: int = 0


def retry(r: Reader) -> tuple[int, list[tuple[bytes, int]]]:
    """A floor, and what is asked for."""
    check(r.number(1) == 1, 205)
    floor, asked = r.number(8), r.each(2, lambda r: (r.take(16), r.number(1)))
    check(all(1 <= cause <= 7 for _, cause in asked), 206)
    check(floor < 2**63, 203)
    check(len(asked) <= 32, 204)
    return floor, asked


def sent_to(r: Reader) -> tuple[bytes, bytes | None, int]:
    return r.opaque(1), r.optional(lambda: r.take(32)), r.number(1)


def content(data: bytes) -> Content:
    r = versioned(data)
    r.number(1)
    mine, yours = (Claim(r.number(8), r.take(16)) for _ in range(2))
    made = Content(mine, yours, r.opaque(2), r.number(8), r.number(1))
    if made.kind == 9:
        made.reset, made.kind = True, r.number(1)
    if made.kind == 10:
        made.again, made.kind = r.take(16), r.number(1)
    check(1 <= made.kind <= 8, 206)
    if made.kind == 8:
        made.floor, made.asked = retry(r)
    elif made.kind == 3:
        made.opening = Opening(r.number(1), r.take(32), r.number(8), r.take(32), r.take(32), r.opaque(2), r.take(32), r.opaque(3))
    else:
        made.content_id, made.sent_at = r.take(16), r.number(8)
    if made.kind == 2:
        made.recipients = r.each(3, sent_to)
    if made.kind in (4, 5):
        made.claim = r.number(2), r.take(16)
    if made.kind in (1, 2, 4, 5):
        made.payload = r.opaque(4)
    if made.kind == 7:
        # A hand-over: its id, its step, and what the step brings.
        made.payload, step = r.take(16), r.number(1)
        check(1 <= step <= 5, 206)
        made.payload += bytes([step]) + (r.take(32) if step in (1, 3) else b"")
    r.end()
    for claim in (mine, yours):
        check(claim.epoch < 2**63 and (claim.epoch > 0 or claim.hash == bytes(16)), 203)
    check(mine.epoch > 0 and made.sequence > 0, 203)
    if made.recipients is not None:
        fits = all(1 <= len(user) <= 64 and verified <= 1 for user, _, verified in made.recipients)
        check(made.recipients != [] and fits, 203)
    if made.opening:
        check(made.opening.generation < 2**63, 203)
        check(58 <= len(made.opening.header) <= 512 and len(made.opening.body) >= 16, 201)
    return made


def link_code(text: str) -> tuple[bytes, bytes, bytes, int]:
    """Signing key, IK, secret and expiry out of the code that a new device shows."""
    clean = "".join(letter for letter in text if letter not in " -\n\r\t").upper()
    check(clean.startswith("SESAME1"), 120)
    letters, checksum = clean[7:-4], clean[-4:]
    try:
        offer = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise Refused(120) from None
    # One encoding: what is left over of the last letter is zero.
    check(base64.b32encode(offer).decode().rstrip("=") == letters, 120)
    check(base64.b32encode(sha256(join(b"sesame/1 link code", offer)))[:4].decode() == checksum, 120)
    check(offer[:1] == b"\x01", 205)
    check(len(offer) == 105, 120)
    r = Reader(offer)
    r.number(1)
    return r.take(32), r.take(32), r.take(32), r.number(8)
