//! The bad-input corpus: malformed or dishonest input, and the error code that it must give in every language.
//!
//! `tests/bad-inputs/` holds one file for each case, and the two stores in which the cases are played. `cargo
//! run -p sesame-tests --bin bad-inputs` writes the files again. The expected codes are written by hand here,
//! never observed.

use crate::{ALICE, BOB, World, server, store_key, user};
use sesame_core::internal::clock::Age;
use sesame_core::internal::steps::Steps;
use sesame_core::{
    context::{Context, Timestamp},
    device::Device,
    ids::{DeviceId, GroupId, GroupKind, Scope},
    internal::{
        crypto::labels,
        group::set::Set,
        keys::{device::DeviceKeys, device_list::VerifiedDeviceList, pair::PairKeys},
        record::{self, Beginning, Record},
        session::{self, Session},
        store::{Kind, Places, Sealer},
        wire::{
            bundle::{Bundle, KemUse},
            content::{Body, GroupClaim, SentTo, Stamp},
            device_list::{DeviceList, ShownList, SignedDeviceList},
            envelope::{Bytes, Envelope, Head, Initiation, Route, SUITE},
            group::{self as form, Added, Change, SignedOperation},
            link_code::LinkOffer,
            opening::Opening,
        },
    },
    store::MemoryStore,
};
use std::sync::Arc;

/// Which call gets a case as its input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Surface {
    /// `batch_decrypt` of Alice's device.
    Envelope,
    /// `batch_decrypt` of Alice's device, with an authentic envelope of Bob's device whose group content is
    /// wrong.
    Group,
    /// `apply` of Bob's device, which needs a bundle of Alice's second device.
    Bundle,
    /// `apply` of Bob's device.
    DeviceList,
    /// `link` of Alice's device; the bytes are the code's text.
    LinkingCode,
    /// A row in Alice's store, under the key that the case names; then `open`.
    Record,
}

impl Surface {
    /// The name of the surface in the header of a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Group => "group",
            Self::Bundle => "bundle",
            Self::DeviceList => "device-list",
            Self::LinkingCode => "linking-code",
            Self::Record => "record",
        }
    }
}

/// One bad input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Case {
    /// The name says what is wrong.
    pub name: String,
    /// Which call gets the input.
    pub surface: Surface,
    /// The number of the expected code.
    pub expect: u16,
    /// The row key, for a record.
    pub key: Vec<u8>,
    /// The input.
    pub bytes: Vec<u8>,
}

/// The corpus and the stores in which it is played.
pub struct Corpus {
    /// Every case.
    pub cases: Vec<Case>,
    /// Alice's and Bob's stores, with the generation counter and the rows that the devices left.
    pub stores: [(&'static str, Arc<MemoryStore>); 2],
}

/// The clock of the fixture, and of every test that opens it: what was made later than now counts as due, and what is old is forgotten.
const FIXTURE_NOW: u64 = 4_102_444_800_000;

struct Maker {
    cases: Vec<Case>,
    surface: Surface,
}

impl Maker {
    fn add(&mut self, expect: u16, name: impl Into<String>, bytes: Vec<u8>) {
        let name = format!("{}-{:03}-{}", self.surface.name(), self.cases.len(), name.into());
        self.cases.push(Case { name, surface: self.surface, expect, key: Vec::new(), bytes });
    }

    fn prefixes(&mut self, what: &str, bytes: &[u8], lengths: &[usize]) {
        for length in lengths {
            self.add(201, format!("{what}-cut-at-{length}"), bytes[..*length].to_vec());
        }
    }
}

/// Weak and non-canonical X25519 keys, each with its code.
fn bad_points() -> Vec<(&'static str, [u8; 32], u16)> {
    let hex = |text: &str| std::array::from_fn(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap());
    let mut one = [0; 32];
    one[0] = 1;
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let mut high = [9; 32];
    high[31] = 0x89;
    vec![
        ("zero", [0; 32], 207),
        ("one", one, 207),
        ("order-8", hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), 207),
        ("order-8-other", hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), 207),
        (
            "twist",
            {
                let mut two = [0; 32];
                two[0] = 2;
                two
            },
            207,
        ),
        ("p", p, 208),
        ("all-ones", [0xff; 32], 208),
        ("high-bit", high, 208),
    ]
}

/// Makes the whole corpus. It is the same bytes every time.
#[must_use]
pub fn corpus() -> Corpus {
    let mut world = World::new(0xbad);
    world.now = FIXTURE_NOW;
    world.create("alice");
    world.create("bob");
    world.send(BOB, &["alice"], b"hello");
    let received = world.mails(ALICE).remove(0);
    world.receive(ALICE).unwrap();
    world.send(ALICE, &["bob"], b"hi");
    world.receive(BOB).unwrap();
    let group = world.found(ALICE, "Trip", &["bob"]);
    world.say(BOB, group, b"hello").unwrap();
    world.receive(ALICE).unwrap();
    world.send(BOB, &["alice"], b"ordinary");
    let ordinary = world.steal(ALICE).remove(0);
    // The first message of a device that Alice does not know.
    world.create("carol");
    world.send(("carol", 1), &["alice"], b"initiation");
    let initiation = world.steal(ALICE).remove(0);
    world.link("alice");
    let honest = world.list("alice");
    let pending = world.encrypt(BOB, &["alice"], b"waits for the new device");
    let rejection = sesame_core::internal::steps::Rejection::Mismatch { device_list: honest.shown(16).unwrap() };
    world.with(BOB, |d, c| d.rejected(c, &pending.id, &user("alice"), &rejection)).unwrap();
    let bundle = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(2)).unwrap()).unwrap();

    let mut maker = Maker { cases: Vec::new(), surface: Surface::Envelope };
    envelopes(&mut maker, &world, &ordinary, &initiation, &received);
    maker.surface = Surface::Bundle;
    bundles(&mut maker, &bundle, &world.own(("carol", 1)));
    maker.surface = Surface::DeviceList;
    lists(&mut maker, &mut world, &honest);
    maker.surface = Surface::LinkingCode;
    linking_codes(&mut maker, &mut world);
    maker.surface = Surface::Record;
    records(&mut maker, &world);
    maker.surface = Surface::Group;
    groups(&mut maker, &mut world, group);

    let copy = |world: &World, name| {
        let store = MemoryStore::new();
        store.restore(world.dump(name));
        Arc::new(store)
    };
    Corpus { stores: [("alice", copy(&world, ALICE)), ("bob", copy(&world, BOB))], cases: maker.cases }
}

