//! Sealing the answer to a linking offer (X 7).
//!
//! > key = HKDF(secret ‖ DH(ephemeral, new IK))
//!
//! The salt is empty, the info is `join("sesame/1 link", new signing key, new IK, ephemeral)`. The 44 bytes are
//! an AES-256-GCM key and its nonce, used once because the ephemeral key is fresh. Only a device that saw the
//! offer can make the answer, and only the owner of the new IK can read it.

use crate::{
    context::Context,
    crypto::{aead, kdf, labels, x25519},
    error::Code,
    secret::Secret,
    wire::linking::{LinkAnswer, LinkGrant},
};
use zeroize::Zeroizing;

/// The public keys of the new device.
#[derive(Clone, Copy, Debug)]
pub struct NewDevice<'a> {
    /// The Ed25519 signing key.
    pub signing_key: &'a [u8; 32],
    /// IK.
    pub identity_key: &'a x25519::PublicKey,
}

/// Seals the grant. The primary calls this.
///
/// # Errors
/// [`Code::WeakPublicKey`], [`Code::TooLarge`].
pub fn seal(
    context: &mut Context<'_>,
    new: NewDevice<'_>,
    secret: &Secret<32>,
    grant: &LinkGrant,
) -> Result<LinkAnswer, Code> {
    let ephemeral = x25519::PrivateKey::generate(context);
    let agreed = ephemeral.diffie_hellman(new.identity_key)?;
    let public = *ephemeral.public_key().as_bytes();
    let (key, nonce) = derive(secret, &agreed, new, &public);
    let sealed = aead::seal(&key, nonce.expose(), &[], &Zeroizing::new(grant.encode()?))?;
    Ok(LinkAnswer { version: 1, ephemeral: public, sealed: sealed.into() })
}

/// Opens the answer. The new device calls this.
///
/// # Errors
/// [`Code::AuthenticationFailed`] if the answer was made for another offer. [`Code::WeakPublicKey`],
/// [`Code::BadKeyEncoding`]. The errors of [`LinkGrant::decode`].
pub fn open(
    identity: &x25519::PrivateKey,
    new: NewDevice<'_>,
    secret: &Secret<32>,
    answer: &LinkAnswer,
) -> Result<LinkGrant, Code> {
    let agreed = identity.diffie_hellman(&x25519::PublicKey::decode(answer.ephemeral)?)?;
    let (key, nonce) = derive(secret, &agreed, new, &answer.ephemeral);
    LinkGrant::decode(&aead::open(&key, nonce.expose(), &[], answer.sealed.as_slice())?)
}

fn derive(
    secret: &Secret<32>,
    agreed: &Secret<32>,
    new: NewDevice<'_>,
    ephemeral: &[u8; 32],
) -> (Secret<32>, Secret<12>) {
    let mut material = Zeroizing::new(Vec::with_capacity(64));
    material.extend_from_slice(secret.expose());
    material.extend_from_slice(agreed.expose());
    let info = kdf::join(&[labels::LINK, new.signing_key, new.identity_key.as_bytes(), ephemeral]);
    let keys = kdf::hkdf::<44>(&[], &material, &info);
    // Bytes 32 to 43.
    (
        keys.part(0),
        Secret::init_with(|to| to.iter_mut().zip(keys.expose().iter().skip(32)).for_each(|(to, from)| *to = *from)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn grant() -> LinkGrant {
        LinkGrant {
            user: b"alice".to_vec().into(),
            device: 2,
            device_list: vec![1].into(),
            contacts: vec![].into(),
            groups: vec![].into(),
        }
    }

    #[test]
    fn an_answer_opens_for_its_own_offer_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let identity = x25519::PrivateKey::generate(&mut context);
        let (public, secret) = (identity.public_key(), Secret::init_with(|s| s.fill(1)));
        let new = NewDevice { signing_key: &[4; 32], identity_key: &public };
        let answer = seal(&mut context, new, &secret, &grant()).unwrap();
        assert_eq!(open(&identity, new, &secret, &answer).unwrap(), grant());
        let other_secret = Secret::init_with(|s| s.fill(2));
        assert_eq!(open(&identity, new, &other_secret, &answer).unwrap_err(), Code::AuthenticationFailed);
        let other_key = NewDevice { signing_key: &[5; 32], ..new };
        assert_eq!(open(&identity, other_key, &secret, &answer).unwrap_err(), Code::AuthenticationFailed);
        let stranger = x25519::PrivateKey::generate(&mut context);
        assert_eq!(open(&stranger, new, &secret, &answer).unwrap_err(), Code::AuthenticationFailed);
        for (ephemeral, code) in [([0; 32], Code::WeakPublicKey), ([0xff; 32], Code::BadKeyEncoding)] {
            let weak = LinkAnswer { ephemeral, ..answer.clone() };
            assert_eq!(open(&identity, new, &secret, &weak).unwrap_err(), code);
        }
    }
}
