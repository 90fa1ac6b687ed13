//! What both sides of a link agree on: the box, the hello, the digits and the answer (X 7).
//!
//! The new device shows its keys and a secret. The primary sends a hello with a fresh ephemeral key. Both compute the digits, the user compares
//! them, and then the primary sends the answer:
//!
//! > box = HKDF(secret), hello key = HKDF(secret, new keys, ephemeral),
//! > digits = PBKDF2(secret, new keys, ephemeral, account key, user),
//! > answer key = HKDF(secret ‖ DH(ephemeral, new IK), new keys, ephemeral, account key, user)
//!
//! Whoever has seen the code knows the secret: they can read the hello and send one of their own, but the digits then differ. The digits are
//! slow to compute, so that nobody finds a second hello with the same ones while the code is valid (`docs/adr/0026`). Only the owner of the
//! new IK can read the answer, and only the sender of the hello can make it.

use crate::{
    context::Context,
    crypto::{aead, kdf, labels, x25519},
    error::Code,
    ids::{AccountKey, LinkId, UserId},
    limits::LINK_ROUNDS,
    secret::Secret,
    wire::linking::{LinkAnswer, LinkGrant, LinkHello, LinkSender},
};
use zeroize::Zeroizing;

/// What the code of a new device shows.
#[derive(Clone, Copy, Debug)]
pub struct NewDevice<'a> {
    /// The Ed25519 signing key.
    pub signing_key: &'a [u8; 32],
    /// IK.
    pub identity_key: &'a x25519::PublicKey,
    /// The secret that only those who see the code know.
    pub secret: &'a Secret<32>,
}

/// What the primary says of itself in a hello.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The primary's key for this link alone.
    pub ephemeral: x25519::PublicKey,
    /// The account key that signs the device list.
    pub account_key: AccountKey,
    /// The user that the new device will belong to.
    pub user: UserId,
}

impl Hello {
    /// What the digits and the answer are bound to.
    fn binding(&self, label: &[u8], new: NewDevice<'_>) -> Vec<u8> {
        kdf::join(&[
            label,
            new.signing_key,
            new.identity_key.as_bytes(),
            self.ephemeral.as_bytes(),
            &self.account_key.0,
            self.user.as_bytes(),
        ])
    }
}

/// The name of the link, which is its box at the server.
#[must_use]
pub fn link_id(secret: &Secret<32>) -> LinkId {
    LinkId(*kdf::hkdf::<16>(&[], secret.expose(), &kdf::join(&[labels::LINK_BOX])).expose())
}

/// Seals the hello. The primary calls this.
///
/// # Errors
/// [`Code::TooLarge`], which cannot happen.
pub fn seal_hello(new: NewDevice<'_>, hello: &Hello) -> Result<LinkHello, Code> {
    let ephemeral = *hello.ephemeral.as_bytes();
    let sender =
        LinkSender { account_key: hello.account_key.0, user: hello.user.as_bytes().to_vec().into() }.encode()?;
    let keys = hello_keys(new, &ephemeral);
    let sealed = aead::seal(&keys.key, keys.nonce.expose(), &[], &sender)?;
    Ok(LinkHello { version: 1, ephemeral, sealed: sealed.into() })
}

/// Opens a hello. The new device calls this.
///
/// # Errors
/// [`Code::AuthenticationFailed`] if the hello was made for another code. [`Code::WeakPublicKey`], [`Code::BadKeyEncoding`]. The errors of
/// [`LinkSender::decode`].
pub fn open_hello(new: NewDevice<'_>, hello: &LinkHello) -> Result<Hello, Code> {
    let ephemeral = x25519::PublicKey::decode(hello.ephemeral)?;
    let keys = hello_keys(new, &hello.ephemeral);
    let sender = LinkSender::decode(&aead::open(&keys.key, keys.nonce.expose(), &[], hello.sealed.as_slice())?)?;
    let user = UserId::try_new(sender.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
    Ok(Hello { ephemeral, account_key: AccountKey(sender.account_key), user })
}

/// The 15 digits that both sides show, as a number below 10^15.
#[must_use]
pub fn digits(new: NewDevice<'_>, hello: &Hello) -> u64 {
    let stretched = kdf::stretch::<8>(new.secret, &hello.binding(labels::LINK_DIGITS, new), LINK_ROUNDS);
    u64::from_be_bytes(stretched) % 1_000_000_000_000_000
}

/// Seals the grant. The primary calls this with the private half of the hello's key.
///
/// # Errors
/// [`Code::WeakPublicKey`], [`Code::TooLarge`].
pub fn seal_answer(
    context: &mut Context<'_>,
    new: NewDevice<'_>,
    hello: &Hello,
    ephemeral: &x25519::PrivateKey,
    grant: &LinkGrant,
) -> Result<LinkAnswer, Code> {
    let agreed = ephemeral.diffie_hellman(new.identity_key)?;
    let salt = context.random();
    let keys = answer_keys(new, hello, &agreed, &salt);
    let sealed = aead::seal(&keys.key, keys.nonce.expose(), &[], &Zeroizing::new(grant.encode()?))?;
    Ok(LinkAnswer { version: 1, ephemeral: *hello.ephemeral.as_bytes(), salt, sealed: sealed.into() })
}

/// Opens the answer. The new device calls this with its private IK and the hello that its user has confirmed.
///
/// # Errors
/// [`Code::LinkMismatch`] if the answer follows another hello. [`Code::AuthenticationFailed`] if it was made by others or for another code.
/// [`Code::WeakPublicKey`]. The errors of [`LinkGrant::decode`].
pub fn open_answer(
    identity: &x25519::PrivateKey,
    new: NewDevice<'_>,
    hello: &Hello,
    answer: &LinkAnswer,
) -> Result<LinkGrant, Code> {
    if answer.ephemeral != *hello.ephemeral.as_bytes() {
        return Err(Code::LinkMismatch);
    }
    let agreed = identity.diffie_hellman(&hello.ephemeral)?;
    let keys = answer_keys(new, hello, &agreed, &answer.salt);
    LinkGrant::decode(&aead::open(&keys.key, keys.nonce.expose(), &[], answer.sealed.as_slice())?)
}

/// An AES-256-GCM key with the nonce that is used under it once.
struct Keys {
    key: Secret<32>,
    nonce: Secret<12>,
}

impl Keys {
    fn derive(salt: &[u8], material: &[u8], info: &[u8]) -> Self {
        let keys = kdf::hkdf::<44>(salt, material, info);
        let nonce =
            |to: &mut [u8; 12]| to.iter_mut().zip(keys.expose().iter().skip(32)).for_each(|(to, from)| *to = *from);
        Self { key: keys.part(0), nonce: Secret::init_with(nonce) }
    }
}

/// The ephemeral key is fresh for each hello, so that these keys are as well.
fn hello_keys(new: NewDevice<'_>, ephemeral: &[u8; 32]) -> Keys {
    let info = kdf::join(&[labels::LINK_HELLO, new.signing_key, new.identity_key.as_bytes(), ephemeral]);
    Keys::derive(&[], new.secret.expose(), &info)
}

/// The salt is fresh for each answer: a store that was rolled back may answer one hello twice.
fn answer_keys(new: NewDevice<'_>, hello: &Hello, agreed: &Secret<32>, salt: &[u8; 16]) -> Keys {
    let mut material = Zeroizing::new(Vec::with_capacity(64));
    material.extend_from_slice(new.secret.expose());
    material.extend_from_slice(agreed.expose());
    Keys::derive(salt, &material, &hello.binding(labels::LINK, new))
}

#[cfg(test)]
mod tests;
