//! Every error code is made to happen and is compared: by the story in five languages, by the bad-input corpus in five languages, here, or,
//! where only a face of the library gives it, by a test of that face.

use sesame_core::context::{Context, Timestamp};
use sesame_core::device::{Device, Linking};
use sesame_core::error::{Code, Error};
use sesame_core::event::{Event, GroupChange, LinkLeg, MailOutcome, Outcome, RequestKind, Standing, UserStatus};
use sesame_core::ids::{DeviceId, Scope, UserId};
use sesame_core::internal::group::operation::Operation;
use sesame_core::internal::ratchet::message::{self, Bound};
use sesame_core::internal::session::{self, Session};
use sesame_core::internal::steps::{Answers, Steps};
use sesame_core::internal::wire::answer::SubmitResult;
use sesame_core::internal::wire::content::{Body, Stamp};
use sesame_core::internal::wire::envelope::Envelope;
use sesame_core::internal::wire::group::{self, Added, Bundle, SignedOperation};
use sesame_core::internal::wire::padding;
use sesame_core::internal::wire::request::Batch;
use sesame_core::limits::{
    MAX_BUNDLE_AGE, MAX_DEVICES, MAX_JUMP, MAX_PAYLOAD, MAX_SKIPPED_PER_CHAIN, MAX_STEPS_OF_USER,
};
use sesame_core::store::{
    Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind,
};
use sesame_sqlite::SqliteStore;
use sesame_tests::pump::{batches, results};
use sesame_tests::source::{asserted_of, crates, named_after, parsed, root, tests};
use sesame_tests::{ALICE, BOB, JEN, Name, Stuck, World, bad_inputs, events, server, store_key, user};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

/// Codes of the core that neither the story nor the corpus can show in every language, each with a function that makes it happen.
const MADE: [(Code, fn() -> Code); 24] = [
    // Two devices that are linked step by step, where the faces' loop goes on by itself.
    (Code::LinkNotConfirmed, an_answer_comes_before_the_digits_were_confirmed),
    (Code::LinkMismatch, a_second_primary_says_hello),
    // Only an authenticated peer that breaks the rules, or thousands of messages, bring them.
    (Code::TooFarAhead, a_message_skips_more_than_the_limit),
    (Code::TooManySteps, messages_of_a_user_cost_a_call_more_steps_than_they_may),
    (Code::MessageKeyExpired, a_message_comes_after_its_key_was_thrown_away),
    (Code::BadPadding, an_authentic_body_is_padded_with_something_else),
    (Code::ReusedIndex, a_peer_seals_two_messages_under_one_number),
    (Code::TooEarly, a_peer_begins_a_session_of_next_year),
    (Code::IdentityChanged, a_peer_shows_the_list_of_another_account),
    (Code::OwnListNotAdopted, the_account_key_has_signed_a_list_elsewhere),
    (Code::TooManyOperations, a_member_says_more_than_a_group_holds),
    (Code::GroupOverfull, members_add_more_users_than_a_group_may_have),
    // Only a server that breaks the rules brings them.
    (Code::BundleExpired, a_server_hands_out_an_old_bundle),
    (Code::DeviceListFork, a_server_shows_two_lists_of_one_epoch),
    (Code::MailboxFull, a_server_has_no_room_for_a_device),
    (Code::RefusedByPolicy, a_server_does_not_want_a_batch),
    // The app's own mistakes, and what it leaves undone.
    (Code::InboxFull, an_app_never_acks),
    (Code::TooManyOwnDevices, a_user_links_one_device_too_many),
    // The path of a store is wrong, or its disk ends.
    (Code::StorePathMissing, || opened(|folder| folder.join("no/chat.db"))),
    (Code::StorePathNotAFile, || opened(Path::to_owned)),
    (Code::NotAStore, || opened(a_file_of_something_else)),
    // A store that breaks within a call, or breaks its contract.
    (Code::OutcomeUnknown, a_store_is_lost_within_a_commit),
    (Code::StoreMisbehaves, a_store_gives_what_nobody_asked_for),
    // Broken randomness.
    (Code::Randomness, a_generator_gives_one_byte_for_ever),
];

