//! Claimed identities and generations: what counts only when it is proved, and what waits until its time comes (X 3, X 5, X 9).

use sesame_core::context::Timestamp;
use sesame_core::error::Code;
use sesame_core::event::{Event, MailOutcome, Received};
use sesame_core::ids::{AccountKey, Scope, UserId};
use sesame_core::internal::clock::Moment;
use sesame_core::internal::crypto::{ed25519::SigningKey, labels};
use sesame_core::internal::keys::{device::DeviceKeys, device_list::VerifiedDeviceList};
use sesame_core::internal::steps::Steps;
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::{
    device_list::{DeviceList, SignedDeviceList},
    envelope::Envelope,
};
use sesame_tests::{ALICE, BOB, DAY, JEN, World, events, failures, messages, user};

/// A day in seconds, the unit of a generation.
const STEP: u64 = 86_400;

fn texts(results: &[Received]) -> Vec<Vec<u8>> {
    messages(results).iter().map(|message| message.payload.clone()).collect()
}

/// What one envelope comes to, without its items.
fn held(results: &[Received]) -> Vec<Option<Code>> {
    let of = |received: &Received| match received {
        Received::Held { code, .. } => Some(*code),
        _ => None,
    };
    results.iter().filter_map(of).collect()
}

/// The payloads in the inbox.
fn inbox(world: &mut World, name: (&'static str, u32)) -> Vec<Vec<u8>> {
    let items = world.with(name, |d, c| d.all_items(c)).unwrap();
    let of = |row: sesame_core::event::InboxItem| match row.item {
        sesame_core::event::Item::Message(message) => Some(message.payload.clone()),
        sesame_core::event::Item::Event(_) => None,
    };
    items.into_iter().filter_map(of).collect()
}

#[test]
fn n_t07_a_copied_device_does_not_silence_the_honest_one_for_ever() {
    let mut world = World::pair(7);
    let list = world.list("bob").shown(16).unwrap();
    let session = world.session(ALICE, BOB).unwrap().id;
    let far = world.initiation(BOB, ALICE, (1 << 63) - 1, 1, &list);
    let before = world.rows(ALICE, &[Kind::PreKey, Kind::Session]);
    assert_eq!(held(&world.decrypt(ALICE, std::slice::from_ref(&far))), [Some(Code::TooEarly)]);
    assert_eq!(world.rows(ALICE, &[Kind::PreKey, Kind::Session]), before, "nothing is spent");
    assert_eq!(failures(&world.decrypt(ALICE, std::slice::from_ref(&far))), [Code::Duplicate]);
    let again = world.with(ALICE, |d, c| d.batch_decrypt(c, &[far], false)).unwrap();
    assert_eq!((again[0].outcome, again[0].keep), (MailOutcome::Duplicate, false));
    assert_eq!(world.session(ALICE, BOB).unwrap().id, session);
    world.send(ALICE, &["bob"], b"x");
    assert_eq!(world.read(BOB), [b"x"]);
    world.send(BOB, &["alice"], b"y");
    assert_eq!(world.read(ALICE), [b"y"]);
    // It goes after 30 days, and Alice is told.
    let mut told = Vec::new();
    for _ in 0..31 {
        world.pass(DAY);
        told.extend(world.with(ALICE, |d, c| d.tick(c, true)).unwrap());
    }
    assert!(told.contains(&Event::HeldDropped { user: user("bob") }), "{told:?}");
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 0);
}

