//! Servers that keep no rule, hosts that forget, stores that fail between two steps: the loop ends, and heals or fails as it should.

use sesame_core::{
    error::Code,
    event::{Event, Outcome, PendingSend, RequestKind, ServerRequest, WaitingFor},
    ids::{DeviceId, SendId},
    internal::wire::answer::{Stock, SubmitResult},
};
use sesame_tests::{
    ALICE, BOB, Name, World,
    pump::{Answer, Answering, batches, bundles, lists, problem, results, stale},
    store::Fault,
    user,
};

const MINUTE: u64 = 60_000;
const CAROL: Name = ("carol", 1);
const PORTAL: &[u8] = b"<!doctype html><title>Sign in to the network</title>";

/// Alice and Bob have talked; Carol is somebody whom Bob knows only by name.
fn three(seed: u64) -> World {
    let mut world = World::pair(seed);
    world.create("carol");
    world.run(BOB);
    world
}

fn due_in(world: &mut World, name: Name) -> u64 {
    world.with_requests(name, |device, context, requests| device.due_in(context, requests)).unwrap()
}

/// Lets Bob's app meet a bad server for two hours, and gives the number of requests that it made.
fn two_hours(world: &mut World, server: &mut Answering<'_>) -> usize {
    let end = world.now + 120 * MINUTE;
    let mut asked = 0;
    while world.now < end {
        asked += world.run_with(BOB, server);
        let due = due_in(world, BOB);
        assert!(due > 0, "the loop has ended, and nothing is due");
        world.pass(due);
    }
    asked
}

fn reasons(world: &mut World, send: &PendingSend) -> Vec<(Outcome, u16)> {
    let status = world.status(BOB, &send.id).unwrap();
    status.users.iter().map(|user| (user.outcome, user.reason)).collect()
}

/// The good server is back: what waited goes out, and both hear it once.
fn heals(world: &mut World) {
    world.with_requests(BOB, |_, _, requests| requests.retry_now());
    world.run(BOB);
    assert_eq!(world.read(ALICE), [b"x"]);
    assert_eq!(world.read(CAROL), [b"x"]);
}

/// Nothing is settled by a server like this: it is asked ever more seldom, and the sends go on when it is well again.
fn only_pauses(server: &mut Answering<'_>) {
    let mut world = three(1);
    let send = world.begin(BOB, &["alice", "carol"], b"x");
    let asked = two_hours(&mut world, server);
    assert!((20..=60).contains(&asked), "{asked} requests in two hours");
    assert_eq!(reasons(&mut world, &send), [(Outcome::Waiting, 0); 2]);
    heals(&mut world);
}

#[test]
fn a_server_that_is_always_busy_only_pauses() {
    only_pauses(&mut |_, _| (503, Vec::new()));
}

#[test]
fn a_portals_page_only_pauses() {
    only_pauses(&mut |_, _| (200, PORTAL.to_vec()));
    only_pauses(&mut |_, _| (302, PORTAL.to_vec()));
}

#[test]
fn garbage_only_pauses() {
    only_pauses(&mut |world, _| {
        let length = 1 + world.below(200);
        // No answer begins with such a length.
        (200, std::iter::once(0xff).chain((0..length).map(|_| world.below(256) as u8)).collect())
    });
}

#[test]
fn no_answer_at_all_only_pauses() {
    only_pauses(&mut |_, _| (0, Vec::new()));
}

#[test]
fn a_portals_page_confirms_no_mail() {
    let mut world = three(2);
    world.send(ALICE, &["bob"], b"for Bob");
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    world.run_with(BOB, &mut |world, request| match request.kind {
        RequestKind::Confirm => (200, PORTAL.to_vec()),
        _ => world.perform(request),
    });
    assert_eq!(world.mails(BOB).len(), 1);
    world.pass(2_000);
    world.run(BOB);
    assert_eq!(world.mails(BOB).len(), 0, "it is confirmed without another fetch");
}

#[test]
fn a_server_that_knows_nobody_ends_the_send() {
    let mut world = three(3);
    let send = world.begin(BOB, &["alice", "carol", "alicia"], b"x");
    let asked = world.run_with(BOB, &mut |world, request| match request.kind {
        RequestKind::Lists => (200, lists(vec![None; request.users.len()])),
        RequestKind::Submit => (200, results(vec![SubmitResult::NoSuchUser; batches(request).len()])),
        _ => world.perform(request),
    });
    assert!(asked <= 4, "{asked}");
    assert_eq!(reasons(&mut world, &send), [(Outcome::Failed, Code::UnknownUser.number()); 3]);
    world.begin(BOB, &["alice", "carol"], b"x");
    heals(&mut world);
}

