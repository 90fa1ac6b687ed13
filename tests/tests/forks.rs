//! Sends while a fork waits for the app: the server takes batches for the list that it has, and only devices on both lists get anything (X 5).

use sesame_core::{
    error::Code,
    event::{Event, Outcome, RequestKind, ServerRequest},
    ids::{DeviceId, GroupId, SendId},
    internal::{
        keys::device_list::VerifiedDeviceList,
        wire::{
            answer::SubmitResult,
            request::{self, Content},
        },
    },
};
use sesame_relay::Relay;
use sesame_tests::{
    ALICE, BOB, Name, World,
    lists::published,
    pump::{batches, results, stale},
    user,
};
use std::collections::BTreeSet;

const LAPTOP: Name = ("alice", 2);
const TABLET: Name = ("alice", 3);
/// The device that is on one list alone: on one Alice's tablet, on the other one with other keys.
const THIRD: DeviceId = DeviceId(3);

/// Alice's account key has signed two lists that follow the same one, and each of two servers has one of them.
struct Forked {
    world: World,
    group: GroupId,
    servers: [Relay; 2],
    lists: [VerifiedDeviceList; 2],
}

impl Forked {
    /// Alice has a phone and a laptop. Her list goes on with a tablet, or with a thief's device.
    fn new(seed: u64) -> Self {
        let mut world = World::acquainted(seed, &[("alice", 2), ("bob", 1)]);
        let group = world.found(ALICE, "Trip", &["bob"]);
        world.say_yes(BOB, group);
        world.rest();
        for name in [ALICE, LAPTOP, BOB] {
            world.run(name);
        }
        let first = world.list("alice");
        let mut other = world.relay.clone();
        world.link("alice");
        world.rest();
        world.run(ALICE);
        world.run(LAPTOP);
        let mut devices = first.list.devices.clone();
        devices.push(world.ghost(THIRD.0, first.list.epoch + 1));
        let mut thief = world.forge_list("alice", Some(&first.list), &devices).unwrap();
        let mut chain = first.branch.clone();
        chain.join(&thief.branch, usize::MAX);
        thief.branch = chain;
        other.publish((&user("alice"), DeviceId(1)), &published(&thief)).unwrap();
        let lists = [world.list("alice"), thief];
        let servers = [world.relay.clone(), other];
        Self { world, group, servers, lists }
    }

    /// A device holds one of the lists and was shown the other one: so there is a fork, and its app has not decided.
    fn show_both(&mut self, name: Name, held: usize) {
        let mut events = Vec::new();
        for at in [held, 1 - held] {
            events.extend(self.world.show(name, self.lists[at].shown(16).unwrap()).0);
        }
        events.extend(self.world.inbox_events(name));
        assert!(events.iter().any(|event| matches!(event, Event::DeviceListFork { .. })), "{events:?}");
        assert_eq!(self.held(name), self.lists[held].list.name(), "{name:?}");
    }

    fn held(&mut self, name: Name) -> sesame_core::ids::ListHash {
        let known = self.world.with(name, |device, context| device.users(context)).unwrap();
        known.into_iter().find(|view| view.user == user("alice")).unwrap().list_hash.unwrap()
    }

    /// Begins a direct send, or one to the group.
    fn begin(&mut self, from: Name, in_group: bool, text: &[u8]) -> SendId {
        let group = self.group;
        if in_group {
            return self.world.in_group(from, group, |group, context| group.send(context, text, None)).unwrap().id;
        }
        let to = if from == BOB { "alice" } else { "bob" };
        self.world.begin(from, &[to], text).id
    }

    /// Runs the loop against the server at hand; gives how many batches it did not take. What a batch has for the device that is on one list
    /// alone is a skip, and no prekeys of it are asked for.
    fn run(&mut self, from: Name) -> usize {
        let mut refused = 0;
        self.world.run_with(from, &mut |world, request| {
            is_for_both_alone(request);
            let (status, body) = world.perform(request);
            if request.kind == RequestKind::Submit && status == 200 {
                let form = sesame_core::internal::wire::answer::Submit::decode(&body).unwrap();
                refused += form.results.as_slice().iter().filter(|result| !is_taken(result)).count();
            }
            (status, body)
        });
        refused
    }

    /// Every user was reached.
    fn is_sent(&mut self, from: Name, send: SendId) {
        let status = self.world.status(from, &send).unwrap();
        assert!(status.users.iter().all(|user| user.outcome == Outcome::Sent), "{from:?} {:?}", status.users);
        // A status does not tell of the copies for own devices.
        for alice in status.users.iter().filter(|status| status.user == user("alice")) {
            let skipped: BTreeSet<u16> = alice.skipped.iter().map(|skip| skip.reason).collect();
            let both = BTreeSet::from([Code::DeviceListFork.number(), Code::NotListed.number()]);
            assert!(!skipped.is_empty() && skipped.is_subset(&both), "{skipped:?}");
            assert!(alice.skipped.iter().all(|skip| skip.device == THIRD));
        }
    }
}

