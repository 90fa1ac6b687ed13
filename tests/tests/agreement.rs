//! PQXDH with the protocol's own keys (T51 to T59).

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::Code;
use sesame_core::event::Event;
use sesame_core::ids::{DeviceId, UserId};
use sesame_core::internal::agreement::pqxdh::{self, NamedPreKeys};
use sesame_core::internal::crypto::{ed25519::SigningKey, mlkem, x25519};
use sesame_core::internal::keys::{
    bundle::VerifiedBundle,
    device::DeviceKeys,
    party::{DecodedParty, Party},
};
use sesame_core::internal::steps::{Answers, Steps};
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::bundle::Bundle;
use sesame_core::internal::wire::envelope::{Envelope, Route};
use sesame_tests::{ALICE, BOB, DAY, World, failures, messages, spoilt, user};

/// Bob's view of Alice's bundle, and the world that it comes from.
fn bundle(seed: u64) -> (World, Bundle) {
    let mut world = World::strangers(seed);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let answers = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let bundle = world.relay.bundle(&user("alice"), DeviceId(1)).unwrap();
    (world, Bundle::decode(&bundle).unwrap())
}

/// What Bob says to a bundle; whatever he says, a refused one makes no session.
fn verdict(world: &mut World, bundle: &Bundle) -> Option<Code> {
    let answers = Answers { bundles: vec![bundle.encode().unwrap()], ..Answers::default() };
    let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let code = applied.refusals.first().map(|refusal| refusal.code);
    if code.is_some() {
        assert_eq!(world.session(BOB, ALICE), None);
    }
    code
}

#[test]
fn t51_with_and_without_one_time_keys_of_both_kinds() {
    for (curve, kem) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut world = World::strangers(51);
        if !kem {
            // Every one-time key is handed out, so that the last resort is left.
            while Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap())
                .unwrap()
                .one_time_pre_key
                .is_some()
            {}
        }
        let send = world.encrypt(BOB, &["alice"], b"x");
        let answers = world.relay.answer(&send.needs);
        world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        let mut bundle = Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
        if curve && !kem {
            // A server may hand out a curve key with the last resort: here one that was never used.
            let mut other = World::strangers(51);
            bundle.one_time_pre_key =
                Bundle::decode(&other.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap().one_time_pre_key;
        }
        if !curve {
            bundle.one_time_pre_key = None;
        }
        assert_eq!(verdict(&mut world, &bundle), None);
        let send = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap().unwrap();
        assert_eq!(world.drive(BOB, send).unwrap(), None);
        let results = world.receive(ALICE).unwrap();
        assert_eq!(failures(&results), []);
        assert_eq!(messages(&results)[0].flags.no_one_time_key, !curve && !kem, "{curve} {kem}");
    }
}

#[test]
fn t52_every_bad_signature_and_every_mismatch_is_refused() {
    type Change = fn(&mut Bundle);
    let changes: [(Change, Code); 15] = [
        (|b| b.signed_pre_key.signature[0] ^= 1, Code::BadSignature),
        (|b| b.signed_pre_key.signature[63] ^= 0x80, Code::BadSignature),
        (|b| b.signed_pre_key.id ^= 1, Code::BadSignature),
        (|b| b.signed_pre_key.created_at += 1, Code::BadSignature),
        (|b| b.kem_pre_key.signature[5] ^= 1, Code::BadSignature),
        (|b| b.kem_pre_key.id ^= 1, Code::BadSignature),
        (|b| b.kem_pre_key.created_at += 1, Code::NonCanonical),
        (|b| b.kem_pre_key.usage = sesame_core::internal::wire::bundle::KemUse::LastResort, Code::BadSignature),
        (|b| b.signed_pre_key.signature = b.kem_pre_key.signature, Code::BadSignature),
        (|b| b.one_time_pre_key.as_mut().unwrap().signature[0] ^= 1, Code::BadSignature),
        (|b| b.user = b"alicf".to_vec().into(), Code::BundleMismatch),
        (|b| b.device = 2, Code::BundleMismatch),
        (|b| b.identity_key[0] ^= 1, Code::BundleMismatch),
        (|b| b.signing_key[0] ^= 1, Code::BundleMismatch),
        (|b| b.one_time_pre_key.as_mut().unwrap().key = b.signed_pre_key.key, Code::KeyReuse),
    ];
    for (at, (change, code)) in changes.into_iter().enumerate() {
        let (mut world, mut bundle) = bundle(52);
        change(&mut bundle);
        assert_eq!(verdict(&mut world, &bundle), Some(code), "change {at}");
    }
}

