//! A retry, from Bob to Alice, under the control key of their pair.

use super::hex;
use serde_json::{Value, json};
use sesame_core::internal::{
    keys::{device::DeviceKeys, pair::PairKeys},
    session::{self, Route},
    wire::{
        envelope::SUITE,
        padding,
        retry::{Asked, Cause, Retry},
    },
};

/// The envelope, and what it says.
pub(super) fn retry(bob: &DeviceKeys, alice: &DeviceKeys) -> Value {
    let pair = PairKeys::derive(&bob.identity, &alice.party.identity_key, SUITE, &bob.party, &alice.party).unwrap();
    let causes = [
        Cause::NoSession,
        Cause::ReusedIndex,
        Cause::TooFarAhead,
        Cause::UnknownPreKey,
        Cause::ReplayedInitiation,
        Cause::MessageKeyExpired,
        Cause::BadBody,
    ];
    let asked = (1_u8..).zip(causes).map(|(salt, cause)| Asked { salt: [salt; 16], cause });
    let retry = Retry::of(1_800_000_000, asked.collect());
    let [sender, recipient] = [bob, alice].map(|keys| (&keys.party.user, keys.party.device));
    let recipe = session::seal_control([0x77; 16], Route { sender, recipient, pair: &pair }).unwrap();
    let plain = retry.encode().unwrap();
    let envelope = session::envelope(&recipe, [&plain, &[]], 0, padding::ALLOWANCE).unwrap();
    let asked: Vec<Value> = retry.asked.iter().map(|one| json!([hex(&one.salt), one.cause as u8])).collect();
    json!({ "envelope": hex(&envelope), "floor": retry.floor, "asked": asked })
}
