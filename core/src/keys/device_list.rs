//! A device list whose signature is verified (X 5).
//!
//! This module does not know the pinned account key of a user; `registry` checks pins, rollback and forks.

use super::party::Party;
use crate::{
    context::Timestamp,
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        kdf::sha256,
        labels, x25519,
    },
    error::Code,
    ids::{AccountKey, DeviceId, UserId},
    limits::MAX_ANCESTORS,
    wire::{
        content::ListClaim,
        device_list::{DeviceList, ListedDevice, SignedDeviceList},
        envelope::SUITE,
    },
};

/// A device list that is signed by the account key in it. Every key on it is checked.
#[derive(Clone, Debug)]
pub struct VerifiedDeviceList {
    /// The user that the list belongs to.
    pub user: UserId,
    /// The account key that signed the list.
    pub account_key: VerifyingKey,
    /// Epoch, hash, time, devices and ancestors.
    pub list: List,
    /// The signed list, as it arrived.
    pub signed: Vec<u8>,
}

impl VerifiedDeviceList {
    /// Decodes a signed list and checks its form, its keys and its signature.
    ///
    /// # Errors
    /// The errors of [`DeviceList::decode`]. [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a key.
    /// [`Code::BadSignature`].
    pub fn verify(signed: &[u8]) -> Result<Self, Code> {
        let outer = SignedDeviceList::decode(signed)?;
        let form = DeviceList::decode(outer.list.as_slice())?;
        let account_key = VerifyingKey::decode(form.account_key)?;
        account_key.verify(labels::DEVICE_LIST, outer.list.as_slice(), &outer.signature)?;
        for device in form.devices.as_slice() {
            VerifyingKey::decode(device.signing_key)?;
            x25519::PublicKey::decode(device.identity_key)?;
        }
        let devices = form.devices.iter().map(|device| Listing {
            id: DeviceId(device.id),
            signing_key: device.signing_key,
            identity_key: device.identity_key,
            added_at_epoch: device.added_at_epoch,
        });
        Ok(Self {
            user: UserId::try_new(form.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?,
            account_key,
            list: List {
                epoch: form.epoch,
                hash: sha256(outer.list.as_slice()),
                issued_at: form.issued_at,
                devices: devices.collect(),
                ancestors: form.ancestors.as_slice().to_vec(),
            },
            signed: signed.to_vec(),
        })
    }

    /// The account key that signed, as a name.
    #[must_use]
    pub fn account(&self) -> AccountKey {
        AccountKey(*self.account_key.as_bytes())
    }
}

/// Signs the list that follows `before`, or the first list if `before` is `None`. `devices` is sorted by id.
///
/// # Errors
/// The errors of [`DeviceList::encode`].
pub fn sign(
    account: &SigningKey,
    user: &UserId,
    before: Option<&List>,
    devices: &[Listing],
    now: Timestamp,
) -> Result<VerifiedDeviceList, Code> {
    let ancestors: Vec<[u8; 32]> = before
        .into_iter()
        .flat_map(|list| core::iter::once(list.hash).chain(list.ancestors.iter().copied()))
        .take(MAX_ANCESTORS)
        .collect();
    let listed: Vec<ListedDevice> = devices
        .iter()
        .map(|device| ListedDevice {
            id: device.id.0,
            signing_key: device.signing_key,
            identity_key: device.identity_key,
            suites: vec![SUITE].into(),
            added_at_epoch: device.added_at_epoch,
        })
        .collect();
    let list = DeviceList {
        version: 1,
        user: user.as_bytes().to_vec().into(),
        account_key: *account.verifying_key().as_bytes(),
        epoch: before.map_or(1, |list| list.epoch.saturating_add(1)),
        issued_at: now.0,
        devices: listed.into(),
        ancestors: ancestors.into(),
    };
    let bytes = list.encode()?;
    let signature = account.sign(labels::DEVICE_LIST, &bytes);
    let signed = SignedDeviceList { list: bytes.into(), signature }.encode()?;
    VerifiedDeviceList::verify(&signed)
}

/// A verified list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List {
    /// Its epoch.
    pub epoch: u64,
    /// SHA-256 of what was signed.
    pub hash: [u8; 32],
    /// When it was signed, in ms.
    pub issued_at: u64,
    /// The devices, rising by id.
    pub devices: Vec<Listing>,
    /// Hashes of the lists before it, newest first.
    pub ancestors: Vec<[u8; 32]>,
}

/// A device as a list names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listing {
    /// DeviceID.
    pub id: DeviceId,
    /// The device's Ed25519 key.
    pub signing_key: [u8; 32],
    /// IK.
    pub identity_key: [u8; 32],
    /// The epoch that first named it.
    pub added_at_epoch: u64,
}

impl List {
    /// The listed device with this id.
    #[must_use]
    pub fn device(&self, id: DeviceId) -> Option<&Listing> {
        self.devices.iter().find(|device| device.id == id)
    }

    /// The claim about this list that a content carries.
    #[must_use]
    pub fn claim(&self) -> ListClaim {
        let mut hash = [0; 16];
        hash.iter_mut().zip(&self.hash).for_each(|(to, from)| *to = *from);
        ListClaim { epoch: self.epoch, hash }
    }

    /// The hash of the list of `epoch`, if it is this list or one of its ancestors.
    #[must_use]
    pub fn hash_of(&self, epoch: u64) -> Option<&[u8; 32]> {
        match self.epoch.checked_sub(epoch)? {
            0 => Some(&self.hash),
            back => self.ancestors.get(usize::try_from(back - 1).ok()?),
        }
    }
}

impl Listing {
    /// The party that this device is, for a user with this account key.
    #[must_use]
    pub fn party(&self, user: &UserId, account_key: VerifyingKey) -> Party {
        Party {
            user: user.clone(),
            account_key,
            device: self.id,
            signing_key: VerifyingKey::from_checked(self.signing_key),
            identity_key: x25519::PublicKey::from_checked(self.identity_key),
        }
    }
}
