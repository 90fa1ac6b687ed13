//! The directory: each user's signed device list, and each device's prekeys and push value.

use crate::{
    Caller,
    decide::{End, Entry, PublishError, Standing, Tombstone, decide_name, decide_publish, departed},
    limits::{DEPARTED, KEEP_ONE_TIME, KEEP_TOMBSTONE, WANTED},
};
use sesame_core::{
    context::Timestamp,
    ids::{AccountKey, DeviceId, UserId},
    internal::{
        crypto::ed25519::VerifyingKey,
        keys::{
            chain::Chain,
            device_list::{self, VerifiedDeviceList},
            pre_keys::is_after,
        },
        wire::{
            answer::Stock,
            bundle::{Bundle, KemPreKey, LastingPreKeys, OneTimePreKey, Publication},
        },
    },
    limits::{MAX_CLOCK_SKEW, MAX_HASHES, MAX_ONE_TIME_PRE_KEYS, MAX_OWN_HASHES, MAX_PRE_KEY_ID},
};
use std::collections::{BTreeMap, VecDeque};

/// A decoded upload with its verified list.
pub(crate) struct Upload {
    pub(crate) form: Publication,
    pub(crate) list: Option<VerifiedDeviceList>,
}

impl Upload {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, PublishError> {
        let form = Publication::decode(bytes).map_err(PublishError::Malformed)?;
        let list = match form.device_list.as_slice() {
            [] => None,
            list => Some(VerifiedDeviceList::verify(list).map_err(PublishError::Malformed)?),
        };
        Ok(Self { form, list })
    }

    pub(crate) fn is_from(&self, (user, device): Caller<'_>) -> bool {
        (self.form.user.as_slice(), self.form.device) == (user.as_bytes(), device.0)
    }
}

/// A pair of one-time prekeys.
#[derive(Clone)]
struct OneTime {
    curve: OneTimePreKey,
    kem: KemPreKey,
    /// When the server took it.
    taken_at: Timestamp,
}

/// What the server keeps for a listed device.
#[derive(Clone, Default)]
struct Device {
    lasting: Option<LastingPreKeys>,
    one_time: VecDeque<OneTime>,
    /// The last id of a one-time prekey that was taken. The same upload a second time adds nothing (A24). Ids wrap.
    one_time_high: Option<u32>,
    push: Vec<u8>,
}

impl Device {
    fn take(&mut self, upload: Publication, now: Timestamp) {
        // What is too old to be handed out takes no room from what is new.
        self.drop_old(now);
        // Keys of a date that has not come yet are of a clock that was ahead, and nobody takes them.
        let is_newer = |new: &LastingPreKeys, old: &LastingPreKeys| {
            let [new, old] = [new, old].map(|keys| Timestamp(keys.signed_pre_key.created_at));
            new >= old || old.since(now) > MAX_CLOCK_SKEW
        };
        if let Some(new) = upload.lasting
            && self.lasting.as_ref().is_none_or(|old| is_newer(&new, old))
        {
            self.lasting = Some(new);
        }
        let mut pairs: Vec<_> = upload.one_time.iter().zip(upload.kem_one_time.iter()).collect();
        // In the order in which they were given; the first ones that a device uploads may wrap as well.
        let is_first = |id: &u32| pairs.iter().all(|(other, _)| other.id == *id || is_after(other.id, *id));
        let first = pairs.iter().map(|(curve, _)| curve.id).find(is_first);
        let before = self.one_time_high.or(first).unwrap_or_default();
        pairs.sort_by_key(|(curve, _)| curve.id.wrapping_sub(before) & MAX_PRE_KEY_ID);
        for (curve, kem) in pairs {
            if self.one_time.len() < MAX_ONE_TIME_PRE_KEYS
                && self.one_time_high.is_none_or(|last| is_after(curve.id, last))
            {
                self.one_time_high = Some(curve.id);
                self.one_time.push_back(OneTime { curve: curve.clone(), kem: kem.clone(), taken_at: now });
            }
        }
    }

    fn drop_old(&mut self, now: Timestamp) {
        self.one_time.retain(|pair| now.since(pair.taken_at) < KEEP_ONE_TIME);
    }
}

/// Which hashes go with a list.
#[derive(Clone, Copy)]
pub(crate) enum Hashes {
    /// So many, the newest.
    Newest(usize),
    /// Those from this epoch on, the newest 1,024 of them.
    From(u64),
}

/// A device that has left the list. Its key is remembered so that the device can be told.
#[derive(Clone)]
struct Departed {
    device: DeviceId,
    signing_key: [u8; 32],
}