#[test]
fn a_server_that_always_says_stale_ends_the_send() {
    let mut world = three(4);
    let send = world.begin(BOB, &["alice", "carol"], b"x");
    let asked = two_hours(&mut world, &mut |world, request| match request.kind {
        RequestKind::Submit => {
            let of = |user: &sesame_core::ids::UserId| stale(world.relay.device_list(user).unwrap());
            (200, results(batches(request).iter().map(|batch| of(&batch.user)).collect()))
        }
        _ => world.perform(request),
    });
    assert!(asked <= 30, "{asked}");
    assert_eq!(reasons(&mut world, &send), [(Outcome::Failed, Code::TooManyRounds.number()); 2]);
    world.begin(BOB, &["alice", "carol"], b"x");
    heals(&mut world);
}

#[test]
fn a_server_that_shows_another_identity_makes_the_send_wait_for_the_app() {
    let mut other = World::new(50);
    other.create("alice");
    let list = other.list("alice").shown(16).unwrap();
    let mut world = three(5);
    let send = world.begin(BOB, &["alice", "carol"], b"x");
    let asked = two_hours(&mut world, &mut |world, request| match request.kind {
        RequestKind::Submit if request.users.contains(&user("alice")) => {
            let of = |batch: &sesame_core::internal::wire::request::Batch| match batch.user == user("alice") {
                true => stale(list.clone()),
                false => SubmitResult::Later { seconds: 1 },
            };
            (200, results(batches(request).iter().map(of).collect()))
        }
        _ => world.perform(request),
    });
    assert!(asked <= 10, "{asked}");
    let status = world.status(BOB, &send.id).unwrap();
    assert_eq!(status.users[0].waiting_for, WaitingFor::Identity);
    assert_eq!(status.users[1].outcome, Outcome::Sent);
    let changed = |event: &Event| matches!(event, Event::IdentityChanged { user: of, .. } if *of == user("alice"));
    assert_eq!(world.inbox_events(BOB).iter().filter(|event| changed(event)).count(), 1);
    // The app stays with the identity that it knows.
    let pinned = world.list("alice").account();
    world
        .with_requests(BOB, |device, context, requests| {
            device.accept_identity(context, requests, &user("alice"), &pinned)
        })
        .unwrap();
    heals(&mut world);
}

#[test]
fn a_server_that_refuses_every_signature_only_pauses() {
    let mut world = three(6);
    let send = world.begin(BOB, &["alice", "carol"], b"x");
    let asked = two_hours(&mut world, &mut |world, _| (401, problem(0, world.now, vec![])));
    assert!((20..=60).contains(&asked), "{asked}");
    assert_eq!(reasons(&mut world, &send), [(Outcome::Waiting, 0); 2]);
    heals(&mut world);
}

#[test]
fn a_server_that_does_not_list_the_sender_is_asked_with_pauses() {
    let mut world = three(7);
    let send = world.begin(BOB, &["alice"], b"x");
    let asked = two_hours(&mut world, &mut |world, request| match request.kind {
        RequestKind::Submit => (200, results(vec![SubmitResult::SenderNotListed; batches(request).len()])),
        _ => world.perform(request),
    });
    assert!(asked <= 60, "{asked}");
    assert_eq!(reasons(&mut world, &send), [(Outcome::Failed, Code::TooManyRounds.number())]);
}

#[test]
fn a_server_that_loses_every_key_at_once_is_not_fed_for_ever() {
    let mut world = three(8);
    world.begin(BOB, &["alice", "carol"], b"x");
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    let rows = world.dump(BOB).len();
    two_hours(&mut world, &mut |world, request| {
        let (status, body) = world.perform(request);
        match Stock::decode(&body) {
            Ok(stock) if request.kind == RequestKind::Publication => {
                (status, Stock { one_time: 0, ..stock }.encode().unwrap())
            }
            _ => (status, body),
        }
    });
    assert!(world.dump(BOB).len() < rows + 500, "{} rows, {rows} before", world.dump(BOB).len());
}

#[test]
fn a_server_of_another_generation_each_time_is_not_fed_for_ever() {
    let mut world = three(9);
    world.begin(BOB, &["alice", "carol"], b"x");
    world.pass(3 * sesame_tests::DAY);
    let (mut generation, rows) = (0, world.dump(BOB).len());
    let asked = two_hours(&mut world, &mut |world, request| {
        let (status, body) = world.perform(request);
        match Stock::decode(&body) {
            Ok(stock) if request.kind == RequestKind::Publication => {
                generation += 1;
                (status, Stock { generation, ..stock }.encode().unwrap())
            }
            _ => (status, body),
        }
    });
    assert!(asked < 100, "{asked}");
    assert!(world.dump(BOB).len() < rows + 5_000);
}

