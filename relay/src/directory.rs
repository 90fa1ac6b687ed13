//! The directory: each user's signed device list and each device's prekeys.

use crate::Caller;
use core::fmt;
use sesame_core::{
    error::Code,
    ids::{DeviceId, UserId},
    internal::{
        keys::device_list::VerifiedDeviceList,
        wire::bundle::{Bundle, KemPreKey, LastingPreKeys, OneTimePreKey, Publication},
    },
    limits::MAX_ONE_TIME_PRE_KEYS,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why an upload was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublishError {
    /// The upload is malformed, or the signature of its list does not verify.
    Malformed(Code),
    /// The upload is not from the calling device, or the user's list does not name that device with these keys.
    NotListed,
    /// The list does not name the current list among its ancestors.
    NotASuccessor,
    /// The user has another account key.
    OtherAccount,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(code) => code.text(),
            Self::NotListed => "the upload is not from a listed device",
            Self::NotASuccessor => "the list does not descend from the current one",
            Self::OtherAccount => "the user has another account key",
        })
    }
}

impl core::error::Error for PublishError {}

/// The one-time prekeys that a device has left, of the kind that has fewer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stock {
    /// The number of keys.
    pub one_time: u32,
}

#[derive(Clone, Debug, Default)]
struct PreKeys {
    lasting: Option<LastingPreKeys>,
    curve: VecDeque<OneTimePreKey>,
    kem: VecDeque<KemPreKey>,
    /// Ids that were ever uploaded. The same upload a second time adds nothing (A24).
    taken: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct Account {
    list: VerifiedDeviceList,
    pre_keys: BTreeMap<DeviceId, PreKeys>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(BTreeMap<UserId, Account>);

impl Directory {
    pub(crate) fn publish(&mut self, (user, device): Caller<'_>, bytes: &[u8]) -> Result<Stock, PublishError> {
        let upload = Publication::decode(bytes).map_err(PublishError::Malformed)?;
        if (upload.user.as_slice(), upload.device) != (user.as_bytes(), device.0) {
            return Err(PublishError::NotListed);
        }
        let offered = match upload.device_list.as_slice() {
            [] => None,
            list => Some(VerifiedDeviceList::verify(list).map_err(PublishError::Malformed)?),
        };
        let next = match (self.0.get(user).map(|account| &account.list), offered) {
            (known, Some(offered)) => {
                check_successor(user, known, &offered)?;
                offered
            }
            (Some(known), None) => known.clone(),
            (None, None) => return Err(PublishError::NotListed),
        };
        let listed = next.list.device(device).ok_or(PublishError::NotListed)?;
        if (listed.signing_key, listed.identity_key) != (upload.signing_key, upload.identity_key) {
            return Err(PublishError::NotListed);
        }
        let account =
            self.0.entry(user.clone()).or_insert_with(|| Account { list: next.clone(), pre_keys: BTreeMap::new() });
        account.list = next;
        let Account { list, pre_keys } = account;
        pre_keys.retain(|device, _| list.list.device(*device).is_some());
        let keys = pre_keys.entry(device).or_default();
        keys.lasting = upload.lasting.or(keys.lasting.take());
        for (curve, kem) in upload.one_time.iter().zip(upload.kem_one_time.iter()) {
            if keys.curve.len() < MAX_ONE_TIME_PRE_KEYS && keys.taken.insert(curve.id) {
                keys.curve.push_back(curve.clone());
                keys.kem.push_back(kem.clone());
            }
        }
        Ok(self.stock((user, device)))
    }

    pub(crate) fn stock(&self, (user, device): Caller<'_>) -> Stock {
        let keys = self.0.get(user).and_then(|account| account.pre_keys.get(&device));
        let left = keys.map_or(0, |keys| keys.curve.len().min(keys.kem.len()));
        Stock { one_time: u32::try_from(left).unwrap_or(u32::MAX) }
    }

    pub(crate) fn list(&self, user: &UserId) -> Option<Vec<u8>> {
        self.0.get(user).map(|account| account.list.signed.clone())
    }

    pub(crate) fn devices(&self, user: &UserId) -> Option<Vec<DeviceId>> {
        let account = self.0.get(user)?;
        Some(account.list.list.devices.iter().map(|device| device.id).collect())
    }

    pub(crate) fn bundle(&mut self, user: &UserId, device: DeviceId) -> Option<Vec<u8>> {
        let account = self.0.get_mut(user)?;
        let listed = account.list.list.device(device).copied()?;
        let keys = account.pre_keys.get_mut(&device)?;
        let lasting = keys.lasting.clone()?;
        let bundle = Bundle {
            version: 1,
            user: user.as_bytes().to_vec().into(),
            device: device.0,
            signing_key: listed.signing_key,
            identity_key: listed.identity_key,
            signed_pre_key: lasting.signed_pre_key,
            one_time_pre_key: keys.curve.pop_front(),
            kem_pre_key: keys.kem.pop_front().unwrap_or(lasting.last_resort),
        };
        bundle.encode().ok()
    }
}

/// > A list replaces another only if it names it as its ancestor.
fn check_successor(
    user: &UserId,
    known: Option<&VerifiedDeviceList>,
    offered: &VerifiedDeviceList,
) -> Result<(), PublishError> {
    if offered.user != *user {
        return Err(PublishError::NotListed);
    }
    let Some(known) = known else { return Ok(()) };
    if known.account_key != offered.account_key {
        return Err(PublishError::OtherAccount);
    }
    if known.list.hash == offered.list.hash || offered.list.ancestors.contains(&known.list.hash) {
        return Ok(());
    }
    Err(PublishError::NotASuccessor)
}
