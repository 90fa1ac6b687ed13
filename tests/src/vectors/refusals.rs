//! What is refused, and by which code. The codes are written by hand; making the vectors compares them with what the library says.

use super::{
    hex,
    lists::{listing, next, signing_key},
};
use crate::{ALICE, BOB, JEN, Name, World, user};
use serde_json::{Value, json};
use sesame_core::{
    context::Timestamp,
    error::Code,
    ids::Scope,
    internal::{
        crypto::{ed25519::VerifyingKey, kdf, labels},
        group::{operation::Operation, set::Set},
        keys::{
            bundle::VerifiedBundle,
            device_list::{self, Listing, VerifiedDeviceList},
            pair::PairKeys,
            party::DecodedParty,
        },
        wire::{
            bundle::{Bundle, KemUse, signed_bytes},
            content::{Body, GroupClaim, ListClaim, Prelude, SentTo, Stamp},
            device_list::{DeviceList, ListedDevice, SignedDeviceList, encode_unchecked},
            envelope::{Envelope, Initiation, Route, SUITE},
            group::{self as form, Added, Change, SignedOperation},
            header::Header,
            link_code::LinkOffer,
            opening::Opening,
            padding,
        },
    },
};

/// An Ed25519 key, made of a seed of bytes 7, its signature of "sesame", and three that a verifier might take: R is the identity (and s fits,
/// so that the equation holds); R has a part of order 8 (only the equation with the cofactor holds); s is not below L.
const SIGNER: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const SIGNATURE: &str = "413142b5a987cc5cd429783a317cd7ab9445dbc8d533182412c196e2738f59de\
                         7a6d1d95acb0c98e311e4af8c5c5a9e734330d440e3baada9a60ab57cbc05901";
