//! Order and jumps (X 8; findings L1, L2): what a mailbox may lack, and in what order it may come.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use rand_chacha::{ChaCha20Rng, rand_core::Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::{Blame, Code};
use sesame_core::event::{MailOutcome, MailResult};
use sesame_core::ids::{DeviceId, GroupKind, Scope};
use sesame_core::internal::clock::Age;
use sesame_core::internal::keys::{bundle::VerifiedBundle, device::DeviceKeys, pair::PairKeys, party::DecodedParty};
use sesame_core::internal::record::{Beginning, Nested};
use sesame_core::internal::session::{self, Route, Session};
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::bundle::Bundle;
use sesame_core::internal::wire::content::{Body, GroupClaim, Prelude, Stamp};
use sesame_core::internal::wire::envelope::Envelope;
use sesame_core::internal::wire::padding;
use sesame_core::limits::{MAX_JUMP, MAX_STEPS, MAX_STEPS_OF_USER};
use sesame_tests::{ALICE, BOB, Name, World, store::Fault, user};

/// A device whose session with another one is in the hands of the test. Its store does not know what it says.
#[derive(Clone)]
struct Line {
    keys: DeviceKeys,
    theirs: DecodedParty,
    pair: PairKeys,
    session: Session,
    prelude: Prelude,
    now: u64,
    salt: u128,
}

impl Line {
    /// On the session that both have.
    fn of(world: &World, from: Name, to: Name) -> Self {
        Self::on(world, from, to, world.stolen_session(from, to, Scope::Direct))
    }

    /// On a session that begins with the next message.
    fn begin(world: &mut World, from: Name, to: Name, generation: u64) -> Self {
        let (keys, theirs) = (world.own(from).keys(), party(world, to));
        let bundle = Bundle::decode(&world.relay.bundle(&user(to.0), DeviceId(to.1)).unwrap()).unwrap();
        let now = Timestamp(world.now);
        let bundle = VerifiedBundle::verify(&bundle, &theirs, now).unwrap();
        let mut context = Context { now, rng: &mut world.rng };
        let session = session::initiate(&keys, &mut context, &bundle, (generation, Age(world.now))).unwrap();
        let list = world.list(from.0).shown(16).unwrap();
        let line = Self::on(world, from, to, session);
        Self { prelude: Prelude { list: list.into(), ..line.prelude.clone() }, ..line }
    }

    fn on(world: &World, from: Name, to: Name, session: Session) -> Self {
        let (keys, theirs) = (world.own(from).keys(), party(world, to));
        let (pair, _) = keys.pair(&theirs).unwrap();
        let salt = u128::from_be_bytes(session.meta.id.0[..16].try_into().unwrap());
        let prelude = world.prelude(from, to, 100);
        Self { keys, theirs, pair, session, prelude, now: world.now, salt }
    }

    /// Messages that nobody gets.
    fn lose(&mut self, messages: u32) {
        for _ in 0..messages {
            let (sent, _) = self.session.ratchet.sending().seal(&[0; 16]).unwrap();
            self.session.ratchet.hot = sent.hot;
            self.session.ratchet.cold = sent.cold.unwrap_or_else(|| self.session.ratchet.cold.clone());
        }
    }

    fn next_salt(&mut self) -> [u8; 16] {
        self.salt = self.salt.wrapping_add(1);
        self.salt.to_be_bytes()
    }

    fn stamp(&self) -> Stamp {
        Stamp { content_id: self.salt.to_be_bytes(), sent_at: self.now }
    }

    fn content(&mut self, body: &Body) -> Vec<u8> {
        self.prelude.sequence += 1;
        [self.prelude.encode().unwrap(), body.encode().unwrap()].concat()
    }

    fn seal(&mut self, salt: [u8; 16], body: &Body) -> Vec<u8> {
        let (us, them) = (&self.keys.party, self.theirs.party());
        let route = Route { sender: (&us.user, us.device), recipient: (&them.user, them.device), pair: &self.pair };
        let sealed = session::seal(self.session.outgoing(), salt, route).unwrap();
        let content = self.content(body);
        self.session.ratchet.hot = sealed.sent.hot;
        self.session.ratchet.cold = sealed.sent.cold.unwrap_or_else(|| self.session.ratchet.cold.clone());
        let room = padding::room(self.prelude.list.as_slice().len());
        session::envelope(&sealed.recipe, [&content, &[]], 4, room).unwrap()
    }