/// Codes that the core never names. A face gives them, and the test of this name asserts that it does.
const OF_THE_FACES: [(Code, &str); 7] = [
    (Code::Reentrant, "what_nobody_asked_for_is_refused_and_a_callback_may_not_come_in"),
    (Code::Busy, "a_call_does_not_wait_for_ever_for_another"),
    (Code::Closed, "a_closed_handle_stays_closed"),
    (Code::BadHandle, "a_freed_a_foreign_and_a_random_handle_are_told"),
    (Code::NullPointer, "a_slice_is_checked_before_it_is_read"),
    (Code::BadStruct, "a_struct_may_be_older_or_newer_and_nothing_unknown_is_passed_over"),
    (Code::Forked, "a_call_in_the_child_of_a_fork_is_refused"),
];

/// The core gives this one where a fault of its own would show, which no input brings; a face gives it after a panic.
const FAULT: (Code, &str) = (Code::Internal, "after_a_panic_the_next_call_takes_the_device_up_again");

/// Codes that nothing gives today, and what takes their place. Their numbers are never used for anything else.
const RESERVED: [(Code, &str); 8] = [
    (Code::GroupExists, "a second create of a group enters, and the first by order decides"),
    (Code::MissingParents, "an operation that lacks parents waits"),
    (Code::NotAFinishedSend, "`retry` of a send that goes on changes nothing, and is no mistake"),
    (Code::Poisoned, "after a fault the next call takes the device up from its store"),
    (Code::NotRegistered, "what needs a server waits for it, visibly"),
    (Code::StaleView, "a stale send goes on by itself, until the rounds are used up"),
    (Code::DeviceListRollback, "an older list is an event of the same name, and the call succeeds"),
    (
        Code::RollbackDetected,
        "an old copy of a store looks like any other to its device; a peer sees it by a reused index",
    ),
];

/// The codes in what a story prints.
fn codes_in(transcript: &str) -> BTreeSet<u16> {
    let mut codes = BTreeSet::new();
    for line in transcript.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let named = words.windows(2).filter(|pair| ["!", "code", "problem"].contains(&pair[0]));
        codes.extend(named.filter_map(|pair| pair[1].parse::<u16>().ok()));
    }
    codes
}

