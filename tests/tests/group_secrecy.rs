//! What a server can tell of a group, and what a thief reads: T87, T88, A59, A60.

use rand_chacha::rand_core::SeedableRng;
use sesame_core::context::{Context, Timestamp};
use sesame_core::device::Device;
use sesame_core::error::Code;
use sesame_core::ids::{GroupId, GroupKind, UserId};
use sesame_core::internal::agreement::opening::{self, Opened};
use sesame_core::internal::clock::{Age, Moment};
use sesame_core::internal::crypto::x25519;
use sesame_core::internal::keys::device::DeviceKeys;
use sesame_core::internal::ratchet::message::{self, Bound};
use sesame_core::internal::session::{self, Session};
use sesame_core::internal::steps::Steps;
use sesame_core::internal::wire::{
    content::{self, Body},
    envelope::{Envelope, Route},
};
use sesame_core::secret::{Secret, Shared};
use sesame_core::store::MemoryStore;
use sesame_core::{ids::Scope, internal::record::Own};
use sesame_relay::Seen;
use sesame_tests::{ALICE, BOB, Name, World, failures, messages, store_key};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Opens an envelope by a stolen session, on either chain that it could be of; else what each says.
fn opens(session: &Session, envelope: &[u8]) -> Result<(), [Code; 2]> {
    let decoded = Envelope::decode(envelope).unwrap();
    let head = decoded.head.encode().unwrap();
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let load = |_, _| Err(Code::RecordInconsistent);
    let chain = session.ratchet.cold.chain;
    let mut open = |chain| {
        let position = session::position(&session.ratchet.cold, chain, &decoded)?;
        session::open(session, &mut context, &position, (&decoded, &head), &load)
    };
    match [chain, chain + 1].map(&mut open) {
        [Err(first), Err(second)] => Err([first, second]),
        _ => Ok(()),
    }
}

/// Whether an envelope is sealed under one of the next keys of the chain on which a stolen session sends.
fn seals(session: &Session, envelope: &[u8]) -> bool {
    let decoded = Envelope::decode(envelope).unwrap();
    let head = decoded.head.encode().unwrap();
    let mut ratchet = session.ratchet.clone();
    let bound = Bound { salt: &decoded.head.salt, associated_data: &ratchet.cold.associated_data.clone(), head: &head };
    (0..16).any(|_| {
        let (sent, sealed) = ratchet.sending().seal(&decoded.head.salt).unwrap();
        ratchet.hot = sent.hot;
        ratchet.cold = sent.cold.unwrap_or_else(|| ratchet.cold.clone());
        let opened = message::open(&sealed.message_key, bound, &decoded.commitment, decoded.body.as_slice());
        assert!(matches!(opened, Ok(_) | Err(Code::AuthenticationFailed)));
        opened.is_ok()
    })
}

