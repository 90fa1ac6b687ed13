//! The primary's part of linking, and the removal of a device (X 5, X 7).
//!
//! > The primary answers first with a hello. Both sides show the same 15 digits; when the app has confirmed on both, the list is signed and the
//! > answer sent.

use super::{grant, own_list};
use crate::{
    agreement::linking::{self, Hello, NewDevice},
    clock::Age,
    context::Timestamp,
    crypto::{ed25519::VerifyingKey, x25519},
    error::{Code, Detail, Error},
    event::{Event, LinkLeg, LinkPost, PendingLinkView},
    flow::{group::act, lists, send},
    ids::{DeviceId, LinkId},
    keys::device_list::{self, Listing, VerifiedDeviceList},
    limits::{LINK_ANSWER, LINK_EXPIRY, MAX_CLOCK_SKEW, MAX_DEVICES, MAX_LINKS},
    record::{LegPlace, OfferState, OfferedLink},
    secret::Shared,
    store::Places,
    tx::{Call, Tx, own::Primary},
    wire::link_code::LinkOffer,
};

/// After how long an answer that lies at the server is put there again, in ms.
const PUT_AGAIN: u64 = 60 * 60 * 1_000;

/// What a new device shows, checked.
pub(crate) struct Offer {
    form: LinkOffer,
    identity_key: x25519::PublicKey,
}

impl Offer {
    /// Reads a code that has not expired.
    pub(crate) fn read(code: &str, now: Timestamp) -> Result<Self, Error> {
        let checked = || {
            let form = LinkOffer::decode(code)?;
            VerifyingKey::decode(form.signing_key)?;
            let identity_key = x25519::PublicKey::decode(form.identity_key)?;
            Ok(Self { form, identity_key })
        };
        let offer: Self = checked().map_err(|code| Error::of(code, "code"))?;
        check_time(Timestamp(offer.form.expires_at), now)?;
        Ok(offer)
    }

    fn new_device(&self) -> NewDevice<'_> {
        NewDevice { signing_key: &self.form.signing_key, identity_key: &self.identity_key, secret: &self.form.secret }
    }
}

/// A code lives for 10 minutes by the new device's clock. If it is good for much longer, or expired more than a day ago, the clocks differ.
fn check_time(expires_at: Timestamp, now: Timestamp) -> Result<(), Error> {
    let (left, past) = (expires_at.since(now), now.since(expires_at));
    let (code, detail) = if left > 2 * LINK_EXPIRY {
        let behind = left.saturating_sub(LINK_EXPIRY).as_secs();
        (Code::LinkClock, format!("this device's clock is at least {behind} s behind"))
    } else if past > MAX_CLOCK_SKEW {
        (Code::LinkClock, format!("this device's clock is at least {} s ahead, or the code is old", past.as_secs()))
    } else if !past.is_zero() {
        (Code::LinkExpired, format!("{} s ago by this device's clock", past.as_secs()))
    } else {
        return Ok(());
    };
    Err(Error { detail: Detail::new(&detail), ..Error::of(code, "code") })
}

/// Begins a link: makes the hello and the digits. The list is not signed yet. A code that is read again gives the same link.
pub(crate) fn begin(call: &mut Call<'_>, offer: &Offer) -> Result<PendingLinkView, Error> {
    let form = &offer.form;
    let primary = call.tx.primary()?;
    forget_old(&mut call.tx, call.at.age)?;
    let id = linking::link_id(&form.secret);
    if let Some(link) = call.tx.link(&id)? {
        let is_same = (link.signing_key, link.identity_key) == (form.signing_key, form.identity_key);
        let waits = matches!(link.state, OfferState::Waiting { .. });
        return if is_same && waits { Ok(view(id, &link)) } else { Err(Error::of(Code::LinkUsed, "code")) };
    }
    // What would be refused when the user has compared the digits is refused now.
    sign_list(call, &primary, &form.signing_key, &form.identity_key)?;
    let waiting = |link: &OfferedLink| matches!(link.state, OfferState::Waiting { .. });
    if call.tx.links()?.iter().filter(|named| waiting(&named.link)).count() >= MAX_LINKS {
        return Err(Error::of(Code::TooMany, "code"));
    }
    let ephemeral = x25519::PrivateKey::generate(&mut call.context);
    let user = call.user().clone();
    let hello = Hello { ephemeral: ephemeral.public_key(), account_key: primary.own.account_key, user };
    let link = OfferedLink {
        signing_key: form.signing_key,
        identity_key: form.identity_key,
        expires_at: form.expires_at,
        made_at: call.at.age.0,
        digits: linking::digits(offer.new_device(), &hello),
        hello: linking::seal_hello(offer.new_device(), &hello)?.encode()?,
        hello_at: LegPlace::Here,
        state: OfferState::Waiting {
            secret: Shared::init_with(|to| *to = *form.secret.expose()),
            ephemeral: ephemeral.secret().clone(),
        },
    };
    call.tx.put_link(&id, &link)?;
    Ok(view(id, &link))
}

