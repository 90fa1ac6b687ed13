//! A prekey bundle whose keys and signatures are checked against the device list (PQXDH 3.3).

use super::party::DecodedParty;
use crate::{
    context::Timestamp,
    crypto::{ed25519::Verifier, labels, mlkem, x25519},
    error::Code,
    limits::{MAX_BUNDLE_AGE, MAX_CLOCK_SKEW, MAX_OWN_PRE_KEY_AGE},
    wire::bundle::{Bundle, KemUse, signed_bytes},
};

/// A key with its id.
#[derive(Clone, Debug)]
pub struct Identified<K> {
    /// The id that the initiation names.
    pub id: u32,
    /// The key.
    pub key: K,
}

/// The verified keys from which an initiation is made.
#[derive(Clone, Debug)]
pub struct VerifiedBundle {
    /// The device, as its user's device list names it.
    pub party: DecodedParty,
    /// SPK.
    pub signed_pre_key: Identified<x25519::PublicPoint>,
    /// OPK, if the server had one left.
    pub one_time_pre_key: Option<Identified<x25519::PublicPoint>>,
    /// The KEM prekey.
    pub kem_pre_key: Identified<mlkem::PublicKey>,
    /// Whether the device is idle: it has not rotated its signed prekey for a long time (X 6).
    pub idle: bool,
}

impl VerifiedBundle {
    /// Checks that `bundle` belongs to `party` and that the device signed all of its prekeys.
    ///
    /// # Errors
    /// [`Code::BundleMismatch`] if user, device or keys differ from the list. [`Code::BadSignature`],
    /// [`Code::KeyReuse`]. [`Code::BundleExpired`] if a dated key of it is older than 45 days or from the future by
    /// more than a day. [`Code::WeakPublicKey`] or [`Code::BadKeyEncoding`].
    pub fn verify(bundle: &Bundle, theirs: &DecodedParty, now: Timestamp) -> Result<Self, Code> {
        let party = theirs.party();
        let Bundle {
            version: _,
            user,
            device,
            signing_key,
            identity_key,
            signed_pre_key,
            one_time_pre_key,
            kem_pre_key,
        } = bundle;
        if user.as_slice() != party.user.as_bytes()
            || *device != party.device.0
            || signing_key != party.signing_key.as_bytes()
            || identity_key != party.identity_key.as_bytes()
        {
            return Err(Code::BundleMismatch);
        }
        let spk = x25519::PublicPoint::decode(signed_pre_key.key)?;
        let opk = one_time_pre_key.as_ref().map(|opk| x25519::PublicPoint::decode(opk.key)).transpose()?;
        let kem = mlkem::PublicKey::decode(&kem_pre_key.key)?;
        let one_time = opk.as_ref().map(x25519::PublicPoint::key);
        if *spk.key() == party.identity_key || one_time == Some(&party.identity_key) || one_time == Some(spk.key()) {
            return Err(Code::KeyReuse);
        }
        let covered = |id, at, key: &[u8]| signed_bytes(user.as_slice(), *device, id, at, key);
        let signer = Verifier::of(&party.signing_key)?;
        signer.verify(
            labels::SIGNED_PRE_KEY,
            &covered(signed_pre_key.id, signed_pre_key.created_at, &signed_pre_key.key),
            &signed_pre_key.signature,
        )?;
        if let Some(opk) = one_time_pre_key {
            signer.verify(labels::ONE_TIME_CURVE, &covered(opk.id, 0, &opk.key), &opk.signature)?;
        }
        let label = match kem_pre_key.usage {
            KemUse::OneTime => labels::ONE_TIME_KEM,
            KemUse::LastResort => labels::LAST_RESORT_KEM,
        };
        signer.verify(
            label,
            &covered(kem_pre_key.id, kem_pre_key.created_at, &kem_pre_key.key),
            &kem_pre_key.signature,
        )?;
        let created_at = Timestamp(signed_pre_key.created_at);
        // > Every dated key is checked. One-time keys have no date.
        let lasting = (kem_pre_key.usage == KemUse::LastResort).then_some(Timestamp(kem_pre_key.created_at));
        let is_fresh = |date: Timestamp| now.since(date) <= MAX_BUNDLE_AGE && date.since(now) <= MAX_CLOCK_SKEW;
        if ![Some(created_at), lasting].into_iter().flatten().all(is_fresh) {
            return Err(Code::BundleExpired);
        }
        Ok(Self {
            party: theirs.clone(),
            signed_pre_key: Identified { id: signed_pre_key.id, key: spk },
            one_time_pre_key: one_time_pre_key.as_ref().zip(opk).map(|(opk, key)| Identified { id: opk.id, key }),
            kem_pre_key: Identified { id: kem_pre_key.id, key: kem },
            idle: now.since(created_at) > MAX_OWN_PRE_KEY_AGE,
        })
    }
}
