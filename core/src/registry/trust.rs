//! Which keys and lists to trust: pins, descent and forks (D1, X 5).
//!
//! > A list of epoch n is taken by who holds epoch k < n together with the hashes of the lists k+1 .. n-1. A higher list without a proof is not
//! > taken. Any list signed by the pinned account key that we refuse, or cannot prove for a day, is shown to the app together with ours; until
//! > the app decides, sends go only to devices that are on both with the same keys.

use crate::{
    clock::{self, Age, Moment},
    context::Timestamp,
    error::Code,
    event::Event,
    ids::{AccountKey, DeviceId, ListHash},
    keys::{
        chain::{Chain, Relation, relate},
        device_list::{List, Listing, VerifiedDeviceList},
        party::Party,
    },
    limits::{MAX_HASHES, MAX_OWN_HASHES, MAX_REJECTED, MAX_RIDING_HASHES, OLD_LIST, UNPROVED},
    model::{Fork, User},
};

/// Hashes kept of a list that is not taken: its own, and those that rode along.
const BRANCH: usize = MAX_RIDING_HASHES + 1;

/// Who judges a list, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seat<'a> {
    /// This device.
    pub us: &'a Party,
    /// Whether this device signs its user's lists, so that it knows all of them.
    pub is_primary: bool,
    /// Whether the server has shown the list itself.
    pub from_server: bool,
    /// The moment of the call.
    pub at: Moment,
}

impl Seat<'_> {
    fn signs_for(&self, user: &User) -> bool {
        self.is_primary && user.user == self.us.user
    }

    /// How many hashes are kept of this user's lists.
    fn most(&self, user: &User) -> usize {
        if user.user == self.us.user { MAX_OWN_HASHES } else { MAX_HASHES }
    }
}

/// The result of [`admit`] and of [`resolve`].
#[derive(Debug)]
pub struct Admitted {
    /// The user's record afterwards.
    pub user: User,
    /// The list that is held from now on, as it was signed, if it is another one.
    pub signed: Option<Vec<u8>>,
    /// The hashes that are known from now on, if they are others.
    pub chain: Option<Chain>,
    /// How the list stood to ours.
    pub relation: Relation,
    /// Devices that the list names and the list before did not, with these keys.
    pub added: Vec<DeviceId>,
    /// Devices that the list before named and this one does not, with these keys.
    pub removed: Vec<DeviceId>,
    /// Events for the app.
    pub events: Vec<Event>,
    /// Whether hashes are missing that the server may have.
    pub wants: bool,
    /// A list that waited and that the one taken now proves: it is to be judged next.
    pub next: Option<Fork>,
}

impl Admitted {
    fn unchanged(user: User, relation: Relation, events: Vec<Event>) -> Self {
        let (added, removed) = (Vec::new(), Vec::new());
        Self { user, signed: None, chain: None, relation, added, removed, events, wants: false, next: None }
    }
}

/// Compares a verified device list with what is known of its user: `known`, the list that is held as it was signed, and the hashes of the lists
/// up to it. A list that this device has just signed is not judged here but taken ([`follow`]).
///
/// # Errors
/// [`Code::IdentityChanged`] if another account key signed the list. [`Code::KeyReuse`] if the list claims one of our keys (A10). The caller
/// decides what to do then.
pub fn admit(
    known: Option<&User>,
    (signed, chain): (&[u8], Option<&Chain>),
    offered: &VerifiedDeviceList,
    seat: Seat<'_>,
) -> Result<Admitted, Code> {
    refuse_our_keys(offered, seat.us)?;
    let Some(known) = known else {
        let user = User::pinned(offered.user.clone(), offered.account());
        return Ok(follow(user, None, offered, Relation::Newer, seat));
    };
    if known.account_key != offered.account() {
        return Err(Code::IdentityChanged);
    }
    let (Some(list), Some(chain)) = (&known.list, chain) else {
        return Ok(follow(known.clone(), None, offered, Relation::Newer, seat));
    };
    let relation = match relate(chain, &offered.branch) {
        Relation::Newer if takes_back(list, &offered.list) || goes_on_from_refused(known, chain, offered) => {
            Relation::Fork
        }
        relation => relation,
    };
    let mut admitted = match relation {
        // The same list again: so the user exists, and the server has no newer list.
        Relation::Same => {
            let user = User { stale_since: None, ..known.clone() };
            deepened(user, (signed, chain), offered, (relation, Vec::new()), seat)
        }
        Relation::Older => {
            let event = Event::DeviceListRollback { user: offered.user.clone(), epoch: offered.list.epoch };
            deepened(known.clone(), (signed, chain), offered, (relation, vec![event]), seat)
        }
        Relation::Newer if !seat.signs_for(known) => follow(known.clone(), Some(chain), offered, relation, seat),
        Relation::Newer | Relation::Fork | Relation::Unproved | Relation::Unknown => {
            contest(known, signed, offered, relation, seat)
        }
    };
    if seat.from_server {
        note_served(&mut admitted.user, &offered.list);
    }
    Ok(admitted)
}

