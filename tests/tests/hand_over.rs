//! The primary's part goes to another device of the user (X 7).

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use sesame_core::{
    error::{Code, Error},
    event::{Event, Item},
    ids::{DeviceId, HandoverId},
    internal::{agreement::handover::digits, keys::party::Party, steps::Steps, store::Kind, wire::handover::Step},
    secret::Secret,
};
use sesame_tests::{
    ALICE, BOB, DAY, Name, World,
    handing::{LAPTOP, TABLET, cancel, confirm, deliver, family, go, hand_over, holders, may_sign, offers, settle},
    store::Fault,
    user,
};

#[test]
fn the_primarys_part_goes_to_another_device_once_both_apps_have_confirmed() {
    for phone_first in [true, false] {
        let mut world = family(801);
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        assert_eq!((offer.digits.len(), offer.device.0), (15, 2));
        assert_eq!(hand_over(&mut world, ALICE, 2).as_ref(), Ok(&offer), "it is the same one");
        settle(&mut world);
        assert_eq!(offers(&mut world, TABLET), [(1, offer.digits.clone(), offer.id)]);
        assert_eq!(offers(&mut world, LAPTOP), []);
        let before = world.list("alice").list;
        let order = if phone_first { [ALICE, TABLET] } else { [TABLET, ALICE] };
        confirm(&mut world, order[0], &offer.id).unwrap();
        settle(&mut world);
        assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true), "one word is not enough");
        confirm(&mut world, order[1], &offer.id).unwrap();
        settle(&mut world);
        assert_eq!(holders(&world), [2]);
        let list = world.list("alice").list;
        assert_eq!((list.primary.0, &list.devices, list.epoch), (2, &before.devices, before.epoch + 1));
        for (name, signs) in [(ALICE, false), (TABLET, true), (LAPTOP, false)] {
            assert_eq!(may_sign(&mut world, name), signs, "{name:?}");
            assert_eq!(world.rows(name, &[Kind::Handover]), 0);
        }
        // The new primary links and removes; nobody else noticed anything.
        let removed = world.with(ALICE, |device, context| device.remove_device(context, DeviceId(3)));
        assert_eq!(removed.unwrap_err().code, Code::NotPrimary);
        assert_eq!(world.link_by(TABLET), ("alice", 4));
        settle(&mut world);
        world.with(TABLET, |device, context| device.remove_device(context, DeviceId(1))).unwrap();
        settle(&mut world);
        assert_eq!(world.list("alice").list.devices.iter().map(|device| device.id.0).collect::<Vec<_>>(), [2, 3, 4]);
        world.send(BOB, &["alice"], b"who is it?");
        assert_eq!(world.read(("alice", 4)), [b"who is it?"]);
        let odd = |event: &Event| {
            matches!(event, Event::IdentityChanged { .. } | Event::DeviceListFork { .. } | Event::OwnListAhead { .. })
        };
        for name in world.hosts.keys().copied().collect::<Vec<_>>() {
            assert!(!world.inbox_events(name).iter().any(odd), "{name:?}");
        }
        // And the part may come back.
        let events = world.inbox(TABLET);
        assert!(events.iter().all(|row| !matches!(row.item, Item::Message(_))));
    }
}

#[test]
fn the_part_goes_on_and_comes_back() {
    let mut world = family(802);
    for (from, to) in [(ALICE, TABLET), (TABLET, LAPTOP), (LAPTOP, ALICE)] {
        let offer = hand_over(&mut world, from, to.1).unwrap();
        settle(&mut world);
        confirm(&mut world, from, &offer.id).unwrap();
        confirm(&mut world, to, &offer.id).unwrap();
        settle(&mut world);
        assert_eq!((holders(&world), world.list("alice").list.primary.0), (vec![to.1], to.1));
    }
    // What was signed just before is published first, and a device that was linked just before gets its answer.
    world.with(ALICE, |device, context| device.remove_device(context, DeviceId(3))).unwrap();
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    confirm(&mut world, ALICE, &offer.id).unwrap();
    settle(&mut world);
    confirm(&mut world, TABLET, &offer.id).unwrap();
    settle(&mut world);
    assert_eq!((holders(&world), world.list("alice").list.devices.len()), (vec![2], 2));
}