fn envelopes(maker: &mut Maker, world: &World, ordinary: &[u8], initiation: &[u8], received: &[u8]) {
    maker.prefixes("ordinary", ordinary, &[0, 1, 2, 3, 7, 15, 30, 36, 50, 52, 100, 126, 200, ordinary.len() - 1]);
    maker.prefixes("initiation", initiation, &[40, 70, 130, 172, 600, 1_700, 1_800, initiation.len() - 1]);
    for (what, bytes) in [("ordinary", ordinary), ("initiation", initiation)] {
        maker.add(202, format!("{what}-with-a-trailing-byte"), [bytes, &[0]].concat());
        maker.add(202, format!("{what}-twice"), [bytes, bytes].concat());
        for (at, field) in [(0, "version"), (1, "suite")] {
            for value in [0, 2, 255] {
                let mut bad = bytes.to_vec();
                bad[at] = value;
                maker.add(205, format!("{what}-{field}-{value}"), bad);
            }
        }
    }
    maker.add(204, "longer-than-any-envelope", vec![1; 110_000]);
    maker.add(213, "received-before", received.to_vec());

    let decode = |bytes: &[u8]| Envelope::decode(bytes).unwrap();
    let kind_at =
        decode(ordinary).head.encode().unwrap().len() - decode(ordinary).head.header.as_slice().len() - 2 - 17;
    for value in [0, 3, 4, 255] {
        let mut bad = ordinary.to_vec();
        bad[kind_at] = value;
        maker.add(206, format!("kind-{value}"), bad);
    }
    let mut edit = |expect, name: &str, bytes: &[u8], change: &dyn Fn(&mut Envelope)| {
        let mut envelope = decode(bytes);
        change(&mut envelope);
        maker.add(expect, name, raw(&envelope));
    };
    edit(203, "sender-without-name", ordinary, &|e| e.head.sender.user = vec![].into());
    edit(204, "sender-of-65-bytes", ordinary, &|e| e.head.sender.user = vec![b'x'; 65].into());
    edit(203, "recipient-without-name", ordinary, &|e| e.head.recipient.user = vec![].into());
    edit(204, "recipient-of-65-bytes", ordinary, &|e| e.head.recipient.user = vec![b'x'; 65].into());
    edit(210, "for-another-user", ordinary, &|e| e.head.recipient.user = b"bob".to_vec().into());
    edit(210, "for-another-device", ordinary, &|e| e.head.recipient.device = 2);
    edit(210, "initiation-for-another-device", initiation, &|e| e.head.recipient.device = 7);
    edit(211, "from-a-stranger", ordinary, &|e| e.head.sender.user = b"dan".to_vec().into());
    edit(211, "from-an-unknown-device", ordinary, &|e| e.head.sender.device = 9);
    edit(222, "from-ourselves", ordinary, &|e| {
        e.head.sender.user = b"alice".to_vec().into();
        e.head.sender.device = 1;
    });
    edit(222, "gate", ordinary, &|e| e.gate[0] ^= 1);
    edit(222, "gate-of-zeros", ordinary, &|e| e.gate = [0; 16]);
    edit(222, "salt", ordinary, &|e| e.head.salt[15] ^= 0x80);
    edit(222, "header", ordinary, &|e| {
        let mut header = e.head.header.as_slice().to_vec();
        header[0] ^= 1;
        e.head.header = header.into();
    });
    edit(222, "locator", ordinary, &|e| {
        if let Route::Ordinary { locator } = &mut e.head.route {
            locator[3] ^= 1;
        }
    });
    edit(209, "commitment", ordinary, &|e| e.commitment[31] ^= 1);
    edit(209, "body-first-byte", ordinary, &|e| flip(&mut e.body, 0));
    edit(209, "body-last-byte", ordinary, &|e| {
        let last = e.body.as_slice().len() - 1;
        flip(&mut e.body, last);
    });
    edit(209, "body-of-a-larger-step", ordinary, &|e| e.body = vec![0; 1_024 + 16].into());
    edit(201, "body-empty", ordinary, &|e| e.body = vec![].into());
    edit(201, "body-shorter-than-a-tag", ordinary, &|e| e.body = vec![0; 15].into());
    edit(203, "body-of-no-step", ordinary, &|e| e.body = vec![0; 800].into());
    edit(201, "header-too-short", ordinary, &|e| e.head.header = vec![0; 57].into());
    edit(204, "header-too-long", ordinary, &|e| e.head.header = vec![0; 513].into());
    let on_initiation = |change: &dyn Fn(&mut Initiation)| {
        let mut envelope = decode(initiation);
        if let Route::Initiation(fields) = &mut envelope.head.route {
            change(fields);
        }
        envelope
    };
    maker.add(203, "generation-of-2-to-the-63", raw(&on_initiation(&|i| i.generation = 1 << 63)));
    maker.add(203, "optional-id-tag-2", {
        let mut bad = initiation.to_vec();
        let head = decode(initiation).head;
        let optional = 2
            + 1
            + head.sender.user.as_slice().len()
            + 4
            + 1
            + head.recipient.user.as_slice().len()
            + 4
            + 16
            + 1
            + 128
            + 8
            + 4;
        assert_eq!(bad[optional], 1);
        bad[optional] = 2;
        bad
    });
    for (name, key, code) in bad_points() {
        maker.add(code, format!("initiation-ik-{name}"), raw(&on_initiation(&|i| i.identity_key = key)));
    }
    for (name, key) in [("zero", [0; 32]), ("all-ones", [0xff; 32])] {
        let code = if name == "zero" { 207 } else { 208 };
        maker.add(code, format!("initiation-account-key-{name}"), raw(&on_initiation(&|i| i.account_key = key)));
        maker.add(code, format!("initiation-signing-key-{name}"), raw(&on_initiation(&|i| i.signing_key = key)));
    }
    maker.add(222, "initiation-ek", raw(&on_initiation(&|i| i.ephemeral_key[0] ^= 1)));
    maker.add(222, "initiation-kem-ciphertext", raw(&on_initiation(&|i| i.kem_ciphertext[1_567] ^= 1)));
    maker.add(222, "initiation-prekey-id", raw(&on_initiation(&|i| i.signed_pre_key ^= 1)));

    // With the sender's own keys the gate is right, and what stands behind it is reached.
    let carol = world.own(("carol", 1)).keys();
    let alice = world.own(ALICE).keys().party;
    let pair = PairKeys::derive(&carol.identity, &alice.identity_key, SUITE, &carol.party, &alice).unwrap();
    let mut gated = |expect, name: &str, envelope: Envelope| {
        let gate = pair.gate(&envelope.head.encode().unwrap());
        maker.add(expect, name, raw(&Envelope { gate, ..envelope }));
    };
    gated(215, "unknown-signed-prekey", on_initiation(&|i| i.signed_pre_key = 77_777));
    gated(215, "unknown-one-time-prekey", on_initiation(&|i| i.one_time_pre_key = Some(77_777)));
    gated(215, "unknown-kem-prekey", on_initiation(&|i| i.kem_pre_key = 77_777));
    // Bob's first message to Alice used the one-time prekeys with id 1 of both kinds.
    gated(216, "used-one-time-prekey", on_initiation(&|i| i.one_time_pre_key = Some(1)));
    gated(216, "used-kem-prekey", on_initiation(&|i| i.kem_pre_key = 1));
    gated(209, "no-one-time-prekey-where-one-was-used", on_initiation(&|i| i.one_time_pre_key = None));
    gated(209, "another-generation", on_initiation(&|i| i.generation += 1));
    gated(209, "another-kem-ciphertext", on_initiation(&|i| i.kem_ciphertext[0] ^= 1));
    for (name, key, code) in bad_points() {
        gated(code, &format!("initiation-ek-{name}"), on_initiation(&|i| i.ephemeral_key = key));
    }
}

