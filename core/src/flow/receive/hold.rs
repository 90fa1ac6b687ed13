//! Held, not lost: what is authentic and cannot be opened yet is kept as it came (X 9).

use super::incoming::Stop;
use crate::{
    context::Timestamp,
    error::Code,
    event::Event,
    flow::lists,
    ids::{EnvelopeId, Scope},
    model::{Peer, User, order},
    record::{Cause, Held},
    store::Kind,
    tx::{Call, held, ledger},
    wire::envelope::Envelope,
};

/// An envelope that is to be held.
pub(super) struct Waiting<'a> {
    pub(super) envelope: &'a Envelope,
    /// As it came.
    pub(super) bytes: &'a [u8],
    pub(super) cause: Cause,
    /// When it came first, if it was held before.
    pub(super) since: Option<u64>,
}

impl Waiting<'_> {
    /// Keeps it, if there is room. `false`: there is none. Whoever claims another identity by it is noted in any case.
    pub(super) fn keep(&self, call: &mut Call<'_>) -> Result<(bool, Vec<Event>), Code> {
        let (user, device) = self.envelope.sender().ok_or(Code::NonCanonical)?;
        let key = call.tx.places().envelope(Kind::Held, &user, device, &EnvelopeId(self.envelope.head.salt));
        if call.tx.exists(&key)? {
            return Err(Code::Duplicate);
        }
        let mut events = Vec::new();
        if let Cause::Identity(claimed) = self.cause {
            let known = call.tx.user(&user)?.ok_or(Code::Internal)?;
            events.extend(lists::block(call, &known, claimed)?);
        }
        let at = self.since.unwrap_or(call.at.age.0);
        let held = Held { at, cause: self.cause, envelope: self.bytes.to_vec() };
        let is_held = held::put_envelope(&mut call.tx, &user, key, &held)?;
        if !is_held && ledger::note_dropped(&mut call.tx, &user, None)? {
            events.push(Event::HeldDropped { user });
        }
        Ok((is_held, events))
    }
}

/// Why something is held, as the app is told.
pub(super) fn code(cause: Cause) -> Code {
    match cause {
        Cause::Identity(_) => Code::IdentityNotAccepted,
        Cause::Early { .. } => Code::TooEarly,
        Cause::Steps => Code::TooManySteps,
        Cause::Unproved => Code::NotListed,
    }
}

/// Whether the time of a session that a peer begins has come.
pub(super) fn in_time(user: &User, peer: &Peer, (scope, generation): (Scope, u64), now: Timestamp) -> Result<(), Stop> {
    let issued_at = Timestamp(user.list.as_ref().map_or(0, |list| list.issued_at));
    match order::early_until(generation, peer.known_generation(scope, now), issued_at, now) {
        None => Ok(()),
        Some(from) => Err(Stop::Hold(Cause::Early { from })),
    }
}