#[test]
fn only_the_primary_offers_and_only_to_a_listed_device() {
    let mut world = family(803);
    assert_eq!(hand_over(&mut world, TABLET, 3), Err(Code::NotPrimary));
    assert_eq!(hand_over(&mut world, ALICE, 1), Err(Code::InvalidArgument));
    assert_eq!(hand_over(&mut world, ALICE, 9), Err(Code::UnknownDevice));
    assert_eq!(confirm(&mut world, ALICE, &HandoverId([7; 16])), Err(Code::HandoverEnded));
    cancel(&mut world, ALICE, &HandoverId([7; 16]));
    assert_eq!(world.rows(ALICE, &[Kind::Handover]), 0);
}

#[test]
fn a_cancelled_an_old_and_a_replaced_hand_over_come_to_nothing() {
    let mut world = family(804);
    for canceller in [ALICE, TABLET] {
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        settle(&mut world);
        let other = if canceller == ALICE { TABLET } else { ALICE };
        confirm(&mut world, other, &offer.id).unwrap();
        cancel(&mut world, canceller, &offer.id);
        settle(&mut world);
        assert_eq!(confirm(&mut world, canceller, &offer.id), Err(Code::HandoverEnded));
        assert_eq!(confirm(&mut world, other, &offer.id), Err(Code::HandoverEnded));
        assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true));
    }
    let old = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    world.pass(DAY + 60_000);
    for name in [ALICE, TABLET] {
        assert_eq!(confirm(&mut world, name, &old.id), Err(Code::HandoverEnded));
    }
    let first = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    let second = hand_over(&mut world, ALICE, 3).unwrap();
    settle(&mut world);
    assert_ne!((first.id, &first.digits), (second.id, &second.digits));
    assert_eq!(confirm(&mut world, TABLET, &first.id), Err(Code::HandoverEnded));
    confirm(&mut world, ALICE, &second.id).unwrap();
    confirm(&mut world, LAPTOP, &second.id).unwrap();
    settle(&mut world);
    assert_eq!(holders(&world), [3]);
}

#[test]
fn a_key_that_has_not_left_is_withdrawn_by_a_cancel_and_never_shown() {
    let mut world = family(815);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, TABLET, &offer.id).unwrap();
    settle(&mut world);
    // Both have confirmed; the key is on its way in the store, and the phone has no network.
    confirm(&mut world, ALICE, &offer.id).unwrap();
    assert!(!may_sign(&mut world, ALICE));
    for send in world.with(ALICE, |device, context| device.outbox(context)).unwrap() {
        let status = world.with(ALICE, |device, context| device.send_status(context, &send.id)).unwrap();
        assert_eq!(status, None, "the app sees nothing of it");
    }
    // An app that has lost the name of the hand-over finds it again.
    assert_eq!(hand_over(&mut world, ALICE, 2).unwrap().id, offer.id);
    cancel(&mut world, ALICE, &offer.id);
    settle(&mut world);
    assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true));
}

#[test]
fn who_misses_a_hand_over_that_went_on_gives_the_key_up_all_the_same() {
    let mut world = family(816);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    confirm(&mut world, TABLET, &offer.id).unwrap();
    for name in [TABLET, ALICE, TABLET, TABLET] {
        go(&mut world, name).unwrap();
    }
    assert_eq!(world.list("alice").list.primary.0, 2);
    assert_eq!(holders(&world), [1, 2], "the phone has not heard of it");
    let next = hand_over(&mut world, TABLET, 3).unwrap();
    for _ in 0..2 {
        go(&mut world, TABLET).unwrap();
        go(&mut world, LAPTOP).unwrap();
    }
    confirm(&mut world, TABLET, &next.id).unwrap();
    confirm(&mut world, LAPTOP, &next.id).unwrap();
    for _ in 0..3 {
        go(&mut world, LAPTOP).unwrap();
        go(&mut world, TABLET).unwrap();
    }
    assert_eq!(world.list("alice").list.primary.0, 3);
    settle(&mut world);
    assert_eq!(holders(&world), [3]);
}

