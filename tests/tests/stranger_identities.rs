//! A stranger with three devices tries everything with sessions, generations, lists and names: thousands of envelopes of many kinds, delivered
//! straight to Alice. What one can do with contents and groups is in `stranger.rs`.
//!
//! Her contacts go on talking with her, directly and in a group; nobody is blocked; and her store grows within the quotas of what is held, the
//! sessions of a device and the ids of what was received.

use rand_chacha::rand_core::Rng;
use sesame_core::{
    event::{Event, Received},
    ids::{GroupId, Scope},
    internal::{
        keys::device_list::Listing,
        steps::Steps,
        store::{Kind, Places},
        wire::content::{Body, GroupClaim, ListClaim, Prelude, Stamp},
    },
    limits::{MAX_HELD_OTHER, MAX_RECEIVED_IDS},
};
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, events, messages, user};
use std::{collections::BTreeMap, time::Instant};

/// So many tries in CI; `SESAME_STRANGERS` asks for more, 10,000 for the whole.
const TRIES: usize = 1_000;
/// After so many, everybody talks.
const ROUND: usize = 250;
const MALLORY: [Name; 3] = [("mallory", 1), ("mallory", 2), ("mallory", 3)];
/// What a sealed row has beside its record.
const ROW: u64 = 1_024;

/// Bytes in Alice's store, by kind.
fn weight(world: &World) -> BTreeMap<String, u64> {
    let mut weight = BTreeMap::new();
    for (key, row) in world.dump(ALICE) {
        let kind = Kind::ALL.iter().find(|kind| key.starts_with(&Places::all(**kind))).unwrap();
        *weight.entry(format!("{kind:?}")).or_default() += (key.len() + row.len()) as u64;
    }
    weight
}

struct Stranger {
    /// Mallory's list as it was at first, and the newest one that she has made up.
    honest: Vec<u8>,
    newest: sesame_core::internal::keys::device_list::VerifiedDeviceList,
    seen: Vec<Vec<u8>>,
    made: BTreeMap<&'static str, usize>,
}

impl Stranger {
    /// The next try.
    fn attempt(&mut self, world: &mut World) -> Vec<u8> {
        let from = MALLORY[world.below(3)];
        let now = world.now / 1_000;
        let mut salt = [0; 16];
        world.rng.fill_bytes(&mut salt);
        let begin = |world: &mut World, generation: u64, list: &[u8]| {
            let keys = world.own(from).keys();
            world.initiation_under(&keys, ALICE, generation, salt, list)
        };
        let honest = self.honest.clone();
        let (kind, envelope) = match world.below(14) {
            0 => ("a new session", begin(world, now, &honest)),
            1 => ("a day ahead", begin(world, now + 86_399 + (salt[0] % 3) as u64, &honest)),
            2 => ("far ahead", begin(world, (1 << 63) - 1, &honest)),
            3 => ("long ago", begin(world, 1 + u64::from(salt[0]), &honest)),
            4 => {
                let mut garbage = begin(world, now, &honest);
                *garbage.last_mut().unwrap() ^= 1;
                ("a body of garbage", garbage)
            }
            5 => ("no list", begin(world, now, &[])),
            6 => {
                // A newer list with as many new devices as a list holds.
                let mut devices: Vec<Listing> = self.newest.list.devices[..3].to_vec();
                let last = self.newest.list.last_id;
                devices.extend((0..8).map(|n| world.ghost(last + 1 + n, self.newest.list.epoch + 1)));
                let before = self.newest.clone();
                let mut list = world.forge_list("mallory", Some(&before.list), &devices).unwrap();
                let mut chain = before.branch.clone();
                chain.join(&list.branch, usize::MAX);
                list.branch = chain;
                self.newest = list;
                ("a newer list", begin(world, now, &self.newest.shown(16).unwrap()))
            }
            7 => {
                let root = sesame_core::internal::keys::device_list::VerifiedDeviceList::verify(&honest).unwrap();
                let devices = root.list.devices.clone();
                world.now += 1;
                let forked = world.forge_list("mallory", Some(&root.list), &devices).unwrap();
                ("a forked list", begin(world, now, &forked.shown(0).unwrap()))
            }
            8 => {
                let bob = world.own(BOB).keys();
                let mut keys = world.own(from).keys();
                keys.party.user = bob.party.user;
                ("Bob's name", world.initiation_under(&keys, ALICE, now, salt, &honest))
            }
            9 => {
                let mut flipped = self.seen[world.below(self.seen.len())].clone();
                let at = world.below(flipped.len());
                flipped[at] ^= 1 << world.below(8);
                ("a flipped bit", flipped)
            }
            10 => ("a duplicate", self.seen[world.below(self.seen.len())].clone()),
            11 => {
                let mut bytes = vec![0; 1 + world.below(4_000)];
                world.rng.fill_bytes(&mut bytes);
                ("any bytes", bytes)
            }
            _ => ("a session's message", said(world, from, salt)),
        };
        *self.made.entry(kind).or_default() += 1;
        self.seen.push(envelope.clone());
        if self.seen.len() > 64 {
            self.seen.remove(0);
        }
        envelope
    }
}

