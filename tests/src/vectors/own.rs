//! What a device tells another of its own user: the transcript of a first message, in an initiation without one-time keys.

use super::{hex, party, pre_key};
use crate::{ALICE, Name, World, user};
use serde_json::{Value, json};
use sesame_core::{
    ids::DeviceId,
    internal::{
        keys::pre_keys::PreKey,
        store::PreKeyUse,
        wire::{
            bundle::Bundle,
            envelope::{Envelope, Route},
        },
    },
};

pub(super) fn transcript() -> Value {
    let mut world = World::strangers(0x5e5f);
    let tablet: Name = world.link("alice");
    world.create("jen");
    // Others take all one-time keys that the tablet has published.
    let left = |world: &mut World| {
        let bundle = world.relay.bundle(&user("alice"), DeviceId(tablet.1)).unwrap();
        Bundle::decode(&bundle).unwrap().one_time_pre_key
    };
    while left(&mut world).is_some() {}
    world.send(ALICE, &["bob", "jen"], b"To both of you");
    let envelope = world.mails(tablet).remove(0);
    let Route::Initiation(initiation) = Envelope::decode(&envelope).unwrap().head.route else {
        unreachable!("the two have not talked")
    };
    assert_eq!(initiation.one_time_pre_key, None);
    let (PreKey::Curve(signed), PreKey::Kem(kem)) = (
        pre_key(&world, tablet, PreKeyUse::Signed, initiation.signed_pre_key),
        pre_key(&world, tablet, PreKeyUse::LastResort, initiation.kem_pre_key),
    ) else {
        unreachable!("each prekey is of its kind")
    };
    let results = world.receive(tablet).unwrap();
    let message = crate::messages(&results)[0];
    assert_eq!(message.payload, b"To both of you");
    let pin = |name| json!({ "user": name, "account_key": hex(&world.own((name, 1)).account_key.0) });
    let recipients = ["bob", "jen"].map(pin);
    json!({
        "phone": party(&world, ALICE),
        "tablet": party(&world, tablet),
        "list": hex(&world.list("alice").signed),
        "signed_private": hex(signed.expose()),
        "kem_seed": hex(kem.expose()),
        "envelope": hex(&envelope),
        "content_id": hex(&message.content_id.0),
        "sent_at": message.sent_at,
        "recipients": recipients,
        "payload": hex(&message.payload),
    })
}