#[test]
fn t53_a_replayed_initiation_without_one_time_keys_is_refused_for_ever() {
    let mut world = World::strangers(53);
    while Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap().one_time_pre_key.is_some()
    {
    }
    world.send(BOB, &["alice"], b"x");
    let initiation = world.mails(ALICE);
    assert!(messages(&world.receive(ALICE).unwrap())[0].flags.no_one_time_key);
    assert_eq!(failures(&world.decrypt(ALICE, &initiation)), [Code::Duplicate]);
    // First the envelope's id is known, for 30 days; then its session knows the message, for 160; then both are gone, the private
    // prekeys are not, for nothing has rotated, and the prekey's own list of what it served is left.
    for day in (25..=200).step_by(25) {
        world.pass(25 * DAY);
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
        let code = match day {
            0..=30 => Code::Duplicate,
            31..=160 => Code::ReusedIndex,
            _ => Code::ReplayedInitiation,
        };
        assert_eq!(failures(&world.decrypt(ALICE, &initiation)), [code], "day {day}");
    }
    let before = world.dump(ALICE);
    assert_eq!(failures(&world.decrypt(ALICE, &initiation)), [Code::ReplayedInitiation]);
    assert_eq!(world.dump(ALICE), before);
}

/// Points of low order and encodings that are not canonical (RFC 7748; little-endian).
fn weak_keys() -> Vec<([u8; 32], Code)> {
    let p = |low: u8| {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (low, 0x7f);
        key
    };
    let one = {
        let mut k = [0; 32];
        k[0] = 1;
        k
    };
    let order_8 = [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    .map(|hex| std::array::from_fn(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()));
    let high = |key: [u8; 32]| {
        let mut key = key;
        key[31] |= 0x80;
        key
    };
    let mut keys = vec![([0; 32], Code::WeakPublicKey), (one, Code::WeakPublicKey), (p(0xec), Code::WeakPublicKey)];
    keys.extend(order_8.map(|key| (key, Code::WeakPublicKey)));
    keys.extend((0xed..=0xff_u8).map(|low| (p(low), Code::BadKeyEncoding)));
    keys.extend([[0; 32], one, p(0xec), order_8[0], order_8[1], [9; 32]].map(|key| (high(key), Code::BadKeyEncoding)));
    keys
}

#[test]
fn t54_a17_a18_weak_and_non_canonical_keys_are_refused_in_every_slot() {
    let keys = weak_keys();
    assert!(keys.len() >= 27);
    for (key, code) in keys {
        let (mut world, mut of_alice) = bundle(54);
        of_alice.signed_pre_key.key = key;
        assert_eq!(verdict(&mut world, &of_alice), Some(code), "signed prekey {key:02x?}");
        let (mut world, mut of_alice) = bundle(54);
        of_alice.one_time_pre_key.as_mut().unwrap().key = key;
        assert_eq!(verdict(&mut world, &of_alice), Some(code), "one-time prekey {key:02x?}");
    }
    let mut world = World::strangers(54);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE).remove(0);
    let before = world.dump(ALICE);
    for (key, code) in weak_keys() {
        let mut envelope = Envelope::decode(&mail).unwrap();
        let Route::Initiation(initiation) = &mut envelope.head.route else { unreachable!() };
        initiation.identity_key = key;
        assert_eq!(world.refusal(ALICE, &envelope.encode().unwrap()), Some(code), "IK {key:02x?}");
        // EK stands behind the gate: without the pair keys a forger gets no further, with them the key itself is refused (below).
        let mut envelope = Envelope::decode(&mail).unwrap();
        let Route::Initiation(initiation) = &mut envelope.head.route else { unreachable!() };
        initiation.ephemeral_key = key;
        assert_eq!(world.refusal(ALICE, &envelope.encode().unwrap()), Some(Code::Forged));
        assert_eq!(x25519::PublicKey::decode(key), Err(code));
    }
    assert_eq!(world.dump(ALICE), before);
}

