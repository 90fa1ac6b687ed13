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
    group::{operation::Operation, set::Set, view::View},
    ids::{AccountKey, GroupId, OperationId, UserId},
    model::{GroupRecord, Invitation},
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
) -> Result<Option<(Invitation, OperationId)>, Code> {
    let invited = known.and_then(|group| group.invitation.clone());
    // What an own device says, our user has agreed to.
    let Teller::Other(user, _, device) = from else { return Ok(None) };
    // Who is out of it without having left or declined has heard of it from an own device, and the rest of the state is on its way.
    let is_in = |group: &GroupRecord| {
        group.standing == Standing::Member || (group.invitation.is_none() && group.left_at(taker.user).is_none())
    };
    if known.is_some_and(is_in) || set.has_word_of(taker.user, &taker.account_key, view) {
        return Ok(None);
    }
    let adders = set.adders_of(taker.user, &taker.account_key, view);
    for add in &adders {
        // Whoever had added us when the app was asked is answered by the app, also if our user knows them by now.
        let is_judged = invited.is_some() && !new.contains(&add.id);
        if !is_judged && ledger::knows(tx, &add.author, &add.account_key)? {
            return Ok(None);
        }
    }
    for (_, content) in held::contents(tx, &set.id())? {
        if content.user == *taker.user && agrees(&content.content, taker.user) {
            return Ok(None);
        }
    }
    let Some(first) = adders.first() else { return Ok(None) };
    let add = match known.map(|group| group.standing) {
        Some(Standing::Invited(add)) => add,
        _ => first.id,
    };
    let invitation = invited.unwrap_or_else(|| Invitation { user: user.clone(), device, at: taker.age.0 });
    Ok(Some((invitation, add)))
}

/// Whether a content of an own device shows that our user has agreed: anything of ours but that we leave or stay away.
fn agrees(content: &[u8], us: &UserId) -> bool {
    match content::decode(content) {
        Ok((_, content::Body::Group { .. })) => true,
        Ok((_, content::Body::Operations { bundle, .. })) => Bundle::decode(bundle.as_slice()).is_ok_and(|bundle| {
            let said = bundle.operations.as_slice().iter();
            let mut said = said.filter_map(|signed| form::Operation::decode(signed.operation.as_slice()).ok());
            bundle.operations.as_slice().is_empty()
                || said.any(|said| said.author.as_slice() == us.as_bytes() && !is_refusal(&said.body))
        }),
        _ => false,
    }
}

fn is_refusal(body: &Body) -> bool {
    matches!(body, Body::Leave | Body::Decline { .. } | Body::Retire { .. })
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

/// Whether the operations that somebody tells are taken now. While the app has not answered, and after it has declined, only those of our own
/// devices and of whom our user knows: one of them may add us as well.
pub(super) fn is_heard(
    tx: &Tx<'_>,
    id: &GroupId,
    us: &UserId,
    (user, account_key): (&UserId, &AccountKey),
) -> Result<bool, Code> {
    let closed = tx.known_group(id)?.is_some_and(|group| group.invitation.is_some() || group.is_declined());
    Ok(user == us || !closed || ledger::knows(tx, user, account_key)?)
}

/// Who has added our user is known, now that our user is in: on all own devices alike, whoever has told each of them.
pub(super) fn make_adders_known(tx: &mut Tx<'_>, taker: Taker<'_>, (set, view): (&Set, &View)) -> Result<(), Code> {
    for add in set.adders_of(taker.user, &taker.account_key, view) {
        let pinned = tx.readable(&add.author)?;
        if add.author != *taker.user && pinned.is_none_or(|pinned| pinned.account_key == add.account_key) {
            ledger::make_known(tx, &add.author)?;
        }
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
