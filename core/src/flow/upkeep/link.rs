//! The primary's part of linking, and the removal of a device (X 5, X 7).

use crate::{
    agreement::linking::{self, NewDevice},
    context::Timestamp,
    crypto::{ed25519::VerifyingKey, x25519},
    error::{Code, Error},
    event::Event,
    flow::{
        group::{act, bundles, state},
        lists, send,
    },
    ids::DeviceId,
    keys::device_list::{self, Listing},
    limits::{LINK_EXPIRY, MAX_DEVICES},
    model::GroupRecord,
    store::{Key, Kind, Places},
    tx::{Call, Tx, own::Primary},
    wire::linking::{Contact, LinkGrant, LinkOffer, TlsByteVecU24},
};

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
            if form.expires_at < now.0 || form.expires_at > now.plus(2 * LINK_EXPIRY).0 {
                return Err(Code::InvalidArgument);
            }
            Ok(Self { form, identity_key })
        };
        checked().map_err(|code| Error::of(code, "code"))
    }
}

/// Signs a list that names the new device, and seals the answer for it.
pub(crate) fn link(call: &mut Call<'_>, offer: &Offer) -> Result<Vec<u8>, Error> {
    let Offer { form, identity_key } = offer;
    let Primary { mut own, account } = call.tx.primary()?;
    let list = call.tx.own_list(call.user())?.list;
    // Good once: a device that stands on the list cannot be linked again.
    if list.devices.iter().any(|device| device.identity_key == form.identity_key) {
        return Err(Error::of(Code::InvalidArgument, "code"));
    }
    if list.devices.len() >= MAX_DEVICES {
        return Err(Code::TooManyOwnDevices.into());
    }
    let id = own.next_device;
    own.next_device = DeviceId(id.0.checked_add(1).ok_or(Code::TooManyOwnDevices)?);
    let mut listed = list.devices.clone();
    listed.push(Listing {
        id,
        signing_key: form.signing_key,
        identity_key: form.identity_key,
        added_at_epoch: list.epoch.saturating_add(1),
    });
    let next = device_list::sign(&account, call.user(), Some(&list), &listed, call.now())?;
    call.tx.put_own(&own)?;
    lists::take(call, &next)?;
    let grant = LinkGrant {
        user: call.user().as_bytes().to_vec().into(),
        device: id.0,
        device_list: next.signed.into(),
        contacts: contacts(call)?.into(),
        groups: groups(&call.tx)?.into(),
    };
    let new = NewDevice { signing_key: &form.signing_key, identity_key };
    let answer = linking::seal(&mut call.context, new, &form.secret, &grant)?.encode()?;
    send::follow_user(call, call.user())?;
    Ok(answer)
}

/// Takes a device off the list, and its word in every group.
pub(crate) fn remove_device(call: &mut Call<'_>, device: DeviceId) -> Result<Vec<Event>, Error> {
    let Primary { account, .. } = call.tx.primary()?;
    let list = call.tx.own_list(call.user())?.list;
    list.device(device).ok_or(Error::of(Code::UnknownDevice, "device"))?;
    if device == call.device() {
        return Err(Error::of(Code::InvalidArgument, "device"));
    }
    let rest: Vec<Listing> = list.devices.iter().filter(|d| d.id != device).copied().collect();
    let next = device_list::sign(&account, call.user(), Some(&list), &rest, call.now())?;
    let events = lists::take(call, &next)?;
    send::follow_user(call, call.user())?;
    act::retire(call, device)?;
    Ok(events)
}

fn contacts(call: &Call<'_>) -> Result<Vec<Contact>, Code> {
    let mut contacts = Vec::new();
    for user in call.tx.users()? {
        if user.user == *call.user() {
            continue;
        }
        contacts.push(Contact {
            user: user.user.as_bytes().to_vec().into(),
            account_key: user.account_key.0,
            verified: u8::from(user.verified),
            device_list: call.tx.signed_list(&user.user)?.into(),
        });
    }
    Ok(contacts)
}

/// All operations of each group, for a new device; a large group's in several parts, parents first.
fn groups(tx: &Tx<'_>) -> Result<Vec<TlsByteVecU24>, Code> {
    let mut groups = Vec::new();
    for key in tx.keys(&Places::all(Kind::Group))? {
        match whole_group(tx, &key) {
            Ok(bundles) => groups.extend(bundles.into_iter().map(Into::into)),
            // One damaged group does not keep a device from being linked.
            Err(code) if code.is_damage() => {}
            Err(code) => return Err(code),
        }
    }
    Ok(groups)
}

fn whole_group(tx: &Tx<'_>, key: &Key) -> Result<Vec<Vec<u8>>, Code> {
    let group: GroupRecord = tx.get(key)?.ok_or(Code::RecordInconsistent)?;
    let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
    bundles::whole(tx, &state::load(tx, &id)?.set)
}
