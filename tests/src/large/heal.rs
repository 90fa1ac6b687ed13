//! The end of a scene: everything works again, everybody writes to everybody, and what must hold is looked at.

use super::{
    oracle::show,
    sim::{Sabotage, Sim},
};
use crate::{DAY, Name, user};
use sesame_core::{context::Timestamp, event::Standing, ids::UserId, internal::store::Kind};
use std::collections::BTreeMap;

/// A mailbox keeps for 30 days, as a device holds what is not its turn: a text that is older may have gone.
const OLD: u64 = 25 * DAY;
/// So many messages each way may pass before everybody reads everybody.
const HEALED_AFTER: u32 = 2;

impl Sim {
    /// Everything works again, and everybody writes to everybody.
    pub(super) fn heal(&mut self) {
        for name in self.devices() {
            let side = self.side(name);
            (side.offset, side.is_cut, side.trouble, side.other) = (0, false, None, None);
            self.deliver_late(name);
            self.world.reopen(name);
        }
        self.settle();
        let mut healed = 0;
        for round in 1..=HEALED_AFTER + 1 {
            let first = self.said.len();
            self.all_talk();
            self.settle();
            if self.played.violation.is_some() {
                return;
            }
            let missing = self.missing(first, true);
            if missing.is_empty() {
                continue;
            }
            healed = round;
            if round > HEALED_AFTER {
                return self.wrong("heals", format!("after {HEALED_AFTER} messages each way: {}", missing.join(", ")));
            }
        }
        self.played.rounds = healed;
    }

    /// Each device is on a few times, an hour apart.
    fn settle(&mut self) {
        for _ in 0..3 {
            for name in self.devices() {
                self.on(name);
            }
            self.world.now += 61 * 60 * 1_000;
            self.world.relay.set_time(Timestamp(self.world.now));
        }
    }

    fn all_talk(&mut self) {
        let count = self.users.len();
        for name in self.devices() {
            let own = self.users.iter().position(|known| *known == name.0).unwrap_or_default();
            // In a crowd, with the two on either side.
            let steps: Vec<usize> = if count < 6 { (1..count).collect() } else { vec![1, 2, count - 1, count - 2] };
            let to: Vec<UserId> = steps.into_iter().map(|step| user(self.users[(own + step) % count])).collect();
            if !to.is_empty() {
                self.say(name, &to);
            }
            for group in self.groups.clone() {
                self.say_in_group(name, group);
            }
        }
    }

    /// What has reached a device, by what its sender was told, and was not read: from this text on. `all`: whatever is said must have reached all.
    fn missing(&self, first: usize, all: bool) -> Vec<String> {
        let mut missing = Vec::new();
        for (text, said) in self.said.iter().enumerate().skip(first) {
            if !all && self.world.now.saturating_sub(said.at) > OLD {
                continue;
            }
            let expected = if all { &said.listed } else { &said.expected };
            for name in expected.iter().filter(|name| self.sides.contains_key(name) && !self.gone.contains(name)) {
                let is_lossy = self.lossless.get(&(said.from, *name)).is_some_and(|from| text < *from);
                let had = self.sides.get(name).is_some_and(|side| side.ever.contains(&text));
                // A removed device is asked for nothing.
                let is_off = |name: &Name| self.sides.get(name).is_some_and(|side| side.is_off);
                // By a clock that is weeks ahead for a day, prekeys and what is kept to be sent again are old, and go.
                let is_gone = self.gone.contains(&said.from)
                    || is_off(&said.from)
                    || is_off(name)
                    || self.is_unasked(text, said.from, *name);
                if !had && (all || !(is_lossy || is_gone)) {
                    let place = if said.in_group { " in a group" } else { "" };
                    missing.push(format!("{text} of {}{place} for {}", show(said.from), show(*name)));
                }
            }
        }
        missing
    }

    /// Whether a device asks nobody for a text that it cannot open: it had not written to the sender, as far as its store knows.
    /// (A transcript of an own device counts as well, once it has come; that is left aside here.)
    fn is_unasked(&self, text: usize, from: Name, name: Name) -> bool {
        let is_hurt = |name: &Name| self.sides.get(name).is_some_and(|side| side.is_hurt);
        if !is_hurt(&name) && !is_hurt(&from) {
            return false;
        }
        let (copied, put_back) = self.sides.get(&name).and_then(|side| side.back).unwrap_or((usize::MAX, 0));
        let wrote = self.wrote.get(&(name, user(from.0)));
        let is_known = |at: &usize| {
            let is_written = self.said.get(*at).and_then(|said| said.finished).is_some_and(|finished| finished <= text);
            is_written && (*at < copied || *at >= put_back)
        };
        name.0 != from.0 && !wrote.into_iter().flatten().any(is_known)
    }

    /// What must hold at the end.
    pub(super) fn judge(&mut self) {
        if self.played.violation.is_some() {
            return;
        }
        let expected = self.said.iter().map(|said| said.expected.len() as u64);
        self.played.read = expected.sum();
        let missing = self.missing(0, false);
        if !missing.is_empty() {
            self.wrong("lost", missing.join(", "));
        }
        for group in self.groups.clone() {
            let mut views = BTreeMap::new();
            for name in self.devices() {
                let Ok(mut view) = self.world.group(name, group) else { continue };
                if self.sabotage == Some(Sabotage::Forgets) && name.1 == 2 {
                    view.members.pop();
                }
                if view.standing == Standing::Member {
                    let history = self.world.in_group(name, group, |group, c| group.history(c)).unwrap_or_default();
                    let members: Vec<UserId> = view.members.into_iter().map(|member| member.user).collect();
                    views
                        .entry((members, view.info.name.clone(), history.len()))
                        .or_insert_with(Vec::new)
                        .push(show(name));
                }
            }
            if views.len() > 1 {
                self.wrong("groups", format!("{:?} differ", views.into_values().collect::<Vec<_>>()));
            }
        }
        for name in self.devices() {
            let most = 41 * self.sides.len() * (1 + self.groups.len());
            let sessions = self.world.rows(name, &[Kind::Session]);
            if sessions > most {
                self.wrong("rows", format!("{} has {sessions} sessions", show(name)));
            }
        }
        let seen = self.world.relay.seen();
        let envelopes = seen.iter().map(|seen| match seen {
            sesame_relay::Seen::Submitted { envelopes, .. } => envelopes.len() as u64,
            _ => 0,
        });
        self.played.envelopes = envelopes.sum();
    }
}