#[test]
fn a_server_that_was_put_back_gets_the_keys_again_and_the_app_is_told() {
    let mut world = three(16);
    world.fetch(BOB);
    world.relay.restored();
    world.fetch(BOB);
    world.pass(2_000);
    world.run(BOB);
    assert_eq!(world.inbox_events(BOB), [Event::ServerRestored]);
    let Stock { one_time, wanted, .. } = world.relay.stock((&user("bob"), DeviceId(1)));
    assert!(one_time >= wanted / 2, "{one_time} of {wanted}");
    assert!(world.relay.bundle(&user("bob"), DeviceId(1)).is_some());
}

#[test]
fn a_host_that_forgets_to_respond_loses_a_minute() {
    let mut world = three(10);
    world.begin(BOB, &["alice", "carol"], b"x");
    for _ in 0..5 {
        let given: Vec<ServerRequest> = std::iter::from_fn(|| world.next(BOB).unwrap()).collect();
        assert_eq!(given.len(), 2, "{given:?}");
        for request in &given {
            world.perform(request);
        }
        assert_eq!(due_in(&mut world, BOB), MINUTE);
        world.pass(MINUTE);
    }
    world.run(BOB);
    assert_eq!((world.read(ALICE), world.read(CAROL)), (vec![b"x".to_vec()], vec![b"x".to_vec()]), "each once");
}

/// What the servers said so far, to be said again in the wrong place.
type Heard = Vec<(RequestKind, Vec<u8>)>;

fn noise(world: &mut World, most: usize) -> Vec<u8> {
    let length = world.below(most);
    (0..length).map(|_| world.below(256) as u8).collect()
}

fn random_result(world: &mut World) -> SubmitResult {
    match world.below(7) {
        0 => SubmitResult::NoSuchUser,
        1 => SubmitResult::SenderNotListed,
        2 => SubmitResult::Malformed,
        3 => SubmitResult::Full { devices: vec![DeviceId(1 + world.below(3) as u32)].into() },
        4 => SubmitResult::Later { seconds: world.below(1_000_000) as u32 },
        5 => SubmitResult::Policy,
        _ => {
            let of = user(["alice", "bob", "carol"][world.below(3)]);
            let list = if world.below(4) == 0 { noise(world, 50) } else { world.relay.device_list(&of).unwrap() };
            stale(list)
        }
    }
}

/// An answer of the right form that the relay did not give. It never says that a batch was taken: that lie nobody can see through.
fn made_up(world: &mut World, request: &ServerRequest) -> Answer {
    let list = |world: &mut World| {
        let of = user(["alice", "bob", "carol"][world.below(3)]);
        let known = world.below(3) > 0;
        world.relay.device_list(&of).filter(|_| known)
    };
    match request.kind {
        RequestKind::Submit => (200, results(batches(request).iter().map(|_| random_result(world)).collect())),
        RequestKind::Lists => (200, lists(request.users.iter().map(|_| list(world)).collect())),
        RequestKind::Bundles => {
            let of = user(["alice", "bob", "carol"][world.below(3)]);
            let known = world.below(3) > 0;
            let bundle = world.relay.bundle(&of, DeviceId(1)).filter(|_| known);
            (200, bundles(vec![bundle; 1 + world.below(2)]))
        }
        RequestKind::Publication => {
            let (one_time, wanted, generation) = (world.below(50), world.below(200), world.below(3));
            let stock = Stock { one_time: one_time as u32, wanted: wanted as u32, generation: generation as u64 };
            (200, stock.encode().unwrap())
        }
        _ => (200, noise(world, 3)),
    }
}

fn random_answer(world: &mut World, request: &ServerRequest, heard: &mut Heard) -> Answer {
    const STATUSES: [u16; 14] = [0, 100, 200, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 503];
    let status = STATUSES[world.below(STATUSES.len())];
    match world.below(9) {
        0 => (status, noise(world, 80)),
        1 => (200, noise(world, 80)),
        2 => {
            // The answer is lost on its way.
            world.perform(request);
            (0, Vec::new())
        }
        3 => {
            let of = user(["alice", "bob", "carol"][world.below(3)]);
            let list = world.relay.device_list(&of).unwrap();
            let time = if world.below(2) == 0 { world.now } else { world.below(usize::MAX) as u64 };
            (status, problem(world.below(10_000_000) as u32, time, list))
        }
        4 if !heard.is_empty() => {
            let (kind, body) = heard[world.below(heard.len())].clone();
            // Another batch's "taken" is the lie that nobody can see through.
            let may_lie = kind == RequestKind::Submit && request.kind == kind;
            (if may_lie { 503 } else { 200 }, body)
        }
        5 => made_up(world, request),
        _ => {
            let (status, body) = world.perform(request);
            if status == 200 {
                heard.push((request.kind, body.clone()));
            }
            (status, body)
        }
    }
}

