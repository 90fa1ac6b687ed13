//! The order of sessions: which one is active, which ones only receive, and when one is deleted (X 3).
//!
//! The active session is computed, never stored. So both sides choose the same session, whatever crossed, was
//! lost or arrived twice.

use crate::{
    clock::{Age, Moment},
    context::Timestamp,
    ids::Scope,
    limits::{
        MAX_CLOCK_SKEW, MAX_GENERATION_STEP, MAX_INACTIVE_SESSIONS, MAX_LATENCY, MAX_RECV, MAX_SEND, MAX_UNANSWERED,
    },
    model::SessionMeta,
};
use core::cmp::Reverse;

/// > `generation = max(highest ever known for this (device, scope) + 1, now in seconds)`, below 2^63
///
/// > Our own unanswered sessions whose generation lies more than a day ahead of our clock are not counted for the next generation.
#[must_use]
pub fn next_generation(sessions: &[SessionMeta], scope: Scope, floor: u64, now: Timestamp) -> u64 {
    known_generation(sessions, scope, floor, now).saturating_add(1).max(now.seconds()).min((1 << 63) - 1)
}

/// The highest generation that is known or remembered, but for those of our own that no peer takes.
#[must_use]
pub fn known_generation(sessions: &[SessionMeta], scope: Scope, floor: u64, now: Timestamp) -> u64 {
    let counts = |s: &&SessionMeta| s.scope == scope && !is_astray(s, sessions, floor, now);
    sessions.iter().filter(counts).map(|s| s.generation).fold(floor, u64::max)
}

/// Whether a session is one of our own that nobody has answered, made by a clock that was more than a day ahead: a peer does not take it
/// either, unless it lies close above what the two have heard of each other.
#[must_use]
pub fn is_astray(session: &SessionMeta, sessions: &[SessionMeta], floor: u64, now: Timestamp) -> bool {
    if !session.initiating || session.generation <= now.seconds().saturating_add(MAX_CLOCK_SKEW.as_secs()) {
        return false;
    }
    let heard = sessions.iter().filter(|s| s.scope == session.scope && !s.initiating);
    let heard = heard.map(|s| s.generation).fold(floor, u64::max);
    early_until(session.generation, heard, Timestamp(0), now).is_some()
}

/// > A generation is taken if it is at most one day ahead of `max(our clock, issued_at of the peer's newest list)` in seconds, or at most 64
/// > above the highest that we know or remember for that (device, scope).
///
/// `None`: it is taken. Otherwise the second of our clock from which it is.
#[must_use]
pub fn early_until(generation: u64, known: u64, issued_at: Timestamp, now: Timestamp) -> Option<u64> {
    let from = generation.saturating_sub(MAX_CLOCK_SKEW.as_secs());
    let is_taken = from <= now.max(issued_at).seconds() || generation <= known.saturating_add(MAX_GENERATION_STEP);
    (!is_taken).then_some(from)
}

/// The rank of a session: a greater generation ranks higher, and among equals the smaller SessionID.
fn place(session: &SessionMeta) -> (u64, Reverse<[u8; 32]>) {
    (session.generation, Reverse(session.id.0))
}

/// > Usable: not expired for sending, not demoted by a reset.
///
/// An initiating session that nobody answered for 30 days is no longer used, nor one of a clock that was ahead.
fn usable(session: &SessionMeta, sessions: &[SessionMeta], floor: u64, at: Moment) -> bool {
    let age = at.age.since(Age(session.created_at));
    let is_over = age > MAX_SEND || (session.initiating && age > MAX_UNANSWERED);
    !session.demoted && !is_over && !is_astray(session, sessions, floor, at.now)
}

/// > Active = the usable session with the greatest generation, ties to the smaller SessionID.
#[must_use]
pub fn active(sessions: &[SessionMeta], scope: Scope, floor: u64, at: Moment) -> Option<&SessionMeta> {
    sessions.iter().filter(|s| s.scope == scope && usable(s, sessions, floor, at)).max_by_key(|s| place(s))
}

/// The time at which a higher session first decrypted a message.
fn superseded_at(session: &SessionMeta, sessions: &[SessionMeta]) -> Option<Age> {
    let higher = sessions.iter().filter(|other| other.scope == session.scope && place(other) > place(session));
    higher.filter_map(|other| other.answered_at).min().map(Age)
}

/// Whether a message of this session raises `older_session`: a higher session has decrypted a message.
#[must_use]
pub fn is_stale(session: &SessionMeta, sessions: &[SessionMeta]) -> bool {
    superseded_at(session, sessions).is_some()
}

/// > Once its successor has decrypted something it lives MAXLATENCY longer; never longer than MAXRECV.
#[must_use]
pub fn may_receive(session: &SessionMeta, sessions: &[SessionMeta], age: Age) -> bool {
    age.since(Age(session.created_at)) <= MAX_RECV
        && superseded_at(session, sessions).is_none_or(|at| age.since(at) <= MAX_LATENCY)
}

