//! What becomes of a send: its end, its status, and what the app may say of it, also after a crash.

use sesame_core::{
    error::{Blame, Code},
    event::{Event, FailedUser, MessageKind, Outcome, PendingSend, RequestKind, SendStatus, SkippedDevice, WaitingFor},
    ids::{ContentId, DeviceId, GroupId, SendId, UserId},
    internal::{
        keys::{device_list::VerifiedDeviceList, party::fingerprint},
        store::Kind,
        wire::{
            answer::SubmitResult,
            request::{self, Named},
        },
    },
};
use sesame_tests::{
    ALICE, BOB, DAY, JEN, Name, World, events, messages,
    pump::{batches, bundles, results, stale},
    user,
};

const TABLET: Name = ("bob", 2);

fn at_rest(seed: u64, users: &[(&'static str, u32)]) -> World {
    let mut world = World::acquainted(seed, users);
    let names: Vec<Name> = world.hosts.keys().copied().collect();
    for name in names {
        world.run(name);
    }
    world
}

/// The events that tell of this send's end.
fn ends(world: &mut World, name: Name, send: &SendId) -> Vec<Event> {
    let of_it = |event: &Event| matches!(event, Event::SendFinished { send: of, .. } if of == send);
    world.inbox_events(name).into_iter().filter(of_it).collect()
}

fn finished(send: &PendingSend, reached: u32, failed: &[(&str, Code)], skipped: Vec<SkippedDevice>) -> Event {
    let failed = failed.iter().map(|(name, code)| FailedUser { user: user(name), reason: code.number() }).collect();
    Event::SendFinished { send: send.id, content_id: send.content_id, group: None, reached, failed, skipped }
}

fn outcomes(status: &SendStatus) -> Vec<(Outcome, u16)> {
    status.users.iter().map(|user| (user.outcome, user.reason)).collect()
}

fn cancel(world: &mut World, name: Name, send: &SendId, users: Option<&[UserId]>) -> Result<(), (Code, Option<usize>)> {
    world
        .with_requests(name, |device, context, requests| device.cancel(context, requests, send, users))
        .map_err(|error| (error.code, error.item))
}

fn retry(world: &mut World, name: Name, send: &SendId) -> Result<(), Code> {
    world.with(name, |device, context| device.retry(context, send)).map_err(|error| error.code)
}

/// What the relay says to Bob, but for batches to this user.
fn but_for<'a>(
    name: &'a str,
    said: impl Fn(&World) -> SubmitResult + 'a,
) -> impl FnMut(&mut World, &sesame_core::event::ServerRequest) -> (u16, Vec<u8>) + 'a {
    move |world, request| {
        if request.kind != RequestKind::Submit || !request.users.contains(&user(name)) {
            return world.perform(request);
        }
        let mut all = Vec::new();
        for batch in batches(request) {
            let result = if batch.user == user(name) {
                said(world)
            } else {
                world.relay.submit((&user("bob"), DeviceId(1)), &batch.into()).unwrap();
                SubmitResult::Taken { id: 1, list: [0; 32] }
            };
            all.push(result);
        }
        (200, results(all))
    }
}