fn view(id: LinkId, link: &OfferedLink) -> PendingLinkView {
    PendingLinkView { id, digits: format!("{:015}", link.digits), expires_at: link.expires_at }
}

/// The user has seen the same digits on both devices: signs the list that names the new device, and makes the answer.
pub(crate) fn confirm(call: &mut Call<'_>, id: &LinkId) -> Result<DeviceId, Error> {
    let refused = |code| Error::of(code, "link");
    let mut link = call.tx.link(id)?.ok_or(refused(Code::LinkExpired))?;
    let (secret, ephemeral) = match &link.state {
        OfferState::Cancelled => return Err(refused(Code::LinkUsed)),
        OfferState::Confirmed { device, .. } => return Ok(*device),
        OfferState::Waiting { secret, ephemeral } => {
            (secret.clone(), x25519::PrivateKey::from_secret(ephemeral.clone()))
        }
    };
    if link.hello_at == LegPlace::Displaced {
        return Err(refused(Code::LinkMismatch));
    }
    if link.expires_at < call.now().0 {
        return Err(refused(Code::LinkExpired));
    }
    let primary = call.tx.primary()?;
    let list = sign_list(call, &primary, &link.signing_key, &link.identity_key)?;
    let device = DeviceId(list.list.last_id);
    lists::follow(call, &list)?;
    let identity_key = x25519::PublicKey::decode(link.identity_key).map_err(|_| Code::RecordInconsistent)?;
    let new = NewDevice { signing_key: &link.signing_key, identity_key: &identity_key, secret: &secret };
    let user = call.user().clone();
    let hello = Hello { ephemeral: ephemeral.public_key(), account_key: list.account(), user };
    let grant = grant::make(call, device, &list)?;
    let answer = linking::seal_answer(&mut call.context, new, &hello, &ephemeral, &grant)?.encode()?;
    link.state = OfferState::Confirmed { device, epoch: list.list.epoch, answer, answer_at: LegPlace::Here };
    call.tx.put_link(id, &link)?;
    send::follow_user(call, call.user())?;
    Ok(device)
}

/// The next list, with a new device on it.
fn sign_list(
    call: &Call<'_>,
    primary: &Primary,
    signing_key: &[u8; 32],
    identity_key: &[u8; 32],
) -> Result<VerifiedDeviceList, Error> {
    own_list::check_adopted(call)?;
    let list = call.tx.own_list(call.user())?.list;
    // Good once: a device that stands on the list cannot be linked again.
    if list.devices.iter().any(|device| device.identity_key == *identity_key) {
        return Err(Error::of(Code::LinkUsed, "code"));
    }
    if list.devices.len() >= MAX_DEVICES {
        return Err(Code::TooManyOwnDevices.into());
    }
    let mut listed = list.devices.clone();
    listed.push(Listing {
        // An id is given once, for ever (T16).
        id: DeviceId(list.last_id.checked_add(1).ok_or(Code::TooManyOwnDevices)?),
        signing_key: *signing_key,
        identity_key: *identity_key,
        added_at_epoch: list.epoch.saturating_add(1),
    });
    Ok(device_list::sign_as(&primary.account, call.user(), Some(&list), &listed, (call.device(), call.now()))?)
}

/// The app gives a link up. Its code is never taken again.
pub(crate) fn cancel(call: &mut Call<'_>, id: &LinkId) -> Result<(), Error> {
    let Some(mut link) = call.tx.link(id)? else { return Ok(()) };
    match link.state {
        OfferState::Cancelled => Ok(()),
        OfferState::Confirmed { .. } => Err(Error::of(Code::LinkUsed, "link")),
        OfferState::Waiting { .. } => {
            link.state = OfferState::Cancelled;
            Ok(call.tx.put_link(id, &link)?)
        }
    }
}

/// A leg for the server, and how long it is until it is put there, in ms.
struct Planned {
    wait: u64,
    post: LinkPost,
}

/// What has still to be put at the server now.
pub(crate) fn due(call: &Call<'_>) -> Result<Vec<LinkPost>, Error> {
    let now = planned(call)?.into_iter().filter(|planned| planned.wait == 0);
    Ok(now.map(|planned| planned.post).collect())
}

/// How long it is until an answer goes again, in ms. What is due now does not count: if the loop does not give it, a request holds it.
pub(super) fn due_in(call: &Call<'_>) -> Result<Option<u64>, Code> {
    Ok(planned(call)?.iter().map(|planned| planned.wait).filter(|wait| *wait > 0).min())
}