    fn say(&mut self, number: u32) -> Vec<u8> {
        let salt = self.next_salt();
        let body = Body::Message { stamp: self.stamp(), payload: number.to_be_bytes().to_vec().into() };
        self.seal(salt, &body)
    }

    fn say_all(&mut self, numbers: std::ops::Range<u32>) -> Vec<Vec<u8>> {
        numbers.map(|number| self.say(number)).collect()
    }

    /// A message inside a session of a scope that nobody has answered.
    fn say_inside(&mut self, scope: Scope, inside: &mut Session, number: u32) -> Vec<u8> {
        let salt = self.next_salt();
        let Some(Beginning::Opening(opening)) = inside.beginning.clone() else { unreachable!() };
        let sealed = session::seal_nested(inside.outgoing(), salt).unwrap();
        inside.ratchet.hot = sealed.sent.hot;
        let nested = Nested { opening, generation: inside.meta.generation, prelude: vec![], recipe: sealed.recipe };
        let claim = GroupClaim { count: 0, digest: [0; 16] };
        let body = Body::Group { stamp: self.stamp(), claim, payload: number.to_be_bytes().to_vec().into() };
        let content = self.content(&body);
        let opening = session::nested_content(scope, &nested, &content).unwrap();
        self.seal(salt, &Body::Opening(opening))
    }

    /// Hears a message of the other device: the next one begins a chain.
    fn hear(&mut self, world: &mut World, envelope: &[u8]) {
        let decoded = Envelope::decode(envelope).unwrap();
        let head = decoded.head.encode().unwrap();
        let chain = self.session.ratchet.cold.chain + 1;
        let position = session::position(&self.session.ratchet.cold, chain, &decoded).unwrap();
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        let load = |_, _| Err(Code::RecordInconsistent);
        let (delta, _) = session::open(&self.session, &mut context, &position, (&decoded, &head), &load).unwrap();
        self.session.ratchet.apply(delta);
        self.session.beginning = None;
    }
}

fn party(world: &World, of: Name) -> DecodedParty {
    let list = world.list(of.0);
    let listed = *list.list.device(DeviceId(of.1)).unwrap();
    DecodedParty::of(listed.party(&user(of.0), list.account_key)).unwrap()
}

fn shuffled(mut mail: Vec<Vec<u8>>, seed: u64) -> Vec<Vec<u8>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    for at in (1..mail.len()).rev() {
        mail.swap(at, rng.next_u32() as usize % (at + 1));
    }
    mail
}

fn decrypt(world: &mut World, mail: &[Vec<u8>]) -> Vec<MailResult> {
    world.with(ALICE, |device, context| device.batch_decrypt(context, mail, false)).unwrap()
}

fn count(results: &[MailResult], outcome: MailOutcome) -> usize {
    results.iter().filter(|result| result.outcome == outcome).count()
}

/// What has come to Alice's inbox, in order, as numbers.
fn numbers(world: &mut World) -> Vec<u32> {
    world
        .inbox_texts(ALICE)
        .iter()
        .filter_map(|text| Some(u32::from_be_bytes(text.as_slice().try_into().ok()?)))
        .collect()
}

fn all_open_in_order(world: &mut World, mail: Vec<Vec<u8>>, seed: u64) {
    let (before, of, mail) = (numbers(world).len(), mail.len(), shuffled(mail, seed));
    let results = decrypt(world, &mail);
    let codes: std::collections::BTreeSet<u16> = results.iter().map(|result| result.reason).collect();
    assert_eq!(count(&results, MailOutcome::Opened), of, "{codes:?}");
    let opened = numbers(world).split_off(before);
    assert_eq!(opened.len(), of);
    assert!(opened.is_sorted(), "they stand in the inbox as they were sent");
    // Each result is at the place of its envelope, and was not given to another one.
    let texts = world.inbox(ALICE);
    let salt = |envelope: &[u8]| Envelope::decode(envelope).unwrap().head.salt;
    for (envelope, result) in mail.iter().zip(&results) {
        let item = texts.iter().find(|item| result.items.contains(&item.id) && message_of(item).is_some()).unwrap();
        assert_eq!(message_of(item), Some(salt(envelope)));
    }
}