#[test]
fn the_end_of_a_send_names_whom_it_did_not_reach_and_counts_the_rest() {
    let mut world = at_rest(1, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    world.create("carol");
    let send = world.begin(BOB, &["zoe", "alice", "carol", "jen"], b"x");
    assert_eq!(ends(&mut world, BOB, &send.id), []);
    let status = world.status(BOB, &send.id).unwrap();
    assert_eq!((status.finished, status.payload.as_slice()), (false, b"x".as_slice()));
    assert_eq!((status.id, status.content_id, status.group), (send.id, send.content_id, None));
    let names: Vec<UserId> = status.users.iter().map(|status| status.user.clone()).collect();
    assert_eq!(names, ["alice", "carol", "jen", "zoe"].map(user), "rising, and without ourselves");
    assert!(status.users.iter().all(|user| user.waiting_for == WaitingFor::Server));
    world.run(BOB);
    let end = finished(&send, 3, &[("zoe", Code::UnknownUser)], vec![]);
    assert_eq!(ends(&mut world, BOB, &send.id), [end]);
    let status = world.status(BOB, &send.id).unwrap();
    let sent = (Outcome::Sent, 0);
    assert_eq!(outcomes(&status), [sent, sent, sent, (Outcome::Failed, Code::UnknownUser.number())]);
    assert!(
        status.finished
            && status.users[..3].iter().all(|user| user.reached == 1 && user.waiting_for == WaitingFor::Nothing)
    );
    let with = world.with(BOB, |device, context| device.send_with(context, &send.content_id)).unwrap();
    assert_eq!(with, Some(status.clone()));
    assert_eq!(world.with(BOB, |device, context| device.sends(context)).unwrap(), [status]);
    world.ack_end(BOB, send.id);
    assert_eq!(world.status(BOB, &send.id), None);
    assert_eq!(world.with(BOB, |device, context| device.send_with(context, &send.content_id)).unwrap(), None);
    assert_eq!(world.with(BOB, |device, context| device.sends(context)).unwrap(), []);
    let kinds = [Kind::SendHead, Kind::SendBody, Kind::SendPart, Kind::SendTally, Kind::ContentOf];
    assert_eq!(world.rows(BOB, &kinds), 0, "and the plaintext with it");
}

#[test]
fn a_user_none_of_whose_devices_was_reached_has_failed() {
    let mut world = at_rest(2, &[("alice", 2), ("bob", 1)]);
    world.create("carol");
    // The server has no keys of Carol's.
    let send = world.begin(BOB, &["carol"], b"x");
    world.run_with(BOB, &mut |world, request| match request.kind {
        RequestKind::Bundles => (200, bundles(vec![None])),
        _ => world.perform(request),
    });
    let skipped = |name: &str, device: u32, code: Code| SkippedDevice {
        user: user(name),
        device: DeviceId(device),
        reason: code.number(),
    };
    let no_keys = vec![skipped("carol", 1, Code::UnknownPreKey)];
    let end = finished(&send, 0, &[("carol", Code::UnknownPreKey)], no_keys);
    assert_eq!(ends(&mut world, BOB, &send.id), [end]);
    assert_eq!(world.status(BOB, &send.id).unwrap().users[0].reached, 0);
    // One full mailbox of two silences nobody; two full ones do.
    for (full, reached) in [(vec![DeviceId(2)], 1), (vec![DeviceId(1), DeviceId(2)], 0)] {
        let send = world.begin(BOB, &["alice"], b"y");
        let mut times = 0;
        world.run_with(BOB, &mut |world, request| {
            if request.kind != RequestKind::Submit || times > 0 {
                return world.perform(request);
            }
            times += 1;
            let of = |batch: &request::Batch| match batch.user == user("alice") {
                true => SubmitResult::Full { devices: full.clone().into() },
                false => SubmitResult::Taken { id: 1, list: [0; 32] },
            };
            (200, results(batches(request).iter().map(of).collect()))
        });
        let skips = full.iter().map(|device| skipped("alice", device.0, Code::MailboxFull)).collect();
        let failed: &[_] = if reached == 0 { &[("alice", Code::MailboxFull)] } else { &[] };
        assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, reached, failed, skips)]);
        assert_eq!(world.read(ALICE).len(), reached as usize);
        assert_eq!(world.status(BOB, &send.id).unwrap().users[0].reached, reached);
    }
}

