"""docs/wire.md against tests/vectors/v1.json: sessions, messages, linking, requests. The package `second` is the second implementation.

Nothing is told to it that a receiver does not have: it begins with private keys, KEM seeds and bytes from the wire. What a vector says of the
steps between is compared with what it computes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from second import forms, groups
from second.lists import Chain, shown_list, signed_list, verdict
from second.session import PairKeys, Party, PreKeys, Ratchet, chain_tag, first_contact, ordinary, respond, respond_to_opening, retry
from second.wire import Reader, dh, h, hkdf, join, opaque, public, sha256, u32, u64

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "v1.json").read_text())
ALICE, BOB = Party.of(VECTORS["alice"]), Party.of(VECTORS["bob"])


def identity(side: str) -> bytes:
    return h(VECTORS[side]["identity_private"])


def alices_pre_keys() -> PreKeys:
    """Her private keys, under the ids of the bundle that Bob was given."""
    made, keys = forms.bundle(h(VECTORS["bundle"])), VECTORS["pre_keys"]
    assert made.one_time
    return PreKeys(
        {made.signed.id: h(keys["signed_private"])},
        {made.one_time.id: h(keys["one_time_private"])},
        {made.kem.id: h(keys["kem_seed"])},
    )


def test_parties_and_pair_keys() -> None:
    for name, us, them in (("bob_to_alice", BOB, ALICE), ("alice_to_bob", ALICE, BOB)):
        expected = PairKeys(*(h(VECTORS[f"pair_{name}"][key]) for key in ("mask", "gate", "control")))
        alices = PairKeys.of(identity("alice"), BOB.identity_key, us, them)
        assert alices == PairKeys.of(identity("bob"), ALICE.identity_key, us, them) == expected
    assert ALICE.encoded() == h(VECTORS["alice"]["party"]) and BOB.encoded() == h(VECTORS["bob"]["party"])


def test_retry() -> None:
    said = VECTORS["retry"]
    pair = PairKeys.of(identity("alice"), BOB.identity_key, BOB, ALICE)
    assert retry(pair, forms.envelope(h(said["envelope"]))) == (said["floor"], [(h(salt), cause) for salt, cause in said["asked"]])
    assert len(h(said["envelope"])) == 949


def test_device_list() -> None:
    made = signed_list(h(VECTORS["device_list"]["signed"]))
    assert (made.user, made.account_key, made.hash) == (b"alice", ALICE.account_key, h(VECTORS["device_list"]["hash"]))
    assert (made.epoch, made.last_id, made.history) == (VECTORS["device_list"]["epoch"], 1, bytes(32))
    [phone] = made.devices.values()
    assert (phone.id, phone.keys, phone.suites) == (1, ALICE.signing_key + ALICE.identity_key, b"\x01")


def test_lists() -> None:
    signed = [shown_list(h(one) + bytes(2))[1] for one in VECTORS["lists"]["signed"]]
    for one, following in zip(signed, signed[1:]):
        assert one.after() == following.history
    found = set()
    for case in VECTORS["lists"]["cases"]:
        held = signed[case["held"] - 1]
        hashes = [one.hashes[0] for one in signed[case["from"] - 1 : case["held"]]]
        ours = Chain(case["from"], signed[case["from"] - 1].history, hashes, held.last_id, held.devices)
        assert verdict(ours, shown_list(h(case["shown"]))[1]) == case["verdict"], case
        found.add(case["verdict"])
    assert found == {"same", "newer", "older", "fork", "not proved", "below"}


def test_agreement() -> None:
    p, first = VECTORS["pqxdh"], forms.envelope(h(VECTORS["conversation"][0]["envelope"])).initiation
    assert first
    kem = MLKEM1024PrivateKey.from_seed_bytes(h(VECTORS["pre_keys"]["kem_seed"]))
    assert kem.decapsulate(first.kem_ciphertext) == h(p["kem_shared_secret"])
    secrets = respond(identity("alice"), alices_pre_keys(), ALICE, BOB, first)
    assert (secrets.ad, secrets.session_id) == (h(p["associated_data"]), h(p["session_id"]))
    assert (secrets.root, secrets.initiator_header, secrets.responder_header) == (
        h(p["root"]),
        h(p["initiator_header"]),
        h(p["responder_header"]),
    )
    assert chain_tag(secrets.initiator_header) == h(p["initiator_first_chain_tag"])


def alice_after_the_conversation() -> Ratchet:
    """Each step compared with what the vectors say."""
    sending, receiving = (PairKeys.of(identity("alice"), BOB.identity_key, *sides) for sides in ((ALICE, BOB), (BOB, ALICE)))
    pre_keys, told = alices_pre_keys(), VECTORS["conversation"]
    assert [each["from"] for each in told] == ["bob", "bob", "alice", "bob", "alice", "bob", "bob"]
    first = h(told[0]["envelope"])
    _, said = first_contact(identity("alice"), pre_keys, ALICE, first)
    bobs, _ = shown_list(said.riding)
    assert (said.my_list.epoch, said.my_list.hash) == (bobs.epoch, bobs.hash[:16])
    initiation = forms.envelope(first).initiation
    assert initiation
    secrets = respond(identity("alice"), pre_keys, ALICE, BOB, initiation)
    fresh = [h(key) for key in VECTORS["ratchet_keys"]]
    ratchet = Ratchet.responder(secrets, pre_keys.signed[initiation.signed_pre_key], fresh)
    for expected in [*told[:5], told[6], told[5]]:
        data, payload = h(expected["envelope"]), h(expected["payload"])
        e = forms.envelope(data)
        if expected["from"] == "alice":
            mine = signed_list(h(VECTORS["device_list"]["signed"]))
            claims = u64(mine.epoch) + mine.hash[:16] + u64(bobs.epoch) + bobs.hash[:16]
            # Bob has claimed her list: it does not ride along.
            prelude = b"\x01" + claims + opaque(2, b"") + u64(expected["sequence"])
            content = prelude + b"\x01" + h(expected["content_id"]) + u64(expected["sent_at"]) + opaque(4, payload)
            body = forms.padded(content, len(payload), 384)
            assert ordinary(ratchet, sending, (ALICE, BOB), e.salt, body) == data
            continue
        assert receiving.gate_of(e.head) == e.gate
        tag = receiving.masked(e.salt, e.locator) if e.locator else None
        said = forms.content(forms.unpadded(ratchet.open(e, tag)))
        assert (said.kind, said.payload, said.content_id) == (1, payload, h(expected["content_id"]))
        assert (said.sequence, said.sent_at) == (expected["sequence"], expected["sent_at"])
        assert (said.riding != b"") == (e.initiation is not None)
    return ratchet


def test_alice_reads_and_writes_the_conversation() -> None:
    """Three DH steps. She reads Bob's last message before the one before it, and what she wrote she writes again, byte for byte."""
    ratchet = alice_after_the_conversation()
    assert (ratchet.steps, ratchet.fresh, ratchet.skipped) == (3, [], {})