fn is_taken(result: &SubmitResult) -> bool {
    matches!(result, SubmitResult::Taken { .. } | SubmitResult::TakenBefore { .. })
}

fn is_for_both_alone(request: &ServerRequest) {
    if request.kind == RequestKind::Submit {
        for batch in batches(request).iter().filter(|batch| batch.user == user("alice")) {
            let third = batch.named.as_slice().iter().filter(|named| named.device == THIRD);
            assert!(third.map(|named| &named.content).all(|content| matches!(content, Content::Skip { .. })));
        }
    }
    if request.kind == RequestKind::Bundles {
        let asked = request::Bundles::decode(&request.body).unwrap();
        assert!(asked.devices.as_slice().iter().all(|wanted| (&wanted.user, wanted.device) != (&user("alice"), THIRD)));
    }
}

#[test]
fn n_t06_in_a_fork_sends_go_through_whichever_branch_the_server_holds() {
    for (sender, held) in [(BOB, 0), (BOB, 1), (LAPTOP, 0), (ALICE, 0)] {
        for served in [0, 1] {
            let mut forked = Forked::new(626);
            forked.show_both(sender, held);
            forked.world.relay = forked.servers[served].clone();
            let listeners: &[Name] = match sender {
                BOB => &[ALICE, LAPTOP],
                ALICE => &[BOB, LAPTOP],
                _ => &[BOB, ALICE],
            };
            for (text, in_group) in [(b"one", false), (b"two", true), (b"six", false)] {
                let send = forked.begin(sender, in_group, text);
                let refused = forked.run(sender);
                let changed = text == b"one" && served == held;
                assert_eq!(refused, usize::from(changed), "the device remembers what the server has shown");
                forked.is_sent(sender, send);
                for name in listeners {
                    assert_eq!(forked.world.read(*name), [text.to_vec()], "{sender:?} {held} {served} to {name:?}");
                }
            }
            assert!(forked.world.mails(TABLET).is_empty());
        }
    }
}

#[test]
fn n_t06_a_server_that_changes_its_branch_while_a_send_waits_takes_the_send() {
    for (sender, in_group) in [(BOB, false), (BOB, true), (LAPTOP, false), (ALICE, true)] {
        let mut forked = Forked::new(627);
        forked.show_both(sender, 0);
        for served in [0, 1, 0] {
            let send = forked.begin(sender, in_group, b"x");
            forked.world.relay = forked.servers[served].clone();
            assert_eq!(forked.run(sender), 1, "one batch was for the other list");
            forked.is_sent(sender, send);
        }
    }
}

#[test]
fn n_t06_a_server_that_shows_each_list_in_turn_ends_the_send() {
    let mut forked = Forked::new(628);
    forked.show_both(BOB, 0);
    let send = forked.begin(BOB, false, b"x");
    let mut at = 1;
    let shown = forked.lists.clone().map(|list| list.shown(16).unwrap());
    let asked = forked.world.run_with(BOB, &mut |world, request| {
        if request.kind != RequestKind::Submit {
            return world.perform(request);
        }
        at = 1 - at;
        (200, results(batches(request).iter().map(|_| stale(shown[at].clone())).collect()))
    });
    assert!(asked <= 10, "{asked}");
    let status = forked.world.status(BOB, &send).unwrap();
    assert_eq!(status.users[0].reason, Code::TooManyRounds.number());
}

#[test]
fn n_t06_a_third_list_at_the_server_is_served_as_well() {
    let mut forked = Forked::new(629);
    forked.show_both(BOB, 0);
    // The other branch went on by a list without the third device: that is what the app decides on.
    let devices = &forked.lists[0].list.devices[..2];
    let third = forked.world.forge_list("alice", Some(&forked.lists[1].list), devices).unwrap();
    let third = {
        let mut chain = forked.lists[1].branch.clone();
        chain.join(&third.branch, usize::MAX);
        VerifiedDeviceList { branch: chain, ..third }
    };
    forked.world.show(BOB, third.shown(16).unwrap());
    // The server is behind: it has neither that one nor the one that is held.
    forked.world.relay = forked.servers[1].clone();
    let send = forked.begin(BOB, false, b"x");
    assert_eq!(forked.run(BOB), 1);
    forked.is_sent(BOB, send);
}

#[test]
fn n_t06_once_the_app_has_decided_batches_name_the_list_that_it_chose() {
    let mut forked = Forked::new(630);
    forked.show_both(BOB, 1);
    forked.world.relay = forked.servers[0].clone();
    forked.begin(BOB, false, b"x");
    forked.run(BOB);
    let honest = forked.lists[0].list.name();
    forked.world.resolve_fork(BOB, "alice", &honest).unwrap();
    let send = forked.world.begin(BOB, &["alice"], b"to all three");
    forked.world.run(BOB);
    assert_eq!(forked.world.status(BOB, &send.id).unwrap().users[0].reached, 3);
    assert_eq!(forked.world.mails(TABLET).len(), 1);
}
