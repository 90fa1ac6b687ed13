//! How a device comes to be in a store: as a user's first, or opened again (D1). `join` has the third way, linking; `restore` the fourth.
//!
//! A store holds no device yet when these begin, so that they work on rows alone.

use crate::{
    context::Context,
    crypto::{ed25519::SigningKey, x25519},
    error::Code,
    event::Server,
    ids::{AccountKey, DeviceId, UserId},
    keys::{
        device::DeviceKeys,
        device_list::{self, Listing},
    },
    record::{Own, PreKeyBook, ServerState},
    store::{Kind, Places, Query, Sealer},
    tx::Tx,
};

/// The check row fits the key; a store without one is new.
///
/// # Errors
/// [`Code::WrongKey`]; [`Code::ForeignStore`] for a new store that must hold something.
pub(crate) fn check_store(tx: &mut Tx<'_>, sealer: &Sealer, must_exist: bool) -> Result<(), Code> {
    let key = Places::only(Kind::Check);
    let kinds = [Kind::Check, Kind::Own, Kind::Linking, Kind::Restoring];
    tx.prefetch(&kinds.map(|kind| Query::Exact(Places::only(kind).to_vec())))?;
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
    for kind in [Kind::Own, Kind::Linking, Kind::Restoring] {
        if tx.exists(&Places::only(kind))? {
            return Err(Code::ForeignStore);
        }
    }
    let account = SigningKey::generate(context);
    let own = Own {
        user: user.clone(),
        device: DeviceId(1),
        account_key: AccountKey(*account.verifying_key().as_bytes()),
        account: Some(account.seed().clone()),
        handed_to: None,
        heard_handover: None,
        signing: SigningKey::generate(context).seed().clone(),
        identity: x25519::PrivateKey::generate(context).secret().clone(),
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
    tx.put_clock(context.now)?;
    put_server(tx, server)?;
    tx.put_first_list(&list, &list.branch, true)?;
    Ok(keys)
}

/// The server that the device belongs to.
pub(super) fn put_server(tx: &mut Tx<'_>, server: &Server) -> Result<(), Code> {
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
