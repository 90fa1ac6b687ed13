//! A device list whose signature is verified (X 5).
//!
//! This module does not know the pinned account key of a user; `registry` checks pins, rollback and forks.

use super::{
    chain::{self, Chain},
    party::Party,
};
use crate::{
    context::Timestamp,
    crypto::{
        ed25519::{SigningKey, Verifier, VerifyingKey},
        kdf::sha256,
        labels, x25519,
    },
    error::Code,
    ids::{AccountKey, DeviceId, ListHash, UserId},
    wire::{
        content::ListClaim,
        device_list::{DeviceList, ListedDevice, ShownList, SignedDeviceList},
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
    /// Epoch, hash, time, devices and history.
    pub list: List,
    /// The hashes of the lists before it that it was shown with, and its own.
    pub branch: Chain,
    /// The signed list, as it arrived, without what it was shown with.
    pub signed: Vec<u8>,
}

impl VerifiedDeviceList {
    /// Decodes a list with its links, a [`ShownList`], and checks its form, its keys, its signature and its links.
    ///
    /// # Errors
    /// The errors of [`DeviceList::decode`]. [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a key.
    /// [`Code::BadSignature`]. [`Code::BrokenChain`] for links that do not lead to the list.
    pub fn verify(shown: &[u8]) -> Result<Self, Code> {
        Self::verify_with(&Shown::decode(shown)?, None)
    }

    /// The same for a list without links, a [`SignedDeviceList`].
    ///
    /// # Errors
    /// As [`VerifiedDeviceList::verify`].
    pub fn verify_signed(signed: &[u8]) -> Result<Self, Code> {
        Self::verify_with(&Shown::alone(signed)?, None)
    }

    /// The same for a list that one of its own devices has sent: what was checked of the sender is not checked again.
    ///
    /// # Errors
    /// As [`VerifiedDeviceList::verify`].
    pub fn verify_from(shown: &[u8], sender: &Sender<'_>) -> Result<Self, Code> {
        Self::verify_with(&Shown::decode(shown)?, Some(sender))
    }

    pub(crate) fn verify_with(shown: &Shown, sender: Option<&Sender<'_>>) -> Result<Self, Code> {
        let outer = &shown.form.signed;
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
        Self::read(shown, &form)
    }

    /// Takes a list that was verified before. Its links are checked anew: they are no part of it.
    ///
    /// # Errors
    /// The errors of [`DeviceList::decode`]. [`Code::BrokenChain`].
    pub(crate) fn from_checked(shown: &Shown) -> Result<Self, Code> {
        Self::read(shown, &DeviceList::decode(shown.form.signed.list.as_slice())?)
    }

    fn read(shown: &Shown, form: &DeviceList) -> Result<Self, Code> {
        let devices = form.devices.iter().map(|device| Listing {
            id: DeviceId(device.id),
            signing_key: device.signing_key,
            identity_key: device.identity_key,
            added_at_epoch: device.added_at_epoch,
        });
        let list = List {
            epoch: form.epoch,
            hash: sha256(shown.form.signed.list.as_slice()),
            issued_at: form.issued_at,
            devices: devices.collect(),
            last_id: form.last_id,
            primary: DeviceId(form.primary_id),
            history: form.history,
        };
        Ok(Self {
            user: UserId::try_new(form.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?,
            account_key: VerifyingKey::from_checked(form.account_key),
            branch: Chain::of(&list, shown.form.links.as_slice())?,
            list,
            signed: shown.signed.clone(),
        })
    }

    /// The list with the hashes that it was shown with, at most `most` of them: a [`ShownList`].
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn shown(&self, most: usize) -> Result<Vec<u8>, Code> {
        show(&self.signed, self.branch.links(0, most))
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

/// A decoded [`ShownList`], nothing of which is verified yet.
#[derive(Clone, Debug)]
pub struct Shown {
    form: ShownList,
    signed: Vec<u8>,
}

impl Shown {
    /// Decodes a [`ShownList`].
    ///
    /// # Errors
    /// The errors of [`ShownList::decode`].
    pub fn decode(shown: &[u8]) -> Result<Self, Code> {
        let form = ShownList::decode(shown)?;
        let signed = form.signed.encode()?;
        Ok(Self { form, signed })
    }

    /// Decodes a [`SignedDeviceList`]: a list without links.
    ///
    /// # Errors
    /// The errors of [`SignedDeviceList::decode`].
    pub fn alone(signed: &[u8]) -> Result<Self, Code> {
        let form = ShownList { signed: SignedDeviceList::decode(signed)?, links: Vec::new().into() };
        Ok(Self { form, signed: signed.to_vec() })
    }

    /// The list without its links, as it arrived.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        &self.signed
    }

    /// How many links came along.
    #[must_use]
    pub fn links(&self) -> usize {
        self.form.links.as_slice().len()
    }
}

/// A signed list with these links, a [`ShownList`].
///
/// # Errors
/// [`Code::TooLarge`]; the codec's for what is no signed list.
pub fn show(signed: &[u8], links: Vec<[u8; 32]>) -> Result<Vec<u8>, Code> {
    ShownList { signed: SignedDeviceList::decode(signed)?, links: links.into() }.encode()
}

/// Signs the list that follows `before`, or the first list if `before` is `None`. `devices` is sorted by id. The primary stays the same; of a
/// first list it is the first device.
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
    let primary = before.map(|list| list.primary).or(devices.first().map(|first| first.id));
    sign_as(account, user, before, devices, (primary.unwrap_or(DeviceId(0)), now))
}

/// The same, and says which device has the account key from now on.
///
/// # Errors
/// The errors of [`DeviceList::encode`].
pub fn sign_as(
    account: &SigningKey,
    user: &UserId,
    before: Option<&List>,
    devices: &[Listing],
    (primary, now): (DeviceId, Timestamp),
) -> Result<VerifiedDeviceList, Code> {
    let highest = devices.iter().map(|device| device.id.0).max().unwrap_or(0);
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
        last_id: before.map_or(0, |list| list.last_id).max(highest),
        primary_id: primary.0,
        history: before.map_or(chain::FIRST, |list| chain::next(&list.history, &list.hash)),
    };
    let bytes = list.encode()?;
    let signature = account.sign(labels::DEVICE_LIST, &bytes);
    let signed = SignedDeviceList { list: bytes.into(), signature }.encode()?;
    VerifiedDeviceList::verify_signed(&signed)
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
    /// The highest DeviceID that was ever given.
    pub last_id: u32,
    /// The device that has the account key.
    pub primary: DeviceId,
    /// The history of the list (X 5).
    pub history: [u8; 32],
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

    /// The name of the list.
    #[must_use]
    pub fn name(&self) -> ListHash {
        ListHash(self.hash)
    }

    /// Whether a claim cannot be about a list that this one descends from: it is about a later list, or about another one of the same epoch.
    #[must_use]
    pub fn is_passed_by(&self, claim: &ListClaim) -> bool {
        claim.epoch > self.epoch || (claim.epoch == self.epoch && *claim != self.claim())
    }

    /// Whether a device is on this list with the same keys as here.
    #[must_use]
    pub fn has(&self, device: &Listing) -> bool {
        self.device(device.id).is_some_and(|listed| listed.has_keys_of(device))
    }
}

impl Listing {
    /// Whether both entries are the same device: the same id with the same keys.
    #[must_use]
    pub fn has_keys_of(&self, other: &Self) -> bool {
        (self.id, self.signing_key, self.identity_key) == (other.id, other.signing_key, other.identity_key)
    }

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
            last_id: 1,
            primary_id: 1,
            history: chain::FIRST,
        };
        let list = form.encode().unwrap();
        let signature = account.sign(labels::DEVICE_LIST, &list);
        let signed = SignedDeviceList { list: list.into(), signature };
        ShownList { signed, links: Vec::new().into() }.encode().unwrap()
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
        assert_eq!(VerifiedDeviceList::from_checked(&Shown::decode(&honest).unwrap()).unwrap().list, verified.list);
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
