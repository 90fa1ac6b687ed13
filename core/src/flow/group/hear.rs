//! What is said in a group: a message by a member, operations by whoever may sign them, or something that is held for now (X 9, X 11).

use super::{
    consent,
    state::{self, Changed, Loaded, Offered, Outcome},
    who::{Taker, Teller},
};
use crate::{
    error::{Blame, Code},
    event::{Event, Flags, Item, Message, MessageKind, Standing},
    group::sync::{self, With},
    ids::{AccountKey, ContentId, DeviceId, EnvelopeId, GroupId, Scope, SessionId, UserId},
    limits::MAX_LATENCY,
    model::{Claim, GroupRecord, Invitation},
    record::{Counters, HeldContent},
    tx::{Call, Tx, held, ledger},
    wire::{
        content::{self, Body, GroupClaim, Prelude},
        group::Bundle,
    },
};
use zeroize::Zeroizing;

/// A content of a group with its authenticated sender.
pub(crate) struct GroupContent {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
    /// The account key that the session is bound to.
    pub(crate) account_key: AccountKey,
    pub(crate) envelope_id: EnvelopeId,
    pub(crate) session_id: SessionId,
    pub(crate) flags: Flags,
    pub(crate) prelude: Prelude,
    pub(crate) body: Body,
}

impl GroupContent {
    fn identity(&self) -> (&UserId, &AccountKey) {
        (&self.user, &self.account_key)
    }

    /// Who tells of the operations in this bundle.
    fn teller(&self, us: &UserId, bundle: &Bundle) -> Teller<'_> {
        match self.user == *us {
            false => Teller::Other(&self.user, &self.account_key, self.device),
            true if consent::refuses(bundle, us) => Teller::Refusing,
            true => Teller::Ourselves,
        }
    }
}

/// What came of a content.
pub(crate) struct Heard {
    pub(crate) items: Vec<Item>,
    /// Whether the content is held.
    pub(crate) held: bool,
}

/// Hears a content in a group's scope; what operations make possible is heard with them.
pub(crate) fn hear(call: &mut Call<'_>, scope: Scope, said: GroupContent) -> Result<Heard, Code> {
    let id = scope.group().ok_or(Code::WrongScope)?;
    let own = said.user == *call.user();
    let was_asked = own && consent::is_asked(&call.tx, &id)?;
    let is_told =
        matches!(said.body, Body::Operations { .. }) && consent::is_heard(&call.tx, &id, call.user(), said.identity())?;
    if let Some(mut items) = judge(call, scope, id, &said)? {
        if was_asked || is_told {
            items.extend(release(call, scope, id)?);
        }
        return Ok(Heard { items, held: false });
    }
    let held = hold(call, &id, &said)?;
    if held && matches!(said.body, Body::Group { .. }) && call.tx.known_group(&id)?.is_none() {
        ledger::note_missing(&mut call.tx, &said.user, (scope, said.device))?;
    }
    let mut items = Vec::new();
    if !held {
        let asked = matches!(said.body, Body::Operations { .. }).then_some((scope, said.device));
        if ledger::note_dropped(&mut call.tx, &said.user, asked)? {
            items.push(Item::Event(Event::HeldDropped { user: said.user.clone() }));
        }
    }
    Ok(Heard { items, held })
}

/// `Ok(None)`: it is too early for this content, and the caller holds it.
fn judge(call: &mut Call<'_>, scope: Scope, id: GroupId, said: &GroupContent) -> Result<Option<Vec<Item>>, Code> {
    match &said.body {
        Body::Group { claim, .. } => {
            let Some(mut group) = call.tx.group(&id)? else {
                // What the app has forgotten is no news from who is not known.
                let is_heard = consent::is_heard(&call.tx, &id, call.user(), said.identity())?;
                return Ok((!is_heard).then(Vec::new));
            };
            if group.scope != scope {
                return Err(Code::WrongScope);
            }
            let mut items = Vec::new();
            if let Some(invitation) = group.invitation.clone() {
                if said.user != *call.user() {
                    return Ok(None);
                }
                // Our user has answered on another device.
                group = agree(call, &id, group, &invitation)?;
                items.push(Item::Event(joined(&call.tx, id, invitation)?));
            }
            if said.user != *call.user() && group.is_declined() {
                pass_over(call, &id, said, (*claim, With::Message))?;
                return Ok(Some(Vec::new()));
            }
            let Some(message) = message(call, &group, id, said)? else { return Ok(None) };
            if has_part(call, &group, said) {
                note_claim(&mut call.tx, &mut group, said, (*claim, With::Message))?;
                call.tx.put_group(&id, &group)?;
            }
            items.push(Item::Message(message));
            Ok(Some(items))
        }
        Body::Operations { claim, bundle, .. } => {
            let bundle = Bundle::decode(bundle.as_slice())?;
            let with = if bundle.operations.as_slice().is_empty() { With::Question } else { With::Operations };
            let is_refusal = said.user == *call.user() && consent::refuses(&bundle, call.user());
            let is_heard = consent::is_heard(&call.tx, &id, call.user(), said.identity())?;
            if !is_heard || (is_refusal && consent::is_forgotten(&call.tx, &id)?) {
                pass_over(call, &id, said, (*claim, with))?;
                return Ok(Some(Vec::new()));
            }
            let Changed { mut group, events, .. } = match take(call, id, said, &bundle)? {
                Outcome::Early => return Ok(None),
                Outcome::TooMany => {
                    let is_first = ledger::note_dropped(&mut call.tx, &said.user, Some((scope, said.device)))?;
                    let dropped = Item::Event(Event::HeldDropped { user: said.user.clone() });
                    return Ok(Some(is_first.then_some(dropped).into_iter().collect()));
                }
                Outcome::Changed(changed) => *changed,
            };
            if group.scope != scope {
                return Err(Code::WrongScope);
            }
            if group.invitation.is_none() && has_part(call, &group, said) {
                note_claim(&mut call.tx, &mut group, said, (*claim, with))?;
                call.tx.put_group(&id, &group)?;
            }
            Ok(Some(events.into_iter().map(Item::Event).collect()))
        }
        _ => Err(Code::WrongScope),
    }
}

