//! How a device comes to be in a store: as a user's first, by linking, or opened again (D1, X 7).
//!
//! A store holds no device yet when these begin, so that they work on rows alone.

use crate::{
    agreement::linking::{self, NewDevice},
    context::{Context, Timestamp},
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        x25519,
    },
    error::{Code, Error},
    event::Server,
    flow::group::state::{self, Taker, Teller},
    ids::{AccountKey, DeviceId, GroupId, UserId},
    keys::{
        device::DeviceKeys,
        device_list::{self, Listing, VerifiedDeviceList},
    },
    limits::LINK_EXPIRY,
    model::User,
    record::{Own, PendingLink, PreKeyBook, ServerState},
    secret::Secret,
    store::{Kind, Places, Query, Sealer},
    tx::Tx,
    wire::{
        group::{Bundle, Operation},
        linking::{Contact, LinkAnswer, LinkOffer},
    },
};
use std::sync::Arc;

/// The check row fits the key; a store without one is new.
///
/// # Errors
/// [`Code::WrongKey`]; [`Code::ForeignStore`] for a new store that must hold something.
pub(crate) fn check_store(tx: &mut Tx<'_>, sealer: &Sealer, must_exist: bool) -> Result<(), Code> {
    let key = Places::only(Kind::Check);
    let kinds = [Kind::Check, Kind::Own, Kind::Linking];
    tx.prefetch(&kinds.map(|kind| Query::Exact(Places::only(kind))))?;
    match tx.raw(&key)? {
        Some(row) => sealer.check(&row),
        None if must_exist => Err(Code::ForeignStore),
        None => {
            let (key, row) = sealer.check_row()?;
            tx.put_raw(key, row);
            Ok(())
        }
    }
}

