//! PQXDH, for initiator and responder (PQXDH 3.3 and 3.4).
//!
//! > DH1 = DH(IK_A, SPK_B), DH2 = DH(EK_A, IK_B), DH3 = DH(EK_A, SPK_B), DH4 = DH(EK_A, OPK_B)
//! > SK = KDF(DH1 ‖ DH2 ‖ DH3 ‖ DH4 ‖ SS)
//!
//! `KDF(KM) = HKDF(salt = 32 zeros, IKM = F ‖ KM, info = join("sesame/1 pqxdh ...", AD_session))` to 96 bytes, with F = 32 bytes
//! 0xFF: the root key and the two header keys that the Double Ratchet with header encryption begins with (Double Ratchet 4.4).

use super::associated_data::{self, Transcript};
use crate::{
    context::Context,
    crypto::{kdf, labels, mlkem, x25519},
    error::Code,
    keys::{bundle::VerifiedBundle, device::DeviceKeys, party::DecodedParty},
    secret::Secret,
    wire::envelope::Initiation,
};
use zeroize::Zeroizing;

/// The secrets from which a ratchet starts.
#[derive(Debug)]
pub struct SharedSecrets {
    /// AD_session.
    pub associated_data: [u8; 32],
    /// SK of the Double Ratchet: the first root key.
    pub root: Secret<32>,
    /// `shared_hka`: the initiator's first sending header key.
    pub initiator_header: Secret<32>,
    /// `shared_nhkb`: the responder's first sending header key.
    pub responder_header: Secret<32>,
}

/// The private prekeys that an initiation names.
#[derive(Debug)]
pub struct NamedPreKeys {
    /// SPK.
    pub signed: x25519::PrivateKey,
    /// OPK.
    pub one_time: Option<x25519::PrivateKey>,
    /// The KEM prekey.
    pub kem: mlkem::PrivateKey,
}

/// Runs the initiator's side. Returns the secrets and the clear fields for the responder. The private EK is
/// dropped before the call returns (PQXDH 3.3).
///
/// # Errors
/// [`Code::WeakPublicKey`] if a DH is not contributory.
pub fn initiate(
    keys: &DeviceKeys,
    context: &mut Context<'_>,
    bundle: &VerifiedBundle,
    generation: u64,
) -> Result<(SharedSecrets, Initiation), Code> {
    let ephemeral = x25519::PrivateKey::generate(context);
    let (kem_ciphertext, shared) = bundle.kem_pre_key.key.encapsulate(context);
    let spk = &bundle.signed_pre_key.key;
    let opk = bundle.one_time_pre_key.as_ref();
    let initiation = Initiation {
        account_key: *keys.party.account_key.as_bytes(),
        signing_key: *keys.party.signing_key.as_bytes(),
        identity_key: *keys.party.identity_key.as_bytes(),
        ephemeral_key: *ephemeral.public_key().as_bytes(),
        generation,
        signed_pre_key: bundle.signed_pre_key.id,
        one_time_pre_key: opk.map(|opk| opk.id),
        kem_pre_key: bundle.kem_pre_key.id,
        kem_ciphertext: *kem_ciphertext,
    };
    let associated_data = associated_data::direct(&Transcript {
        initiator: &keys.party,
        responder: bundle.party.party(),
        initiation: &initiation,
        signed_pre_key: spk.as_bytes(),
        one_time_pre_key: opk.map(|opk| opk.key.as_bytes()),
        kem_pre_key: bundle.kem_pre_key.key.as_bytes(),
    });
    let agreed = [
        keys.identity.diffie_hellman_at(spk)?,
        ephemeral.diffie_hellman_at(bundle.party.identity())?,
        ephemeral.diffie_hellman_at(spk)?,
    ];
    let fourth = opk.map(|opk| ephemeral.diffie_hellman_at(&opk.key)).transpose()?;
    Ok((derive(&agreed, fourth.as_ref(), &shared, associated_data), initiation))
}

/// Runs the responder's side. A KEM ciphertext that was made for another key gives other secrets, so the first
/// message does not open.
///
/// # Errors
/// [`Code::WeakPublicKey`] or [`Code::BadKeyEncoding`] for EK. [`Code::UnknownPreKey`] if the initiation names
/// a one-time prekey and none is given, or none is named and one is given.
pub fn respond(
    keys: &DeviceKeys,
    pre_keys: &NamedPreKeys,
    theirs: &DecodedParty,
    initiation: &Initiation,
) -> Result<SharedSecrets, Code> {
    if initiation.one_time_pre_key.is_some() != pre_keys.one_time.is_some() {
        return Err(Code::UnknownPreKey);
    }
    let ephemeral = x25519::PublicPoint::decode(initiation.ephemeral_key)?;
    let one_time = pre_keys.one_time.as_ref().map(x25519::PrivateKey::public_key);
    let (kem_pre_key, shared) = pre_keys.kem.open(&initiation.kem_ciphertext);
    let associated_data = associated_data::direct(&Transcript {
        initiator: theirs.party(),
        responder: &keys.party,
        initiation,
        signed_pre_key: pre_keys.signed.public_key().as_bytes(),
        one_time_pre_key: one_time.as_ref().map(x25519::PublicKey::as_bytes),
        kem_pre_key: kem_pre_key.as_bytes(),
    });
    let agreed = [
        pre_keys.signed.diffie_hellman_at(theirs.identity())?,
        keys.identity.diffie_hellman_at(&ephemeral)?,
        pre_keys.signed.diffie_hellman_at(&ephemeral)?,
    ];
    let fourth = pre_keys.one_time.as_ref().map(|opk| opk.diffie_hellman_at(&ephemeral)).transpose()?;
    Ok(derive(&agreed, fourth.as_ref(), &shared, associated_data))
}

fn derive(
    agreed: &[Secret<32>; 3],
    fourth: Option<&Secret<32>>,
    kem: &Secret<32>,
    associated_data: [u8; 32],
) -> SharedSecrets {
    let mut material = Zeroizing::new(Vec::with_capacity(6 * 32));
    material.extend_from_slice(&[0xff; 32]);
    for part in agreed.iter().chain(fourth).chain([kem]) {
        material.extend_from_slice(part.expose());
    }
    let keys = kdf::hkdf::<96>(&[0; 32], &material, &kdf::join(&[labels::PQXDH, &associated_data]));
    SharedSecrets {
        associated_data,
        root: keys.part(0),
        initiator_header: keys.part(1),
        responder_header: keys.part(2),
    }
}
