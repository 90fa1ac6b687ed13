//! What the app says of a user's identity: an accepted account key, a compared safety number, a decided fork (X 5).

use crate::{
    crypto::{kdf, labels},
    error::{Code, Error},
    event::{Event, Received},
    flow::{lists, receive::release, send},
    ids::{AccountKey, ListHash, UserId},
    registry::trust,
    store::Kind,
    tx::{Call, ledger, sessions},
    wire::safety_code,
};

/// The app accepts an account key, and what was held for it is opened; or it stays with the pinned one.
pub(crate) fn accept(call: &mut Call<'_>, user: &UserId, account_key: &AccountKey) -> Result<Vec<Received>, Error> {
    let known = call.tx.user(user)?.ok_or(Code::UnknownUser)?;
    let accepted = trust::accept(&known, account_key).map_err(|code| Error::of(code, "account_key"))?;
    ledger::make_known(&mut call.tx, user)?;
    if accepted.account_key == known.account_key {
        call.tx.put_user(&accepted)?;
        send::follow_user(call, user)?;
        return Ok(Vec::new());
    }
    for peer in call.tx.all_peers()? {
        if peer.user == *user {
            sessions::remove_peer(&mut call.tx, user, peer.device)?;
        }
    }
    for kind in [Kind::List, Kind::Chain] {
        call.tx.delete(call.tx.places().user(kind, user));
    }
    call.tx.put_user(&accepted)?;
    release::accepted(call, user, account_key)
}

/// The app has compared safety numbers.
pub(crate) fn mark_verified(call: &mut Call<'_>, user: &UserId) -> Result<(), Error> {
    let mut known = call.tx.user(user)?.ok_or(Code::UnknownUser)?;
    known.verified = true;
    ledger::make_known(&mut call.tx, user)?;
    call.tx.put_user(&known).map_err(Error::from)
}

/// The app decides a fork: the branch with the list of this hash is followed, and the other one raises nothing again (T5).
pub(crate) fn resolve_fork(call: &mut Call<'_>, user: &UserId, hash: &ListHash) -> Result<Vec<Event>, Error> {
    let known = call.tx.known(user)?.ok_or(Code::UnknownUser)?;
    let list = known.list.as_ref().ok_or(Error::of(Code::InvalidArgument, "user"))?;
    let seat = lists::seat(call)?;
    // What our own lists are is what we sign: another branch of them is adopted, not followed.
    if seat.is_primary && user == call.user() && list.name() != *hash {
        return Err(Error::of(Code::InvalidArgument, "hash"));
    }
    let chain = call.tx.chain(user, list)?;
    let resolved = trust::resolve(&known, &chain, hash, seat).map_err(|code| Error::of(code, "hash"))?;
    lists::write(call, &resolved)?;
    send::follow_user(call, user)?;
    Ok(resolved.events)
}

/// Both sides of a conversation, the smaller user id first: what safety numbers are made of.
struct Sides {
    sides: [(UserId, [u8; 32]); 2],
}

impl Sides {
    fn of(call: &Call<'_>, user: &UserId) -> Result<Self, Error> {
        let theirs = call.tx.user(user)?.ok_or(Code::UnknownUser)?;
        let ours = (call.user().clone(), *call.us.party.account_key.as_bytes());
        let mut sides = [ours, (user.clone(), theirs.account_key.0)];
        sides.sort_unstable();
        Ok(Self { sides })
    }

    fn hash(&self, label: &[u8], block: u8) -> [u8; 32] {
        let [(first, first_key), (second, second_key)] = &self.sides;
        kdf::sha256(&kdf::join(&[label, &[block], first.as_bytes(), first_key, second.as_bytes(), second_key]))
    }
}

/// 60 digits that both users see alike if they hold each other's account keys (A19).
pub(crate) fn safety_number(call: &Call<'_>, user: &UserId) -> Result<String, Error> {
    let sides = Sides::of(call, user)?;
    let mut digits = String::with_capacity(60);
    for block in 0..3_u8 {
        let hash = sides.hash(labels::SAFETY_NUMBER, block);
        for part in hash.chunks_exact(8).take(4) {
            let number = part.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            digits.push_str(&format!("{:05}", number % 100_000));
        }
    }
    Ok(digits)
}

/// The same comparison for a camera: 256 bits instead of 60 digits.
pub(crate) fn safety_code(call: &Call<'_>, user: &UserId) -> Result<String, Error> {
    Ok(safety_code::encode(&Sides::of(call, user)?.hash(labels::SAFETY_CODE, 0)))
}

/// Whether a code is the one that this device would show.
pub(crate) fn compare_safety_code(call: &Call<'_>, user: &UserId, code: &str) -> Result<bool, Error> {
    let shown = safety_code::decode(code).ok_or(Error::of(Code::InvalidArgument, "code"))?;
    Ok(Sides::of(call, user)?.hash(labels::SAFETY_CODE, 0) == shown)
}
