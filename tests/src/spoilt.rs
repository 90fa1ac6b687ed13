//! What a device has to say to honest bytes that were changed on the way: worked out from the fields that differ.

use sesame_core::{
    error::Code,
    internal::{
        crypto::{ed25519, mlkem, x25519},
        wire::{
            bundle::Bundle,
            envelope::{Envelope, Route},
        },
    },
};

/// The code for a changed envelope whose original its recipient would open; the sender has no other device and no namesake.
#[must_use]
pub fn envelope(honest: &[u8], changed: &[u8]) -> Code {
    let honest = Envelope::decode(honest).unwrap();
    let changed = match Envelope::decode(changed) {
        Ok(changed) => changed,
        Err(malformed) => return malformed,
    };
    assert_ne!(honest, changed);
    if changed.head.recipient != honest.head.recipient {
        return Code::WrongRecipient;
    }
    match &changed.head.route {
        Route::Ordinary { .. } if changed.head.sender != honest.head.sender => return Code::NoSession,
        Route::Ordinary { .. } => {}
        Route::Initiation(initiation) => {
            let signing = [initiation.account_key, initiation.signing_key].map(ed25519::VerifyingKey::decode);
            let keys = signing.into_iter().map(|key| key.map(drop));
            let keys = keys.chain([x25519::PublicKey::decode(initiation.identity_key).map(drop)]);
            if let Some(bad) = keys.filter_map(Result::err).next() {
                return bad;
            }
        }
    }
    // The gate covers the head; the commitment and the tag cover the rest.
    if (&changed.head, changed.gate) == (&honest.head, honest.gate) { Code::AuthenticationFailed } else { Code::Forged }
}

/// The code for a changed bundle of a listed device.
#[must_use]
pub fn bundle(honest: &[u8], changed: &[u8]) -> Code {
    let honest = Bundle::decode(honest).unwrap();
    let changed = match Bundle::decode(changed) {
        Ok(changed) => changed,
        Err(malformed) => return malformed,
    };
    assert_ne!(honest, changed);
    let party = |bundle: &Bundle| (bundle.user.clone(), bundle.device, bundle.signing_key, bundle.identity_key);
    if party(&changed) != party(&honest) {
        return Code::BundleMismatch;
    }
    let curve = [Some(changed.signed_pre_key.key), changed.one_time_pre_key.as_ref().map(|one_time| one_time.key)];
    let curve = curve.into_iter().flatten().map(|key| x25519::PublicKey::decode(key).map(drop));
    let keys = curve.chain([mlkem::PublicKey::decode(&changed.kem_pre_key.key).map(drop)]);
    keys.filter_map(Result::err).next().unwrap_or(Code::BadSignature)
}