/// Plays the story, which gives the transcript that every language is held to, and takes the codes from it.
fn story() -> BTreeSet<u16> {
    let folder = std::env::temp_dir().join(format!("sesame-codes-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let script = root().join("tests/story/story.json");
    let done = Command::new(env!("CARGO_BIN_EXE_story")).arg(script).arg(&folder).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let played = String::from_utf8(done.stdout).unwrap();
    let expected = fs::read_to_string(root().join("tests/story/transcript.txt")).unwrap();
    let differs = played.lines().zip(expected.lines()).position(|(is, should)| is != should);
    assert!(played == expected, "the transcript has changed at line {:?}", differs.map(|line| line + 1));
    codes_in(&played)
}

/// What the cases of the corpus give; `tests/bad_inputs.rs` plays each and compares.
fn corpus() -> BTreeSet<u16> {
    bad_inputs::corpus().cases.iter().map(|case| case.expect).collect()
}

/// A message that Bob's device could have sent, which Alice has not had.
fn content(world: &World, number: u8) -> Vec<u8> {
    let stamp = Stamp { content_id: [number; 16], sent_at: world.now };
    let body = Body::Message { stamp, payload: vec![number].into() };
    let prelude = world.prelude(BOB, ALICE, 100 + u64::from(number));
    [prelude.encode().unwrap(), body.encode().unwrap()].concat()
}

/// The session some messages later, which nobody was sent.
fn ahead(session: &Session, messages: u32) -> Session {
    let mut session = session.clone();
    for _ in 0..messages {
        let (sent, _) = session.ratchet.sending().seal(&[0; 16]).unwrap();
        session.ratchet.hot = sent.hot;
        session.ratchet.cold = sent.cold.unwrap_or(session.ratchet.cold);
    }
    session
}

/// Bob's next message on this session.
fn sealed(world: &World, session: &Session, number: u8) -> Vec<u8> {
    let recipe = world.recipe(BOB, ALICE, session, [number; 16]);
    session::envelope(&recipe, [&content(world, number), &[]], 1, padding::room(0)).unwrap()
}

/// A new device, and the code that it shows.
fn linking(world: &mut World) -> Linking {
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    Device::begin_link(Arc::new(MemoryStore::new()), &store_key(), &mut context, &server()).unwrap()
}

/// The hello of this device's primary to a code.
fn hello(world: &mut World, name: Name, code: &str) -> Vec<u8> {
    let link = world.with(name, |device, context| device.link_device(context, code)).unwrap();
    world.with(name, |device, context| device.link_leg(context, &link.id, LinkLeg::Hello)).unwrap().unwrap()
}

fn an_answer_comes_before_the_digits_were_confirmed() -> Code {
    let mut world = World::pair(124);
    let linking = linking(&mut world);
    let link = world.with(ALICE, |device, context| device.link_device(context, linking.code())).unwrap();
    let leg =
        |world: &mut World, leg| world.with(ALICE, |device, c| device.link_leg(c, &link.id, leg)).unwrap().unwrap();
    let hello = leg(&mut world, LinkLeg::Hello);
    world.with(ALICE, |device, context| device.confirm_link(context, &link.id)).unwrap();
    let answer = leg(&mut world, LinkLeg::Answer);
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    linking.hear_hello(&mut context, &hello).unwrap();
    linking.complete(&mut context, &answer).unwrap_err().code
}

fn a_second_primary_says_hello() -> Code {
    let mut world = World::pair(125);
    let linking = linking(&mut world);
    let hellos = [ALICE, BOB].map(|name| hello(&mut world, name, linking.code()));
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    linking.hear_hello(&mut context, &hellos[0]).unwrap();
    linking.hear_hello(&mut context, &hellos[1]).unwrap_err().code
}

fn a_message_skips_more_than_the_limit() -> Code {
    let mut world = World::pair(212);
    let session = world.stolen_session(BOB, ALICE, Scope::Direct);
    let too_far = sealed(&world, &ahead(&session, MAX_JUMP + 1), 1);
    let code = world.refusal(ALICE, &too_far).unwrap();
    // One message less is within the limit.
    let exactly = sealed(&world, &ahead(&session, MAX_JUMP), 2);
    assert_eq!(world.refusal(ALICE, &exactly), None);
    code
}

fn messages_of_a_user_cost_a_call_more_steps_than_they_may() -> Code {
    let mut world = World::pair(226);
    let mut session = world.stolen_session(BOB, ALICE, Scope::Direct);
    let mut mail = Vec::new();
    for number in 0..=MAX_STEPS_OF_USER / MAX_JUMP {
        session = ahead(&session, MAX_JUMP);
        mail.push(sealed(&world, &session, u8::try_from(number).unwrap() + 1));
        session = ahead(&session, 1);
    }
    let results = world.with(ALICE, |device, context| device.batch_decrypt(context, &mail, false)).unwrap();
    let (last, opened) = results.split_last().unwrap();
    assert!(opened.iter().all(|result| result.outcome == MailOutcome::Opened));
    assert_eq!((last.outcome, last.keep), (MailOutcome::Held, false));
    Code::ALL.iter().copied().find(|code| code.number() == last.reason).unwrap()
}

fn a_message_comes_after_its_key_was_thrown_away() -> Code {
    let mut world = World::pair(214);
    let first = world.stolen_session(BOB, ALICE, Scope::Direct);
    // More messages are skipped than a chain keeps keys of.
    let later = sealed(&world, &ahead(&first, MAX_SKIPPED_PER_CHAIN + 1), 1);
    assert_eq!(world.refusal(ALICE, &later), None);
    let oldest_kept = sealed(&world, &ahead(&first, 1), 2);
    assert_eq!(world.refusal(ALICE, &oldest_kept), None);
    world.refusal(ALICE, &sealed(&world, &first, 99)).unwrap()
}

fn an_authentic_body_is_padded_with_something_else() -> Code {
    let mut world = World::pair(219);
    let session = world.stolen_session(BOB, ALICE, Scope::Direct);
    let recipe = world.recipe(BOB, ALICE, &session, [1; 16]);
    let mut padded = padding::pad(&content(&world, 1), 1, padding::room(0)).unwrap();
    *padded.last_mut().unwrap() = 1;
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &recipe.head };
    let (commitment, body) = message::seal(&recipe.message_key, bound, &padded).unwrap();
    world.refusal(ALICE, &Envelope::assemble(&recipe.head, &recipe.gate, &commitment, &body)).unwrap()
}

fn a_peer_seals_two_messages_under_one_number() -> Code {
    let mut world = World::pair(223);
    let session = world.stolen_session(BOB, ALICE, Scope::Direct);
    let (first, second) = (sealed(&world, &session, 1), sealed(&world, &session, 2));
    assert_eq!(world.refusal(ALICE, &first), None);
    world.refusal(ALICE, &second).unwrap()
}

fn a_peer_shows_the_list_of_another_account() -> Code {
    let mut elsewhere = World::new(219);
    elsewhere.create("bob");
    let list = elsewhere.list("bob").shown(16).unwrap();
    let mut world = World::pair(218);
    let envelope = world.initiation(BOB, ALICE, world.now / 1_000, 1, &list);
    world.refusal(ALICE, &envelope).unwrap()
}

fn the_account_key_has_signed_a_list_elsewhere() -> Code {
    let mut world = World::pair(140);
    let list = world.list("alice").list;
    world.pass(1);
    let ahead = world.forge_list("alice", Some(&list), &list.devices).unwrap();
    world.show(ALICE, ahead.shown(16).unwrap());
    let new = world.begin_link();
    world.link_device(ALICE, new.linking.code()).unwrap_err()
}

fn a_peer_begins_a_session_of_next_year() -> Code {
    let mut world = World::pair(224);
    let list = world.list("bob").shown(16).unwrap();
    let generation = world.now / 1_000 + 365 * 24 * 60 * 60;
    let envelope = world.initiation(BOB, ALICE, generation, 1, &list);
    let results = world.with(ALICE, |d, c| d.batch_decrypt(c, &[envelope], false)).unwrap();
    assert_eq!(results[0].outcome, MailOutcome::Held);
    assert_eq!(results[0].reason, Code::TooEarly.number());
    Code::TooEarly
}

/// Adds of invented users that do not know of each other, by the devices of one member.
fn members_add_more_users_than_a_group_may_have() -> Code {
    let (mut world, id) = World::trio(236);
    let (keys, list) = (world.own(JEN).keys(), world.list("jen"));
    let old = world.operations(JEN, id);
    let mut said: Vec<SignedOperation> = Vec::new();
    for aside in 0..6 {
        let names = (0..190).map(|n| Added {
            user: format!("u{aside}{n:03}").into_bytes().into(),
            account_key: [1; 32],
            leaves: vec![].into(),
        });
        let body = group::Body::Add { members: names.collect::<Vec<_>>().into() };
        // Five upon each other, and one upon none of them.
        let mut set = old.clone();
        if aside < 5 {
            for signed in &said {
                let before = Operation::verify(signed, |hash| (*hash == list.list.hash).then_some(&list)).unwrap();
                set.insert(before).unwrap();
            }
        }
        let draft = set.draft(&keys.party, body).unwrap();
        let signed = Operation::sign(&keys, &list, draft).unwrap().signed;
        said.push(SignedOperation::decode(&signed).unwrap());
    }
    for signed in said {
        let bundle = Bundle { lists: vec![list.signed.clone().into()].into(), operations: vec![signed].into() };
        let send = world.replace_payload(JEN, id, &bundle.encode().unwrap());
        world.drive(JEN, send).unwrap();
    }
    let results = world.receive(BOB).unwrap();
    let told = |event: &&Event| matches!(event, Event::GroupOverfull { users, .. } if users[0] == user("jen"));
    assert_eq!(events(&results).iter().filter(|event| told(event)).count(), 1);
    let refused = world.say(BOB, id, b"x").unwrap_err().code;
    let renamed = world.act(BOB, id, |group, c| group.rename(c, "x"));
    assert_eq!(renamed.map_err(|error| error.code), Err(refused));
    let without: Vec<UserId> =
        world.members(BOB, id).iter().filter(|name| name.starts_with('u')).map(|n| user(n)).collect();
    let (fork, _) =
        world.in_group(BOB, id, |group, c| group.fork_without(c, &without).map(|(g, s)| (g.id(), s))).unwrap();
    assert_eq!(world.members(BOB, fork), ["alice", "bob", "jen"]);
    world.in_group(BOB, id, |group, c| group.leave(c)).unwrap();
    assert_eq!(world.standing(BOB, id), Some(Standing::Left));
    refused
}

fn a_member_says_more_than_a_group_holds() -> Code {
    let mut world = World::acquainted(235, &[("alice", 1), ("bob", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    let data = GroupChange { app_data: Some(vec![7; 4_096]), ..GroupChange::default() };
    for _ in 0..400 {
        match world.in_group(ALICE, id, |group, c| group.update_info(c, &data)) {
            Ok(send) => assert_eq!(world.drive(ALICE, send).unwrap(), None),
            Err(error) => return error.code,
        }
        world.steal(BOB);
    }
    panic!("a group takes 1.6 MB");
}

fn a_server_hands_out_an_old_bundle() -> Code {
    let mut world = World::strangers(305);
    let lists = Answers { device_lists: vec![world.list("alice").shown(16).unwrap()], ..Answers::default() };
    world.with(BOB, |d, c| d.apply(c, &lists)).unwrap();
    let bundles = vec![world.relay.bundle(&user("alice"), DeviceId(1)).unwrap()];
    world.pass(u64::try_from(MAX_BUNDLE_AGE.as_millis()).unwrap() + 1);
    let applied = world.with(BOB, |d, c| d.apply(c, &Answers { bundles, ..Answers::default() })).unwrap();
    let [refusal] = &applied.refusals[..] else { panic!("{applied:?}") };
    refusal.code
}

fn a_server_shows_two_lists_of_one_epoch() -> Code {
    let mut world = World::pair(310);
    let first = world.list("alice");
    world.link("alice");
    world.send(BOB, &["alice"], b"both");
    // A list of the second epoch that does not know the second device.
    let other = world.forge_list("alice", Some(&first.list), &first.list.devices).unwrap();
    let answers = Answers { device_lists: vec![other.shown(16).unwrap()], ..Answers::default() };
    let applied = world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    assert!(matches!(applied.events[..], [Event::DeviceListFork { .. }]), "{applied:?}");
    // It takes batches for the first one: from then on they name the second device.
    world.send(BOB, &["alice"], b"w");
    let send = world.encrypt(BOB, &["alice"], b"x");
    let skips = send.batches.iter().filter(|batch| batch.user == user("alice")).flat_map(|batch| &batch.skips);
    let [skip] = skips.collect::<Vec<_>>()[..] else { panic!("{send:?}") };
    numbered(skip.reason)
}

/// What becomes of a send to Alice where the server answers its first batch in this way.
fn answered(result: SubmitResult) -> UserStatus {
    let mut world = World::pair(328);
    let send = world.begin(BOB, &["alice"], b"x");
    let mut result = Some(result);
    world.run_with(BOB, &mut |world, request| {
        let Some(to_alice) = result.take_if(|_| request.kind == RequestKind::Submit) else {
            return world.perform(request);
        };
        let of = |batch: &Batch| match batch.user == user("alice") {
            true => to_alice.clone(),
            false => SubmitResult::Taken { id: 1, list: [0; 32] },
        };
        (200, results(batches(request).iter().map(of).collect()))
    });
    world.status(BOB, &send.id).unwrap().users[0].clone()
}

fn a_server_has_no_room_for_a_device() -> Code {
    let status = answered(SubmitResult::Full { devices: vec![DeviceId(1)].into() });
    assert_eq!((status.outcome, status.reached), (Outcome::Failed, 0));
    numbered(status.skipped[0].reason)
}

fn a_server_does_not_want_a_batch() -> Code {
    let status = answered(SubmitResult::Policy);
    assert_eq!(status.outcome, Outcome::Failed);
    numbered(status.reason)
}

fn an_app_never_acks() -> Code {
    let mut world = World::pair(331);
    let large = vec![7; MAX_PAYLOAD];
    for _ in 0..300 {
        world.send(ALICE, &["bob"], &large);
        world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
        if world.run(BOB) == 0 {
            break;
        }
    }
    let health = world.with_requests(BOB, |device, context, requests| device.health(context, requests)).unwrap();
    numbered(health.problem)
}

fn a_user_links_one_device_too_many() -> Code {
    let mut world = World::strangers(139);
    for _ in 1..MAX_DEVICES {
        world.link_quietly("bob");
    }
    let linking = linking(&mut world);
    world.with(BOB, |device, context| device.link_device(context, linking.code())).unwrap_err().code
}

/// What a store gives whose path lies in a fresh folder.
fn opened(path: fn(&Path) -> PathBuf) -> Code {
    static FOLDERS: AtomicU32 = AtomicU32::new(0);
    let name = format!("sesame-paths-{}-{}", std::process::id(), FOLDERS.fetch_add(1, Ordering::SeqCst));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    let error = SqliteStore::open(&path(&folder)).map(drop).unwrap_err();
    fs::remove_dir_all(&folder).unwrap();
    assert!(error.detail.as_ref().is_some_and(|detail| detail.as_str().contains("sesame-paths-")), "{error:?}");
    Error::from(error).code
}

fn a_file_of_something_else(folder: &Path) -> PathBuf {
    let path = folder.join("chat.db");
    fs::write(&path, [7; 4_096]).unwrap();
    path
}

fn numbered(number: u16) -> Code {
    *Code::ALL.iter().find(|code| code.number() == number).unwrap()
}

/// How [`Broken`] is broken.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Break {
    /// The disk goes away within a commit.
    Vanishes,
    /// A load says that it has nothing to say.
    Misbehaves,
}

struct Broken {
    rows: MemoryStore,
    how: Break,
    gone: AtomicBool,
}

impl Store for Broken {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(if self.how == Break::Misbehaves {
                StoreErrorKind::Misbehaves.into()
            } else {
                StoreErrorKind::Io.into()
            });
        }
        self.rows.load(queries, hold)
    }

    fn commit(&self, _: Generation, _: &Changes) -> Result<(), CommitError> {
        self.gone.store(self.how == Break::Vanishes, Ordering::SeqCst);
        Err(CommitError::OutcomeUnknown(StoreErrorKind::Io.into()))
    }

    fn release(&self) {
        self.rows.release();
    }
}

/// What a send of Bob's gives over a store that breaks in this way.
fn over_a_broken_store(how: Break) -> Code {
    let mut world = World::pair(411);
    let rows = MemoryStore::new();
    rows.restore(world.dump(BOB));
    let store = Arc::new(Broken { rows, how, gone: AtomicBool::new(false) });
    let device = Device::open(store.clone(), &store_key()).unwrap();
    store.gone.store(how == Break::Misbehaves, Ordering::SeqCst);
    let sent = world.with(BOB, |_, context| device.encrypt(context, &[user("alice")], b"x", None));
    sent.unwrap_err().code
}

fn a_store_is_lost_within_a_commit() -> Code {
    over_a_broken_store(Break::Vanishes)
}

fn a_store_gives_what_nobody_asked_for() -> Code {
    over_a_broken_store(Break::Misbehaves)
}

fn a_generator_gives_one_byte_for_ever() -> Code {
    let world = World::pair(503);
    let mut context = Context { now: Timestamp(world.now), rng: &mut Stuck(7) };
    let sent = world.hosts[&BOB].device.encrypt(&mut context, &[user("alice")], b"x", None);
    sent.unwrap_err().code
}

#[test]
fn what_an_honest_and_a_broken_world_bring_is_the_code_that_is_claimed() {
    let wrong: Vec<(Code, Code)> =
        MADE.into_iter().map(|(code, made)| (code, made())).filter(|(a, b)| a != b).collect();
    assert_eq!(wrong, [], "claimed and made");
}

/// The list of codes, and its copy for Kotlin and Swift.
const LISTS: [&str; 2] = ["core/src/error.rs", "ffi/src/uniffi/code.rs"];

/// The codes that the sources of a crate name outside tests and outside the list of codes itself.
fn named_by(name: &str) -> BTreeSet<String> {
    let sources = parsed(&format!("{name}/src"));
    let others = sources.iter().filter(|(path, _)| !LISTS.iter().any(|list| path.ends_with(list)));
    let named: BTreeSet<String> = others.flat_map(|(_, file)| named_after("Code", file)).collect();
    assert!(!named.contains("*"), "{name} imports every code by its bare name, which hides what it gives");
    named
}

#[test]
fn every_code_is_made_to_happen_or_reserved() {
    let core = named_by("core");
    assert!(!core.contains("ALL"), "the core makes codes of numbers, which hides what it gives");
    let seen: BTreeSet<u16> = story().union(&corpus()).copied().collect();
    let made: BTreeSet<Code> = MADE.iter().map(|(code, _)| *code).collect();
    let of_the_faces: BTreeSet<Code> = OF_THE_FACES.iter().map(|(code, _)| *code).collect();
    let reserved: BTreeSet<Code> = RESERVED.iter().map(|(code, _)| *code).collect();
    let mut wrong = Vec::new();
    for code in Code::ALL {
        // The core's codes are shown, each in one place. The others are a face's, or reserved.
        let named = core.contains(&format!("{code:?}"));
        let in_every_language = seen.contains(&code.number()) && !of_the_faces.contains(code);
        let shown = [in_every_language, made.contains(code), *code == FAULT.0].into_iter().filter(|is| *is).count();
        let excused = [of_the_faces.contains(code), reserved.contains(code)].into_iter().filter(|is| *is).count();
        if (shown, excused) != (usize::from(named), usize::from(!named)) {
            wrong.push(format!("{code:?}: the core names it: {named}; shown {shown} times, excused {excused} times"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_reserved_code_is_given_by_nothing() {
    let crates = crates();
    assert!(
        ["core", "ffi", "relay", "sqlite"].iter().all(|name| crates.iter().any(|known| known == name)),
        "{crates:?}"
    );
    for name in crates {
        let named = named_by(&name);
        for (code, instead) in RESERVED {
            assert!(!named.contains(&format!("{code:?}")), "{name} names {code:?}, of which this file says: {instead}");
        }
    }
}

#[test]
fn a_code_of_a_face_is_asserted_by_a_test_of_that_face() {
    let mut asserted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in crates() {
        for test in tests(&name) {
            asserted.entry(test.sig.ident.to_string()).or_default().extend(asserted_of("Code", &test));
        }
    }
    for (code, test) in OF_THE_FACES.into_iter().chain([FAULT]) {
        let of = asserted.get(test).unwrap_or_else(|| panic!("{code:?}: no test is called {test}"));
        assert!(of.contains(&format!("{code:?}")), "{test} does not assert {code:?}");
    }
}