#[test]
fn unknown_users_end_a_send_and_a_retry_reaches_them_once_they_are_there() {
    let mut world = at_rest(3, &[("alice", 1), ("bob", 1)]);
    let send = world.begin(BOB, &["carol", "alice"], b"x");
    assert!(world.run(BOB) < 6);
    assert_eq!(ends(&mut world, BOB, &send.id).len(), 1);
    world.reopen(BOB);
    world.create("carol");
    assert_eq!(retry(&mut world, BOB, &send.id), Ok(()));
    assert_eq!(ends(&mut world, BOB, &send.id), [], "its end is still to come");
    assert!(!world.status(BOB, &send.id).unwrap().finished);
    world.run(BOB);
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 2, &[], vec![])]);
    let (carol, alice) = (world.receive(("carol", 1)).unwrap(), world.receive(ALICE).unwrap());
    for results in [&carol, &alice] {
        let [message] = messages(results)[..] else { panic!("{results:?}") };
        assert_eq!((message.payload.as_slice(), message.content_id), (b"x".as_slice(), send.content_id));
    }
    // Where nothing failed there is nothing to try again.
    let rows = world.dump(BOB);
    assert_eq!(retry(&mut world, BOB, &send.id), Ok(()));
    assert_eq!(world.dump(BOB), rows);
    world.ack_end(BOB, send.id);
    assert_eq!(retry(&mut world, BOB, &send.id), Err(Code::UnknownSend));
    assert_eq!(Code::UnknownSend.blame(), Blame::App);
}

#[test]
fn what_was_not_given_out_is_cancelled_and_what_was_may_be_sent() {
    let mut world = at_rest(4, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let send = world.begin(BOB, &["alice", "jen"], b"x");
    cancel(&mut world, BOB, &send.id, Some(&[user("alice")])).unwrap();
    let status = world.status(BOB, &send.id).unwrap();
    assert_eq!(outcomes(&status), [(Outcome::Cancelled, Code::Cancelled.number()), (Outcome::Waiting, 0)]);
    let request = world.next(BOB).unwrap().unwrap();
    cancel(&mut world, BOB, &send.id, None).unwrap();
    let status = world.status(BOB, &send.id).unwrap();
    let cancelled = [Code::Cancelled, Code::MaybeSent].map(|code| (Outcome::Cancelled, code.number()));
    assert_eq!((status.finished, outcomes(&status)), (true, cancelled.to_vec()));
    let failed = [("alice", Code::Cancelled), ("jen", Code::MaybeSent)];
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 0, &failed, vec![])]);
    // The answer that comes now changes nothing of it.
    let (status, body) = world.perform(&request);
    assert!(world.respond(BOB, &request.id, (status, &body)).unwrap().known);
    assert_eq!(outcomes(&world.status(BOB, &send.id).unwrap()), cancelled);
    assert_eq!(world.run(BOB), 0);
    assert_eq!((world.read(ALICE), world.read(JEN)), (vec![], vec![b"x".to_vec()]), "it was on its way");
    // After a restart nobody knows whether an earlier handle gave it out.
    let send = world.begin(BOB, &["alice"], b"y");
    world.reopen(BOB);
    cancel(&mut world, BOB, &send.id, None).unwrap();
    assert_eq!(outcomes(&world.status(BOB, &send.id).unwrap())[0].1, Code::MaybeSent.number());
    // Withdrawn sends can be tried again, as failed ones.
    retry(&mut world, BOB, &send.id).unwrap();
    world.run(BOB);
    assert_eq!(world.read(ALICE), [b"y"]);
    cancel(&mut world, BOB, &send.id, None).unwrap();
    assert_eq!(outcomes(&world.status(BOB, &send.id).unwrap()), [(Outcome::Sent, 0)], "what is settled stays");
    assert_eq!(cancel(&mut world, BOB, &send.id, Some(&[user("zoe")])), Err((Code::UnknownUser, Some(0))));
    assert_eq!(cancel(&mut world, BOB, &SendId([1; 16]), None), Err((Code::UnknownSend, None)));
}

