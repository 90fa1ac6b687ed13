//! A party: one device of one user, with all keys that name it (see the notation in `docs/rules.md`).

use crate::{
    crypto::{ed25519, kdf::join, x25519},
    ids::{AccountKey, DeviceId, UserId},
};

/// A party. Sessions and pair keys are bound to it. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Party {
    /// The user id.
    pub user: UserId,
    /// The user's account key.
    pub account_key: ed25519::VerifyingKey,
    /// The device id.
    pub device: DeviceId,
    /// The device's signing key.
    pub signing_key: ed25519::VerifyingKey,
    /// IK, the device's identity key.
    pub identity_key: x25519::PublicKey,
}

impl Party {
    /// The user's account key, as a name.
    #[must_use]
    pub fn account(&self) -> AccountKey {
        AccountKey(*self.account_key.as_bytes())
    }

    /// Whether these names are this party's.
    #[must_use]
    pub fn is_device(&self, user: &UserId, device: DeviceId) -> bool {
        (&self.user, self.device) == (user, device)
    }

    /// The canonical encoding: user id, account key, device id (u32 big-endian), signing key, IK, joined.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { user, account_key, device, signing_key, identity_key } = self;
        join(&[
            user.as_bytes(),
            account_key.as_bytes(),
            &device.0.to_be_bytes(),
            signing_key.as_bytes(),
            identity_key.as_bytes(),
        ])
    }
}