const BAD_SIGNATURES: [(&str, &str); 3] = [
    (
        "R is of small order",
        "0100000000000000000000000000000000000000000000000000000000000000\
         aa6766d49f02455220aa7508f50f6ab22e7c09ae52dbc5d8ce6180f3dcfaf705",
    ),
    (
        "the equation holds with the cofactor alone",
        "a86301fad3de1475ed4bc75a4da112f3d3a2249431b8b76c97f9524e802bcebc\
         fe9af8ae98835a59a9e112d07e6d7336b2781990f06277e8a4b2b49a5ed31706",
    ),
    (
        "s is not below L",
        "413142b5a987cc5cd429783a317cd7ab9445dbc8d533182412c196e2738f59de\
         674113f2c613dce607bb419ba4bf88fc34330d440e3baada9a60ab57cbc05911",
    ),
];
/// Points that are refused, and by which code: of order 2, of order 8, on the twist, not below p.
const BAD_POINTS: [(&str, &str, u16); 4] = [
    ("of order 2", "0000000000000000000000000000000000000000000000000000000000000000", 207),
    ("of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", 207),
    ("on the twist", "0200000000000000000000000000000000000000000000000000000000000000", 207),
    ("not below p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 208),
];

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The cases of one form, and an input of it that is sound.
pub(super) struct Cases {
    sound: Vec<u8>,
    refused: Vec<Value>,
}

impl Cases {
    pub(super) fn of(sound: &[u8]) -> Self {
        Self { sound: sound.to_vec(), refused: Vec::new() }
    }

    /// An input is written as what stands between the first and the last bytes that it shares with the sound one.
    pub(super) fn add(&mut self, what: &str, input: &[u8], expect: u16, said: Option<Code>) {
        assert_eq!(said.map(Code::number), Some(expect), "{what}");
        let first = self.sound.iter().zip(input).take_while(|(a, b)| a == b).count();
        let (sound, rest) = (&self.sound[first..], &input[first..]);
        let last = sound.iter().rev().zip(rest.iter().rev()).take_while(|(a, b)| a == b).count();
        let between = hex(&rest[..rest.len() - last]);
        self.refused.push(json!({ "what": what, "first": first, "between": between, "last": last, "code": expect }));
    }

    pub(super) fn told(self) -> Value {
        json!({ "sound": hex(&self.sound), "refused": self.refused })
    }
}

pub(super) fn raw(envelope: &Envelope) -> Vec<u8> {
    let Envelope { head, gate, commitment, body } = envelope;
    Envelope::assemble(&head.encode().unwrap(), gate, commitment, body.as_slice())
}

/// Envelopes from Bob to Alice, who has heard nothing of him: by form, by keys, by what they open to. Her device is afterwards as before.
pub(super) fn received(world: &mut World) -> Value {
    let (rng, rows) = (world.rng.clone(), world.dump(ALICE));
    let (alice, bob) = (world.own(ALICE).keys(), world.own(BOB).keys());
    let pair = PairKeys::derive(&bob.identity, &alice.party.identity_key, SUITE, &bob.party, &alice.party).unwrap();
    let stamp = Stamp { content_id: [8; 16], sent_at: world.now };
    let prelude = Prelude { list: world.list("bob").shown(16).unwrap().into(), ..world.prelude(BOB, ALICE, 1) };
    let message = Body::Message { stamp, payload: b"Hello".to_vec().into() };
    let content = |prelude: &Prelude, body: &Body| [prelude.encode().unwrap(), body.encode().unwrap()].concat();
    let honest = content(&prelude, &message);
    let mut salt = 0x40;
    let mut craft = |world: &World, content: &[u8]| {
        salt += 1;
        world.craft(BOB, ALICE, Scope::Direct, [salt; 16], content)
    };
    let sound = craft(world, &honest);
    let mut cases = Cases::of(&sound);
    let mut add = |world: &mut World, what: &str, expect: u16, envelope: Vec<u8>| {
        let said = world.refusal(ALICE, &envelope);
        cases.add(what, &envelope, expect, said);
        world.put_back(ALICE, rows.clone());
    };
    let edited = |change: &dyn Fn(&mut Envelope)| {
        let mut envelope = Envelope::decode(&sound).unwrap();
        change(&mut envelope);
        raw(&envelope)
    };
    let initiated = |change: &dyn Fn(&mut Initiation), gated: bool| {
        let mut envelope = Envelope::decode(&sound).unwrap();
        let Route::Initiation(fields) = &mut envelope.head.route else { unreachable!() };
        change(fields);
        if gated {
            envelope.gate = pair.gate(&envelope.head.encode().unwrap());
        }
        raw(&envelope)
    };
    let at = |byte: usize, value: u8| {
        let mut bytes = sound.clone();
        bytes[byte] = value;
        bytes
    };
    // The form. The tag of the one-time prekey's id stands after addresses, salt, kind, four keys, generation and an id.
    let kind = 2 + (1 + 3 + 4) + (1 + 5 + 4) + 16;
    let optional = kind + 1 + 4 * 32 + 8 + 4;
    assert_eq!((sound[kind], sound[optional]), (2, 1));
    add(world, "nothing", 201, Vec::new());
    add(world, "cut short", 201, sound[..sound.len() - 1].to_vec());
    add(world, "a byte too many", 202, [sound.as_slice(), &[0]].concat());
    add(world, "version 2", 205, at(0, 2));
    add(world, "suite 2", 205, at(1, 2));
    add(world, "kind 3", 206, at(kind, 3));
    add(world, "an optional of 2", 203, at(optional, 2));
    add(world, "a sender without name", 203, edited(&|e| e.head.sender.user = vec![].into()));
    add(world, "a sender of 65 bytes", 204, edited(&|e| e.head.sender.user = vec![b'x'; 65].into()));
    add(world, "a header of 57 bytes", 201, edited(&|e| e.head.header = vec![0; 57].into()));
    add(world, "a header of 513 bytes", 204, edited(&|e| e.head.header = vec![0; 513].into()));
    add(world, "a body of no step", 203, edited(&|e| e.body = vec![0; 800].into()));
    add(world, "a generation of 2^63", 203, initiated(&|i| i.generation = 1 << 63, false));
    // Addresses, keys and gate.
    add(world, "for another device", 210, edited(&|e| e.head.recipient.device = 2));
    add(world, "a wrong gate", 222, edited(&|e| e.gate[0] ^= 1));
    add(world, "another salt", 222, edited(&|e| e.head.salt[0] ^= 1));
    add(world, "another prekey under the same gate", 222, initiated(&|i| i.signed_pre_key ^= 1, false));
    for (what, key, code) in BAD_POINTS {
        add(world, &format!("an IK {what}"), code, initiated(&|i| i.identity_key = bytes(key), false));
        add(world, &format!("an EK {what}"), code, initiated(&|i| i.ephemeral_key = bytes(key), true));
    }
    let own = *alice.party.identity_key.as_bytes();
    add(world, "the recipient's own IK", 303, initiated(&|i| i.identity_key = own, false));
    add(world, "an account key of small order", 207, initiated(&|i| i.account_key = [0; 32], false));
    add(world, "a signing key that is no point", 208, initiated(&|i| i.signing_key = [0xff; 32], false));
    add(world, "an unknown signed prekey", 215, initiated(&|i| i.signed_pre_key = 77_777, true));
    add(world, "an unknown KEM prekey", 215, initiated(&|i| i.kem_pre_key = 77_777, true));
    // What is bound to what.
    add(world, "another generation", 209, initiated(&|i| i.generation += 1, true));
    add(world, "another ciphertext", 209, initiated(&|i| i.kem_ciphertext[0] ^= 1, true));
    add(world, "without the one-time prekey", 209, initiated(&|i| i.one_time_pre_key = None, true));
    add(world, "another commitment", 209, edited(&|e| e.commitment[0] ^= 1));
    let flipped = |e: &mut Envelope| {
        let mut body = e.body.as_slice().to_vec();
        body[0] ^= 1;
        e.body = body.into();
    };
    add(world, "another body", 209, edited(&flipped));
    // The content.
    let claim = GroupClaim { count: 1, digest: [9; 16] };
    let with = |change: &dyn Fn(&mut Prelude)| {
        let mut prelude = prelude.clone();
        change(&mut prelude);
        content(&prelude, &message)
    };
    let riding = |list: &VerifiedDeviceList| with(&|p| p.list = list.shown(16).unwrap().into());
    let body = |body: Body| content(&prelude, &body);
    let to = SentTo { user: b"jen".to_vec().into(), account_key: None, verified: 0 };
    let listed = world.list("bob").list.devices.clone();
    let other = Listing { signing_key: *signing_key(6).verifying_key().as_bytes(), ..listed[0] };
    let others = world.forge_list("bob", None, &[other]).unwrap();
    let ours = Listing { id: sesame_core::ids::DeviceId(2), identity_key: own, added_at_epoch: 1, ..other };
    let with_ours = world.forge_list("bob", None, &[listed[0], ours]).unwrap();
    let another_account = device_list::sign(&signing_key(5), &user("bob"), None, &listed, Timestamp(1)).unwrap();
    let links = [world.list("bob").signed.as_slice(), &(18_u16 * 32).to_be_bytes(), &[0; 18 * 32]].concat();
    let mut unknown = honest.clone();
    let kind_at = prelude.encode().unwrap().len();
    unknown[kind_at] = 11;
    let opening = |generation: u64, header: usize, nested: usize| {
        let (header, nested) = (vec![0; header].into(), vec![0; nested].into());
        let (group, ephemeral_key, seed, commitment) = ([1; 32], [9; 32], [2; 32], [3; 32]);
        body(Body::Opening(Opening {
            kind: 2,
            group,
            generation,
            ephemeral_key,
            seed,
            header,
            commitment,
            body: nested,
        }))
    };
    let contents = [
        ("an opening of generation 2^63", 203, opening(1 << 63, 58, 16)),
        ("an opening with a header of 57 bytes", 201, opening(1, 57, 16)),
        ("an opening with a header of 513 bytes", 201, opening(1, 513, 16)),
        ("an opening with a body of 15 bytes", 201, opening(1, 58, 15)),
        ("a prelude of version 2", 205, with(&|p| p.version = 2)),
        ("sequence 0", 203, with(&|p| p.sequence = 0)),
        ("an own list of epoch 0", 203, with(&|p| p.my_list = ListClaim::default())),
        ("a hash without an epoch", 203, with(&|p| p.your_list = ListClaim { epoch: 0, hash: [1; 16] })),
        ("no list in the first message", 201, with(&|p| p.list = vec![].into())),
        ("a list with 18 links", 203, with(&|p| p.list = links.clone().into())),
        ("the list of another user", 312, riding(&world.list("alice"))),
        ("a list of another account key", 218, riding(&another_account)),
        ("a list with other keys", 221, riding(&others)),
        ("a list with the recipient's own IK", 303, riding(&with_ours)),
        ("a content of kind 11", 206, unknown),
        ("a content with a byte too many", 202, [honest.as_slice(), &[0]].concat()),
        ("a content cut short", 201, honest[..honest.len() - 1].to_vec()),
        ("a group's content outside", 220, body(Body::Group { stamp, claim, payload: vec![].into() })),
        (
            "a transcript of another user",
            221,
            body(Body::Transcript { stamp, recipients: vec![to].into(), payload: vec![].into() }),
        ),
        (
            "a transcript to nobody",
            203,
            body(Body::Transcript { stamp, recipients: vec![].into(), payload: vec![].into() }),
        ),
        ("a departure of another user", 221, body(Body::Departure { stamp })),
    ];
    for (what, code, content) in contents {
        let envelope = craft(world, &content);
        add(world, what, code, envelope);
    }
    // A sound one, last: what is refused above is refused for the one thing that is said.
    assert_eq!(world.refusal(ALICE, &sound), None);
    world.put_back(ALICE, rows);
    world.rng = rng;
    cases.told()
}

/// Lists as they are shown: second ones of two devices, where nothing else is said.
pub(super) fn lists() -> Value {
    let devices = [listing(1, 2), listing(2, 3)];
    let first = next(None, &devices[..1], 1);
    let second = next(Some(&first), &devices, 2);
    let sound = second.shown(16).unwrap();
    let outer = SignedDeviceList::decode(&second.signed).unwrap();
    let list = DeviceList::decode(outer.list.as_slice()).unwrap();
    let mut cases = Cases::of(&sound);
    let mut add = |what: &str, expect: u16, shown: Vec<u8>| {
        cases.add(what, &shown, expect, VerifiedDeviceList::verify(&shown).err());
    };
    let sign = |bytes: Vec<u8>| {
        let signature = signing_key(1).sign(labels::DEVICE_LIST, &bytes);
        [SignedDeviceList { list: bytes.into(), signature }.encode().unwrap(), vec![0, 0]].concat()
    };
    let edited = |change: &dyn Fn(&mut DeviceList)| {
        let mut list = list.clone();
        change(&mut list);
        sign(encode_unchecked(&list).unwrap())
    };
    let of = |change: &dyn Fn(&mut ListedDevice)| {
        edited(&|l| {
            let mut devices = l.devices.as_slice().to_vec();
            change(&mut devices[1]);
            l.devices = devices.into();
        })
    };
    add("cut short", 201, sound[..sound.len() - 1].to_vec());
    add("a byte too many", 202, [sound.as_slice(), &[0]].concat());
    add("version 2", 205, edited(&|l| l.version = 2));
    add("no user", 203, edited(&|l| l.user = vec![].into()));
    add("a user of 65 bytes", 204, edited(&|l| l.user = vec![b'x'; 65].into()));
    add("epoch 0", 203, edited(&|l| l.epoch = 0));
    add("epoch 2^63", 203, edited(&|l| l.epoch = 1 << 63));
    add("no device", 307, edited(&|l| l.devices = vec![].into()));
    let many = |l: &mut DeviceList| {
        let copies = (1..=33).map(|id| ListedDevice { id, ..list.devices.as_slice()[0].clone() });
        l.devices = copies.collect::<Vec<_>>().into();
    };
    add("33 devices", 308, edited(&many));
    add("a device twice", 306, of(&|d| d.id = 1));
    add("devices that do not rise", 203, of(&|d| d.id = 0));
    add("one IK twice", 303, of(&|d| d.identity_key = devices[0].identity_key));
    add("one signing key twice", 303, of(&|d| d.signing_key = devices[0].signing_key));
    add("the account key as a signing key", 303, of(&|d| d.signing_key = list.account_key));
    add("no suite", 203, of(&|d| d.suites = vec![].into()));
    add("nine suites", 204, of(&|d| d.suites = vec![1; 9].into()));
    add("added at epoch 0", 203, of(&|d| d.added_at_epoch = 0));
    add("added after the list", 203, of(&|d| d.added_at_epoch = 3));
    add("an id above the last", 203, edited(&|l| l.last_id = 1));
    add("a primary that is not listed", 203, edited(&|l| l.primary_id = 3));
    add("no history in epoch 2", 311, edited(&|l| l.history = [0; 32]));
    add("a history in epoch 1", 311, edited(&|l| l.epoch = 1));
    add("another signer", 302, edited(&|l| l.account_key = *signing_key(4).verifying_key().as_bytes()));
    add("an account key of small order", 207, edited(&|l| l.account_key = [0; 32]));
    add("a signing key that is no point", 208, of(&|d| d.signing_key = [0xff; 32]));
    for (what, key, code) in BAD_POINTS {
        add(&format!("an IK {what}"), code, of(&|d| d.identity_key = bytes(key)));
    }
    let links = |links: &[[u8; 32]]| {
        let length = u16::try_from(links.len() * 32).unwrap().to_be_bytes();
        [second.signed.as_slice(), &length, &links.concat()].concat()
    };
    add("links that lead elsewhere", 311, links(&[[0; 32], [7; 32]]));
    add("links without a hash", 311, links(&[list.history]));
    add("links below epoch 1", 311, links(&[[0; 32], [7; 32], first.list.hash]));
    cases.told()
}

/// Bundles of Alice's device at one time.
pub(super) fn bundles(world: &World, honest: &Bundle) -> Value {
    let now = Timestamp(world.now);
    let alice = DecodedParty::of(world.own(ALICE).keys().party).unwrap();
    let sound = honest.encode().unwrap();
    let mut cases = Cases::of(&sound);
    let mut add = |what: &str, expect: u16, bytes: Vec<u8>| {
        let said = Bundle::decode(&bytes).and_then(|bundle| VerifiedBundle::verify(&bundle, &alice, now).map(drop));
        cases.add(what, &bytes, expect, said.err());
    };
    let edited = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = honest.clone();
        change(&mut bundle);
        bundle.encode().unwrap()
    };
    // Signed again by the device, so that nothing but the value is wrong.
    let signed = |change: &dyn Fn(&mut Bundle)| {
        edited(&|b| {
            change(b);
            let keys = world.own(ALICE).keys();
            let sign = |label, id, at, key: &[u8]| {
                let covered = signed_bytes(b.user.as_slice(), b.device, id, at, key);
                keys.signing.sign(label, &covered)
            };
            let (spk, kem) = (&b.signed_pre_key, &b.kem_pre_key);
            let label = if kem.usage == KemUse::OneTime { labels::ONE_TIME_KEM } else { labels::LAST_RESORT_KEM };
            let of_spk = sign(labels::SIGNED_PRE_KEY, spk.id, spk.created_at, &spk.key);
            let of_kem = sign(label, kem.id, kem.created_at, &kem.key);
            (b.signed_pre_key.signature, b.kem_pre_key.signature) = (of_spk, of_kem);
        })
    };
    let day = crate::DAY;
    add("a byte too many", 202, [sound.as_slice(), &[0]].concat());
    add("version 2", 205, edited(&|b| b.version = 2));
    add("another user", 301, edited(&|b| b.user = b"bob".to_vec().into()));
    add("another device", 301, edited(&|b| b.device = 2));
    add("another IK", 301, edited(&|b| b.identity_key[0] ^= 1));
    add("an id of 2^24", 304, signed(&|b| b.signed_pre_key.id = 1 << 24));
    add("another id", 302, edited(&|b| b.signed_pre_key.id ^= 1));
    add("a one-time KEM key with a date", 203, signed(&|b| b.kem_pre_key.created_at = 1));
    add("a one-time KEM key as a last resort", 302, edited(&|b| b.kem_pre_key.usage = KemUse::LastResort));
    add("a KEM key that is not reduced", 208, signed(&|b| b.kem_pre_key.key[..3].fill(0xff)));
    add("a signed prekey on the twist", 207, signed(&|b| b.signed_pre_key.key = bytes(BAD_POINTS[2].1)));
    add("IK as the signed prekey", 303, signed(&|b| b.signed_pre_key.key = b.identity_key));
    add("a signed prekey of 46 days", 305, signed(&|b| b.signed_pre_key.created_at = now.0 - 46 * day));
    add("a signed prekey of the day after tomorrow", 305, signed(&|b| b.signed_pre_key.created_at = now.0 + 2 * day));
    let old = |b: &mut Bundle| (b.kem_pre_key.usage, b.kem_pre_key.created_at) = (KemUse::LastResort, now.0 - 46 * day);
    add("a last resort of 46 days", 305, signed(&old));
    let with_use = |value: u8| {
        let at = sound.len() - 64 - 1_568 - 8 - 1;
        [&sound[..at], &[value], &sound[at + 1..]].concat()
    };
    assert!(with_use(honest.kem_pre_key.usage as u8) == sound);
    add("a KEM key of use 3", 206, with_use(3));
    let optional = 1 + (1 + 5) + 4 + 32 + 32 + (4 + 32 + 8 + 64);
    assert_eq!(sound[optional], 1);
    add("an optional of 2", 203, [&sound[..optional], &[2], &sound[optional + 1..]].concat());
    json!({ "now": now.0, "cases": cases.told() })
}

