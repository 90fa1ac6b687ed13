//! A send to a group of 1,000 users by the loop of requests: each answer is one commit. It prints what an answer costs for each user, beside
//! the single steps beneath the loop, which commit once for each user. No time is a claim.

use sesame_core::{
    event::{Event, RequestKind},
    internal::steps::Steps,
};
use sesame_tests::{ALICE, DAY, World};
use std::time::{Duration, Instant};

const USERS: usize = 1_000;

// It decides nothing.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6 / (USERS - 1) as f64
}

#[test]
fn a_send_to_1000_users_of_a_group_settles_in_one_commit_for_each_answer() {
    let mut world = World::new(1_000);
    world.create("alice");
    let others = world.crowd(1..USERS, false);
    world.show_lists(ALICE, &others);
    let (group, send) = world.found_quietly(ALICE, "All of us", &others);
    let store = world.hosts[&ALICE].store.clone();

    // The group is told, and 999 sessions are begun: by the loop as well.
    store.take_commits();
    let begun = now();
    let (mut asked, mut answers) = (0, 0);
    while let Some(request) = world.next(ALICE).unwrap() {
        let (status, body) = world.perform(&request);
        store.take_commits();
        assert_eq!(world.respond(ALICE, &request.id, (status, &body)).unwrap().problem, 0);
        answers += store.take_commits();
        asked += 1;
    }
    assert_eq!((world.status(ALICE, &send.id).unwrap().finished, answers), (true, asked));
    println!("told to {USERS} users in {asked} requests, {:.1} s", begun.elapsed().as_secs_f64());
    world.ack_end(ALICE, send.id);

    // By the loop.
    let text = b"hello";
    let send = world.in_group(ALICE, group, |group, context| group.send(context, text, None)).unwrap();
    let (mut asked, mut given, mut heard, mut commits) = (0, Duration::ZERO, Duration::ZERO, 0);
    loop {
        let begun = now();
        let request = world.next(ALICE).unwrap();
        given += begun.elapsed();
        let Some(request) = request else { break };
        assert_eq!(request.kind, RequestKind::Submit);
        let (status, body) = world.perform(&request);
        store.take_commits();
        let begun = now();
        world.respond(ALICE, &request.id, (status, &body)).unwrap();
        heard += begun.elapsed();
        let of_this = store.take_commits();
        assert_eq!(of_this, 1, "one answer is one commit");
        commits += of_this;
        asked += 1;
    }
    let ended = world.inbox_events(ALICE).into_iter().find_map(|event| match event {
        Event::SendFinished { send: of, reached, failed, .. } if of == send.id => Some((reached, failed.len())),
        _ => None,
    });
    assert_eq!(ended, Some((USERS as u32 - 1, 0)));
    assert_eq!(asked, USERS.div_ceil(64) as u64, "64 batches in a request, the empty one of our own among them");
    println!(
        "the loop: {asked} answers, {commits} commits; respond {:.0} µs for each user, next_request {:.0} µs",
        micros(heard),
        micros(given)
    );
    world.ack_end(ALICE, send.id);

    // The daily housekeeping is part of the loop, a slice in each call.
    world.pass(DAY);
    let mut slices: Vec<Duration> = Vec::new();
    for _ in 0..40 {
        let begun = now();
        let request = world.next(ALICE).unwrap();
        slices.push(begun.elapsed());
        if let Some(request) = request {
            world.respond(ALICE, &request.id, (0, &[])).unwrap();
        }
        world.pass(1_000);
    }
    let longest = slices.iter().max().copied().unwrap_or_default();
    println!("housekeeping with {USERS} sessions: {:.0} ms in the longest call", longest.as_secs_f64() * 1e3);

    // By single steps.
    let send = world.whisper(ALICE, group, text);
    store.take_commits();
    let begun = now();
    for batch in &send.batches {
        world.with(ALICE, |device, context| device.accepted(context, &send.id, &batch.user)).unwrap();
    }
    let time = begun.elapsed();
    let commits = store.take_commits();
    println!("one accepted for each user: {commits} commits, {:.0} µs for each user", micros(time));
    assert!(commits >= USERS as u64);
}
