//! A hand-over of the primary's part, step by step.

use crate::{Name, World};
use sesame_core::{
    device::Device,
    error::{Code, Error},
    event::{Event, HandoverView},
    ids::{DeviceId, HandoverId, Scope},
    internal::wire::{
        content::{Body, Stamp},
        handover::{Handover, Step},
    },
};

/// Alice's second device.
pub const TABLET: Name = ("alice", 2);
/// Alice's third device.
pub const LAPTOP: Name = ("alice", 3);

/// Alice with a phone, a tablet and a laptop that know each other, and Bob.
pub fn family(seed: u64) -> World {
    let mut world = World::acquainted(seed, &[("alice", 3), ("bob", 1)]);
    settle(&mut world);
    world
}

/// Each device fetches and submits what is due, until nothing more happens.
pub fn settle(world: &mut World) {
    for _ in 0..6 {
        for name in world.hosts.keys().copied().collect::<Vec<_>>() {
            go(world, name).unwrap();
        }
    }
}

/// The whole transport of an app, once.
///
/// # Errors
/// The errors of the calls.
pub fn go(world: &mut World, name: Name) -> Result<(), Error> {
    world.with_requests(name, |_, _, requests| requests.request_mail(1_000));
    while let Some(request) = world.next(name)? {
        let (status, body) = world.perform(&request);
        world.respond(name, &request.id, (status, &body))?;
    }
    Ok(())
}

/// The primary offers its part to a device.
///
/// # Errors
/// The code of the call's error.
pub fn hand_over(world: &mut World, from: Name, to: u32) -> Result<HandoverView, Code> {
    world.with(from, |device, context| device.hand_over(context, DeviceId(to))).map_err(|error| error.code)
}

/// The app of a device confirms.
///
/// # Errors
/// The code of the call's error.
pub fn confirm(world: &mut World, name: Name, id: &HandoverId) -> Result<(), Code> {
    world.with(name, |device, context| device.confirm_handover(context, id)).map_err(|error| error.code)
}

/// The app of a device gives it up.
pub fn cancel(world: &mut World, name: Name, id: &HandoverId) {
    world.with(name, |device, context| device.cancel_handover(context, id)).unwrap();
}

/// The offers in a device's inbox.
pub fn offers(world: &mut World, name: Name) -> Vec<(u32, String, HandoverId)> {
    let offer = |event| match event {
        Event::HandoverOffered { device, digits, handover } => Some((device.0, digits, handover)),
        _ => None,
    };
    world.inbox_events(name).into_iter().filter_map(offer).collect()
}

/// The devices of Alice in whose store the account key is.
pub fn holders(world: &World) -> Vec<u32> {
    let names = world.hosts.keys().filter(|name| name.0 == "alice");
    names.filter(|name| world.own(**name).account.is_some()).map(|name| name.1).collect()
}

/// Whether a device signs the list.
pub fn may_sign(world: &mut World, name: Name) -> bool {
    world.with(name, |device: &Device, context| device.is_primary(context)).unwrap()
}

/// Delivers a step as the direct message of a device; gives how it was refused.
pub fn deliver(world: &mut World, from: Name, to: Name, id: HandoverId, step: Step) -> Option<Code> {
    deliver_at(world, (from, to), (id, step), (99, world.now))
}

/// The same with a sequence and a time.
pub fn deliver_at(
    world: &mut World,
    (from, to): (Name, Name),
    (id, step): (HandoverId, Step),
    (sequence, sent_at): (u64, u64),
) -> Option<Code> {
    let prelude = world.prelude(from, to, sequence);
    let stamp = Stamp { content_id: [9; 16], sent_at };
    let body = Body::Handover { stamp, handover: Handover { id: id.0, step } };
    let bytes = [prelude.encode().unwrap(), body.encode().unwrap()].concat();
    let envelope = world.craft(from, to, Scope::Direct, [5; 16], &bytes);
    world.refusal(to, &envelope)
}
