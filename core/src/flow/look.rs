//! What the app looks at: users, devices, sessions, the inbox. Nothing is changed, but that acked items are deleted.

use crate::{
    error::Code,
    event::{DeviceState, DeviceView, Event, InboxItem, Item, SessionView, UserView},
    ids::{DeviceId, Scope, UserId},
    model::Peer,
    record::Hot,
    store::{Kind, Places},
    tx::{Call, sends},
};

/// Every user that is known, rising by id.
pub(crate) fn users(call: &Call<'_>) -> Result<Vec<UserView>, Code> {
    let mut users: Vec<UserView> = call.tx.users()?.iter().map(|user| user.view()).collect();
    users.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(users)
}

/// A user's devices, rising by id: those listed, and those that are kept for late messages. This device is among those of its own user.
pub(crate) fn devices(call: &Call<'_>, user: &UserId) -> Result<Vec<DeviceView>, Code> {
    let known = call.tx.user(user)?.ok_or(Code::UnknownUser)?;
    let mut views = Vec::new();
    for listed in known.listed() {
        let is_this = call.us.party.is_device(user, listed.id);
        let place = call.tx.places().device(Kind::Peer, user, listed.id);
        let peer = if is_this { None } else { call.tx.get_sound::<Peer>(&place)? };
        // The same id with other keys is another device.
        let peer = peer.filter(|peer| peer.is_listed(&known));
        let absent = if is_this { DeviceState::Own } else { DeviceState::NoSession };
        views.push(DeviceView {
            device: listed.id,
            signing_key: listed.signing_key,
            identity_key: listed.identity_key,
            state: peer.as_ref().map_or(absent, |peer| peer.state(call.at)),
            session: peer.and_then(|peer| peer.active(Scope::Direct, call.at).map(|meta| meta.id)),
        });
    }
    for peer in call.tx.all_peers()? {
        let kept = peer.user == *user && peer.stale_since.is_some() && !peer.sessions.is_empty();
        if kept && views.iter().all(|view| view.device != peer.device) {
            views.push(peer.view(call.at));
        }
    }
    views.sort_by_key(|view| view.device);
    Ok(views)
}

/// The active session with a device in a scope.
pub(crate) fn session(
    call: &Call<'_>,
    user: &UserId,
    device: DeviceId,
    scope: Scope,
) -> Result<Option<SessionView>, Code> {
    call.tx.user(user)?.ok_or(Code::UnknownUser)?;
    let Some(peer) = call.tx.peer(user, device)? else { return Ok(None) };
    let Some(meta) = peer.active(scope, call.at) else { return Ok(None) };
    let key = call.tx.places().session(Kind::Chains, &peer, meta.id);
    let hot: Hot = call.tx.get(&key)?.ok_or(Code::RecordInconsistent)?;
    let of_scope = peer.sessions.iter().filter(|session| session.scope == scope).count();
    Ok(Some(SessionView {
        id: meta.id,
        generation: meta.generation,
        initiating: meta.initiating,
        sent: hot.sequence,
        received: hot.accepted,
        inactive: of_scope.saturating_sub(1),
    }))
}

/// What was received and not acked, oldest first, after one item and at most so many.
pub(crate) fn inbox(call: &Call<'_>, after: u64, limit: usize) -> Result<Vec<InboxItem>, Code> {
    let mut items = Vec::new();
    for key in call.tx.keys(&Places::all(Kind::Item))? {
        let id = Places::item_of(&key)?;
        if items.len() == limit {
            break;
        }
        if id <= after {
            continue;
        }
        items.extend(call.tx.get::<Item>(&key)?.map(|item| InboxItem { id, item }));
    }
    Ok(items)
}

/// Deletes items that the app has safe; an id that is not there is passed over.
pub(crate) fn ack(call: &mut Call<'_>, ids: &[u64]) -> Result<(), Code> {
    for id in ids {
        let key = Places::item(*id);
        if !call.tx.exists(&key)? {
            continue;
        }
        // A damaged item is deleted like any other.
        let item = call.tx.get_sound::<Item>(&key)?;
        call.tx.delete(key);
        if let Some(Item::Event(Event::SendFinished { send, .. })) = item {
            call.tx.one(|tx| sends::acked(tx, &send))?;
        }
    }
    Ok(())
}
