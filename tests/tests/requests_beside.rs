//! What the loop makes of several requests at a time, of pages that a proxy writes in the server's place, and of what a server has lost.

use sesame_core::{
    context::Context,
    device::{Device, Requests},
    error::Code,
    event::{Answered, Event, Outcome, RequestKind, ServerRequest},
    ids::DeviceId,
    internal::wire::answer::{Stock, SubmitResult},
};
use sesame_tests::{
    ALICE, BOB, DAY, Name, World, messages,
    pump::{batches, bundles, problem, results, stale},
    store_key, user,
};

/// Alice, Bob and Jen, whose handles have nothing left to do and whom the server has told what it holds.
fn at_rest(seed: u64) -> World {
    let mut world = World::acquainted(seed, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let names: Vec<Name> = world.hosts.keys().copied().collect();
    for name in names {
        world.run(name);
        world.fetch(name);
    }
    world
}

fn all(world: &mut World, name: Name) -> Vec<ServerRequest> {
    std::iter::from_fn(|| world.next(name).unwrap()).collect()
}

fn respond(world: &mut World, name: Name, request: &ServerRequest, (status, body): (u16, &[u8])) -> Answered {
    world.respond(name, &request.id, (status, body)).unwrap()
}

fn problem_of(world: &mut World, name: Name) -> u16 {
    world.with_requests(name, |device, context, requests| device.health(context, requests)).unwrap().problem
}

/// A submission and a question for mail, given out together.
fn two(world: &mut World) -> [ServerRequest; 2] {
    world.begin(BOB, &["alice"], b"x");
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    let requests: [ServerRequest; 2] = all(world, BOB).try_into().unwrap();
    assert_eq!(requests.each_ref().map(|request| request.kind), [RequestKind::Submit, RequestKind::Mail]);
    requests
}

#[test]
fn an_answer_to_what_was_given_out_before_a_failure_ends_no_pause() {
    let mut world = at_rest(1);
    let [submit, mail] = two(&mut world);
    let hour = problem(3_600_000, 0, vec![]);
    respond(&mut world, BOB, &submit, (429, &hour));
    let (status, body) = world.perform(&mail);
    assert_eq!(respond(&mut world, BOB, &mail, (status, &body)).problem, 0);
    assert_eq!((world.next(BOB).unwrap(), problem_of(&mut world, BOB)), (None, Code::ServerBusy.number()));
    world.pass(3_600_000);
    assert_eq!(world.next(BOB).unwrap().unwrap().kind, RequestKind::Submit);
}

#[test]
fn refused_signatures_of_one_wrong_clock_are_one_refusal() {
    let mut world = at_rest(2);
    let requests = two(&mut world);
    let late = problem(0, world.now + 2 * 3_600_000, vec![]);
    for request in &requests {
        assert_eq!(respond(&mut world, BOB, request, (401, &late)).problem, 0);
    }
    let again: Vec<RequestKind> = all(&mut world, BOB).iter().map(|request| request.kind).collect();
    assert_eq!(again, [RequestKind::Submit, RequestKind::Mail], "no pause, and no upload");
}

#[test]
fn a_proxys_page_ends_no_account_and_no_send() {
    let page = b"<html>Request blocked</html>";
    for status in [400, 403, 404, 413] {
        // A device that registers, and one that is a year old.
        let mut world = World::new(3);
        let name = world.create_quietly("alice");
        assert_eq!(world.run_with(name, &mut |_, _| (status, page.to_vec())), 1);
        assert_eq!(world.inbox_events(name), [], "{status}");
        world.with_requests(name, |_, _, requests| requests.retry_now());
        assert!(world.run(name) > 0);
        let mut world = at_rest(4);
        let send = world.begin(BOB, &["alice", "jen"], b"x");
        world.pass(8 * DAY);
        for _ in 0..3 {
            assert_eq!(world.run_with(BOB, &mut |_, _| (status, page.to_vec())), 1, "{status} pauses everything");
            world.pass(3_600_000);
        }
        let outcomes: Vec<Outcome> =
            world.status(BOB, &send.id).unwrap().users.iter().map(|user| user.outcome).collect();
        assert_eq!(outcomes, [Outcome::Waiting; 2], "{status}");
        world.run(BOB);
        assert_eq!(world.read(ALICE), [b"x"], "{status}");
    }
}

#[test]
fn no_word_of_a_server_ends_a_device_that_it_knew() {
    let mut world = at_rest(5);
    let mut other = World::new(6);
    other.create("bob");
    let anothers = other.list("bob").shown(16).unwrap();
    for answer in [(403, sesame_tests::pump::refusal()), (409, problem(0, 0, anothers))] {
        world.pass(8 * DAY);
        let asked = world.run_with(BOB, &mut |world, request| match request.kind {
            RequestKind::Publication => answer.clone(),
            _ => world.perform(request),
        });
        assert!(asked > 0);
        let refused = |event: &Event| matches!(event, Event::RegistrationRefused { .. });
        assert!(!world.inbox_events(BOB).iter().any(refused));
        world.pass(3_600_000);
        assert!(world.run(BOB) > 0, "it goes on");
    }
}

#[test]
fn what_a_server_has_lost_goes_up_again_with_the_push_value() {
    let mut world = at_rest(7);
    world.with(BOB, |device, context| device.set_push(context, b"token")).unwrap();
    world.run(BOB);
    let knocks = |kinds: &[RequestKind]| kinds.iter().filter(|kind| **kind == RequestKind::Push).count();
    let kinds = |world: &mut World, refuses: bool| {
        let mut kinds = Vec::new();
        for _ in 0..3 {
            world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
            world.run_with(BOB, &mut |world, request| {
                kinds.push(request.kind);
                if refuses && !kinds.contains(&RequestKind::Publication) {
                    return (401, problem(0, world.now, vec![]));
                }
                world.perform(request)
            });
            world.pass(3_600_000);
        }
        kinds
    };
    assert_eq!(knocks(&kinds(&mut world, false)), 0, "it has the value");
    world.relay.restored();
    assert_eq!(knocks(&kinds(&mut world, false)), 1, "a server that was put back may have lost it");
    assert_eq!(knocks(&kinds(&mut world, true)), 1, "so may one that knows our key no more");
}

#[test]
fn a_removal_is_said_once_however_many_answers_show_it() {
    let mut world = at_rest(8);
    world.link("bob");
    let tablet = ("bob", 2);
    world.run(tablet);
    world.fetch(tablet);
    world.begin(tablet, &["alice"], b"x");
    world.with_requests(tablet, |_, _, requests| requests.request_mail(10));
    world.with(tablet, |device, context| device.set_push(context, b"token")).unwrap();
    let requests = all(&mut world, tablet);
    assert!(requests.len() >= 3, "{requests:?}");
    world.remove(tablet);
    for request in &requests {
        let (status, body) = world.perform(request);
        assert_eq!(status, 403);
        respond(&mut world, tablet, request, (status, &body));
    }
    world.reopen(tablet);
    assert_eq!(world.next(tablet).unwrap(), None);
    let removed = |event: &Event| matches!(event, Event::RemovedFromAccount { .. });
    assert_eq!(world.inbox_events(tablet).iter().filter(|event| removed(event)).count(), 1);
}

#[test]
fn a_stale_copy_for_own_devices_shows_a_removal_as_well() {
    let mut world = at_rest(9);
    world.link("bob");
    let tablet = ("bob", 2);
    world.run(tablet);
    world.fetch(tablet);
    let send = world.begin(tablet, &["alice"], b"x");
    world.remove(tablet);
    let list = world.list("bob").shown(16).unwrap();
    world.run_with(tablet, &mut |world, request| match request.kind {
        RequestKind::Submit => {
            let of = |batch: &sesame_core::internal::wire::request::Batch| match batch.user == user("bob") {
                true => stale(list.clone()),
                false => SubmitResult::Later { seconds: 60 },
            };
            (200, results(batches(request).iter().map(of).collect()))
        }
        _ => world.perform(request),
    });
    let removed = |event: &Event| matches!(event, Event::RemovedFromAccount { .. });
    assert_eq!(world.inbox_events(tablet).iter().filter(|event| removed(event)).count(), 1);
    assert!(world.status(tablet, &send.id).is_none_or(|status| status.finished));
}

#[test]
fn a_withdrawn_send_still_shows_own_devices_what_others_have_got() {
    for taken in [true, false] {
        let mut world = at_rest(10);
        world.link("bob");
        let tablet = ("bob", 2);
        for name in [BOB, tablet] {
            world.run(name);
            world.fetch(name);
        }
        let send = world.begin(BOB, &["alice", "jen"], b"x");
        // Alice has it, Jen and the tablet do not yet.
        world.run_with(BOB, &mut |world, request| match request.kind {
            RequestKind::Submit => {
                let of =
                    |batch: &sesame_core::internal::wire::request::Batch| match taken && batch.user == user("alice") {
                        true => SubmitResult::Taken { id: 1, list: [0; 32] },
                        false => SubmitResult::Later { seconds: 60 },
                    };
                (200, results(batches(request).iter().map(of).collect()))
            }
            _ => world.perform(request),
        });
        if !taken {
            // Nothing of a second send was given out.
            let unsent = world.begin(BOB, &["alice"], b"y");
            world
                .with_requests(BOB, |device, context, requests| device.cancel(context, requests, &unsent.id, None))
                .unwrap();
        }
        world.with_requests(BOB, |device, context, requests| device.cancel(context, requests, &send.id, None)).unwrap();
        world.pass(3_600_000);
        world.run(BOB);
        world.fetch(tablet);
        assert_eq!(world.inbox_texts(tablet), [b"x"], "what may have been sent is shown, what was not is not");
        assert!(world.hosts.contains_key(&("bob", DeviceId(2).0)));
    }
}

#[test]
fn a_send_of_a_clock_that_was_ahead_expires_as_well() {
    let mut world = at_rest(11);
    world.pass(365 * DAY);
    let send = world.begin(BOB, &["alice"], b"x");
    world.now -= 365 * DAY;
    let dead = &mut |_: &mut World, _: &ServerRequest| (0, vec![]);
    for _ in 0..33 {
        world.run_with(BOB, dead);
        world.pass(DAY);
    }
    let status = world.status(BOB, &send.id).unwrap();
    assert_eq!(status.users[0].reason, Code::Expired.number());
}

#[test]
fn the_servers_time_counts_in_every_401() {
    let mut world = at_rest(12);
    world.begin(BOB, &["alice"], b"x");
    // The phone runs a week behind; the first answer says so. Before the next one, the system sets the phone's clock right.
    let right = world.now + 7 * DAY;
    let mut first = true;
    world.run_with(BOB, &mut |_, _| match std::mem::take(&mut first) {
        true => (401, problem(0, right, vec![])),
        false => (0, vec![]),
    });
    world.now = right;
    let mut asked = 0;
    for _ in 0..6 {
        world.with_requests(BOB, |_, _, requests| requests.retry_now());
        asked += world.run(BOB);
    }
    assert!((2..20).contains(&asked), "{asked}");
    assert_eq!(world.read(ALICE), [b"x"]);
}

#[test]
fn mail_that_is_asked_for_while_an_answer_is_under_way_is_fetched() {
    let mut world = at_rest(13);
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    let fetch = world.next(BOB).unwrap().unwrap();
    let (status, empty) = world.perform(&fetch);
    world.send(ALICE, &["bob"], b"x");
    world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
    respond(&mut world, BOB, &fetch, (status, &empty));
    world.run(BOB);
    assert_eq!(world.inbox_texts(BOB), [b"x"]);
}

#[test]
fn a_server_that_counts_too_few_keys_is_fed_in_time_only() {
    let mut world = World::new(14);
    let name = world.create_quietly("alice");
    let mut asked = 0;
    for _ in 0..30 {
        world.with_requests(name, |_, _, requests| requests.request_mail(10));
        asked += world.run_with(name, &mut |world, request| {
            let (status, body) = world.perform(request);
            match Stock::decode(&body) {
                Ok(stock) if request.kind == RequestKind::Publication => {
                    (status, Stock { one_time: 20, wanted: 40, ..stock }.encode().unwrap())
                }
                _ => (status, body),
            }
        });
        world.pass(DAY);
    }
    assert!(asked < 200, "{asked} in 30 days");
}

#[test]
fn a_device_that_nobody_new_writes_to_keeps_young_keys_at_the_server() {
    let mut world = at_rest(15);
    for day in 0..400 {
        world.with_requests(BOB, |_, _, requests| requests.request_mail(10));
        let asked = world.run(BOB);
        assert!(asked < 12, "{asked} requests on day {day}");
        world.pass(DAY);
    }
    assert!(world.relay.bundle(&user("bob"), DeviceId(1)).is_some());
}

#[test]
fn a_retry_of_what_may_have_been_sent_is_the_same_batch() {
    let mut world = at_rest(16);
    let send = world.begin(BOB, &["alice"], b"x");
    // The server takes it, and its answer is lost.
    world.run_with(BOB, &mut |world, request| {
        let (status, body) = world.perform(request);
        if request.kind == RequestKind::Submit { (0, vec![]) } else { (status, body) }
    });
    world.with_requests(BOB, |device, context, requests| device.cancel(context, requests, &send.id, None)).unwrap();
    assert_eq!(world.status(BOB, &send.id).unwrap().users[0].reason, Code::MaybeSent.number());
    world.with(BOB, |device, context| device.retry(context, &send.id)).unwrap();
    world.with_requests(BOB, |_, _, requests| requests.retry_now());
    world.run(BOB);
    assert_eq!(world.status(BOB, &send.id).unwrap().users[0].outcome, Outcome::Sent);
    assert_eq!(world.read(ALICE), [b"x"], "once");
}

#[test]
fn what_a_user_says_to_own_devices_has_failed_if_none_of_them_was_reached() {
    let mut world = at_rest(20);
    world.link("bob");
    let tablet = ("bob", 2);
    let send = world.with(tablet, |device, context| device.log_out(context)).unwrap();
    world.run_with(tablet, &mut |world, request| match request.kind {
        RequestKind::Bundles => (200, bundles(vec![None])),
        _ => world.perform(request),
    });
    let status = world.status(tablet, &send.id).unwrap();
    assert_eq!((status.finished, status.users[0].outcome), (true, Outcome::Failed), "{status:?}");
    // A note to oneself needs nobody.
    let note = world.begin(ALICE, &["alice"], b"note");
    world.run(ALICE);
    assert_eq!(world.status(ALICE, &note.id).unwrap().users[0].outcome, Outcome::Sent);
}

#[test]
fn a_handle_that_paused_looks_anew_when_another_has_finished_its_sends() {
    // Two handles of one store, as an app and its extension have.
    for to in ["alice", "alicia"] {
        let mut world = at_rest(330);
        world.begin(BOB, &[to], b"hello");
        let request = world.next(BOB).unwrap().unwrap();
        respond(&mut world, BOB, &request, (500, b""));
        let paused = world.requests.remove(&BOB).unwrap();
        // The other handle sends it, and the app acks its end: the send is gone.
        world.requests.insert(BOB, Requests::new());
        world.run(BOB);
        let ids: Vec<u64> = world.inbox(BOB).iter().map(|row| row.id).collect();
        world.with(BOB, |device, context| device.ack(context, &ids)).unwrap();
        // The first one asks while it pauses, which must not make its old queue look young.
        world.requests.insert(BOB, paused);
        assert_eq!(world.next(BOB), Ok(None));
        world.pass(DAY / 24);
        assert_eq!(world.run(BOB), 0, "nothing is left to do");
    }
}

#[test]
fn what_was_begun_and_withdrawn_by_another_handle_is_not_handed_on() {
    for by_another in [false, true] {
        let mut world = at_rest(331);
        let store = world.hosts.get(&BOB).unwrap().store.clone();
        let first = world.begin(BOB, &["alice"], b"never").id;
        let withdraw = |device: &Device, context: &mut Context<'_>| {
            device.cancel(context, &Requests::new(), &first, None).unwrap();
        };
        if by_another {
            let other = Device::open(store, &store_key()).unwrap();
            world.with(BOB, |_, context| withdraw(&other, context));
        } else {
            world.with(BOB, withdraw);
        }
        world.begin(BOB, &["jen"], b"this");
        let users: Vec<_> = all(&mut world, BOB).into_iter().flat_map(|request| request.users).collect();
        assert!(users.contains(&user("jen")) && !users.contains(&user("alice")), "{by_another}");
    }
}

#[test]
fn what_is_begun_in_a_row_goes_out_in_its_order() {
    let mut world = at_rest(332);
    assert_eq!(all(&mut world, BOB), [], "there is a queue now, and it is empty");
    let texts: [&[u8]; 3] = [b"one", b"two", b"three"];
    for text in texts {
        world.begin(BOB, &["alice"], text);
    }
    world.run(BOB);
    let results = world.receive(ALICE).unwrap();
    assert_eq!(messages(&results).iter().map(|message| message.payload.as_slice()).collect::<Vec<_>>(), texts);
}
