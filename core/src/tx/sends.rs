//! Sends: a head and a body once, a part for each user, and a tally of what is left.
//!
//! A send that is settled stays until the app has acked the item that says so. So its outcome, its payload and a retry outlive a crash.

use super::{Tx, healing, inbox, rows::unless_damaged};
use crate::{
    clock::Age,
    error::Code,
    event::{Event, FailedUser, Item, SkippedDevice},
    ids::{ContentId, SendId, UserId},
    record::{ContentOf, PartState, Says, SendBody, SendHead, SendPart, SendTally},
    store::{Kind, Places, Query, RowKey},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};
use zeroize::Zeroizing;

/// What all parts of a send have in common.
pub(crate) struct Sending {
    pub(crate) head: Arc<SendHead>,
    pub(crate) body: Arc<SendBody>,
    /// What is said to our own user and to others, with the payload and with the welcome: each is encoded once.
    pub(crate) said: [OnceLock<UserContent>; 4],
    /// Whether the send takes somebody in.
    pub(crate) has_welcome: bool,
}

impl Sending {
    pub(crate) fn new(head: Arc<SendHead>, body: Arc<SendBody>) -> Self {
        let has_welcome = head.users.iter().any(|to| to.welcome);
        Self { head, body, said: Default::default(), has_welcome }
    }
}

/// What is the same for all devices of a user.
pub(crate) struct UserContent {
    /// An encoded body.
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// The length of the payload in it, in bytes.
    pub(crate) payload: usize,
    /// What the padding keeps free beside the payload, without a riding list, in bytes.
    pub(crate) room: usize,
}

/// A user's part of a send, and where it lies.
pub(crate) struct Part {
    pub(crate) send: SendId,
    pub(crate) part: SendPart,
}

/// A send, or `None` when it is gone.
pub(crate) fn read(tx: &Tx<'_>, id: &SendId) -> Result<Option<Sending>, Code> {
    let Some(head) = head(tx, id)? else { return Ok(None) };
    let body = tx.shared(&Places::send(Kind::SendBody, id))?.ok_or(Code::RecordInconsistent)?;
    Ok(Some(Sending::new(head, body)))
}

/// The head of a send, or `None` when it is gone.
pub(crate) fn head(tx: &Tx<'_>, id: &SendId) -> Result<Option<Arc<SendHead>>, Code> {
    tx.shared(&Places::send(Kind::SendHead, id))
}

/// How much of a send is left, or `None` when it is gone.
pub(crate) fn tally(tx: &Tx<'_>, id: &SendId) -> Result<Option<SendTally>, Code> {
    tx.get(&Places::send(Kind::SendTally, id))
}

pub(crate) fn put_tally(tx: &mut Tx<'_>, id: &SendId, tally: &SendTally) -> Result<(), Code> {
    tx.put(Places::send(Kind::SendTally, id), tally)
}

/// Writes a new send, all its parts still to come, and gives its name. Names rise in the order in which sends are made.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    us: &UserId,
    (random, age): ([u8; 8], Age),
    sending: &Sending,
) -> Result<SendId, Code> {
    let mut counters = tx.counters()?;
    counters.last_send = counters.last_send.checked_add(1).ok_or(Code::Internal)?;
    tx.put_counters(&counters)?;
    let mut name = [0; 16];
    name.iter_mut().zip(counters.last_send.to_be_bytes().into_iter().chain(random)).for_each(|(to, from)| *to = from);
    let id = SendId(name);
    let Sending { head, body, .. } = sending;
    tx.put_shared(Places::send(Kind::SendHead, &id), head.clone())?;
    tx.put_shared(Places::send(Kind::SendBody, &id), body.clone())?;
    let own_open = head.users.iter().any(|to| to.user == *us);
    let open = head.users.len() - usize::from(own_open);
    let open = u32::try_from(open).map_err(|_| Code::TooMany)?;
    put_tally(tx, &id, &SendTally { open, own_open, to_self: open == 0, item: None, acked: false, tried_at: age.0 })?;
    if !head.quiet {
        tx.put(tx.places().content(&head.content_id), &ContentOf { send: id })?;
    }
    Ok(id)
}

/// The send that has this content id.
pub(crate) fn by_content(tx: &Tx<'_>, content_id: &ContentId) -> Result<Option<SendId>, Code> {
    Ok(tx.get::<ContentOf>(&tx.places().content(content_id))?.map(|of| of.send))
}

/// All sends, oldest first.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<SendId>, Code> {
    tx.keys(&Places::all(Kind::SendHead))?.iter().map(|key| Places::send_of(key)).collect()
}

/// All sends that have not come to their end, oldest first.
pub(crate) fn open(tx: &Tx<'_>) -> Result<Vec<SendId>, Code> {
    let mut open = all(tx)?;
    for id in std::mem::take(&mut open) {
        if tally(tx, &id)?.is_some_and(|tally| !tally.is_finished()) {
            open.push(id);
        }
    }
    Ok(open)
}