def test_the_tablet_reads_a_transcript_without_one_time_keys() -> None:
    t = VECTORS["transcript"]
    phone, tablet = Party.of(t["phone"]), Party.of(t["tablet"])
    initiation = forms.envelope(h(t["envelope"])).initiation
    assert initiation and initiation.one_time_pre_key is None
    pre_keys = PreKeys({initiation.signed_pre_key: h(t["signed_private"])}, {}, {initiation.kem_pre_key: h(t["kem_seed"])})
    _, said = first_contact(h(t["tablet"]["identity_private"]), pre_keys, tablet, h(t["envelope"]))
    assert (said.kind, said.payload, said.content_id, said.sent_at) == (2, h(t["payload"]), h(t["content_id"]), t["sent_at"])
    # Only an own, listed device may say so: both are on the list that their account key has signed.
    listed, own = shown_list(said.riding)[0], signed_list(h(t["list"]))
    assert listed == own and own.account_key == phone.account_key == tablet.account_key
    assert [own.devices[each.device].keys for each in (phone, tablet)] == [each.signing_key + each.identity_key for each in (phone, tablet)]
    # A first contact: no pin yet when the message was made, or the one that the phone had by then.
    assert said.recipients
    for (user, pin, verified), expected in zip(said.recipients, t["recipients"], strict=True):
        assert (user, verified) == (expected["user"].encode(), 0) and pin in (None, h(expected["account_key"]))