fn message_of(item: &sesame_core::event::InboxItem) -> Option<[u8; 16]> {
    match &item.item {
        sesame_core::event::Item::Message(message) => Some(message.envelope_id.0),
        sesame_core::event::Item::Event(_) => None,
    }
}

#[test]
fn n_l02_1500_messages_of_one_device_open_in_whatever_order_they_come() {
    let mut world = World::pair(301);
    let mail = Line::of(&world, BOB, ALICE).say_all(0..1_500);
    all_open_in_order(&mut world, mail, 1);
}

#[test]
fn n_l02_they_open_across_a_dh_step() {
    let mut world = World::pair(302);
    let mut bob = Line::of(&world, BOB, ALICE);
    // Alice's next message answers this one, so that Bob begins a chain.
    assert_eq!(world.refusal(ALICE, &bob.say(0)), None);
    let mut mail = bob.say_all(0..1_300);
    world.send(ALICE, &["bob"], b"go on");
    let answer = world.steal(BOB).remove(0);
    bob.hear(&mut world, &answer);
    mail.extend(bob.say_all(1_300..2_600));
    all_open_in_order(&mut world, mail, 2);
}

#[test]
fn n_l02_they_open_when_the_first_of_them_begin_the_session() {
    for is_known in [true, false] {
        let mut world = if is_known { World::pair(303) } else { World::strangers(304) };
        let generation = world.now / 1_000 + 10;
        let mut bob = Line::begin(&mut world, BOB, ALICE, generation);
        let mail = bob.say_all(0..1_200);
        all_open_in_order(&mut world, mail, 3);
        assert_eq!(world.rows(ALICE, &[Kind::Block]), 0, "nothing is skipped any more");
    }
}

#[test]
fn n_l02_they_open_in_a_scope_that_direct_messages_open_also_if_their_session_is_replaced_meanwhile() {
    let mut world = World::acquainted(305, &[("alice", 1), ("bob", 1)]);
    let (group, send) = world.found_quietly(ALICE, "Trip", &["bob"]);
    world.drive(ALICE, send).unwrap();
    world.receive(BOB).unwrap();
    // Alice has not heard of this session of the group yet.
    let (mut old, scope) = (Line::of(&world, BOB, ALICE), Scope::Group(GroupKind::Pairwise, group));
    let generation = world.now / 1_000 + 20;
    let mut new = Line::begin(&mut world, BOB, ALICE, generation);
    let mut inside = scope_session(&mut world, &old, scope, generation);
    let mut mail: Vec<Vec<u8>> = (0..1_100).map(|number| old.say_inside(scope, &mut inside, number)).collect();
    mail.extend((1_100..1_300).map(|number| new.say_inside(scope, &mut inside, number)));
    all_open_in_order(&mut world, mail, 4);
}

fn scope_session(world: &mut World, line: &Line, scope: Scope, generation: u64) -> Session {
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let at = (scope, generation, Age(context.now.0));
    session::open_scope(&line.keys, &mut context, line.theirs.party(), at).unwrap()
}

#[test]
fn n_l02_each_device_keeps_its_places_and_what_is_in_order_stays() {
    let mut world = World::acquainted(306, &[("alice", 1), ("bob", 2), ("carol", 1)]);
    let mut lines = [BOB, ("bob", 2), ("carol", 1)].map(|name| Line::of(&world, name, ALICE));
    // Round by round, but the first device's come backwards.
    let mut of: Vec<Vec<Vec<u8>>> =
        lines.iter_mut().enumerate().map(|(at, line)| line.say_all(at as u32 * 100..at as u32 * 100 + 5)).collect();
    of[0].reverse();
    let mail: Vec<Vec<u8>> = (0..5).flat_map(|round| of.iter().map(move |mail| mail[round].clone())).collect();
    let results = decrypt(&mut world, &mail);
    assert_eq!(count(&results, MailOutcome::Opened), 15);
    assert_eq!(numbers(&mut world), [0, 100, 200, 1, 101, 201, 2, 102, 202, 3, 103, 203, 4, 104, 204]);
}

