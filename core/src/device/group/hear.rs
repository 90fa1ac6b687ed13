//! What is said in a group: a message by a member, operations by whoever may, or something that waits (X 9, X 11).

use super::{
    super::{Device, received::as_items, work::Work},
    state::{self, Lists, Loaded, Teller},
};
use crate::{
    context::{Context, Timestamp},
    error::{Blame, Code},
    event::{Event, Flags, Item, Message, MessageKind, Standing},
    group::{operation::Operation, sync},
    ids::{AccountKey, ContentId, DeviceId, EnvelopeId, GroupId, GroupKind, Scope, SessionId, UserId},
    limits::{KEEP_RECEIVED_IDS, MAX_HELD, MAX_HELD_OPERATIONS, MAX_HELD_PER_DEVICE, MAX_LATENCY, MIN_HELD},
    model::{Claim, GroupRecord},
    record::{Counters, HeldContent},
    store::{Key, Kind, Places},
    wire::{
        content::{self, Body, GroupClaim, Prelude},
        group::Bundle,
    },
};

/// A group content with who said it.
pub(in super::super) struct Word {
    pub(in super::super) user: UserId,
    pub(in super::super) device: DeviceId,
    /// That the session is bound to.
    pub(in super::super) account_key: AccountKey,
    pub(in super::super) envelope_id: EnvelopeId,
    pub(in super::super) session_id: SessionId,
    pub(in super::super) flags: Flags,
    pub(in super::super) prelude: Prelude,
    pub(in super::super) body: Body,
}

/// What came of it.
pub(in super::super) struct Heard {
    pub(in super::super) items: Vec<Item>,
    pub(in super::super) held: bool,
}

impl Device {
    pub(in super::super) fn hear_in_group(
        &self,
        work: &mut Work<'_>,
        context: &Context<'_>,
        (kind, id): (GroupKind, GroupId),
        word: Word,
    ) -> Result<Heard, Code> {
        match self.weigh(work, context, (kind, id), &word)? {
            Some(mut items) => {
                if matches!(word.body, Body::Operations { .. }) {
                    items.extend(self.release(work, context, (kind, id))?);
                }
                Ok(Heard { items, held: false })
            }
            None => {
                // Who believes to be a member by a word that does not count will be shown why.
                if let (Some(mut group), Body::Group { claim, .. }) = (work.group(&id)?, &word.body)
                    && group.misled.contains(&word.user)
                {
                    note_claim(&mut group, id, &word, *claim, false);
                    work.put_group(&id, &group)?;
                }
                let held = hold(work, context, &id, &word)?;
                let dropped = (!held).then(|| Event::HeldDropped { user: word.user.clone() });
                Ok(Heard { items: as_items(dropped.into_iter().collect()), held })
            }
        }
    }

    /// `Ok(None)`: it is too early for this word.
    fn weigh(
        &self,
        work: &mut Work<'_>,
        context: &Context<'_>,
        (kind, id): (GroupKind, GroupId),
        word: &Word,
    ) -> Result<Option<Vec<Item>>, Code> {
        match &word.body {
            Body::Group { claim, .. } => {
                let Some(mut group) = work.group(&id)? else { return Ok(None) };
                if group.scope != Scope::Group(kind, id) {
                    return Err(Code::WrongScope);
                }
                let Some(message) = self.message_in(context, &group, id, word)? else { return Ok(None) };
                let mut items = Vec::new();
                // Who has left lags behind by right: nothing is sent there any more (A56).
                if word.user == *self.user() || group.has(&word.user, &word.account_key) {
                    items = as_items(note_claim(&mut group, id, word, *claim, false).into_iter().collect());
                    work.put_group(&id, &group)?;
                }
                items.push(Item::Message(message));
                Ok(Some(items))
            }
            Body::Operations { claim, bundle, .. } => {
                let bundle = Bundle::decode(bundle.as_slice())?;
                let asks = bundle.operations.as_slice().is_empty();
                let loaded = state::load(work, &id)?;
                let offered = state::verify(work, &loaded.set, &id, &bundle)?;
                let from = match word.user == *self.user() {
                    true => Teller::Ourselves,
                    false => Teller::Other(&word.user, &word.account_key),
                };
                let now = (context.now, self.us());
                let unknown = loaded.group.is_none().then(|| (loaded.clone(), offered.clone()));
                let mut taken = state::take(work, now, loaded, offered, from)?;
                if let (None, Some((loaded, offered))) = (&taken, unknown) {
                    // A large state comes in several messages: what this device has said before counts as well. Only what it said itself,
                    // so that nobody can spoil another's word.
                    let whole = with_held(work, &loaded, (word, offered))?;
                    taken = state::take(work, now, loaded, whole, from).or_else(only_early)?;
                }
                let Some((Loaded { group, .. }, mut events)) = taken else { return Ok(None) };
                let mut group = group.ok_or(Code::Internal)?;
                if group.scope != Scope::Group(kind, id) {
                    return Err(Code::WrongScope);
                }
                if word.user == *self.user() || group.has(&word.user, &word.account_key) {
                    events.extend(note_claim(&mut group, id, word, *claim, asks));
                    work.put_group(&id, &group)?;
                }
                Ok(Some(as_items(events)))
            }
            _ => Err(Code::WrongScope),
        }
    }

