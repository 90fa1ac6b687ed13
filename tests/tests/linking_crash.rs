//! Linking with a store that fails at each operation in turn, on either side (X 7).

use sesame_core::{
    device::{Device, Linking},
    error::{Code, Error},
    event::LinkLeg,
    ids::DeviceId,
};
use sesame_tests::{
    ALICE, World,
    linking::{Boxes, New},
    store::Fault,
    store_key, user,
};

/// Runs a step on Alice's device with a fault at each of its operations in turn, until one run meets no fault.
fn with_every_fault(fault: Fault, step: impl Fn(&mut World, &New, u64) -> bool) {
    for n in 0.. {
        let mut world = World::new(14);
        world.create("alice");
        let new = world.begin_link();
        if !step(&mut world, &new, n) {
            assert!(n > 2, "{fault:?}: only {n} operations");
            return;
        }
    }
}

/// Whether the fault struck. The device is opened again after it, as after a crash.
fn struck(world: &mut World) -> bool {
    let struck = world.hosts[&ALICE].store.struck().is_some();
    world.reopen(ALICE);
    struck
}

#[test]
fn a_crash_at_any_operation_of_the_primary_loses_nothing_and_makes_no_second_device() {
    for fault in [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown] {
        with_every_fault(fault, |world, new, n| {
            let code = new.linking.code().to_owned();
            let mut boxes = Boxes::default();
            world.hosts[&ALICE].store.fail_at(n, fault);
            let mut whole = |world: &mut World| -> Result<(), Error> {
                let link = world.with(ALICE, |device, context| device.link_device(context, &code))?;
                for post in world.with(ALICE, |device, context| device.link_posts(context))? {
                    let lies = boxes.put(&post);
                    assert!(world.with(ALICE, |d, c| d.link_posted(c, &post.id, post.leg, &lies))?, "ours");
                }
                world.with(ALICE, |device, context| device.confirm_link(context, &link.id))?;
                Ok(())
            };
            let done = whole(world);
            let struck = struck(world);
            if done.is_err() {
                assert!(struck);
                // The app begins anew with the same code. It is refused only if all was done.
                match whole(world) {
                    Ok(()) => {}
                    Err(error) => assert_eq!(error.code, Code::LinkUsed),
                }
            }
            new.hear(world, &boxes).unwrap();
            new.linking.confirm(&mut world.outside()).unwrap();
            world.publish(ALICE);
            world.put_all(ALICE, &mut boxes);
            let answer = boxes.get(new.linking.next_leg().unwrap().unwrap()).unwrap();
            let linking = Linking::resume(new.store.clone(), &store_key()).unwrap();
            assert_eq!(linking.complete(&mut world.outside(), &answer).unwrap().id(), DeviceId(2));
            assert_eq!(world.list("alice").list.last_id, 2, "one device, one id");
            struck
        });
    }
}

#[test]
fn a_crash_at_any_operation_of_the_new_device_loses_nothing() {
    for fault in [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown] {
        for n in 0.. {
            let mut world = World::new(15);
            world.create("alice");
            let new = world.begin_link();
            let (id, digits) = world.link_device(ALICE, new.linking.code()).unwrap();
            let hello = world.link_leg(ALICE, &id, LinkLeg::Hello);
            world.confirm_link(ALICE, &id).unwrap();
            let answer = world.link_leg(ALICE, &id, LinkLeg::Answer);
            new.store.fail_at(n, fault);
            let whole = |world: &mut World, linking: Linking| {
                assert_eq!(linking.hear_hello(&mut world.outside(), &hello)?, digits);
                linking.confirm(&mut world.outside())?;
                linking.complete(&mut world.outside(), &answer)
            };
            let done = whole(&mut world, new.linking);
            let struck = new.store.struck();
            let device = match done {
                Ok(device) => device,
                // Either nothing of the last step was written, or the device is there already.
                Err(_) => match Linking::resume(new.store.clone(), &store_key()) {
                    Ok(linking) => whole(&mut world, linking).unwrap(),
                    Err(error) => {
                        assert_eq!((error.code, fault), (Code::ForeignStore, Fault::LandsUnknown));
                        Device::open(new.store.clone(), &store_key()).unwrap()
                    }
                },
            };
            assert_eq!((device.user(), device.id()), (&user("alice"), DeviceId(2)));
            if struck.is_none() {
                assert!(n > 2, "{fault:?}: only {n} operations");
                break;
            }
        }
    }
}
