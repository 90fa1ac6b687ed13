//! The envelopes of a fetched mailbox, one after another; each leaves all that it changes, or no trace.

use super::{
    gaps::{self, Numbered},
    hold::{self, Waiting},
    incoming::{Entry, Fellow, Found, Gate, Stop},
    lists, open,
    order::Queue,
    retry,
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
    model::SessionMeta,
    record::Cause,
    tx::{Call, ahead, inbox, sessions},
    wire::envelope::Envelope,
};

/// An envelope as it came.
pub(super) struct Came<'a> {
    pub(super) bytes: &'a [u8],
    /// When it came first, if it was held since, by our age clock in ms.
    pub(super) since: Option<u64>,
}

/// Opens the envelopes of a fetched mailbox.
pub(crate) fn open(call: &mut Call<'_>, envelopes: &[impl AsRef<[u8]>]) -> Result<Vec<Received>, Error> {
    let came = envelopes.iter().map(|bytes| Came { bytes: bytes.as_ref(), since: None });
    open_all(call, &came.collect::<Vec<_>>())
}

/// Opens envelopes. The results are in the order of the envelopes, whatever the order they are opened in.
pub(super) fn open_all(call: &mut Call<'_>, came: &[Came<'_>]) -> Result<Vec<Received>, Error> {
    let decoded: Vec<Result<Envelope, Code>> = came.iter().map(|came| Envelope::decode(came.bytes)).collect();
    let mut batch = Batch::default();
    let mut entries = Vec::with_capacity(came.len());
    for (at, (decoded, came)) in decoded.iter().zip(came).enumerate() {
        match decoded {
            Ok(envelope) => entries.push(Entry {
                at,
                index: entries.len(),
                envelope,
                bytes: came.bytes,
                gate: None,
                since: came.since,
                found: None,
                is_arranged: false,
            }),
            Err(code) => batch.fail(at, *code, None),
        }
    }
    try_gates(call, &mut entries)?;
    // For what is forged nothing more is read.
    let real = |entry: &Entry<'_>| entry.gate.as_ref().is_none_or(|gate| gate.fits);
    let envelopes = entries.iter().map(|entry| real(entry).then_some(entry.envelope));
    let located = ahead::for_envelopes(&call.tx, call.user(), envelopes)?;
    let mut queue = Queue::of(call, entries, located);
    loop {
        let fellows = queue.fellows();
        let Some(entry) = queue.current() else { break };
        match batch.open(call, entry, &fellows)? {
            Some(found) => queue.settle(found),
            None => queue.advance(),
        }
    }
    Ok(batch.close(call)?)
}

/// Tries the gates, as far as the devices are known.
fn try_gates(call: &Call<'_>, entries: &mut [Entry<'_>]) -> Result<(), Code> {
    let peers = ahead::senders(&call.tx, entries.iter().map(|entry| entry.envelope))?;
    for (entry, peer) in entries.iter_mut().zip(peers) {
        let head = entry.envelope.head_in(entry.bytes).ok();
        entry.gate = peer.zip(head).map(|(peer, head)| Gate::of(&peer.receiving(), entry.envelope, head));
    }
    Ok(())
}

/// What has come of the envelopes of a batch so far.
#[derive(Default)]
struct Batch {
    results: Vec<Received>,
    numbered: Vec<Numbered>,
}

