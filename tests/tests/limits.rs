//! What a call accepts never fails for its size later (X 6): over own lists, recipients, ids, payloads, scopes and the state of sessions.

use sesame_core::{
    error::Code,
    event::{Event, PendingSend},
    ids::{GroupId, UserId},
    internal::wire::padding::STEPS,
    limits::{MAX_DIRECT_USERS, MAX_PAYLOAD},
};
use sesame_tests::{ALICE, Name, World, failures, user};
use std::collections::BTreeSet;

/// A world that Alice sends in.
#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u64,
    /// Alice's devices: her list rides in what she says, and her other devices get transcripts.
    devices: u32,
    /// Users that she sends to; the first has as many devices as she has.
    users: usize,
    /// The shortest and the longest of their ids, in bytes.
    ids: (usize, usize),
    /// Payloads that are tried, besides the shortest and the longest.
    payloads: usize,
    /// Whether they have answered, directly and in the group.
    answered: bool,
}

/// An id of so many bytes; it lives as long as the test, as names in the world do.
fn name(number: usize, length: usize) -> &'static str {
    let number = char::from_u32(0x4e00 + number as u32).unwrap();
    let text = if length < 3 { char::from(b'!' + (number as u32 % 90) as u8).to_string() } else { number.to_string() };
    let text = format!("{text}{}", "-".repeat(length - text.len()));
    Box::leak(text.into_boxed_str())
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut world = World::new(seed);
        let longest = 1 + world.below(64);
        Self {
            seed,
            devices: 1 + world.below(32) as u32,
            users: 1 + world.below(8),
            ids: (1 + world.below(longest), longest),
            payloads: 4,
            answered: world.below(2) == 0,
        }
    }

    /// Alice and the users, who are there, and whom she has asked the server about.
    fn world(&self) -> (World, Vec<&'static str>) {
        let mut world = World::new(self.seed);
        world.create_quietly("alice");
        world.publish_once(ALICE);
        self.link(&mut world, "alice");
        let mut names = BTreeSet::new();
        for number in 0..self.users {
            let (shortest, longest) = self.ids;
            let name = name(number, shortest + world.below(longest - shortest + 1));
            if names.insert(name) {
                world.create_quietly(name);
                world.publish_once((name, 1));
            }
        }
        let names: Vec<&'static str> = names.into_iter().collect();
        self.link(&mut world, names[0]);
        for names in names.chunks(100) {
            let users: Vec<UserId> = names.iter().map(|name| user(name)).collect();
            world.with(ALICE, |device, context| device.look_up(context, &users)).unwrap();
            world.run(ALICE);
        }
        (world, names)
    }

    fn link(&self, world: &mut World, name: &'static str) {
        for _ in 1..self.devices {
            let new = world.link_quietly(name);
            world.publish_once((name, 1));
            world.publish_once(new);
        }
    }

    /// Lengths on both sides of each padding step, and the limit.
    fn lengths(&self, world: &mut World) -> BTreeSet<usize> {
        let mut lengths = BTreeSet::from([0, MAX_PAYLOAD]);
        for _ in 0..self.payloads {
            let step = STEPS[world.below(STEPS.len())];
            // What rides beside the payload moves the place where the next step begins.
            let beside = [0, 1, world.below(200), world.below(5_000), world.below(30_000)][world.below(5)];
            lengths.insert(step.saturating_sub(beside).min(MAX_PAYLOAD));
        }
        lengths
    }
}

/// The send ends, and no device of anybody was passed over.
fn ends_well(world: &mut World, send: &PendingSend, at: &str) {
    world.run(ALICE);
    let mut ended = 0;
    for event in world.inbox_events(ALICE) {
        if let Event::SendFinished { send: of, failed, skipped, .. } = event
            && of == send.id
        {
            assert_eq!((failed, skipped), (vec![], vec![]), "{at}");
            ended += 1;
        }
    }
    assert_eq!(ended, 1, "{at}: the send is not finished");
    world.ack_end(ALICE, send.id);
    assert_eq!(world.with(ALICE, |device, context| device.sends(context)).unwrap(), [], "{at}");
    // Nor one of our own devices, for which the send does not wait.
    assert_eq!(world.rows(ALICE, &[sesame_core::internal::store::Kind::SendPart]), 0, "{at}");
}