/// Whether the sender's operations need to agree with ours: a user who has left is expected to have fewer, because nothing is sent there
/// any more (A56).
fn has_part(call: &Call<'_>, group: &GroupRecord, said: &GroupContent) -> bool {
    said.user == *call.user() || group.has(&said.user, &said.account_key)
}

/// Nothing is heard of a group that our user has not agreed to be in. Who still writes there after our user has declined is told so, once a day.
fn pass_over(call: &mut Call<'_>, id: &GroupId, said: &GroupContent, claim: (GroupClaim, With)) -> Result<(), Code> {
    let Some(mut group) = call.tx.group(id)?.filter(|group| group.invitation.is_none()) else { return Ok(()) };
    if has_part(call, &group, said) {
        note_claim(&mut call.tx, &mut group, said, claim)?;
        call.tx.put_group(id, &group)?;
    }
    Ok(())
}

/// Our user is in, by the app's word or by that of an own device.
pub(super) fn agree(
    call: &mut Call<'_>,
    id: &GroupId,
    group: GroupRecord,
    invitation: &Invitation,
) -> Result<GroupRecord, Code> {
    let group = GroupRecord { standing: Standing::Member, invitation: None, declined: false, ..group };
    call.tx.put_group(id, &group)?;
    ledger::leave_invitation(&mut call.tx, &invitation.user)?;
    ledger::make_known(&mut call.tx, &invitation.user)?;
    let state::Loaded { set, view, .. } = state::load(&call.tx, id)?;
    let Some(view) = view else { return Ok(group) };
    let taker = Taker::of(call);
    consent::make_adder_known(&mut call.tx, taker, (&set, &view))?;
    Ok(group)
}

/// Our user has agreed, on another device, to be in a group.
fn joined(tx: &Tx<'_>, group: GroupId, invitation: Invitation) -> Result<Event, Code> {
    let forked_from = state::load(tx, &group)?.view.and_then(|view| view.origin);
    let Invitation { user, device, .. } = invitation;
    Ok(Event::GroupJoined { group, forked_from, user, device })
}

/// Takes the operations of a bundle.
fn take(call: &mut Call<'_>, id: GroupId, said: &GroupContent, bundle: &Bundle) -> Result<Outcome, Code> {
    let loaded = state::load(&call.tx, &id)?;
    let offered = state::verify(&call.tx, &loaded.set, bundle)?;
    let (taker, from) = (Taker::of(call), said.teller(call.user(), bundle));
    if loaded.group.is_some() {
        return state::take(&mut call.tx, taker, loaded, offered, from);
    }
    match state::take(&mut call.tx, taker, loaded.clone(), offered.clone(), from)? {
        Outcome::Early => {}
        taken => return Ok(taken),
    }
    // A large state comes in several messages: what this device has said before counts as well. Only what it said itself, so that nobody can
    // spoil another device's messages.
    let whole = with_held(&call.tx, &loaded, said, offered)?;
    match state::take(&mut call.tx, taker, loaded, whole, from) {
        Err(code) if code.blame() == Blame::Store => Err(code),
        // What earlier messages spoil makes this one early, not wrong.
        Err(_) => Ok(Outcome::Early),
        taken => taken,
    }
}

