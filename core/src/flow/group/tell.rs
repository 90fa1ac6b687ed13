//! Whom something said in a group goes to, and how it is sent: an ordinary send in the group's scope (D5, X 10).

use crate::{
    error::{Code, Error},
    event::PendingSend,
    flow::send::{self, Message},
    ids::{DeviceId, UserId},
    limits::MAX_DIRECT_USERS,
    model::GroupRecord,
    record::{Says, SendBody, SentTo, ToGroup},
    store::Kind,
    tx::Call,
    wire::size,
};
use std::collections::BTreeSet;

/// Whom something said in a group goes to.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) users: BTreeSet<UserId>,
    /// Of these, the users who get the group's whole state instead of what the others get.
    pub(super) welcomed: BTreeSet<UserId>,
}

/// Operations on their way.
pub(super) struct Said {
    pub(super) payload: Vec<u8>,
    /// A group's whole state, for those whom an operation takes in.
    pub(super) welcome: Vec<u8>,
    /// Whether its end is no event.
    pub(super) quiet: bool,
}

impl Said {
    /// Operations that the app asked for.
    pub(super) fn aloud(payload: Vec<u8>) -> Self {
        Self { payload, welcome: Vec::new(), quiet: false }
    }

    /// Operations that the library sends by itself.
    pub(super) fn quietly(payload: Vec<u8>) -> Self {
        Self { quiet: true, ..Self::aloud(payload) }
    }
}

/// Sends operations in a group.
pub(super) fn say(call: &mut Call<'_>, group: &GroupRecord, told: &Told, said: Said) -> Result<PendingSend, Error> {
    let Said { payload, welcome, quiet } = said;
    let users = sent_to(call, group, told)?;
    let to_group = to_group(group, &users, call.user(), true);
    let body = SendBody { payload, welcome };
    send::start(
        call,
        Message { users, target: None, group: Some(to_group), content_id: None, body, quiet, says: Says::Payload },
    )
}

/// Sends operations to one user, or to one device, besides what is said to all.
pub(super) fn say_alone(
    call: &mut Call<'_>,
    group: &GroupRecord,
    user: &UserId,
    target: Option<DeviceId>,
    payload: Vec<u8>,
) -> Result<PendingSend, Error> {
    let users = sent_to(call, group, &Told { users: BTreeSet::from([user.clone()]), welcomed: BTreeSet::new() })?;
    let to_group = to_group(group, &users, call.user(), true);
    let body = SendBody { payload, welcome: Vec::new() };
    send::start(
        call,
        Message { users, target, group: Some(to_group), content_id: None, body, quiet: true, says: Says::Payload },
    )
}

/// Users of a send in a group, our own last, each with the account key that the group knows them by: whoever holds the name under another
/// key is not the member.
pub(super) fn sent_to(call: &Call<'_>, group: &GroupRecord, told: &Told) -> Result<Vec<SentTo>, Code> {
    // All of them in one go: a set that is cold asks the store once.
    let keys = told.users.iter().map(|user| call.tx.places().user(Kind::User, user)).collect::<Vec<_>>();
    call.tx.prefetch_missing(&keys)?;
    let others = told.users.iter().filter(|user| *user != call.user());
    let mut sent = Vec::new();
    for user in others.chain(told.users.get(call.user())) {
        let keys = group.member(user).map(|member| member.account_keys.as_slice());
        let pinned = call.tx.readable(user)?.map(|known| known.account_key);
        // What an add says of a key is a hint. Without a pin, only who shows a list signed by such a key is the member.
        let (account_key, also) = match (keys, pinned) {
            (Some(keys), Some(pinned)) if keys.contains(&pinned) => (Some(pinned), Vec::new()),
            (Some([key, rest @ ..]), None) => (Some(*key), rest.to_vec()),
            (Some([key, ..]), Some(_)) => (Some(*key), Vec::new()),
            _ => (None, Vec::new()),
        };
        let welcome = told.welcomed.contains(user);
        sent.push(SentTo { user: user.clone(), account_key, also, verified: false, welcome });
    }
    Ok(sent)
}

/// Members whom this device knows under an account key that the group does not name: nothing is sent to them there, and direct messages and
/// other groups are not touched.
pub(crate) fn conflicts(call: &Call<'_>, group: &GroupRecord) -> Result<Vec<UserId>, Code> {
    let keys = group.users().map(|user| call.tx.places().user(Kind::User, user)).collect::<Vec<_>>();
    call.tx.prefetch_missing(&keys)?;
    let mut conflicts = Vec::new();
    for member in group.members.iter().filter(|member| member.user != *call.user()) {
        if call.tx.readable(&member.user)?.is_some_and(|known| !member.account_keys.contains(&known.account_key)) {
            conflicts.push(member.user.clone());
        }
    }
    Ok(conflicts)
}

/// What is the same for all recipients of something said in a group. The padding of our own copy has room for the transcript of a direct
/// message to the same users, so that its size does not tell the two apart (X 10).
pub(super) fn to_group(group: &GroupRecord, to: &[SentTo], us: &UserId, operations: bool) -> ToGroup {
    // As many as a direct send may name: beyond that, the two differ in any case.
    let others = to.iter().filter(|to| to.user != *us).take(MAX_DIRECT_USERS);
    let transcript = size::transcript(others.map(|to| to.user.as_bytes().len()));
    let transcript_room = u32::try_from(transcript).unwrap_or(u32::MAX);
    ToGroup { scope: group.scope, claim: group.claim, operations, transcript_room }
}
