//! What a network that keeps messages, other own devices and stores that were put back make of a hand-over (X 7).

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use sesame_core::{
    error::{Code, Error},
    event::Event,
    ids::{DeviceId, HandoverId},
    internal::{store::Kind, wire::handover::Step},
};
use sesame_tests::{
    ALICE, BOB, Name, World,
    handing::{
        LAPTOP, TABLET, cancel, confirm, deliver, deliver_at, family, go, hand_over, holders, may_sign, offers, settle,
    },
    user,
};

const OFFER: Step = Step::Offer { secret: [1; 32] };

/// What a device sends now, taken out of the mailbox of the other one.
fn caught(world: &mut World, from: Name, to: Name) -> Vec<Vec<u8>> {
    go(world, from).unwrap();
    world.steal(to)
}

fn offered(world: &mut World, name: Name) -> Vec<HandoverId> {
    offers(world, name).into_iter().map(|(_, _, id)| id).collect()
}

#[test]
fn a_late_offer_does_not_take_the_place_of_a_later_one() {
    let mut world = family(821);
    let first = hand_over(&mut world, ALICE, 2).unwrap();
    let late = caught(&mut world, ALICE, TABLET);
    cancel(&mut world, ALICE, &first.id);
    let second = hand_over(&mut world, ALICE, 2).unwrap();
    assert_ne!(first.id, second.id);
    settle(&mut world);
    assert_eq!(offered(&mut world, TABLET), [second.id]);
    confirm(&mut world, TABLET, &second.id).unwrap();
    world.decrypt(TABLET, &late);
    assert_eq!(offered(&mut world, TABLET), [second.id]);
    assert_eq!(confirm(&mut world, TABLET, &first.id), Err(Code::HandoverEnded));
    confirm(&mut world, ALICE, &second.id).unwrap();
    settle(&mut world);
    assert_eq!(holders(&world), [2]);
}

#[test]
fn a_cancelled_offer_does_not_come_back() {
    let mut world = family(822);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    let late = caught(&mut world, ALICE, TABLET);
    cancel(&mut world, ALICE, &offer.id);
    settle(&mut world);
    world.decrypt(TABLET, &late);
    assert_eq!((offered(&mut world, TABLET), world.rows(TABLET, &[Kind::Handover])), (vec![], 0));
    // Nor by a second delivery of one that was heard and given up on this side.
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    let kept = caught(&mut world, ALICE, TABLET);
    world.decrypt(TABLET, &kept);
    cancel(&mut world, TABLET, &offer.id);
    world.decrypt(TABLET, &kept);
    assert_eq!((offered(&mut world, TABLET), world.rows(TABLET, &[Kind::Handover])), (vec![offer.id], 0));
}

#[test]
fn an_offer_is_late_only_if_both_its_number_and_its_time_are() {
    for (sequence, ago, is_heard) in [(1, 0, true), (1, 60_000, false), (1_000, 60_000, true)] {
        let mut world = family(823);
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        settle(&mut world);
        cancel(&mut world, ALICE, &offer.id);
        settle(&mut world);
        // A primary whose store was put back counts lower, and one whose clock was set right has an earlier time.
        world.pass(30_000);
        let (id, at) = (HandoverId([4; 16]), (sequence, world.now - ago));
        assert_eq!(deliver_at(&mut world, (ALICE, TABLET), (id, OFFER), at), None);
        assert_eq!(offered(&mut world, TABLET).contains(&id), is_heard, "{sequence} {ago}");
    }
}

#[test]
fn another_device_changes_nothing_of_what_was_heard_of_the_primary() {
    let mut world = family(824);
    // The laptop offers what it does not have, with the highest of numbers.
    let word = (HandoverId([4; 16]), OFFER);
    let at = (u64::MAX >> 1, world.now + 1_000);
    assert_eq!(deliver_at(&mut world, (LAPTOP, TABLET), word, at), None);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    assert_eq!(offered(&mut world, TABLET), [offer.id]);
}

#[test]
fn a_key_of_a_device_that_is_no_primary_any_more_is_not_taken() {
    let mut world = family(825);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, TABLET, &offer.id).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    let mut key = caught(&mut world, ALICE, TABLET);
    // The phone gives it up, and the laptop gets the part.
    cancel(&mut world, ALICE, &offer.id);
    caught(&mut world, ALICE, TABLET);
    let other = hand_over(&mut world, ALICE, 3).unwrap();
    settle(&mut world);
    for name in [ALICE, LAPTOP] {
        confirm(&mut world, name, &other.id).unwrap();
    }
    settle(&mut world);
    assert_eq!(holders(&world), [3]);
    world.send(LAPTOP, &["bob"], b"the tablet hears of the list");
    settle(&mut world);
    world.decrypt(TABLET, &std::mem::take(&mut key));
    settle(&mut world);
    assert_eq!((holders(&world), may_sign(&mut world, TABLET)), (vec![3], false));
}

