//! What is old enough to be deleted (Sesame 4.2, 6.4; X 3, X 6).
//!
//! The clock alone deletes nothing. The mailbox must also have been fetched to its end after the date of
//! expiry. All of it is measured by the age clock.

use crate::{
    clock::Age,
    limits::{KEEP_ONE_TIME_PRIVATE, KEEP_RECEIVED_IDS, KEEP_REPLACED_PRE_KEYS, MAX_LATENCY},
    model::{Peer, SessionMeta, order},
    record::{Lasting, Made},
};
use core::time::Duration;

fn due(since: u64, lives: Duration, emptied_at: Age, age: Age) -> bool {
    let moment = Age(since).plus(lives);
    age > moment && emptied_at > moment
}

/// Sessions that may neither send nor receive any more.
#[must_use]
pub fn dead_sessions(peer: &Peer, emptied_at: Age, age: Age) -> Vec<SessionMeta> {
    let dead = |session: &&SessionMeta| {
        !order::may_receive(session, &peer.sessions, age) && !order::may_receive(session, &peer.sessions, emptied_at)
    };
    peer.sessions.iter().filter(dead).copied().collect()
}

/// > delete when `now - stale_since > MAXLATENCY`, and then only after the next complete fetch-and-process of the mailbox
#[must_use]
pub fn is_forgotten(peer: &Peer, emptied_at: Age, age: Age) -> bool {
    peer.stale_since.is_some_and(|since| due(since, MAX_LATENCY, emptied_at, age))
}

/// Whether MAXLATENCY has passed since `ended_at`, and the mailbox was emptied after that.
#[must_use]
pub fn is_over(ended_at: u64, emptied_at: Age, age: Age) -> bool {
    due(ended_at, MAX_LATENCY, emptied_at, age)
}

/// > Private prekeys live 30 days after they were *replaced*, and until a full mailbox was fetched.
#[must_use]
pub fn is_outlived(pre_key: &Lasting, emptied_at: Age, age: Age) -> bool {
    pre_key.replaced_at.is_some_and(|since| due(since, KEEP_REPLACED_PRE_KEYS, emptied_at, age))
}

/// A pair that should go is named by something that is held: whether it lives on for that, given since when it does. Whoever sends such things
/// anew all the time keeps no key alive for ever.
#[must_use]
pub fn is_kept_for_held(held_since: u64, age: Age) -> bool {
    age.since(Age(held_since)) <= KEEP_RECEIVED_IDS
}

/// > The server drops one-time keys after 90 days; private ones die after 120, and when a full mailbox was fetched.
#[must_use]
pub fn is_stale_made(made: &Made, emptied_at: Age, age: Age) -> bool {
    due(made.at, KEEP_ONE_TIME_PRIVATE, emptied_at, age)
}
