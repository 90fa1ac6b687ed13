//! What both sides of a scope session begin with (X 4).
//!
//! > SK = HKDF(seed ‖ DH(IK_A, IK_B), AD_session)
//!
//! Salt 32 zeros, info `join("sesame/1 opening", AD_session)`, 96 bytes: the root key and the two header keys. DH(E_A, IK_B) enters with
//! the first step of the ratchet, whose first keys E_A and IK_B are. So who reads the direct session has the seed and neither DH, and who
//! has an identity key but not the direct session has no seed (`docs/adr/0006-independence-of-scopes.md`).

use super::{associated_data, pqxdh::SharedSecrets};
use crate::{
    crypto::{kdf, labels, x25519},
    error::Code,
    keys::party::Party,
    record::Scope,
    secret::Secret,
};
use zeroize::Zeroizing;

/// What an opening says in the open part of its direct message.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'a> {
    /// The scope.
    pub scope: Scope,
    /// The session's place in the order.
    pub generation: u64,
    /// E_A.
    pub ephemeral_key: &'a [u8; 32],
    /// 32 random bytes.
    pub seed: &'a Secret<32>,
}

/// The secrets, on either side: `identity` is the private IK of one party, `theirs` the other's public one.
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn agree(
    identity: &x25519::PrivateKey,
    theirs: &x25519::PublicKey,
    (opener, responder): (&Party, &Party),
    opened: Opened<'_>,
) -> Result<SharedSecrets, Code> {
    let Opened { scope, generation, ephemeral_key, seed } = opened;
    let associated_data = associated_data::opened(scope, generation, (opener, responder), ephemeral_key, seed);
    let agreed = identity.diffie_hellman(theirs)?;
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
