//! Sends that are not settled: a head and a body once, a part for each user.

use super::Tx;
use crate::{
    error::Code,
    ids::{SendId, UserId},
    record::{SendBody, SendHead, SendPart},
    store::{Key, Kind, Places},
};

/// What all parts of a send have in common.
pub(crate) struct Sending {
    pub(crate) head: SendHead,
    pub(crate) body: SendBody,
}

/// A user's part of a send, and where it lies.
pub(crate) struct Part {
    pub(crate) key: Key,
    pub(crate) send: SendId,
    pub(crate) part: SendPart,
}

/// A send, or `None` when it is settled.
pub(crate) fn read(tx: &Tx<'_>, id: &SendId) -> Result<Option<Sending>, Code> {
    let Some(head) = tx.get(&Places::send(Kind::SendHead, id))? else { return Ok(None) };
    let body = tx.get(&Places::send(Kind::SendBody, id))?.ok_or(Code::RecordInconsistent)?;
    Ok(Some(Sending { head, body }))
}

/// Writes a new send.
pub(crate) fn put(tx: &mut Tx<'_>, id: &SendId, sending: &Sending) -> Result<(), Code> {
    tx.put(Places::send(Kind::SendHead, id), &sending.head)?;
    tx.put(Places::send(Kind::SendBody, id), &sending.body)
}

/// All sends, in the order of the rows.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<SendId>, Code> {
    tx.keys(&Places::all(Kind::SendHead))?.iter().map(|key| Places::send_of(key)).collect()
}

/// The names of all sends that have a part for this user.
pub(crate) fn of_user(tx: &Tx<'_>, user: &UserId) -> Result<Vec<SendId>, Code> {
    tx.keys(&tx.places().user(Kind::SendPart, user))?.iter().map(|key| Places::send_of(key)).collect()
}

/// All parts of one user.
pub(crate) fn parts(tx: &Tx<'_>, user: &UserId) -> Result<Vec<Part>, Code> {
    let mut parts = Vec::new();
    for key in tx.keys(&tx.places().user(Kind::SendPart, user))? {
        let send = Places::send_of(&key)?;
        parts.extend(tx.get::<SendPart>(&key)?.map(|part| Part { key, send, part }));
    }
    Ok(parts)
}

/// Ends a user's part. With the last part the send is deleted, and the plaintext with it.
pub(crate) fn close(tx: &mut Tx<'_>, send: &SendId, user: &UserId) -> Result<(), Code> {
    let Some(Sending { head, .. }) = read(tx, send)? else { return Ok(()) };
    tx.delete(tx.places().part(user, send));
    // Our own part stands last and is mostly settled last. It is looked for first: one look is then enough.
    for other in head.users.iter().rev() {
        if tx.exists(&tx.places().part(&other.user, send))? {
            return Ok(());
        }
    }
    tx.delete(Places::send(Kind::SendHead, send));
    tx.delete(Places::send(Kind::SendBody, send));
    Ok(())
}
