//! Which keys and lists to trust: pins, rollback and forks (D1, X 5).
//!
//! > A higher epoch signed by the pinned account key is taken. An ancestor that differs, or the same epoch with another hash, is
//! > `Fork`; until the app decides, sends go only to devices on both. More than 16 epochs ahead: taken, flagged `gap`.

use crate::{
    context::Timestamp,
    error::Code,
    event::Event,
    ids::{AccountKey, DeviceId},
    keys::{
        device_list::{List, Listing, VerifiedDeviceList},
        party::Party,
    },
    limits::OLD_LIST,
    model::{Fork, User},
    wire::content::ListClaim,
};

/// The result of [`admit`].
#[derive(Debug)]
pub struct Admitted {
    /// The user's record afterwards.
    pub user: User,
    /// Whether the list was taken. If so, the caller stores it.
    pub taken: bool,
    /// Devices that the list names and the list before did not.
    pub added: Vec<DeviceId>,
    /// Devices that the list before named and this one does not.
    pub removed: Vec<DeviceId>,
    /// Events for the app.
    pub events: Vec<Event>,
}

impl Admitted {
    fn unchanged(user: User, events: Vec<Event>) -> Self {
        Self { user, taken: false, added: Vec::new(), removed: Vec::new(), events }
    }
}

/// Compares a verified device list with what is known of its user. `stored` is the known list as it was signed:
/// the evidence in case of a fork.
///
/// # Errors
/// [`Code::IdentityChanged`] if another account key signed the list, or if a device id appears with other keys
/// (A05). [`Code::KeyReuse`] if the list claims one of our keys (A10). The caller decides what to do then.
pub fn admit(
    known: Option<&User>,
    stored: &[u8],
    offered: &VerifiedDeviceList,
    ours: &Party,
    now: Timestamp,
) -> Result<Admitted, Code> {
    refuse_our_keys(offered, ours)?;
    let Some(known) = known else {
        return Ok(take(User::pinned(offered.user.clone(), offered.account()), offered, Vec::new()));
    };
    if known.account_key != offered.account() {
        return Err(Code::IdentityChanged);
    }
    let Some(list) = &known.list else {
        return Ok(take(known.clone(), offered, Vec::new()));
    };
    let user = offered.user.clone();
    let fork = || {
        if known.fork.as_ref().is_some_and(|fork| fork.other == offered.signed) {
            return Admitted::unchanged(known.clone(), Vec::new());
        }
        let mut forked = known.clone();
        forked.fork =
            Some(Fork { known: stored.to_vec(), other: offered.signed.clone(), on_both: on_both(list, &offered.list) });
        let event = Event::DeviceListFork { user: user.clone(), known: stored.to_vec(), other: offered.signed.clone() };
        Admitted::unchanged(forked, vec![event])
    };
    if offered.list.epoch <= list.epoch {
        return Ok(match list.hash_of(offered.list.epoch) {
            Some(hash) if *hash != offered.list.hash => fork(),
            // The same list again: so the user exists, and the server has no newer list.
            Some(_) if offered.list.epoch == list.epoch => {
                Admitted::unchanged(User { stale_since: None, claimed_epoch: 0, ..known.clone() }, Vec::new())
            }
            _ => {
                let event = Event::DeviceListRollback { user: user.clone(), epoch: offered.list.epoch };
                Admitted::unchanged(known.clone(), vec![event])
            }
        });
    }
    for device in &offered.list.devices {
        let before = list.device(device.id);
        if before.is_some_and(|b| (b.signing_key, b.identity_key) != (device.signing_key, device.identity_key)) {
            return Err(Code::IdentityChanged);
        }
    }
    let mut events = Vec::new();
    match offered.list.hash_of(list.epoch) {
        Some(hash) if *hash != list.hash => return Ok(fork()),
        Some(_) => {}
        None => events.push(Event::DeviceListGap { user: user.clone() }),
    }
    if now.since(Timestamp(offered.list.issued_at)) > OLD_LIST {
        events.push(Event::DeviceListOld { user: user.clone() });
    }
    Ok(take(known.clone(), offered, events))
}

