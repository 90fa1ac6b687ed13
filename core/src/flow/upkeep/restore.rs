//! A primary that comes back from a backup of its account (X 7).
//!
//! > A restored primary takes the server's current list if it descends from the backup's (its own account key signed it), gets `last_id + 1`,
//! > and removes its former self; in groups it retires it with `last` = 1,024, unless the app says "stolen".
//!
//! The new device exists once the server has taken the list that names it. Until then its id may change: if the server shows a newer list, the
//! next one is signed on top of that. Meanwhile the store holds the contacts and the groups of the backup, and `record::PendingRestore`.

use super::{
    begin::{check_store, put_server},
    grant, join,
};
use crate::{
    clock::Age,
    context::{Context, Timestamp},
    crypto::{ed25519::SigningKey, x25519},
    error::{Code, Error},
    event::Server,
    flow::group::{act, who::Taker},
    ids::{AccountKey, DeviceId},
    keys::{
        chain::{Chain, Relation, relate},
        device::DeviceKeys,
        device_list::{self, Listing, VerifiedDeviceList},
    },
    limits::{MAX_DEVICES, MAX_GROUP_SEQUENCE, MAX_HASHES, MAX_OWN_HASHES},
    record::{Own, PendingRestore, PreKeyBook, StoredList},
    secret::Shared,
    store::{Kind, Places, Sealer},
    tx::{Call, Tx, own::Primary},
    wire::{answer::Stock, bundle, linking::LinkGrant, request::Publish},
};

/// What a primary needs to come back: the account key, the list with all hashes before it, contacts and groups. It holds no session, and no key of
/// the device that it was taken on.
pub struct Backup {
    account: Shared<32>,
    grant: LinkGrant,
}

// By hand: the account key and the contacts must not appear in a log.
impl core::fmt::Debug for Backup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Backup")
    }
}

/// What became of the primary that a backup was taken on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loss {
    /// It is lost. What it said in groups after the backup stands.
    Lost,
    /// Somebody else has it. What it said in groups is void from where the backup's knowledge of it ends.
    Stolen,
}

/// What this primary would need to come back.
pub(crate) fn backup(call: &mut Call<'_>) -> Result<Backup, Error> {
    let Primary { account, .. } = call.tx.primary()?;
    Ok(Backup { account: account.seed().clone(), grant: grant::whole(call)? })
}

/// Takes what is in a backup, and signs the list that names the new device.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    context: &mut Context<'_>,
    sealer: &Sealer,
    server: &Server,
    (backup, loss): (&Backup, Loss),
) -> Result<(), Error> {
    check_store(tx, sealer, false)?;
    for kind in [Kind::Own, Kind::Linking, Kind::Restoring] {
        if tx.exists(&Places::only(kind))? {
            return Err(Code::ForeignStore.into());
        }
    }
    let Backup { account, grant } = backup;
    let list = VerifiedDeviceList::verify_signed(grant.device_list.as_slice())?;
    let account_key = *SigningKey::from_seed(account.clone()).verifying_key().as_bytes();
    if list.account() != AccountKey(account_key) || list.user.as_bytes() != grant.user.as_slice() {
        return Err(Error::of(Code::WrongUser, "backup"));
    }
    let links = grant.links.as_slice().to_vec();
    let branch = Chain::of(&list.list, &links).map_err(|code| Error::of(code, "backup"))?;
    let base = VerifiedDeviceList { branch, ..list };
    let mut pending = PendingRestore {
        account: account.clone(),
        signing: SigningKey::generate(context).seed().clone(),
        identity: x25519::PrivateKey::generate(context).secret().clone(),
        former: DeviceId(grant.device),
        stolen: loss == Loss::Stolen,
        base: StoredList { signed: base.signed.clone(), links },
        next: Vec::new(),
    };
    let next = sign(&pending, &base, context.now)?;
    tx.put_clock(context.now)?;
    put_server(tx, server)?;
    for contact in grant.contacts.as_slice() {
        join::take_contact(tx, contact)?;
    }
    let taker = Taker {
        user: &base.user,
        device: DeviceId(next.list.last_id),
        account_key: base.account(),
        age: Age(context.now.0),
    };
    for group in grant.groups.as_slice() {
        join::take_group(tx, taker, group.as_slice())?;
    }
    pending.next = next.signed;
    Ok(put(tx, &pending)?)
}

/// A restore that was begun before.
pub(crate) fn check(tx: &mut Tx<'_>, sealer: &Sealer) -> Result<(), Code> {
    check_store(tx, sealer, true)?;
    read(tx).map(drop)
}

fn read(tx: &Tx<'_>) -> Result<PendingRestore, Code> {
    tx.get(&Places::only(Kind::Restoring))?.ok_or(Code::ForeignStore)
}

fn put(tx: &mut Tx<'_>, pending: &PendingRestore) -> Result<(), Code> {
    tx.put(Places::only(Kind::Restoring), pending)
}

/// A list that this device has stored, with the hashes before it.
fn stored(list: &StoredList) -> Result<VerifiedDeviceList, Code> {
    let verified = VerifiedDeviceList::verify_signed(&list.signed).map_err(|_| Code::RecordInconsistent)?;
    let branch = Chain::of(&verified.list, &list.links).map_err(|_| Code::RecordInconsistent)?;
    Ok(VerifiedDeviceList { branch, ..verified })
}