#[test]
fn an_outcome_outlives_a_restart() {
    let mut world = at_rest(5, &[("alice", 1), ("bob", 1)]);
    let send = world.begin(BOB, &["alice", "zoe"], b"x");
    world.reopen(BOB);
    let open = world.with(BOB, |device, context| device.sends(context)).unwrap();
    assert_eq!((open.len(), open[0].id, open[0].payload.as_slice()), (1, send.id, b"x".as_slice()));
    world.run(BOB);
    let before = (world.status(BOB, &send.id), ends(&mut world, BOB, &send.id), world.inbox(BOB));
    world.reopen(BOB);
    assert_eq!(before, (world.status(BOB, &send.id), ends(&mut world, BOB, &send.id), world.inbox(BOB)));
    assert_eq!(before.1, [finished(&send, 1, &[("zoe", Code::UnknownUser)], vec![])]);
}

/// Alice's account is made anew: another account key, on a server that lost the old one and asks Bob for his keys again.
fn reborn_alice(world: &mut World) {
    let mut fresh = World::new(1_000);
    fresh.now = world.now;
    fresh.create("alice");
    let alice = fresh.hosts.remove(&ALICE).unwrap();
    world.hosts.insert(ALICE, alice);
    world.requests.remove(&ALICE);
    world.relay = fresh.relay;
    // The server knows nobody by Bob's signature, which makes his device publish again.
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    for _ in 0..6 {
        world.run(BOB);
        world.pass(10_000);
    }
    assert!(world.relay.device_list(&user("bob")).is_some());
}

#[test]
fn a_changed_identity_waits_visibly_and_goes_on_after_the_apps_word() {
    for (accepts_new, days) in [(true, 0), (true, 1), (false, 1)] {
        let mut world = at_rest(6, &[("alice", 1), ("bob", 1)]);
        let old = world.list("alice");
        reborn_alice(&mut world);
        let send = world.begin(BOB, &["alice"], b"x");
        world.run(BOB);
        let status = world.status(BOB, &send.id).unwrap();
        assert_eq!(status.users[0].waiting_for, WaitingFor::Identity, "{status:?}");
        assert_eq!((status.finished, ends(&mut world, BOB, &send.id)), (false, vec![]));
        world.pass(days * DAY);
        world.run(BOB);
        let status = world.status(BOB, &send.id).unwrap();
        assert_eq!(status.users[0].waiting_for, WaitingFor::Identity, "{days} days later as well");
        if accepts_new {
            let key = world.list("alice").account();
            world
                .with_requests(BOB, |device, context, requests| {
                    device.accept_identity(context, requests, &user("alice"), &key)
                })
                .unwrap();
            world.run(BOB);
            assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[], vec![])]);
            let results = world.receive(ALICE).unwrap();
            assert_eq!(messages(&results)[0].payload, b"x");
        } else {
            let key = old.account();
            world
                .with_requests(BOB, |device, context, requests| {
                    device.accept_identity(context, requests, &user("alice"), &key)
                })
                .unwrap();
            let status = world.status(BOB, &send.id).unwrap();
            assert_eq!(status.users[0].waiting_for, WaitingFor::Server, "to the devices of before");
            cancel(&mut world, BOB, &send.id, None).unwrap();
            assert_eq!(ends(&mut world, BOB, &send.id).len(), 1);
        }
    }
}

/// The batches that a device submits from now on, with the keys that each names: the relay answers.
fn submitted(world: &mut World, name: Name) -> Vec<(UserId, Vec<Named>)> {
    let mut all = Vec::new();
    world.run_with(name, &mut |world, request| {
        if request.kind == RequestKind::Submit {
            all.extend(batches(request).into_iter().map(|batch| (batch.user, batch.named.into_vec())));
        }
        world.perform(request)
    });
    all
}