fn flip(body: &mut Bytes, at: usize) {
    let mut bytes = body.as_slice().to_vec();
    bytes[at] ^= 1;
    *body = bytes.into();
}

/// The bytes of an envelope that `encode` would refuse.
fn raw(envelope: &Envelope) -> Vec<u8> {
    let Envelope { head, gate, commitment, body } = envelope;
    let head: &Head = head;
    Envelope::assemble(&head.encode().unwrap(), gate, commitment, body.as_slice())
}

fn bundles(maker: &mut Maker, honest: &Bundle, own: &record::Own) {
    let bytes = honest.encode().unwrap();
    maker.prefixes("bundle", &bytes, &[0, 1, 5, 11, 43, 75, 110, 178, 220, 900, bytes.len() - 1]);
    maker.add(202, "trailing-byte", [bytes.as_slice(), &[0]].concat());
    for value in [0, 2, 255] {
        let mut bad = bytes.clone();
        bad[0] = value;
        maker.add(205, format!("version-{value}"), bad);
    }
    let mut edit = |expect, name: &str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = honest.clone();
        change(&mut bundle);
        maker.add(expect, name, bundle.encode().unwrap());
    };
    edit(203, "user-without-name", &|b| b.user = vec![].into());
    edit(204, "user-of-65-bytes", &|b| b.user = vec![b'x'; 65].into());
    edit(301, "another-user", &|b| b.user = b"carol".to_vec().into());
    edit(301, "an-unknown-user", &|b| b.user = b"nobody".to_vec().into());
    edit(301, "ourselves", &|b| {
        b.user = b"bob".to_vec().into();
        b.device = 1;
    });
    edit(301, "an-unlisted-device", &|b| b.device = 9);
    edit(301, "another-listed-device", &|b| b.device = 1);
    edit(301, "another-identity-key", &|b| b.identity_key[0] ^= 1);
    edit(301, "another-signing-key", &|b| b.signing_key[0] ^= 1);
    edit(304, "signed-prekey-id-of-2-to-the-24", &|b| b.signed_pre_key.id = 1 << 24);
    edit(304, "kem-prekey-id-of-2-to-the-24", &|b| b.kem_pre_key.id = 1 << 24);
    edit(304, "one-time-prekey-id-of-2-to-the-24", &|b| b.one_time_pre_key.as_mut().unwrap().id = u32::MAX);
    edit(302, "signed-prekey-signature", &|b| b.signed_pre_key.signature[0] ^= 1);
    edit(302, "signed-prekey-signature-of-zeros", &|b| b.signed_pre_key.signature = [0; 64]);
    edit(302, "signed-prekey-signature-with-high-s", &|b| b.signed_pre_key.signature[63] |= 0xe0);
    edit(302, "signed-prekey-other-id", &|b| b.signed_pre_key.id ^= 1);
    edit(302, "signed-prekey-other-time", &|b| b.signed_pre_key.created_at -= 1);
    edit(302, "kem-signature", &|b| b.kem_pre_key.signature[0] ^= 1);
    edit(302, "kem-other-id", &|b| b.kem_pre_key.id ^= 1);
    edit(203, "kem-other-time", &|b| b.kem_pre_key.created_at += 1);
    edit(302, "kem-under-the-other-use", &|b| b.kem_pre_key.usage = KemUse::LastResort);
    edit(302, "signatures-swapped", &|b| std::mem::swap(&mut b.signed_pre_key.signature, &mut b.kem_pre_key.signature));
    edit(208, "kem-key-not-reduced", &|b| b.kem_pre_key.key[..384].fill(0xff));
    edit(302, "one-time-prekey-signature", &|b| b.one_time_pre_key.as_mut().unwrap().signature[9] ^= 1);
    edit(302, "one-time-prekey-other-id", &|b| b.one_time_pre_key.as_mut().unwrap().id ^= 1);
    edit(302, "one-time-prekey-other-key", &|b| {
        b.one_time_pre_key.as_mut().unwrap().key = own.keys().party.identity_key.as_bytes().to_owned();
    });
    edit(303, "one-time-key-is-signed-key", &|b| b.one_time_pre_key.as_mut().unwrap().key = b.signed_pre_key.key);
    edit(303, "one-time-key-is-identity-key", &|b| b.one_time_pre_key.as_mut().unwrap().key = b.identity_key);
    edit(303, "signed-key-is-identity-key", &|b| b.signed_pre_key.key = b.identity_key);
    for (name, key, code) in bad_points() {
        edit(code, &format!("signed-prekey-{name}"), &|b| b.signed_pre_key.key = key);
        edit(code, &format!("one-time-prekey-{name}"), &|b| b.one_time_pre_key.as_mut().unwrap().key = key);
    }
}

