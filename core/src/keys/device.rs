//! The keys of this device (D1): an Ed25519 signing key, an X25519 identity key, and its party.

use super::{
    pair::PairKeys,
    party::{DecodedParty, Party},
};
use crate::{
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        x25519,
    },
    error::Code,
    ids::{AccountKey, DeviceId, UserId},
    wire::envelope::SUITE,
};

/// The keys of this device.
#[derive(Clone, Debug)]
pub struct DeviceKeys {
    /// IK, the private half.
    pub identity: x25519::PrivateKey,
    /// The public keys and names by which others know this device.
    pub party: Party,
    /// The private key that signs prekeys and operations.
    pub signing: SigningKey,
}

impl DeviceKeys {
    /// The keys from this device's record.
    #[must_use]
    pub fn new(
        user: UserId,
        device: DeviceId,
        account_key: AccountKey,
        signing: SigningKey,
        identity: x25519::PrivateKey,
    ) -> Self {
        let party = Party {
            user,
            account_key: VerifyingKey::from_checked(account_key.0),
            device,
            signing_key: signing.verifying_key(),
            identity_key: identity.public_key(),
        };
        Self { identity, party, signing }
    }

    /// The pair keys for envelopes to another device, and those for envelopes from it.
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`].
    pub fn pair(&self, theirs: &DecodedParty) -> Result<(PairKeys, PairKeys), Code> {
        PairKeys::both(&self.identity, SUITE, &self.party, theirs)
    }
}
