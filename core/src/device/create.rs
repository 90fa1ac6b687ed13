//! How a device comes to be: as a user's first, by linking, or from its store (D1, X 7).

use super::{
    Device,
    group::state::{self, Teller},
    lists::OwnList,
    run,
    work::Work,
};
use crate::{
    agreement::linking::{self, NewDevice},
    context::{Context, Timestamp},
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        x25519,
    },
    error::{Code, Error},
    event::Event,
    ids::{AccountKey, DeviceId, GroupId, UserId},
    keys::device_list::{self, Listing, VerifiedDeviceList},
    limits::{LINK_EXPIRY, MAX_BUNDLE, MAX_DEVICES},
    model::{GroupRecord, User},
    record::{self, Own, PreKeyBook, StoredList},
    secret::Secret,
    store::{Key, Kind, Places, Query, Sealer, Store},
    wire::{
        group::{Bundle, Operation},
        linking::{Contact, LinkAnswer, LinkGrant, LinkOffer, TlsByteVecU24},
    },
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A new device that waits for its primary's answer; it lives in the store, not in this handle.
pub struct Linking {
    store: Arc<dyn Store>,
    sealer: Sealer,
    code: Zeroizing<String>,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

fn put_list(work: &mut Work<'_>, list: &VerifiedDeviceList, verified: bool) -> Result<(), Code> {
    let pinned = User::pinned(list.user.clone(), list.account());
    work.put_user(&User { verified, list: Some(list.list.clone()), ..pinned })?;
    let key = work.places().user(Kind::List, &list.user);
    work.put(key, &StoredList { signed: list.signed.clone() })
}

/// The store is empty, or its check row fits the key.
fn check_store(work: &mut Work<'_>, sealer: &Sealer, must_exist: bool) -> Result<(), Code> {
    let key = Places::only(Kind::Check);
    work.prefetch(&[
        Query::Exact(key.clone()),
        Query::Exact(Places::only(Kind::Own)),
        Query::Exact(Places::only(Kind::Linking)),
    ])?;
    match work.raw(&key)? {
        Some(row) => sealer.check(&row),
        None if must_exist => Err(Code::ForeignStore),
        None => {
            work.put_raw(sealer.check_row()?);
            Ok(())
        }
    }
}

impl Device {
    /// A user's first device, its primary: makes the account key and signs the first device list.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; the store's.
    pub fn create(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
        user: &UserId,
    ) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let keys = run(store.as_ref(), &sealer, context, |work, context| {
            check_store(work, &sealer, false)?;
            if work.exists(&Places::only(Kind::Own))? || work.exists(&Places::only(Kind::Linking))? {
                return Err(Code::ForeignStore.into());
            }
            let account = SigningKey::generate(context);
            let own = Own {
                user: user.clone(),
                device: DeviceId(1),
                account_key: AccountKey(*account.verifying_key().as_bytes()),
                account: Some(account.seed().clone()),
                signing: SigningKey::generate(context).seed().clone(),
                identity: x25519::PrivateKey::generate(context).secret().clone(),
                next_device: DeviceId(2),
                mailbox_emptied_at: 0,
            };
            let keys = own.keys();
            let first = Listing {
                id: own.device,
                signing_key: *keys.party.signing_key.as_bytes(),
                identity_key: *keys.party.identity_key.as_bytes(),
                added_at_epoch: 1,
            };
            let list = device_list::sign(&account, user, None, &[first], context.now)?;
            work.put(Places::only(Kind::Own), &own)?;
            work.put(Places::only(Kind::Book), &PreKeyBook::default())?;
            put_list(work, &list, true)?;
            Ok(keys)
        })?;
        Ok(Self { store, sealer, keys })
    }