fn refuse_our_keys(offered: &VerifiedDeviceList, ours: &Party) -> Result<(), Code> {
    if offered.user == ours.user {
        return Ok(());
    }
    let theirs =
        |d: &Listing| d.identity_key == *ours.identity_key.as_bytes() || d.signing_key == *ours.signing_key.as_bytes();
    if offered.account_key == ours.account_key || offered.list.devices.iter().any(theirs) {
        return Err(Code::KeyReuse);
    }
    Ok(())
}

fn take(mut user: User, offered: &VerifiedDeviceList, mut events: Vec<Event>) -> Admitted {
    let before: Vec<DeviceId> = user.list.iter().flat_map(|list| &list.devices).map(|d| d.id).collect();
    let after: Vec<DeviceId> = offered.list.devices.iter().map(|d| d.id).collect();
    let added: Vec<DeviceId> = after.iter().filter(|id| !before.contains(id)).copied().collect();
    let removed: Vec<DeviceId> = before.iter().filter(|id| !after.contains(id)).copied().collect();
    user.list = Some(offered.list.clone());
    user.stale_since = None;
    if !added.is_empty() || !removed.is_empty() {
        let (added, removed) = (added.clone(), removed.clone());
        events.push(Event::DeviceListChanged { user: user.user.clone(), added, removed });
    }
    // A new list ends no fork: the fork stays until the app decides.
    if let (Some(fork), Some(list)) = (&mut user.fork, &user.list) {
        fork.on_both.retain(|id| list.device(*id).is_some());
    }
    Admitted { user, taken: true, added, removed, events }
}

fn on_both(known: &List, other: &List) -> Vec<DeviceId> {
    known.devices.iter().filter(|d| other.device(d.id).is_some_and(|o| o == *d)).map(|d| d.id).collect()
}

/// Records that another account key claims to be this user. Sending is blocked until the app decides.
#[must_use]
pub fn block(known: &User, claimed: AccountKey) -> (User, Option<Event>) {
    let mut blocked = known.clone();
    blocked.claimed_key = Some(claimed);
    let event = (known.claimed_key != Some(claimed)).then(|| Event::IdentityChanged {
        user: known.user.clone(),
        pinned: known.account_key,
        claimed,
        was_verified: known.verified,
    });
    (blocked, event)
}

/// The app's decision on a claimed account key. If it accepts the claimed key, the record starts anew with that
/// key. If it keeps the pinned key, the claim is removed and the record stays as it was.
///
/// # Errors
/// [`Code::InvalidArgument`] if `account_key` is neither the claimed key nor, while a claim is open, the pinned
/// one.
pub fn accept(known: &User, account_key: &AccountKey) -> Result<User, Code> {
    if known.account_key == *account_key && known.claimed_key.is_some() {
        return Ok(User { claimed_key: None, ..known.clone() });
    }
    let claimed = known.claimed_key.filter(|claimed| claimed == account_key).ok_or(Code::InvalidArgument)?;
    Ok(User::pinned(known.user.clone(), claimed))
}

/// Records a peer's claim about its own list when the list itself did not come along.
///
/// > A claimed higher epoch without the list is a `Need`.
#[must_use]
pub fn note_claim(user: &User, claim: &ListClaim) -> Option<User> {
    let known = user.list.as_ref().map_or(0, |list| list.epoch).max(user.claimed_epoch);
    (claim.epoch > known).then(|| User { claimed_epoch: claim.epoch, ..user.clone() })
}

/// Whether a peer has claimed a list newer than the one we have.
#[must_use]
pub fn list_is_due(user: &User) -> bool {
    user.list.as_ref().is_none_or(|list| list.epoch < user.claimed_epoch)
}