/// The list that follows `base`: without the former primary, and with the new one.
fn sign(pending: &PendingRestore, base: &VerifiedDeviceList, now: Timestamp) -> Result<VerifiedDeviceList, Error> {
    let mut devices: Vec<Listing> = base.list.devices.clone();
    devices.retain(|device| device.id != pending.former);
    if devices.len() >= MAX_DEVICES {
        return Err(Code::TooManyOwnDevices.into());
    }
    // An id is given once, for ever (T16).
    let id = DeviceId(base.list.last_id.checked_add(1).ok_or(Code::TooManyOwnDevices)?);
    devices.push(Listing {
        id,
        signing_key: *SigningKey::from_seed(pending.signing.clone()).verifying_key().as_bytes(),
        identity_key: *x25519::PrivateKey::from_secret(pending.identity.clone()).public_key().as_bytes(),
        added_at_epoch: base.list.epoch.saturating_add(1),
    });
    let account = SigningKey::from_seed(pending.account.clone());
    Ok(device_list::sign_as(&account, &base.user, Some(&base.list), &devices, (id, now))?)
}

/// What goes to the server, and the keys that sign it.
pub(crate) struct Upload {
    pub(crate) keys: DeviceKeys,
    pub(crate) server: String,
    pub(crate) body: Vec<u8>,
}

/// The new list for the server. The device's prekeys follow once it is there.
pub(crate) fn upload(tx: &Tx<'_>) -> Result<Upload, Error> {
    let pending = read(tx)?;
    let next = next_of(&pending)?;
    let keys = own_of(&pending, &next).keys();
    let form = bundle::Publication {
        version: 1,
        user: next.user.as_bytes().to_vec().into(),
        device: keys.party.device.0,
        device_list: next.shown(MAX_HASHES)?.into(),
        signing_key: *keys.party.signing_key.as_bytes(),
        identity_key: *keys.party.identity_key.as_bytes(),
        lasting: None,
        one_time: Vec::new().into(),
        kem_one_time: Vec::new().into(),
    };
    let server = tx.server()?;
    let body = Publish { token: server.token.into(), publication: form.encode()?.into() }.encode()?;
    Ok(Upload { keys, server: server.name, body })
}

/// The list that names the new device, with all hashes before it.
fn next_of(pending: &PendingRestore) -> Result<VerifiedDeviceList, Code> {
    let mut branch = stored(&pending.base)?.branch;
    let next = VerifiedDeviceList::verify_signed(&pending.next).map_err(|_| Code::RecordInconsistent)?;
    branch.join(&next.branch, MAX_OWN_HASHES);
    Ok(VerifiedDeviceList { branch, ..next })
}

fn own_of(pending: &PendingRestore, next: &VerifiedDeviceList) -> Own {
    Own {
        user: next.user.clone(),
        device: next.list.primary,
        account_key: next.account(),
        account: Some(pending.account.clone()),
        handed_to: None,
        heard_handover: None,
        signing: pending.signing.clone(),
        identity: pending.identity.clone(),
        mailbox_emptied_at: 0,
    }
}

/// The server has shown its list of this user instead of taking ours. Gives whether the next one was signed anew on top of it.
///
/// # Errors
/// [`Code::BrokenChain`] if it does not descend from the backup's: somebody else has signed lists with the account key.
/// [`Code::IdentityChanged`] if another account key signed it. Nothing has changed then. The store's.
pub(crate) fn follow(tx: &mut Tx<'_>, now: Timestamp, shown: &[u8]) -> Result<bool, Error> {
    let mut pending = read(tx)?;
    let base = stored(&pending.base)?;
    let Ok(list) = VerifiedDeviceList::verify(shown) else { return Ok(false) };
    if list.user != base.user {
        return Ok(false);
    }
    if list.account() != base.account() {
        return Err(Code::IdentityChanged.into());
    }
    match relate(&base.branch, &list.branch) {
        Relation::Fork => Err(Code::BrokenChain.into()),
        Relation::Newer if list.list.last_id < base.list.last_id => Err(Code::BrokenChain.into()),
        Relation::Newer => {
            let mut branch = base.branch;
            branch.join(&list.branch, MAX_OWN_HASHES);
            pending.base = StoredList { signed: list.signed.clone(), links: branch.links(0, MAX_OWN_HASHES) };
            pending.next = sign(&pending, &list, now)?.signed;
            put(tx, &pending)?;
            Ok(true)
        }
        // The server has nothing newer, or shows too few hashes: it may do better when it is asked again.
        Relation::Same | Relation::Older | Relation::Unproved | Relation::Unknown => Ok(false),
    }
}

/// The server has taken the list: this store now holds the primary that the list names.
pub(crate) fn complete(call: &mut Call<'_>, stock: &Stock) -> Result<(), Error> {
    let pending = read(&call.tx)?;
    let next = next_of(&pending)?;
    call.tx.put_own(&own_of(&pending, &next))?;
    call.tx.put_book(&PreKeyBook::default())?;
    call.tx.put_first_list(&next, &next.branch, true)?;
    call.tx.delete(Places::only(Kind::Restoring));
    let mut server = call.tx.server()?;
    // The server knows this device: no word of it ends the device from now on.
    server.generation = Some(stock.generation);
    server.wanted = Some(stock.wanted);
    call.tx.put_server(&server)?;
    let last = (!pending.stolen).then_some(MAX_GROUP_SEQUENCE);
    act::retire(call, pending.former, last)
}
