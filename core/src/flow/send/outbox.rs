//! What is sent and not settled. A send is an id over the store: its envelopes are recomputed from recipes at any time, always the same
//! bytes.

use crate::{
    error::Code,
    event::{Batch, Event, Outgoing, Skipped},
    ids::{ContentId, Scope, SendId, UserId},
    record::{Entry, PartState, Says, SendHead, SendPart, SentTo, Skip},
    registry::send::{self, Aim, Need},
    session,
    store::RowKey,
    tx::{
        Call,
        sends::{self, Sending, UserContent},
    },
    wire::{
        content::{self, Body, GroupClaim, Stamp},
        handover::Handover,
        padding,
        retry::Retry,
        size,
    },
};
use zeroize::Zeroizing;

/// A send as it stands, for tests of the rules beneath the loop: what may go to the server, and what must be brought first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The send's id.
    pub id: SendId,
    /// The message's id.
    pub content_id: ContentId,
    /// What may be submitted now, one batch for each user.
    pub batches: Vec<Batch>,
    /// What must be brought before the other users' batches are whole.
    pub needs: Vec<Need>,
    /// Users that were given up, and the code's number that says why.
    pub failed: Vec<(UserId, u16)>,
    /// What came to light by the call.
    pub events: Vec<Event>,
}

/// Every send that is not settled, oldest first.
pub(crate) fn all(call: &Call<'_>) -> Result<Vec<Standing>, Code> {
    let mut all = Vec::new();
    for id in sends::all(&call.tx)? {
        all.extend(view(call, &id)?);
    }
    Ok(all)
}

/// The send as it stands, its envelopes recomputed.
pub(crate) fn view(call: &Call<'_>, id: &SendId) -> Result<Option<Standing>, Code> {
    let Some(sending) = sends::read(&call.tx, id)? else { return Ok(None) };
    let tally = sends::tally(&call.tx, id)?.ok_or(Code::RecordInconsistent)?;
    let head = &sending.head;
    let mut send = Standing {
        id: *id,
        content_id: head.content_id,
        batches: vec![],
        needs: vec![],
        failed: vec![],
        events: vec![],
    };
    let is_published = !call.tx.book()?.is_due_before_sending(call.now());
    if !is_published {
        send.needs.push(Need::Publication);
    }
    let aim = Aim::of(&call.us.party, head, call.at);
    let keys: Vec<RowKey> = head.users.iter().map(|to| call.tx.places().part(&to.user, id)).collect();
    call.tx.prefetch_missing(&keys)?;
    for SentTo { user, .. } in &head.users {
        let Some(mut part) = call.tx.get::<SendPart>(&call.tx.places().part(user, id))? else { continue };
        if part.state == PartState::Taken {
            continue;
        }
        let record = call.tx.known(user)?;
        let peers = call.tx.listed_peers(record.as_deref())?;
        let plan = send::plan(&mut part, record.as_deref(), |device| peers.get(device), aim);
        if let Some(code) = part.failure() {
            send.failed.push((user.clone(), code));
        } else if plan.needs.is_empty() && plan.encrypt.is_empty() && is_published {
            send.batches.push(batch(&sending, &part, call.user())?);
        }
        send.needs.extend(plan.needs);
    }
    let is_over = tally.is_finished() && !tally.own_open && send.failed.is_empty();
    Ok((!is_over).then_some(send))
}

pub(crate) fn batch(sending: &Sending, part: &SendPart, us: &UserId) -> Result<Batch, Code> {
    let head = &sending.head;
    let said = content_for(sending, &part.user, us)?;
    let mut envelopes = Vec::with_capacity(part.entries.len());
    for entry in &part.entries {
        let envelope = envelope(entry, head.scope(), said)?;
        envelopes.push(Outgoing { device: entry.device, fingerprint: entry.fingerprint, envelope });
    }
    envelopes.sort_unstable_by_key(|outgoing| outgoing.device);
    let shown = |skip: &Skip| Skipped { device: skip.device, fingerprint: skip.fingerprint, reason: skip.reason };
    let mut skips: Vec<Skipped> = part.skips.iter().filter(|skip| skip.is_named()).map(shown).collect();
    skips.sort_unstable_by_key(|skip| skip.device);
    Ok(Batch { user: part.user.clone(), targeted: head.target.is_some(), envelopes, skips })
}

/// How many bytes the envelopes of a part have.
pub(crate) fn length(sending: &Sending, part: &SendPart, us: &UserId) -> Result<usize, Code> {
    let said = content_for(sending, &part.user, us)?;
    let of = |entry: &Entry| {
        let nested = entry.nested.as_ref().map_or(0, |nested| size::nesting() + nested.prelude.len());
        let content = entry.prelude.len() + nested + said.body.len();
        let padded = padding::padded_len(said.payload, room(entry)?, content)?;
        Ok(session::envelope_len(&entry.recipe, padded))
    };
    part.entries.iter().map(of).sum()
}

