//! Sessions in scopes that are over: of a group that somebody left, and of one that never became ours (Sesame 6.4; X 9).

use super::super::{sessions, work::Work};
use crate::{
    context::Timestamp,
    error::Code,
    ids::{Scope, UserId},
    model::{GroupRecord, Peer, SessionMeta},
    record::Own,
    registry::expiry,
    store::{Kind, Places},
};
use std::collections::BTreeMap;

/// Forgets what has outlived its group by MAXLATENCY and a full fetch of the mailbox.
pub(in super::super) fn forget_scopes(work: &mut Work<'_>, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    let own: Own = work.get(&Places::only(Kind::Own))?.ok_or(Code::RecordInconsistent)?;
    let mut groups: BTreeMap<Scope, GroupRecord> = BTreeMap::new();
    for key in work.keys(&Places::all(Kind::Group))? {
        groups.extend(work.get::<GroupRecord>(&key)?.map(|group| (group.scope, group)));
    }
    for key in work.keys(&Places::all(Kind::Peer))? {
        let Some(mut peer) = work.get::<Peer>(&key)? else { continue };
        let mut over: Vec<SessionMeta> = Vec::new();
        for session in peer.sessions.iter().filter(|session| session.scope != Scope::Direct) {
            let is_over = match (groups.get(&session.scope), session.scope.group()) {
                (Some(group), _) => is_over(group, [&own.user, &peer.user], emptied_at, now),
                (None, Some(id)) => work.keys(&work.places().group(Kind::HeldContent, &id))?.is_empty(),
                (None, None) => false,
            };
            if is_over {
                over.push(*session);
            }
        }
        if over.is_empty() {
            continue;
        }
        sessions::forget(work, &mut peer, &over)?;
        // A group that never became ours leaves nothing: its openings came inside direct messages, which cannot be replayed.
        peer.floors.retain(|(scope, _)| *scope == Scope::Direct || groups.contains_key(scope));
        work.put_peer(&peer)?;
    }
    Ok(())
}

fn is_over(group: &GroupRecord, users: [&UserId; 2], emptied_at: u64, now: Timestamp) -> bool {
    let left = group.left_at.iter().filter(|(user, _)| users.contains(&user)).map(|(_, at)| *at).min();
    left.is_some_and(|at| expiry::is_over(at, emptied_at, now))
}
