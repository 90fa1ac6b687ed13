//! Consent: whether our user has to be asked before being a member (X 11, G2).
//!
//! > Each add of ourselves is judged by its adder: if the adder is not *known* (X 9), the group is *invited*: its first bundle is kept, its
//! > content held, we send nothing there, and the state is asked for after the app accepts.
//!
//! The operations say that our user is a member, and the others see a member; whether this device goes along is its own affair, and no
//! operation. (Who has left before and is asked back answers by an operation: that is the group's affair, see `group`.)

use super::who::{Taker, Teller};
use crate::{
    error::Code,
    event::Standing,
    group::{
        operation::{Operation, keeps_out},
        set::Set,
        view::View,
    },
    ids::{AccountKey, GroupId, OperationId, UserId},
    keys::device_list::List,
    model::{GroupRecord, Invitation},
    record::Forgotten,
    store::Kind,
    tx::{Tx, held, ledger},
    wire::{
        content,
        group::{self as form, Body, Bundle},
    },
};

/// Who asks our user in, with the add, if the app has to answer before anything more is heard of the group. `set` says that our user is a member.
///
/// It is the teller who asks, whoever signed the add: an author is a name that anybody can sign a list for, and the limits count by whom the session
/// has authenticated.
pub(super) fn asked(
    tx: &Tx<'_>,
    taker: Taker<'_>,
    known: Option<&GroupRecord>,
    (set, view, new): (&Set, &View, &[OperationId]),
    from: Teller<'_>,
) -> Result<Asked, Code> {
    let invited = known.and_then(|group| group.invitation.clone());
    let asker = match from {
        // What an own device says, our user has agreed to.
        Teller::Ourselves => return Ok(Asked::No),
        Teller::Other(user, _, device) => Some(Invitation { user: user.clone(), device, at: taker.age.0 }),
        Teller::Refusing => None,
    };
    // Who is out of it without having left or declined has heard of it from an own device, and the rest of the state is on its way.
    let is_in = |group: &GroupRecord| {
        group.standing == Standing::Member || (group.invitation.is_none() && group.left_at(taker.user).is_none())
    };
    if known.is_some_and(is_in) || set.has_word_of(taker.user, &taker.account_key, view) {
        return Ok(Asked::No);
    }
    // What the app has forgotten, and what was asked before our user knew who asks, is for the app to answer.
    let mut is_open = is_forgotten(tx, &set.id())?;
    if let Some(asker) = &asker {
        is_open |= ledger::is_unanswered(tx, &asker.user, &set.id())?;
    }
    let adders = set.adders_of(taker.user, &taker.account_key, view);
    for add in &adders {
        // Whoever had added us when the app was asked is answered by the app, also if our user knows them by now.
        let is_judged = is_open || (invited.is_some() && !new.contains(&add.id));
        if !is_judged && is_by_known(tx, add)? {
            return Ok(Asked::No);
        }
    }
    for (_, content) in held::contents(tx, &set.id())? {
        if content.user == *taker.user && agrees(&content.content, taker.user) {
            return Ok(Asked::No);
        }
    }
    let Some(first) = adders.first() else { return Ok(Asked::No) };
    let add = match known.map(|group| group.standing) {
        Some(Standing::Invited(add)) => add,
        _ => first.id,
    };
    Ok(invited.or(asker).map_or(Asked::ByNobody, |invitation| Asked::By(invitation, add)))
}

/// Whether the app has to answer before our user has a part in a group.
pub(super) enum Asked {
    /// Our user has agreed, or somebody whom our user knows has made the add.
    No,
    /// This one asks, by an add like this.
    By(Invitation, OperationId),
    /// An own device says that our user stays away, and nobody has asked this one. It waits for who does.
    ByNobody,
}

/// Whether an add is by an identity that our user knows, and by a device that is still on its list: what a device signs that was removed is its
/// thief's word.
fn is_by_known(tx: &Tx<'_>, add: &Operation) -> Result<bool, Code> {
    if !ledger::knows(tx, &add.author, &add.account_key)? {
        return Ok(false);
    }
    let pinned = tx.readable(&add.author)?;
    // The list of a contact who came with a link may not have been shown yet.
    let list = pinned.as_ref().and_then(|pinned| pinned.list.as_ref());
    let is_listed = |list: &List| list.device(add.device()).is_some_and(|listed| listed.signing_key == add.signing_key);
    Ok(list.is_none_or(is_listed))
}

/// Whether the app has forgotten the group, and nobody has brought it back.
pub(super) fn is_forgotten(tx: &Tx<'_>, id: &GroupId) -> Result<bool, Code> {
    Ok(tx.get::<Forgotten>(&tx.places().group(Kind::Forgotten, id))?.is_some())
}

