//! A device list whose signature is verified (X 5).
//!
//! This module does not know the pinned account key of a user; `registry` checks pins, rollback and forks.

use super::party::Party;
use crate::{
    context::Timestamp,
    crypto::{
        ed25519::{SigningKey, Verifier, VerifyingKey},
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
        Self::verify_with(signed, None)
    }

    /// The same for a list that one of its own devices has sent: what was checked of the sender is not checked again.
    ///
    /// # Errors
    /// As [`VerifiedDeviceList::verify`].
    pub fn verify_from(signed: &[u8], sender: &Sender<'_>) -> Result<Self, Code> {
        Self::verify_with(signed, Some(sender))
    }

    fn verify_with(signed: &[u8], sender: Option<&Sender<'_>>) -> Result<Self, Code> {
        let outer = SignedDeviceList::decode(signed)?;
        let form = DeviceList::decode(outer.list.as_slice())?;
        // The list says which key has signed it and which keys it names. A checked key of the sender stands for one of them only if all bytes are
        // the same.
        let known = sender.filter(|sender| *sender.account.key().as_bytes() == form.account_key);
        let account = match known {
            Some(sender) => *sender.account,
            None => Verifier::decode(form.account_key)?,
        };
        account.verify(labels::DEVICE_LIST, outer.list.as_slice(), &outer.signature)?;
        for device in form.devices.as_slice() {
            if sender.is_none_or(|sender| device.signing_key != *sender.party.signing_key.as_bytes()) {
                VerifyingKey::decode(device.signing_key)?;
            }
            if sender.is_none_or(|sender| device.identity_key != *sender.party.identity_key.as_bytes()) {
                x25519::PublicKey::decode(device.identity_key)?;
            }
        }
        Self::read(signed, &outer, &form)
    }

    /// Takes a signed list that was verified before it was stored.
    ///
    /// # Errors
    /// The errors of [`DeviceList::decode`].
    pub(crate) fn from_checked(signed: &[u8]) -> Result<Self, Code> {
        let outer = SignedDeviceList::decode(signed)?;
        let form = DeviceList::decode(outer.list.as_slice())?;
        Self::read(signed, &outer, &form)
    }

    fn read(signed: &[u8], outer: &SignedDeviceList, form: &DeviceList) -> Result<Self, Code> {
        let devices = form.devices.iter().map(|device| Listing {
            id: DeviceId(device.id),
            signing_key: device.signing_key,
            identity_key: device.identity_key,
            added_at_epoch: device.added_at_epoch,
        });
        Ok(Self {
            user: UserId::try_new(form.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?,
            account_key: VerifyingKey::from_checked(form.account_key),
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

/// The device that has sent a list: a party holds checked keys only, and the account key is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The device.
    pub party: &'a Party,
    /// The account key that its user is known by.
    pub account: &'a Verifier,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    /// Each list is signed by `account`, and names a device with these keys.
    fn list_of(account: &SigningKey, signing_key: [u8; 32], identity_key: [u8; 32]) -> Vec<u8> {
        let form = DeviceList {
            version: 1,
            user: b"alice".to_vec().into(),
            account_key: *account.verifying_key().as_bytes(),
            epoch: 1,
            issued_at: 0,
            devices: vec![ListedDevice {
                id: 1,
                signing_key,
                identity_key,
                suites: vec![SUITE].into(),
                added_at_epoch: 1,
            }]
            .into(),
            ancestors: Vec::new().into(),
        };
        let list = form.encode().unwrap();
        let signature = account.sign(labels::DEVICE_LIST, &list);
        SignedDeviceList { list: list.into(), signature }.encode().unwrap()
    }

    #[test]
    fn a_list_from_its_device_is_judged_as_any_list_is() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let (account, other) = (SigningKey::generate(&mut context), SigningKey::generate(&mut context));
        let signing_key = *SigningKey::generate(&mut context).verifying_key().as_bytes();
        let identity_key = *x25519::PrivateKey::generate(&mut context).public_key().as_bytes();
        let honest = list_of(&account, signing_key, identity_key);
        let verified = VerifiedDeviceList::verify(&honest).unwrap();
        let party = verified.list.devices[0].party(&verified.user, verified.account_key);
        let known = Verifier::of(&verified.account_key).unwrap();
        let sender = Sender { party: &party, account: &known };
        let same = |signed: &[u8]| {
            let of = |list: VerifiedDeviceList| (list.account(), list.list, list.signed);
            let alone = VerifiedDeviceList::verify(signed).map(of);
            assert_eq!(VerifiedDeviceList::verify_from(signed, &sender).map(of), alone);
            alone.map(drop)
        };
        assert_eq!(same(&honest), Ok(()));
        assert_eq!(VerifiedDeviceList::from_checked(&honest).unwrap().list, verified.list);
        for bit in 0..honest.len() * 8 {
            let mut spoilt = honest.clone();
            spoilt[bit / 8] ^= 1 << (bit % 8);
            assert!(same(&spoilt).is_err(), "bit {bit}");
        }
        // Keys that the sender does not have are decoded, whoever has signed.
        let twist = std::array::from_fn(|at| if at == 0 { 2 } else { 0 });
        for signer in [&account, &other] {
            assert_eq!(same(&list_of(signer, signing_key, identity_key)), Ok(()));
            assert_eq!(same(&list_of(signer, [0; 32], identity_key)), Err(Code::WeakPublicKey));
            assert_eq!(same(&list_of(signer, [0xff; 32], identity_key)), Err(Code::BadKeyEncoding));
            assert_eq!(same(&list_of(signer, signing_key, [0; 32])), Err(Code::WeakPublicKey));
            assert_eq!(same(&list_of(signer, signing_key, twist)), Err(Code::WeakPublicKey));
            assert_eq!(same(&list_of(signer, signing_key, [0xff; 32])), Err(Code::BadKeyEncoding));
        }
    }
}