#[test]
fn t88_the_state_of_one_scope_opens_nothing_of_another() {
    let mut world = World::acquainted(88, &[("alice", 1), ("bob", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    world.say(BOB, id, b"answer").unwrap();
    world.receive(ALICE).unwrap();
    let scope = Scope::Group(GroupKind::Pairwise, id);
    let (direct, group) = (world.stolen_session(BOB, ALICE, Scope::Direct), world.stolen_session(BOB, ALICE, scope));
    world.say(ALICE, id, b"to the group").unwrap();
    let to_group = world.steal(BOB).remove(0);
    world.send(ALICE, &["bob"], b"directly");
    let directly = world.steal(BOB).remove(0);
    assert_eq!((opens(&group, &to_group), opens(&direct, &directly)), (Ok(()), Ok(())), "else this test shows nothing");
    let neither = Err([Code::AuthenticationFailed; 2]);
    assert_eq!((opens(&direct, &to_group), opens(&group, &directly)), (neither, neither));
}

#[test]
fn t88_who_reads_the_opening_in_the_direct_session_still_cannot_open_the_scope() {
    // Everything that the direct message says, and every public key: without an identity key it makes no header key of the scope.
    let mut world = World::acquainted(188, &[("alice", 1), ("bob", 1), ("eve", 1)]);
    let keys = |world: &World, name| world.own(name).keys();
    let (alice, bob, eve) = (keys(&world, ALICE), keys(&world, BOB), keys(&world, ("eve", 1)));
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let scope = Scope::Group(GroupKind::Pairwise, GroupId([7; 32]));
    let opened = session::open_scope(&alice, &mut context, &bob.party, (scope, 9, Age(0))).unwrap();
    let Some(sesame_core::internal::record::Beginning::Opening(said)) = opened.beginning.clone() else {
        unreachable!()
    };
    let seed = Secret::init_with(|seed| *seed = *said.seed.expose());
    let seen = Opened { scope, generation: 9, ephemeral_key: &said.ephemeral_key, seed: &seed };
    let agree = |identity: &x25519::PrivateKey, theirs: &x25519::PublicKey| {
        let theirs = x25519::PublicPoint::of(theirs).unwrap();
        *opening::agree(identity, &theirs, (&alice.party, &bob.party), seen).unwrap().initiator_header.expose()
    };
    let real = agree(&bob.identity, &alice.party.identity_key);
    assert_eq!(real, agree(&alice.identity, &bob.party.identity_key));
    for theirs in [&alice.party.identity_key, &bob.party.identity_key] {
        assert_ne!(agree(&eve.identity, theirs), real);
    }
    // And an identity key without the direct message has no seed.
    let other = Secret::init_with(|seed| seed.fill(1));
    let blind = Opened { seed: &other, ..seen };
    let theirs = x25519::PublicPoint::of(&alice.party.identity_key).unwrap();
    let guessed = opening::agree(&bob.identity, &theirs, (&alice.party, &bob.party), blind).unwrap();
    assert_ne!(*guessed.initiator_header.expose(), real);
}

#[test]
fn t88_a_thief_of_the_whole_device_reads_nothing_after_both_have_answered() {
    let mut world = World::acquainted(288, &[("alice", 1), ("bob", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    world.say(BOB, id, b"answer").unwrap();
    world.receive(ALICE).unwrap();
    let thief = thief_of(&world, BOB);
    let read = |world: &mut World, envelope: &[u8]| read_by(world, &thief, &[envelope.to_vec()]);
    world.say(ALICE, id, b"still readable").unwrap();
    let now = world.mails(BOB).remove(0);
    assert_eq!(read(&mut world, &now), (vec![b"still readable".to_vec()], vec![]), "else this test shows nothing");
    world.receive(BOB).unwrap();
    world.say(BOB, id, b"a fresh ratchet key").unwrap();
    world.receive(ALICE).unwrap();
    world.say(ALICE, id, b"healed").unwrap();
    let later = world.mails(BOB).remove(0);
    assert_eq!(read(&mut world, &later), (vec![], vec![Code::AuthenticationFailed]));
    // The direct session has not moved: it heals by itself only.
    world.send(ALICE, &["bob"], b"direct");
    let direct = world.mails(BOB).remove(1);
    assert_eq!(
        read(&mut world, &direct),
        (vec![b"direct".to_vec()], vec![]),
        "scopes heal apart: said so in the threat model"
    );
}

/// A device over what was stolen of another.
fn thief_of(world: &World, name: Name) -> Device {
    let store = Arc::new(MemoryStore::new());
    store.restore(world.dump(name));
    Device::open(store, &store_key()).unwrap()
}

/// What a thief's device reads of these envelopes, and what it says to those that it does not open.
fn read_by(world: &mut World, thief: &Device, mails: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Code>) {
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let results = thief.decrypt(&mut context, mails).unwrap();
    (messages(&results).into_iter().map(|message| message.payload.clone()).collect(), failures(&results))
}

#[test]
fn t88_whoever_was_robbed_before_the_first_answer_is_safe_soon_after_it_in_each_scope() {
    for (robbed, in_group) in [(ALICE, true), (BOB, true), (ALICE, false), (BOB, false)] {
        let mut world = World::acquainted(388, &[("alice", 1), ("bob", 1)]);
        let (id, send) = world.found_quietly(ALICE, "Trip", &["bob"]);
        world.drive(ALICE, send).unwrap();
        if robbed == BOB {
            // The opening and what is nested in it lie in the mailbox: with the identity key the thief opens both.
            let thief = thief_of(&world, BOB);
            world.say(ALICE, id, b"nested").unwrap();
            let mails = world.mails(BOB);
            let nested = read_by(&mut world, &thief, &mails);
            assert_eq!(
                nested,
                (vec![b"nested".to_vec()], vec![]),
                "the price of a stolen identity key before the first answer"
            );
        }
        let thief = thief_of(&world, robbed);
        let other = if robbed == ALICE { BOB } else { ALICE };
        let scope = if in_group { Scope::Group(GroupKind::Pairwise, id) } else { Scope::Direct };
        let say = |world: &mut World, from, to, text: &[u8]| {
            if in_group {
                world.say(from, id, text).unwrap();
            } else {
                world.send(from, &[to], text);
            }
        };
        world.receive(BOB).unwrap();
        let stolen = world.stolen_session(robbed, other, scope);
        for _ in 0..2 {
            say(&mut world, BOB, "alice", b"answer");
            world.receive(ALICE).unwrap();
            say(&mut world, ALICE, "bob", b"and back");
            world.receive(BOB).unwrap();
        }
        for n in 0..4 {
            // What the robbed device is sent, and what it sends.
            say(&mut world, other, robbed.0, &[n]);
            let mails = world.mails(robbed);
            let read = read_by(&mut world, &thief, &mails);
            assert_eq!(read, (vec![], vec![Code::NoSession]), "robbed: {robbed:?}, in the group: {in_group}");
            assert_eq!(world.read(robbed), [[n]]);
            let now = world.stolen_session(robbed, other, scope);
            say(&mut world, robbed, other.0, &[n]);
            let mail = world.mails(other).remove(0);
            assert!(seals(&now, &mail), "else this test shows nothing");
            assert!(!seals(&stolen, &mail), "robbed: {robbed:?}, in the group: {in_group}");
            assert_eq!(world.read(other), [[n]]);
        }
    }
}

#[test]
fn t88_with_the_direct_sessions_state_alone_the_opening_is_read_and_what_is_nested_is_not() {
    let mut world = World::acquainted(488, &[("alice", 1), ("bob", 1)]);
    let direct = world.stolen_session(BOB, ALICE, Scope::Direct);
    let (id, send) = world.found_quietly(ALICE, "Trip", &["bob"]);
    world.drive(ALICE, send).unwrap();
    let mail = world.steal(BOB).remove(0);
    let envelope = Envelope::decode(&mail).unwrap();
    let head = envelope.head.encode().unwrap();
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut context = Context { now: Timestamp(world.now), rng: &mut rng };
    let load = |_, _| Err(Code::RecordInconsistent);
    let chain = direct.ratchet.cold.chain;
    let opened = [chain, chain + 1]
        .into_iter()
        .filter_map(|chain| session::position(&direct.ratchet.cold, chain, &envelope).ok())
        .find_map(|position| session::open(&direct, &mut context, &position, (&envelope, &head), &load).ok());
    let (_, content) = opened.unwrap();
    let (_, Body::Opening(opening)) = content::decode(&content).unwrap() else { panic!("no opening") };
    assert_eq!(opening.group, id.0, "the thief reads the opening, its seed and its public key");
    // All that is missing is DH(IK_A, IK_B): with keys of his own, or with any public key, there is no session that opens what is nested.
    let eve = Own { identity: Shared::init_with(|k| k.fill(3)), ..world.own(BOB) }.keys();
    let seed = Secret::init_with(|seed| *seed = opening.seed);
    let scope = Scope::Group(GroupKind::Pairwise, id);
    let seen = Opened { scope, generation: opening.generation, ephemeral_key: &opening.ephemeral_key, seed: &seed };
    let alice = world.own(ALICE).keys().party;
    let salt = &envelope.head.salt;
    let try_with = |keys: &DeviceKeys, context: &mut Context<'_>| {
        let session = session::accept_opening(keys, &alice, seen, Moment::true_at(Timestamp(0))).unwrap();
        let position = session::position_nested(&session.ratchet.cold, &opening, salt)?;
        session::open_nested(&session, context, &position, (&opening, salt), &load).map(drop)
    };
    assert_eq!(try_with(&eve, &mut context), Err(Code::AuthenticationFailed));
    assert_eq!(try_with(&world.own(BOB).keys(), &mut context), Ok(()), "else this test shows nothing");
}

/// One batch: its recipient; device, size and whether it is an initiation of each envelope; whether it was refused.
type Glimpse = (UserId, Vec<(u32, usize, bool)>, bool);

/// What a server sees of one send: for each batch in order its recipient, the sizes and types of its envelopes; and prekey fetches.
fn trace(world: &mut World) -> Vec<Glimpse> {
    let seen = world.relay.take_seen();
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Submitted { recipient, envelopes, refusal, .. } => {
                let envelopes = envelopes.iter().map(|e| (e.device.0, e.bytes, e.initiation)).collect();
                Some((recipient.clone(), envelopes, refusal.is_some()))
            }
            Seen::BundleFetched { user, .. } => Some((user.clone(), Vec::new(), false)),
            Seen::Published { .. } => None,
        })
        .collect()
}

#[test]
fn t87_a59_a_trace_does_not_tell_a_group_from_a_direct_message() {
    // 10,000 pairs: as many bytes to the same users, once directly and once in a group, in random order and at all stages of a group's
    // sessions; in the group it is a message or, one time in four, a rename. A classifier learns on one half and guesses on the other.
    let mut world = World::acquainted(59, &[("alice", 2), ("bob", 2), ("carol", 1)]);
    let devices: Vec<Name> = world.hosts.keys().copied().collect();
    let mut samples: Vec<([usize; 4], String, bool)> = Vec::new();
    let mut id = world.found(ALICE, "Trip", &["bob", "carol"]);
    let (mut unanswered, mut renames) = (0, 0);
    for pair in 0..10_000 {
        if pair % 50 == 0 {
            id = world.found(ALICE, "Trip", &["bob", "carol"]);
        }
        unanswered += usize::from(world.group_session(ALICE, BOB, id).is_some_and(|session| session.initiating));
        let name = (world.below(4) == 0).then(|| "n".repeat(world.below(256)));
        renames += usize::from(name.is_some());
        // What is said in the group is made first, so that its length is known; it is submitted when its turn comes.
        let said = match &name {
            Some(name) => world.in_group(ALICE, id, |group, c| group.rename(c, name)).unwrap(),
            None => {
                let text = vec![1; world.below(3_000)];
                world.in_group(ALICE, id, |group, c| group.send(c, &text, None)).unwrap()
            }
        };
        let text = vec![1; world.payload_of(ALICE, &said).len()];
        let group_first = world.below(2) == 0;
        for in_group in [group_first, !group_first] {
            world.relay.take_seen();
            if in_group {
                assert_eq!(world.drive(ALICE, said).unwrap(), None);
            } else {
                world.send(ALICE, &["bob", "carol"], &text);
            }
            let trace = trace(&mut world);
            let bytes: usize = trace.iter().flat_map(|batch| &batch.1).map(|envelope| envelope.1).sum();
            let sizes: BTreeSet<usize> = trace.iter().flat_map(|batch| &batch.1).map(|envelope| envelope.1).collect();
            let initiations = trace.iter().flat_map(|batch| &batch.1).filter(|envelope| envelope.2).count();
            samples.push(([bytes, sizes.len(), trace.len(), initiations], format!("{trace:?}"), in_group));
            for name in &devices {
                let mails = world.steal(*name);
                if pair % 50 > 25 && !mails.is_empty() {
                    world.decrypt(*name, &mails);
                }
            }
        }
        if pair % 50 == 30 {
            for name in &devices {
                world.say(*name, id, b"answer").unwrap();
            }
            world.all_receive();
        }
    }
    assert!(unanswered > 2_000 && unanswered < 8_000 && renames > 2_000, "{unanswered} {renames}");
    // First by the whole trace, which is the strongest classifier that looks at one send: how often was each trace a group's?
    let (learn, guess) = samples.split_at(samples.len() / 2);
    let mut seen: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, trace, group) in learn {
        *seen.entry(trace).or_default() += if *group { 1 } else { -1 };
    }
    let right =
        guess.iter().filter(|(_, trace, group)| (seen.get(trace.as_str()).copied().unwrap_or(0) > 0) == *group).count();
    let accuracy = right as f64 / guess.len() as f64;
    println!("classifier by the whole trace: {:.2} % of {}", accuracy * 100.0, guess.len());
    assert!(accuracy <= 0.52, "{accuracy}");
    // And by the nearest mean of what can be counted.
    for feature in 0..4 {
        let mean = |of: bool| {
            let values: Vec<f64> = learn.iter().filter(|s| s.2 == of).map(|s| s.0[feature] as f64).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let (group, direct) = (mean(true), mean(false));
        let nearer = |s: &&([usize; 4], String, bool)| {
            let value = s.0[feature] as f64;
            ((value - group).abs() < (value - direct).abs()) == s.2
        };
        let accuracy = guess.iter().filter(nearer).count() as f64 / guess.len() as f64;
        assert!(accuracy <= 0.52, "feature {feature}: {accuracy}");
    }
}

#[test]
fn t87_sizes_are_equal_while_a_list_rides_and_before_any_answer() {
    // Twelve recipients, so that the transcript of a direct message outgrows the allowance as well.
    let names = ["bob", "carol", "dave", "erin", "frank", "gina", "hugo", "ines", "jen", "karl", "lena", "mona"];
    let users: Vec<(&'static str, u32)> = [("alice", 2)].into_iter().chain(names.map(|name| (name, 1))).collect();
    let mut world = World::acquainted(87, &users);
    let id = world.found(ALICE, "Trip", &names);
    for round in 0..3 {
        if round == 1 {
            // A new list of Alice's, which rides until it is claimed.
            world.pass(8 * sesame_tests::DAY);
            world.with(ALICE, |d, c| d.tick(c, false)).unwrap();
            world.publish(ALICE);
        }
        for length in (0..2_000).step_by(23) {
            let text = vec![1; length];
            let sizes = |send: &sesame_core::internal::steps::Standing| -> Vec<(UserId, u32, usize)> {
                let of = |batch: &sesame_core::event::Batch| {
                    let out = batch.envelopes.iter().map(|out| (batch.user.clone(), out.device.0, out.envelope.len()));
                    out.collect::<Vec<_>>()
                };
                send.batches.iter().flat_map(of).collect()
            };
            let direct = world.encrypt(ALICE, &names, &text);
            let group = world.whisper(ALICE, id, &text);
            assert_eq!(sizes(&direct).len(), 13);
            assert_eq!(sizes(&direct), sizes(&group), "round {round}, {length} bytes");
            for send in [direct, group] {
                let users: Vec<UserId> = send.batches.iter().map(|batch| batch.user.clone()).collect();
                world.withdraw(ALICE, &send, &users);
            }
        }
        if round == 1 {
            // Now the group's sessions stand, and the list is known.
            for name in names.iter().map(|name| (*name, 1)).chain([("alice", 2)]) {
                world.say(ALICE, id, b"x").unwrap();
                world.receive(name).unwrap();
                world.say(name, id, b"y").unwrap();
            }
            world.all_receive();
        }
    }
}

#[test]
fn t87_a60_at_most_sixteen_sizes_below_64_kib_whatever_is_said() {
    // Of initiations first, which nobody has answered; a second device of Bob's, so that a device list rides as well.
    let mut world = World::new(160);
    for name in ["alice", "bob"] {
        world.create(name);
        world.link(name);
    }
    let mut sizes = BTreeSet::new();
    for length in (0..65_000).step_by(1_300) {
        world.send(ALICE, &["bob"], &vec![1; length]);
        for mail in [world.steal(BOB), world.steal(("bob", 2))].concat() {
            assert!(matches!(Envelope::decode(&mail).unwrap().head.route, Route::Initiation(_)));
            sizes.insert(mail.len());
        }
    }
    let below = sizes.range(..65_536).count();
    assert!((10..=16).contains(&below), "{sizes:?}");
    let mut world = World::acquainted(60, &[("alice", 1), ("bob", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let mut sizes = BTreeSet::new();
    for length in (0..65_000).step_by(611) {
        world.say(ALICE, id, &vec![1; length]).unwrap();
        world.send(ALICE, &["bob"], &vec![1; length]);
        sizes.extend(world.steal(BOB).iter().map(Vec::len));
    }
    for n in 0..20 {
        let name = "n".repeat(n * 12);
        world.act(ALICE, id, |group, c| group.rename(c, &name)).unwrap();
        sizes.extend(world.steal(BOB).iter().map(Vec::len));
    }
    let below = sizes.range(..65_536).count();
    assert!((10..=16).contains(&below), "{sizes:?}");
}
