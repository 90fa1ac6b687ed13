//! Held, not lost: what arrives under an account key that the app has not accepted (X 9).

use super::{
    Device,
    receive::check_gate,
    received::{BatchResults, Incoming, Opened},
    work::Work,
};
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Event, Received},
    ids::{EnvelopeId, UserId},
    keys::party::Party,
    limits::{MAX_HELD, MAX_HELD_PER_DEVICE},
    model::User,
    record::{Counters, Held},
    registry::trust,
    store::{Kind, Places},
    wire::envelope::Envelope,
};

impl Device {
    /// > an initiation of a blocked identity is held as it came (X 9)
    pub(super) fn hold(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        incoming: &Incoming<'_>,
        (user, party): (&User, &Party),
        bytes: &[u8],
    ) -> Result<Opened, Code> {
        // Our own user's account key does not change under us.
        if user.user == *self.user() {
            return Err(Code::IdentityChanged);
        }
        let (_, receiving) = self.keys.pair(party)?;
        check_gate(work, incoming, &receiving)?;
        let places = work.places();
        let key =
            places.envelope(Kind::Held, &incoming.user, incoming.device, &EnvelopeId(incoming.envelope.head.salt));
        if work.exists(&key)? {
            return Err(Code::Duplicate);
        }
        let (blocked, event) = trust::block(user, party.account());
        work.put_user(&blocked)?;
        let mut events: Vec<Event> = event.into_iter().collect();
        let mut of_device = 0_usize;
        for key in work.keys(&places.device(Kind::Held, &incoming.user, incoming.device))? {
            of_device += work.get::<Held>(&key)?.map_or(0, |held| held.envelope.len());
        }
        let mut counters: Counters = work.get(&Places::only(Kind::Counters))?.unwrap_or_default();
        let size = bytes.len() as u64;
        if of_device.saturating_add(bytes.len()) > MAX_HELD_PER_DEVICE
            || counters.held.saturating_add(size) > MAX_HELD as u64
        {
            events.push(Event::HeldDropped { user: user.user.clone() });
            return Ok(Opened::events(events));
        }
        counters.held = counters.held.saturating_add(size);
        work.put(Places::only(Kind::Counters), &counters)?;
        work.put(key, &Held { at: context.now.0, envelope: bytes.to_vec() })?;
        Ok(Opened { held: true, ..Opened::events(events) })
    }

    /// Opens what was held for a user, now that its identity is accepted. What fails now is dropped. Results count what was held from 0.
    pub(super) fn open_held(
        &self,
        work: &mut Work<'_>,
        context: &mut Context<'_>,
        user: &UserId,
    ) -> Result<Vec<Received>, Error> {
        let (mut batch, mut opened) = (BatchResults::default(), 0);
        for key in work.keys(&Places::all(Kind::Held))? {
            let Some(held) = work.get::<Held>(&key)? else { continue };
            let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
            if envelope.head.sender.user.as_slice() != user.as_bytes() {
                continue;
            }
            work.delete(key);
            let mut counters: Counters = work.get(&Places::only(Kind::Counters))?.unwrap_or_default();
            counters.held = counters.held.saturating_sub(held.envelope.len() as u64);
            work.put(Places::only(Kind::Counters), &counters)?;
            self.receive(work, context, (opened, &envelope, &held.envelope), &mut batch)?;
            opened += 1;
        }
        self.note_gaps(work, &mut batch)?;
        Ok(batch.results)
    }
}
