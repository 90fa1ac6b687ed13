//! The new device's part of linking (X 7).
//!
//! The store holds no device yet: all there is of it is `record::PendingLink`, and the server beside it.

use super::begin::{check_store, put_server};
use crate::{
    agreement::linking::{self, Hello, NewDevice},
    clock::Age,
    context::{Context, Timestamp},
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        x25519,
    },
    error::{Code, Error},
    event::{LinkLeg, LinkWait, Server},
    flow::group::{
        state,
        who::{Taker, Teller},
    },
    ids::{AccountKey, DeviceId, GroupId, UserId},
    keys::{chain::Chain, device::DeviceKeys, device_list::VerifiedDeviceList},
    limits::{LINK_ANSWER, LINK_EXPIRY, MAX_HASHES, MAX_OWN_HASHES},
    model::User,
    record::{HeardHello, Own, PendingLink, PreKeyBook},
    secret::{Secret, Shared},
    store::{Kind, Places, Sealer},
    tx::{Tx, ledger},
    wire::{
        group::{Bundle, Operation},
        link_code::LinkOffer,
        linking::{Contact, LinkAnswer, LinkGrant, LinkHello},
    },
};

/// Makes the keys of a new device and gives what its screen shows.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    context: &mut Context<'_>,
    sealer: &Sealer,
    server: &Server,
) -> Result<LinkOffer, Code> {
    check_store(tx, sealer, false)?;
    if tx.exists(&Places::only(Kind::Own))? || tx.exists(&Places::only(Kind::Restoring))? {
        return Err(Code::ForeignStore);
    }
    let pending = PendingLink {
        signing: SigningKey::generate(context).seed().clone(),
        identity: x25519::PrivateKey::generate(context).secret().clone(),
        secret: Shared::init_with(|secret| context.rng.fill_bytes(secret)),
        expires_at: context.now.plus(LINK_EXPIRY).0,
        hello: None,
        confirmed: false,
    };
    put(tx, &pending)?;
    put_server(tx, server)?;
    Ok(offer(&pending))
}

/// What a link that was begun before shows.
pub(crate) fn resume(tx: &mut Tx<'_>, sealer: &Sealer) -> Result<LinkOffer, Code> {
    check_store(tx, sealer, true)?;
    Ok(offer(&read(tx)?))
}

fn read(tx: &Tx<'_>) -> Result<PendingLink, Code> {
    tx.get(&Places::only(Kind::Linking))?.ok_or(Code::ForeignStore)
}

fn put(tx: &mut Tx<'_>, pending: &PendingLink) -> Result<(), Code> {
    tx.put(Places::only(Kind::Linking), pending)
}

fn offer(pending: &PendingLink) -> LinkOffer {
    LinkOffer {
        signing_key: *SigningKey::from_seed(pending.signing.clone()).verifying_key().as_bytes(),
        identity_key: *x25519::PrivateKey::from_secret(pending.identity.clone()).public_key().as_bytes(),
        secret: Secret::init_with(|to| *to = *pending.secret.expose()),
        expires_at: pending.expires_at,
    }
}

/// The keys of the device that waits.
struct Keys {
    signing_key: [u8; 32],
    identity: x25519::PrivateKey,
    identity_key: x25519::PublicKey,
}

impl Keys {
    fn of(pending: &PendingLink) -> Self {
        let identity = x25519::PrivateKey::from_secret(pending.identity.clone());
        let signing_key = *SigningKey::from_seed(pending.signing.clone()).verifying_key().as_bytes();
        Self { signing_key, identity_key: identity.public_key(), identity }
    }

    fn new_device<'a>(&'a self, pending: &'a PendingLink) -> NewDevice<'a> {
        NewDevice { signing_key: &self.signing_key, identity_key: &self.identity_key, secret: &pending.secret }
    }
}

/// Hears the primary's hello and gives the digits. The same hello may come again; another one is refused.
pub(crate) fn hear_hello(tx: &mut Tx<'_>, now: Timestamp, bytes: &[u8]) -> Result<String, Error> {
    let mut pending = read(tx)?;
    if let Some(heard) = &pending.hello {
        return if heard.bytes == bytes { Ok(text(heard)) } else { Err(Error::of(Code::LinkMismatch, "hello")) };
    }
    if pending.expires_at < now.0 {
        return Err(Error::of(Code::LinkExpired, "hello"));
    }
    let refused = |code| Error::of(code, "hello");
    let form = LinkHello::decode(bytes).map_err(refused)?;
    let keys = Keys::of(&pending);
    let hello = linking::open_hello(keys.new_device(&pending), &form).map_err(refused)?;
    let digits = linking::digits(keys.new_device(&pending), &hello);
    let heard = HeardHello { bytes: bytes.to_vec(), digits };
    let shown = text(&heard);
    pending.hello = Some(heard);
    put(tx, &pending)?;
    Ok(shown)
}

fn text(heard: &HeardHello) -> String {
    format!("{:015}", heard.digits)
}

/// The digits to show, once a hello was heard.
pub(crate) fn digits(tx: &Tx<'_>) -> Result<Option<String>, Error> {
    Ok(read(tx)?.hello.as_ref().map(text))
}

