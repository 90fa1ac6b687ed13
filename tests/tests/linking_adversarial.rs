//! Linking against others (X 7): who saw the code, who swaps boxes, what is spoilt, a store that was rolled back.

use sesame_core::{
    context::{Context, Timestamp},
    device::Linking,
    error::Code,
    event::LinkLeg,
    ids::{DeviceId, LinkId},
    internal::{
        crypto::x25519,
        wire::linking::{LinkAnswer, LinkHello},
    },
};
use sesame_tests::{ALICE, BOB, World, linking::Boxes, store_key};

#[test]
fn n_t15_whoever_answers_first_shows_other_digits_and_the_primary_is_told() {
    let mut world = World::pair(4);
    let (new, mut boxes) = (world.begin_link(), Boxes::default());
    // Bob has looked over Alice's shoulder, and his primary is faster.
    let (id, bobs) = world.link_device(BOB, new.linking.code()).unwrap();
    assert_eq!(world.put_all(BOB, &mut boxes), [true]);
    let (_, alices) = world.link_device(ALICE, new.linking.code()).unwrap();
    assert_eq!(world.put_all(ALICE, &mut boxes), [false]);
    let shown = new.hear(&mut world, &boxes).unwrap();
    assert_eq!(shown, bobs);
    assert_ne!(shown, alices);
    let epoch = world.list("alice").list.epoch;
    assert_eq!(world.confirm_link(ALICE, &id), Err(Code::LinkMismatch));
    assert_eq!(world.link_posts(ALICE), vec![]);
    assert_eq!(world.list("alice").list.epoch, epoch);
    // Alice's user sees other digits and does not confirm: whatever Bob sends is not taken.
    world.confirm_link(BOB, &id).unwrap();
    let answer = world.link_leg(BOB, &id, LinkLeg::Answer);
    let before = new.store.inner.dump();
    let refused = new.linking.complete(&mut world.outside(), &answer).unwrap_err();
    assert_eq!(refused.code, Code::LinkNotConfirmed);
    assert_eq!(new.store.inner.dump(), before);
}

#[test]
fn an_answer_of_another_primary_or_another_hello_is_refused() {
    let mut world = World::pair(5);
    let (new, id, answer) = world.confirmed_link();
    world.link_device(BOB, new.linking.code()).unwrap();
    world.confirm_link(BOB, &id).unwrap();
    let bobs = world.link_leg(BOB, &id, LinkLeg::Answer);
    let renamed =
        LinkAnswer { ephemeral: LinkAnswer::decode(&answer).unwrap().ephemeral, ..LinkAnswer::decode(&bobs).unwrap() };
    let mut spoilt = answer.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    let cases = [
        (bobs, Code::LinkMismatch),
        (renamed.encode().unwrap(), Code::AuthenticationFailed),
        (spoilt, Code::AuthenticationFailed),
        (world.link_leg(ALICE, &id, LinkLeg::Hello), Code::Truncated),
        (vec![], Code::Truncated),
        (vec![2], Code::UnsupportedVersion),
    ];
    let mut linking = new.linking;
    for (bytes, code) in cases {
        let before = new.store.inner.dump();
        assert_eq!(linking.complete(&mut world.outside(), &bytes).unwrap_err().code, code);
        assert_eq!(new.store.inner.dump(), before);
        linking = Linking::resume(new.store.clone(), &store_key()).unwrap();
    }
    assert_eq!(linking.complete(&mut world.outside(), &answer).unwrap().id(), DeviceId(2));
}

