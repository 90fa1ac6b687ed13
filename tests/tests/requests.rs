//! The fourteen rules of the loop of requests, one test each. `bad_servers.rs` has the servers that keep no rule.

use sesame_core::{
    device::{Device, Requests},
    error::{Blame, Code},
    event::{Answered, Event, Item, MailOutcome, Outcome, RequestKind, ServerRequest, WaitingFor},
    ids::{ContentId, DeviceId},
    internal::{
        store::Kind,
        wire::{
            answer::{Mail, SubmitResult},
            request,
        },
    },
};
use sesame_tests::{
    ALICE, BOB, DAY, JEN, Name, World,
    pump::{batches, lists, problem, refusal, results, stale},
    server, store_key, user,
};

const MINUTE: u64 = 60_000;

fn kinds(requests: &[ServerRequest]) -> Vec<RequestKind> {
    requests.iter().map(|request| request.kind).collect()
}

/// Everything that the device gives out now, unanswered.
fn all(world: &mut World, name: Name) -> Vec<ServerRequest> {
    std::iter::from_fn(|| world.next(name).unwrap()).collect()
}

fn due_in(world: &mut World, name: Name) -> u64 {
    world.with_requests(name, |device, context, requests| device.due_in(context, requests)).unwrap()
}

fn respond(world: &mut World, name: Name, request: &ServerRequest, (status, body): (u16, &[u8])) -> Answered {
    world.respond(name, &request.id, (status, body)).unwrap()
}

/// Lets the relay answer a request of the device.
fn answer(world: &mut World, name: Name, request: &ServerRequest) -> Answered {
    let (status, body) = world.perform(request);
    respond(world, name, request, (status, &body))
}

/// A pair whose handles have nothing left to do.
fn at_rest(seed: u64) -> World {
    let mut world = World::pair(seed);
    for name in [ALICE, BOB] {
        world.run(name);
    }
    world
}

#[test]
fn r01_work_is_durable_and_requests_are_not() {
    let mut world = at_rest(1);
    world.begin(BOB, &["alice"], b"x");
    let first = world.next(BOB).unwrap().unwrap();
    world.reopen(BOB);
    let second = world.next(BOB).unwrap().unwrap();
    assert_eq!(first.body, second.body, "the bytes of a batch never change");
    assert_ne!(first.id, second.id);
    assert_ne!(first.headers, second.headers, "each has a signature of its own");
    assert_eq!(answer(&mut world, BOB, &first), Answered::default(), "the answer to a request of before the restart");
    assert!(answer(&mut world, BOB, &second).known);
    assert_eq!(answer(&mut world, BOB, &second), Answered::default(), "a repeated answer");
    assert_eq!(world.mails(ALICE).len(), 1, "the server has taken the batch once");
    let error = world.respond(ALICE, &second.id, (200, b"")).unwrap_err();
    assert_eq!((error.code, error.code.blame()), (Code::ForeignRequest, Blame::App));
    let released = world.with_requests(ALICE, |device, _, requests| device.release(requests, &second.id));
    assert_eq!(released.unwrap_err().code, Code::ForeignRequest);
}

#[test]
fn r02_a_request_is_lent_for_a_minute_or_until_it_is_given_back() {
    let mut world = at_rest(2);
    world.begin(BOB, &["alice"], b"x");
    let first = world.next(BOB).unwrap().unwrap();
    assert_eq!((world.next(BOB).unwrap(), due_in(&mut world, BOB)), (None, MINUTE));
    world.pass(MINUTE - 1);
    assert_eq!((world.next(BOB).unwrap(), due_in(&mut world, BOB)), (None, 1));
    world.pass(1);
    assert_eq!(due_in(&mut world, BOB), 0);
    let second = world.next(BOB).unwrap().unwrap();
    assert_eq!(second.body, first.body);
    assert_eq!(world.next(BOB).unwrap(), None);
    world.with_requests(BOB, |device, _, requests| device.release(requests, &second.id)).unwrap();
    let third = world.next(BOB).unwrap().unwrap();
    assert_eq!(third.body, first.body);
    world.with_requests(BOB, |_, _, requests| requests.retry_now());
    assert_eq!(world.next(BOB).unwrap().unwrap().body, first.body);
}