/// The names of all sends that have a part for this user, oldest first.
pub(crate) fn of_user(tx: &Tx<'_>, user: &UserId) -> Result<Vec<SendId>, Code> {
    tx.keys(&tx.places().user(Kind::SendPart, user))?.iter().map(|key| Places::send_of(key)).collect()
}

/// Reads which sends have a part for these users, in one go.
pub(crate) fn prefetch_of_users(tx: &Tx<'_>, users: &BTreeSet<UserId>) -> Result<(), Code> {
    let prefix = |user: &UserId| Query::Prefix(tx.places().user(Kind::SendPart, user).to_vec());
    tx.prefetch(&users.iter().map(prefix).collect::<Vec<_>>())
}

/// [`of_user`] for a user of whom that was read before in this call.
pub(crate) fn read_of_user(tx: &Tx<'_>, user: &UserId) -> Result<Vec<SendId>, Code> {
    tx.keys_read(&tx.places().user(Kind::SendPart, user)).iter().map(|key| Places::send_of(key)).collect()
}

/// One user's part of a send.
pub(crate) fn part(tx: &Tx<'_>, id: &SendId, user: &UserId) -> Result<Option<SendPart>, Code> {
    tx.get(&tx.places().part(user, id))
}

/// The same without a copy.
pub(crate) fn known_part(tx: &Tx<'_>, id: &SendId, user: &UserId) -> Result<Option<Arc<SendPart>>, Code> {
    tx.shared(&tx.places().part(user, id))
}

/// All parts of one user that are open, oldest first.
pub(crate) fn open_parts(tx: &Tx<'_>, user: &UserId) -> Result<Vec<Part>, Code> {
    let mut parts = Vec::new();
    for send in of_user(tx, user)? {
        let part = part(tx, &send, user)?.filter(|part| part.state == PartState::Open);
        parts.extend(part.map(|part| Part { send, part }));
    }
    Ok(parts)
}

/// Writes a part that was open. If it has come to an end, the send is a part nearer to its own.
pub(crate) fn put_part(tx: &mut Tx<'_>, us: &UserId, id: &SendId, part: SendPart) -> Result<(), Code> {
    if part.state == PartState::Open {
        return tx.put_shared(tx.places().part(&part.user, id), Arc::new(part));
    }
    settle(tx, us, id, &part, part.state)
}

fn settle(tx: &mut Tx<'_>, us: &UserId, id: &SendId, part: &SendPart, state: PartState) -> Result<(), Code> {
    if state == PartState::Taken {
        // Without its head nothing of a send can be told again.
        if let Some((head, tally)) = head(tx, id)?.zip(tally(tx, id)?) {
            healing::note_sent(tx, (id, &head), part, tally.tried_at)?;
        }
    }
    tx.put_shared(tx.places().part(&part.user, id), Arc::new(part.settled(state, us)))?;
    count_down(tx, us, id, &part.user)
}

/// Ends a user's part, if it is open.
pub(crate) fn close(tx: &mut Tx<'_>, us: &UserId, id: &SendId, user: &UserId, state: PartState) -> Result<(), Code> {
    match known_part(tx, id, user)? {
        Some(part) if part.state == PartState::Open => settle(tx, us, id, &part, state),
        _ => Ok(()),
    }
}

/// Withdraws the steps of a hand-over that have not gone out: what they carry is not wanted any more, and an account key may be among it.
pub(crate) fn withdraw_handover(tx: &mut Tx<'_>, us: &UserId) -> Result<(), Code> {
    for Part { send, .. } in open_parts(tx, us)? {
        if head(tx, &send)?.is_some_and(|head| head.says == Says::Handover) {
            close(tx, us, &send, us, PartState::Cancelled(Code::Cancelled.number()))?;
        }
    }
    Ok(())
}

fn count_down(tx: &mut Tx<'_>, us: &UserId, id: &SendId, user: &UserId) -> Result<(), Code> {
    let mut tally = tally(tx, id)?.ok_or(Code::RecordInconsistent)?;
    if user == us {
        tally.own_open = false;
    } else {
        tally.open = tally.open.checked_sub(1).ok_or(Code::RecordInconsistent)?;
    }
    end(tx, us, id, tally)
}

/// Writes a tally; if the send has come to its end, the inbox tells it.
fn end(tx: &mut Tx<'_>, us: &UserId, id: &SendId, mut tally: SendTally) -> Result<(), Code> {
    if tally.is_finished() && tally.item.is_none() && !tally.acked {
        let head = head(tx, id)?.ok_or(Code::RecordInconsistent)?;
        if head.quiet {
            tally.acked = true;
        } else {
            let event = finished(tx, us, id, &head, tally.to_self)?;
            tally.item = Some(inbox::put(tx, &Item::Event(event))?);
        }
    }
    put_tally(tx, id, &tally)?;
    remove_if_over(tx, id, &tally)
}

