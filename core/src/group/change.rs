//! The events that an app gets when a group's set of operations has grown.

use super::{set::Author, view::View};
use crate::{
    event::{Event, Standing},
    ids::{Scope, UserId},
};
use std::collections::BTreeMap;

/// How our own user stands in a group.
#[derive(Clone, Debug)]
pub struct Us<'a> {
    /// The user.
    pub user: &'a UserId,
    /// How it stood before, if the group was known.
    pub stood: Option<Standing>,
    /// How it stands.
    pub stands: Standing,
    /// Who made it a member, or invited it.
    pub by: Option<Author>,
}

/// The events for the difference between two views. Each event names the author of the operation that caused
/// it.
#[must_use]
pub fn events(before: Option<&View>, after: &View, us: Us<'_>) -> Vec<Event> {
    let Us { user: us, stood, stands, by } = us;
    let Scope::Group(_, group) = after.scope else { return Vec::new() };
    let was = |user: &UserId| before.is_some_and(|before| before.is_member(user));
    let mut events = Vec::new();
    if stood != Some(stands)
        && let Some((user, device)) = by
    {
        match stands {
            Standing::Member => events.push(Event::GroupJoined { group, forked_from: after.origin, user, device }),
            Standing::Invited(_) => events.push(Event::GroupInvited { group, user, device }),
            Standing::Left => {}
        }
    }
    let mut added: BTreeMap<_, Vec<UserId>> = BTreeMap::new();
    for (user, author) in &after.joined_by {
        if user != us && before.is_some() && !was(user) {
            added.entry(author).or_default().push(user.clone());
        }
    }
    for ((user, device), added) in added {
        events.push(Event::GroupAdded { group, user: user.clone(), device: *device, added });
    }
    for (user, (_, device)) in &after.left_by {
        if was(user) {
            events.push(Event::GroupLeft { group, user: user.clone(), device: *device });
        }
    }
    // Members before, and nobody's leave took them away: what made them members counts no more.
    let were = before.iter().flat_map(|before| &before.members).map(|member| &member.user);
    let gone = |user: &&UserId| !after.is_member(user) && !after.left_by.contains_key(*user);
    let users: Vec<UserId> = were.filter(gone).cloned().collect();
    if !users.is_empty() {
        events.push(Event::GroupRevoked { group, users });
    }
    if before.is_some_and(|before| before.info != after.info) {
        let (operation, (user, device)) = &after.informed_by;
        events.push(Event::GroupUpdated { group, user: user.clone(), device: *device, operation: *operation });
    }
    events
}