/// On a session that stands: a claim of any list, a body that does not belong there, a message under a number that was used.
fn said(world: &mut World, from: Name, salt: [u8; 16]) -> Vec<u8> {
    let stamp = Stamp { content_id: salt, sent_at: world.now };
    let any = ListClaim { epoch: world.rng.next_u64() >> 1, hash: salt };
    let group = GroupClaim { digest: salt, count: 7 };
    let body = match world.below(3) {
        0 => Body::Message { stamp, payload: vec![7; 1 + world.below(3_000)].into() },
        1 => Body::Group { stamp, claim: group, payload: vec![7].into() },
        _ => Body::Operations { stamp, claim: group, bundle: vec![0; 6].into() },
    };
    let prelude = Prelude { my_list: any, your_list: any, ..world.prelude(from, ALICE, 1 + u64::from(salt[1])) };
    let content = [prelude.encode().unwrap(), body.encode().unwrap()].concat();
    world.craft(from, ALICE, Scope::Direct, salt, &content)
}

/// Alice, Bob and Jen talk, directly and in their group.
fn talk(world: &mut World, group: GroupId, round: usize) {
    let text = format!("round {round}").into_bytes();
    for (from, others) in [(ALICE, ["bob", "jen"]), (BOB, ["alice", "jen"]), (JEN, ["alice", "bob"])] {
        world.send(from, &others, &text);
        world.say(from, group, &text).unwrap();
    }
    for name in [ALICE, BOB, JEN] {
        let read = world.read(name);
        assert_eq!(read.iter().filter(|read| **read == text).count(), 4, "{name:?}");
    }
    assert_eq!(world.encrypt(ALICE, &["bob", "jen"], b"ready").needs, []);
    world.flush(ALICE);
    let users = world.with(ALICE, |d, c| d.users(c)).unwrap();
    assert!(users.iter().all(|view| view.claimed_key.is_none()), "nobody is contested");
    assert!(users.iter().all(|view| !view.forked || view.user == user("mallory")));
}

#[test]
fn a_stranger_who_tries_everything_silences_nobody_and_fills_no_store() {
    let tries = std::env::var("SESAME_STRANGERS").ok().and_then(|tries| tries.parse().ok()).unwrap_or(TRIES);
    let (mut world, group) = World::trio(70);
    world.create("mallory");
    world.link("mallory");
    world.link("mallory");
    for name in MALLORY {
        world.send(name, &["alice"], b"you do not know me");
    }
    world.receive(ALICE).unwrap();
    let list = world.list("mallory");
    let first = world.mails(ALICE);
    assert_eq!(first, Vec::<Vec<u8>>::new());
    let mut stranger =
        Stranger { honest: list.shown(16).unwrap(), newest: list, seen: vec![vec![1; 300]], made: BTreeMap::new() };
    let before = weight(&world);
    let (mut times, mut results) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for round in 0..tries / ROUND {
        let mut left: Vec<Vec<u8>> = (0..ROUND).map(|_| stranger.attempt(&mut world)).collect();
        #[allow(clippy::disallowed_methods, reason = "what the tries cost is measured")]
        let begun = Instant::now();
        while !left.is_empty() {
            let batch = left.split_off(left.len() - (1 + world.below(50)).min(left.len()));
            let received = world.decrypt(ALICE, &batch);
            for result in &received {
                let what = match result {
                    Received::Item { .. } => "items",
                    Received::Held { .. } => "held",
                    Received::Duplicate { .. } => "duplicates",
                    Received::Failure { .. } => "refused",
                };
                *results.entry(what).or_default() += 1;
            }
            let blocked = events(&received).iter().any(|event| matches!(event, Event::IdentityChanged { .. }));
            assert!(!blocked, "nothing is proved of anybody else");
            assert!(messages(&received).iter().all(|message| message.user == user("mallory")));
        }
        times.push(begun.elapsed());
        talk(&mut world, group, round);
        let items: Vec<u64> = world.with(ALICE, |d, c| d.all_items(c)).unwrap().iter().map(|item| item.id).collect();
        world.with(ALICE, |d, c| d.ack(c, &items)).unwrap();
        world.pass(DAY / 8);
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
        world.relay.set_time(sesame_core::context::Timestamp(world.now));
        world.publish(ALICE);
    }
    let after = weight(&world);
    let grown: BTreeMap<&String, u64> =
        after.iter().map(|(kind, bytes)| (kind, bytes.saturating_sub(*before.get(kind).unwrap_or(&0)))).collect();
    println!("{tries} tries: {:?}\n{results:?}\nbytes more: {grown:?}", stranger.made);
    let of = |kind: &str| after.get(kind).copied().unwrap_or(0);
    let rows = |kind| world.rows(ALICE, &[kind]) as u64;
    assert!(of("Held") <= MAX_HELD_OTHER + ROW * rows(Kind::Held), "{}", of("Held"));
    assert!(of("HeldContent") <= 2 * MAX_HELD_OTHER + ROW * rows(Kind::HeldContent), "{}", of("HeldContent"));
    // 41 sessions of a device and scope at most, and one device of each contact besides.
    assert!(rows(Kind::Session) <= 3 * 41 + 16, "{}", rows(Kind::Session));
    assert!(rows(Kind::Peer) <= 3 + 2, "{}", rows(Kind::Peer));
    assert!(rows(Kind::Received) <= 5 * MAX_RECEIVED_IDS as u64);
    assert!(results["refused"] > tries / 3 && results["items"] > tries / 10 && results["held"] > 3, "{results:?}");
    // What one try costs does not grow with those before it.
    let (first, last) = (times[0], times[times.len() - 1]);
    println!("the first {ROUND}: {first:?}, the last: {last:?}");
    assert!(last < 5 * first, "{first:?} {last:?}");
}