    /// The message of a member. A former member's is flagged: nothing shows whether it was said before the leave; MAXLATENCY later it was
    /// not. The same holds for what others say after our own leave. Anybody else's waits: perhaps the add has not come yet.
    fn message_in(
        &self,
        context: &Context<'_>,
        group: &GroupRecord,
        id: GroupId,
        word: &Word,
    ) -> Result<Option<Message>, Code> {
        let Body::Group { stamp, payload, .. } = &word.body else { return Err(Code::WrongScope) };
        let own = word.user == *self.user();
        let mut flags = word.flags;
        let long_gone = |user: &UserId| {
            let left = group.left_at.iter().find(|(known, _)| known == user);
            left.is_some_and(|(_, at)| context.now.since(Timestamp(*at)) > MAX_LATENCY)
        };
        if long_gone(self.user()) {
            return Err(Code::NoSession);
        }
        if !own && !group.has(&word.user, &word.account_key) {
            if !group.former.contains(&word.user) {
                return Ok(None);
            }
            if long_gone(&word.user) {
                return Err(Code::AuthorNotMember);
            }
            flags.from_former_member = true;
        }
        let others = group.members.iter().map(|member| member.user.clone()).filter(|user| user != self.user());
        Ok(Some(Message {
            content_id: ContentId(stamp.content_id),
            envelope_id: word.envelope_id,
            user: word.user.clone(),
            device: word.device,
            group: Some(id),
            session_id: word.session_id,
            sent_at: stamp.sent_at,
            sequence: word.prelude.sequence,
            kind: if own { MessageKind::Transcript { recipients: others.collect() } } else { MessageKind::Message },
            payload: payload.as_slice().to_vec(),
            flags,
        }))
    }

    /// Weighs again what was held for a group, as long as something comes of it.
    fn release(
        &self,
        work: &mut Work<'_>,
        context: &Context<'_>,
        scope: (GroupKind, GroupId),
    ) -> Result<Vec<Item>, Code> {
        let mut items = Vec::new();
        loop {
            let mut progress = false;
            for (key, held) in held(work, &scope.1)? {
                let account_key = match work.peer(&held.user, held.device)? {
                    Some(peer) => peer.account_key,
                    // Its identity is gone with everything that it said.
                    None => AccountKey([0; 32]),
                };
                let (prelude, body) = content::decode(&held.content).map_err(|_| Code::RecordInconsistent)?;
                let word = Word {
                    user: held.user.clone(),
                    device: held.device,
                    account_key,
                    envelope_id: held.envelope_id,
                    session_id: held.session_id,
                    flags: held.flags,
                    prelude,
                    body,
                };
                match self.weigh(work, context, scope, &word) {
                    Ok(None) => continue,
                    Ok(Some(more)) => items.extend(more),
                    Err(code) if code.blame() == Blame::Store => return Err(code),
                    // What turns out to be wrong is not worth keeping.
                    Err(_) => {}
                }
                drop_held(work, key, &held)?;
                progress = true;
            }
            if !progress {
                return Ok(items);
            }
        }
    }
}

/// Operations of a bundle with those that are held from the same device, as far as they verify.
fn with_held(
    work: &Work<'_>,
    loaded: &Loaded,
    (word, (mut operations, mut lists)): (&Word, (Vec<Operation>, Lists)),
) -> Result<(Vec<Operation>, Lists), Code> {
    let id = loaded.set.id();
    let same = |held: &HeldContent| (&held.user, held.device) == (&word.user, word.device);
    for (_, held) in held(work, &id)?.into_iter().filter(|(_, held)| same(held)) {
        let Ok((_, Body::Operations { bundle, .. })) = content::decode(&held.content) else { continue };
        let Ok(bundle) = Bundle::decode(bundle.as_slice()) else { continue };
        let Ok((more, cited)) = state::verify(work, &loaded.set, &id, &bundle) else { continue };
        operations.extend(more);
        lists.extend(cited);
    }
    Ok((operations, lists))
}

