//! A party: one device of one user, with all keys that name it (see the notation in `docs/rules.md`).

use crate::{
    crypto::{
        ed25519,
        kdf::{join, sha256},
        labels, x25519,
    },
    error::Code,
    ids::{AccountKey, DeviceId, Fingerprint, UserId},
    keys::device_list::Listing,
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

    /// The name that a batch gives this device (X 6).
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { user, account_key, device, signing_key, identity_key } = self;
        hash(user, account_key.as_bytes(), *device, [signing_key.as_bytes(), identity_key.as_bytes()])
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

/// A party with the point of its IK, for a call that makes pair keys or a session with it. It is never stored.
#[derive(Clone, Debug)]
pub struct DecodedParty {
    party: Party,
    identity: x25519::PublicPoint,
}

impl DecodedParty {
    /// The party of a device whose keys were decoded just now.
    #[must_use]
    pub fn new(
        (user, device): (UserId, DeviceId),
        account_key: ed25519::VerifyingKey,
        signing_key: ed25519::VerifyingKey,
        identity: x25519::PublicPoint,
    ) -> Self {
        let identity_key = *identity.key();
        Self { party: Party { user, account_key, device, signing_key, identity_key }, identity }
    }

    /// A party whose keys were checked before.
    ///
    /// # Errors
    /// As [`x25519::PublicPoint::of`].
    pub fn of(party: Party) -> Result<Self, Code> {
        let identity = x25519::PublicPoint::of(&party.identity_key)?;
        Ok(Self { party, identity })
    }

    /// The party.
    #[must_use]
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// IK with its point.
    #[must_use]
    pub fn identity(&self) -> &x25519::PublicPoint {
        &self.identity
    }
}

/// The fingerprint of a listed device.
#[must_use]
pub fn fingerprint(user: &UserId, account_key: &AccountKey, listed: &Listing) -> Fingerprint {
    hash(user, &account_key.0, listed.id, [&listed.signing_key, &listed.identity_key])
}

/// > fingerprint = SHA-256(join("sesame/1 device", user, account key, device u32, signing key, IK))[16]
fn hash(
    user: &UserId,
    account_key: &[u8; 32],
    device: DeviceId,
    [signing_key, identity_key]: [&[u8; 32]; 2],
) -> Fingerprint {
    let id = device.0.to_be_bytes();
    let full = sha256(&join(&[labels::DEVICE, user.as_bytes(), account_key, &id, signing_key, identity_key]));
    let mut short = [0; 16];
    short.iter_mut().zip(full).for_each(|(to, from)| *to = from);
    Fingerprint(short)
}
