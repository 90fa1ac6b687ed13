//! What a signed device list or a pin changes in the store (X 5).

use crate::{
    crypto::ed25519::VerifyingKey,
    error::Code,
    event::Event,
    ids::{AccountKey, UserId},
    keys::device_list::{Sender, VerifiedDeviceList},
    model::User,
    registry::trust,
    tx::{Call, Tx, held},
    wire::content::Body,
};

/// Verifies a list that is said to be of `user`. The caller compares the user that the list names.
///
/// A list whose bytes are those of the list that we hold for the user is not verified again. Whether a list verifies depends on its bytes alone:
/// the key that signed it is in it. And only a list that has verified is ever stored as a user's.
pub(crate) fn verify(tx: &Tx<'_>, user: &UserId, signed: &[u8]) -> Result<VerifiedDeviceList, Code> {
    verify_from(tx, user, signed, None)
}

/// The same for a list that a device of the user has sent.
pub(crate) fn verify_from(
    tx: &Tx<'_>,
    user: &UserId,
    signed: &[u8],
    sender: Option<&Sender<'_>>,
) -> Result<VerifiedDeviceList, Code> {
    // A user without a list has none of no bytes.
    if !signed.is_empty() && tx.signed_list(user)? == signed {
        return VerifiedDeviceList::from_checked(signed);
    }
    match sender {
        Some(sender) => VerifiedDeviceList::verify_from(signed, sender),
        None => VerifiedDeviceList::verify(signed),
    }
}

/// Takes a verified list from anywhere. If another account key signed it, the user is blocked and the list is not taken.
pub(crate) fn take(call: &mut Call<'_>, offered: &VerifiedDeviceList) -> Result<Vec<Event>, Code> {
    let now = call.now();
    let known = call.tx.user(&offered.user)?;
    let stored = call.tx.signed_list(&offered.user)?;
    let admitted = match (trust::admit(known.as_ref(), &stored, offered, &call.us.party, now), &known) {
        (Err(Code::IdentityChanged), Some(known)) if known.account_key != offered.account() => {
            // Our own account key does not change under us: that list is somebody else's.
            if known.user == *call.user() {
                return Err(Code::WrongUser);
            }
            return Ok(block(call, known, offered.account())?.into_iter().collect());
        }
        (admitted, _) => admitted?,
    };
    call.tx.put_user(&admitted.user)?;
    if admitted.taken {
        call.tx.put_signed_list(offered)?;
        held::try_early(&mut call.tx)?;
    }
    for device in &admitted.removed {
        if let Some(mut peer) = call.tx.peer(&offered.user, *device)? {
            peer.stale_since = peer.stale_since.or(Some(call.at.age.0));
            call.tx.put_peer(&peer)?;
        }
    }
    for device in &admitted.added {
        let known = call.tx.peer(&offered.user, *device)?;
        if let Some(mut peer) = known.filter(|peer| peer.is_listed(&admitted.user)) {
            peer.stale_since = None;
            call.tx.put_peer(&peer)?;
        }
    }
    Ok(admitted.events)
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
        let Some(account_key) = to.account_key.filter(|_| user != *call.user()) else { continue };
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