fn room(entry: &Entry) -> Result<usize, Code> {
    usize::try_from(entry.room).map_err(|_| Code::RecordInconsistent)
}

/// The envelope of an entry: always the same bytes.
fn envelope(entry: &Entry, scope: Scope, said: &UserContent) -> Result<Vec<u8>, Code> {
    let seal = |body: &[u8]| session::envelope(&entry.recipe, [&entry.prelude, body], said.payload, room(entry)?);
    let Some(nested) = &entry.nested else { return seal(&said.body) };
    let inner = Zeroizing::new([nested.prelude.as_slice(), &said.body].concat());
    let opening = Body::Opening(session::nested_content(scope, nested, &inner)?);
    seal(&Zeroizing::new(opening.encode()?))
}

/// What a send says to a user: the message, or for our own user the transcript of it. In a group all members get the same; a user whom the
/// send takes in gets the group's state instead.
pub(crate) fn content_for<'s>(sending: &'s Sending, user: &UserId, us: &UserId) -> Result<&'s UserContent, Code> {
    let is_own = user == us;
    let welcome = sending.has_welcome && sending.head.to(user).is_some_and(|to| to.welcome);
    let [payload, to_us, as_welcome, as_our_welcome] = &sending.said;
    let cell = match (is_own, welcome) {
        (false, false) => payload,
        (true, false) => to_us,
        (false, true) => as_welcome,
        (true, true) => as_our_welcome,
    };
    if let Some(said) = cell.get() {
        return Ok(said);
    }
    let said = said(sending, is_own, welcome, us)?;
    Ok(cell.get_or_init(|| said))
}

fn said(sending: &Sending, is_own: bool, welcome: bool, us: &UserId) -> Result<UserContent, Code> {
    let Sending { head, body, .. } = sending;
    let length = |length: u32| usize::try_from(length).map_err(|_| Code::RecordInconsistent);
    match head.says {
        Says::Payload | Says::Departure | Says::Handover => {}
        Says::Again { payload, room, .. } => {
            let body = Zeroizing::new(body.payload.clone());
            return Ok(UserContent { body, payload: length(payload)?, room: length(room)? });
        }
        Says::Retry { sealed: true } => {
            let body = Zeroizing::new(body.payload.clone());
            return Ok(UserContent { body, payload: 0, room: padding::ALLOWANCE });
        }
        Says::Retry { sealed: false } => {
            let retry = Retry::decode(&body.payload).map_err(|_| Code::RecordInconsistent)?;
            let body = Zeroizing::new(Body::Retry { retry }.encode()?);
            return Ok(UserContent { body, payload: 0, room: padding::ALLOWANCE });
        }
    }
    let stamp = Stamp { content_id: head.content_id.0, sent_at: head.sent_at };
    let bytes = if welcome { &body.welcome } else { &body.payload };
    let (payload, length) = (bytes.clone().into(), bytes.len());
    let mut room = padding::ALLOWANCE;
    let form = match &head.group {
        Some(group) => {
            if is_own {
                room = room.max(usize::try_from(group.transcript_room).map_err(|_| Code::TooLarge)?);
            }
            let claim = GroupClaim { count: group.claim.count, digest: group.claim.digest };
            if group.operations {
                Body::Operations { stamp, claim, bundle: payload }
            } else {
                Body::Group { stamp, claim, payload }
            }
        }
        None if head.says == Says::Departure => Body::Departure { stamp },
        None if head.says == Says::Handover => {
            let handover = Handover::decode(bytes).map_err(|_| Code::RecordInconsistent)?;
            Body::Handover { stamp, handover }
        }
        None => {
            let recipients = recipients(head, us);
            if is_own && !recipients.is_empty() {
                Body::Transcript { stamp, recipients: recipients.into(), payload }
            } else {
                Body::Message { stamp, payload }
            }
        }
    };
    Ok(UserContent { body: Zeroizing::new(form.encode()?), payload: length, room })
}

/// Every user of a send but our own, each with the pin as it was when the send was made.
fn recipients(head: &SendHead, us: &UserId) -> Vec<content::SentTo> {
    let others = head.users.iter().filter(|to| to.user != *us);
    let named = |to: &SentTo| content::SentTo {
        user: to.user.as_bytes().to_vec().into(),
        account_key: to.account_key.map(|key| key.0),
        verified: u8::from(to.verified),
    };
    others.map(named).collect()
}
