//! Making prekeys: the private halves for the store, the signed public halves for the server (PQXDH 3.2).

use super::{device::DeviceKeys, party::Party};
use crate::{
    context::Context,
    crypto::{labels, mlkem, x25519},
    limits::MAX_PRE_KEY_ID,
    secret::Shared,
    wire::bundle::{KemPreKey, KemUse, LastingPreKeys, OneTimePreKey, SignedPreKey, signed_bytes},
};

/// Whether a prekey's id comes after another one. Ids count on and wrap: the half of them that lies ahead comes after.
#[must_use]
pub fn is_after(id: u32, other: u32) -> bool {
    let ahead = id.wrapping_sub(other) & MAX_PRE_KEY_ID;
    ahead != 0 && ahead <= MAX_PRE_KEY_ID / 2
}

/// One private prekey.
#[derive(Clone, Debug)]
pub enum PreKey {
    /// X25519: a scalar of 32 bytes.
    Curve(Shared<32>),
    /// ML-KEM-1024: a seed of 64 bytes.
    Kem(Shared<64>),
}

/// A signed prekey and a last-resort KEM prekey, both under `id`: private halves, then what is published.
pub fn lasting(keys: &DeviceKeys, context: &mut Context<'_>, id: u32) -> ([PreKey; 2], LastingPreKeys) {
    let curve = x25519::PrivateKey::generate(context);
    let key = *curve.public_key().as_bytes();
    let created_at = context.now.0;
    let Party { user, device, .. } = &keys.party;
    let covered = signed_bytes(user.as_bytes(), device.0, id, created_at, &key);
    let signature = keys.signing.sign(labels::SIGNED_PRE_KEY, &covered);
    let (kem, last_resort) = kem_pre_key(keys, context, id, KemUse::LastResort);
    let published = LastingPreKeys { signed_pre_key: SignedPreKey { id, key, created_at, signature }, last_resort };
    ([PreKey::Curve(curve.secret().clone()), kem], published)
}

/// Makes a one-time curve prekey and a one-time KEM prekey, both with `id`. Returns the private halves and the
/// signed public halves.
pub fn one_time(keys: &DeviceKeys, context: &mut Context<'_>, id: u32) -> ([PreKey; 2], OneTimePreKey, KemPreKey) {
    let curve = x25519::PrivateKey::generate(context);
    let key = *curve.public_key().as_bytes();
    let Party { user, device, .. } = &keys.party;
    let signature = keys.signing.sign(labels::ONE_TIME_CURVE, &signed_bytes(user.as_bytes(), device.0, id, 0, &key));
    let (kem, published) = kem_pre_key(keys, context, id, KemUse::OneTime);
    ([PreKey::Curve(curve.secret().clone()), kem], OneTimePreKey { id, key, signature }, published)
}

fn kem_pre_key(keys: &DeviceKeys, context: &mut Context<'_>, id: u32, usage: KemUse) -> (PreKey, KemPreKey) {
    let private = mlkem::PrivateKey::generate(context);
    let key = *private.public_key().as_bytes();
    let label = match usage {
        KemUse::OneTime => labels::ONE_TIME_KEM,
        KemUse::LastResort => labels::LAST_RESORT_KEM,
    };
    // A one-time key has no date: the server knows when it took it. A clock that was ahead would else spoil what is already there.
    let created_at = match usage {
        KemUse::OneTime => 0,
        KemUse::LastResort => context.now.0,
    };
    let Party { user, device, .. } = &keys.party;
    let signature = keys.signing.sign(label, &signed_bytes(user.as_bytes(), device.0, id, created_at, &key));
    (PreKey::Kem(private.seed().clone()), KemPreKey { id, usage, created_at, key, signature })
}
