//! State sync: what a device sends to a device that has other operations of the same group (D6). In the end
//! both have all operations, and not all of a thousand members answer the same device.
//!
//! Every group content carries a claim: the number and the digest of the operations that its sender has. If the
//! claim differs from ours, we remember the sender as a lagging device (a `Lag`). With our next send in the
//! group, or when the app calls for it, we push all operations to that device or ask it for its own. The
//! library sends nothing by itself.
//!
//! Two sets together may keep less than one of them: an operation with a long past can be displaced by one with a lower id. So counts alone
//! do not say who lacks something. Who has told us its operations and still claims others than we have lacks some of ours.

use crate::{
    clock::Age,
    crypto::kdf::{join, sha256},
    ids::{DeviceId, UserId},
    limits::{MAX_LAGS, MAX_PUSHED, MAX_PUSHES, PUSHING_USERS, SYNC_AGAIN},
    model::{Claim, GroupRecord, Lag, Member, Pushed},
};

/// What we send to a lagging device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Only our claim. The device then sends the operations that we lack.
    Ask,
    /// All operations.
    Push,
}

/// What a claim came with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum With {
    /// A message.
    Message,
    /// The question for our operations.
    Question,
    /// Operations, which were taken.
    Operations,
}

/// Records the claim of a device. Returns `true` if the claim differs from ours and was not known before, or shows now that the device lacks
/// something of ours.
pub fn hear(group: &mut GroupRecord, (user, device): (&UserId, DeviceId), claim: Claim, with: With) -> bool {
    let (asked, told) = (with == With::Question, with == With::Operations);
    let known = group.lags.iter().position(|lag| (&lag.user, lag.device) == (user, device));
    if claim == group.claim {
        known.map(|at| group.lags.remove(at));
        return false;
    }
    match known.and_then(|at| group.lags.get_mut(at)) {
        Some(lag) if lag.claim == claim => {
            // Who answers what we sent, and still has others, is in want of ours as if it had asked.
            let asked = asked || (told && lag.served.is_some());
            let due = asked && lag.served.is_some();
            // The device asks again, so it did not get what we sent: it may be served again.
            lag.served = lag.served.filter(|_| !asked);
            lag.asked |= asked;
            lag.told |= told;
            due
        }
        Some(lag) => {
            *lag = Lag { claim, asked, told, served: None, ..lag.clone() };
            true
        }
        None => {
            if group.lags.len() >= MAX_LAGS {
                group.lags.remove(0);
            }
            group.lags.push(Lag { user: user.clone(), device, claim, asked, told, served: None });
            true
        }
    }
}

/// Whether we have something to send to a lagging device. For one pair of claims we send at most once a day.
#[must_use]
pub fn is_due(lag: &Lag, group: &GroupRecord, age: Age) -> bool {
    let served = lag.served.is_some_and(|(claim, at)| claim == group.claim && age.since(Age(at)) < SYNC_AGAIN);
    !served && lag.claim != group.claim
}

/// What we send to a lagging device of a member.
#[must_use]
pub fn answer(lag: &Lag, group: &GroupRecord, us: &UserId, age: Age) -> Option<Answer> {
    if !is_due(lag, group, age) {
        return None;
    }
    let theirs_may_be_less = lag.told || lag.claim.count <= group.claim.count;
    if theirs_may_be_less && (lag.asked || lag.user == *us || pushes(lag, &group.members, us)) {
        return Some(Answer::Push);
    }
    // A device with as many or more operations may have some that we lack.
    (lag.claim.count >= group.claim.count).then_some(Answer::Ask)
}

/// Whether the whole state may be sent to this device once more. If so, the push is counted.
///
/// A claim costs its sender nothing, so a peer could make us push without end: the number of pushes is limited.
pub fn may_push(group: &mut GroupRecord, (user, device): (&UserId, DeviceId), age: Age) -> bool {
    group.pushed.retain(|pushed| age.since(Age(pushed.since)) < SYNC_AGAIN);
    let full = group.pushed.len() >= MAX_PUSHED;
    let known = group.pushed.iter_mut().find(|pushed| (&pushed.user, pushed.device) == (user, device));
    match known {
        Some(pushed) if pushed.times >= MAX_PUSHES => false,
        Some(pushed) => {
            pushed.times += 1;
            true
        }
        None if full => false,
        None => {
            group.pushed.push(Pushed { user: user.clone(), device, since: age.0, times: 1 });
            true
        }
    }
}

