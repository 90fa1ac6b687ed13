//! The envelopes of a fetched mailbox, one after another; each leaves all that it changes, or no trace.

use super::{
    gaps::{self, Numbered},
    hold::{self, Waiting},
    incoming::{Gate, Stop},
    lists, open,
};
use crate::{
    error::{Blame, Code, Error},
    event::{Event, Item, NextStep, Received, Sender},
    flow::{
        lists::{Source, take},
        send,
    },
    ids::SessionId,
    keys::device_list::VerifiedDeviceList,
    model::{Peer, SessionMeta},
    record::Cause,
    tx::{Call, ahead, inbox, sessions},
    wire::envelope::Envelope,
};
use std::sync::Arc;

/// Opens the envelopes of a fetched mailbox.
pub(crate) fn open(call: &mut Call<'_>, envelopes: &[impl AsRef<[u8]>]) -> Result<Vec<Received>, Error> {
    let envelopes: Vec<&[u8]> = envelopes.iter().map(AsRef::as_ref).collect();
    let decoded: Vec<Result<Envelope, Code>> = envelopes.iter().map(|bytes| Envelope::decode(bytes)).collect();
    let gates = gates(call, &decoded, &envelopes)?;
    // For what is forged nothing more is read.
    let is_forged = |gate: &Option<Gate>| gate.as_ref().is_some_and(|gate| !gate.fits);
    let real = decoded.iter().flatten().zip(&gates).filter(|(_, gate)| !is_forged(gate)).map(|(envelope, _)| envelope);
    ahead::for_envelopes(&call.tx, call.user(), real)?;
    let mut batch = Batch::default();
    let mut gates = gates.into_iter();
    for (decoded, bytes) in decoded.iter().zip(envelopes) {
        match decoded {
            Ok(envelope) => batch.open(call, envelope, bytes, gates.next().flatten())?,
            Err(code) => batch.fail(*code, None),
        }
    }
    Ok(batch.close(call)?)
}

/// The gates of those that could be decoded, as far as their devices are known.
fn gates(call: &Call<'_>, decoded: &[Result<Envelope, Code>], envelopes: &[&[u8]]) -> Result<Vec<Option<Gate>>, Code> {
    let sound = || decoded.iter().zip(envelopes).filter_map(|(decoded, bytes)| Some((decoded.as_ref().ok()?, bytes)));
    let peers = ahead::senders(&call.tx, sound().map(|(envelope, _)| envelope))?;
    let gate = |((envelope, bytes), peer): ((&Envelope, &&[u8]), Option<Arc<Peer>>)| {
        Some(Gate::of(&peer?.receiving(), envelope, envelope.head_in(bytes).ok()?))
    };
    Ok(sound().zip(peers).map(gate).collect())
}

/// What has come of the envelopes of a batch so far.
#[derive(Default)]
pub(super) struct Batch {
    /// How many envelopes have been looked at.
    envelopes: usize,
    results: Vec<Received>,
    numbered: Vec<Numbered>,
    /// When the next envelope came first, if it was held since.
    pub(super) since: Option<u64>,
}