#[test]
fn a_key_that_is_lost_on_the_way_leaves_the_primary_able_to_go_on() {
    let mut world = family(805);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, TABLET, &offer.id).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    go(&mut world, ALICE).unwrap();
    assert!(!world.steal(TABLET).is_empty());
    settle(&mut world);
    assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], false), "the key may be on its way");
    assert_eq!(hand_over(&mut world, ALICE, 3), Err(Code::NotPrimary));
    world.pass(3 * DAY);
    settle(&mut world);
    assert_eq!(holders(&world), [1], "it is kept as long as no list names the other");
    cancel(&mut world, ALICE, &offer.id);
    settle(&mut world);
    assert!(may_sign(&mut world, ALICE));
    let again = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &again.id).unwrap();
    confirm(&mut world, TABLET, &again.id).unwrap();
    settle(&mut world);
    assert_eq!(holders(&world), [2]);
}

#[test]
fn nobody_but_the_two_devices_takes_part() {
    let seed = |world: &World| *world.own(ALICE).account.unwrap().expose();
    // Another user's device is refused, whatever it says.
    let mut world = family(806);
    let key = seed(&world);
    for step in [Step::Offer { secret: [1; 32] }, Step::Accept, Step::Key { seed: key }, Step::Cancel] {
        assert_eq!(deliver(&mut world, BOB, ALICE, HandoverId([1; 16]), step), Some(Code::NotListed));
    }
    // A stolen laptop offers what it does not have.
    assert_eq!(deliver(&mut world, LAPTOP, TABLET, HandoverId([1; 16]), Step::Offer { secret: [1; 32] }), None);
    assert_eq!((offers(&mut world, TABLET).len(), world.rows(TABLET, &[Kind::Handover])), (0, 0));
    // It knows the name of a hand-over between the others, and speaks for either of them.
    for (to, step) in
        [(ALICE, Step::Accept), (ALICE, Step::Cancel), (TABLET, Step::Cancel), (TABLET, Step::Key { seed: key })]
    {
        let mut world = family(807);
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        settle(&mut world);
        confirm(&mut world, to, &offer.id).unwrap();
        let rows = world.rows(to, &[Kind::Handover]);
        assert_eq!(deliver(&mut world, LAPTOP, to, offer.id, step), None);
        settle(&mut world);
        assert_eq!((holders(&world), world.rows(to, &[Kind::Handover])), (vec![1], rows));
    }
    // The primary itself sends no key before the app of the other device has confirmed, and no other key is taken.
    for (is_confirmed, key) in [(false, None), (true, Some([7; 32]))] {
        let mut world = family(808);
        let offer = hand_over(&mut world, ALICE, 2).unwrap();
        settle(&mut world);
        if is_confirmed {
            confirm(&mut world, TABLET, &offer.id).unwrap();
        }
        let seed = key.unwrap_or(seed(&world));
        assert_eq!(deliver(&mut world, ALICE, TABLET, offer.id, Step::Key { seed }), None);
        assert_eq!(holders(&world), [1]);
    }
    // A device that was removed in the meantime gets nothing.
    let mut world = family(809);
    let offer = hand_over(&mut world, ALICE, 2).unwrap();
    settle(&mut world);
    confirm(&mut world, ALICE, &offer.id).unwrap();
    confirm(&mut world, TABLET, &offer.id).unwrap();
    world.with(ALICE, |device, context| device.remove_device(context, DeviceId(2))).unwrap();
    go(&mut world, TABLET).unwrap();
    go(&mut world, ALICE).unwrap();
    assert_eq!((holders(&world), may_sign(&mut world, ALICE)), (vec![1], true));
}

