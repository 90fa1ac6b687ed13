//! Groups in the simulated world.

use crate::{AsSend, Name, World, is_of, store_key, user};
use sesame_core::internal::steps::{Need, Standing as Sending, Steps};
use sesame_core::{
    context::{Context, Timestamp},
    device::Group,
    error::{Code, Error},
    event::{GroupChange, GroupView, PendingSend, Received, SessionView, Standing},
    ids::{DeviceId, GroupId, GroupKind, UserId},
    internal::{
        group::{operation::Operation, set::Set},
        model::GroupRecord,
        record::{Record, SendBody, SendHead, StoredOperation},
        store::{Kind, Places, Sealer},
    },
};
use std::collections::BTreeMap;

/// What a device keeps of its groups.
const STATE: [Kind; 4] = [Kind::Group, Kind::Operation, Kind::GroupList, Kind::Waiting];

impl World {
    /// A world of users with these numbers of devices, in which each pair of users has talked both ways.
    #[must_use]
    pub fn acquainted(seed: u64, users: &[(&'static str, u32)]) -> Self {
        let mut world = Self::new(seed);
        for (name, devices) in users {
            world.create(name);
            for _ in 1..*devices {
                world.link(name);
            }
        }
        world.acquaint();
        world
    }

    /// Alice, Bob and Jen, each with one device, in a group of the three.
    #[must_use]
    pub fn trio(seed: u64) -> (Self, GroupId) {
        let mut world = Self::acquainted(seed, &[("alice", 1), ("bob", 1), ("jen", 1)]);
        let id = world.found(crate::ALICE, "Trip", &["bob", "jen"]);
        (world, id)
    }

    /// The session of one device with another in a group.
    pub fn group_session(&mut self, of: Name, with: Name, id: GroupId) -> Option<SessionView> {
        self.in_group(of, id, |group, context| group.session(context, &user(with.0), DeviceId(with.1))).unwrap()
    }

    /// Every device writes to every user until each knows all others.
    pub fn acquaint(&mut self) {
        let names: Vec<Name> = self.hosts.keys().copied().collect();
        let mut users: Vec<&'static str> = names.iter().map(|name| name.0).collect();
        users.dedup();
        for _ in 0..2 {
            for from in &names {
                let others: Vec<&str> = users.iter().copied().filter(|name| *name != from.0).collect();
                self.send(*from, &others, b"hello");
                for to in &names {
                    self.receive(*to).unwrap();
                }
            }
        }
    }

    /// Makes a group of the creator and these users, and delivers the news to them.
    pub fn found(&mut self, creator: Name, name: &str, users: &[&str]) -> GroupId {
        let (id, send) = self.found_quietly(creator, name, users);
        assert_eq!(self.drive(creator, send).unwrap(), None);
        self.flush(creator);
        self.all_receive();
        id
    }

    /// Makes a group, but does not submit the send that tells the members.
    pub fn found_quietly(&mut self, creator: Name, name: &str, users: &[&str]) -> (GroupId, Sending) {
        let users: Vec<UserId> = users.iter().map(|name| user(name)).collect();
        let info = GroupChange { name: Some(name.to_owned()), ..GroupChange::default() };
        self.with(creator, |device, context| {
            let (group, send) = device.create_group(context, GroupKind::Pairwise, &info, &users).unwrap();
            (group.id(), device.pending(context, &send.id).unwrap().unwrap())
        })
    }

    /// Says yes, if the device is asked into a group.
    pub fn say_yes(&mut self, name: Name, id: GroupId) {
        if matches!(self.standing(name, id), Some(Standing::Invited(_))) {
            self.act(name, id, |group, context| group.accept(context)).unwrap();
        }
    }

    /// Many users, `member 000` and on, each with a second device if `linked`; each device has published once.
    pub fn crowd(&mut self, numbers: std::ops::Range<usize>, linked: bool) -> Vec<&'static str> {
        let mut names = Vec::with_capacity(numbers.len());
        for number in numbers {
            // It lives as long as the program: names in the world are static.
            let name: &'static str = Box::leak(format!("member {number:03}").into_boxed_str());
            self.create_quietly(name);
            self.publish_once((name, 1));
            if linked {
                let second = self.link_quietly(name);
                self.publish_once((name, 1));
                self.publish_once(second);
            }
            names.push(name);
        }
        names
    }

    /// Shows a device the lists of these users.
    pub fn show_lists(&mut self, to: Name, names: &[&str]) {
        let needs: Vec<Need> = names.iter().map(|name| Need::DeviceList(user(name))).collect();
        let lists = self.relay.answer(&needs);
        self.with(to, |device, context| device.apply(context, &lists)).unwrap();
    }

    /// Calls the handle of a group.
    pub fn in_group<T>(
        &mut self,
        name: Name,
        id: GroupId,
        call: impl FnOnce(Group<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.with(name, |device, context| call(device.group(context, &id)?, context))
    }

    /// Makes an operation in a group and drives its send to the end.
    ///
    /// # Errors
    /// The errors of the call.
    pub fn act(
        &mut self,
        name: Name,
        id: GroupId,
        call: impl FnOnce(Group<'_>, &mut Context<'_>) -> Result<PendingSend, Error>,
    ) -> Result<(), Error> {
        let send = self.in_group(name, id, call)?;
        assert_eq!(self.drive(name, send)?, None);
        self.flush(name);
        Ok(())
    }

    /// Sends a message to a group and drives the send to the end.
    ///
    /// # Errors
    /// The errors of the send.
    pub fn say(&mut self, name: Name, id: GroupId, text: &[u8]) -> Result<(), Error> {
        self.act(name, id, |group, context| group.send(context, text, None))
    }

    /// Encrypts a message for a group and submits nothing.
    ///
    /// # Panics
    /// If the device may not send in the group.
    pub fn whisper(&mut self, name: Name, id: GroupId, text: &[u8]) -> Sending {
        let send = self.in_group(name, id, |group, context| group.send(context, text, None)).unwrap();
        self.standing_of(name, &send)
    }

    /// Submits everything in the outbox.
    pub fn flush(&mut self, name: Name) {
        for send in self.with(name, |device, context| device.outbox(context)).unwrap() {
            if send.failed.is_empty() {
                self.drive(name, send).unwrap();
            }
        }
    }

    /// Every device fetches its mailbox. Returns what each received.
    pub fn all_receive(&mut self) -> Vec<(Name, Vec<Received>)> {
        let names: Vec<Name> = self.hosts.keys().copied().collect();
        names.into_iter().map(|name| (name, self.receive(name).unwrap())).collect()
    }

    /// Every device fetches, ticks and submits what is due, until nothing more happens.
    ///
    /// # Panics
    /// If the world does not come to rest.
    pub fn rest(&mut self) -> Vec<(Name, Vec<Received>)> {
        let mut all = Vec::new();
        for _ in 0..12 {
            let received = self.all_receive();
            let names: Vec<Name> = self.hosts.keys().copied().collect();
            for name in &names {
                self.with(*name, |device, context| device.tick(context, false)).unwrap();
                self.flush(*name);
            }
            let quiet = received.iter().all(|(_, results)| results.is_empty());
            let waiting = self.relay.view().waiting.values().sum::<usize>();
            all.extend(received);
            if quiet && waiting == 0 {
                return all;
            }
        }
        panic!("the world does not come to rest");
    }

    /// The view that a device has of a group.
    ///
    /// # Errors
    /// [`Code::UnknownGroup`].
    pub fn group(&mut self, name: Name, id: GroupId) -> Result<GroupView, Code> {
        self.in_group(name, id, |group, context| group.view(context)).map_err(|error| error.code)
    }

    /// The sender's group record for a send, and the users that the send welcomes. `None`: a direct send, or a question about a group that is not known.
    #[must_use]
    pub fn group_of(&self, name: Name, send: &impl AsSend) -> Option<(GroupRecord, Vec<UserId>)> {
        let sealer = Sealer::new(&store_key());
        let rows = self.dump(name);
        let head = Places::send(Kind::SendHead, &send.id());
        let head = SendHead::decode(&sealer.open(&head, &rows[&*head]).unwrap()).unwrap();
        let key = sealer.places.group(Kind::Group, &head.group?.scope.group()?);
        let group = GroupRecord::decode(&sealer.open(&key, rows.get(&*key)?).unwrap()).unwrap();
        Some((group, head.users.into_iter().filter(|to| to.welcome).map(|to| to.user).collect()))
    }

    /// The payload of a send: the app's bytes, or operations.
    #[must_use]
    pub fn payload_of(&self, name: Name, send: &impl AsSend) -> Vec<u8> {
        let (sealer, key) = (Sealer::new(&store_key()), Places::send(Kind::SendBody, &send.id()));
        SendBody::decode(&sealer.open(&key, &self.dump(name)[&*key]).unwrap()).unwrap().payload.clone()
    }

    /// The names of the members in the view of a device; empty if the device does not know the group.
    pub fn members(&mut self, name: Name, id: GroupId) -> Vec<String> {
        let members = self.group(name, id).map(|view| view.members).unwrap_or_default();
        members.iter().map(|member| String::from_utf8(member.user.as_bytes().to_vec()).unwrap()).collect()
    }

    /// The operations in the store of a device.
    #[must_use]
    pub fn operations(&self, name: Name, id: GroupId) -> Set {
        let sealer = Sealer::new(&store_key());
        let prefix = sealer.places.group(Kind::Operation, &id);
        let rows = self.dump(name).into_iter().filter(|(key, _)| key.starts_with(&prefix));
        let operations = rows.map(|(key, row)| {
            Operation::from_record(StoredOperation::decode(&sealer.open(&key, &row).unwrap()).unwrap()).unwrap()
        });
        Set::restore(id, operations.collect()).unwrap()
    }

    /// Sends a message to a group and replaces the app's bytes by these operations. The recipes do not depend
    /// on the payload.
    pub fn replace_payload(&mut self, name: Name, id: GroupId, bundle: &[u8]) -> Sending {
        let send = self.in_group(name, id, |group, context| group.send(context, b"", None)).unwrap();
        let sealer = Sealer::new(&store_key());
        let mut rows = self.dump(name);
        let (head, body) = [Kind::SendHead, Kind::SendBody].map(|kind| Places::send(kind, &send.id())).into();
        let mut said = SendHead::decode(&sealer.open(&head, &rows[&*head]).unwrap()).unwrap();
        said.group.as_mut().unwrap().operations = true;
        let replaced = SendBody { payload: bundle.to_vec(), welcome: Vec::new() };
        let mut context = Context { now: Timestamp(self.now), rng: &mut self.rng };
        for (key, plain) in [(head, said.encode().unwrap()), (body, replaced.encode().unwrap())] {
            rows.insert(key.to_vec(), sealer.seal(&mut context, &key, &plain).unwrap());
        }
        self.hosts[&name].store.inner.restore(rows);
        self.with(name, |device, context| device.pending(context, &send.id())).unwrap().unwrap()
    }

    /// Gives a device another device's rows of groups, so that it acts in groups that it is no member of.
    pub fn plant(&mut self, from: Name, to: Name) {
        let mut rows = self.dump(to);
        rows.extend(self.dump(from).into_iter().filter(|(key, _)| is_of(key, &STATE)));
        self.hosts[&to].store.inner.restore(rows);
    }

    /// Puts a device's rows of groups back to what they were in `before`. Its sessions stay as they are, so that others can decrypt what
    /// it sends.
    pub fn forget_since(&mut self, name: Name, before: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut rows = self.dump(name);
        rows.retain(|key, _| !is_of(key, &STATE));
        rows.extend(before.iter().filter(|(key, _)| is_of(key, &STATE)).map(|(key, row)| (key.clone(), row.clone())));
        self.hosts[&name].store.inner.restore(rows);
    }

    /// The standing of a device's user in a group.
    pub fn standing(&mut self, name: Name, id: GroupId) -> Option<Standing> {
        self.group(name, id).ok().map(|view| view.standing)
    }
}
