//! One envelope on its way in.

use crate::{
    clock::Age,
    error::Code,
    event::Item,
    ids::{DeviceId, EnvelopeId, GroupId, SessionId, UserId},
    keys::{device_list::VerifiedDeviceList, pair::PairKeys},
    model::SessionMeta,
    ratchet::Position,
    record::{Cause, SeenEnvelope},
    session::Session,
    store::{Kind, RowKey},
    tx::{Call, Tx},
    wire::envelope::Envelope,
};

/// Whether an envelope's gate fits under the pair keys of the device that it names. It is found out before anything else is read for the
/// envelope.
pub(super) struct Gate {
    pair: PairKeys,
    pub(super) fits: bool,
}

impl Gate {
    /// Tries the gate of an envelope with this head.
    pub(super) fn of(pair: &PairKeys, envelope: &Envelope, head: &[u8]) -> Self {
        Self { pair: pair.clone(), fits: pair.check_gate(head, &envelope.gate).is_ok() }
    }

    /// Whether it fits under these keys; `None` if others were tried.
    pub(super) fn fits(&self, pair: &PairKeys) -> Option<bool> {
        self.pair.secret().is_same(pair.secret()).then_some(self.fits)
    }
}

/// One envelope of a call.
pub(super) struct Entry<'a> {
    /// Its place among the envelopes that the caller gave, from 0.
    pub(super) at: usize,
    /// Its index among those that can be decoded, from 0.
    pub(super) index: usize,
    pub(super) envelope: &'a Envelope,
    /// As it came.
    pub(super) bytes: &'a [u8],
    /// Whether its gate fits; `None` if its device is not known.
    pub(super) gate: Option<Gate>,
    /// When it came first, if it was held since, by our age clock in ms.
    pub(super) since: Option<u64>,
    /// Where it stands, if its session is known and its header opens.
    pub(super) found: Option<Found>,
    /// Whether its order among the envelopes with the same initiation was looked at.
    pub(super) is_arranged: bool,
}

/// Where an envelope stands.
pub(super) struct Found {
    pub(super) session: SessionMeta,
    pub(super) position: Position,
}

/// Another envelope of the same call with the same initiation.
pub(super) struct Fellow<'a> {
    /// Its index among the entries.
    pub(super) index: usize,
    pub(super) envelope: &'a Envelope,
}

/// An envelope with the device that it says it comes from.
pub(super) struct Incoming<'a> {
    pub(super) envelope: &'a Envelope,
    /// Where it stands, if its header was opened before.
    pub(super) found: Option<&'a Found>,
    /// Its index among the entries.
    pub(super) index: usize,
    /// Others that begin the same session. The first of all is opened first.
    pub(super) fellows: &'a [Fellow<'a>],
    /// The encoded head of the envelope.
    pub(super) head: &'a [u8],
    /// What is known of its gate.
    pub(super) gate: Option<&'a Gate>,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
}

impl Incoming<'_> {
    /// The envelope's name.
    pub(super) fn id(&self) -> EnvelopeId {
        EnvelopeId(self.envelope.head.salt)
    }

    /// The key of a row of this envelope.
    pub(super) fn place(&self, tx: &Tx<'_>, kind: Kind) -> RowKey {
        tx.places().envelope(kind, &self.user, self.device, &self.id())
    }

    /// The gate first, then whether this envelope was received before (X 1, X 8).
    pub(super) fn check_gate(&self, tx: &Tx<'_>, pair: &PairKeys) -> Result<(), Code> {
        let known = self.gate.and_then(|gate| gate.fits(pair));
        if !known.unwrap_or_else(|| Gate::of(pair, self.envelope, self.head).fits) {
            return Err(Code::Forged);
        }
        if tx.exists(&self.place(tx, Kind::Received))? { Err(Code::Duplicate) } else { Ok(()) }
    }

    /// > At most 100,000 steps are made for one peer in one call, the rest is held.
    ///
    /// The header has opened, so that the peer has made it: whoever carries the envelope can repeat steps that the peer has caused, and causes
    /// no others.
    pub(super) fn count_steps(&self, call: &mut Call<'_>, session: &Session, position: &Position) -> Result<(), Code> {
        call.steps.count(&self.user, session.meta.id, session.ratchet.jump(position))
    }

    /// Whether what is sent again, in an envelope with this salt at first, is new. It is known from then on, in whatever envelope it comes.
    pub(super) fn is_new(&self, tx: &mut Tx<'_>, salt: [u8; 16], at: Age) -> Result<bool, Code> {
        let key = tx.places().envelope(Kind::Received, &self.user, self.device, &EnvelopeId(salt));
        if tx.exists(&key)? {
            return Ok(false);
        }
        tx.put(key, &SeenEnvelope { at: at.0 })?;
        Ok(true)
    }

    /// Remembers that the envelope was received.
    pub(super) fn remember(&self, tx: &mut Tx<'_>, at: Age) -> Result<(), Code> {
        let key = self.place(tx, Kind::Received);
        tx.put(key, &SeenEnvelope { at: at.0 })
    }
}

/// Why an envelope does not come to its end now.
pub(super) enum Stop {
    /// It begins a session, and others with the same initiation stand before it there. By their index among the entries, where all stand.
    Behind(Vec<(usize, Found)>),
    /// It fails, and leaves no trace.
    Refused(Code),
    /// It opens, and what it says is refused: no retry would change that.
    Said(Code),
    /// It is authentic and may open later: it is held as it came.
    Hold(Cause),
    /// The same, for its device stands on a list that is not taken: this one, which is judged all the same.
    Unproved(Box<VerifiedDeviceList>),
    /// It is authentic, and a row of its session is damaged: nothing opens on that session any more.
    Damaged(SessionId),
}

impl Stop {
    /// What a failure on this session comes to.
    pub(super) fn on(session: SessionId) -> impl Fn(Code) -> Self {
        move |code| if code.is_damage() { Self::Damaged(session) } else { code.into() }
    }
}

impl From<Code> for Stop {
    fn from(code: Code) -> Self {
        if code == Code::TooManySteps { Self::Hold(Cause::Steps) } else { Self::Refused(code) }
    }
}

/// What one envelope came to.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) items: Vec<Item>,
    /// Whether what was in it is held.
    pub(super) held: bool,
    /// The sequence numbers of the contents, each with its group.
    pub(super) numbered: Vec<(Option<GroupId>, u64)>,
}