#[derive(Clone)]
struct Account {
    list: VerifiedDeviceList,
    /// The hashes of all lists up to this one.
    chain: Chain,
    standing: Standing,
    registered_at: Timestamp,
    devices: BTreeMap<DeviceId, Device>,
    /// The newest last.
    departed: VecDeque<Departed>,
}

#[derive(Clone, Default)]
pub(crate) struct Directory {
    accounts: BTreeMap<UserId, Account>,
    /// The accounts of each name that have ended, the newest last.
    tombstones: BTreeMap<UserId, Vec<Tombstone>>,
    /// How often the server's store was restored.
    restored: u64,
}

impl Directory {
    /// Takes an upload; gives the devices that are gone with it.
    pub(crate) fn publish(
        &mut self,
        user: &UserId,
        upload: Upload,
        now: Timestamp,
    ) -> Result<Vec<DeviceId>, PublishError> {
        let Upload { form, list } = upload;
        let known = self.accounts.get(user);
        let after = decide_publish(known.map(|account| &account.standing), &form, list.as_ref())?;
        if self.is_reserved(user, &after.account_key, now) {
            return Err(PublishError::OtherAccount);
        }
        let gone = known.map(|account| departed(&account.standing, &after)).unwrap_or_default();
        match (self.accounts.get_mut(user), list) {
            (Some(account), Some(list)) => account.succeed(list, after, &gone),
            (Some(_), None) => {}
            (None, Some(list)) => {
                let (devices, departed) = (BTreeMap::new(), VecDeque::new());
                let chain = list.branch.clone();
                let account = Account { list, chain, standing: after, registered_at: now, devices, departed };
                self.accounts.insert(user.clone(), account);
                self.forget_deletion(user);
            }
            (None, None) => return Err(PublishError::NotListed),
        }
        if let Some(account) = self.accounts.get_mut(user) {
            account.devices.entry(DeviceId(form.device)).or_default().take(form, now);
        }
        Ok(gone)
    }

    /// Whether the name is not to be had by this account key, because of an account that ended a short time ago.
    pub(crate) fn is_reserved(&self, user: &UserId, account_key: &AccountKey, now: Timestamp) -> bool {
        !decide_name(self.tombstones(user), account_key, now)
    }

    pub(crate) fn stock(&self, caller: Caller<'_>, now: Timestamp) -> Stock {
        let pairs = self.device(caller).into_iter().flat_map(|device| &device.one_time);
        let left = pairs.filter(|pair| now.since(pair.taken_at) < KEEP_ONE_TIME).count();
        // At most MAX_ONE_TIME_PRE_KEYS are kept.
        Stock { one_time: u32::try_from(left).unwrap_or(u32::MAX), wanted: WANTED, generation: self.restored + 1 }
    }

    pub(crate) fn users(&self) -> usize {
        self.accounts.len()
    }

    /// A user's list, with these hashes of the lists before it.
    pub(crate) fn list(&self, user: &UserId, hashes: Hashes) -> Option<Vec<u8>> {
        let account = self.accounts.get(user)?;
        let links = match hashes {
            Hashes::Newest(most) => account.chain.links(0, most),
            Hashes::From(epoch) => account.chain.links(epoch, MAX_HASHES),
        };
        device_list::show(&account.list.signed, links).ok()
    }

    pub(crate) fn standing(&self, user: &UserId) -> Option<&Standing> {
        self.accounts.get(user).map(|account| &account.standing)
    }

    pub(crate) fn registered_at(&self, user: &UserId) -> Option<Timestamp> {
        self.accounts.get(user).map(|account| account.registered_at)
    }

    pub(crate) fn entry(&self, (user, device): Caller<'_>) -> Option<Entry> {
        self.standing(user)?.entry(device).copied()
    }

    /// The signing key of a listed device.
    pub(crate) fn signing_key(&self, (user, device): Caller<'_>) -> Option<VerifyingKey> {
        let listed = self.accounts.get(user)?.list.list.device(device)?;
        VerifyingKey::decode(listed.signing_key).ok()
    }

    /// The signing keys that devices with this id had before they left the list.
    pub(crate) fn departed_keys(&self, (user, device): Caller<'_>) -> Vec<VerifyingKey> {
        let departed = self.accounts.get(user).into_iter().flat_map(|account| &account.departed);
        let keys = departed.filter(|departed| departed.device == device);
        keys.filter_map(|departed| VerifyingKey::decode(departed.signing_key).ok()).collect()
    }