/// The server has shown this list of a user in a fork, so that it takes batches for it alone.
fn note_served(user: &mut User, shown: &List) {
    let is_held = user.list.as_ref().is_some_and(|held| held.hash == shown.hash);
    if let Some(fork) = &mut user.fork {
        fork.served = (!is_held).then(|| shown.clone());
    }
}

/// A list that descends from ours is taken back by its own content: it gives out an id again, or says that fewer were given.
///
/// > a list whose `last_id` is lower than its parent's is refused (T16)
fn takes_back(held: &List, next: &List) -> bool {
    let is_again = |device: &Listing| match held.device(device.id) {
        Some(listed) => !listed.has_keys_of(device),
        None => device.id.0 <= held.last_id,
    };
    next.last_id < held.last_id || next.devices.iter().any(is_again)
}

/// Whether a list that descends from ours does so through one that was refused for what it says of ids.
fn goes_on_from_refused(known: &User, chain: &Chain, offered: &VerifiedDeviceList) -> bool {
    let told = known.fork.iter().filter(|fork| fork.told).map(|fork| &fork.branch);
    known.rejected.iter().chain(told).any(|refused| {
        relate(chain, refused) == Relation::Newer
            && matches!(relate(refused, &offered.branch), Relation::Same | Relation::Newer)
    })
}

/// Whether the app was told of a list for what it says of ids, whatever it descends from.
fn is_refused(user: &User, fork: &Fork) -> bool {
    fork.told && user.list.as_ref().is_some_and(|held| takes_back(held, &fork.list))
}

/// A list of our branch may add hashes below those that are known. What waits is judged again by them.
fn deepened(
    mut user: User,
    (signed, chain): (&[u8], &Chain),
    offered: &VerifiedDeviceList,
    (relation, mut events): (Relation, Vec<Event>),
    seat: Seat<'_>,
) -> Admitted {
    let mut deeper = chain.clone();
    deeper.join(&offered.branch, seat.most(&user));
    let (wants, next) = judge_again(&mut user, (signed, &deeper), &mut events, seat);
    let chain = (deeper != *chain).then_some(deeper);
    Admitted { chain, wants, next, ..Admitted::unchanged(user, relation, events) }
}