#[test]
fn a_hello_that_is_foreign_repeated_second_or_spoilt() {
    let mut world = World::pair(6);
    let (new, other) = (world.begin_link(), world.begin_link());
    let (id, digits) = world.link_device(ALICE, new.linking.code()).unwrap();
    let (others, _) = world.link_device(ALICE, other.linking.code()).unwrap();
    let hello = world.link_leg(ALICE, &id, LinkLeg::Hello);
    let foreign = world.link_leg(ALICE, &others, LinkLeg::Hello);
    let mut spoilt = hello.clone();
    *spoilt.last_mut().unwrap() ^= 1;
    let swapped =
        LinkHello { ephemeral: LinkHello::decode(&foreign).unwrap().ephemeral, ..LinkHello::decode(&hello).unwrap() };
    let before = new.store.inner.dump();
    let mut hear = |bytes: &[u8]| {
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        new.linking.hear_hello(&mut context, bytes).map_err(|error| error.code)
    };
    for bytes in [foreign.clone(), spoilt, swapped.encode().unwrap()] {
        assert_eq!(hear(&bytes), Err(Code::AuthenticationFailed));
    }
    assert_eq!(hear(&hello[..40]), Err(Code::Truncated));
    assert_eq!(new.store.inner.dump(), before);
    assert_eq!(hear(&hello).as_ref(), Ok(&digits));
    let heard = new.store.inner.dump();
    assert_eq!(hear(&hello).as_ref(), Ok(&digits), "the same one may come again");
    assert_eq!(hear(&foreign), Err(Code::LinkMismatch), "only the first is heard");
    assert_eq!(new.pending().hello.unwrap().bytes, hello);
    assert!(heard.keys().eq(new.store.inner.dump().keys()));
    assert_eq!(Linking::resume(new.store.clone(), &store_key()).unwrap().digits(), Ok(Some(digits)));
}

#[test]
fn a_post_that_is_late_repeated_or_of_another_box_changes_nothing() {
    let mut world = World::pair(13);
    let new = world.begin_link();
    let (id, _) = world.link_device(ALICE, new.linking.code()).unwrap();
    let hello = world.link_leg(ALICE, &id, LinkLeg::Hello);
    let posted = |world: &mut World, id: &LinkId, leg, lies: &[u8]| {
        world.with(ALICE, |device, context| device.link_posted(context, id, leg, lies)).unwrap()
    };
    // Nothing was put into the answer's leg yet, and the other box is not known here.
    assert!(posted(&mut world, &id, LinkLeg::Answer, b"anything"));
    assert!(posted(&mut world, &LinkId([7; 16]), LinkLeg::Hello, b"anything"));
    assert_eq!(world.link_posts(ALICE).len(), 1);
    for _ in 0..2 {
        assert!(posted(&mut world, &id, LinkLeg::Hello, &hello));
        assert_eq!(world.link_posts(ALICE), vec![]);
    }
    assert_eq!(world.confirm_link(ALICE, &id), Ok(DeviceId(2)));
    world.publish(ALICE);
    assert!(!posted(&mut world, &id, LinkLeg::Answer, b"somebody else's"));
    assert_eq!(world.link_posts(ALICE), vec![], "repeating is no use");
}

#[test]
fn a_store_that_was_rolled_back_says_another_hello_and_seals_under_another_key() {
    let mut world = World::pair(16);
    let new = world.begin_link();
    let fresh = world.dump(ALICE);
    let (id, first) = world.link_device(ALICE, new.linking.code()).unwrap();
    let waiting = world.dump(ALICE);
    world.confirm_link(ALICE, &id).unwrap();
    let answer = LinkAnswer::decode(&world.link_leg(ALICE, &id, LinkLeg::Answer)).unwrap();
    world.hosts[&ALICE].store.inner.restore(waiting);
    world.reopen(ALICE);
    world.confirm_link(ALICE, &id).unwrap();
    let again = LinkAnswer::decode(&world.link_leg(ALICE, &id, LinkLeg::Answer)).unwrap();
    assert_eq!(answer.ephemeral, again.ephemeral);
    assert_ne!(answer.salt, again.salt);
    world.hosts[&ALICE].store.inner.restore(fresh);
    world.reopen(ALICE);
    let (_, second) = world.link_device(ALICE, new.linking.code()).unwrap();
    assert_ne!(first, second);
    let hello = LinkHello::decode(&world.link_leg(ALICE, &id, LinkLeg::Hello)).unwrap();
    assert_ne!(hello.ephemeral, answer.ephemeral);
    assert!(x25519::PublicKey::decode(hello.ephemeral).is_ok());
}