#[test]
fn n_l02_an_envelope_that_fails_hinders_no_other_of_its_session() {
    for begins in [false, true] {
        let mut world = World::pair(307);
        let generation = world.now / 1_000 + 10;
        let mut bob =
            if begins { Line::begin(&mut world, BOB, ALICE, generation) } else { Line::of(&world, BOB, ALICE) };
        let mut mail = bob.say_all(0..8);
        mail.swap(0, 5);
        // The first of the session is spoilt, another one is no envelope, and one comes twice.
        *mail[5].last_mut().unwrap() ^= 1;
        mail[2] = vec![7; 40];
        mail[7] = mail[0].clone();
        let results = decrypt(&mut world, &mail);
        let outcomes: Vec<MailOutcome> = results.iter().map(|result| result.outcome).collect();
        let (yes, no) = (MailOutcome::Opened, MailOutcome::Refused);
        assert_eq!(outcomes, [yes, yes, no, yes, yes, no, yes, MailOutcome::Duplicate]);
        assert_eq!(results[5].reason, Code::AuthenticationFailed.number());
        assert_eq!(numbers(&mut world), [1, 3, 4, 5, 6]);
    }
}

#[test]
fn n_l01_an_answer_heals_a_direction_that_has_lost_60000_messages() {
    let mut world = World::pair(308);
    let mut bob = Line::of(&world, BOB, ALICE);
    assert_eq!(world.refusal(ALICE, &bob.say(0)), None);
    bob.lose(60_000);
    assert_eq!(world.refusal(ALICE, &bob.say(0)), Some(Code::TooFarAhead));
    world.send(ALICE, &["bob"], b"are you there?");
    let answer = world.steal(BOB).remove(0);
    bob.hear(&mut world, &answer);
    assert_eq!(world.refusal(ALICE, &bob.say(1)), None);
    assert_eq!(numbers(&mut world).last(), Some(&1));
}

#[test]
fn n_l01_what_costs_a_call_too_many_steps_is_held_and_opened_in_the_next_calls() {
    let mut world = World::acquainted(309, &[("alice", 1), ("bob", 1), ("carol", 1)]);
    let (mut bob, mut carol) = (Line::of(&world, BOB, ALICE), Line::of(&world, ("carol", 1), ALICE));
    let mut mail = Vec::new();
    for number in 0..10 {
        bob.lose(MAX_JUMP);
        mail.push(bob.say(number));
    }
    carol.lose(MAX_JUMP);
    mail.push(carol.say(100));
    let mail = shuffled(mail, 5);
    let results = decrypt(&mut world, &mail);
    assert_eq!((count(&results, MailOutcome::Opened), count(&results, MailOutcome::Held)), (5, 6));
    assert!(results.iter().all(|result| !result.keep), "nothing stays in the mailbox");
    let held =
        |result: &MailResult| result.outcome == MailOutcome::Held && result.reason == Code::TooManySteps.number();
    assert_eq!(results.iter().filter(|result| held(result)).count(), 6);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 6);
    // What comes again meanwhile is no second message.
    let again: Vec<Vec<u8>> =
        mail.iter().zip(&results).filter(|(_, result)| held(result)).map(|(mail, _)| mail.clone()).collect();
    for (calls, left) in [(1, 2), (2, 0)] {
        let request = world.next(ALICE).unwrap();
        assert!(request.is_none(), "it needs nothing of the server");
        assert_eq!(world.rows(ALICE, &[Kind::Held]), left, "after {calls} calls");
    }
    assert_eq!(numbers(&mut world).len(), 11);
    assert!(numbers(&mut world).iter().filter(|number| **number < 100).is_sorted());
    let results = decrypt(&mut world, &again);
    assert_eq!(count(&results, MailOutcome::Duplicate), 6);
}