/// The group is there again.
pub(super) fn bring_back(tx: &mut Tx<'_>, id: &GroupId) -> Result<(), Code> {
    if is_forgotten(tx, id)? {
        tx.delete(tx.places().group(Kind::Forgotten, id));
    }
    Ok(())
}

/// Whether our user says by these operations that it leaves or stays away, and nothing else.
pub(super) fn refuses(bundle: &Bundle, us: &UserId) -> bool {
    let mut ours = own_words(bundle, us).peekable();
    ours.peek().is_some() && ours.all(|said| keeps_out(&said.body))
}

/// What our own user says in a bundle.
fn own_words<'a>(bundle: &'a Bundle, us: &'a UserId) -> impl Iterator<Item = form::Operation> + 'a {
    let said = bundle.operations.as_slice().iter();
    let said = said.filter_map(|signed| form::Operation::decode(signed.operation.as_slice()).ok());
    said.filter(|said| said.author.as_slice() == us.as_bytes())
}

/// Whether our user is out of a group because it was asked in and stays away, and not because it has left as a member: no word of its own but that, and
/// nobody whom it knows has made the add.
pub(super) fn is_decline(tx: &Tx<'_>, taker: Taker<'_>, (set, view): (&Set, &View)) -> Result<bool, Code> {
    if set.has_word_of(taker.user, &taker.account_key, view) {
        return Ok(false);
    }
    for add in set.adders_of(taker.user, &taker.account_key, view) {
        if is_by_known(tx, add)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a content of an own device shows that our user has agreed: anything of ours but that we leave or stay away.
fn agrees(content: &[u8], us: &UserId) -> bool {
    match content::decode(content) {
        Ok((_, content::Body::Group { .. })) => true,
        Ok((_, content::Body::Operations { bundle, .. })) => Bundle::decode(bundle.as_slice()).is_ok_and(|bundle| {
            bundle.operations.as_slice().is_empty() || own_words(&bundle, us).any(|said| !keeps_out(&said.body))
        }),
        _ => false,
    }
}

/// The users whom our own user has added to a group: they are known, on all own devices alike.
pub(super) fn added_by_us(new: &[&Operation], taker: Taker<'_>) -> Vec<UserId> {
    let ours = new.iter().filter(|new| (&new.author, new.account_key) == (taker.user, taker.account_key));
    let added = ours.filter_map(|operation| match &operation.form.body {
        Body::Add { members } => Some(members.as_slice()),
        _ => None,
    });
    let users = added.flatten().filter_map(|added| UserId::try_new(added.user.as_slice().to_vec()));
    users.filter(|user| user != taker.user).collect()
}

/// Whether the app has to answer before anything more is heard of a group.
pub(super) fn is_asked(tx: &Tx<'_>, id: &GroupId) -> Result<bool, Code> {
    Ok(tx.known_group(id)?.is_some_and(|group| group.invitation.is_some()))
}

/// Whether what somebody says in a group is heard now. While the app has not answered, and after it has declined or has forgotten the group, only our own
/// devices and whom our user knows: one of them may add us as well.
pub(super) fn is_heard(
    tx: &Tx<'_>,
    id: &GroupId,
    us: &UserId,
    (user, account_key): (&UserId, &AccountKey),
) -> Result<bool, Code> {
    let closed = match tx.known_group(id)? {
        Some(group) => group.invitation.is_some() || group.is_declined(),
        None => is_forgotten(tx, id)?,
    };
    Ok(user == us || !closed || ledger::knows(tx, user, account_key)?)
}

/// Who has added our user first is known, now that our user is in: on all own devices alike, whoever has told each of them. Nobody else who has: an
/// add is signed in a moment, under any name.
pub(super) fn make_adder_known(tx: &mut Tx<'_>, taker: Taker<'_>, (set, view): (&Set, &View)) -> Result<(), Code> {
    let adders = set.adders_of(taker.user, &taker.account_key, view);
    let Some(first) = adders.first().filter(|first| first.author != *taker.user) else { return Ok(()) };
    if tx.readable(&first.author)?.is_some_and(|pinned| pinned.account_key == first.account_key) {
        ledger::make_known(tx, &first.author)?;
    }
    Ok(())
}

/// The app's no, on this device or on another own one: what is held goes.
pub(super) fn drop_held(tx: &mut Tx<'_>, id: &GroupId) -> Result<(), Code> {
    for (key, content) in held::contents(tx, id)? {
        held::take_content(tx, key, &content)?;
    }
    Ok(())
}
