//! Pair keys: the keys that two devices share before they have a session, one set for each direction (X 1).
//!
//! With pair keys a forged envelope is refused after one HMAC, and an envelope does not show which session it
//! belongs to. They protect no content. If an identity key leaks, others learn who talks in which scope, not
//! what is said.

use super::party::{DecodedParty, Party};
use crate::{
    crypto::{kdf, labels, x25519},
    error::Code,
    secret::{Secret, Shared},
};
use subtle::ConstantTimeEq;

/// The keys for envelopes from one sender to one recipient: mask, gate and control, 32 bytes each.
#[derive(Clone, Debug)]
pub struct PairKeys(Shared<96>);

impl PairKeys {
    /// > mask, gate, control = HKDF(DH(IK_s, IK_r), "sesame/1 pair" ‖ suite ‖ party s ‖ party r)
    ///
    /// The salt is empty and the output has 96 bytes. `ours` is the private IK of one party, `theirs` the
    /// public IK of the other.
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`] if the shared secret is not contributory.
    pub fn derive(
        ours: &x25519::PrivateKey,
        theirs: &x25519::PublicKey,
        suite: u8,
        sender: &Party,
        recipient: &Party,
    ) -> Result<Self, Code> {
        Ok(Self::from_agreed(&ours.diffie_hellman(theirs)?, suite, sender, recipient))
    }

    /// The keys of both directions between us and another party, ours first, from one agreement.
    ///
    /// # Errors
    /// As [`PairKeys::derive`].
    pub fn both(ours: &x25519::PrivateKey, suite: u8, us: &Party, them: &DecodedParty) -> Result<(Self, Self), Code> {
        let shared = ours.diffie_hellman_at(them.identity())?;
        let them = them.party();
        let of = |sender, recipient| Self::from_agreed(&shared, suite, sender, recipient);
        Ok((of(us, them), of(them, us)))
    }

    fn from_agreed(shared: &Secret<32>, suite: u8, sender: &Party, recipient: &Party) -> Self {
        let info = kdf::join(&[labels::PAIR, &[suite], &sender.encode(), &recipient.encode()]);
        Self(kdf::hkdf::<96>(&[], shared.expose(), &info).into())
    }

    /// The keys from the bytes of [`PairKeys::secret`].
    #[must_use]
    pub fn from_secret(keys: Shared<96>) -> Self {
        Self(keys)
    }

    /// The bytes of the keys, to be stored in the peer's record.
    #[must_use]
    pub fn secret(&self) -> &Shared<96> {
        &self.0
    }

    /// > `gate = HMAC(gate key, every byte before it)[16]`
    #[must_use]
    pub fn gate(&self, head: &[u8]) -> [u8; 16] {
        first_half(&kdf::hmac(&self.0.part(1), head))
    }

    /// Checks a gate in constant time.
    ///
    /// # Errors
    /// [`Code::Forged`]. The envelope is dropped, nothing changes, and no retry is sent.
    pub fn check_gate(&self, head: &[u8], gate: &[u8; 16]) -> Result<(), Code> {
        if bool::from(self.gate(head).ct_eq(gate)) { Ok(()) } else { Err(Code::Forged) }
    }

    /// > `locator = chain_tag XOR HMAC(mask, salt)[16]`
    ///
    /// The function is its own inverse: applied to a locator it gives the chain tag.
    #[must_use]
    pub fn mask(&self, salt: &[u8; 16], tag: &[u8; 16]) -> [u8; 16] {
        let mut masked = first_half(&kdf::hmac(&self.0.part(0), salt));
        masked.iter_mut().zip(tag).for_each(|(to, from)| *to ^= from);
        masked
    }

    /// The key for retries (X 8).
    #[must_use]
    pub fn control(&self) -> Secret<32> {
        self.0.part(2)
    }
}

fn first_half(tag: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
    half
}
