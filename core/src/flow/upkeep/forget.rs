//! What the app wants to know no more: a contact, or a group that our user has left.

use crate::{
    clock::Age,
    error::{Code, Error},
    event::{Event, Standing},
    ids::{GroupId, Scope, UserId},
    keys::party::DecodedParty,
    limits::KEEP_RECEIVED_IDS,
    model::{GroupRecord, Invitation, Peer, SessionMeta},
    record::{Forgotten, PartState},
    store::{Kind, RowKey},
    tx::{Call, held, ledger, sends, sessions},
    wire::envelope::Envelope,
};
use std::collections::BTreeSet;

/// Forgets a user: pin, list, sessions, what is held, and what is being sent.
///
/// > The floor outlives the record (X 3).
///
/// So the records of the user's devices stay without their sessions, and an old initiation still opens nothing.
///
/// This is also the way out for a contact of whom something is damaged: whatever does not open goes, and the contact is met anew.
pub(crate) fn user(call: &mut Call<'_>, user: &UserId) -> Result<(), Error> {
    if user == call.user() {
        return Err(Error::of(Code::InvalidArgument, "user"));
    }
    if !call.tx.exists(&call.tx.places().user(Kind::User, user))? {
        return Err(Error::of(Code::UnknownUser, "user"));
    }
    let is_member = |group: &GroupRecord| group.standing == Standing::Member && group.is_member(user);
    if call.tx.groups()?.iter().any(is_member) {
        let advice = "this user and ours are members of a group: leave that group first";
        return Err(Error::of(Code::AlreadyMember, "user").so(advice));
    }
    let us = &call.us.party.user;
    for send in sends::of_user(&call.tx, user)? {
        // A send of which something is damaged is ended by housekeeping.
        let state = PartState::Failed(Code::UnknownUser.number());
        call.tx.one(|tx| sends::close(tx, us, &send, user, state))?;
    }
    renew_damaged(call, user)?;
    let sent = call.tx.keys(&call.tx.places().user(Kind::SentPart, user))?;
    sent.into_iter().for_each(|key| call.tx.delete(key));
    for mut peer in call.tx.all_peers()? {
        if peer.user == *user {
            call.tx.delete(call.tx.places().device(Kind::Healing, user, peer.device));
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
    let is_theirs = |group: &GroupRecord| group.invitation.as_ref().is_some_and(|invited| invited.user == *user);
    let theirs = call.tx.groups()?.into_iter().filter(is_theirs).filter_map(|group| group.scope.group());
    groups(call, &theirs.collect())?;
    ledger::forget(&mut call.tx, user);
    Ok(())
}

/// Devices whose records do not open are met anew.
///
/// Where their floors lay is not known any more. So nothing that was begun before now makes a session (X 3).
fn renew_damaged(call: &mut Call<'_>, user: &UserId) -> Result<(), Error> {
    let Some(known) = call.tx.readable(user)? else { return Ok(()) };
    for device in known.listed().map(|listed| listed.id) {
        let is_damaged = call.tx.peer(user, device).is_err_and(Code::is_damage);
        let Some(party) = known.listed_party(device).filter(|_| is_damaged) else { continue };
        sessions::remove_damaged(&mut call.tx, user, device)?;
        let mut peer = Peer::new(call.us, &DecodedParty::of(party)?)?;
        peer.floors.push((Scope::Direct, call.now().seconds()));
        call.tx.put_peer(&peer)?;
    }
    Ok(())
}

/// What nobody has answered for 30 days goes. Who has asked may be asked for it, once our user has written to them.
pub(super) fn invitations(call: &mut Call<'_>, read_at: Age) -> Result<Vec<Event>, Error> {
    let (mut old, mut events) = (BTreeSet::new(), Vec::new());
    for group in call.tx.groups()? {
        let (Some(Invitation { user, device, at }), Some(id)) = (group.invitation, group.scope.group()) else {
            continue;
        };
        if read_at.since(Age(at)) > KEEP_RECEIVED_IDS {
            old.insert(id);
            if ledger::note_dropped(&mut call.tx, &user, Some((group.scope, device)))? {
                events.push(Event::HeldDropped { user });
            }
        }
    }
    groups(call, &old)?;
    Ok(events)
}

/// Forgets a group that our user has left: its operations, its sessions, and what is held for it.
pub(crate) fn group(call: &mut Call<'_>, id: &GroupId) -> Result<(), Error> {
    let is_wanted = match call.tx.group(id) {
        // It may be that we are a member, but nobody can leave with what does not open. Whoever tells us its state brings it back.
        Err(code) if code.is_damage() => true,
        Ok(None) => return Err(Code::UnknownGroup.into()),
        Ok(Some(group)) if group.standing == Standing::Member => {
            return Err(Error::from(Code::AlreadyMember).so("our user is a member of the group: leave it first"));
        }
        group => group.map(|_| false)?,
    };
    groups(call, &BTreeSet::from([*id]))?;
    if !is_wanted {
        // Else who had asked would ask again with the same words.
        let key = call.tx.places().group(Kind::Forgotten, id);
        call.tx.put(key, &Forgotten { at: call.at.age.0 })?;
    }
    Ok(())
}

/// Deletes all that there is of groups.
fn groups(call: &mut Call<'_>, ids: &BTreeSet<GroupId>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let is_of = |session: &&SessionMeta| session.scope.group().is_some_and(|id| ids.contains(&id));
    for mut peer in call.tx.all_peers()? {
        let of_them: Vec<_> = peer.sessions.iter().filter(is_of).copied().collect();
        if !of_them.is_empty() {
            sessions::forget(&mut call.tx, &mut peer, &of_them, call.context.now)?;
            call.tx.put_peer(&peer)?;
        }
    }
    let mut keys: Vec<RowKey> = Vec::new();
    for id in ids {
        let invitation = call.tx.one(|tx| Ok(tx.group(id)?.and_then(|group| group.invitation)))?.flatten();
        if let Some(invitation) = invitation {
            ledger::leave_invitation(&mut call.tx, &invitation.user)?;
        }
        for (key, held) in held::contents(&call.tx, id)? {
            held::take_content(&mut call.tx, key, &held)?;
        }
        for kind in [Kind::Group, Kind::Operation, Kind::Waiting, Kind::GroupList] {
            keys.extend(call.tx.keys(&call.tx.places().group(kind, id))?);
        }
    }
    keys.into_iter().for_each(|key| call.tx.delete(key));
    Ok(())
}