#[test]
fn t55_a23_a_one_time_key_goes_only_with_the_success_that_used_it() {
    let mut world = World::strangers(55);
    world.send(BOB, &["alice"], b"x");
    let mail = world.steal(ALICE).remove(0);
    let keys = |world: &World| world.rows(ALICE, &[Kind::PreKey]);
    let before = keys(&world);
    for at in (0..mail.len()).step_by(97) {
        let mut bad = mail.clone();
        bad[at] ^= 0x10;
        assert_eq!(world.refusal(ALICE, &bad), Some(spoilt::envelope(&mail, &bad)), "byte {at}");
        assert_eq!(keys(&world), before);
    }
    assert_eq!(world.refusal(ALICE, &mail), None);
    assert_eq!(keys(&world), before - 2);
}

#[test]
fn t56_a_rotated_signed_prekey_is_accepted_in_its_grace_time_and_refused_after() {
    for (days, accepted) in [(29, true), (36, false)] {
        let mut world = World::strangers(56);
        world.send(BOB, &["alice"], b"x");
        let mail = world.steal(ALICE);
        world.pass(3 * DAY);
        world.publish(ALICE);
        for _ in 0..days {
            world.pass(DAY);
            world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
        }
        let results = world.decrypt(ALICE, &mail);
        let expected: &[Code] = if accepted { &[] } else { &[Code::UnknownPreKey] };
        assert_eq!(failures(&results), expected, "after {days} days");
    }
}

struct Side {
    keys: DeviceKeys,
    pre_keys: NamedPreKeys,
}

fn side(name: &str, seed: u64) -> Side {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let (signing, identity) = (SigningKey::generate(&mut context), x25519::PrivateKey::generate(&mut context));
    let party = Party {
        user: UserId::try_new(name.as_bytes().to_vec()).unwrap(),
        account_key: SigningKey::generate(&mut context).verifying_key(),
        device: DeviceId(1),
        signing_key: signing.verifying_key(),
        identity_key: identity.public_key(),
    };
    let pre_keys = NamedPreKeys {
        signed: x25519::PrivateKey::generate(&mut context),
        one_time: Some(x25519::PrivateKey::generate(&mut context)),
        kem: mlkem::PrivateKey::generate(&mut context),
    };
    Side { keys: DeviceKeys { identity, party, signing }, pre_keys }
}

fn decoded(party: &Party) -> DecodedParty {
    DecodedParty::of(party.clone()).unwrap()
}

fn verified(of: &Side) -> VerifiedBundle {
    use sesame_core::internal::keys::bundle::Identified;
    let point = |key: &x25519::PrivateKey| x25519::PublicPoint::of(&key.public_key()).unwrap();
    VerifiedBundle {
        party: decoded(&of.keys.party),
        signed_pre_key: Identified { id: 0, key: point(&of.pre_keys.signed) },
        one_time_pre_key: of.pre_keys.one_time.as_ref().map(|key| Identified { id: 1, key: point(key) }),
        kem_pre_key: Identified { id: 2, key: of.pre_keys.kem.public_key() },
        idle: false,
    }
}