#[test]
fn n_t07_a_generation_is_taken_a_day_ahead_or_64_above_what_is_known() {
    let mut world = World::pair(8);
    let list = world.list("bob").shown(16).unwrap();
    let now = world.now / 1_000;
    let early = world.initiation(BOB, ALICE, now + STEP + 1, 1, &list);
    let taken = world.initiation(BOB, ALICE, now + STEP, 2, &list);
    let above = world.initiation(BOB, ALICE, now + STEP + 64, 3, &list);
    let beyond = world.initiation(BOB, ALICE, now + STEP + 64 + 65, 4, &list);
    assert_eq!(held(&world.decrypt(ALICE, std::slice::from_ref(&early))), [Some(Code::TooEarly)]);
    assert_eq!(texts(&world.decrypt(ALICE, &[taken])), [[2]]);
    assert_eq!(held(&world.decrypt(ALICE, std::slice::from_ref(&beyond))), [Some(Code::TooEarly)]);
    assert_eq!(texts(&world.decrypt(ALICE, &[above])), [[3]]);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 2);
    // A second later the first one's time has come: it is opened once, and `due_in` had said so.
    let mut requests = sesame_core::device::Requests::new();
    world.pass(999);
    world.with(ALICE, |d, c| d.due_in(c, &mut requests)).unwrap();
    assert_eq!(inbox(&mut world, ALICE).len(), 2);
    world.pass(1);
    world.with(ALICE, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(inbox(&mut world, ALICE), [[2], [3], [1]]);
    assert_eq!(failures(&world.decrypt(ALICE, &[early])), [Code::Duplicate]);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 1);
    world.pass(200 * 1_000);
    world.with(ALICE, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(inbox(&mut world, ALICE), [[2], [3], [1], [4]]);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 0);
    world.send(BOB, &["alice"], b"and on");
    assert_eq!(world.read(ALICE), [b"and on"]);
}

#[test]
fn n_t07_what_is_held_as_too_early_waits_30_days_from_when_it_came_first() {
    let mut world = World::pair(9);
    let list = world.list("bob").shown(16).unwrap();
    let now = world.now / 1_000;
    let soon = world.initiation(BOB, ALICE, now + 2 * STEP, 1, &list);
    let late = world.initiation(BOB, ALICE, now + 40 * STEP, 2, &list);
    world.decrypt(ALICE, &[soon, late]);
    for day in 1..=31 {
        world.pass(DAY);
        // A list that is signed anew makes it be looked at again, and moves nothing by that.
        world.with(BOB, |d, c| d.tick(c, true)).unwrap();
        world.publish(BOB);
        world.show_lists(ALICE, &["bob"]);
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
        assert_eq!(world.rows(ALICE, &[Kind::Held]), if day < 1 { 2 } else { usize::from(day <= 30) }, "day {day}");
    }
    assert_eq!(inbox(&mut world, ALICE), [[1]]);
}

