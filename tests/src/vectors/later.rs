//! Ordinary envelopes that are refused, once two devices know each other.

use super::refusals::{Cases, raw};
use crate::{ALICE, BOB, World};
use serde_json::Value;
use sesame_core::{
    ids::Scope,
    internal::{
        session::{self, Route},
        wire::{
            content::{Body, Stamp},
            envelope::{Envelope, Route as Named},
            padding,
        },
    },
    limits::MAX_JUMP,
};

/// From Bob to Alice, who has read all of the conversation; `read` is his last message. Her device is afterwards as before.
pub(super) fn later(world: &mut World, read: &[u8]) -> Value {
    let (rng, rows) = (world.rng.clone(), world.dump(ALICE));
    let (keys, peer) = (world.own(BOB).keys(), world.peer(BOB, ALICE));
    let (recipient, pair) = (peer.party(), peer.sending());
    let mut bobs = world.stolen_session(BOB, ALICE, Scope::Direct);
    let stamp = Stamp { content_id: [8; 16], sent_at: world.now };
    let body = Body::Message { stamp, payload: b"far".to_vec().into() };
    let content = [world.prelude(BOB, ALICE, 25_006).encode().unwrap(), body.encode().unwrap()].concat();
    let mut last = Vec::new();
    // The message after as many as may be skipped, and the one after that.
    for salt in 0..=MAX_JUMP + 1 {
        let salt = u128::from(salt).to_be_bytes();
        let us = (&keys.party.user, keys.party.device);
        let route = Route { sender: us, recipient: (&recipient.user, recipient.device), pair: &pair };
        let sealed = session::seal(bobs.outgoing(), salt, route).unwrap();
        bobs.ratchet.hot = sealed.sent.hot;
        assert!(sealed.sent.cold.is_none(), "Bob's chain goes on");
        last.push(sealed.recipe);
    }
    let [.., sound, beyond] = last.as_slice() else { unreachable!() };
    let envelope = |recipe| session::envelope(recipe, [&content, &[]], 3, padding::room(0)).unwrap();
    let (sound, beyond) = (envelope(sound), envelope(beyond));
    let mut cases = Cases::of(&sound);
    let mut add = |world: &mut World, what: &str, expect: u16, envelope: &[u8]| {
        let said = world.refusal(ALICE, envelope);
        cases.add(what, envelope, expect, said);
        world.put_back(ALICE, rows.clone());
    };
    let edited = |change: &dyn Fn(&mut Envelope), gated: bool| {
        let mut envelope = Envelope::decode(&sound).unwrap();
        change(&mut envelope);
        if gated {
            envelope.gate = pair.gate(&envelope.head.encode().unwrap());
        }
        raw(&envelope)
    };
    let turned = |e: &mut Envelope| match &mut e.head.route {
        Named::Ordinary { locator } => locator[0] ^= 1,
        Named::Initiation(_) => unreachable!("they know each other"),
    };
    let header = |e: &mut Envelope| {
        let mut header = e.head.header.as_slice().to_vec();
        header[0] ^= 1;
        e.head.header = header.into();
    };
    add(world, "a message that was read", 213, read);
    add(world, "25,001 messages are skipped", 212, &beyond);
    add(world, "a locator of no chain", 211, &edited(&turned, true));
    add(world, "another locator under the same gate", 222, &edited(&turned, false));
    add(world, "another header", 209, &edited(&header, true));
    add(world, "another commitment", 209, &edited(&|e| e.commitment[0] ^= 1, false));
    assert_eq!(world.refusal(ALICE, &sound), None);
    world.put_back(ALICE, rows.clone());
    world.rng = rng;
    cases.told()
}
