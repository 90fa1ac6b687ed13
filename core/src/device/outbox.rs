//! What is sent and not settled: a [`Send`] is an id over the store, recomputed from recipes at any time.

use super::{Device, work::Work};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    ids::{DeviceId, UserId},
    record::{Entry, Event, Scope, SendBody, SendHead, SendPart, SentTo},
    registry::send::Need,
    session,
    store::{Key, Kind, Places},
    wire::{
        content::{self, Body, GroupClaim, Stamp},
        padding,
    },
};
use zeroize::Zeroizing;

/// Names a send, across crashes and processes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SendId(pub [u8; 16]);

/// How a send stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Send {
    /// Its name.
    pub id: SendId,
    /// Travels inside; the same in every copy.
    pub content_id: [u8; 16],
    /// What to submit now, one batch for each user; each is settled by its own `accepted` or `rejected`.
    pub batches: Vec<Batch>,
    /// What must be brought before the other users' batches are whole.
    pub needs: Vec<Need>,
    /// Users that were given up, and the code's number that says why; [`Device::abandon`] drops them.
    pub failed: Vec<(UserId, u16)>,
    /// What came to light by the call.
    pub events: Vec<Event>,
}

/// One user's ciphertexts: all of them go to the server together, or none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Batch {
    /// Whose devices.
    pub user: UserId,
    /// Whether it is for one device alone, so that the server does not compare it with the list.
    pub targeted: bool,
    /// One for each device, rising by device.
    pub envelopes: Vec<Outgoing>,
    /// Listed devices that get nothing, and why; the server counts them as named.
    pub skips: Vec<Skipped>,
}

/// One ciphertext.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// For whom.
    pub device: DeviceId,
    /// The envelope.
    pub envelope: Vec<u8>,
}

/// A device that gets nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Which.
    pub device: DeviceId,
    /// The number of the code that says why.
    pub reason: u16,
}

impl Device {
    /// Every send that is not settled, oldest first; after a crash the same bytes as before.
    ///
    /// # Errors
    /// The store's.
    pub fn outbox(&self, context: &mut Context<'_>) -> Result<Vec<Send>, Error> {
        self.run(context, |work, context| {
            let mut sends = Vec::new();
            for key in work.keys(&Places::all(Kind::SendHead))? {
                let id = SendId(key.last_chunk::<16>().copied().ok_or(Code::RecordInconsistent)?);
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
    let head: Option<SendHead> = work.get(&Places::send(Kind::SendHead, &id.0))?;
    let Some(head) = head else { return Ok(None) };
    let body = work.get(&Places::send(Kind::SendBody, &id.0))?.ok_or(Code::RecordInconsistent)?;
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
    let keys: Vec<Key> = head.users.iter().map(|to| work.places().part(&to.user, &id.0)).collect();
    work.prefetch_missing(&keys)?;
    for SentTo { user, .. } in &head.users {
        let Some(mut part) = work.get::<SendPart>(&work.places().part(user, &id.0))? else { continue };
        let record = work.user(user)?;
        let (peers, _) = work.peers(record.as_ref())?;
        let find = |of| Ok(peers.iter().find(|peer| peer.device == of));
        let plan = part.plan(record.as_ref(), find, device.us(), (head.target, head.scope()), now)?;
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
    let stamp = Stamp { content_id: head.content_id, sent_at: head.sent_at };
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
                    account_key: to.account_key,
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
