//! The shared secrets of a session in a group's scope (X 4).
//!
//! > SK = HKDF(seed ‖ DH(IK_A, IK_B), AD_session)
//!
//! The salt is 32 zeros, the info is `join("sesame/1 opening", AD_session)`, and the 96 bytes are the root key
//! and the two header keys. E_A and IK_B are the first ratchet keys, so the first ratchet step adds DH(E_A,
//! IK_B). An attacker who reads the direct session has the seed, but neither DH. An attacker with an identity
//! key but without the direct session has no seed (`docs/adr/0006-independence-of-scopes.md`).

use super::{associated_data, pqxdh::SharedSecrets};
use crate::{
    crypto::{kdf, labels, x25519},
    error::Code,
    ids::Scope,
    keys::party::Party,
    secret::Secret,
};
use zeroize::Zeroizing;

/// The clear fields of an opening.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// The scope of the session.
    pub scope: Scope,
    /// The generation of the session.
    pub generation: u64,
    /// E_A.
    pub ephemeral_key: &'a [u8; 32],
    /// 32 random bytes.
    pub seed: &'a Secret<32>,
}

/// Derives the secrets, on either side. `identity` is the private IK of one party, `theirs` the public IK of
/// the other.
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn agree(
    identity: &x25519::PrivateKey,
    theirs: &x25519::PublicPoint,
    (opener, responder): (&Party, &Party),
    opened: Opened<'_>,
) -> Result<SharedSecrets, Code> {
    let Opened { scope, generation, ephemeral_key, seed } = opened;
    let associated_data = associated_data::opened(scope, generation, (opener, responder), ephemeral_key, seed);
    let agreed = identity.diffie_hellman_at(theirs)?;
    let mut material = Zeroizing::new(Vec::with_capacity(64));
    material.extend_from_slice(seed.expose());
    material.extend_from_slice(agreed.expose());
    let keys = kdf::hkdf::<96>(&[0; 32], &material, &kdf::join(&[labels::OPENING, &associated_data]));
    Ok(SharedSecrets {
        associated_data,
        root: keys.part(0),
        initiator_header: keys.part(1),
        responder_header: keys.part(2),
    })
}
