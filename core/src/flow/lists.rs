//! What a signed device list or a pin changes in the store (X 5).

use crate::{
    crypto::ed25519::VerifyingKey,
    error::Code,
    event::Event,
    group::sync::{self, With},
    ids::{AccountKey, UserId},
    keys::{
        chain::{Relation, relate},
        device_list::{List, Sender, Shown, VerifiedDeviceList},
    },
    model::{Claim, User},
    record::{Counters, Wanted},
    registry::trust::{self, Admitted, Seat},
    store::{Kind, Places},
    tx::{Call, Tx, held, ledger, sends, sessions},
    wire::content::Body,
};

/// Verifies a list that is said to be of `user`. The caller compares the user that the list names.
///
/// A list whose bytes are those of the list that we hold for the user is not verified again. Whether a list verifies depends on its bytes alone:
/// the key that signed it is in it. And only a list that has verified is ever stored as a user's. Its links are no part of it: they are checked
/// each time.
pub(crate) fn verify(tx: &Tx<'_>, user: &UserId, shown: &[u8]) -> Result<VerifiedDeviceList, Code> {
    verify_from(tx, user, &Shown::decode(shown)?, None)
}

/// The same for a list that a device of the user has sent.
pub(crate) fn verify_from(
    tx: &Tx<'_>,
    user: &UserId,
    shown: &Shown,
    sender: Option<&Sender<'_>>,
) -> Result<VerifiedDeviceList, Code> {
    if tx.stored_list(user)?.signed == shown.signed() {
        return VerifiedDeviceList::from_checked(shown);
    }
    VerifiedDeviceList::verify_with(shown, sender)
}

/// Where a list comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// It rode along in a message: an older list than ours is only late.
    Message,
    /// It came with a refusal of the server.
    Server,
    /// It is the server's answer to the question for it: asking again at once would bring the same.
    Answer,
}

/// What came of a list.
pub(crate) struct Taken {
    /// How it stood to ours. A user's first list is newer.
    pub(crate) relation: Relation,
    pub(crate) events: Vec<Event>,
}

/// Judges a verified list from anywhere, and takes it if it descends from ours. If another account key signed it, the user is blocked and the
/// list is not taken.
pub(crate) fn take(call: &mut Call<'_>, offered: &VerifiedDeviceList, source: Source) -> Result<Taken, Code> {
    let known = call.tx.known(&offered.user)?;
    let held = known.as_ref().and_then(|user| user.list.as_ref());
    // A damaged row costs the evidence of a fork: the decoded list is in the user's own record.
    let stored = call.tx.stored_list(&offered.user)?;
    let is_same = held.is_some_and(|list| list.hash == offered.list.hash);
    let is_lost = stored.signed.is_empty();
    // In a fork it may be news that the server has this one.
    let is_served =
        |user: &User| source == Source::Message || user.fork.as_ref().is_none_or(|fork| fork.served.is_none());
    if is_same
        && known.as_deref().is_some_and(is_served)
        && !is_lost
        && known.as_ref().is_some_and(|user| user.stale_since.is_none() && user.account_key == offered.account())
        && offered.branch.hashes.len() <= stored.links.len().max(1)
    {
        // Most lists ride along until their sender hears that we have them: nothing is new in this one.
        return Ok(Taken { relation: Relation::Same, events: Vec::new() });
    }
    let chain = match (&known, held) {
        (Some(user), Some(list)) => Some(call.tx.chain(&user.user, list)?),
        _ => None,
    };
    let seat = Seat { from_server: source != Source::Message, ..seat(call)? };
    let verdict = trust::admit(known.as_deref(), (&stored.signed, chain.as_ref()), offered, seat);
    let mut admitted = match (verdict, known.as_deref()) {
        (Err(Code::IdentityChanged), Some(known)) if known.account_key != offered.account() => {
            // Our own account key does not change under us: that list is somebody else's.
            if known.user == *call.user() {
                return Err(Code::WrongUser);
            }
            let events = block(call, known, offered.account())?.into_iter().collect();
            return Ok(Taken { relation: Relation::Fork, events });
        }
        (admitted, _) => admitted?,
    };
    if source == Source::Message {
        admitted.events.retain(|event| !matches!(event, Event::DeviceListRollback { .. }));
    }
    write(call, &admitted)?;
    if let Some(before) = held {
        note_restored(call, before, &admitted)?;
    }
    if let (Relation::Same, true, Some(chain)) =
        (admitted.relation, is_lost, admitted.chain.as_ref().or(chain.as_ref()))
    {
        // Its row was damaged.
        call.tx.put_list(&offered.user, &offered.signed, chain)?;
    }
    if admitted.wants && source != Source::Answer {
        want(call, &offered.user)?;
    }
    // The server is behind: what is newer goes up again.
    if admitted.relation == Relation::Older
        && source != Source::Message
        && offered.user == *call.user()
        && seat.is_primary
    {
        let mut book = call.tx.book()?;
        book.published_epoch = book.published_epoch.min(offered.list.epoch);
        call.tx.put_book(&book)?;
    }
    let mut taken = Taken { relation: admitted.relation, events: admitted.events };
    if let Some(waiting) = admitted.next {
        let mut list = VerifiedDeviceList::from_checked(&Shown::alone(&waiting.other)?)?;
        list.branch = waiting.branch;
        taken.events.extend(take(call, &list, source)?.events);
    }
    Ok(taken)
}