#[test]
fn r03_requests_that_are_out_together_may_be_answered_in_any_order() {
    for backwards in [false, true] {
        let mut world = at_rest(3);
        world.create("carol");
        world.send(ALICE, &["bob"], b"for Bob");
        world.begin(BOB, &["alice", "carol"], b"x");
        world.with(BOB, |device, context| device.set_push(context, b"here")).unwrap();
        world.with_requests(BOB, |_, _, requests| requests.request_mail(100));
        let mut out = all(&mut world, BOB);
        let expected = [RequestKind::Lists, RequestKind::Submit, RequestKind::Push, RequestKind::Mail];
        assert_eq!(kinds(&out), expected);
        let mut bodies: Vec<_> = out.iter().map(|request| world.perform(request)).collect();
        if backwards {
            out.reverse();
            bodies.reverse();
        }
        for (request, (status, body)) in out.iter().zip(bodies) {
            assert!(respond(&mut world, BOB, request, (status, &body)).known);
        }
        world.run(BOB);
        assert_eq!(world.inbox_texts(BOB), [b"for Bob"]);
        assert_eq!((world.read(ALICE), world.read(("carol", 1))), (vec![b"x".to_vec()], vec![b"x".to_vec()]));
        assert_eq!(world.relay.push((&user("bob"), DeviceId(1))), Some(b"here".as_slice()));
        assert_eq!(world.mails(BOB), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn r04_first_what_makes_the_device_known_then_lists_bundles_batches_and_the_rest() {
    let mut world = World::strangers(4);
    let carol = world.create_quietly("carol");
    let send = world.begin(carol, &["alice"], b"one");
    world.begin(carol, &["alice"], b"two");
    world.with(carol, |device, context| device.set_push(context, b"here")).unwrap();
    world.with_requests(carol, |_, _, requests| requests.request_mail(10));
    let status = world.status(carol, &send.id).unwrap();
    assert_eq!(status.users[0].waiting_for, WaitingFor::Publication);
    let alone = all(&mut world, carol);
    assert_eq!(kinds(&alone), [RequestKind::Publication], "nothing goes before the device is known");
    answer(&mut world, carol, &alone[0]);
    let mut seen = Vec::new();
    world.run_with(carol, &mut |world, request| {
        seen.push(request.kind);
        world.perform(request)
    });
    let of = |kind: RequestKind| seen.iter().position(|seen| *seen == kind).unwrap();
    let order = [RequestKind::Lists, RequestKind::Bundles, RequestKind::Submit, RequestKind::Push, RequestKind::Mail];
    assert!(order.map(of).is_sorted(), "{seen:?}");
    assert_eq!(world.inbox_texts(carol), Vec::<Vec<u8>>::new());
    assert_eq!(world.read(ALICE), [b"one".to_vec(), b"two".to_vec()], "in the order in which they were sent");

    // A user's batches ride oldest first, one request at a time.
    world.begin(carol, &["alice"], b"three");
    world.begin(carol, &["alice"], b"four");
    let out = all(&mut world, carol);
    assert_eq!(kinds(&out), [RequestKind::Submit]);
    // What was signed anew for its age holds up nothing; a list with other devices goes before all else.
    let to_alice =
        |request: &ServerRequest| batches(request).iter().filter(|batch| batch.user == user("alice")).count();
    assert_eq!(to_alice(&out[0]), 1);
    world.with_requests(carol, |_, _, requests| requests.retry_now());
    world.pass(8 * DAY);
    // A list is signed anew on top of the newest that the server has: it is asked for first.
    let kinds_due = [RequestKind::Lists, RequestKind::Submit, RequestKind::Publication];
    assert_eq!(kinds(&all(&mut world, carol)), kinds_due);
    world.with_requests(carol, |_, _, requests| requests.retry_now());
    world.run(carol);
    world.link_quietly("carol");
    world.begin(carol, &["alice"], b"five");
    assert_eq!(kinds(&all(&mut world, carol)), [RequestKind::Publication]);
}

#[test]
fn r05_no_answer_is_an_error_and_each_is_one_commit() {
    let bodies: [&[u8]; 5] = [b"", b"\0", b"<html>Sign in to the network</html>", &[0xff; 64], &[0; 24]];
    for status in [0, 200, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 503, 999] {
        for body in bodies {
            let mut world = World::pair(5);
            world.create("carol");
            world.send(ALICE, &["bob"], b"for Bob");
            world.pass(3 * DAY);
            world.begin(BOB, &["alice", "carol"], b"x");
            world.with(BOB, |device, context| device.set_push(context, b"here")).unwrap();
            world.with_requests(BOB, |_, _, requests| requests.request_mail(100));
            let out = all(&mut world, BOB);
            assert_eq!(out.len(), 5, "{:?}", kinds(&out));
            let store = world.hosts[&BOB].store.clone();
            for request in &out {
                store.take_commits();
                assert!(respond(&mut world, BOB, request, (status, body)).known);
                assert!(store.take_commits() <= 1, "{status} to {request:?}");
            }
        }
    }
}

#[test]
fn r06_one_failure_pauses_everything_and_what_failed_goes_last() {
    for (status, body, code) in [
        (0, b"".as_slice(), Code::ServerUnreachable),
        (302, b"", Code::ServerAnswer),
        (429, b"", Code::ServerBusy),
        (500, b"", Code::ServerBusy),
        (503, b"", Code::ServerBusy),
        (200, b"<html>Sign in to the network</html>", Code::ServerAnswer),
    ] {
        let mut world = at_rest(6);
        world.begin(BOB, &["alice"], b"x");
        world.with(BOB, |device, context| device.set_push(context, b"here")).unwrap();
        let mut longest = 0;
        for failures in 0..12 {
            let request = world.next(BOB).unwrap().unwrap();
            let answered = respond(&mut world, BOB, &request, (status, body));
            assert_eq!(answered.problem, code.number(), "{status}");
            assert_eq!(world.next(BOB).unwrap(), None, "the loop ends at once");
            let pause = due_in(&mut world, BOB);
            let meant = (1_000_u64 << failures).min(5 * MINUTE);
            assert!((meant * 8 / 10..=meant * 12 / 10).contains(&pause), "{pause} after {failures} failures");
            longest = longest.max(pause);
            world.pass(pause);
        }
        assert!(longest > 4 * MINUTE);
        // The submission failed first, and has waited while the push value had its turn.
        world.run(BOB);
        assert_eq!(world.read(ALICE), [b"x"]);
    }
    let mut world = at_rest(66);
    world.begin(BOB, &["alice"], b"x");
    world.with(BOB, |device, context| device.set_push(context, b"here")).unwrap();
    let request = world.next(BOB).unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Submit);
    respond(&mut world, BOB, &request, (503, &problem(90_000, 0, vec![])));
    assert_eq!(due_in(&mut world, BOB), 90_000, "as long as the server asks for");
    world.pass(90_000);
    let request = world.next(BOB).unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Push, "what failed goes last");
    respond(&mut world, BOB, &request, (503, &problem(u32::MAX, 0, vec![])));
    assert_eq!(due_in(&mut world, BOB), 60 * MINUTE, "an hour at most");
}

#[test]
fn r07_later_pauses_one_user() {
    let mut world = World::acquainted(7, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    world.run(BOB);
    world.begin(BOB, &["alice", "jen"], b"x");
    world.run_with(BOB, &mut |world, request| {
        let later = |batch: &request::Batch| match batch.user == user("alice") {
            true => SubmitResult::Later { seconds: 30 },
            false => SubmitResult::Taken { id: 1, list: [0; 32] },
        };
        if request.kind != RequestKind::Submit {
            return world.perform(request);
        }
        (200, results(batches(request).iter().map(later).collect()))
    });
    assert_eq!(due_in(&mut world, BOB), 30_000);
    world.begin(BOB, &["jen"], b"y");
    world.run(BOB);
    assert_eq!((world.read(JEN), world.read(ALICE)), (vec![b"y".to_vec()], vec![]), "others go on");
    world.pass(30_000);
    world.run(BOB);
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn r07_what_the_server_cannot_read_is_split_until_one_user_fails() {
    for (status, code) in [(400, Code::ServerAnswer), (413, Code::TooLarge)] {
        let mut world = World::acquainted(70, &[("alice", 1), ("bob", 1), ("jen", 1)]);
        world.run(BOB);
        let send = world.begin(BOB, &["alice", "jen"], b"x");
        world.run_with(BOB, &mut |world, request| match request.users.contains(&user("alice")) {
            true => (status, Vec::new()),
            false => world.perform(request),
        });
        let status = world.status(BOB, &send.id).unwrap();
        let outcome = |at: usize| (status.users[at].outcome, status.users[at].reason);
        assert_eq!((outcome(0), outcome(1)), ((Outcome::Failed, code.number()), (Outcome::Sent, 0)));
        assert_eq!(world.read(JEN), [b"x"]);
        // The same for a question about several users.
        world.create("carol");
        world.create("dan");
        let send = world.begin(BOB, &["carol", "dan"], b"y");
        for _ in 0..6 {
            world.run_with(BOB, &mut |world, request| match request.users.contains(&user("carol")) {
                true => (400, Vec::new()),
                false => world.perform(request),
            });
            world.pass(MINUTE);
        }
        let status = world.status(BOB, &send.id).unwrap();
        let outcomes: Vec<_> = status.users.iter().map(|user| user.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::Sent]);
    }
}

#[test]
fn r07_the_first_401_is_answered_by_a_signature_at_the_servers_time_and_the_second_by_an_upload() {
    let mut world = at_rest(71);
    world.begin(BOB, &["alice"], b"x");
    // Bob's clock runs behind by two hours.
    let server_time = world.now + 120 * MINUTE;
    let mut refused = 0;
    world.run_with(BOB, &mut |world, request| {
        let before = world.now;
        world.now = server_time;
        let (status, body) = world.perform(request);
        world.now = before;
        refused += usize::from(status == 401);
        (status, body)
    });
    assert_eq!((refused, world.read(ALICE)), (1, vec![b"x".to_vec()]));
    let health = world.with_requests(BOB, |device, context, requests| device.health(context, requests)).unwrap();
    assert_eq!(health.clock_offset, 120 * 60_000);

    let mut world = at_rest(72);
    world.begin(BOB, &["alice"], b"x");
    let body = problem(0, world.now, vec![]);
    let asked = world.run_with(BOB, &mut |_, _| (401, body.clone()));
    assert_eq!(asked, 2, "again at once, then a pause");
    world.pass(2_000);
    let request = world.next(BOB).unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Publication, "the server may have lost the keys");
    world.with_requests(BOB, |_, _, requests| requests.retry_now());
    world.run(BOB);
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn r07_a_refused_registration_is_said_and_is_the_end() {
    for taken in [false, true] {
        let mut world = World::new(73);
        world.create("alice");
        let mut other = World::new(74);
        let name = other.create_quietly(if taken { "alice" } else { "bob" });
        let list = world.list("alice").shown(16).unwrap();
        let answer = if taken { (409, problem(0, 0, list)) } else { (403, refusal()) };
        assert_eq!(other.run_with(name, &mut |_, _| answer.clone()), 1);
        assert_eq!(other.inbox_events(name), [Event::RegistrationRefused { user: user(name.0) }]);
        for reopens in [false, true] {
            if reopens {
                other.reopen(name);
            }
            other.pass(DAY);
            other.with_requests(name, |_, _, requests| requests.retry_now());
            assert_eq!(other.next(name).unwrap(), None);
            let health =
                other.with_requests(name, |device, context, requests| device.health(context, requests)).unwrap();
            assert_eq!(health.problem, Code::RegistrationRefused.number());
        }
        assert_eq!(other.inbox_events(name).len(), 1, "it is said once");
        let error = other.with(name, |d, c| d.batch_encrypt(c, &[user("jen")], b"x", None)).unwrap_err();
        assert_eq!(error.code, Code::RegistrationRefused);
    }
}

#[test]
fn r08_an_answer_that_settles_nothing_pauses_its_work_and_the_fifth_stale_round_fails() {
    let mut world = World::acquainted(8, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    world.run(BOB);
    let send = world.begin(BOB, &["alice", "jen"], b"x");
    let list = world.list("alice").shown(16).unwrap();
    let (mut rounds, mut waited) = (0, 0);
    loop {
        let asked = world.run_with(BOB, &mut |world, request| {
            if request.kind != RequestKind::Submit {
                return world.perform(request);
            }
            let of = |batch: &request::Batch| match batch.user == user("alice") {
                true => stale(list.clone()),
                false => SubmitResult::Taken { id: 1, list: [0; 32] },
            };
            (200, results(batches(request).iter().map(of).collect()))
        });
        assert!(asked <= 1, "no second round without a pause");
        rounds += asked;
        let status = world.status(BOB, &send.id).unwrap();
        assert_eq!(status.users[1].outcome, Outcome::Sent);
        if status.finished {
            assert_eq!(status.users[0].reason, Code::TooManyRounds.number());
            break;
        }
        let pause = due_in(&mut world, BOB);
        assert!(pause > 0);
        waited += pause;
        world.pass(pause);
    }
    assert_eq!(rounds, 5);
    assert!(waited > 10_000, "{waited} ms for five rounds");
}

#[test]
fn r08_lists_that_cannot_be_used_are_asked_for_five_times() {
    let mut world = at_rest(80);
    world.create("carol");
    let other = world.list("alice").shown(16).unwrap();
    for bad in [b"no list".to_vec(), other] {
        let send = world.begin(BOB, &["carol"], b"x");
        let mut asked = 0;
        while !world.status(BOB, &send.id).unwrap().finished {
            asked += world.run_with(BOB, &mut |world, request| match request.kind {
                RequestKind::Lists => (200, lists(vec![Some(bad.clone())])),
                _ => world.perform(request),
            });
            assert!(asked < 20);
            let pause = due_in(&mut world, BOB);
            assert!(pause > 0 || world.status(BOB, &send.id).unwrap().finished);
            world.pass(pause);
        }
        assert!((5..=7).contains(&asked), "{asked}");
    }
}

#[test]
fn r09_due_in_is_at_most_a_day_and_a_pause_beyond_an_hour_is_over() {
    let mut world = at_rest(9);
    let idle = due_in(&mut world, BOB);
    assert!(0 < idle && idle <= DAY, "{idle}");
    world.pass(idle);
    assert_eq!(world.next(BOB).unwrap(), None);
    let due = due_in(&mut world, BOB);
    assert_eq!(due, DAY, "and a day later again");
    world.begin(BOB, &["alice"], b"x");
    assert_eq!(due_in(&mut world, BOB), 0, "a call that makes work makes it due");
    let request = world.next(BOB).unwrap().unwrap();
    respond(&mut world, BOB, &request, (503, &problem(30 * 60_000, 0, vec![])));
    assert_eq!(due_in(&mut world, BOB), 30 * MINUTE);
    // The clock goes back by a year: the pause would last that long.
    world.now -= 365 * DAY;
    assert_eq!(due_in(&mut world, BOB), 0);
}

#[test]
fn r10_housekeeping_runs_within_the_loop_and_forgets_nothing_before_the_mailbox_was_read_to_its_end() {
    let mut world = at_rest(10);
    world.fetch(ALICE);
    let kept = world.rows(ALICE, &[Kind::Received]);
    assert!(kept > 0);
    world.send(BOB, &["alice"], b"late");
    world.pass(32 * DAY);
    world.run(ALICE);
    assert_eq!(world.rows(ALICE, &[Kind::Received]), kept, "not by the clock alone");
    world.with_requests(ALICE, |_, _, requests| requests.request_mail(1));
    world.run_with(ALICE, &mut |world, request| match request.kind {
        RequestKind::Mail => {
            let (status, body) = world.perform(request);
            let mail = Mail::decode(&body).unwrap();
            (status, Mail { left: 1, ..mail }.encode().unwrap())
        }
        _ => world.perform(request),
    });
    world.pass(DAY);
    world.run(ALICE);
    assert_eq!(world.rows(ALICE, &[Kind::Received]), kept + 1, "something is left in the mailbox");
    world.fetch(ALICE);
    world.pass(DAY);
    world.run(ALICE);
    assert_eq!(world.rows(ALICE, &[Kind::Received]), 1, "what is older than 30 days has gone");
}

#[test]
fn r11_mail_goes_to_the_inbox_then_a_confirmation_goes_out() {
    let mut world = at_rest(11);
    for n in 0..5_u8 {
        world.send(ALICE, &["bob"], &[n]);
    }
    world.with_requests(BOB, |_, _, requests| requests.request_mail(3));
    let request = world.next(BOB).unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Mail);
    let answered = answer(&mut world, BOB, &request);
    let items: Vec<u64> = world.inbox(BOB).iter().map(|row| row.id).collect();
    assert_eq!((answered.items.len(), answered.items), (3, items), "what it said is in the inbox, and the limit holds");
    assert_eq!(world.mails(BOB).len(), 5, "and still in the mailbox");
    world.run(BOB);
    assert_eq!(world.mails(BOB).len(), 2, "until the confirmation came");
    world.fetch(BOB);
    assert_eq!(world.inbox_texts(BOB), (0..5).map(|n| vec![n]).collect::<Vec<_>>());

    // An envelope that came by another way is confirmed by nobody.
    world.send(ALICE, &["bob"], b"pushed");
    let pushed = world.mails(BOB);
    let opened = world.with(BOB, |device, context| device.batch_decrypt(context, &pushed, false)).unwrap();
    assert_eq!((opened[0].outcome, opened[0].keep), (MailOutcome::Opened, false));
    assert_eq!(world.run(BOB), 0);
    let again = world.with(BOB, |device, context| device.batch_decrypt(context, &pushed, true)).unwrap();
    assert_eq!(again[0].outcome, MailOutcome::Duplicate);
}

#[test]
fn r11_a_full_inbox_fetches_no_mail_and_says_so() {
    let mut world = at_rest(111);
    let large = vec![7; 65_536];
    let mut sent = 0;
    loop {
        world.send(ALICE, &["bob"], &large);
        sent += 1;
        world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
        if world.run(BOB) == 0 {
            break;
        }
        assert!(sent < 300, "the inbox is never full");
    }
    assert!(sent > 200, "{sent}");
    let health = world.with_requests(BOB, |device, context, requests| device.health(context, requests)).unwrap();
    assert_eq!(health.problem, Code::InboxFull.number());
    assert_eq!(world.mails(BOB).len(), 1, "it waits in the mailbox");
    let ids: Vec<u64> = world.inbox(BOB).iter().map(|row| row.id).collect();
    world.with(BOB, |device, context| device.ack(context, &ids)).unwrap();
    world.run(BOB);
    assert_eq!(world.inbox_texts(BOB).len(), 1);
}

#[test]
fn r12_the_same_content_id_is_the_same_send_until_its_end_is_acked() {
    let mut world = at_rest(12);
    let id = Some(ContentId([9; 16]));
    let to = [user("alice")];
    let first = world.with(BOB, |d, c| d.batch_encrypt(c, &to, b"x", id)).unwrap();
    let rows = world.dump(BOB);
    let again = world.with(BOB, |d, c| d.batch_encrypt(c, &to, b"x", id)).unwrap();
    assert_eq!((first, &rows), (again, &world.dump(BOB)));
    for (to, payload) in [(vec![user("alice")], b"y"), (vec![user("jen")], b"x")] {
        let other = world.with(BOB, |d, c| d.batch_encrypt(c, &to, payload, id)).unwrap_err();
        assert_eq!((other.code, other.code.blame()), (Code::ContentIdInUse, Blame::App));
    }
    world.run(BOB);
    assert_eq!(world.with(BOB, |d, c| d.batch_encrypt(c, &to, b"x", id)).unwrap(), first, "finished, and not acked");
    world.ack_end(BOB, first.id);
    let next = world.with(BOB, |d, c| d.batch_encrypt(c, &to, b"x", id)).unwrap();
    assert_ne!(next.id, first.id, "then it is another send");
    world.run(BOB);
    assert_eq!(world.mails(ALICE).len(), 2);
}

#[test]
fn r13_a_second_process_may_repeat_work_harmlessly() {
    let mut world = at_rest(13);
    world.begin(BOB, &["alice"], b"x");
    world.send(ALICE, &["bob"], b"for Bob");
    let store = world.hosts[&BOB].store.clone();
    let second = Device::open(store, &store_key()).unwrap();
    let mut requests = Requests::new();
    let theirs = world.with(BOB, |_, context| second.next_request(context, &mut requests)).unwrap().unwrap();
    let ours = world.next(BOB).unwrap().unwrap();
    assert_eq!(theirs.body, ours.body);
    let (status, body) = world.perform(&theirs);
    let settled = world.with(BOB, |_, context| second.respond(context, &mut requests, &theirs.id, (status, &body)));
    assert_eq!(settled.unwrap().problem, 0);
    assert_eq!(answer(&mut world, BOB, &ours).problem, 0);
    assert_eq!(world.mails(ALICE).len(), 1);
    let ended = world.inbox_events(BOB).into_iter().filter(|event| matches!(event, Event::SendFinished { .. })).count();
    assert_eq!(ended, 1);
    // It reads what is new to it, and acks nothing.
    let shown = world.inbox(BOB).last().unwrap().id;
    world.fetch(BOB);
    let new = world.with(BOB, |_, context| second.inbox(context, shown, 10)).unwrap();
    assert!(new.iter().any(|row| matches!(&row.item, Item::Message(message) if message.payload == b"for Bob")));
    assert!(new.iter().all(|row| row.id > shown));
}

#[test]
fn r14_what_waits_for_the_apps_word_is_never_a_request_nor_is_anything_after_a_removal() {
    let mut world = at_rest(14);
    world.link("bob");
    let tablet = ("bob", 2);
    world.run(tablet);
    // Another Alice.
    let mut other = World::new(140);
    other.create("alice");
    let send = world.begin(tablet, &["alice"], b"x");
    world.with(tablet, |device, context| device.look_up(context, &[user("alice")])).unwrap();
    let list = other.list("alice").shown(16).unwrap();
    world.run_with(tablet, &mut |world, request| match request.kind {
        RequestKind::Lists if request.users.contains(&user("alice")) => (200, lists(vec![Some(list.clone())])),
        _ => world.perform(request),
    });
    let status = world.status(tablet, &send.id).unwrap();
    assert!(status.users[0].outcome == Outcome::Sent || status.users[0].waiting_for != WaitingFor::Nothing);
    let blocked = world.begin(tablet, &["alice"], b"y");
    world.run(tablet);
    let status = world.status(tablet, &blocked.id).unwrap();
    assert_eq!(status.users[0].waiting_for, WaitingFor::Identity);
    world.with_requests(tablet, |_, _, requests| requests.retry_now());
    assert_eq!(world.next(tablet).unwrap(), None);

    world.remove(tablet);
    world.with_requests(tablet, |_, _, requests| requests.request_mail(10));
    world.run(tablet);
    let removed = |event: &Event| matches!(event, Event::RemovedFromAccount { .. });
    let events = world.inbox_events(tablet);
    assert_eq!(events.iter().filter(|event| removed(event)).count(), 1);
    let ended = |event: &Event| match event {
        Event::SendFinished { send, failed, .. } if *send == blocked.id => failed[0].reason,
        _ => 0,
    };
    assert_eq!(events.iter().map(ended).max(), Some(Code::RemovedFromAccount.number()), "what was open has its end");
    assert!(world.with(tablet, |device, context| device.sends(context)).unwrap().iter().all(|send| send.finished));
    world.pass(3 * DAY);
    assert_eq!(world.next(tablet).unwrap(), None);
    world.reopen(tablet);
    assert_eq!(world.next(tablet).unwrap(), None, "nor after a restart");
    let error = world.with(tablet, |d, c| d.batch_encrypt(c, &[user("alice")], b"z", None)).unwrap_err();
    assert_eq!((error.code, error.code.blame()), (Code::DeviceRemoved, Blame::App));
}

#[test]
fn the_account_is_deleted_by_a_request_and_nothing_follows_it() {
    let mut world = at_rest(15);
    let send = world.begin(BOB, &["alice"], b"x");
    world.with(BOB, |device, context| device.delete_account(context)).unwrap();
    let error = world.with(BOB, |d, c| d.batch_encrypt(c, &[user("alice")], b"z", None)).unwrap_err();
    assert_eq!(error.code, Code::DeviceRemoved);
    let request = world.next(BOB).unwrap().unwrap();
    assert_eq!(request.kind, RequestKind::Delete);
    assert_eq!(answer(&mut world, BOB, &request).problem, 0);
    assert_eq!(world.relay.device_list(&user("bob")), None);
    assert_eq!(world.next(BOB).unwrap(), None);
    assert!(due_in(&mut world, BOB) > 0);
    let status = world.status(BOB, &send.id).unwrap();
    let [alice] = &status.users[..] else { panic!("{status:?}") };
    assert_eq!((status.finished, alice.outcome, alice.reason), (true, Outcome::Cancelled, Code::Cancelled.number()));
    let again = world.with(BOB, |device, context| device.retry(context, &send.id)).unwrap_err();
    let error = world.with(BOB, |d, c| d.batch_encrypt(c, &[user("alice")], b"z", None)).unwrap_err();
    assert_eq!((again.code, error.code), (Code::DeviceRemoved, Code::DeviceRemoved));
}

#[test]
fn a_device_that_logs_out_is_removed_by_its_primary_and_its_store_is_erased() {
    let mut world = at_rest(16);
    world.link("bob");
    let (tablet, laptop) = (("bob", 2), world.link("bob"));
    for name in [BOB, tablet, laptop] {
        world.run(name);
        world.fetch(name);
    }
    let refused = world.with(BOB, |device, context| device.log_out(context)).unwrap_err();
    assert_eq!((refused.code, refused.code.blame()), (Code::InvalidArgument, Blame::App));
    let send = world.with(laptop, |device, context| device.log_out(context)).unwrap();
    world.run(laptop);
    let end = |event: &Event| matches!(event, Event::SendFinished { send: of, failed, .. } if *of == send.id && failed.is_empty());
    assert!(world.inbox_events(laptop).iter().any(end));
    let wants = |event: &Event| matches!(event, Event::DeviceWantsRemoval { device: DeviceId(3) });
    for (name, told) in [(BOB, 1), (tablet, 0)] {
        world.fetch(name);
        let told_here = world.inbox_events(name).iter().filter(|event| wants(event)).count();
        assert_eq!(told_here, told, "{name:?}: only the primary can do it");
        assert_eq!(world.inbox_texts(name), Vec::<Vec<u8>>::new());
    }
    world.with(BOB, |device, context| device.remove_device(context, DeviceId(3))).unwrap();
    world.run(BOB);
    assert!(world.list("bob").list.device(DeviceId(3)).is_none());

    let store = world.hosts[&laptop].store.clone();
    assert!(!store.inner.dump().is_empty());
    world.with(laptop, |_, context| Device::erase(store.as_ref(), context)).unwrap();
    assert_eq!(store.inner.dump(), std::collections::BTreeMap::new());
    // The handle that is still there makes nothing anew.
    let error = world.with(laptop, |device, context| device.batch_encrypt(context, &[user("alice")], b"x", None));
    assert_eq!(error.unwrap_err().code, Code::ForeignStore);
    assert_eq!(store.inner.dump(), std::collections::BTreeMap::new());
    assert_eq!(Device::open(store.clone(), &store_key()).map(drop).unwrap_err().code, Code::ForeignStore);
    // A handle that is left over does nothing to the device that somebody else makes there.
    let jen =
        world.with(laptop, |_, c| Device::create(store.clone(), &store_key(), c, &user("jen"), &server())).unwrap();
    let rows = store.inner.dump();
    for of_jen in [false, true] {
        let codes = world.with_requests(laptop, |old, context, requests| {
            let device = if of_jen { &jen } else { old };
            let mut results = vec![
                device.inbox(context, 0, 10).map(drop),
                device.due_in(context, requests).map(drop),
                device.sends(context).map(drop),
                device.is_primary(context).map(drop),
            ];
            if !of_jen {
                results.push(device.ack(context, &[1]));
                results.push(device.set_push(context, b"token"));
                results.push(device.delete_account(context));
                results.push(device.next_request(context, requests).map(drop));
            }
            results
        });
        let wanted = if of_jen { Ok(()) } else { Err(Code::ForeignStore) };
        assert!(codes.into_iter().all(|result| result.map_err(|error| error.code) == wanted));
    }
    assert_eq!(store.inner.dump(), rows);
}