    /// Opens the device in a store.
    ///
    /// # Errors
    /// [`Code::WrongKey`], [`Code::ForeignStore`] (no device here), [`Code::RecordCorrupt`], [`Code::NewerFormat`]; the store's. An
    /// identity is never made anew in place of a damaged one.
    pub fn open(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let keys = {
            let mut work = Work::new(store.as_ref(), &sealer, false);
            check_store(&mut work, &sealer, true)?;
            let own: Own = work.get(&Places::only(Kind::Own))?.ok_or(Code::ForeignStore)?;
            let keys = own.keys();
            // A27: a public half that does not belong to its private half shows here.
            let user = work.user(&own.user)?.ok_or(Code::RecordInconsistent)?;
            let seed = own.account.clone().map(SigningKey::from_seed);
            let account_fits = seed.is_none_or(|seed| *seed.verifying_key().as_bytes() == own.account_key.0);
            if !account_fits || user.account_key != own.account_key {
                return Err(Code::RecordInconsistent.into());
            }
            keys
        };
        Ok(Self { store, sealer, keys })
    }

    /// Begins to link a new device: makes its keys, keeps them in the store, and gives the code to show (X 7).
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; the store's.
    pub fn begin_link(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
    ) -> Result<Linking, Error> {
        let sealer = Sealer::new(store_key);
        let offer = run(store.as_ref(), &sealer, context, |work, context| {
            check_store(work, &sealer, false)?;
            if work.exists(&Places::only(Kind::Own))? {
                return Err(Code::ForeignStore.into());
            }
            let expires_at = context.now.0.saturating_add(u64::try_from(LINK_EXPIRY.as_millis()).unwrap_or(u64::MAX));
            let linking = record::PendingLink {
                signing: SigningKey::generate(context).seed().clone(),
                identity: x25519::PrivateKey::generate(context).secret().clone(),
                secret: Arc::new(Secret::init_with(|secret| context.rng.fill_bytes(secret))),
                expires_at,
            };
            work.put(Places::only(Kind::Linking), &linking)?;
            Ok(LinkOffer {
                signing_key: *SigningKey::from_seed(linking.signing.clone()).verifying_key().as_bytes(),
                identity_key: *x25519::PrivateKey::from_secret(linking.identity.clone()).public_key().as_bytes(),
                secret: Secret::init_with(|to| *to = *linking.secret.expose()),
                expires_at,
            })
        })?;
        Ok(Linking { store, sealer, code: offer.encode()? })
    }