/// > the old one deletes the account key on taking that list, not before (X 7)
fn give_up_account(call: &mut Call<'_>, user: &User) -> Result<(), Code> {
    let mut own = call.tx.own()?;
    // It may have been handed on since: any list that names another primary shows that it has arrived.
    let primary = user.list.as_ref().map(|list| list.primary);
    if own.handed_to.is_some() && primary.is_some_and(|primary| primary != own.device) {
        (own.account, own.handed_to) = (None, None);
        call.tx.put_own(&own)?;
        call.tx.delete(Places::only(Kind::Handover));
        // A server that never says that it took the key keeps no copy of it here.
        sends::withdraw_handover(&mut call.tx, &own.user)?;
    }
    Ok(())
}

/// A list whose primary is a new device, in the place of one that is gone, comes from a primary that was restored from a backup. The groups that
/// are younger than its backup are unknown to it, so it counts as a device that has nothing of any group, until it says what it has.
fn note_restored(call: &mut Call<'_>, before: &List, admitted: &Admitted) -> Result<(), Code> {
    let Admitted { user, added, removed, .. } = admitted;
    let Some(primary) = user.list.as_ref().map(|list| list.primary) else { return Ok(()) };
    if !added.contains(&primary) || !removed.contains(&before.primary) {
        return Ok(());
    }
    let mut is_news = false;
    for mut group in call.tx.groups()? {
        if let Some(id) = group.scope.group().filter(|_| group.is_member(&user.user)) {
            is_news |= sync::hear(&mut group, (&user.user, primary), Claim::default(), With::Message);
            call.tx.put_group(&id, &group)?;
        }
    }
    if is_news {
        let counters = call.tx.counters()?;
        call.tx.put_counters(&Counters { lagging: true, ..counters })?;
    }
    Ok(())
}

/// Follows a list of our own user without a judgement: this device has just signed it, or the app has adopted it.
pub(crate) fn follow(call: &mut Call<'_>, list: &VerifiedDeviceList) -> Result<Vec<Event>, Code> {
    let user = call.tx.user(&list.user)?.ok_or(Code::RecordInconsistent)?;
    let before = user.list.as_ref().ok_or(Code::RecordInconsistent)?;
    let chain = call.tx.chain(&user.user, before)?;
    // Of another branch the hashes before it are what it was shown with.
    let relation = relate(&chain, &list.branch);
    let chain = (relation == Relation::Newer).then_some(&chain);
    let admitted = trust::follow(user, chain, list, relation, seat(call)?);
    write(call, &admitted)?;
    Ok(admitted.events)
}

/// Who judges.
pub(crate) fn seat<'a>(call: &Call<'a>) -> Result<Seat<'a>, Code> {
    Ok(Seat { us: &call.us.party, is_primary: call.tx.is_primary()?, from_server: false, at: call.at })
}

/// What a verdict changes in the store.
pub(crate) fn write(call: &mut Call<'_>, admitted: &Admitted) -> Result<(), Code> {
    let Admitted { user, signed, chain, added, removed, .. } = admitted;
    call.tx.put_user(user)?;
    if user.user == *call.user() {
        give_up_account(call, user)?;
    }
    match (signed, chain) {
        (Some(signed), Some(chain)) => {
            call.tx.put_list(&user.user, signed, chain)?;
            held::try_early(&mut call.tx, user)?;
        }
        (None, Some(chain)) => {
            call.tx.put_chain(&user.user, chain)?;
            held::try_early(&mut call.tx, user)?;
        }
        _ => {}
    }
    for device in removed {
        if added.contains(device) {
            // The same id with other keys is another device: nothing of the one stays for the other (T8).
            sessions::remove_peer(&mut call.tx, &user.user, *device)?;
        } else if let Some(mut peer) = call.tx.sound_peer(&user.user, *device)? {
            peer.stale_since = peer.stale_since.or(Some(call.at.age.0));
            call.tx.put_peer(&peer)?;
        }
    }
    for device in added {
        let known = call.tx.sound_peer(&user.user, *device)?;
        if let Some(mut peer) = known.filter(|peer| peer.is_listed(user)) {
            peer.stale_since = None;
            call.tx.put_peer(&peer)?;
        }
    }
    Ok(())
}

/// The server is asked for a user's list, by one of the next requests.
pub(crate) fn want(call: &mut Call<'_>, user: &UserId) -> Result<(), Code> {
    call.tx.put(call.tx.places().user(Kind::Wanted, user), &Wanted { user: user.clone() })
}

/// Another account key claims a user: sends to that user wait until the app accepts it. The event comes with the first claim.
pub(crate) fn block(call: &mut Call<'_>, known: &User, claimed: AccountKey) -> Result<Option<Event>, Code> {
    let (blocked, event) = trust::block(known, claimed);
    call.tx.put_user(&blocked)?;
    Ok(event)
}

/// > Contacts' pins and verified flags travel to own devices; differing pins block (X 5).
///
/// They come with a transcript, which only an own, listed device can make.
pub(crate) fn learn_pins(call: &mut Call<'_>, body: &Body) -> Result<Vec<Event>, Code> {
    let Body::Transcript { recipients, .. } = body else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for to in recipients.as_slice() {
        let user = UserId::try_new(to.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
        if user == *call.user() {
            continue;
        }
        ledger::make_known(&mut call.tx, &user)?;
        let Some(account_key) = to.account_key else { continue };
        VerifyingKey::decode(account_key)?;
        let account_key = AccountKey(account_key);
        let verified = to.verified == 1;
        match call.tx.user(&user)? {
            None => call.tx.put_user(&User { verified, ..User::pinned(user, account_key) })?,
            Some(known) if known.account_key == account_key => {
                call.tx.put_user(&User { verified: known.verified || verified, ..known })?;
            }
            Some(known) => events.extend(block(call, &known, account_key)?),
        }
    }
    Ok(events)
}