/// RFC 4648 base32 without padding.
fn base32(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let letter = |bits: &[u8]| {
        let number = (0..5).fold(0, |number, at| number << 1 | bits.get(at).unwrap_or(&0));
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(number)])
    };
    bits.chunks(5).map(letter).collect()
}

/// A linking code with any bytes in it, and the right checksum.
fn code_of(bytes: &[u8]) -> String {
    let checksum = base32(&kdf::sha256(&kdf::join(&[labels::LINK_CODE, bytes])));
    format!("SESAME1{}{}", base32(bytes), &checksum[..4])
}

/// Signatures, headers, padded contents and linking codes.
pub(super) fn small(code: &str) -> Value {
    let key = VerifyingKey::decode(bytes(SIGNER)).unwrap();
    let mut signatures = Cases::of(&bytes::<64>(SIGNATURE));
    for (what, signature) in BAD_SIGNATURES {
        let signature = bytes(signature);
        signatures.add(what, &signature, 302, key.verify(labels::DEVICE_LIST, b"sesame", &signature).err());
    }
    let mut headers = Cases::of(&Header::new([9; 32], 3, 4).encode().unwrap());
    let mut add = |what: &str, expect, bytes: &[u8]| headers.add(what, bytes, expect, Header::decode(bytes).err());
    add("a chunk", 205, &Header { chunk: vec![1].into(), ..Header::new([9; 32], 0, 0) }.encode().unwrap());
    add("a byte too many", 202, &[0; 43]);
    let mut padded = Cases::of(&[b"content\x80".as_slice(), &[0; 760]].concat());
    let mut add = |what: &str, bytes: &[u8]| padded.add(what, bytes, 219, padding::unpad(bytes).err());
    add("zeros alone", &[0; 768]);
    add("another mark", &[b"content\x81".as_slice(), &[0; 760]].concat());
    add("a byte after the zeros", &[b"content\x80".as_slice(), &[0; 759], &[1]].concat());
    add("no step", &[b"content\x80".as_slice(), &[0; 759]].concat());
    let mut codes = Cases::of(code.as_bytes());
    let offer = |version: u8, rest: usize| [&[version][..], &vec![5; rest]].concat();
    for (what, bytes, code) in [("version 2", offer(2, 104), 205), ("a byte too many", offer(1, 105), 120)] {
        let text = code_of(&bytes);
        codes.add(what, text.as_bytes(), code, LinkOffer::decode(&text).err());
    }
    assert_eq!(LinkOffer::decode(&code_of(&offer(1, 104))).err(), None, "else the two above show nothing");
    let mut add = |what: &str, text: &str| codes.add(what, text.as_bytes(), 120, LinkOffer::decode(text).err());
    add("no letters", "SESAME1");
    add("another prefix", &code.replace("SESAME1", "SESAME2"));
    add("a typo", &format!("{}{}{}", &code[..60], if &code[60..61] == "A" { "B" } else { "A" }, &code[61..]));
    add("a letter too many", &format!("{code}B"));
    add("a digit that base32 has not", &format!("{}1", &code[..code.len() - 1]));
    json!({
        "signer": SIGNER,
        "signatures": signatures.told(),
        "headers": headers.told(),
        "padded": padded.told(),
        "codes": codes.told(),
    })
}