    pub(crate) fn bundle(&mut self, (user, device): Caller<'_>, now: Timestamp) -> Option<Vec<u8>> {
        let account = self.accounts.get_mut(user)?;
        let listed = account.list.list.device(device).copied()?;
        let keys = account.devices.get_mut(&device)?;
        let lasting = keys.lasting.clone()?;
        keys.drop_old(now);
        let (one_time_pre_key, kem_pre_key) = match keys.one_time.pop_front() {
            Some(pair) => (Some(pair.curve), pair.kem),
            None => (None, lasting.last_resort),
        };
        let bundle = Bundle {
            version: 1,
            user: user.as_bytes().to_vec().into(),
            device: device.0,
            signing_key: listed.signing_key,
            identity_key: listed.identity_key,
            signed_pre_key: lasting.signed_pre_key,
            one_time_pre_key,
            kem_pre_key,
        };
        bundle.encode().ok()
    }

    pub(crate) fn set_push(&mut self, (user, device): Caller<'_>, value: Vec<u8>) {
        if let Some(account) = self.accounts.get_mut(user) {
            account.devices.entry(device).or_default().push = value;
        }
    }

    pub(crate) fn push(&self, caller: Caller<'_>) -> Option<&[u8]> {
        self.device(caller).map(|device| device.push.as_slice()).filter(|value| !value.is_empty())
    }

    /// Deletes a user at the user's word. Only the same account key may register that name again for a while.
    pub(crate) fn delete(&mut self, user: &UserId, at: Timestamp, now: Timestamp) {
        if let Some(account) = self.accounts.remove(user) {
            self.bury(user, account.standing.account_key, End::Deleted { at }, now);
        }
    }

    /// Forgets a user at the operator's word, or that a user was deleted. That account key may not register the name again for a while. Gives
    /// whether there was something to forget.
    pub(crate) fn reset(&mut self, user: &UserId, now: Timestamp) -> bool {
        let deleted = self.forget_deletion(user).map(|tombstone| tombstone.account_key);
        let account_key = self.accounts.remove(user).map(|account| account.standing.account_key).or(deleted);
        if let Some(account_key) = account_key {
            self.bury(user, account_key, End::Reset, now);
        }
        account_key.is_some()
    }

    fn bury(&mut self, user: &UserId, account_key: AccountKey, end: End, now: Timestamp) {
        self.tombstones.retain(|_, tombstones| {
            tombstones.retain(|old| old.until > now);
            !tombstones.is_empty()
        });
        let tombstones = self.tombstones.entry(user.clone()).or_default();
        tombstones.retain(|old| old.account_key != account_key);
        tombstones.push(Tombstone { account_key, end, until: now.plus(KEEP_TOMBSTONE) });
    }

    fn tombstones(&self, user: &UserId) -> &[Tombstone] {
        self.tombstones.get(user).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name is in use again, or its operator says that it may be. Tombstones of accounts that were reset stay.
    fn forget_deletion(&mut self, user: &UserId) -> Option<Tombstone> {
        let tombstones = self.tombstones.get_mut(user)?;
        let at = tombstones.iter().position(|tombstone| matches!(tombstone.end, End::Deleted { .. }))?;
        Some(tombstones.remove(at))
    }

    /// Whether the user was deleted after this time.
    pub(crate) fn was_deleted_since(&self, user: &UserId, time: Timestamp) -> bool {
        let is_since = |tombstone: &Tombstone| matches!(tombstone.end, End::Deleted { at } if time < at);
        self.tombstones(user).iter().any(is_since)
    }

    /// Whether a user with this account key was deleted.
    pub(crate) fn was_deleted(&self, user: &UserId, account_key: &AccountKey) -> bool {
        let is_it = |tombstone: &Tombstone| {
            tombstone.account_key == *account_key && matches!(tombstone.end, End::Deleted { .. })
        };
        self.tombstones(user).iter().any(is_it)
    }

    /// Starts a new generation. One-time prekeys that were handed out after the backup would be handed out twice, so all of them go.
    pub(crate) fn restored(&mut self) {
        self.restored = self.restored.saturating_add(1);
        for device in self.accounts.values_mut().flat_map(|account| account.devices.values_mut()) {
            device.one_time.clear();
        }
    }

    fn device(&self, (user, device): Caller<'_>) -> Option<&Device> {
        self.accounts.get(user)?.devices.get(&device)
    }
}

impl Account {
    /// Follows a newer list.
    fn succeed(&mut self, list: VerifiedDeviceList, after: Standing, gone: &[DeviceId]) {
        for device in gone {
            if let Some(listed) = self.list.list.device(*device) {
                self.departed.push_back(Departed { device: *device, signing_key: listed.signing_key });
            }
            self.devices.remove(device);
        }
        while self.departed.len() > DEPARTED {
            self.departed.pop_front();
        }
        self.chain.join(&list.branch, MAX_OWN_HASHES);
        self.list = list;
        self.standing = after;
    }
}