fn lists(maker: &mut Maker, world: &mut World, honest: &VerifiedDeviceList) {
    let shown = honest.shown(16).unwrap();
    let signed = honest.signed.len();
    maker.prefixes("list", &shown, &[0, 1, 2, 30, 100, signed - 64, signed, shown.len() - 1]);
    maker.add(202, "trailing-byte", [shown.as_slice(), &[0]].concat());
    let links = honest.branch.links(0, 16);
    let mut with = |expect, name: &str, links: Vec<[u8; 32]>| {
        let form = ShownList { signed: SignedDeviceList::decode(&honest.signed).unwrap(), links: links.into() };
        maker.add(expect, name, form.encode().unwrap());
    };
    with(311, "links-that-do-not-lead-to-the-list", vec![links[0], [7; 32]]);
    with(311, "links-without-a-hash", vec![links[0]]);
    with(311, "links-to-epoch-0", [&links[..1], &links[..]].concat());
    let long = [(1026_u16 * 32).to_be_bytes().as_slice(), &[0; 1026 * 32]].concat();
    maker.add(203, "1026-links", [honest.signed.as_slice(), &long].concat());
    for at in [signed - 64, signed - 1] {
        let mut bad = shown.clone();
        bad[at] ^= 1;
        maker.add(302, format!("signature-byte-{at}"), bad);
    }
    let account = sesame_core::internal::crypto::ed25519::SigningKey::from_seed(world.own(ALICE).account.unwrap());
    // Signed by the right key, but with wrong content.
    let sign = |bytes: Vec<u8>| {
        let signature = account.sign(sesame_core::internal::crypto::labels::DEVICE_LIST, &bytes);
        let signed = SignedDeviceList { list: bytes.into(), signature };
        ShownList { signed, links: vec![].into() }.encode().unwrap()
    };
    let outer = SignedDeviceList::decode(&honest.signed).unwrap();
    let list = DeviceList::decode(outer.list.as_slice()).unwrap();
    let form = |list: &DeviceList| sesame_core::internal::wire::device_list::encode_unchecked(list).unwrap();
    let mut edit = |expect, name: &str, change: &dyn Fn(&mut DeviceList)| {
        let mut bad = list.clone();
        change(&mut bad);
        maker.add(expect, name, sign(form(&bad)));
    };
    let devices = list.devices.as_slice().to_vec();
    for version in [0, 2, 255] {
        edit(205, &format!("version-{version}"), &|l| l.version = version);
    }
    edit(203, "user-without-name", &|l| l.user = vec![].into());
    edit(204, "user-of-65-bytes", &|l| l.user = vec![b'x'; 65].into());
    edit(307, "no-device", &|l| l.devices = vec![].into());
    edit(306, "a-device-twice", &|l| l.devices = vec![devices[0].clone(), devices[0].clone()].into());
    edit(203, "devices-not-sorted", &|l| l.devices = vec![devices[1].clone(), devices[0].clone()].into());
    edit(308, "33-devices", &|l| {
        let many =
            (1..=33).map(|id| sesame_core::internal::wire::device_list::ListedDevice { id, ..devices[0].clone() });
        l.devices = many.collect::<Vec<_>>().into();
    });
    edit(203, "epoch-0", &|l| l.epoch = 0);
    edit(203, "epoch-of-2-to-the-63", &|l| l.epoch = 1 << 63);
    edit(311, "no-history-in-a-later-list", &|l| l.history = [0; 32]);
    edit(311, "a-history-in-the-first-list", &|l| {
        l.epoch = 1;
        l.devices = vec![change(&devices[0], |d| d.added_at_epoch = 1)].into();
    });
    edit(203, "an-id-above-the-last", &|l| l.last_id = devices[0].id);
    edit(203, "a-primary-that-is-not-listed", &|l| l.primary_id = 31);
    edit(204, "nine-suites", &|l| {
        l.devices = vec![change(&devices[0], |d| d.suites = vec![1; 9].into()), devices[1].clone()].into();
    });
    edit(203, "a-device-without-suite", &|l| {
        l.devices = vec![change(&devices[0], |d| d.suites = vec![].into())].into()
    });
    edit(203, "added-after-this-epoch", &|l| l.devices = vec![change(&devices[0], |d| d.added_at_epoch = 99)].into());
    edit(203, "added-at-epoch-0", &|l| l.devices = vec![change(&devices[0], |d| d.added_at_epoch = 0)].into());
    edit(303, "account-key-as-device-key", &|l| {
        l.devices = vec![change(&devices[0], |d| d.signing_key = list.account_key)].into();
    });
    edit(303, "one-identity-key-twice", &|l| {
        let second = change(&devices[1], |d| d.identity_key = devices[0].identity_key);
        l.devices = vec![devices[0].clone(), second].into();
    });
    let bobs = world.own(BOB).account_key.0;
    edit(302, "another-account-key", &|l| l.account_key = bobs);
    edit(208, "account-key-is-no-point", &|l| l.account_key = [0xff; 32]);
    edit(208, "signing-key-is-no-point", &|l| {
        l.devices = vec![change(&devices[0], |d| d.signing_key = [0xff; 32])].into();
    });
    for (name, key, code) in bad_points() {
        edit(code, &format!("identity-key-{name}"), &|l| {
            l.devices = vec![change(&devices[0], |d| d.identity_key = key)].into();
        });
    }
    maker.add(202, "list-with-a-trailing-byte", sign([outer.list.as_slice(), &[0]].concat()));
    maker.add(201, "list-cut-short", sign(outer.list.as_slice()[..50].to_vec()));
}