    /// The primary reads a new device's code, after its user confirmed: a new list names the device, and the answer is sealed for it.
    ///
    /// The new list goes out with the next [`Device::publication`].
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] for a code that has expired or was used; [`Code::TooManyDevices`];
    /// what [`LinkOffer::decode`] says; [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a key in it; [`Code::KeyReuse`].
    pub fn link(&self, context: &mut Context<'_>, code: &str) -> Result<Vec<u8>, Error> {
        let offer = LinkOffer::decode(code).map_err(|code| Error::of(code, "code"))?;
        VerifyingKey::decode(offer.signing_key).map_err(|code| Error::of(code, "code"))?;
        let identity_key = x25519::PublicKey::decode(offer.identity_key).map_err(|code| Error::of(code, "code"))?;
        let lifetime = u64::try_from(LINK_EXPIRY.as_millis()).unwrap_or(u64::MAX);
        if offer.expires_at < context.now.0 || offer.expires_at > context.now.0.saturating_add(2 * lifetime) {
            return Err(Error::of(Code::InvalidArgument, "code"));
        }
        self.run(context, |work, context| {
            let (mut own, account) = self.primary(work)?;
            let OwnList { list, .. } = self.own_list(work)?;
            // Good once: a device that stands on the list cannot be linked again.
            if list.devices.iter().any(|device| device.identity_key == offer.identity_key) {
                return Err(Error::of(Code::InvalidArgument, "code"));
            }
            if list.devices.len() >= MAX_DEVICES {
                return Err(Code::TooManyDevices.into());
            }
            let id = own.next_device;
            own.next_device = DeviceId(id.0.checked_add(1).ok_or(Code::TooManyDevices)?);
            let mut listed = list.devices.clone();
            listed.push(Listing {
                id,
                signing_key: offer.signing_key,
                identity_key: offer.identity_key,
                added_at_epoch: list.epoch.saturating_add(1),
            });
            let next = device_list::sign(&account, self.user(), Some(&list), &listed, context.now)?;
            work.put(Places::only(Kind::Own), &own)?;
            self.take_list(work, &next, context.now)?;
            let grant = LinkGrant {
                user: self.user().as_bytes().to_vec().into(),
                device: id.0,
                device_list: next.signed.into(),
                contacts: self.contacts(work)?.into(),
                groups: groups(work)?.into(),
            };
            let new = NewDevice { signing_key: &offer.signing_key, identity_key: &identity_key };
            let answer = linking::seal(context, new, &offer.secret, &grant)?.encode()?;
            self.advance_user(work, context, self.user())?;
            Ok(answer)
        })
    }

    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so are in [`Device::outbox`], to be submitted after the new list is published.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::NotListed`]; [`Code::InvalidArgument`] for the primary itself.
    pub fn remove_device(&self, context: &mut Context<'_>, device: DeviceId) -> Result<Vec<Event>, Error> {
        self.run(context, |work, context| {
            let (_, account) = self.primary(work)?;
            let OwnList { list, .. } = self.own_list(work)?;
            list.device(device).ok_or(Code::NotListed)?;
            if device == self.id() {
                return Err(Error::of(Code::InvalidArgument, "device"));
            }
            let rest: Vec<Listing> = list.devices.iter().filter(|d| d.id != device).copied().collect();
            let next = device_list::sign(&account, self.user(), Some(&list), &rest, context.now)?;
            let events = self.take_list(work, &next, context.now)?;
            self.advance_user(work, context, self.user())?;
            self.retire(work, context, device)?;
            Ok(events)
        })
    }

    /// This device's record and the account key, on the primary only.
    pub(super) fn primary(&self, work: &Work<'_>) -> Result<(Own, SigningKey), Code> {
        let own: Own = work.get(&Places::only(Kind::Own))?.ok_or(Code::RecordInconsistent)?;
        let account = own.account.clone().map(SigningKey::from_seed).ok_or(Code::NotPrimary)?;
        Ok((own, account))
    }

    /// The account key, if this is the primary.
    pub(super) fn account(&self, work: &Work<'_>) -> Result<Option<SigningKey>, Code> {
        match self.primary(work) {
            Ok((_, account)) => Ok(Some(account)),
            Err(Code::NotPrimary) => Ok(None),
            Err(code) => Err(code),
        }
    }

    fn contacts(&self, work: &Work<'_>) -> Result<Vec<Contact>, Code> {
        let mut contacts = Vec::new();
        for key in work.keys(&Places::all(Kind::User))? {
            let Some(user) = work.get::<User>(&key)?.filter(|user| user.user != *self.user()) else { continue };
            contacts.push(Contact {
                user: user.user.as_bytes().to_vec().into(),
                account_key: user.account_key.0,
                verified: u8::from(user.verified),
                device_list: super::lists::signed_list(work, &user.user)?.into(),
            });
        }
        Ok(contacts)
    }
}

impl Linking {
    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`].
    pub fn resume(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let code = {
            let mut work = Work::new(store.as_ref(), &sealer, false);
            check_store(&mut work, &sealer, true)?;
            let linking: record::PendingLink = work.get(&Places::only(Kind::Linking))?.ok_or(Code::ForeignStore)?;
            offer(&linking).encode()?
        };
        Ok(Self { store, sealer, code })
    }

    /// What to show as text or QR, to nobody but one's own primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes the primary's answer; this store now holds a device.
    ///
    /// # Errors
    /// [`Code::AuthenticationFailed`] for an answer to another code; [`Code::InvalidArgument`] when the code has expired;
    /// [`Code::NotListed`] when the list in it does not name this device; what the decoders say.
    pub fn complete(self, context: &mut Context<'_>, answer: &[u8]) -> Result<Device, Error> {
        let answer = LinkAnswer::decode(answer).map_err(|code| Error::of(code, "answer"))?;
        let keys = run(self.store.as_ref(), &self.sealer, context, |work, context| {
            let linking: record::PendingLink = work.get(&Places::only(Kind::Linking))?.ok_or(Code::ForeignStore)?;
            if linking.expires_at < context.now.0 {
                return Err(Error::of(Code::InvalidArgument, "answer"));
            }
            let shown = offer(&linking);
            let identity = x25519::PrivateKey::from_secret(linking.identity.clone());
            let identity_key = identity.public_key();
            let new = NewDevice { signing_key: &shown.signing_key, identity_key: &identity_key };
            let grant = linking::open(&identity, new, &linking.secret, &answer)?;
            let list = VerifiedDeviceList::verify(grant.device_list.as_slice())?;
            let id = DeviceId(grant.device);
            let listed = list.list.device(id).ok_or(Code::NotListed)?;
            if list.user.as_bytes() != grant.user.as_slice() {
                return Err(Code::WrongUser.into());
            }
            if (listed.signing_key, listed.identity_key) != (shown.signing_key, shown.identity_key) {
                return Err(Code::NotListed.into());
            }
            let own = Own {
                user: list.user.clone(),
                device: id,
                account_key: list.account(),
                account: None,
                signing: linking.signing,
                identity: linking.identity,
                next_device: DeviceId(0),
                mailbox_emptied_at: 0,
            };
            work.put(Places::only(Kind::Own), &own)?;
            work.put(Places::only(Kind::Book), &PreKeyBook::default())?;
            work.delete(Places::only(Kind::Linking));
            put_list(work, &list, true)?;
            for contact in grant.contacts.as_slice() {
                take_contact(work, contact)?;
            }
            for group in grant.groups.as_slice() {
                take_group(work, (context.now, (&own.user, own.device)), group.as_slice())?;
            }
            Ok(own.keys())
        })?;
        Ok(Device { store: self.store, sealer: self.sealer, keys })
    }
}

