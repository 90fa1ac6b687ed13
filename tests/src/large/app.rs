//! The app of a device in the scene: what it does with its inbox, and its book of what has come.

use super::{
    oracle::show,
    sim::{Sabotage, Sim},
};
use crate::{Name, user};
use sesame_core::{
    error::{Blame, Error},
    event::{Event, FailedUser, Item, Message, MessageKind, SkippedDevice, Standing},
    ids::{ContentId, DeviceId, GroupId, ListHash, UserId},
    internal::{keys::device_list::VerifiedDeviceList, steps::Steps},
};
use std::collections::BTreeMap;

/// What the app of one device has received: the number of a text, with the row of the inbox that it came in.
pub(super) type Book = BTreeMap<usize, u64>;

impl Sim {
    /// Reads the inbox, does what an app does, and acks.
    ///
    /// # Errors
    /// The store's, if it fails just now.
    pub(super) fn read(&mut self, name: Name) -> Result<(), Error> {
        let rows = self.at(name, |world| world.with(name, |d, c| d.all_items(c)))?;
        let ids: Vec<u64> = rows.iter().map(|row| row.id).collect();
        for row in &rows {
            self.trace(name, &row.item);
            match &row.item {
                Item::Message(message) => self.deliver(name, row.id, message),
                Item::Event(event) => self.hear(name, event.clone())?,
            }
        }
        self.at(name, |world| world.with(name, |d, c| d.ack(c, &ids)))
    }

    /// With `SESAME_TRACE` each item is printed.
    fn trace(&self, name: Name, item: &Item) {
        if std::env::var_os("SESAME_TRACE").is_some() {
            let text = match item {
                Item::Message(message) => String::from_utf8_lossy(&message.payload).into_owned(),
                Item::Event(event) => format!("{event:?}"),
            };
            eprintln!("  {} {text}", show(name));
        }
    }

    /// A text has come.
    fn deliver(&mut self, name: Name, row: u64, message: &Message) {
        let text =
            core::str::from_utf8(&message.payload).ok().and_then(|text| text.strip_prefix('t')?.parse::<usize>().ok());
        let Some(text) = text.filter(|text| *text < self.said.len()) else {
            return self.wrong("no text", format!("{} got what nobody said", show(name)));
        };
        let from = self.said[text].from;
        let is_own =
            matches!(message.kind, MessageKind::Transcript { .. }) != (self.sabotage == Some(Sabotage::Misnames));
        if is_own != (from.0 == name.0) {
            self.wrong("sender", format!("{} got {text} of {} as another's", show(name), show(from)));
        }
        if message.content_id != self.said[text].content {
            self.wrong("content", format!("{} got {text} of {} under another content id", show(name), show(from)));
        }
        let is_first = text == 0 && self.sabotage == Some(Sabotage::Loses);
        let is_deaf = name.0 == self.users[1] && self.sabotage == Some(Sabotage::Deaf);
        let repeats = self.sabotage == Some(Sabotage::Repeats);
        let Some(side) = self.sides.get_mut(&name) else { return };
        if is_first || is_deaf {
            return;
        }
        if repeats {
            side.book.insert(text, row + 1);
        }
        side.ever.insert(text);
        // A sender whose store was put back with a send that had not ended sends it once more: under its content id, by which an app knows it.
        let is_said_again = self.sides.get(&from).is_some_and(|side| side.back.is_some());
        let Some(side) = self.sides.get_mut(&name) else { return };
        if side.book.insert(text, row).is_some_and(|before| before != row) && !is_said_again {
            self.wrong("twice", format!("{} got {text} of {} twice", show(name), show(from)));
        }
    }

    fn hear(&mut self, name: Name, event: Event) -> Result<(), Error> {
        match event {
            Event::GroupInvited { group, .. } => self.accept(name, group),
            Event::OwnListAhead { other_hash, .. } => self
                .may_fail(name, |sim| sim.at(name, |world| world.with(name, |d, c| d.adopt_own_list(c, &other_hash)))),
            Event::DeviceListFork { user, known_hash, other_hash, .. } => {
                let hash = self.served(&user).unwrap_or(other_hash);
                let hash = if hash == other_hash || hash == known_hash { hash } else { known_hash };
                self.may_fail(name, |sim| {
                    sim.at(name, |world| {
                        world.with_requests(name, |d, c, r| d.resolve_fork(c, r, &user, &hash).map(drop))
                    })
                })
            }
            Event::IdentityChanged { user, .. } => {
                self.wrong("identity", format!("{} was told that {user:?} has changed", show(name)));
                Ok(())
            }
            Event::RemovedFromAccount { .. } => {
                let is_listed = self.listed(&user(name.0)).contains(&name);
                if is_listed {
                    self.wrong("removed", format!("{} was told that it was removed", show(name)));
                }
                self.gone.insert(name);
                Ok(())
            }
            Event::SendFinished { content_id, failed, skipped, .. } => {
                self.finish(&content_id, &failed, &skipped);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The app says yes, if it is still asked.
    pub(super) fn accept(&mut self, name: Name, group: GroupId) -> Result<(), Error> {
        self.may_fail(name, |sim| {
            let standing = sim.at(name, |world| world.group(name, group)).map(|view| view.standing);
            if matches!(standing, Ok(Standing::Invited(_))) {
                sim.at(name, |world| world.in_group(name, group, |group, c| group.accept(c)))?;
            }
            Ok(())
        })
    }

    /// A call that the library may refuse with a reason: it must be the app's or a peer's, unless the store fails just now.
    fn may_fail(&mut self, name: Name, call: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        match call(self) {
            Err(error) if error.code.blame() == Blame::Store && self.is_crashing => Err(error),
            Err(error) if matches!(error.code.blame(), Blame::Store | Blame::Internal) => {
                self.wrong("error", format!("{}: {error:?}", show(name)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A send has come to its end: whom it has reached is expected to read it.
    fn finish(&mut self, content: &ContentId, failed: &[FailedUser], skipped: &[SkippedDevice]) {
        let Some(at) = self.said.iter().position(|said| said.content == *content) else { return };
        let said = &self.said[at];
        let mut expected = Vec::new();
        for name in &said.listed {
            let user = user(name.0);
            let is_skipped = skipped.iter().any(|skip| skip.user == user && skip.device == DeviceId(name.1));
            if failed.iter().all(|failed| failed.user != user) && !is_skipped && self.listed(&user).contains(name) {
                expected.push(*name);
            }
        }
        self.said[at].finished = Some(self.said.len());
        self.said[at].expected = expected;
    }

    /// The devices of a user on the list that the server holds.
    pub(super) fn listed(&self, user: &UserId) -> Vec<Name> {
        let Some(name) = self.users.iter().find(|name| name.as_bytes() == user.as_bytes()) else { return Vec::new() };
        let list = self.world.relay.device_list(user).and_then(|list| VerifiedDeviceList::verify(&list).ok());
        list.into_iter().flat_map(|list| list.list.devices).map(|device| (*name, device.id.0)).collect()
    }

    /// The hash of the list that the server holds.
    fn served(&self, user: &UserId) -> Option<ListHash> {
        let list = VerifiedDeviceList::verify(&self.world.relay.device_list(user)?).ok()?;
        Some(ListHash(list.list.hash))
    }
}