/// Operations that do not enter a set of four: a create, an add, the leave of one member, and an add that asks that member back.
pub(super) fn operations() -> Value {
    let mut world = World::acquainted(0x5e5e, &[("alice", 2), ("bob", 1), ("jen", 1), ("carol", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let lists = ["alice", "bob", "jen", "carol"].map(|name| world.list(name));
    let list = |name: &str| lists.iter().find(|list| list.user.as_str() == name).unwrap();
    let mut set = world.operations(ALICE, id);
    let mut enter = |from: Name, body: form::Body| {
        let keys = world.own(from).keys();
        let draft = set.draft(&keys.party, body).unwrap();
        let operation = Operation::sign(&keys, list(from.0), draft).unwrap();
        assert_eq!(set.insert(operation.clone()), Ok(true));
        operation
    };
    let leave = enter(BOB, form::Body::Leave);
    let back =
        Added { user: b"bob".to_vec().into(), account_key: list("bob").account().0, leaves: vec![leave.id.0].into() };
    let asks = enter(JEN, form::Body::Add { members: vec![back.clone()].into() });
    let set: Set = set;
    let seal = |from: Name, bytes: &[u8]| {
        let signature = world.own(from).keys().signing.sign(labels::GROUP_OPERATION, bytes);
        SignedOperation { operation: bytes.to_vec().into(), signature }
    };
    let draft = |from: Name, body: form::Body| {
        let draft = set.draft(&world.own(from).keys().party, body).unwrap();
        form::Operation {
            version: 1,
            group: id.0,
            author: from.0.as_bytes().to_vec().into(),
            device: from.1,
            sequence: draft.sequence,
            lamport: draft.lamport,
            list: list(from.0).list.hash,
            parents: draft.parents.iter().map(|parent| parent.0).collect::<Vec<_>>().into(),
            body: draft.body,
        }
    };
    let changed = |name: &str| Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() };
    let rename = |name: &str| form::Body::Info { change: changed(name) };
    let by = |from: Name, body: form::Body, change: &dyn Fn(&mut form::Operation)| {
        let mut form = draft(from, body);
        change(&mut form);
        seal(from, &form::encode_unchecked(&form).unwrap())
    };
    let info = |change: &dyn Fn(&mut form::Operation)| by(JEN, rename("By Jen"), change);
    let plain = |body: form::Body| by(JEN, body, &|_| {});
    let honest = form::encode_unchecked(&draft(JEN, form::Body::Leave)).unwrap();
    let mut cases = Cases::of(&seal(JEN, &honest).encode().unwrap());
    let mut add = |what: &str, expect: u16, signed: &SignedOperation| {
        let said = Operation::verify(signed, |hash| lists.iter().find(|list| list.list.hash == *hash))
            .and_then(|operation| set.clone().insert(operation));
        cases.add(what, &signed.encode().unwrap(), expect, said.err());
    };
    // The form.
    add("cut short", 201, &seal(JEN, &honest[..honest.len() - 1]));
    add("a byte too many", 202, &seal(JEN, &[honest.as_slice(), &[0]].concat()));
    add("version 2", 205, &info(&|o| o.version = 2));
    add("a body of kind 9", 206, &seal(JEN, &[&honest[..honest.len() - 1], &[9]].concat()));
    add("no author", 233, &info(&|o| o.author = vec![].into()));
    add("sequence 0", 233, &info(&|o| o.sequence = 0));
    add("sequence 1025", 233, &info(&|o| o.sequence = 1_025));
    add("no parents", 233, &info(&|o| o.parents = vec![].into()));
    add("17 parents", 233, &info(&|o| o.parents = (0..17).map(|n| [n; 32]).collect::<Vec<_>>().into()));
    add("parents that do not rise", 233, &info(&|o| o.parents = vec![[2; 32], [1; 32]].into()));
    add("an empty update", 233, &plain(form::Body::Info { change: Change::default() }));
    add("a name that turns the text", 233, &plain(rename("a\u{202e}b")));
    add("a name of 257 bytes", 233, &plain(rename(&"x".repeat(257))));
    add("an add of nobody", 233, &plain(form::Body::Add { members: vec![].into() }));
    add("an add of one user twice", 233, &plain(form::Body::Add { members: vec![back.clone(), back.clone()].into() }));
    // The list and the signature.
    add("an unknown list", 221, &info(&|o| o.list = [7; 32]));
    add("the list of another user", 312, &info(&|o| o.list = list("bob").list.hash));
    add("a device that is not listed", 221, &info(&|o| o.device = 7));
    add("another signer", 302, &seal(BOB, honest.as_slice()));
    // The place in the set.
    add("another group", 220, &info(&|o| o.group = [7; 32]));
    add("a number that skips one", 233, &info(&|o| o.sequence += 1));
    add("a Lamport number too high", 233, &info(&|o| o.lamport += 1));
    add("an author whom nobody has added", 231, &by(("carol", 1), rename("By Carol"), &|_| {}));
    let create = |account_key: [u8; 32], random: [u8; 32], kind: u8| {
        let body = form::Body::Create { kind, account_key, random, change: changed("Twin"), origin: None };
        let form = form::Operation {
            sequence: 1,
            lamport: 1,
            parents: vec![].into(),
            body,
            ..draft(ALICE, form::Body::Leave)
        };
        seal(ALICE, &form::encode_unchecked(&form).unwrap())
    };
    let form::Body::Create { account_key, random, .. } = set.operations()[0].form.body else { unreachable!() };
    add("a create of another kind of group", 236, &create(account_key, random, 3));
    add("a create that does not give the GroupID", 233, &create(account_key, [7; 32], 2));
    add("a create of another account key", 233, &create(list("jen").account().0, random, 2));
    let first = set.operations().iter().find(|o| matches!(o.form.body, form::Body::Add { .. })).unwrap().id.0;
    add("an accept of another's invitation", 232, &plain(form::Body::Accept { add: asks.id.0 }));
    add("an accept of an add without leaves", 232, &by(BOB, form::Body::Accept { add: first }, &|_| {}));
    add("a decline of what is no add", 232, &by(BOB, form::Body::Decline { add: leave.id.0 }, &|_| {}));
    let of_back = |leaves: Vec<[u8; 32]>| {
        let added = Added { leaves: leaves.into(), ..back.clone() };
        plain(form::Body::Add { members: vec![added].into() })
    };
    add("leaves that do not rise", 233, &of_back(vec![leave.id.0; 2]));
    add("nine leaves", 233, &of_back((0..9).map(|n| [n; 32]).collect()));
    let odd = Added { leaves: vec![asks.id.0].into(), ..back.clone() };
    add("an add that calls an add a leave", 232, &plain(form::Body::Add { members: vec![odd].into() }));
    let theirs = Added { user: b"jen".to_vec().into(), account_key: list("jen").account().0, ..back };
    add("an add that names the leave of another", 232, &plain(form::Body::Add { members: vec![theirs].into() }));
    add("a retire of a listed device", 232, &by(ALICE, form::Body::Retire { device: 2, last: 0 }, &|_| {}));
    json!({
        "id": hex(&id.0),
        "lists": lists.iter().map(|list| hex(&list.signed)).collect::<Vec<_>>(),
        "operations": set.operations().iter().map(|operation| hex(&operation.signed)).collect::<Vec<_>>(),
        "cases": cases.told(),
    })
}
