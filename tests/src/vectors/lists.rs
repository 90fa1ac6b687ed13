//! Vectors for descent (wire.md 5): two branches of lists, and how a list stands to the one that is held.

use super::hex;
use crate::user;
use serde_json::{Value, json};
use sesame_core::{
    context::Timestamp,
    ids::DeviceId,
    internal::{
        crypto::{ed25519::SigningKey, labels, x25519::PrivateKey},
        keys::{
            chain::{Chain, Relation, relate},
            device_list::{self, Listing, VerifiedDeviceList},
        },
        wire::device_list::{DeviceList, SignedDeviceList},
    },
    limits::MAX_HASHES,
    secret::Secret,
};

pub(super) fn signing_key(byte: u8) -> SigningKey {
    SigningKey::from_seed(Secret::init_with(|seed| seed.fill(byte)))
}

pub(super) fn listing(id: u32, keys: u8) -> Listing {
    let identity = PrivateKey::from_secret(Secret::init_with(|bytes| bytes.fill(keys)));
    Listing {
        id: DeviceId(id),
        signing_key: *signing_key(keys).verifying_key().as_bytes(),
        identity_key: *identity.public_key().as_bytes(),
        added_at_epoch: 1,
    }
}

/// The list after `before`, which knows all hashes of its branch.
pub(super) fn next(before: Option<&VerifiedDeviceList>, devices: &[Listing], at: u64) -> VerifiedDeviceList {
    let list = before.map(|before| &before.list);
    let mut next = device_list::sign(&signing_key(1), &user("alice"), list, devices, Timestamp(at)).unwrap();
    if let Some(before) = before {
        let mut chain = before.branch.clone();
        chain.join(&next.branch, MAX_HASHES);
        next.branch = chain;
    }
    next
}

fn changed(list: &VerifiedDeviceList, change: impl FnOnce(&mut DeviceList)) -> VerifiedDeviceList {
    let outer = SignedDeviceList::decode(&list.signed).unwrap();
    let mut form = DeviceList::decode(outer.list.as_slice()).unwrap();
    change(&mut form);
    let bytes = form.encode().unwrap();
    let signature = signing_key(1).sign(labels::DEVICE_LIST, &bytes);
    VerifiedDeviceList::verify_signed(&SignedDeviceList { list: bytes.into(), signature }.encode().unwrap()).unwrap()
}

fn name(relation: Relation) -> &'static str {
    match relation {
        Relation::Same => "same",
        Relation::Newer => "newer",
        Relation::Older => "older",
        Relation::Fork => "fork",
        Relation::Unproved => "not proved",
        Relation::Unknown => "below",
    }
}

pub(super) fn lists() -> Value {
    let (phone, tablet) = (listing(1, 2), listing(2, 3));
    let mut honest: Vec<VerifiedDeviceList> = Vec::new();
    for at in 1..=20 {
        let devices = if at == 1 { vec![phone] } else { vec![phone, tablet] };
        honest.push(next(honest.last(), &devices, at));
    }
    let mut stolen = honest[..2].to_vec();
    for at in 3..=22 {
        stolen.push(next(stolen.last(), &[phone], 100 + at));
    }
    let follows = next(honest.last(), &[phone, tablet], 30);
    let alone = |list: VerifiedDeviceList| (list, 0, true);
    let offered = [
        (honest[19].clone(), 0, false),
        (honest[19].clone(), 16, false),
        (honest[19].clone(), 19, false),
        (honest[2].clone(), 0, false),
        (honest[2].clone(), 2, false),
        (stolen[2].clone(), 0, false),
        (stolen[2].clone(), 1, false),
        (stolen[21].clone(), 0, false),
        (stolen[21].clone(), 16, false),
        (stolen[21].clone(), 20, false),
        (follows.clone(), 0, false),
        // Taken back: an id is given to other keys, given out again, or fewer were given.
        alone(changed(&follows, |form| {
            let mut devices = form.devices.as_slice().to_vec();
            devices[1].signing_key = listing(2, 9).signing_key;
            form.devices = devices.into();
        })),
        alone(changed(&follows, |form| {
            form.devices = form.devices.as_slice()[..1].to_vec().into();
            form.last_id = 1;
        })),
    ];
    let mut cases = Vec::new();
    for (held, from) in [(1, 1), (2, 1), (4, 1), (4, 4), (19, 10), (20, 1), (20, 20)] {
        let all: &Chain = &honest[held - 1].branch;
        let ours = all.newest_of(held + 1 - from);
        for (list, most, is_taken_back) in &offered {
            let shown = list.shown(*most).unwrap();
            let verdict = match relate(&ours, &VerifiedDeviceList::verify(&shown).unwrap().branch) {
                Relation::Newer if *is_taken_back => Relation::Fork,
                verdict => verdict,
            };
            cases.push(json!({ "held": held, "from": from, "shown": hex(&shown), "verdict": name(verdict) }));
        }
    }
    json!({ "signed": honest.iter().map(|list| hex(&list.signed)).collect::<Vec<_>>(), "cases": cases })
}