fn change<T: Clone>(from: &T, change: impl FnOnce(&mut T)) -> T {
    let mut to = from.clone();
    change(&mut to);
    to
}

fn linking_codes(maker: &mut Maker, world: &mut World) {
    let mut context = Context { now: Timestamp(FIXTURE_NOW), rng: &mut world.rng };
    let linking = Device::begin_link(Arc::new(MemoryStore::new()), &store_key(), &mut context, &server()).unwrap();
    let code = linking.code().to_owned();
    let text = |text: &str| text.as_bytes().to_vec();
    maker.add(120, "empty", vec![]);
    maker.add(120, "without-prefix", text(&code[7..]));
    maker.add(120, "another-prefix", text(&code.replace("SESAME1", "SESAME2")));
    maker.add(120, "a-url", text("https://example.com/link"));
    maker.add(120, "longer-than-1024", text(&"A".repeat(1_025)));
    maker.add(120, "digit-one", text(&format!("{}1", &code[..code.len() - 1])));
    maker.add(120, "punctuation", text(&format!("{}!", &code[..code.len() - 1])));
    maker.add(120, "umlaut", text(&format!("{code}\u{e4}")));
    // 105 bytes are exactly 168 letters. One more letter holds bits that belong to no byte.
    maker.add(120, "a-letter-too-many", text(&format!("{code}B")));
    for length in [7, 15, 47, 95, 103, 159, 175] {
        maker.add(120, format!("cut-at-{length}"), text(&code[..length]));
    }
    maker.add(120, "twice", text(&format!("{code}AAAAAAAA")));
    for at in [7, 60, 120, code.len() - 1] {
        let other = if &code[at..=at] == "A" { "B" } else { "A" };
        maker.add(120, format!("typo-at-{at}"), text(&format!("{}{other}{}", &code[..at], &code[at + 1..])));
    }
    let offer = |change: &dyn Fn(&mut LinkOffer)| {
        let mut offer = LinkOffer::decode(&code).unwrap();
        change(&mut offer);
        text(&offer.encode().unwrap())
    };
    maker.add(123, "expired-long-ago", offer(&|o| o.expires_at = 1));
    maker.add(123, "good-for-ever", offer(&|o| o.expires_at = u64::MAX));
    for (name, key, expect) in bad_points() {
        maker.add(expect, format!("identity-key-{name}"), offer(&|o| o.identity_key = key));
    }
    maker.add(208, "signing-key-is-no-point", offer(&|o| o.signing_key = [0xff; 32]));
    maker.add(
        207,
        "signing-key-of-low-order",
        offer(&|o| {
            o.signing_key = {
                let mut one = [0; 32];
                one[0] = 1;
                one
            }
        }),
    );
}

fn records(maker: &mut Maker, world: &World) {
    let sealer = Sealer::new(&store_key());
    let dump = world.dump(ALICE);
    let mut row = |expect, name: String, key: &[u8], bytes: Vec<u8>| {
        maker.add(expect, name, bytes);
        if let Some(case) = maker.cases.last_mut() {
            case.key = key.to_vec();
        }
    };
    let own = Places::only(Kind::Own);
    let alice = sealer.places.user(Kind::User, &user("alice"));
    for (name, key) in [("own", &own), ("own-user", &alice)] {
        let honest = &dump[&**key];
        for length in [0, 1, 11, 12, 27, 28, honest.len() - 1] {
            row(406, format!("{name}-cut-at-{length}"), key, honest[..length].to_vec());
        }
        for at in [0, 11, 12, honest.len() / 2, honest.len() - 1] {
            let mut bad = honest.clone();
            bad[at] ^= 0x40;
            row(406, format!("{name}-flipped-at-{at}"), key, bad);
        }
        row(406, format!("{name}-longer"), key, [honest.as_slice(), &[0]].concat());
        let elsewhere = if name == "own" { &dump[&*alice] } else { &dump[&*own] };
        row(406, format!("{name}-from-another-slot"), key, elsewhere.clone());
    }
    let mut rng = world.rng.clone();
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let mut seal = |key: &[u8], plain: &[u8]| sealer.seal(&mut context, key, plain).unwrap();
    let plain = world.own(ALICE).encode().unwrap();
    row(409, "own-of-a-newer-format".into(), &own, seal(&own, &[&[2], &plain[1..]].concat()));
    row(406, "own-of-format-0".into(), &own, seal(&own, &[&[0], &plain[1..]].concat()));
    row(406, "own-sealed-empty".into(), &own, seal(&own, &[]));
    row(406, "own-sealed-short".into(), &own, seal(&own, &plain[..plain.len() - 1]));
    row(406, "own-sealed-with-a-trailing-byte".into(), &own, seal(&own, &[&plain[..], &[0]].concat()));
    let mut other = world.own(ALICE);
    other.account_key = world.own(BOB).account_key;
    row(407, "own-with-another-account-key".into(), &own, seal(&own, &other.encode().unwrap()));
    let check = Places::only(Kind::Check);
    let sealed = &dump[&*check];
    row(405, "check-of-another-key".into(), &check, record::Check { tag: [7; 32] }.encode().unwrap().to_vec());
    row(406, "check-empty".into(), &check, vec![]);
    row(406, "check-cut".into(), &check, sealed[..20].to_vec());
    row(409, "check-of-a-newer-format".into(), &check, [&[2], &sealed[1..]].concat());
}