/// What goes to the server, now or later. An answer goes once the list that names the new device is published.
///
/// A server may lose a box, and a new device may come for its answer a day late. So the answer goes again each hour until a session with the
/// new device shows that it has its keys.
fn planned(call: &Call<'_>) -> Result<Vec<Planned>, Code> {
    let links = call.tx.links()?;
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let published = call.tx.book()?.published_epoch;
    let list = call.tx.own_list(call.user())?.list;
    let mut all = Vec::new();
    for named in links {
        let (id, link) = (named.id, named.link);
        let is_cancelled = matches!(link.state, OfferState::Cancelled);
        if link.hello_at == LegPlace::Here && !is_cancelled && link.expires_at >= call.now().0 {
            all.push(Planned { wait: 0, post: LinkPost { id, leg: LinkLeg::Hello, bytes: link.hello } });
        }
        let OfferState::Confirmed { device, epoch, answer, answer_at } = link.state else { continue };
        let wait = match answer_at {
            LegPlace::Displaced => continue,
            LegPlace::Here => 0,
            LegPlace::Server { since } => until_again(call.now(), since),
        };
        // A device that was removed in the meantime needs no answer.
        let is_listed = list.device(device).is_some_and(|listed| listed.identity_key == link.identity_key);
        let is_late = call.now().since(Timestamp(link.expires_at)) > LINK_ANSWER;
        if published >= epoch && is_listed && !is_late && !has_session(call, device)? {
            all.push(Planned { wait, post: LinkPost { id, leg: LinkLeg::Answer, bytes: answer } });
        }
    }
    Ok(all)
}

/// Whether there is a session with an own device: either side then had the prekeys that the other published. A damaged record has none.
fn has_session(call: &Call<'_>, device: DeviceId) -> Result<bool, Code> {
    match call.tx.peer(call.user(), device) {
        Err(code) if code.is_damage() => Ok(false),
        peer => Ok(peer?.is_some_and(|peer| !peer.sessions.is_empty())),
    }
}

/// How long it is until an answer goes again, in ms. A time ahead of our clock comes from a clock that was set back: it goes at once.
fn until_again(now: Timestamp, since: u64) -> u64 {
    now.0.checked_sub(since).map_or(0, |passed| PUT_AGAIN.saturating_sub(passed))
}

/// The server has answered to a post: `lies` is what lies in that leg now. `false`: those are not our bytes, somebody else was first.
pub(crate) fn posted(call: &mut Call<'_>, id: &LinkId, leg: LinkLeg, lies: &[u8]) -> Result<bool, Error> {
    let since = call.now().0;
    let Some(mut link) = call.tx.link(id)? else { return Ok(true) };
    let (ours, place) = match (&mut link.state, leg) {
        (_, LinkLeg::Hello) => (&link.hello, &mut link.hello_at),
        (OfferState::Confirmed { answer, answer_at, .. }, LinkLeg::Answer) => (&*answer, answer_at),
        (_, LinkLeg::Answer) => return Ok(true),
    };
    let is_ours = ours == lies;
    *place = if is_ours { LegPlace::Server { since } } else { LegPlace::Displaced };
    call.tx.put_link(id, &link)?;
    Ok(is_ours)
}

/// A leg as it is, whether it is due or not: for a host that carries both over a channel of its own.
pub(crate) fn leg(call: &Call<'_>, id: &LinkId, leg: LinkLeg) -> Result<Option<Vec<u8>>, Error> {
    let Some(link) = call.tx.link(id)? else { return Ok(None) };
    Ok(match (link.state, leg) {
        (OfferState::Cancelled, _) | (OfferState::Waiting { .. }, LinkLeg::Answer) => None,
        (_, LinkLeg::Hello) => Some(link.hello),
        (OfferState::Confirmed { answer, .. }, LinkLeg::Answer) => Some(answer),
    })
}

/// Deletes the links that have expired; one that was confirmed, once its answer can no longer be taken.
pub(super) fn forget_old(tx: &mut Tx<'_>, age: Age) -> Result<(), Code> {
    for named in tx.links()? {
        let kept_for = match named.link.state {
            OfferState::Confirmed { .. } => LINK_ANSWER,
            OfferState::Cancelled | OfferState::Waiting { .. } => core::time::Duration::ZERO,
        };
        if age.since(Age(named.link.made_at)) > LINK_EXPIRY.saturating_add(kept_for) {
            tx.delete(Places::link(&named.id));
        }
    }
    Ok(())
}

/// Takes a device off the list, and its word in every group.
pub(crate) fn remove_device(call: &mut Call<'_>, device: DeviceId) -> Result<Vec<Event>, Error> {
    let Primary { account, .. } = call.tx.primary()?;
    own_list::check_adopted(call)?;
    let list = call.tx.own_list(call.user())?.list;
    list.device(device).ok_or(Error::of(Code::UnknownDevice, "device"))?;
    if device == call.device() {
        return Err(Error::of(Code::InvalidArgument, "device"));
    }
    let rest: Vec<Listing> = list.devices.iter().filter(|d| d.id != device).copied().collect();
    let next = device_list::sign_as(&account, call.user(), Some(&list), &rest, (call.device(), call.now()))?;
    let events = lists::follow(call, &next)?;
    send::follow_user(call, call.user())?;
    act::retire(call, device, None)?;
    Ok(events)
}