#[test]
fn n_l01_a_spoilt_message_that_lies_far_ahead_costs_a_call_no_more_steps_than_a_good_one() {
    let mut world = World::pair(310);
    let mut bob = Line::of(&world, BOB, ALICE);
    bob.lose(MAX_JUMP);
    let far = bob.say(0);
    // The gate and the header are Bob's own. Whoever carries the envelope repeats it under many bodies.
    let spoilt = |at: usize| {
        let mut envelope = far.clone();
        let last = envelope.len() - 1 - at;
        envelope[last] ^= 1;
        envelope
    };
    let mail: Vec<Vec<u8>> = (0..200).map(spoilt).collect();
    let results = decrypt(&mut world, &mail);
    let tried = count(&results, MailOutcome::Refused);
    println!("200 spoilt copies: {tried} tried in {} steps", tried as u32 * MAX_JUMP);
    assert_eq!(tried as u32, MAX_STEPS_OF_USER / MAX_JUMP);
    assert_eq!(count(&results, MailOutcome::Held), 1, "they are one envelope");
    assert_eq!(world.rows(ALICE, &[Kind::Block, Kind::Skipped]), 0);
    while world.rows(ALICE, &[Kind::Held]) > 0 {
        world.next(ALICE).unwrap();
    }
    assert_eq!(world.refusal(ALICE, &far), None, "the good one opens all the same");
}

#[test]
fn n_l01_made_up_identities_together_cost_a_call_a_million_steps() {
    let mut world = World::strangers(311);
    let identities = MAX_STEPS / MAX_JUMP + 5;
    let names: Vec<&'static str> =
        (0..identities).map(|n| &*Box::leak(format!("stranger{n}").into_boxed_str())).collect();
    let mut mail = Vec::new();
    for name in names {
        let name = world.create(name);
        let generation = world.now / 1_000;
        let mut line = Line::begin(&mut world, name, ALICE, generation);
        line.lose(MAX_JUMP);
        mail.push(line.say(0));
    }
    let results = decrypt(&mut world, &mail);
    assert_eq!(count(&results, MailOutcome::Opened) as u32, MAX_STEPS / MAX_JUMP);
    assert_eq!(count(&results, MailOutcome::Held), 5);
    world.next(ALICE).unwrap();
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 0);
    assert_eq!(numbers(&mut world).len() as u32, identities);
}

#[test]
fn n_l01_chains_that_jump_and_are_given_up_one_after_another_leave_little() {
    // Each round ends with twice as many lost messages as may be jumped over, and goes on in a new chain, in which jumps follow.
    let mut world = World::pair(312);
    let mut bob = Line::of(&world, BOB, ALICE);
    let weigh = |world: &World| -> usize { world.dump(ALICE).iter().map(|(key, row)| key.len() + row.len()).sum() };
    let before = weigh(&world);
    let mut most = 0;
    for round in 0..12 {
        let far: Vec<Vec<u8>> = (0..4)
            .map(|number| {
                bob.lose(if number == 3 { 1 } else { 1_500 });
                bob.say(round * 4 + number)
            })
            .collect();
        bob.lose(2 * MAX_JUMP);
        let results = decrypt(&mut world, &shuffled(far, u64::from(round)));
        assert_eq!(count(&results, MailOutcome::Opened), 4);
        world.send(ALICE, &["bob"], b"go on");
        let answer = world.steal(BOB).remove(0);
        bob.hear(&mut world, &answer);
        let ids: Vec<u64> = world.inbox(ALICE).iter().map(|item| item.id).collect();
        world.with(ALICE, |device, context| device.ack(context, &ids)).unwrap();
        most = most.max(weigh(&world) - before);
    }
    println!("{most} bytes more in Alice's store, at most");
    assert!(most < 256 * 1_024);
}

#[test]
fn n_l02_nothing_but_a_failure_of_our_own_store_is_left_in_the_mailbox() {
    // What is damaged stays so: nothing waits for it.
    for kind in [Kind::Chains, Kind::Index, Kind::Peer, Kind::Session] {
        let mut world = World::pair(313);
        let mail = Line::of(&world, BOB, ALICE).say_all(0..3);
        world.spoil(ALICE, &[kind]);
        let results = decrypt(&mut world, &mail);
        assert!(results.iter().all(|result| result.outcome == MailOutcome::Refused && !result.keep), "{kind:?}");
    }
    // A store that fails is a failure of the call, and nothing was confirmed.
    let mut world = World::pair(314);
    let mail = Line::of(&world, BOB, ALICE).say_all(0..3);
    world.hosts[&ALICE].store.fail_at(0, Fault::Fails);
    let failed = world.with(ALICE, |device, context| device.batch_decrypt(context, &mail, false));
    assert_eq!(failed.unwrap_err().code.blame(), Blame::Store);
    assert_eq!(count(&decrypt(&mut world, &mail), MailOutcome::Opened), 3);
}