#[test]
fn the_digits_bind_both_devices_and_the_secret() {
    let world = family(810);
    let party = |name: Name| world.own(name).keys().party;
    let (old, new, third) = (party(ALICE), party(TABLET), party(LAPTOP));
    let secret = |byte| Secret::init_with(|to: &mut [u8; 32]| to.fill(byte));
    let of = |byte, id, old: &Party, new: &Party| digits(&secret(byte), &HandoverId([id; 16]), [old, new]);
    let said = of(1, 1, &old, &new);
    assert_eq!(said, of(1, 1, &old, &new));
    let signing = Party { signing_key: third.signing_key, ..new.clone() };
    let identity = Party { identity_key: third.identity_key, ..new.clone() };
    let numbered = Party { device: third.device, ..new.clone() };
    let named = Party { user: user("bob"), ..new.clone() };
    let others = [
        of(2, 1, &old, &new),
        of(1, 2, &old, &new),
        of(1, 1, &new, &old),
        of(1, 1, &third, &new),
        of(1, 1, &old, &signing),
        of(1, 1, &old, &identity),
        of(1, 1, &old, &numbered),
        of(1, 1, &old, &named),
    ];
    assert!(others.iter().all(|other| *other != said && *other < 1_000_000_000_000_000));
}

#[test]
fn a_crash_at_any_operation_leaves_one_device_or_both_able_to_sign_and_never_none() {
    for (fault, side) in [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown]
        .into_iter()
        .flat_map(|fault| [ALICE, TABLET].map(|side| (fault, side)))
    {
        let mut world = World::new(811);
        world.create("alice");
        world.link("alice");
        settle(&mut world);
        let rows = [ALICE, TABLET].map(|name| world.dump(name));
        let (relay, rng, now) = (world.relay.clone(), world.rng.clone(), world.now);
        for n in 0.. {
            for (name, rows) in [ALICE, TABLET].into_iter().zip(&rows) {
                world.put_back(name, rows.clone());
            }
            (world.relay, world.rng, world.now) = (relay.clone(), rng.clone(), now);
            world.hosts[&side].store.fail_at(n, fault);
            if !whole(&mut world, side) {
                assert!(n > 20, "{fault:?}: only {n} operations");
                break;
            }
        }
    }
}

/// A hand-over from its offer to its end, with an app that is opened again after each error. Gives whether the fault struck.
fn whole(world: &mut World, side: Name) -> bool {
    let mut id = HandoverId([0; 16]);
    let mut step = |world: &mut World, name: Name, call: &dyn Fn(&mut World, &mut HandoverId) -> Result<(), Error>| {
        for attempt in 0.. {
            let done = call(world, &mut id);
            assert!(!holders(world).is_empty(), "nobody has the account key");
            match done {
                Ok(()) => break,
                Err(error) => {
                    assert!(attempt == 0, "{name:?}: {error:?}");
                    world.reopen(name);
                }
            }
        }
    };
    let offer = |world: &mut World, id: &mut HandoverId| {
        *id = world.with(ALICE, |device, context| device.hand_over(context, DeviceId(2)))?.id;
        Ok(())
    };
    step(world, ALICE, &offer);
    for name in [ALICE, TABLET] {
        step(world, name, &|world, _| go(world, name));
    }
    for name in [TABLET, ALICE] {
        step(world, name, &|world, id| world.with(name, |device, context| device.confirm_handover(context, id)));
    }
    for name in [TABLET, ALICE, TABLET, ALICE, TABLET, ALICE] {
        step(world, name, &|world, _| go(world, name));
    }
    let struck = world.hosts[&side].store.struck().is_some();
    assert_eq!((holders(world), world.list("alice").list.primary.0), (vec![2], 2));
    struck
}
