//! What a new device gets from its primary: the signed list, the pins, the groups (X 7).
//!
//! An answer fits the leg of a box at the server. If there is more to say, the pins come first, then the groups, smallest first, then the
//! contacts' lists. Nothing is lost by that: the server has the lists, and a group that did not fit is pushed to the new device as to any
//! device that lacks operations (D6).

use crate::{
    error::Code,
    flow::group::{bundles, state},
    group::sync::{self, With},
    ids::{DeviceId, GroupId},
    keys::device_list::{self, VerifiedDeviceList},
    limits::{MAX_LINK_LEG, MAX_OWN_HASHES},
    model::{Claim, GroupRecord},
    record::StoredList,
    store::{Kind, Places, RowKey},
    tx::{Call, Tx, ledger},
    wire::linking::{Contact, LinkGrant, TlsByteVecU24},
};

/// What an answer has beside the list, the contacts and the groups: lengths, names, salt and tag.
const OVERHEAD: usize = 512;

/// Bytes that are left in an answer.
struct Room(usize);

impl Room {
    /// Takes so many bytes, if there are as many.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// The grant for the device with this id, which the list names.
pub(super) fn make(call: &mut Call<'_>, device: DeviceId, list: &VerifiedDeviceList) -> Result<LinkGrant, Code> {
    fill(call, device, list, MAX_LINK_LEG)
}

/// The same for this device itself and whatever its size: what it knows besides keys and sessions.
pub(super) fn whole(call: &mut Call<'_>) -> Result<LinkGrant, Code> {
    let own = call.tx.own_list(call.user())?;
    let list = VerifiedDeviceList::verify_signed(own.signed()?).map_err(|_| Code::RecordInconsistent)?;
    fill(call, call.device(), &list, usize::MAX)
}

/// A grant of at most so many bytes.
fn fill(call: &mut Call<'_>, device: DeviceId, list: &VerifiedDeviceList, most: usize) -> Result<LinkGrant, Code> {
    let links = call.tx.chain(&list.user, &list.list)?.links(0, MAX_OWN_HASHES - 1);
    let own = list.signed.len().saturating_add(links.len().saturating_mul(32));
    let mut room = Room(most.saturating_sub(OVERHEAD).saturating_sub(own));
    let mut contacts = contacts(call, &mut room)?;
    let groups = groups(call, device, &mut room)?;
    for Known { contact, list } in &mut contacts {
        if room.take(list.len()) {
            contact.device_list = core::mem::take(list).into();
        }
    }
    let contacts: Vec<Contact> = contacts.into_iter().map(|known| known.contact).collect();
    Ok(LinkGrant {
        user: call.user().as_bytes().to_vec().into(),
        device: device.0,
        device_list: list.signed.clone().into(),
        links: links.into(),
        contacts: contacts.into(),
        groups: groups.into(),
    })
}

/// A contact, still without its list.
struct Known {
    contact: Contact,
    list: Vec<u8>,
}

/// The pins, those that the user has verified first.
fn contacts(call: &Call<'_>, room: &mut Room) -> Result<Vec<Known>, Code> {
    let mut users = call.tx.users()?;
    users.sort_by_key(|user| !user.verified);
    let mut contacts = Vec::new();
    for user in users {
        // 37 bytes: the lengths, the account key, whether it is verified, and whether we know the user.
        if user.user == *call.user() || !room.take(user.user.as_bytes().len().saturating_add(37)) {
            continue;
        }
        let contact = Contact {
            user: user.user.as_bytes().to_vec().into(),
            account_key: user.account_key.0,
            verified: u8::from(user.verified),
            known: u8::from(ledger::is_known(&call.tx, &user.user)?),
            device_list: Vec::new().into(),
        };
        let StoredList { signed, links } = call.tx.stored_list(&user.user)?;
        let list = if signed.is_empty() { Vec::new() } else { device_list::show(&signed, links)? };
        contacts.push(Known { contact, list });
    }
    Ok(contacts)
}

/// All operations of a group, in bundles, parents first.
struct Whole {
    id: GroupId,
    bundles: Vec<Vec<u8>>,
    size: usize,
}

/// All operations of each group that there is room for. The new device lags in the others.
fn groups(call: &mut Call<'_>, device: DeviceId, room: &mut Room) -> Result<Vec<TlsByteVecU24>, Code> {
    let mut all = Vec::new();
    for key in call.tx.keys(&Places::all(Kind::Group))? {
        match whole_group(&call.tx, &key) {
            Ok(group) => all.extend(group),
            // One damaged group does not keep a device from being linked.
            Err(code) if code.is_damage() => {}
            Err(code) => return Err(code),
        }
    }
    all.sort_by_key(|group| group.size);
    let mut granted = Vec::new();
    for group in all {
        if room.take(group.size) {
            granted.extend(group.bundles.into_iter().map(Into::into));
        } else {
            push_later(call, &group.id, device)?;
        }
    }
    Ok(granted)
}

/// A group as it is granted. An invitation is not: each device has its own, and the user's answer on one counts on all.
fn whole_group(tx: &Tx<'_>, key: &RowKey) -> Result<Option<Whole>, Code> {
    let group: GroupRecord = tx.get(key)?.ok_or(Code::RecordInconsistent)?;
    if group.invitation.is_some() {
        return Ok(None);
    }
    let id = group.scope.group().ok_or(Code::RecordInconsistent)?;
    let bundles = bundles::whole(tx, &state::load(tx, &id)?.set)?;
    let size = bundles.iter().map(|bundle| bundle.len().saturating_add(3)).sum();
    Ok(Some(Whole { id, bundles, size }))
}

/// The new device counts as one that has asked for a group of which it has nothing.
fn push_later(call: &mut Call<'_>, id: &GroupId, device: DeviceId) -> Result<(), Code> {
    let mut group = call.tx.group(id)?.ok_or(Code::RecordInconsistent)?;
    let nothing = Claim::default();
    sync::hear(&mut group, (call.user(), device), nothing, With::Question);
    call.tx.put_group(id, &group)
}