/// The sessions of `scope` beyond the limit. Unanswered sessions come before answered ones, lower ones before
/// higher ones. The highest session is never among them.
#[must_use]
pub fn surplus(sessions: &[SessionMeta], scope: Scope) -> Vec<SessionMeta> {
    let mut all: Vec<&SessionMeta> = sessions.iter().filter(|s| s.scope == scope).collect();
    let count = all.len().saturating_sub(MAX_INACTIVE_SESSIONS + 1);
    let highest = all.iter().map(|s| place(s)).max();
    all.retain(|s| Some(place(s)) != highest);
    all.sort_by_key(|s| (s.answered_at.is_some(), place(s)));
    all.into_iter().take(count).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SessionId;

    const DAY: u64 = 24 * 60 * 60 * 1_000;

    fn session(generation: u64, id: u8) -> SessionMeta {
        SessionMeta {
            id: SessionId([id; 32]),
            scope: Scope::Direct,
            generation,
            created_at: 0,
            ephemeral_key: [id; 32],
            initiating: false,
            answered_at: None,
            demoted: false,
            reset: false,
        }
    }

    fn active_id(sessions: &[SessionMeta], now: u64) -> Option<u8> {
        active(sessions, Scope::Direct, 0, Moment::true_at(Timestamp(now))).map(|s| s.id.0[0])
    }

    #[test]
    fn t01_the_greatest_generation_is_active_and_surplus_leaves_from_the_bottom() {
        let mut all: Vec<SessionMeta> = (0..45).map(|n| session(100 + u64::from(n), n)).collect();
        assert_eq!(active_id(&all, 0), Some(44));
        all[2].answered_at = Some(1);
        let gone: Vec<u8> = surplus(&all, Scope::Direct).iter().map(|s| s.id.0[0]).collect();
        assert_eq!(gone, [0, 1, 3, 4], "unanswered first, lowest first");
    }

    #[test]
    fn t02_a_tie_goes_to_the_smaller_id_on_both_sides() {
        assert_eq!(active_id(&[session(7, 2), session(7, 1)], 0), Some(1));
        assert_eq!(active_id(&[session(7, 1), session(7, 2)], 0), Some(1));
    }

    #[test]
    fn t21_a_session_expired_for_sending_is_not_active_but_receives() {
        let all = [session(7, 1)];
        assert_eq!(active_id(&all, 90 * DAY), Some(1));
        assert_eq!(active_id(&all, 90 * DAY + 1), None);
        assert!(may_receive(&all[0], &all, Age(160 * DAY)));
        assert!(!may_receive(&all[0], &all, Age(160 * DAY + 1)));
    }

    #[test]
    fn an_older_session_lives_maxlatency_after_its_successor_was_used() {
        let mut all = [session(7, 1), session(8, 2)];
        assert!(!is_stale(&all[0], &all));
        all[1].answered_at = Some(10 * DAY);
        assert!(is_stale(&all[0], &all) && !is_stale(&all[1], &all));
        assert!(may_receive(&all[0], &all, Age(40 * DAY)));
        assert!(!may_receive(&all[0], &all, Age(40 * DAY + 1)));
    }

    #[test]
    fn an_unanswered_initiating_session_is_given_up_after_30_days() {
        let mut all = [session(7, 1)];
        all[0].initiating = true;
        assert_eq!(active_id(&all, 30 * DAY), Some(1));
        assert_eq!(active_id(&all, 30 * DAY + 1), None);
    }

    #[test]
    fn n_t07_a_generation_far_ahead_is_early_and_our_own_unanswered_one_is_not_used() {
        const STEP: u64 = 86_400;
        let now = Timestamp(1_000_000_999);
        let early = |generation, known, issued_at| early_until(generation, known, Timestamp(issued_at), now);
        assert_eq!(early(1_000_000 + STEP, 0, 0), None);
        assert_eq!(early(1_000_001 + STEP, 0, 0), Some(1_000_001));
        assert_eq!(early(1_000_001 + STEP, 0, 1_000_001_000), None, "its list is of a clock that is ahead as well");
        assert_eq!(early((1 << 63) - 1, (1 << 63) - 65, 0), None);
        assert_eq!(early((1 << 63) - 1, (1 << 63) - 66, 0), Some((1 << 63) - 1 - STEP));
        let now = Timestamp(0);
        let mut all = [session(STEP + 1, 1), session(7, 2)];
        assert_eq!(active_id(&all, 0), Some(1), "what a peer began is judged when it comes");
        all[0].initiating = true;
        assert_eq!(active_id(&all, 0), Some(2));
        assert_eq!(active_id(&all, 1_000), Some(1), "a second later it is a day ahead");
        assert_eq!(next_generation(&all, Scope::Direct, 0, now), 8);
        assert!(may_receive(&all[0], &all, Age(0)));
        // The peer has begun sessions of that time, and we have taken them: what follows close upon them is used.
        all[1].generation = STEP;
        assert_eq!(active_id(&all, 0), Some(1));
        assert_eq!(next_generation(&all, Scope::Direct, 0, now), STEP + 2);
        all[0].generation = STEP + 65;
        assert_eq!(active_id(&all, 0), Some(2));
    }

    #[test]
    fn a_generation_rises_above_all_that_was_known_and_stays_below_2_to_the_63() {
        let now = Timestamp(5_000);
        assert_eq!(next_generation(&[], Scope::Direct, 0, now), 5);
        assert_eq!(next_generation(&[session(9, 1)], Scope::Direct, 0, now), 10);
        assert_eq!(next_generation(&[session(9, 1)], Scope::Direct, 30, now), 31);
        assert_eq!(next_generation(&[session((1 << 63) - 1, 1)], Scope::Direct, 0, now), (1 << 63) - 1);
    }
}