/// Whether our user is one of the few who push without being asked. The order of the members by hash is the
/// same on every device.
fn pushes(lag: &Lag, members: &[Member], us: &UserId) -> bool {
    let rank = |user: &UserId| sha256(&join(&[&lag.claim.digest, lag.user.as_bytes(), user.as_bytes()]));
    let ours = rank(us);
    let before = members.iter().filter(|member| member.user != lag.user && rank(&member.user) < ours).count();
    before < PUSHING_USERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{GroupInfo, Standing},
        ids::{AccountKey, GroupId, GroupKind, Scope},
    };

    const NOW: Age = Age(1_000);

    fn user(n: u32) -> UserId {
        UserId::try_new(format!("{n:03}").into_bytes()).unwrap()
    }

    fn claim(count: u16, digest: u8) -> Claim {
        Claim { count, digest: [digest; 16] }
    }

    fn group(members: u32) -> GroupRecord {
        GroupRecord {
            scope: Scope::Group(GroupKind::Pairwise, GroupId([1; 32])),
            standing: Standing::Member,
            members: (0..members).map(|n| Member { user: user(n), account_keys: vec![AccountKey([0; 32])] }).collect(),
            former: Vec::new(),
            info: GroupInfo::default(),
            claim: claim(5, 5),
            left_at: Vec::new(),
            lags: Vec::new(),
            pushed: Vec::new(),
            owed: Vec::new(),
            invitation: None,
            declined: false,
            full: false,
        }
    }

    #[test]
    fn who_claims_something_new_each_time_is_not_sent_the_state_each_time() {
        let mut group = group(3);
        let mut pushes = 0;
        for n in 0..100 {
            hear(&mut group, (&user(1), DeviceId(1)), claim(4, n), With::Question);
            hear(&mut group, (&user(1), DeviceId(1)), claim(5, 5), With::Question);
            pushes += u8::from(may_push(&mut group, (&user(1), DeviceId(1)), NOW));
        }
        assert_eq!(pushes, MAX_PUSHES);
        assert!(may_push(&mut group, (&user(1), DeviceId(2)), NOW), "another device is another");
        assert!(may_push(&mut group, (&user(1), DeviceId(1)), Age(NOW.0 + 24 * 60 * 60 * 1_000)), "a day later");
    }

    #[test]
    fn of_a_thousand_members_two_push_to_who_lags_behind() {
        let mut group = group(1_000);
        assert!(hear(&mut group, (&user(0), DeviceId(1)), claim(4, 4), With::Message));
        let lag = group.lags[0].clone();
        let pushing = (1..1_000).filter(|n| answer(&lag, &group, &user(*n), NOW) == Some(Answer::Push)).count();
        assert_eq!(pushing, PUSHING_USERS);
        let asked = Lag { asked: true, ..lag };
        assert!(
            (1..1_000).all(|n| answer(&asked, &group, &user(n), NOW) == Some(Answer::Push)),
            "who is asked answers"
        );
    }

    #[test]
    fn who_has_less_asks_and_nothing_is_sent_twice() {
        let mut group = group(3);
        hear(&mut group, (&user(1), DeviceId(1)), claim(9, 9), With::Message);
        assert_eq!(answer(&group.lags[0], &group, &user(0), NOW), Some(Answer::Ask));
        group.lags[0].served = Some((group.claim, 0));
        assert_eq!(answer(&group.lags[0], &group, &user(0), NOW), None);
        let later = Age(24 * 60 * 60 * 1_000);
        assert_eq!(answer(&group.lags[0], &group, &user(0), later), Some(Answer::Ask), "what was lost is made good");
        assert!(!hear(&mut group, (&user(1), DeviceId(1)), claim(9, 9), With::Message), "old news");
        assert!(!hear(&mut group, (&user(1), DeviceId(1)), claim(5, 5), With::Message));
        assert_eq!(group.lags, []);
    }

    #[test]
    fn who_told_us_its_operations_and_still_has_others_is_sent_ours_whatever_the_counts() {
        let mut group = group(1_000);
        let (us, them) = (user(0), user(1));
        hear(&mut group, (&them, DeviceId(1)), claim(9, 9), With::Message);
        assert_eq!(answer(&group.lags[0], &group, &us, NOW), Some(Answer::Ask));
        group.lags[0].served = Some((group.claim, NOW.0));
        assert!(hear(&mut group, (&them, DeviceId(1)), claim(9, 9), With::Operations), "it answered, and this is news");
        assert_eq!(answer(&group.lags[0], &group, &us, NOW), Some(Answer::Push));
        // Of those to whom it said the same unasked, two push.
        hear(&mut group, (&them, DeviceId(2)), claim(9, 8), With::Operations);
        let pushing = (0..1_000).filter(|n| *n != 1);
        let pushing = pushing.filter(|n| answer(&group.lags[1], &group, &user(*n), NOW) == Some(Answer::Push)).count();
        assert_eq!(pushing, PUSHING_USERS);
    }

    #[test]
    fn lags_are_bounded() {
        let mut group = group(3);
        for n in 0..1_000 {
            hear(&mut group, (&user(1), DeviceId(n)), claim(9, 9), With::Message);
        }
        assert_eq!(group.lags.len(), MAX_LAGS);
    }
}
