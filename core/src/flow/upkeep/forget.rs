//! What the app wants to know no more: a contact, or a group that our user has left.

use crate::{
    error::{Code, Error},
    event::Standing,
    ids::{GroupId, UserId},
    record::PartState,
    store::{Kind, RowKey},
    tx::{
        Call, held,
        sends::{self, Part},
        sessions,
    },
    wire::envelope::Envelope,
};

/// Forgets a user: pin, list, sessions, what is held, and what is being sent.
///
/// > The floor outlives the record (X 3).
///
/// So the records of the user's devices stay without their sessions, and an old initiation still opens nothing.
pub(crate) fn user(call: &mut Call<'_>, user: &UserId) -> Result<(), Error> {
    if user == call.user() {
        return Err(Error::of(Code::InvalidArgument, "user"));
    }
    call.tx.user(user)?.ok_or(Error::of(Code::UnknownUser, "user"))?;
    let is_member = |group: &crate::model::GroupRecord| group.standing == Standing::Member && group.is_member(user);
    if call.tx.groups()?.iter().any(is_member) {
        return Err(Error::of(Code::AlreadyMember, "user"));
    }
    for Part { send, .. } in sends::open_parts(&call.tx, user)? {
        let state = PartState::Failed(Code::UnknownUser.number());
        sends::close(&mut call.tx, &call.us.party.user, &send, user, state)?;
    }
    for mut peer in call.tx.all_peers()? {
        if peer.user == *user {
            let all = peer.sessions.clone();
            sessions::forget(&mut call.tx, &mut peer, &all, call.context.now)?;
            call.tx.put_peer(&peer)?;
        }
    }
    for (key, held) in held::envelopes(&call.tx)? {
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        if envelope.head.sender.user.as_slice() == user.as_bytes() {
            held::take_envelope(&mut call.tx, key, &held)?;
        }
    }
    for (key, held) in held::all_contents(&call.tx)? {
        if held.user == *user {
            held::take_content(&mut call.tx, key, &held)?;
        }
    }
    for kind in [Kind::User, Kind::List, Kind::Chain, Kind::Wanted] {
        let key = call.tx.places().user(kind, user);
        call.tx.delete(key);
    }
    Ok(())
}

/// Forgets a group that our user has left: its operations, its sessions, and what is held for it.
pub(crate) fn group(call: &mut Call<'_>, id: &GroupId) -> Result<(), Error> {
    let group = call.tx.group(id)?.ok_or(Code::UnknownGroup)?;
    if group.standing == Standing::Member {
        return Err(Code::AlreadyMember.into());
    }
    for mut peer in call.tx.all_peers()? {
        let of_it: Vec<_> = peer.sessions.iter().filter(|session| session.scope == group.scope).copied().collect();
        if !of_it.is_empty() {
            sessions::forget(&mut call.tx, &mut peer, &of_it, call.context.now)?;
            call.tx.put_peer(&peer)?;
        }
    }
    for (key, held) in held::contents(&call.tx, id)? {
        held::take_content(&mut call.tx, key, &held)?;
    }
    let mut keys: Vec<RowKey> = Vec::new();
    for kind in [Kind::Group, Kind::Operation, Kind::Waiting, Kind::GroupList] {
        keys.extend(call.tx.keys(&call.tx.places().group(kind, id))?);
    }
    keys.into_iter().for_each(|key| call.tx.delete(key));
    Ok(())
}