impl Batch {
    /// Opens the next envelope; one that fails leaves no trace.
    pub(super) fn open(
        &mut self,
        call: &mut Call<'_>,
        envelope: &Envelope,
        bytes: &[u8],
        gate: Option<Gate>,
    ) -> Result<(), Error> {
        call.tx.begin_item();
        let opened = open::open(call, (envelope, bytes), gate.as_ref()).and_then(|opened| {
            let items = put(call, opened.items)?;
            Ok((items, opened.held, opened.numbered))
        });
        call.tx.end_item(opened.is_ok());
        match opened {
            Ok((items, held, numbered)) => {
                let at = self.envelopes;
                self.envelopes += 1;
                self.results.extend(items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item }));
                if held {
                    self.results.push(Received::Held { envelope: at, code: None });
                }
                if let Some((user, device)) = envelope.sender() {
                    let of = |(group, sequence)| Numbered { envelope: at, user: user.clone(), device, group, sequence };
                    self.numbered.extend(numbered.into_iter().map(of));
                }
                Ok(())
            }
            Err(Stop::Hold(cause)) => self.hold(call, (envelope, bytes), gate, (cause, None)),
            Err(Stop::Unproved(list)) => self.hold(call, (envelope, bytes), gate, (Cause::Unproved, Some(&list))),
            Err(Stop::Damaged(session)) => {
                forget_damaged(call, envelope, session)?;
                self.refuse(call, (envelope, bytes), gate, Code::NoSession)
            }
            Err(Stop::Refused(code)) => self.refuse(call, (envelope, bytes), gate, code),
        }
    }

    /// Keeps an envelope as it came. What it had changed is gone.
    fn hold(
        &mut self,
        call: &mut Call<'_>,
        (envelope, bytes): (&Envelope, &[u8]),
        gate: Option<Gate>,
        (cause, list): (Cause, Option<&VerifiedDeviceList>),
    ) -> Result<(), Error> {
        call.tx.begin_item();
        let waiting = Waiting { envelope, bytes, cause, since: self.since };
        let kept = waiting.keep(call).and_then(|(is_held, mut events)| {
            // Whoever shows a list that contradicts ours is evidence, whatever becomes of the message.
            if let Some(list) = list {
                events.splice(..0, take(call, list, Source::Message)?.events);
            }
            let items: Vec<Item> = events.into_iter().map(Item::Event).collect();
            lists::follow(call, &items)?;
            Ok((is_held, put(call, items)?))
        });
        call.tx.end_item(kept.is_ok());
        let (is_held, items) = match kept {
            Ok(kept) => kept,
            Err(code) => return self.refuse(call, (envelope, bytes), gate, code),
        };
        let at = self.envelopes;
        self.envelopes += 1;
        self.results.extend(items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item }));
        if is_held {
            self.results.push(Received::Held { envelope: at, code: Some(hold::code(cause)) });
        }
        Ok(())
    }

    /// An envelope cannot be opened.
    fn refuse(
        &mut self,
        call: &mut Call<'_>,
        (envelope, bytes): (&Envelope, &[u8]),
        gate: Option<Gate>,
        code: Code,
    ) -> Result<(), Error> {
        match code {
            // The store moved on or cannot be read at all: the call fails, not the envelope. A damaged row concerns its envelope only.
            code if code.blame() == Blame::Store && !code.is_damage() => Err(code.into()),
            Code::Duplicate => {
                self.results.push(Received::Duplicate { envelope: self.envelopes });
                self.envelopes += 1;
                Ok(())
            }
            code => {
                let sender = sender(call, (envelope, bytes), gate, code);
                self.tell(call, code, sender.as_ref())?;
                self.fail(code, sender);
                Ok(())
            }
        }
    }

    /// The next envelope could not be opened.
    fn fail(&mut self, code: Code, sender: Option<Sender>) {
        let next = match code.blame() {
            // What is damaged stays so: nothing waits in the mailbox for it.
            Blame::Store if code.is_damage() => NextStep::Confirm,
            Blame::Store | Blame::Internal => NextStep::Keep,
            Blame::App | Blame::Peer | Blame::Server => NextStep::Confirm,
        };
        self.results.push(Received::Failure { envelope: self.envelopes, sender, code, next });
        self.envelopes += 1;
    }

    /// What a known device said is lost: the app is told.
    ///
    /// The gate covers the head alone. Whoever carries an envelope can spoil its body, or bring an old initiation again: neither makes an item.
    fn tell(&mut self, call: &mut Call<'_>, code: Code, sender: Option<&Sender>) -> Result<(), Code> {
        let Some(Sender { user, device, authenticated: true }) = sender else { return Ok(()) };
        let is_anybodys = matches!(code, Code::AuthenticationFailed | Code::ReplayedInitiation);
        // A known device that is not listed was removed long ago. What it says is not wanted.
        let is_ours = matches!(code.blame(), Blame::Store | Blame::Internal) && !code.is_damage();
        if is_anybodys || is_ours || code == Code::NotListed {
            return Ok(());
        }
        let item = Item::Event(Event::NotOpened { user: user.clone(), device: *device, reason: code.number() });
        let id = inbox::put(&mut call.tx, &item)?;
        self.results.push(Received::Item { envelope: self.envelopes, id, item });
        Ok(())
    }

    /// All results, with the gaps that the batch leaves.
    pub(super) fn close(mut self, call: &mut Call<'_>) -> Result<Vec<Received>, Code> {
        self.results.extend(gaps::note(call, self.numbered)?);
        Ok(self.results)
    }
}

/// A session that does not open is forgotten: what is said on it is lost, and the next message begins another one.
fn forget_damaged(call: &mut Call<'_>, envelope: &Envelope, session: SessionId) -> Result<(), Code> {
    let Some((user, device)) = envelope.sender() else { return Ok(()) };
    let Some(mut peer) = call.tx.peer(&user, device)? else { return Ok(()) };
    let damaged: Vec<SessionMeta> = peer.sessions.iter().filter(|meta| meta.id == session).copied().collect();
    sessions::forget(&mut call.tx, &mut peer, &damaged, call.context.now)?;
    call.tx.put_peer(&peer)?;
    // Open sends may have counted on it.
    send::follow_user(call, &user)
}

/// Puts items into the inbox.
fn put(call: &mut Call<'_>, items: Vec<Item>) -> Result<Vec<(u64, Item)>, Code> {
    items.into_iter().map(|item| Ok((inbox::put(&mut call.tx, &item)?, item))).collect()
}

/// The sender that an envelope names, and whether its gate shows that this is true.
fn sender(call: &Call<'_>, (envelope, bytes): (&Envelope, &[u8]), gate: Option<Gate>, code: Code) -> Option<Sender> {
    let (user, device) = envelope.sender()?;
    let fits = || {
        let peer = call.tx.known_peer(&user, device).ok().flatten()?;
        let pair = peer.receiving();
        let known = gate.as_ref().and_then(|gate| gate.fits(&pair));
        Some(known.unwrap_or_else(|| envelope.head_in(bytes).is_ok_and(|head| Gate::of(&pair, envelope, head).fits)))
    };
    // A wrong gate is not computed a second time.
    let authenticated = code != Code::Forged && fits() == Some(true);
    Some(Sender { user, device, authenticated })
}