/// The user has seen the same digits on both devices.
pub(crate) fn confirm(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Error> {
    let mut pending = read(tx)?;
    if pending.confirmed {
        return Ok(());
    }
    if pending.hello.is_none() {
        let advice =
            "there are no digits yet: run the loops of both devices, let the user compare the digits, then confirm";
        return Err(Error::of(Code::InvalidArgument, "hello").so(advice));
    }
    if pending.expires_at < now.0 {
        return Err(Code::LinkExpired.into());
    }
    pending.confirmed = true;
    Ok(put(tx, &pending)?)
}

/// Whether nothing more can come of this link.
pub(crate) fn is_expired(tx: &Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(has_ended(&read(tx)?, now))
}

/// Until both sides have confirmed, the code's expiry holds; then the answer may come late.
fn has_ended(pending: &PendingLink, now: Timestamp) -> bool {
    let late = if pending.confirmed { LINK_ANSWER } else { core::time::Duration::ZERO };
    now.since(Timestamp(pending.expires_at)) > late
}

/// What to ask the server for; nothing while the app has to confirm.
pub(crate) fn next_leg(tx: &Tx<'_>) -> Result<Option<LinkWait>, Error> {
    let pending = read(tx)?;
    let leg = match (&pending.hello, pending.confirmed) {
        (None, _) => LinkLeg::Hello,
        (Some(_), true) => LinkLeg::Answer,
        (Some(_), false) => return Ok(None),
    };
    Ok(Some(LinkWait { id: linking::link_id(&pending.secret), leg }))
}

/// Takes the primary's answer: the store now holds a device.
pub(crate) fn complete(tx: &mut Tx<'_>, now: Timestamp, answer: &LinkAnswer) -> Result<DeviceKeys, Error> {
    let pending = read(tx)?;
    let heard = pending.hello.as_ref().filter(|_| pending.confirmed).ok_or(Code::LinkNotConfirmed)?;
    if has_ended(&pending, now) {
        return Err(Error::of(Code::LinkExpired, "answer"));
    }
    let keys = Keys::of(&pending);
    let form = LinkHello::decode(&heard.bytes).map_err(|_| Code::RecordInconsistent)?;
    let hello = linking::open_hello(keys.new_device(&pending), &form).map_err(|_| Code::RecordInconsistent)?;
    let grant = linking::open_answer(&keys.identity, keys.new_device(&pending), &hello, answer)
        .map_err(|code| Error::of(code, "answer"))?;
    let (list, chain) = granted_list(&grant, &hello, &keys)?;
    let own = Own {
        user: list.user.clone(),
        device: DeviceId(grant.device),
        account_key: list.account(),
        account: None,
        handed_to: None,
        heard_handover: None,
        signing: pending.signing,
        identity: pending.identity,
        mailbox_emptied_at: 0,
    };
    tx.put_own(&own)?;
    tx.put_book(&PreKeyBook::default())?;
    tx.delete(Places::only(Kind::Linking));
    tx.put_clock(now)?;
    tx.put_first_list(&list, &chain, true)?;
    for contact in grant.contacts.as_slice() {
        take_contact(tx, contact)?;
    }
    let taker = Taker { user: &own.user, device: own.device, account_key: own.account_key, age: Age(now.0) };
    for group in grant.groups.as_slice() {
        take_group(tx, taker, group.as_slice())?;
    }
    Ok(own.keys())
}

/// The list in the grant, if the account that the user confirmed has signed it and it names this device; and the hashes of all lists up to it.
fn granted_list(grant: &LinkGrant, hello: &Hello, keys: &Keys) -> Result<(VerifiedDeviceList, Chain), Error> {
    let list = VerifiedDeviceList::verify_signed(grant.device_list.as_slice())?;
    if list.user.as_bytes() != grant.user.as_slice() {
        return Err(Code::WrongUser.into());
    }
    if list.user != hello.user || list.account() != hello.account_key {
        return Err(Error::of(Code::LinkMismatch, "answer"));
    }
    let listed = list.list.device(DeviceId(grant.device)).ok_or(Code::NotListed)?;
    if listed.signing_key != keys.signing_key || listed.identity_key != *keys.identity_key.as_bytes() {
        return Err(Code::NotListed.into());
    }
    let chain = Chain::of(&list.list, grant.links.as_slice()).map_err(|_| Error::of(Code::LinkMismatch, "answer"))?;
    Ok((list, chain.newest_of(MAX_OWN_HASHES)))
}

/// A pin that the primary passed on.
pub(super) fn take_contact(tx: &mut Tx<'_>, contact: &Contact) -> Result<(), Code> {
    let user = UserId::try_new(contact.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
    let (verified, pin) = (contact.verified == 1, AccountKey(contact.account_key));
    if contact.known == 1 {
        ledger::make_known(tx, &user)?;
    }
    let list = match contact.device_list.as_slice() {
        [] => None,
        shown => match VerifiedDeviceList::verify(shown) {
            // A contact's own list may be shown with anything. The pin is what counts; the list comes from the server.
            Err(Code::BrokenChain) => None,
            list => Some(list?),
        },
    };
    match list {
        None => {
            VerifyingKey::decode(contact.account_key)?;
            tx.put_user(&User { verified, ..User::pinned(user, pin) })
        }
        Some(list) if list.user != user || list.account() != pin => Err(Code::WrongUser),
        Some(list) => tx.put_first_list(&list, &list.branch.newest_of(MAX_HASHES), verified),
    }
}

/// A group that the primary passed on.
pub(super) fn take_group(tx: &mut Tx<'_>, taker: Taker<'_>, bundle: &[u8]) -> Result<(), Code> {
    let bundle = Bundle::decode(bundle)?;
    let first = bundle.operations.as_slice().first().ok_or(Code::NonCanonical)?;
    let id = GroupId(Operation::decode(first.operation.as_slice())?.group);
    let loaded = state::load(tx, &id)?;
    let offered = state::verify(tx, &loaded.set, &bundle)?;
    let outcome = state::take(tx, taker, loaded, offered, Teller::Ourselves)?;
    outcome.changed().ok_or(Code::MalformedOperation)?;
    Ok(())
}
