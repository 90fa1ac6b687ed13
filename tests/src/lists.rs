//! Lists that somebody makes up, and what a device makes of them.

use crate::{Name, World, user};
use sesame_core::{
    context::{Context, Timestamp},
    error::Code,
    event::Event,
    ids::DeviceId,
    internal::{
        crypto::{ed25519::SigningKey, x25519},
        keys::device_list::{Listing, VerifiedDeviceList},
        steps::{Answers, Need, Steps},
        wire::bundle::Publication,
    },
};
use std::collections::BTreeSet;

/// A list as its first device uploads it: whoever has the account key can.
#[must_use]
pub fn published(list: &VerifiedDeviceList) -> Vec<u8> {
    let first = &list.list.devices[0];
    let form = Publication {
        version: 1,
        user: list.user.as_bytes().to_vec().into(),
        device: first.id.0,
        device_list: list.shown(16).unwrap().into(),
        signing_key: first.signing_key,
        identity_key: first.identity_key,
        lasting: None,
        one_time: vec![].into(),
        kem_one_time: vec![].into(),
    };
    form.encode().unwrap()
}

impl World {
    /// A device that nobody has, with fresh keys.
    pub fn ghost(&mut self, id: u32, epoch: u64) -> Listing {
        let mut context = Context { now: Timestamp(0), rng: &mut self.rng };
        Listing {
            id: DeviceId(id),
            signing_key: *SigningKey::generate(&mut context).verifying_key().as_bytes(),
            identity_key: *x25519::PrivateKey::generate(&mut context).public_key().as_bytes(),
            added_at_epoch: epoch,
        }
    }

    /// Shows a list to a device as the server does; gives the events and the refusals.
    pub fn show(&mut self, name: Name, list: Vec<u8>) -> (Vec<Event>, Vec<Code>) {
        let answers = Answers { device_lists: vec![list], ..Answers::default() };
        let applied = self.with(name, |device, context| device.apply(context, &answers)).unwrap();
        (applied.events, applied.refusals.iter().map(|refusal| refusal.code).collect())
    }

    /// The devices of another user that a send has an envelope for, or a need: those that need a bundle alone, if there are any.
    pub fn recipients(&mut self, name: Name, of: &str) -> BTreeSet<u32> {
        let send = self.encrypt(name, &[of], b"x");
        let envelopes = send.batches.iter().filter(|batch| batch.user == user(of)).flat_map(|batch| &batch.envelopes);
        let sent: BTreeSet<u32> = envelopes.map(|outgoing| outgoing.device.0).collect();
        let needed = send.needs.iter().filter_map(|need| match need {
            Need::Bundle(whose, device) if *whose == user(of) => Some(device.0),
            _ => None,
        });
        sent.into_iter().chain(needed).collect()
    }
}