/// More hashes of our branch are known: they may say how the list that is not taken stands to it. Gives whether hashes are still missing, and
/// the list if it is proved now.
fn judge_again(
    user: &mut User,
    (signed, chain): (&[u8], &Chain),
    events: &mut Vec<Event>,
    seat: Seat<'_>,
) -> (bool, Option<Fork>) {
    let Some(fork) = user.fork.take() else { return (false, None) };
    match relate(chain, &fork.branch) {
        Relation::Same | Relation::Older => (false, None),
        // One that was refused for what it says of ids stays with the app, however well it is proved; and so does what our own device should have
        // signed.
        Relation::Newer if !is_refused(user, &fork) && !seat.signs_for(user) => (false, Some(fork)),
        Relation::Fork if !fork.told => {
            let fork = Fork { told: true, ..fork };
            events.push(told(user, signed, &fork, seat));
            user.fork = Some(fork);
            (false, None)
        }
        // A new list ends no fork: it stays until the app decides.
        Relation::Newer | Relation::Fork | Relation::Unproved | Relation::Unknown => {
            let wants = !fork.told;
            user.fork = Some(fork);
            (wants, None)
        }
    }
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

/// A signed list is not taken: it waits for its proof, or the app is told of both.
fn contest(known: &User, signed: &[u8], offered: &VerifiedDeviceList, relation: Relation, seat: Seat<'_>) -> Admitted {
    let mut user = known.clone();
    // What our own server goes on to show to who signs our lists has to be decided again: nothing that is signed here goes up beside it.
    let insists = seat.signs_for(known) && seat.from_server;
    if !insists && is_rejected(&mut user, &offered.branch) {
        return Admitted::unchanged(user, relation, Vec::new());
    }
    // Who signs all lists of its user needs no proof that it has not signed this one, unless it is an old one.
    let is_proved = relation == Relation::Fork || (seat.signs_for(known) && relation != Relation::Unknown);
    let goes_on = |fork: &Fork| relate(&fork.branch, &offered.branch) == Relation::Newer;
    let replaces = match &known.fork {
        None => true,
        // Another list of the branch that the app has heard of is no news, but what it decides on is the newest: unless it hides the one that was
        // refused for what it says of ids.
        Some(fork) if fork.told => goes_on(fork) && !is_refused(known, fork),
        Some(fork) => is_proved || goes_on(fork) || fork.list.epoch <= known.epoch(),
    };
    if !replaces {
        return Admitted::unchanged(user, relation, Vec::new());
    }
    let before = user.fork.take();
    let was_told = before.as_ref().is_some_and(|fork| fork.told);
    let served = before.as_ref().and_then(|fork| fork.served.clone());
    let since = before.filter(&goes_on).map_or(seat.at.age.0, |fork| fork.since);
    let fork = Fork {
        other: offered.signed.clone(),
        list: offered.list.clone(),
        branch: offered.branch.newest_of(BRANCH),
        since,
        told: was_told || is_proved,
        served,
    };
    let events = if is_proved && !was_told { vec![told(known, signed, &fork, seat)] } else { Vec::new() };
    user.fork = Some(fork);
    Admitted { wants: !is_proved, ..Admitted::unchanged(user, relation, events) }
}

/// Whether the app has rejected the branch of a list. If so, the newest of it is remembered.
fn is_rejected(user: &mut User, branch: &Chain) -> bool {
    for rejected in &mut user.rejected {
        match relate(rejected, branch) {
            Relation::Same | Relation::Older => return true,
            Relation::Newer => {
                *rejected = branch.newest_of(BRANCH);
                return true;
            }
            Relation::Fork | Relation::Unproved | Relation::Unknown => {}
        }
    }
    false
}

/// What the app hears of a list that is not taken.
fn told(user: &User, signed: &[u8], fork: &Fork, seat: Seat<'_>) -> Event {
    let (known, other) = (signed.to_vec(), fork.other.clone());
    let (known_hash, other_hash) = (user.list.as_ref().map_or(ListHash([0; 32]), List::name), fork.list.name());
    if seat.signs_for(user) && fork.list.epoch > user.epoch() {
        return Event::OwnListAhead { known, other, known_hash, other_hash };
    }
    Event::DeviceListFork { user: user.user.clone(), known, other, known_hash, other_hash }
}

/// A list that has waited for its proof for a day: the app is told. `online`: until when we have fetched our mail, so that the server could have
/// been asked.
#[must_use]
pub fn overdue(user: &User, signed: &[u8], online: Age, seat: Seat<'_>) -> Option<(User, Event)> {
    let waiting = user.fork.as_ref().filter(|fork| !fork.told)?;
    let is_due = |age: Age| age.since(Age(waiting.since)) > UNPROVED;
    if !is_due(seat.at.age) || !is_due(online) {
        return None;
    }
    let fork = Fork { told: true, ..waiting.clone() };
    let event = told(user, signed, &fork, seat);
    Some((User { fork: Some(fork), ..user.clone() }, event))
}

/// Takes a list that descends from the one that is held.
#[must_use]
pub fn follow(
    mut user: User,
    chain: Option<&Chain>,
    offered: &VerifiedDeviceList,
    relation: Relation,
    seat: Seat<'_>,
) -> Admitted {
    let mut events = Vec::new();
    let is_old = !seat.at.in_doubt && clock::is_old(Timestamp(offered.list.issued_at), seat.at.now, OLD_LIST);
    if user.list.is_some() && is_old {
        events.push(Event::DeviceListOld { user: user.user.clone() });
    }
    let most = seat.most(&user);
    let mut joined = chain.map_or_else(|| offered.branch.clone(), Chain::clone);
    joined.join(&offered.branch, most);
    let (added, removed) = changes(user.list.as_ref(), &offered.list);
    user.list = Some(offered.list.clone());
    user.stale_since = None;
    if !added.is_empty() || !removed.is_empty() {
        let (added, removed) = (added.clone(), removed.clone());
        events.push(Event::DeviceListChanged { user: user.user.clone(), added, removed });
    }
    let (wants, next) = judge_again(&mut user, (&offered.signed, &joined), &mut events, seat);
    Admitted {
        user,
        signed: Some(offered.signed.clone()),
        chain: Some(joined),
        relation,
        added,
        removed,
        events,
        wants,
        next,
    }
}

/// The devices that come and go. The same id with other keys does both.
fn changes(before: Option<&List>, after: &List) -> (Vec<DeviceId>, Vec<DeviceId>) {
    let earlier = before.map(|list| list.devices.as_slice()).unwrap_or_default();
    let added = after.devices.iter().filter(|device| before.is_none_or(|before| !before.has(device)));
    let removed = earlier.iter().filter(|device| !after.has(device));
    (added.map(|device| device.id).collect(), removed.map(|device| device.id).collect())
}

/// The app's decision on a fork: the branch with this list is followed, the other one rejected. `chain` has the hashes up to the list that is
/// held.
///
/// # Errors
/// [`Code::InvalidArgument`] if there is no fork, or neither list has this hash.
pub fn resolve(known: &User, chain: &Chain, hash: &ListHash, seat: Seat<'_>) -> Result<Admitted, Code> {
    let mut user = known.clone();
    let fork = user.fork.take().filter(|fork| fork.told).ok_or(Code::InvalidArgument)?;
    let list = known.list.as_ref().ok_or(Code::InvalidArgument)?;
    let is_ours = list.name() == *hash;
    if !is_ours && fork.list.name() != *hash {
        return Err(Code::InvalidArgument);
    }
    let rejected = if is_ours { fork.branch.clone() } else { chain.newest_of(BRANCH) };
    // What was rejected before and is chosen now counts again.
    let chosen = if is_ours { chain } else { &fork.branch };
    user.rejected.retain(|old| !matches!(relate(old, chosen), Relation::Same | Relation::Newer | Relation::Older));
    user.rejected.push(rejected);
    let gone = user.rejected.len().saturating_sub(MAX_REJECTED);
    user.rejected.drain(..gone);
    if is_ours {
        return Ok(Admitted::unchanged(user, Relation::Same, Vec::new()));
    }
    let (added, removed) = changes(known.list.as_ref(), &fork.list);
    user.list = Some(fork.list);
    user.stale_since = None;
    let events =
        vec![Event::DeviceListChanged { user: known.user.clone(), added: added.clone(), removed: removed.clone() }];
    let chain = Some(fork.branch.newest_of(seat.most(known)));
    let (relation, wants, next) = (Relation::Fork, false, None);
    Ok(Admitted { user, signed: Some(fork.other), chain, relation, added, removed, events, wants, next })
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