def test_safety_number() -> None:
    sides = sorted((side.user, side.account_key) for side in (ALICE, BOB))
    digits = ""
    for block in range(3):
        hashed = sha256(join(b"sesame/1 safety number", bytes([block]), *(part for side in sides for part in side)))
        digits += "".join(f"{int.from_bytes(hashed[at : at + 8], 'big') % 100_000:05}" for at in range(0, 32, 8))
    assert digits == VECTORS["safety_number"] and len(digits) == 60


def test_alice_reads_what_bob_says_in_a_group() -> None:
    g = VECTORS["group"]
    ratchet: Ratchet | None = None
    words: dict[bytes, groups.Word] = {}
    for number, each in enumerate(g["openings"]):
        outer = forms.content(h(each["direct_content"]))
        o, salt = outer.opening, h(each["salt"])
        assert o and (outer.kind, o.kind, o.group) == (3, 2, h(g["id"]))
        if ratchet is None:
            secrets = respond_to_opening(identity("alice"), ALICE, BOB, o)
            assert (secrets.ad, secrets.session_id) == (h(g["associated_data"]), h(g["session_id"]))
            ratchet = Ratchet.responder(secrets, identity("alice"), [])
        # As an envelope without padding, whose head is the salt and the encrypted header.
        head = join(b"sesame/1 nested", salt, o.header)
        nested = forms.Envelope((b"", 0), (b"", 0), salt, b"", None, o.header, head, b"", o.commitment, o.body)
        said = forms.content(ratchet.open(nested, None))
        assert (said.riding, said.sequence) == (b"", number + 1), "the group counts for itself"
        if said.kind == 5:
            bundle = Reader(said.payload)
            lists = {one.hash: one for one in bundle.each(3, lambda r: signed_list(r.opaque(2)))}
            offered = bundle.each(3, lambda r: opaque(2, r.opaque(2)) + r.take(64))
            bundle.end()
            assert all(one.account_key == BOB.account_key for one in lists.values())
            words |= {word.id: word for word in (groups.word(signed, lists) for signed in offered)}
        else:
            assert (said.kind, said.payload) == (4, h(g["payload"]))
        view = groups.View(groups.entered(h(g["id"]), words.values()))
        assert said.claim == (len(words), view.digest) and view.digest == h(g["digest"])
    assert sorted(words) == sorted(h(each["id"]) for each in g["operations"])
    assert [user for user, _ in view.members] == [user.encode() for user in g["members"]] and view.info == {"name": b"Trip"}


def test_linking_code() -> None:
    link = VECTORS["linking"]
    signing, new, secret, _ = forms.link_code(link["code"].lower().replace("a", "a- "))
    assert (signing, new, secret) == (h(link["new_signing_key"]), h(link["new_identity_key"]), h(link["secret"]))


def test_linking_hello_digits_and_answer() -> None:
    link = VECTORS["linking"]
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
    assert (account_key, user) == (ALICE.account_key, b"alice")

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
        # Whether it is verified, and whether it is known.
        assert contacts.number(1) in (0, 1) and contacts.number(1) in (0, 1)
        contacts.opaque(2)
        pinned[contact] = pin
    assert pinned[b"bob"] == BOB.account_key
    r.opaque(4)
    r.end()


def test_padding() -> None:
    for payload, riding_list, length, padded in VECTORS["padding"]:
        riding = riding_list + 2 + 17 * 32 if riding_list else 0
        assert padded == next(step for step in forms.STEPS if step >= max(payload + 384 + riding, length + 1))


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
