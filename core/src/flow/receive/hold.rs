//! Held, not lost: what arrives under an account key that the app has not accepted (X 9).

use super::incoming::{Incoming, Opened};
use crate::{
    error::Code,
    event::Event,
    flow::lists,
    keys::party::DecodedParty,
    model::User,
    record::Held,
    store::Kind,
    tx::{Call, held},
};

/// > an initiation of a blocked identity is held as it came (X 9)
pub(super) fn hold(
    call: &mut Call<'_>,
    incoming: &Incoming<'_>,
    user: &User,
    party: &DecodedParty,
) -> Result<Opened, Code> {
    // Our own user's account key does not change under us.
    if user.user == *call.user() {
        return Err(Code::IdentityChanged);
    }
    let (_, receiving) = call.us.pair(party)?;
    incoming.check_gate(&call.tx, &receiving)?;
    let key = incoming.place(&call.tx, Kind::Held);
    if call.tx.exists(&key)? {
        return Err(Code::Duplicate);
    }
    let mut events: Vec<Event> = lists::block(call, user, party.party().account())?.into_iter().collect();
    let envelope = Held { at: call.now().0, envelope: incoming.bytes.to_vec() };
    let is_held = held::put_envelope(&mut call.tx, &incoming.user, incoming.device, key, &envelope)?;
    if !is_held {
        events.push(Event::HeldDropped { user: user.user.clone() });
    }
    Ok(Opened { held: is_held, ..Opened::events(events) })
}