#[test]
fn n_t07_a_group_session_of_a_time_to_come_is_held_with_the_message_around_it() {
    let (mut world, id) = World::trio(10);
    world.all_receive();
    // Bob's clock is two days ahead when he first speaks in the group.
    world.pass(2 * DAY);
    world.say(BOB, id, b"from tomorrow").unwrap();
    world.now -= 2 * DAY;
    let mails = world.steal(JEN);
    assert_eq!(held(&world.decrypt(JEN, &mails)), [Some(Code::TooEarly)]);
    world.send(BOB, &["jen"], b"today");
    assert!(world.read(JEN).contains(&b"today".to_vec()));
    world.pass(DAY);
    world.with(JEN, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(inbox(&mut world, JEN), [b"from tomorrow"]);
    world.all_receive();
    world.say(BOB, id, b"and on").unwrap();
    assert_eq!(world.read(JEN), [b"and on"]);
}

#[test]
fn n_t07_our_own_session_of_a_clock_ahead_is_not_used() {
    let mut world = World::strangers(11);
    world.pass(20 * DAY);
    // Alice's clock is ahead: nobody takes what she begins now.
    world.publish(ALICE);
    world.send(ALICE, &["bob"], b"from the future");
    world.now -= 20 * DAY;
    assert_eq!(held(&world.receive(BOB).unwrap()), [Some(Code::TooEarly)]);
    assert_eq!(world.session(ALICE, BOB), None, "the session is there and is not used");
    world.publish(ALICE);
    world.send(ALICE, &["bob"], b"now");
    assert_eq!(world.read(BOB), [b"now"]);
    let peer = world.peer(ALICE, BOB);
    let active = peer.active(Scope::Direct, Moment::true_at(Timestamp(world.now))).unwrap();
    assert_eq!(active.generation, world.now / 1_000);
    world.send(BOB, &["alice"], b"hi");
    assert_eq!(world.read(ALICE), [b"hi"]);
    // What was sent with the wrong clock is read when its time comes.
    world.pass(19 * DAY);
    world.with(BOB, |d, c| d.tick(c, false)).unwrap();
    assert_eq!(inbox(&mut world, BOB), [b"from the future"]);
}

/// Somebody with an account and a device of their own, made elsewhere under Bob's name: the keys and the signed list.
fn other_bob(seed: u64, now: u64) -> (DeviceKeys, Vec<u8>) {
    let mut elsewhere = World::new(seed);
    elsewhere.now = now;
    elsewhere.create("bob");
    (elsewhere.own(BOB).keys(), elsewhere.list("bob").shown(16).unwrap())
}

fn claimed(world: &mut World) -> Option<AccountKey> {
    world.with(ALICE, |d, c| d.users(c)).unwrap().iter().find_map(|view| view.claimed_key)
}

#[test]
fn n_t10_an_initiation_that_does_not_open_claims_nothing() {
    let mut world = World::pair(12);
    let (keys, list) = other_bob(7, world.now);
    let now = world.now / 1_000;
    let honest = world.initiation_by(&keys, ALICE, now, 1, &list);
    let mut garbage = honest.clone();
    *garbage.last_mut().unwrap() ^= 1;
    let before = world.dump(ALICE);
    let mut refuse = |envelope: &[u8], code: Code| {
        let results = world.decrypt(ALICE, &[envelope.to_vec()]);
        assert_eq!((failures(&results), events(&results).len()), (vec![code], 0));
        assert!(world.dump(ALICE) == before, "{code:?} leaves a trace");
    };
    refuse(&garbage, Code::AuthenticationFailed);
    // Authentic, and without the list that would prove it.
    let mut world2 = World::pair(12);
    let bare = world2.initiation_by(&keys, ALICE, now, 2, &[]);
    let (other_keys, other_list) = other_bob(8, now * 1_000);
    let foreign = world2.initiation_by(&keys, ALICE, now, 3, &other_list);
    let unlisted_keys = {
        let mut elsewhere = World::new(7);
        elsewhere.now = now * 1_000;
        elsewhere.create("bob");
        elsewhere.link("bob");
        elsewhere.own(("bob", 2)).keys()
    };
    let unlisted = world2.initiation_by(&unlisted_keys, ALICE, now, 4, &list);
    let before = world2.dump(ALICE);
    for (envelope, code) in [(bare, Code::Truncated), (foreign, Code::IdentityChanged), (unlisted, Code::NotListed)] {
        let results = world2.decrypt(ALICE, &[envelope]);
        assert_eq!((failures(&results), events(&results).len()), (vec![code], 0));
        assert!(world2.dump(ALICE) == before, "{code:?} leaves a trace");
    }
    drop(other_keys);
    assert_eq!(world2.encrypt(ALICE, &["bob"], b"still").needs, []);

    // Proved: held, told once, and its one-time keys stay.
    let keys_before = world.rows(ALICE, &[Kind::PreKey]);
    let results = world.decrypt(ALICE, std::slice::from_ref(&honest));
    assert_eq!(held(&results), [Some(Code::IdentityNotAccepted)]);
    assert!(matches!(events(&results)[..], [Event::IdentityChanged { .. }]));
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), keys_before);
    assert_eq!(failures(&world.decrypt(ALICE, &[honest])), [Code::Duplicate]);
    let mail = world.with(ALICE, |d, c| d.batch_decrypt(c, &[garbage], false)).unwrap();
    assert_eq!(mail[0].outcome, MailOutcome::Duplicate, "the salt is known");
    assert_eq!(claimed(&mut world), Some(keys.party.account()));
}