fn hear(world: &mut World, names: &[&'static str], at: &str) {
    let hosts: Vec<Name> = world.hosts.keys().copied().collect();
    for host in hosts.into_iter().filter(|host| host.0 == "alice" || names.contains(&host.0)) {
        if host != ALICE {
            assert_eq!(failures(&world.receive(host).unwrap()), [], "{at}, {host:?}");
        }
    }
}

fn send_in(world: &mut World, group: GroupId, payload: &[u8]) -> Result<PendingSend, Code> {
    world.in_group(ALICE, group, |group, context| group.send(context, payload, None)).map_err(|error| error.code)
}

fn play(case: Case) {
    let (mut world, names) = case.world();
    let users: Vec<UserId> = names.iter().map(|name| user(name)).collect();
    let too_large = vec![1; MAX_PAYLOAD + 1];
    let error = world.with(ALICE, |device, context| device.batch_encrypt(context, &users, &too_large, None));
    assert_eq!(error.map_err(|error| error.code), Err(Code::PayloadTooLarge));
    // The largest first, at first contact.
    let mut lengths: Vec<usize> = case.lengths(&mut world).into_iter().rev().collect();
    let mut group = None;
    for round in 0..2 {
        for length in &lengths {
            let at = format!("{case:?}, round {round}, {length} bytes");
            let payload = vec![1; *length];
            let send = world.with(ALICE, |device, context| device.batch_encrypt(context, &users, &payload, None));
            ends_well(&mut world, &send.unwrap(), &format!("{at}, directly"));
            let group = *group.get_or_insert_with(|| {
                let (id, send) = world.found_quietly(ALICE, "All", &names);
                ends_well(
                    &mut world,
                    &PendingSend { id: send.id, content_id: sesame_core::ids::ContentId([0; 16]) },
                    &at,
                );
                id
            });
            assert_eq!(send_in(&mut world, group, &too_large), Err(Code::PayloadTooLarge));
            let send = send_in(&mut world, group, &payload).unwrap();
            ends_well(&mut world, &send, &format!("{at}, in the group"));
            if case.answered {
                hear(&mut world, &names, &at);
            }
        }
        if !case.answered {
            return;
        }
        for name in &names {
            world.send((name, 1), &["alice"], b"yes");
            world.say_yes((name, 1), group.unwrap());
            world.say((name, 1), group.unwrap(), b"yes").unwrap();
        }
        world.receive(ALICE).unwrap();
        lengths.rotate_left(1);
    }
}

#[test]
fn what_is_accepted_at_the_limits_is_never_refused_later() {
    let all = Case { seed: 1, devices: 32, users: MAX_DIRECT_USERS, ids: (64, 64), payloads: 0, answered: false };
    play(all);
    play(Case { seed: 2, users: 1, payloads: 2, answered: true, ..all });
    play(Case { seed: 3, devices: 2, ids: (1, 64), ..all });
    play(Case { seed: 4, devices: 1, users: 1, ids: (1, 1), payloads: 12, answered: true });
}

#[test]
fn what_is_accepted_in_8_random_worlds_is_never_refused_later() {
    for seed in 100..108 {
        play(Case::random(seed));
    }
}

#[test]
fn more_than_256_users_or_none_are_refused_before_anything_is_written() {
    let mut world = World::new(5);
    world.create("alice");
    let rows = world.dump(ALICE);
    let users: Vec<UserId> = (0..=MAX_DIRECT_USERS).map(|number| user(name(number, 8))).collect();
    for (to, code) in [(users.as_slice(), Code::TooMany), (&[], Code::EmptyBatch)] {
        let error = world.with(ALICE, |device, context| device.batch_encrypt(context, to, b"x", None)).unwrap_err();
        assert_eq!((error.code, error.field), (code, Some("recipients")));
    }
    assert_eq!(world.dump(ALICE), rows);
    // Users who are named twice, and we ourselves, do not count.
    let again: Vec<UserId> = users[1..].iter().chain(&users[1..]).cloned().chain([user("alice")]).collect();
    world.with(ALICE, |device, context| device.batch_encrypt(context, &again, b"x", None)).unwrap();
}