/// A user's first device: makes the account key and signs the first device list.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    context: &mut Context<'_>,
    sealer: &Sealer,
    (user, server): (&UserId, &Server),
) -> Result<DeviceKeys, Code> {
    check_store(tx, sealer, false)?;
    if tx.exists(&Places::only(Kind::Own))? || tx.exists(&Places::only(Kind::Linking))? {
        return Err(Code::ForeignStore);
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
    tx.put_own(&own)?;
    tx.put_book(&PreKeyBook::default())?;
    put_server(tx, server)?;
    tx.put_first_list(&list, true)?;
    Ok(keys)
}

/// The server that the device belongs to.
fn put_server(tx: &mut Tx<'_>, server: &Server) -> Result<(), Code> {
    let (name, token) = (server.name().to_owned(), server.token().to_vec());
    tx.put_server(&ServerState { name, token, ..ServerState::default() })
}

/// The keys of the device in a store.
pub(crate) fn open(tx: &mut Tx<'_>, sealer: &Sealer) -> Result<DeviceKeys, Code> {
    check_store(tx, sealer, true)?;
    let own: Own = tx.get(&Places::only(Kind::Own))?.ok_or(Code::ForeignStore)?;
    // A27: a public half that does not belong to its private half shows here.
    let user = tx.user(&own.user)?.ok_or(Code::RecordInconsistent)?;
    let account = own.account.clone().map(SigningKey::from_seed);
    let account_fits = account.is_none_or(|account| *account.verifying_key().as_bytes() == own.account_key.0);
    if !account_fits || user.account_key != own.account_key {
        return Err(Code::RecordInconsistent);
    }
    Ok(own.keys())
}

/// Makes the keys of a new device and gives what its screen shows.
pub(crate) fn begin_link(
    tx: &mut Tx<'_>,
    context: &mut Context<'_>,
    sealer: &Sealer,
    server: &Server,
) -> Result<LinkOffer, Code> {
    check_store(tx, sealer, false)?;
    if tx.exists(&Places::only(Kind::Own))? {
        return Err(Code::ForeignStore);
    }
    let linking = PendingLink {
        signing: SigningKey::generate(context).seed().clone(),
        identity: x25519::PrivateKey::generate(context).secret().clone(),
        secret: Arc::new(Secret::init_with(|secret| context.rng.fill_bytes(secret))),
        expires_at: context.now.plus(LINK_EXPIRY).0,
    };
    tx.put(Places::only(Kind::Linking), &linking)?;
    put_server(tx, server)?;
    Ok(offer(&linking))
}

/// What a link that was begun before shows.
pub(crate) fn resume_link(tx: &mut Tx<'_>, sealer: &Sealer) -> Result<LinkOffer, Code> {
    check_store(tx, sealer, true)?;
    let linking: PendingLink = tx.get(&Places::only(Kind::Linking))?.ok_or(Code::ForeignStore)?;
    Ok(offer(&linking))
}

fn offer(linking: &PendingLink) -> LinkOffer {
    LinkOffer {
        signing_key: *SigningKey::from_seed(linking.signing.clone()).verifying_key().as_bytes(),
        identity_key: *x25519::PrivateKey::from_secret(linking.identity.clone()).public_key().as_bytes(),
        secret: Secret::init_with(|to| *to = *linking.secret.expose()),
        expires_at: linking.expires_at,
    }
}

/// Takes the primary's answer: the store now holds a device.
pub(crate) fn complete_link(
    tx: &mut Tx<'_>,
    context: &mut Context<'_>,
    answer: &LinkAnswer,
) -> Result<DeviceKeys, Error> {
    let linking: PendingLink = tx.get(&Places::only(Kind::Linking))?.ok_or(Code::ForeignStore)?;
    if linking.expires_at < context.now.0 {
        return Err(Error::of(Code::InvalidArgument, "answer"));
    }
    let shown = offer(&linking);
    let identity = x25519::PrivateKey::from_secret(linking.identity.clone());
    let identity_key = identity.public_key();
    let new = NewDevice { signing_key: &shown.signing_key, identity_key: &identity_key };
    let grant = linking::open(&identity, new, &linking.secret, answer)?;
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
    tx.put_own(&own)?;
    tx.put_book(&PreKeyBook::default())?;
    tx.delete(Places::only(Kind::Linking));
    tx.put_first_list(&list, true)?;
    for contact in grant.contacts.as_slice() {
        take_contact(tx, contact)?;
    }
    for group in grant.groups.as_slice() {
        take_group(tx, &own, context.now, group.as_slice())?;
    }
    Ok(own.keys())
}

/// A pin that the primary passed on.
fn take_contact(tx: &mut Tx<'_>, contact: &Contact) -> Result<(), Code> {
    let user = UserId::try_new(contact.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
    let verified = contact.verified == 1;
    if contact.device_list.as_slice().is_empty() {
        VerifyingKey::decode(contact.account_key)?;
        let pinned = User::pinned(user, AccountKey(contact.account_key));
        return tx.put_user(&User { verified, ..pinned });
    }
    let list = VerifiedDeviceList::verify(contact.device_list.as_slice())?;
    if list.user != user || list.account() != AccountKey(contact.account_key) {
        return Err(Code::WrongUser);
    }
    tx.put_first_list(&list, verified)
}

/// A group that the primary passed on.
fn take_group(tx: &mut Tx<'_>, own: &Own, now: Timestamp, bundle: &[u8]) -> Result<(), Code> {
    let bundle = Bundle::decode(bundle)?;
    let first = bundle.operations.as_slice().first().ok_or(Code::NonCanonical)?;
    let id = GroupId(Operation::decode(first.operation.as_slice())?.group);
    let loaded = state::load(tx, &id)?;
    let offered = state::verify(tx, &loaded.set, &bundle)?;
    let taker = Taker { user: &own.user, device: own.device, now };
    state::take(tx, taker, loaded, offered, Teller::Ourselves)?.ok_or(Code::MalformedOperation)?;
    Ok(())
}