impl Batch {
    /// Opens an envelope; one that fails leaves no trace. Gives where it and its fellows stand if others are to be opened first.
    fn open(
        &mut self,
        call: &mut Call<'_>,
        entry: &Entry<'_>,
        fellows: &[Fellow<'_>],
    ) -> Result<Option<Vec<(usize, Found)>>, Error> {
        call.tx.begin_item();
        let opened = open::open(call, entry, fellows).and_then(|opened| {
            let items = put(call, opened.items)?;
            Ok((items, opened.held, opened.numbered))
        });
        call.tx.end_item(opened.is_ok());
        match opened {
            Ok((items, held, numbered)) => {
                let at = entry.at;
                self.results.extend(items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item }));
                if held {
                    self.results.push(Received::Held { envelope: at, code: None });
                }
                if let Some((user, device)) = entry.envelope.sender() {
                    let of = |(group, sequence)| Numbered { envelope: at, user: user.clone(), device, group, sequence };
                    self.numbered.extend(numbered.into_iter().map(of));
                }
            }
            Err(Stop::Behind(found)) => return Ok(Some(found)),
            Err(Stop::Hold(cause)) => self.hold(call, entry, (cause, None))?,
            Err(Stop::Unproved(list)) => self.hold(call, entry, (Cause::Unproved, Some(&list)))?,
            Err(Stop::Damaged(session)) => {
                forget_damaged(call, entry.envelope, session)?;
                self.refuse(call, entry, Code::NoSession)?;
            }
            Err(Stop::Refused(code)) => self.refuse(call, entry, code)?,
            Err(Stop::Said(code)) => self.report(call, entry, code).map(drop)?,
        }
        Ok(None)
    }

    /// Keeps an envelope as it came. What it had changed is gone.
    fn hold(
        &mut self,
        call: &mut Call<'_>,
        entry: &Entry<'_>,
        (cause, list): (Cause, Option<&VerifiedDeviceList>),
    ) -> Result<(), Error> {
        call.tx.begin_item();
        let waiting = Waiting { envelope: entry.envelope, bytes: entry.bytes, cause, since: entry.since };
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
            Err(code) => return self.refuse(call, entry, code),
        };
        let at = entry.at;
        self.results.extend(items.into_iter().map(|(id, item)| Received::Item { envelope: at, id, item }));
        if is_held {
            self.results.push(Received::Held { envelope: at, code: Some(hold::code(cause)) });
        }
        Ok(())
    }

    /// An envelope cannot be opened. Its device is asked for it, if it is one that may be asked.
    fn refuse(&mut self, call: &mut Call<'_>, entry: &Entry<'_>, code: Code) -> Result<(), Error> {
        if let Some(sender) = self.report(call, entry, code)? {
            // Whoever cannot be asked, because a row is damaged, is not.
            call.tx.begin_item();
            let owed = retry::owe(call, entry.envelope, &sender, code);
            call.tx.end_item(owed.is_ok());
            owed.or_else(|code| if code.is_damage() { Ok(()) } else { Err(code) })?;
        }
        Ok(())
    }

    /// Says what has become of an envelope that is refused. Gives its sender, if it is a failure.
    fn report(&mut self, call: &mut Call<'_>, entry: &Entry<'_>, code: Code) -> Result<Option<Sender>, Error> {
        match code {
            // The store moved on or cannot be read at all: the call fails, not the envelope. A damaged row concerns its envelope only.
            code if code.blame() == Blame::Store && !code.is_damage() => Err(code.into()),
            Code::Duplicate => {
                self.results.push(Received::Duplicate { envelope: entry.at });
                Ok(None)
            }
            // What is damaged of our own concerns everybody, and comes back: the mail waits.
            code if code.is_damage() && call.tx.user(call.user()).is_err() => {
                self.results.push(Received::Failure { envelope: entry.at, sender: None, code, next: NextStep::Keep });
                Ok(None)
            }
            code => {
                let sender = sender(call, entry, code);
                self.tell(call, entry.at, code, sender.as_ref())?;
                self.fail(entry.at, code, sender.clone());
                Ok(sender)
            }
        }
    }

    /// The envelope at this place could not be opened.
    fn fail(&mut self, envelope: usize, code: Code, sender: Option<Sender>) {
        self.results.push(Received::Failure { envelope, sender, code, next: next_step(code) });
    }

    /// What a known device said is lost: the app is told.
    ///
    /// The gate covers the head alone. Whoever carries an envelope can spoil its body, or bring an old initiation again: neither makes an item.
    fn tell(&mut self, call: &mut Call<'_>, envelope: usize, code: Code, sender: Option<&Sender>) -> Result<(), Code> {
        let Some(Sender { user, device, authenticated: true }) = sender else { return Ok(()) };
        let is_anybodys = matches!(code, Code::AuthenticationFailed | Code::ReplayedInitiation);
        // A known device that is not listed was removed long ago. What it says is not wanted.
        if is_anybodys || code == Code::NotListed || next_step(code) == NextStep::Keep {
            return Ok(());
        }
        let item = Item::Event(Event::NotOpened { user: user.clone(), device: *device, reason: code.number() });
        let id = inbox::put(&mut call.tx, &item)?;
        self.results.push(Received::Item { envelope, id, item });
        Ok(())
    }

    /// All results, with the gaps that the batch leaves.
    fn close(mut self, call: &mut Call<'_>) -> Result<Vec<Received>, Code> {
        self.results.sort_by_key(Received::envelope);
        self.results.extend(gaps::note(call, self.numbered)?);
        Ok(self.results)
    }
}

/// > Only a failure of our own store says "keep".
///
/// So a peer cannot fill the mailbox at the server, nor the window that the loop fetches, with what never opens. What is damaged stays so, and
/// nothing waits for it.
fn next_step(code: Code) -> NextStep {
    match code.blame() {
        Blame::Store if !code.is_damage() => NextStep::Keep,
        Blame::Store | Blame::App | Blame::Internal | Blame::Peer | Blame::Server => NextStep::Confirm,
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
fn sender(call: &Call<'_>, entry: &Entry<'_>, code: Code) -> Option<Sender> {
    let envelope = entry.envelope;
    let (user, device) = envelope.sender()?;
    let fits = || {
        let peer = call.tx.known_peer(&user, device).ok().flatten()?;
        let pair = peer.receiving();
        let known = entry.gate.as_ref().and_then(|gate| gate.fits(&pair));
        let tried = || envelope.head_in(entry.bytes).is_ok_and(|head| Gate::of(&pair, envelope, head).fits);
        Some(known.unwrap_or_else(tried))
    };
    // A wrong gate is not computed a second time.
    let authenticated = code != Code::Forged && fits() == Some(true);
    Some(Sender { user, device, authenticated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_l02_of_all_codes_those_of_our_own_store_say_keep_and_no_other() {
        let kept = |code: &&Code| next_step(**code) == NextStep::Keep;
        let numbers: Vec<u16> = Code::ALL.iter().filter(kept).map(|code| code.number()).collect();
        let damage = [Code::RecordCorrupt, Code::RecordInconsistent].map(Code::number);
        assert_eq!(numbers, (401..=415).filter(|number| !damage.contains(number)).collect::<Vec<u16>>());
    }
}