#[test]
fn n_t10_acceptance_opens_what_its_account_key_sent_and_nothing_else() {
    let mut world = World::pair(13);
    let now = world.now / 1_000;
    let (first, first_list) = other_bob(7, world.now);
    let (second, second_list) = other_bob(8, world.now);
    let one = world.initiation_by(&first, ALICE, now, 1, &first_list);
    let two = world.initiation_by(&second, ALICE, now, 2, &second_list);
    assert_eq!(held(&world.decrypt(ALICE, &[one, two])).len(), 2);
    let keys_before = world.rows(ALICE, &[Kind::PreKey]);
    assert_eq!(claimed(&mut world), Some(second.party.account()), "the newest claim");
    let opened = world.with(ALICE, |d, c| d.accept(c, &user("bob"), &second.party.account())).unwrap();
    assert_eq!(texts(&opened), [[2]]);
    assert_eq!(world.rows(ALICE, &[Kind::PreKey]), keys_before - 2);
    assert_eq!(world.rows(ALICE, &[Kind::Held]), 1);
}

#[test]
fn n_t10_the_lasting_keys_that_a_held_envelope_names_stay_as_long_as_it_is_held() {
    let mut world = World::pair(14);
    let (keys, list) = other_bob(7, world.now);
    let now = world.now / 1_000;
    // Alice's keys are replaced, and would go 30 days later.
    let mail = world.initiation_by(&keys, ALICE, now, 1, &list);
    world.pass(3 * DAY);
    world.publish(ALICE);
    for _ in 0..20 {
        world.pass(DAY);
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    }
    world.decrypt(ALICE, &[mail]);
    for _ in 0..25 {
        world.pass(DAY);
        world.with(ALICE, |d, c| d.tick(c, true)).unwrap();
    }
    let opened = world.with(ALICE, |d, c| d.accept(c, &user("bob"), &keys.party.account())).unwrap();
    assert_eq!(texts(&opened), [[1]]);
}

#[test]
fn n_t14_a_name_that_is_no_utf8_is_refused_and_an_unknown_user_is_an_error() {
    let mut world = World::pair(14);
    let odd = b"bo\xff".to_vec();
    assert_eq!(UserId::try_new(odd.clone()), None);
    // On the wire: as a sender, and as the owner of a signed list.
    world.send(BOB, &["alice"], b"x");
    let mut envelope = Envelope::decode(&world.steal(ALICE)[0]).unwrap();
    envelope.head.sender.user = odd.clone().into();
    assert_eq!(world.refusal(ALICE, &envelope.encode().unwrap()), Some(Code::NonCanonical));
    let outer = SignedDeviceList::decode(&world.list("bob").signed).unwrap();
    let list = DeviceList { user: odd.into(), ..DeviceList::decode(outer.list.as_slice()).unwrap() };
    let bytes = list.encode().unwrap();
    let signature = SigningKey::from_seed(world.own(BOB).account.unwrap()).sign(labels::DEVICE_LIST, &bytes);
    let signed = SignedDeviceList { list: bytes.into(), signature }.encode().unwrap();
    assert_eq!(VerifiedDeviceList::verify_signed(&signed).err(), Some(Code::NonCanonical));
    // In a call.
    let (nobody, before) = (user("nobody"), world.dump(ALICE));
    let code = |result: Result<(), sesame_core::error::Error>| result.map_err(|error| error.code);
    let key = AccountKey([1; 32]);
    let accepted = world.with_requests(ALICE, |d, c, requests| d.accept_identity(c, requests, &nobody, &key).map(drop));
    assert_eq!(code(accepted), Err(Code::UnknownUser));
    assert_eq!(code(world.with(ALICE, |d, c| d.mark_verified(c, &nobody))), Err(Code::UnknownUser));
    assert_eq!(code(world.with(ALICE, |d, c| d.safety_number(c, &nobody).map(drop))), Err(Code::UnknownUser));
    let resolved = world.resolve_fork(ALICE, "nobody", &sesame_core::ids::ListHash([1; 32]));
    assert_eq!(code(resolved), Err(Code::UnknownUser));
    assert!(world.dump(ALICE) == before);
}