/// Bob as a dishonest member: his client follows no rules.
struct Liar<'a> {
    world: &'a World,
    scope: Scope,
    keys: DeviceKeys,
    list: VerifiedDeviceList,
    set: Set,
    salt: u8,
}

impl Liar<'_> {
    fn say(&mut self, scope: Scope, body: &[u8]) -> Vec<u8> {
        let prelude = self.world.prelude(BOB, ALICE, 9).encode().unwrap();
        self.salt += 1;
        self.world.craft(BOB, ALICE, scope, [self.salt; 16], &[prelude.as_slice(), body].concat())
    }

    fn operations(&mut self, bundle: &[u8]) -> Vec<u8> {
        let claim = GroupClaim { count: 9, digest: [9; 16] };
        let body = Body::Operations { stamp: STAMP, claim, bundle: bundle.to_vec().into() };
        let scope = self.scope;
        self.say(scope, &body.encode().unwrap())
    }

    /// An honest operation, as Bob would make it now.
    fn form(&self, body: form::Body) -> form::Operation {
        let party = &self.keys.party;
        let draft = self.set.draft(party, body).unwrap();
        form::Operation {
            version: 1,
            group: draft.group.0,
            author: party.user.as_bytes().to_vec().into(),
            device: party.device.0,
            sequence: draft.sequence,
            lamport: draft.lamport,
            list: self.list.list.hash,
            parents: draft.parents.iter().map(|parent| parent.0).collect::<Vec<_>>().into(),
            body: draft.body,
        }
    }

    /// Signs any bytes as an operation.
    fn signed(&self, bytes: &[u8]) -> SignedOperation {
        let signature = self.keys.signing.sign(labels::GROUP_OPERATION, bytes);
        SignedOperation { operation: bytes.to_vec().into(), signature }
    }

    fn bundle(&self, operations: Vec<SignedOperation>) -> form::Bundle {
        form::Bundle { lists: vec![self.list.signed.clone().into()].into(), operations: operations.into() }
    }

    fn one(&mut self, form: &form::Operation) -> Vec<u8> {
        let operation = self.signed(&form::encode_unchecked(form).unwrap());
        let bundle = self.bundle(vec![operation]);
        self.operations(&bundle.encode().unwrap())
    }
}

const STAMP: Stamp = Stamp { content_id: [8; 16], sent_at: FIXTURE_NOW };

fn rename(name: &[u8]) -> form::Body {
    form::Body::Info { change: Change { name: Some(name.to_vec().into()), ..Change::default() } }
}