/// Device 1 of the new identity is not device 1 of the old one.
#[test]
fn n_t01_what_was_made_for_an_identity_is_never_taken_for_another() {
    let mut world = at_rest(6, &[("alice", 1), ("bob", 1)]);
    let (before, old) = (world.list("alice"), world.dump(ALICE));
    // The envelope for the old Alice is made before anybody knows of the new one.
    let send = world.begin(BOB, &["alice"], b"x");
    reborn_alice(&mut world);
    let new = world.list("alice");
    assert_eq!(world.status(BOB, &send.id).unwrap().users[0].waiting_for, WaitingFor::Identity);
    assert_eq!(world.mails(ALICE), Vec::<Vec<u8>>::new(), "the old entry reached no mailbox");
    world
        .with_requests(BOB, |device, context, requests| {
            device.accept_identity(context, requests, &user("alice"), &new.account())
        })
        .unwrap();
    let sent = submitted(&mut world, BOB);
    let of = |list: &VerifiedDeviceList| fingerprint(&user("alice"), &list.account(), &list.list.devices[0]);
    let named: Vec<_> = sent.iter().flat_map(|(_, named)| named).map(|named| named.fingerprint).collect();
    assert_eq!(named, [of(&new)]);
    assert_ne!(of(&new), of(&before));
    let envelope = world.mails(ALICE).remove(0);
    assert_eq!(world.read(ALICE), [b"x"]);
    world.put_back(ALICE, old);
    assert!(world.refusal(ALICE, &envelope).is_some(), "the old device 1 opens nothing of it");
}

/// The order of the batches does not show whether a send is direct.
#[test]
fn n_g06_the_batches_of_a_send_rise_by_user_direct_or_group() {
    let mut world = at_rest(31, &[("alice", 1), ("bob", 1), ("carol", 1), ("jen", 1)]);
    let group = world.found(BOB, "Trip", &["jen", "alice", "carol"]);
    world.run(BOB);
    world.begin(BOB, &["jen", "carol", "alice"], b"x");
    let direct: Vec<UserId> = submitted(&mut world, BOB).into_iter().map(|(user, _)| user).collect();
    say(&mut world, BOB, group, b"y");
    let grouped: Vec<UserId> = submitted(&mut world, BOB).into_iter().map(|(user, _)| user).collect();
    assert_eq!(direct, ["alice", "carol", "jen", "bob"].map(user), "our own copies go last");
    assert_eq!(grouped, direct);
}

fn say(world: &mut World, name: Name, group: GroupId, text: &[u8]) -> PendingSend {
    world.in_group(name, group, |group, context| group.send(context, text, None)).unwrap()
}

#[test]
fn a_contested_member_fails_at_once_in_a_group_and_the_others_get_it() {
    let mut other = World::new(70);
    other.create("jen");
    let list = other.list("jen").shown(16).unwrap();
    for contested_before in [true, false] {
        let mut world = at_rest(7, &[("alice", 1), ("bob", 1), ("jen", 1)]);
        let id = world.found(ALICE, "Trip", &["bob", "jen"]);
        world.run(BOB);
        let early = (!contested_before).then(|| say(&mut world, BOB, id, b"x"));
        // The server shows Bob another Jen.
        world.with(BOB, |device, context| device.look_up(context, &[user("jen")])).unwrap();
        let request = world.next(BOB).unwrap().unwrap();
        assert_eq!(request.kind, RequestKind::Lists);
        let body = sesame_tests::pump::lists(vec![Some(list.clone())]);
        assert_eq!(world.respond(BOB, &request.id, (200, &body)).unwrap().problem, 0);
        let send = early.unwrap_or_else(|| say(&mut world, BOB, id, b"x"));
        let jen = |status: &SendStatus| status.users.iter().find(|status| status.user == user("jen")).cloned().unwrap();
        let status = world.status(BOB, &send.id).unwrap();
        assert_eq!((status.group, jen(&status).outcome), (Some(id), Outcome::Failed), "before: {contested_before}");
        assert_eq!(jen(&status).reason, Code::IdentityNotAccepted.number());
        world.run(BOB);
        let end = ends(&mut world, BOB, &send.id);
        let failed = vec![FailedUser { user: user("jen"), reason: Code::IdentityNotAccepted.number() }];
        let PendingSend { id: of, content_id } = send;
        let skipped = vec![];
        assert_eq!(end, [Event::SendFinished { send: of, content_id, group: Some(id), reached: 1, failed, skipped }]);
        assert_eq!((world.read(ALICE), world.read(JEN)), (vec![b"x".to_vec()], vec![]));
    }
}