/// What has become of a send, as the inbox tells it: whom it did not reach by name, the rest as a number.
fn finished(tx: &Tx<'_>, us: &UserId, id: &SendId, head: &SendHead, to_self: bool) -> Result<Event, Code> {
    let (mut reached, mut failed, mut skipped) = (0, Vec::new(), Vec::new());
    let keys: Vec<RowKey> = head.users.iter().map(|to| tx.places().part(&to.user, id)).collect();
    tx.prefetch_missing(&keys)?;
    for to in head.users.iter().filter(|to| to_self || to.user != *us) {
        let Some(part) = part(tx, id, &to.user)? else {
            failed.push(FailedUser { user: to.user.clone(), reason: Code::RecordCorrupt.number() });
            continue;
        };
        match part.failure() {
            Some(reason) => failed.push(FailedUser { user: to.user.clone(), reason }),
            None => reached += 1,
        }
        for skip in part.skips {
            skipped.push(SkippedDevice { user: to.user.clone(), device: skip.device, reason: skip.reason });
        }
    }
    let group = head.scope().group();
    Ok(Event::SendFinished { send: *id, content_id: head.content_id, group, reached, failed, skipped })
}

/// Ends what damaged rows would keep open for ever: a part that does not open has failed, and a send without head, body or tally is gone.
pub(crate) fn mend(tx: &mut Tx<'_>, us: &UserId, id: &SendId) -> Result<(), Code> {
    let (Some(sending), Some(mut tally)) = (unless_damaged(read(tx, id))?.flatten(), tally(tx, id)?) else {
        return delete_rows(tx, id);
    };
    let (mut open, mut own_open, mut is_damaged) = (0, false, false);
    for to in &sending.head.users {
        match known_part(tx, id, &to.user)? {
            Some(part) if part.state != PartState::Open => {}
            Some(_) if to.user == *us => own_open = true,
            Some(_) => open += 1,
            None => {
                is_damaged = true;
                let failed = SendPart::new(to.user.clone());
                let failed = failed.settled(PartState::Failed(Code::RecordCorrupt.number()), us);
                tx.put(tx.places().part(&to.user, id), &failed)?;
            }
        }
    }
    if !is_damaged {
        return Ok(());
    }
    (tally.open, tally.own_open) = (open, own_open);
    end(tx, us, id, tally)
}

/// Deletes what is left of a send.
fn delete_rows(tx: &mut Tx<'_>, id: &SendId) -> Result<(), Code> {
    for kind in [Kind::SendHead, Kind::SendBody, Kind::SendTally] {
        tx.delete(Places::send(kind, id));
    }
    for key in tx.keys(&Places::all(Kind::SendPart))? {
        if Places::send_of(&key)? == *id {
            tx.delete(key);
        }
    }
    Ok(())
}

/// The app has acked the item that tells of a send's end.
pub(crate) fn acked(tx: &mut Tx<'_>, id: &SendId) -> Result<(), Code> {
    let Some(mut tally) = tally(tx, id)? else { return Ok(()) };
    tally.acked = true;
    put_tally(tx, id, &tally)?;
    if let Some(head) = head(tx, id)? {
        tx.delete(tx.places().content(&head.content_id));
    }
    remove_if_over(tx, id, &tally)
}

/// Opens the parts that failed or were withdrawn again. Gives their users.
pub(crate) fn reopen(tx: &mut Tx<'_>, us: &UserId, id: &SendId, age: Age) -> Result<Vec<UserId>, Code> {
    let (Some(mut tally), Some(head)) = (tally(tx, id)?, head(tx, id)?) else { return Ok(Vec::new()) };
    let mut reopened = Vec::new();
    for to in &head.users {
        let Some(part) = part(tx, id, &to.user)?.filter(|part| part.failure().is_some()) else { continue };
        tx.put(tx.places().part(&to.user, id), &part.reopened())?;
        if to.user == *us {
            tally.own_open = true;
        } else {
            tally.open += 1;
        }
        reopened.push(to.user.clone());
    }
    if !reopened.is_empty() {
        tally.tried_at = age.0;
        // The copies for our own devices delay no end.
        if !tally.is_finished()
            && let Some(item) = tally.item.take()
        {
            tx.delete(Places::item(item));
        }
        put_tally(tx, id, &tally)?;
    }
    Ok(reopened)
}

/// With the last part settled and its end acked, a send is deleted. What it said is kept for a while, to be sent again (X 8).
fn remove_if_over(tx: &mut Tx<'_>, id: &SendId, tally: &SendTally) -> Result<(), Code> {
    if !tally.is_finished() || !tally.acked || tally.own_open {
        return Ok(());
    }
    let head = head(tx, id)?.ok_or(Code::RecordInconsistent)?;
    if let Some(body) = tx.shared::<SendBody>(&Places::send(Kind::SendBody, id))? {
        healing::keep(tx, id, (&head, &body), tally.tried_at)?;
    }
    for to in &head.users {
        tx.delete(tx.places().part(&to.user, id));
    }
    for kind in [Kind::SendHead, Kind::SendBody, Kind::SendTally] {
        tx.delete(Places::send(kind, id));
    }
    Ok(())
}
