//! What is sent and not settled: a [`Send`] is an id over the store, recomputed from recipes at any time.

use super::{Device, work::Work};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::{Batch, Need, Outgoing, Send, Skipped},
    ids::{Scope, SendId, UserId},
    record::{Entry, SendBody, SendHead, SendPart, SentTo},
    session,
    store::{Key, Kind, Places},
    wire::{
        content::{self, Body, GroupClaim, Stamp},
        padding,
    },
};
use zeroize::Zeroizing;

impl Device {
    /// Every send that is not settled, oldest first; after a crash the same bytes as before.
    ///
    /// # Errors
    /// The store's.
    pub fn outbox(&self, context: &mut Context<'_>) -> Result<Vec<Send>, Error> {
        self.run(context, |work, context| {
            let mut sends = Vec::new();
            for key in work.keys(&Places::all(Kind::SendHead))? {
                let id = Places::send_of(&key)?;
                let Some((head, _)) = read(work, &id)? else { continue };
                sends.push((head.sent_at, id));
            }
            sends.sort_unstable();
            let views = sends.iter().filter_map(|(_, id)| view(self, work, context.now, id).transpose());
            views.collect::<Result<_, Code>>().map_err(Error::from)
        })
    }

    /// One send, or `None` when it is settled.
    ///
    /// # Errors
    /// The store's.
    pub fn pending(&self, context: &mut Context<'_>, send: &SendId) -> Result<Option<Send>, Error> {
        self.run(context, |work, context| view(self, work, context.now, send).map_err(Error::from))
    }
}

pub(super) fn read(work: &Work<'_>, id: &SendId) -> Result<Option<(SendHead, SendBody)>, Code> {
    let head: Option<SendHead> = work.get(&Places::send(Kind::SendHead, id))?;
    let Some(head) = head else { return Ok(None) };
    let body = work.get(&Places::send(Kind::SendBody, id))?.ok_or(Code::RecordInconsistent)?;
    Ok(Some((head, body)))
}

/// The send as it stands, its envelopes recomputed.
pub(super) fn view(device: &Device, work: &Work<'_>, now: Timestamp, id: &SendId) -> Result<Option<Send>, Code> {
    let Some((head, body)) = read(work, id)? else { return Ok(None) };
    let mut send =
        Send { id: *id, content_id: head.content_id, batches: vec![], needs: vec![], failed: vec![], events: vec![] };
    if super::publish::is_due_before_sending(&super::publish::book(work)?, now) {
        send.needs.push(Need::Publication);
    }
    let unpublished = !send.needs.is_empty();
    let keys: Vec<Key> = head.users.iter().map(|to| work.places().part(&to.user, id)).collect();
    work.prefetch_missing(&keys)?;
    for SentTo { user, .. } in &head.users {
        let Some(mut part) = work.get::<SendPart>(&work.places().part(user, id))? else { continue };
        let record = work.user(user)?;
        let (peers, _) = work.peers(record.as_ref())?;
        let find = |of| Ok(peers.iter().find(|peer| peer.device == of));
        let plan = part.plan(record.as_ref(), find, &device.keys.party, (head.target, head.scope()), now)?;
        if let Some(code) = part.failure() {
            send.failed.push((user.clone(), code));
        } else if plan.needs.is_empty() && plan.encrypt.is_empty() && !unpublished {
            send.batches.push(batch(device, &head, &body, &part)?);
        }
        send.needs.extend(plan.needs);
    }
    Ok(Some(send))
}

fn batch(device: &Device, head: &SendHead, body: &SendBody, part: &SendPart) -> Result<Batch, Code> {
    let said = said(head, body, &part.user, device.user())?;
    let mut envelopes = Vec::with_capacity(part.entries.len());
    for entry in &part.entries {
        let envelope = envelope(entry, head.scope(), &said)?;
        envelopes.push(Outgoing { device: entry.device, envelope });
    }
    envelopes.sort_unstable_by_key(|outgoing| outgoing.device);
    let mut skips: Vec<Skipped> =
        part.skips.iter().map(|skip| Skipped { device: skip.device, reason: skip.reason }).collect();
    skips.sort_unstable_by_key(|skip| skip.device);
    Ok(Batch { user: part.user.clone(), targeted: head.target.is_some(), envelopes, skips })
}

/// The envelope of an entry: always the same bytes.
fn envelope(entry: &Entry, scope: Scope, said: &SaidTo) -> Result<Vec<u8>, Code> {
    let room = usize::try_from(entry.room).map_err(|_| Code::RecordInconsistent)?;
    let content = match &entry.nested {
        None => Zeroizing::new([entry.prelude.as_slice(), &said.body].concat()),
        Some(nested) => {
            let inner = Zeroizing::new([nested.prelude.as_slice(), &said.body].concat());
            let opening = Body::Opening(session::nested_content(scope, nested, &inner)?);
            let body = Zeroizing::new(opening.encode()?);
            Zeroizing::new([entry.prelude.as_slice(), &body].concat())
        }
    };
    session::envelope(&entry.recipe, &content, said.payload, room)
}

/// What is the same for all devices of a user.
pub(super) struct SaidTo {
    /// An encoded [`Body`].
    pub(super) body: Zeroizing<Vec<u8>>,
    /// The length of the payload in it.
    pub(super) payload: usize,
    /// What the padding keeps free beside the payload, but for a riding list.
    pub(super) room: usize,
}

/// The message, or for our own user the transcript of it; in a group the same for all but those whom it takes in.
pub(super) fn said(head: &SendHead, body: &SendBody, user: &UserId, us: &UserId) -> Result<SaidTo, Code> {
    let stamp = Stamp { content_id: head.content_id.0, sent_at: head.sent_at };
    let welcome = head.users.iter().any(|to| to.user == *user && to.welcome);
    let bytes = if welcome { &body.welcome } else { &body.payload };
    let (payload, length) = (bytes.clone().into(), bytes.len());
    let mut room = padding::ALLOWANCE;
    let form = match &head.group {
        Some(group) => {
            if user == us {
                room = room.max(usize::try_from(group.transcript_room).unwrap_or(usize::MAX));
            }
            let claim = GroupClaim { count: group.claim.count, digest: group.claim.digest };
            match group.operations {
                true => Body::Operations { stamp, claim, bundle: payload },
                false => Body::Group { stamp, claim, payload },
            }
        }
        None => {
            let others = head.users.iter().filter(|to| to.user != *us);
            let recipients: Vec<content::SentTo> = others
                .map(|to| content::SentTo {
                    user: to.user.as_bytes().to_vec().into(),
                    account_key: to.account_key.map(|key| key.0),
                    verified: u8::from(to.verified),
                })
                .collect();
            match user == us && !recipients.is_empty() {
                true => Body::Transcript { stamp, recipients: recipients.into(), payload },
                false => Body::Message { stamp, payload },
            }
        }
    };
    Ok(SaidTo { body: Zeroizing::new(form.encode()?), payload: length, room })
}

impl SendHead {
    /// In which sessions it is said.
    pub(super) fn scope(&self) -> Scope {
        self.group.map_or(Scope::Direct, |group| group.scope)
    }
}