/// The message of a member. A former member's message is flagged, because nothing shows whether it was said before the leave; MAXLATENCY
/// later it was not. The same holds for what others say after our own leave. Anybody else's waits: perhaps the add has not come yet.
fn message(call: &Call<'_>, group: &GroupRecord, id: GroupId, said: &GroupContent) -> Result<Option<Message>, Code> {
    let Body::Group { stamp, payload, .. } = &said.body else { return Err(Code::WrongScope) };
    let us = call.user();
    let own = said.user == *us;
    let mut flags = said.flags;
    let long_gone = |user: &UserId| group.left_at(user).is_some_and(|at| call.at.age.since(at) > MAX_LATENCY);
    if long_gone(us) {
        return Err(Code::NoSession);
    }
    if !own && group.standing == Standing::Left && group.left_at(us).is_none() {
        // An own device has begun to tell us of the group, and has not come to the add that names us.
        return Ok(None);
    }
    if !own && !group.has(&said.user, &said.account_key) {
        if !group.former.contains(&said.user) {
            return Ok(None);
        }
        if long_gone(&said.user) {
            return Err(Code::AuthorNotMember);
        }
        flags.from_former_member = true;
    }
    let kind = if own {
        MessageKind::Transcript { recipients: group.users().filter(|user| *user != us).cloned().collect() }
    } else {
        MessageKind::Message
    };
    Ok(Some(Message {
        content_id: ContentId(stamp.content_id),
        envelope_id: said.envelope_id,
        user: said.user.clone(),
        device: said.device,
        group: Some(id),
        session_id: said.session_id,
        sent_at: stamp.sent_at,
        sequence: said.prelude.sequence,
        kind,
        payload: payload.as_slice().to_vec(),
        flags,
    }))
}

/// Hears again what was held for a group, as long as something comes of it.
pub(super) fn release(call: &mut Call<'_>, scope: Scope, id: GroupId) -> Result<Vec<Item>, Code> {
    let mut items = Vec::new();
    loop {
        let mut progress = false;
        for (key, content) in held::contents(&call.tx, &id)? {
            // What was heard before it may have ended what was held.
            if !call.tx.exists(&key)? {
                continue;
            }
            let said = from_held(call, &content)?;
            match judge(call, scope, id, &said) {
                Ok(None) => continue,
                Ok(Some(more)) => items.extend(more),
                Err(code) if code.blame() == Blame::Store => return Err(code),
                // What turns out to be wrong is not worth keeping.
                Err(_) => {}
            }
            held::take_content(&mut call.tx, key, &content)?;
            progress = true;
        }
        if !progress {
            return Ok(items);
        }
    }
}

fn from_held(call: &Call<'_>, held: &HeldContent) -> Result<GroupContent, Code> {
    // Without the device's record its identity is gone, with everything that it said.
    let peer = call.tx.peer(&held.user, held.device)?;
    let account_key = peer.map_or(AccountKey([0; 32]), |peer| peer.account_key);
    let (prelude, body) = content::decode(&held.content).map_err(|_| Code::RecordInconsistent)?;
    Ok(GroupContent {
        user: held.user.clone(),
        device: held.device,
        account_key,
        envelope_id: held.envelope_id,
        session_id: held.session_id,
        flags: held.flags,
        prelude,
        body,
    })
}

/// Operations of a bundle with those that are held from the same device, as far as they verify.
fn with_held(tx: &Tx<'_>, loaded: &Loaded, said: &GroupContent, mut offered: Offered) -> Result<Offered, Code> {
    for (_, held) in held::contents(tx, &loaded.set.id())? {
        if (&held.user, held.device) != (&said.user, said.device) {
            continue;
        }
        let Ok((_, Body::Operations { bundle, .. })) = content::decode(&held.content) else { continue };
        let Ok(bundle) = Bundle::decode(bundle.as_slice()) else { continue };
        let Ok(more) = state::verify(tx, &loaded.set, &bundle) else { continue };
        offered.operations.extend(more.operations);
        offered.lists.extend(more.lists);
    }
    Ok(offered)
}

/// Remembers which operations a device says that it has, and what it said so with. If it has others than we, the loop of requests says
/// what is due to it.
fn note_claim(
    tx: &mut Tx<'_>,
    group: &mut GroupRecord,
    said: &GroupContent,
    (claim, with): (GroupClaim, With),
) -> Result<(), Code> {
    let claim = Claim { count: claim.count, digest: claim.digest };
    if sync::hear(group, (&said.user, said.device), claim, with) {
        let counters = tx.counters()?;
        tx.put_counters(&Counters { lagging: true, ..counters })?;
    }
    Ok(())
}

/// `false`: the content is beyond the bounds of what is held, and was dropped.
fn hold(call: &mut Call<'_>, id: &GroupId, said: &GroupContent) -> Result<bool, Code> {
    let mut content = Zeroizing::new(said.prelude.encode()?);
    let body = Zeroizing::new(said.body.encode()?);
    content.reserve_exact(body.len());
    content.extend_from_slice(&body);
    let held = HeldContent {
        at: call.at.age.0,
        user: said.user.clone(),
        device: said.device,
        envelope_id: said.envelope_id,
        session_id: said.session_id,
        flags: said.flags,
        content: content.to_vec(),
    };
    held::put_content(&mut call.tx, id, &held, &said.body)
}