/// What earlier messages spoil makes this one early, not wrong.
fn only_early<T>(code: Code) -> Result<Option<T>, Code> {
    if code.blame() == Blame::Store { Err(code) } else { Ok(None) }
}

fn note_claim(group: &mut GroupRecord, id: GroupId, word: &Word, claim: GroupClaim, asks: bool) -> Option<Event> {
    let claim = Claim { count: claim.count, digest: claim.digest };
    let news = sync::hear(group, (&word.user, word.device), claim, asks);
    // Who has left need not agree with anybody.
    (news && group.standing == Standing::Member).then(|| Event::GroupDiverged {
        group: id,
        user: word.user.clone(),
        device: word.device,
    })
}

fn held(work: &Work<'_>, id: &GroupId) -> Result<Vec<(Key, HeldContent)>, Code> {
    let mut all = Vec::new();
    for key in work.keys(&work.places().group(Kind::HeldContent, id))? {
        let held: HeldContent = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
        all.push((key, held));
    }
    all.sort_by_key(|(_, held)| held.at);
    Ok(all)
}

fn size(held: &HeldContent) -> u64 {
    held.content.len().max(MIN_HELD) as u64
}

/// > GroupRecord content whose group is not known yet is decrypted, committed and kept as *held* until the add arrives (X 9).
///
/// `false`: it is beyond the bounds and was dropped.
fn hold(work: &mut Work<'_>, context: &Context<'_>, id: &GroupId, word: &Word) -> Result<bool, Code> {
    let mut content = word.prelude.encode()?;
    content.extend_from_slice(&zeroize::Zeroizing::new(word.body.encode()?));
    let held = HeldContent {
        at: context.now.0,
        user: word.user.clone(),
        device: word.device,
        envelope_id: word.envelope_id,
        session_id: word.session_id,
        flags: word.flags,
        content,
    };
    let mut peer = work.peer(&word.user, word.device)?.ok_or(Code::NoSession)?;
    let mut counters: Counters = work.get(&Places::only(Kind::Counters))?.unwrap_or_default();
    // Operations count apart, so that neither keeps the other out.
    let (of_device, in_all, most) = match word.body {
        Body::Operations { .. } => (&mut peer.held_operations, &mut counters.held_operations, MAX_HELD_OPERATIONS),
        _ => (&mut peer.held, &mut counters.held, MAX_HELD_PER_DEVICE),
    };
    *of_device = of_device.saturating_add(size(&held));
    *in_all = in_all.saturating_add(size(&held));
    if *of_device > most as u64 || *in_all > MAX_HELD as u64 {
        return Ok(false);
    }
    work.put_peer(&peer)?;
    work.put(Places::only(Kind::Counters), &counters)?;
    let key = work.places().held_content(id, &word.user, word.device, &word.envelope_id);
    work.put(key, &held)?;
    Ok(true)
}

fn drop_held(work: &mut Work<'_>, key: Key, held: &HeldContent) -> Result<(), Code> {
    work.delete(key);
    let mut counters: Counters = work.get(&Places::only(Kind::Counters))?.unwrap_or_default();
    let (_, body) = content::decode(&held.content).map_err(|_| Code::RecordInconsistent)?;
    let of_operations = matches!(body, Body::Operations { .. });
    let in_all = if of_operations { &mut counters.held_operations } else { &mut counters.held };
    *in_all = in_all.saturating_sub(size(held));
    if let Some(mut peer) = work.peer(&held.user, held.device)? {
        let of_device = if of_operations { &mut peer.held_operations } else { &mut peer.held };
        *of_device = of_device.saturating_sub(size(held));
        work.put_peer(&peer)?;
    }
    work.put(Places::only(Kind::Counters), &counters)
}

/// Drops what has been held for 30 days, and says from whom it was.
pub(in super::super) fn forget_held(work: &mut Work<'_>, context: &Context<'_>) -> Result<Vec<Event>, Code> {
    let mut events = Vec::new();
    for key in work.keys(&Places::all(Kind::HeldContent))? {
        let held: HeldContent = work.get(&key)?.ok_or(Code::RecordInconsistent)?;
        if context.now.since(Timestamp(held.at)) > KEEP_RECEIVED_IDS {
            drop_held(work, key, &held)?;
            events.push(Event::HeldDropped { user: held.user.clone() });
        }
    }
    Ok(events)
}