/// Ten rounds with a random server, then a good one. Gives how many parts were sent and how many failed.
fn meet_a_random_server(seed: u64) -> (usize, usize) {
    let mut world = three(seed);
    let mut heard = Heard::new();
    let mut sends: Vec<(SendId, Vec<u8>)> = Vec::new();
    let mut to_bob = Vec::new();
    for round in 0..10 {
        let text = format!("{seed} {round}").into_bytes();
        sends.push((world.begin(BOB, &["alice", "carol"], &text).id, text.clone()));
        world.send(ALICE, &["bob"], &text);
        to_bob.push(text);
        world.with_requests(BOB, |_, _, requests| requests.request_mail(5));
        world.run_with(BOB, &mut |world, request| random_answer(world, request, &mut heard));
        let due = due_in(&mut world, BOB).min(10 * MINUTE);
        let more = world.below(2 * MINUTE as usize) as u64;
        world.pass(due + more);
    }
    // A refusal of the device ends the loop until the app opens it again.
    world.reopen(BOB);
    for _ in 0..12 {
        world.fetch(BOB);
        world.pass(10 * MINUTE);
    }
    let mut read = world.inbox_texts(BOB);
    read.sort();
    assert_eq!(read, to_bob, "seed {seed}: all that was sent to Bob, once");
    let (mut sent, mut failed) = (0, 0);
    for name in [ALICE, CAROL] {
        let read = world.read(name);
        for (id, text) in &sends {
            let status = world.status(BOB, id).unwrap();
            assert!(status.finished, "seed {seed}: {status:?}");
            let of = status.users.iter().find(|status| status.user == user(name.0)).unwrap();
            let copies = read.iter().filter(|read| *read == text).count();
            match of.outcome {
                Outcome::Sent => assert_eq!(copies, 1, "seed {seed}, {name:?}"),
                Outcome::Failed => assert!(copies <= 1 && of.reason != 0, "seed {seed}, {name:?}"),
                other => panic!("seed {seed}, {name:?}: {other:?}"),
            }
            sent += usize::from(of.outcome == Outcome::Sent);
            failed += usize::from(of.outcome == Outcome::Failed);
        }
    }
    (sent, failed)
}

#[test]
fn with_100_random_servers_the_loop_ends_and_no_message_is_lost_without_a_word() {
    let (mut sent, mut failed) = (0, 0);
    for seed in 0..100 {
        let (of_sent, of_failed) = meet_a_random_server(seed);
        sent += of_sent;
        failed += of_failed;
    }
    println!("{sent} parts sent, {failed} failed and said so");
    assert!(sent > 200 && failed > 100, "{sent} {failed}");
}

#[test]
fn a_crash_between_any_two_steps_loses_nothing_and_sends_nothing_twice() {
    let mut world = three(12);
    world.send(ALICE, &["bob"], b"for Bob");
    world.pass(3 * sesame_tests::DAY);
    let send = world.begin(BOB, &["alice", "carol"], b"x");
    world.requests.remove(&BOB);
    let (rows, rng, relay) = (world.dump(BOB), world.rng.clone(), world.relay.clone());
    let store = world.hosts[&BOB].store.clone();
    for fault in [Fault::Fails, Fault::LostUnknown, Fault::LandsUnknown] {
        for operation in 0.. {
            store.inner.restore(rows.clone());
            (world.rng, world.relay) = (rng.clone(), relay.clone());
            world.reopen(BOB);
            world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
            store.fail_at(operation, fault);
            let mut crashes = 0;
            for _ in 0..50 {
                // Each error is a crash: the app starts again and knows nothing of its requests.
                let step = world.next(BOB).and_then(|request| {
                    let Some(request) = request else { return Ok(false) };
                    let (status, body) = world.perform(&request);
                    world.respond(BOB, &request.id, (status, &body)).map(|_| true)
                });
                match step {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        assert_eq!(error.code, Code::StoreIo);
                        crashes += 1;
                        world.reopen(BOB);
                        world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
                    }
                }
            }
            let struck = store.struck();
            let at = format!("{fault:?} at {operation}, {crashes} crashes");
            assert_eq!((world.mails(ALICE).len(), world.mails(CAROL).len()), (1, 1), "{at}");
            assert_eq!(world.inbox_texts(BOB), [b"for Bob"], "{at}");
            assert_eq!(world.mails(BOB).len(), 0, "{at}");
            assert!(world.status(BOB, &send.id).unwrap().finished, "{at}");
            if struck.is_none() {
                assert!(operation > 20, "only {operation} operations");
                break;
            }
        }
    }
}