#[test]
fn a_removed_device_neither_accepts_nor_gets_the_key_afterwards() {
    let mut world = family(826);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    confirm(&mut world, TABLET, &offer.id).unwrap();
    let accept = caught(&mut world, TABLET, ALICE);
    world.with(ALICE, |device, context| device.remove_device(context, DeviceId(2))).unwrap();
    go(&mut world, ALICE).unwrap();
    assert_eq!(world.refusal(ALICE, &accept[0]), Some(Code::NotListed));
    go(&mut world, ALICE).unwrap();
    assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true));
}

#[test]
fn a_device_that_has_the_key_and_is_not_the_listed_primary_offers_nothing() {
    let mut world = family(827);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, TABLET, &offer.id).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    let key = caught(&mut world, ALICE, TABLET);
    world.decrypt(TABLET, &key);
    cancel(&mut world, ALICE, &offer.id);
    assert_eq!(holders(&world), [1, 2], "the cancel came too late");
    // Both could sign. The list names the phone, so that it alone offers, and is heard.
    assert_eq!(hand_over(&mut world, TABLET, 3), Err(Code::NotPrimary));
    assert_eq!(deliver(&mut world, TABLET, LAPTOP, HandoverId([4; 16]), OFFER), None);
    assert_eq!(offered(&mut world, LAPTOP), []);
    assert_eq!(deliver(&mut world, ALICE, TABLET, HandoverId([5; 16]), OFFER), None);
    assert_eq!(offered(&mut world, TABLET), [offer.id], "it has the key");
}

#[test]
fn a_store_that_was_put_back_to_an_offer_brings_no_hand_over_about() {
    for put_back in [ALICE, TABLET] {
        let mut world = family(828);
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        settle(&mut world);
        let rows = world.dump(put_back);
        cancel(&mut world, ALICE, &offer.id);
        settle(&mut world);
        world.put_back(put_back, rows);
        let other = if put_back == ALICE { TABLET } else { ALICE };
        confirm(&mut world, put_back, &offer.id).unwrap();
        assert_eq!(confirm(&mut world, other, &offer.id), Err(Code::HandoverEnded));
        settle(&mut world);
        assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true), "{put_back:?}");
    }
}

#[test]
fn a_former_primary_whose_store_was_put_back_is_told_and_signs_nothing_by_itself() {
    let mut world = family(829);
    let rows = world.dump(ALICE);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    for name in [ALICE, TABLET] {
        confirm(&mut world, name, &offer.id).unwrap();
    }
    settle(&mut world);
    assert_eq!(holders(&world), [2]);
    world.put_back(ALICE, rows);
    let list = world.list("alice").list;
    // Its list is old by now: it asks before it signs.
    world.pass(8 * sesame_tests::DAY);
    for _ in 0..3 {
        go(&mut world, ALICE).unwrap();
    }
    assert_eq!(world.list("alice").list.hash, list.hash);
    assert!(world.inbox_events(ALICE).iter().any(|event| matches!(event, Event::OwnListAhead { .. })));
    assert_eq!(hand_over(&mut world, ALICE, 3), Err(Code::OwnListNotAdopted));
    settle(&mut world);
    world.send(BOB, &["alice"], b"x");
    let alarmed = |event: &Event| matches!(event, Event::DeviceListFork { .. });
    assert!(!world.inbox_events(BOB).iter().any(alarmed), "contacts see nothing of it");
}

#[test]
fn a_call_at_the_wrong_time_says_what_to_do() {
    let mut world = family(830);
    let says = |error: Error, code: Code, what: &str| {
        assert_eq!(error.code, code);
        assert!(error.to_string().contains(what), "{error}");
    };
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    cancel(&mut world, ALICE, &offer.id);
    let ended = world.with(ALICE, |device, context| device.confirm_handover(context, &offer.id)).unwrap_err();
    says(ended, Code::HandoverEnded, "begins another one");
    let stays = world.with(ALICE, |device, context| device.log_out(context)).unwrap_err();
    says(stays, Code::InvalidArgument, "hand its part over");
    let new = world.begin_link();
    let early = new.linking.confirm(&mut world.outside()).unwrap_err();
    says(early, Code::InvalidArgument, "compare the digits");
    let id = world.found(ALICE, "Trip", &["bob"]);
    world.say_yes(BOB, id);
    settle(&mut world);
    let inside = world.with(ALICE, |device, context| device.forget(context, &user("bob"))).unwrap_err();
    says(inside, Code::AlreadyMember, "leave that group first");
    let inside = world.in_group(ALICE, id, |group, context| group.forget(context)).unwrap_err();
    says(inside, Code::AlreadyMember, "leave it first");
}