fn offer(linking: &record::PendingLink) -> LinkOffer {
    LinkOffer {
        signing_key: *SigningKey::from_seed(linking.signing.clone()).verifying_key().as_bytes(),
        identity_key: *x25519::PrivateKey::from_secret(linking.identity.clone()).public_key().as_bytes(),
        secret: Secret::init_with(|to| *to = *linking.secret.expose()),
        expires_at: linking.expires_at,
    }
}

/// A pin that the primary passed on.
fn take_contact(work: &mut Work<'_>, contact: &Contact) -> Result<(), Code> {
    let user = UserId::try_new(contact.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
    if contact.device_list.as_slice().is_empty() {
        VerifyingKey::decode(contact.account_key)?;
        let pinned = User::pinned(user, AccountKey(contact.account_key));
        return work.put_user(&User { verified: contact.verified == 1, ..pinned });
    }
    let list = VerifiedDeviceList::verify(contact.device_list.as_slice())?;
    if list.user != user || *list.account_key.as_bytes() != contact.account_key {
        return Err(Code::WrongUser);
    }
    put_list(work, &list, contact.verified == 1)
}

/// All operations of each group, for a new device; a large group's in several parts, parents first.
fn groups(work: &Work<'_>) -> Result<Vec<TlsByteVecU24>, Code> {
    let mut groups = Vec::new();
    for key in work.keys(&Places::all(Kind::Group))? {
        match whole_group(work, &key) {
            Ok(bundles) => groups.extend(bundles),
            // One damaged group does not keep a device from being linked.
            Err(code) if code.is_damage() => {}
            Err(code) => return Err(code),
        }
    }
    Ok(groups)
}

fn whole_group(work: &Work<'_>, key: &Key) -> Result<Vec<TlsByteVecU24>, Code> {
    let group: GroupRecord = work.get(key)?.ok_or(Code::RecordInconsistent)?;
    let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
    let set = state::load(work, &id)?.set;
    state::bundles(work, &set, MAX_BUNDLE)?.iter().map(|bundle| Ok(bundle.encode()?.into())).collect()
}

/// A group that the primary passed on.
fn take_group(work: &mut Work<'_>, now: (Timestamp, (&UserId, DeviceId)), bundle: &[u8]) -> Result<(), Code> {
    let bundle = Bundle::decode(bundle)?;
    let first = bundle.operations.as_slice().first().ok_or(Code::NonCanonical)?;
    let id = GroupId(Operation::decode(first.operation.as_slice())?.group);
    let loaded = state::load(work, &id)?;
    let offered = state::verify(work, &loaded.set, &id, &bundle)?;
    state::take(work, now, loaded, offered, Teller::Ourselves)?.map(drop).ok_or(Code::MalformedOperation)
}