#[test]
fn mail_that_contests_a_member_ends_the_waiting_group_send_for_that_member() {
    let mut world = at_rest(8, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    world.run(BOB);
    // Another Jen, who knows the real Bob.
    let mut other = World::new(80);
    other.now = world.now;
    other.create("jen");
    let mut said = other.encrypt(JEN, &["bob"], b"it is me");
    while !said.needs.is_empty() {
        let mut answers = world.relay.answer(&said.needs);
        answers.unknown_users.clear();
        other
            .with(JEN, |device, context| sesame_core::internal::steps::Steps::apply(device, context, &answers))
            .unwrap();
        said = other.standing_of(JEN, &said);
    }
    let envelope = said.batches.iter().find(|batch| batch.user == user("bob")).unwrap().envelopes[0].envelope.clone();
    let send = say(&mut world, BOB, id, b"x");
    world.with(BOB, |device, context| device.batch_decrypt(context, &[envelope], false)).unwrap();
    assert!(world.inbox_events(BOB).iter().any(|event| matches!(event, Event::IdentityChanged { .. })));
    world.run(BOB);
    let status = world.status(BOB, &send.id).unwrap();
    assert!(status.finished, "{status:?}");
    let of = |name: &str| status.users.iter().find(|status| status.user == user(name)).unwrap().outcome;
    assert_eq!((of("alice"), of("jen")), (Outcome::Sent, Outcome::Failed));
}

#[test]
fn copies_for_our_own_devices_never_delay_a_send_and_never_fail_it() {
    let mut world = at_rest(9, &[("alice", 1), ("bob", 2)]);
    let send = world.begin(BOB, &["alice"], b"x");
    world.run_with(BOB, &mut but_for("bob", |_| SubmitResult::Later { seconds: 600 }));
    world.pass(2_000);
    world.run_with(BOB, &mut but_for("bob", |_| SubmitResult::Later { seconds: 600 }));
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[], vec![])]);
    assert_eq!(world.read(TABLET), Vec::<Vec<u8>>::new());
    // The app acks the end: for the app the send is over, and the copy still goes out.
    world.ack_end(BOB, send.id);
    assert_eq!((world.status(BOB, &send.id), retry(&mut world, BOB, &send.id)), (None, Err(Code::UnknownSend)));
    assert_eq!(cancel(&mut world, BOB, &send.id, None), Err((Code::UnknownSend, None)));
    assert_eq!(world.with(BOB, |device, context| device.sends(context)).unwrap(), []);
    world.pass(600_000);
    world.run(BOB);
    let results = world.receive(TABLET).unwrap();
    assert_eq!(messages(&results)[0].kind, MessageKind::Transcript { recipients: vec![user("alice")] });
    assert_eq!(world.rows(BOB, &[Kind::SendHead, Kind::SendBody, Kind::SendTally]), 0);
    // A copy that is always stale is given up, and the send has reached Alice all the same.
    let send = world.begin(BOB, &["alice"], b"y");
    for _ in 0..12 {
        world.run_with(BOB, &mut but_for("bob", |world| stale(world.relay.device_list(&user("bob")).unwrap())));
        world.pass(120_000);
    }
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[], vec![])]);
    world.ack_end(BOB, send.id);
    assert_eq!(world.rows(BOB, &[Kind::SendHead, Kind::SendBody, Kind::SendTally]), 0);
}