#[test]
fn t57_a19_swapped_or_changed_names_give_other_secrets() {
    let (alice, bob) = (side("alice", 1), side("bob", 2));
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let (ours, initiation) = pqxdh::initiate(&bob.keys, &mut context, &verified(&alice), 7).unwrap();
    let theirs = pqxdh::respond(&alice.keys, &alice.pre_keys, &decoded(&bob.keys.party), &initiation).unwrap();
    assert_eq!((ours.associated_data, ours.root.expose()), (theirs.associated_data, theirs.root.expose()));
    // Mallory has registered Bob's keys under her name, or Bob's device under another number.
    let changes: [fn(&mut Party); 3] = [
        |p| p.user = UserId::try_new(b"mallory".to_vec()).unwrap(),
        |p| p.device = DeviceId(2),
        |p| p.account_key = side("mallory", 9).keys.party.account_key,
    ];
    for change in changes {
        let mut party = bob.keys.party.clone();
        change(&mut party);
        let other = pqxdh::respond(&alice.keys, &alice.pre_keys, &decoded(&party), &initiation).unwrap();
        assert_ne!(other.associated_data, ours.associated_data);
        assert_ne!(other.root.expose(), ours.root.expose());
    }
}

#[test]
fn t58_a20_a_key_in_another_slot_does_not_serve() {
    let (alice, bob) = (side("alice", 1), side("bob", 2));
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let (ours, initiation) = pqxdh::initiate(&bob.keys, &mut context, &verified(&alice), 7).unwrap();
    let swapped = NamedPreKeys {
        signed: alice.pre_keys.one_time.clone().unwrap(),
        one_time: Some(alice.pre_keys.signed.clone()),
        kem: alice.pre_keys.kem.clone(),
    };
    let other = pqxdh::respond(&alice.keys, &swapped, &decoded(&bob.keys.party), &initiation).unwrap();
    assert_ne!(other.root.expose(), ours.root.expose());
    let without = NamedPreKeys { one_time: None, ..swapped };
    assert_eq!(
        pqxdh::respond(&alice.keys, &without, &decoded(&bob.keys.party), &initiation).map(drop),
        Err(Code::UnknownPreKey)
    );
}

#[test]
fn t59_zero_is_a_prekey_id_like_any_other() {
    let (mut world, of_alice) = bundle(59);
    // The first pair that a device makes has the id 0.
    assert_eq!(of_alice.signed_pre_key.id, 0);
    assert_eq!(verdict(&mut world, &of_alice), None);
    let send = world.with(BOB, |d, c| d.outbox(c)).unwrap().remove(0);
    assert_eq!(world.drive(BOB, send).unwrap(), None);
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn a16_a_bundle_older_than_45_days_is_refused_and_one_older_than_14_is_flagged() {
    for (days, code, idle) in
        [(10, None, false), (20, None, true), (44, None, true), (46, Some(Code::BundleExpired), false)]
    {
        let (mut world, of_alice) = bundle(16);
        world.pass(days * DAY);
        let answers = Answers { bundles: vec![of_alice.encode().unwrap()], ..Answers::default() };
        let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
        assert_eq!(applied.refusals.first().map(|refusal| refusal.code), code, "{days} days");
        let flagged = applied.events.contains(&Event::IdleDevice { user: user("alice"), device: DeviceId(1) });
        assert_eq!(flagged, idle, "{days} days");
    }
    let (mut world, of_alice) = bundle(16);
    world.now -= 2 * DAY;
    assert_eq!(verdict(&mut world, &of_alice), Some(Code::BundleExpired), "from the future");
}

#[test]
fn n_t11_an_old_last_resort_key_under_a_fresh_signed_prekey_is_refused() {
    let mut world = World::strangers(111);
    let send = world.encrypt(BOB, &["alice"], b"x");
    let answers = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let next = |world: &mut World| Bundle::decode(&world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()).unwrap();
    while next(&mut world).one_time_pre_key.is_some() {}
    let old = next(&mut world).kem_pre_key;
    for _ in 0..23 {
        world.pass(2 * DAY + 1);
        world.publish_once(ALICE);
    }
    while next(&mut world).one_time_pre_key.is_some() {}
    let fresh = next(&mut world);
    assert!(fresh.kem_pre_key.created_at > old.created_at);
    let paired = Bundle { kem_pre_key: old.clone(), ..fresh.clone() };
    assert_eq!(verdict(&mut world, &paired), Some(Code::BundleExpired));
    assert_eq!(verdict(&mut world, &fresh), None);
}