fn groups(maker: &mut Maker, world: &mut World, group: GroupId) {
    let scope = Scope::Group(GroupKind::Pairwise, group);
    let bob = world.own(BOB).keys();
    let alice = world.own(ALICE);
    let carol = world.own(("carol", 1)).keys();
    let (list, carols) = (world.list("bob"), world.list("carol"));
    let set = world.operations(BOB, group);
    let created = set.operations()[0].clone();
    let opening = {
        let mut context = Context { now: Timestamp(FIXTURE_NOW), rng: &mut world.rng };
        let other = Scope::Group(GroupKind::Pairwise, GroupId([5; 32]));
        let session =
            session::open_scope(&bob, &mut context, &alice.keys().party, (other, 1, Age(FIXTURE_NOW))).unwrap();
        let Some(Beginning::Opening(opening)) = session.beginning.clone() else { unreachable!() };
        (opening, session)
    };
    let mut liar = Liar { world, scope, keys: bob, list, set, salt: 0 };
    let info = liar.form(rename(b"New"));
    let leave = liar.form(form::Body::Leave);
    let added = |name: &[u8]| Added { user: name.to_vec().into(), account_key: [1; 32], leaves: vec![].into() };
    let add = |members: Vec<Added>| form::Body::Add { members: members.into() };

    // Content in the wrong kind of scope.
    let message = Body::Message { stamp: STAMP, payload: vec![1].into() };
    let to = SentTo { user: b"carol".to_vec().into(), account_key: None, verified: 0 };
    let transcript = Body::Transcript { stamp: STAMP, recipients: vec![to].into(), payload: vec![1].into() };
    let claim = GroupClaim { count: 2, digest: [0; 16] };
    let said = Body::Group { stamp: STAMP, claim, payload: vec![1].into() };
    let operations = Body::Operations { stamp: STAMP, claim, bundle: vec![0; 6].into() };
    for (name, at, body) in [
        ("direct-message-in-a-group", scope, &message),
        ("transcript-in-a-group", scope, &transcript),
        ("group-message-directly", Scope::Direct, &said),
        ("operations-directly", Scope::Direct, &operations),
    ] {
        let envelope = liar.say(at, &body.encode().unwrap());
        maker.add(220, name, envelope);
    }
    for kind in [0, 8, 255] {
        let envelope = liar.say(scope, &[kind; 40]);
        maker.add(206, format!("content-kind-{kind}"), envelope);
    }
    let whole = said.encode().unwrap();
    for length in [0, 1, 17, 25, 43, 46] {
        let envelope = liar.say(scope, &whole[..length]);
        maker.add(201, format!("message-cut-at-{length}"), envelope);
    }
    let envelope = liar.say(scope, &[whole.as_slice(), &[0]].concat());
    maker.add(202, "message-with-a-trailing-byte", envelope);

    // Bundles and operations with a wrong form.
    let honest = liar.bundle(vec![liar.signed(&info.encode().unwrap())]).encode().unwrap();
    for length in [0, 2, 5, 100, honest.len() - 1] {
        let envelope = liar.operations(&honest[..length]);
        maker.add(201, format!("bundle-cut-at-{length}"), envelope);
    }
    let envelope = liar.operations(&[honest.as_slice(), &[0]].concat());
    maker.add(202, "bundle-with-a-trailing-byte", envelope);
    let bytes = leave.encode().unwrap();
    for kind in [0_u8, 8, 9, 255] {
        let mut bytes = bytes.clone();
        *bytes.last_mut().unwrap() = kind;
        let bundle = liar.bundle(vec![liar.signed(&bytes)]).encode().unwrap();
        let envelope = liar.operations(&bundle);
        maker.add(206, format!("operation-of-kind-{kind}"), envelope);
    }
    for version in [0, 2, 255] {
        let envelope = liar.one(&form::Operation { version, ..info.clone() });
        maker.add(205, format!("operation-of-version-{version}"), envelope);
    }
    let parents = info.parents.as_slice().to_vec();
    let malformed: Vec<(&str, form::Operation)> = vec![
        ("sequence-0", form::Operation { sequence: 0, ..info.clone() }),
        ("sequence-beyond-the-limit", form::Operation { sequence: 1_025, ..info.clone() }),
        ("lamport-0", form::Operation { lamport: 0, ..info.clone() }),
        ("lamport-absurd", form::Operation { lamport: u64::MAX, ..info.clone() }),
        ("without-parents", form::Operation { parents: vec![].into(), ..info.clone() }),
        ("a-parent-twice", form::Operation { parents: [parents.clone(), parents].concat().into(), ..info.clone() }),
        ("seventeen-parents", {
            let parents: Vec<[u8; 32]> = (0..17).map(|n| [n; 32]).collect();
            form::Operation { parents: parents.into(), ..info.clone() }
        }),
        ("author-without-name", form::Operation { author: vec![].into(), ..info.clone() }),
        ("author-of-65-bytes", form::Operation { author: vec![b'a'; 65].into(), ..info.clone() }),
        ("nothing-changed", liar.form(form::Body::Info { change: Change::default() })),
        ("name-too-long", liar.form(rename(&[b'a'; 257]))),
        ("name-with-a-turn-of-direction", liar.form(rename("a\u{202e}b".as_bytes()))),
        ("name-with-a-newline", liar.form(rename(b"a\nb"))),
        ("name-that-is-no-utf-8", liar.form(rename(&[0xff, 0xfe]))),
        ("app-data-too-long", {
            let change = Change { app_data: Some(vec![0; 4_097].into()), ..Change::default() };
            liar.form(form::Body::Info { change })
        }),
        ("add-of-nobody", liar.form(add(vec![]))),
        ("add-of-201", {
            let many: Vec<Added> = (0..201_u32).map(|n| added(format!("u{n:04}").as_bytes())).collect();
            liar.form(add(many))
        }),
        ("add-of-one-twice", liar.form(add(vec![added(b"x"), added(b"x")]))),
        ("add-not-sorted", liar.form(add(vec![added(b"y"), added(b"x")]))),
        ("add-without-name", liar.form(add(vec![added(b"")]))),
        ("add-of-65-bytes", liar.form(add(vec![added(&[b'a'; 65])]))),
    ];
    for (name, form) in malformed {
        let envelope = liar.one(&form);
        maker.add(233, name, envelope);
    }

    // Operations that their author may not make.
    let envelope = liar.one(&form::Operation { group: [6; 32], ..info.clone() });
    maker.add(220, "operation-of-another-group", envelope);
    let retire = liar.form(form::Body::Retire { device: 1, last: 0 });
    let envelope = liar.one(&retire);
    maker.add(232, "retirement-of-a-listed-device", envelope);
    for (name, body) in [
        ("accept-of-no-invitation", form::Body::Accept { add: [4; 32] }),
        ("decline-of-no-invitation", form::Body::Decline { add: created.id.0 }),
        ("add-that-names-no-leave", add(vec![Added { leaves: vec![created.id.0].into(), ..added(b"x") }])),
    ] {
        let form = liar.form(body);
        let envelope = liar.one(&form);
        maker.add(232, name, envelope);
    }
    let create = |kind, random, account_key| form::Operation {
        parents: vec![].into(),
        lamport: 1,
        body: form::Body::Create { kind, account_key, random, change: Change::default(), origin: None },
        ..info.clone()
    };
    let form::Body::Create { random, .. } = created.form.body else { unreachable!() };
    let bobs = *liar.keys.party.account_key.as_bytes();
    for (name, expect, form) in [
        ("create-of-an-unknown-kind", 236, create(3, random, bobs)),
        ("create-of-the-direct-kind", 236, create(1, random, bobs)),
        ("create-under-another-id", 233, create(2, [3; 32], bobs)),
        ("create-in-anothers-name", 233, create(2, random, alice.account_key.0)),
    ] {
        let envelope = liar.one(&form);
        maker.add(expect, name, envelope);
    }
    // A second create by the same author may enter, but it is that device's first word or none.
    let twin = form::Operation {
        author: b"alice".to_vec().into(),
        device: 1,
        sequence: 2,
        list: created.form.list,
        ..create(2, random, alice.account_key.0)
    };
    let signature = alice.keys().signing.sign(labels::GROUP_OPERATION, &twin.encode().unwrap());
    let bundle = liar.bundle(vec![SignedOperation { operation: twin.encode().unwrap().into(), signature }]);
    let envelope = liar.operations(&bundle.encode().unwrap());
    maker.add(233, "create-with-a-sequence-of-2", envelope);
    let plain = liar.set.operations()[1].id;
    let envelope = liar.one(&liar.form(form::Body::Accept { add: plain.0 }));
    maker.add(232, "accept-of-an-add-that-asks-nobody-back", envelope);

    // Operations that somebody else than their author signed.
    let mut bad = liar.signed(&info.encode().unwrap());
    bad.signature[7] ^= 1;
    let bundle = liar.bundle(vec![bad]).encode().unwrap();
    let envelope = liar.operations(&bundle);
    maker.add(302, "signature", envelope);
    let other_label = SignedOperation {
        signature: liar.keys.signing.sign(labels::DEVICE_LIST, &info.encode().unwrap()),
        ..liar.signed(&info.encode().unwrap())
    };
    let bundle = liar.bundle(vec![other_label]).encode().unwrap();
    let envelope = liar.operations(&bundle);
    maker.add(302, "signature-under-another-label", envelope);
    let unlisted = form::Operation { device: 7, ..info.clone() };
    let envelope = liar.one(&unlisted);
    maker.add(221, "device-that-is-not-listed", envelope);
    let unknown_list = form::Operation { list: [1; 32], ..info.clone() };
    let envelope = liar.one(&unknown_list);
    maker.add(221, "list-that-is-not-there", envelope);
    let in_alices_name = form::Operation { author: b"alice".to_vec().into(), ..info.clone() };
    let envelope = liar.one(&in_alices_name);
    maker.add(312, "author-of-another-list", envelope);
    let strangers =
        form::Operation { author: b"carol".to_vec().into(), list: carols.list.hash, sequence: 1, ..info.clone() };
    let bytes = strangers.encode().unwrap();
    let signature = carol.signing.sign(labels::GROUP_OPERATION, &bytes);
    let bundle = form::Bundle {
        lists: vec![carols.signed.clone().into()].into(),
        operations: vec![SignedOperation { operation: bytes.into(), signature }].into(),
    };
    let envelope = liar.operations(&bundle.encode().unwrap());
    maker.add(231, "operation-of-a-stranger", envelope);

    // Openings.
    let nested = |opening: &record::Opening, session: &Session, salt: u8, body: &[u8]| {
        let sealed = session::seal_nested(session.outgoing(), [salt; 16]).unwrap();
        let nested = record::Nested {
            opening: opening.clone(),
            generation: session.meta.generation,
            prelude: vec![],
            recipe: sealed.recipe,
        };
        session::nested_content(session.meta.scope, &nested, body).unwrap()
    };
    let mut open = |maker: &mut Maker, expect, name: &str, change: &dyn Fn(&mut Opening)| {
        let prelude = liar.world.prelude(BOB, ALICE, 1).encode().unwrap();
        let inner = [prelude.as_slice(), &said.encode().unwrap()].concat();
        let mut form = nested(&opening.0, &opening.1, liar.salt + 1, &inner);
        change(&mut form);
        let envelope = liar.say(Scope::Direct, &Body::Opening(form).encode().unwrap());
        maker.add(expect, format!("opening-{name}"), envelope);
    };
    for kind in [0, 1, 3, 255] {
        open(maker, 236, &format!("of-kind-{kind}"), &|o| o.kind = kind);
    }
    open(maker, 203, "with-a-generation-of-2-to-the-63", &|o| o.generation = 1 << 63);
    open(maker, 201, "with-a-short-header", &|o| o.header = vec![0; 57].into());
    open(maker, 201, "with-a-long-header", &|o| o.header = vec![0; 513].into());
    open(maker, 201, "with-a-body-shorter-than-a-tag", &|o| o.body = vec![0; 15].into());
    open(maker, 217, "at-generation-0", &|o| o.generation = 0);
    open(maker, 209, "with-another-generation", &|o| o.generation = 2);
    open(maker, 209, "with-another-seed", &|o| o.seed[0] ^= 1);
    open(maker, 209, "for-another-group", &|o| o.group[0] ^= 1);
    open(maker, 209, "with-another-commitment", &|o| o.commitment[0] ^= 1);
    for (name, key, expect) in bad_points() {
        open(maker, expect, &format!("ephemeral-key-{name}"), &|o| o.ephemeral_key = key);
    }
    let prelude = liar.world.prelude(BOB, ALICE, 1).encode().unwrap();
    for (name, body) in [("a-direct-message", &message), ("a-transcript", &transcript)] {
        let inner = [prelude.as_slice(), &body.encode().unwrap()].concat();
        let form = nested(&opening.0, &opening.1, liar.salt + 1, &inner);
        let envelope = liar.say(Scope::Direct, &Body::Opening(form).encode().unwrap());
        maker.add(220, format!("opening-around-{name}"), envelope);
    }
    let inner = [prelude.as_slice(), &said.encode().unwrap()].concat();
    let form = nested(&opening.0, &opening.1, liar.salt + 1, &inner);
    let twice = [prelude.as_slice(), &Body::Opening(form.clone()).encode().unwrap()].concat();
    let doubled = nested(&opening.0, &opening.1, liar.salt + 1, &twice);
    let envelope = liar.say(Scope::Direct, &Body::Opening(doubled).encode().unwrap());
    maker.add(220, "opening-inside-an-opening", envelope);
    let envelope = liar.say(scope, &Body::Opening(form).encode().unwrap());
    maker.add(220, "opening-inside-a-group", envelope);
}

/// A case as the text of its file: a description, then the bytes.
#[must_use]
pub fn text(case: &Case) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let key = if case.key.is_empty() { String::new() } else { format!("key: {}\n", hex(&case.key)) };
    let mut lines = String::new();
    for chunk in case.bytes.chunks(64) {
        lines.push_str(&hex(chunk));
        lines.push('\n');
    }
    format!("surface: {}\nexpect: {}\n{key}\n{lines}", case.surface.name(), case.expect)
}