#[test]
fn a_message_to_ourselves_ends_with_its_copies() {
    let mut world = at_rest(10, &[("alice", 1), ("bob", 2)]);
    let send = world.begin(BOB, &["bob"], b"note");
    assert_eq!(ends(&mut world, BOB, &send.id), []);
    world.run(BOB);
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[], vec![])]);
    assert_eq!(world.read(TABLET), [b"note"]);
    let send =
        world.with(BOB, |device, context| device.encrypt_to(context, &user("bob"), DeviceId(2), b"psst")).unwrap();
    world.run(BOB);
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[], vec![])]);
    assert_eq!(world.read(TABLET), [b"psst"]);
}

#[test]
fn a_send_is_given_up_after_30_days() {
    let mut world = at_rest(11, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let send = world.begin(BOB, &["alice", "jen"], b"x");
    let mut server = but_for("alice", |_| SubmitResult::Later { seconds: 3_600 });
    for _ in 0..30 {
        world.run_with(BOB, &mut server);
        world.pass(DAY);
    }
    assert_eq!(ends(&mut world, BOB, &send.id), []);
    for _ in 0..2 {
        world.run_with(BOB, &mut server);
        world.pass(DAY);
    }
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 1, &[("alice", Code::Expired)], vec![])]);
    // Tried again, its age counts from the retry.
    retry(&mut world, BOB, &send.id).unwrap();
    for _ in 0..3 {
        world.run_with(BOB, &mut server);
        world.pass(DAY);
    }
    assert_eq!(ends(&mut world, BOB, &send.id), []);
    drop(server);
    world.run(BOB);
    assert_eq!(ends(&mut world, BOB, &send.id), [finished(&send, 2, &[], vec![])]);
}

#[test]
fn one_content_id_names_a_message_everywhere() {
    let mut world = at_rest(12, &[("alice", 2), ("bob", 2)]);
    let group = world.found(ALICE, "Trip", &["bob"]);
    world.rest();
    let named = ContentId([7; 16]);
    let direct = world.with(BOB, |d, c| d.batch_encrypt(c, &[user("alice")], b"direct", Some(named))).unwrap();
    let in_group = say(&mut world, BOB, group, b"in the group");
    assert_eq!(direct.content_id, named);
    assert_ne!(in_group.content_id, named);
    world.run(BOB);
    for name in [ALICE, ("alice", 2), TABLET] {
        let results = world.receive(name).unwrap();
        let ids: Vec<_> = messages(&results).iter().map(|message| (message.content_id, message.group)).collect();
        assert_eq!(ids, [(named, None), (in_group.content_id, Some(group))], "{name:?}: {:?}", events(&results));
    }
}

#[test]
fn an_act_in_a_group_shows_its_group_and_no_payload_and_what_the_library_says_by_itself_shows_not_at_all() {
    let mut world = at_rest(13, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let group = world.found(ALICE, "Trip", &["bob", "jen"]);
    world.run(BOB);
    let send = world.in_group(BOB, group, |group, context| group.rename(context, "Journey")).unwrap();
    let status = world.status(BOB, &send.id).unwrap();
    assert_eq!((status.group, status.payload.len(), status.finished), (Some(group), 0, false));
    world.run(BOB);
    assert!(world.status(BOB, &send.id).unwrap().finished);
    world.ack_end(BOB, send.id);
    // Jen's copy of the new name is lost; she asks for it, and her app hears of no send.
    world.steal(JEN);
    world.receive(ALICE).unwrap();
    let send = say(&mut world, ALICE, group, b"y");
    world.run(ALICE);
    world.ack_end(ALICE, send.id);
    world.fetch(JEN);
    assert!(world.rows(JEN, &[Kind::SendHead]) == 0 || world.with(JEN, |d, c| d.sends(c)).unwrap().is_empty());
    world.fetch(ALICE);
    world.fetch(JEN);
    assert_eq!(world.group(JEN, group).unwrap().info.name, "Journey");
    for name in [ALICE, JEN] {
        assert!(!world.inbox_events(name).iter().any(|event| matches!(event, Event::SendFinished { .. })), "{name:?}");
    }
}
