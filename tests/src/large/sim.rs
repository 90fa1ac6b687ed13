//! A scene is played: each act in turn, then everything is mended and everybody talks.

use super::{
    Act, Scene, Trouble, Violation,
    app::Book,
    oracle::show,
};
use crate::{Name, World, pump::Answer, server, store::{Fault, FaultyStore}, store_key, user};
use sesame_core::{
    context::Context,
    device::Device,
    error::{Blame, Code, Error},
    event::{LinkLeg, PendingSend, Recipients, ServerRequest, Standing},
    ids::{ContentId, DeviceId, GroupId, UserId},
    internal::{store::Kind, wire::envelope::Envelope},
    store::MemoryStore,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// More requests than a device ever has to make in a row.
const ENDLESS: usize = 2_000;
/// Devices of one user.
const MOST_DEVICES: usize = 5;
/// Groups of a scene.
const MOST_GROUPS: usize = 20;
/// What a server keeps in a mailbox, and a device's own patience, is 30 days: a text that is older may have gone.
const OLD: u64 = 25 * crate::DAY;
/// So many messages each way may pass before everybody reads everybody.
const HEALED_AFTER: u32 = 2;

/// What came of a scene.
#[derive(Debug, Default)]
pub struct Played {
    /// What was wrong, if anything was.
    pub violation: Option<Violation>,
    /// Envelopes that the server took.
    pub envelopes: u64,
    /// How often each kind of fault happened.
    pub faults: BTreeMap<&'static str, u64>,
    /// Texts that a device had to read, and has read.
    pub read: u64,
    /// Messages each way until everybody read everybody.
    pub rounds: u32,
}

/// A text that somebody said.
pub(super) struct Said {
    pub(super) from: Name,
    pub(super) content: ContentId,
    /// When, in ms.
    at: u64,
    in_group: bool,
    /// The devices of its recipients when it was said.
    pub(super) listed: Vec<Name>,
    /// Those whom it has reached, by what the app was told.
    pub(super) expected: Vec<Name>,
}

/// A device of the scene, beside what the library keeps of it.
#[derive(Default)]
pub(super) struct Side {
    /// By how much its clock is wrong, in ms.
    offset: i64,
    is_cut: bool,
    trouble: Option<(Trouble, u8)>,
    /// The last answer for each path.
    answers: BTreeMap<String, Answer>,
    copies: Vec<(BTreeMap<Vec<u8>, Vec<u8>>, Book)>,
    kept_back: Vec<Vec<u8>>,
    came: Vec<Vec<u8>>,
    /// Another process of the same device.
    other: Option<Device>,
    /// What its app has, in the store that it has now.
    pub(super) book: Book,
    /// What its app ever had.
    pub(super) ever: BTreeSet<usize>,
}

/// A scene while it is played.
pub(super) struct Sim {
    pub(super) world: World,
    pub(super) users: Vec<&'static str>,
    pub(super) sides: BTreeMap<Name, Side>,
    /// Devices that are on no list any more.
    pub(super) gone: BTreeSet<Name>,
    groups: Vec<GroupId>,
    pub(super) said: Vec<Said>,
    /// From this text on nothing was lost between two devices.
    lossless: BTreeMap<(Name, Name), usize>,
    pub(super) is_crashing: bool,
    played: Played,
}

/// Plays a scene.
#[must_use]
pub fn play(scene: &Scene) -> Played {
    let mut sim = Sim::new(scene);
    let done = catch_unwind(AssertUnwindSafe(|| {
        sim.begin(scene);
        for act in &scene.acts {
            if std::env::var_os("SESAME_TRACE").is_some() {
                eprintln!("{act}");
            }
            sim.act(*act);
            if sim.played.violation.is_some() {
                return;
            }
        }
        sim.heal();
        sim.judge();
    }));
    if done.is_err() {
        sim.wrong("panic", "a call panicked".to_owned());
    }
    sim.played
}

impl Sim {
    fn new(scene: &Scene) -> Self {
        Self {
            world: World::new(scene.seed),
            users: Vec::new(),
            sides: BTreeMap::new(),
            gone: BTreeSet::new(),
            groups: Vec::new(),
            said: Vec::new(),
            lossless: BTreeMap::new(),
            is_crashing: false,
            played: Played::default(),
        }
    }

    fn begin(&mut self, scene: &Scene) {
        for (at, devices) in scene.devices.iter().enumerate() {
            let name = NAMES[at % NAMES.len()];
            self.users.push(name);
            let primary = self.world.create_quietly(name);
            self.sides.insert(primary, Side::default());
            self.on(primary);
            for _ in 1..*devices {
                self.link(primary);
            }
        }
    }

    /// The first thing that is wrong is what a scene is shrunk for.
    pub(super) fn wrong(&mut self, rule: &'static str, what: String) {
        self.played.violation.get_or_insert_with(|| Violation::of(rule, what));
    }

    fn count(&mut self, fault: &'static str) {
        *self.played.faults.entry(fault).or_default() += 1;
    }

    /// Calls a device by its own clock.
    pub(super) fn at<T>(&mut self, name: Name, call: impl FnOnce(&mut World) -> T) -> T {
        let now = self.world.now;
        self.world.now = now.saturating_add_signed(self.sides.get(&name).map_or(0, |side| side.offset));
        let done = call(&mut self.world);
        self.world.now = now;
        done
    }

    fn devices(&self) -> Vec<Name> {
        self.sides.keys().copied().filter(|name| !self.gone.contains(name)).collect()
    }

    fn device(&self, at: u8) -> Name {
        let all = self.devices();
        all[usize::from(at) % all.len()]
    }

    fn group(&self, at: u8) -> Option<GroupId> {
        (!self.groups.is_empty()).then(|| self.groups[usize::from(at) % self.groups.len()])
    }

    /// The users whose bits are set, but the device's own; the next one if there is none.
    fn others(&self, name: Name, bits: u8) -> Vec<UserId> {
        let own = self.users.iter().position(|known| *known == name.0).unwrap_or_default();
        let count = self.users.len();
        let meant = (0..count).filter(|at| *at != own && bits & (1 << ((at + own) % 8)) != 0).take(8);
        let mut users: Vec<UserId> = meant.map(|at| user(self.users[at])).collect();
        if users.is_empty() {
            users.push(user(self.users[(own + 1) % count]));
        }
        users
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Say { device, users } => {
                let name = self.device(device);
                self.say(name, &self.others(name, users));
            }
            Act::SayInGroup { device, group } => {
                if let Some(group) = self.group(group) {
                    self.say_in_group(self.device(device), group);
                }
            }
            Act::Found { device, users } => self.found(self.device(device), users),
            Act::Add { device, group, user: added } => {
                let (name, added) = (self.device(device), user(self.users[usize::from(added) % self.users.len()]));
                self.in_group(name, group, |group, c| group.add(c, core::slice::from_ref(&added)));
            }
            Act::Leave { device, group } => self.in_group(self.device(device), group, |group, c| group.leave(c)),
            Act::Link { user } => {
                let name = self.users[usize::from(user) % self.users.len()];
                if self.sides.keys().filter(|known| known.0 == name).count() < MOST_DEVICES {
                    self.link((name, 1));
                }
            }
            Act::Remove { user: of, device } => self.remove(self.users[usize::from(of) % self.users.len()], device),
            Act::On { device } => self.on(self.device(device)),
            Act::Pass { hours } => self.pass(hours),
            fault => self.fault(fault),
        }
    }

    fn fault(&mut self, act: Act) {
        match act {
            Act::Copy { device } => {
                let name = self.device(device);
                let rows = self.world.dump(name);
                let side = self.side(name);
                side.copies.push((rows, side.book.clone()));
            }
            Act::PutBack { device, copy } => {
                let name = self.device(device);
                let copies = &self.side(name).copies;
                let Some((rows, book)) = copies.get(usize::from(copy) % copies.len().max(1)).cloned() else { return };
                self.side(name).book = book;
                self.side(name).other = None;
                self.world.put_back(name, rows);
                self.count("put back");
            }
            Act::Crash { device, operation, fault } => self.crash(self.device(device), operation, fault),
            Act::Spoil { device, row } => self.spoil(self.device(device), row),
            Act::Lose { device, percent } => self.lose(self.device(device), percent),
            Act::Delay { device } => {
                let name = self.device(device);
                let mails = self.world.steal(name);
                if !mails.is_empty() {
                    self.side(name).kept_back.extend(mails);
                    self.count("delay");
                }
            }
            Act::Deliver { device } => self.deliver_late(self.device(device)),
            Act::Repeat { device } => {
                let name = self.device(device);
                let came = self.side(name).came.clone();
                if !came.is_empty() {
                    self.count("repeat");
                    self.decrypt(name, came);
                }
            }
            Act::Cut { device, off } => {
                let name = self.device(device);
                self.side(name).is_cut = off;
                self.count("cut");
            }
            Act::Clock { device, days } => {
                let name = self.device(device);
                self.side(name).offset = i64::from(days) * crate::DAY as i64;
                self.count("clock");
            }
            Act::Swap { device } => {
                let name = self.device(device);
                let store = self.world.hosts[&name].store.clone();
                let other = self.side(name).other.take();
                let other = other.map_or_else(|| Device::open(store, &store_key()), Ok);
                let Ok(other) = other else { return };
                let host = self.world.hosts.get_mut(&name).expect("it is there");
                let before = core::mem::replace(&mut host.device, other);
                self.side(name).other = Some(before);
                self.world.requests.remove(&name);
                self.count("swap");
            }
            Act::Trouble { device, trouble, requests } => {
                let name = self.device(device);
                self.side(name).trouble = Some((trouble, requests));
                self.count("trouble");
            }
            _ => {}
        }
    }

    pub(super) fn side(&mut self, name: Name) -> &mut Side {
        self.sides.get_mut(&name).expect("a device of the scene")
    }

    /// The library may refuse what a scene asks for; it must not fail.
    fn check<T>(&mut self, name: Name, done: Result<T, Error>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) if matches!(error.code.blame(), Blame::Store | Blame::Internal) => {
                self.wrong("error", format!("{}: {error:?}", show(name)));
                None
            }
            Err(_) => None,
        }
    }

    fn say(&mut self, name: Name, users: &[UserId]) {
        let text = format!("t{}", self.said.len());
        let sent = self.at(name, |world| world.with(name, |d, c| d.batch_encrypt(c, users, text.as_bytes(), None)));
        if let Some(send) = self.check(name, sent) {
            self.note(name, send, users, false);
        }
    }

    fn say_in_group(&mut self, name: Name, group: GroupId) {
        let Ok(view) = self.at(name, |world| world.group(name, group)) else { return };
        if view.standing != Standing::Member {
            return;
        }
        let text = format!("t{}", self.said.len());
        let to = Recipients::Group(group);
        let sent = self.at(name, |world| world.with(name, |d, c| d.batch_encrypt(c, to, text.as_bytes(), None)));
        if let Some(send) = self.check(name, sent) {
            let members: Vec<UserId> = view.members.into_iter().map(|member| member.user).collect();
            self.note(name, send, &members, true);
        }
    }

    fn note(&mut self, from: Name, send: PendingSend, users: &[UserId], in_group: bool) {
        let own = user(from.0);
        let listed = users.iter().filter(|user| **user != own).flat_map(|user| self.listed(user)).collect();
        let (content, at) = (send.content_id, self.world.now);
        self.said.push(Said { from, content, at, in_group, listed, expected: Vec::new() });
    }

    fn found(&mut self, name: Name, users: u8) {
        if self.groups.len() >= MOST_GROUPS {
            return;
        }
        let known: Vec<UserId> =
            self.at(name, |world| world.with(name, |d, c| d.users(c))).unwrap_or_default().into_iter().map(|view| view.user).collect();
        let users: Vec<UserId> = self.others(name, users).into_iter().filter(|user| known.contains(user)).collect();
        let info = sesame_core::event::GroupChange::named("a group");
        let kind = sesame_core::ids::GroupKind::Pairwise;
        let made = self.at(name, |world| {
            world.with(name, |d, c| d.create_group(c, kind, &info, &users).map(|(group, _)| group.id()))
        });
        if let Some(id) = self.check(name, made) {
            self.groups.push(id);
        }
    }

    fn in_group(
        &mut self,
        name: Name,
        group: u8,
        act: impl FnOnce(sesame_core::device::Group<'_>, &mut Context<'_>) -> Result<PendingSend, Error>,
    ) {
        if let Some(group) = self.group(group) {
            let done = self.at(name, |world| world.in_group(name, group, act));
            self.check(name, done);
        }
    }

    /// The primary links a new device, once it has heard what the server has.
    fn link(&mut self, primary: Name) {
        self.on(primary);
        if self.side(primary).is_cut || self.gone.contains(&primary) {
            return;
        }
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let made = self.at(primary, |world| link(world, primary, store.clone()));
        let Some(device) = self.check(primary, made) else { return };
        let name = (primary.0, device.id().0);
        if self.sides.contains_key(&name) {
            return self.wrong("id", format!("{} was given twice", show(name)));
        }
        self.world.hosts.insert(name, crate::Host { store, device });
        let offset = self.side(primary).offset;
        self.sides.insert(name, Side { offset, ..Side::default() });
        self.on(primary);
        self.on(name);
    }

    fn remove(&mut self, of: &'static str, device: u8) {
        let primary = (of, 1);
        self.on(primary);
        let others: Vec<Name> =
            self.listed(&user(of)).into_iter().filter(|name| *name != primary && self.sides.contains_key(name)).collect();
        if others.is_empty() || self.side(primary).is_cut {
            return;
        }
        let name = others[usize::from(device) % others.len()];
        let removed = self.at(primary, |world| world.with(primary, |d, c| d.remove_device(c, DeviceId(name.1))));
        if self.check(primary, removed).is_some() {
            self.gone.insert(name);
            self.on(primary);
        }
    }

    fn pass(&mut self, hours: u16) {
        for _ in 0..hours.div_ceil(24).max(1) {
            self.world.now += u64::from(hours.min(24)) * 60 * 60 * 1_000;
            self.world.relay.set_time(sesame_core::context::Timestamp(self.world.now));
            if hours >= 24 {
                // A device that is on looks at its clock each day.
                for name in self.devices() {
                    if self.world.below(3) > 0 {
                        self.on(name);
                    }
                }
            }
        }
    }

    /// A device is on until its loop has nothing more to ask.
    pub(super) fn on(&mut self, name: Name) {
        if self.side(name).is_cut || self.gone.contains(&name) {
            return;
        }
        if let Err(error) = self.run(name) {
            self.wrong("error", format!("{}: {error:?}", show(name)));
        }
    }

    fn run(&mut self, name: Name) -> Result<(), Error> {
        self.world.with_requests(name, |_, _, requests| requests.request_mail(10_000));
        let mut count = 0;
        while let Some(request) = self.at(name, |world| world.next(name))? {
            let (status, body) = self.serve(name, &request);
            if std::env::var_os("SESAME_TRACE").is_some() {
                eprintln!("  {} asks {}: {status}", show(name), request.path);
            }
            self.at(name, |world| world.respond(name, &request.id, (status, &body)))?;
            self.read(name)?;
            count += 1;
            if count > ENDLESS {
                self.wrong("endless", format!("{} asks {} for ever", show(name), request.path));
                return Ok(());
            }
        }
        self.read(name)
    }

    /// What the server answers, or does instead.
    fn serve(&mut self, name: Name, request: &ServerRequest) -> Answer {
        if request.path.contains("mail") {
            // What the answer brings may come once more.
            let mails = self.world.mails(name);
            let side = self.side(name);
            side.came.extend(mails);
            let too_many = side.came.len().saturating_sub(40);
            side.came.drain(..too_many);
        }
        let trouble = match &mut self.side(name).trouble {
            Some((trouble, left)) if *left > 0 => {
                *left -= 1;
                Some(*trouble)
            }
            _ => None,
        };
        match trouble {
            None => {
                let answer = self.world.perform(request);
                self.side(name).answers.insert(request.path.clone(), answer.clone());
                answer
            }
            Some(Trouble::Unanswered) => {
                drop(self.world.perform(request));
                (0, Vec::new())
            }
            Some(Trouble::Lost) => (0, Vec::new()),
            Some(Trouble::Error) => (503, Vec::new()),
            Some(Trouble::Stale) => self.side(name).answers.get(&request.path).cloned().unwrap_or((0, Vec::new())),
            Some(Trouble::Garbage) => (200, vec![0xff; 9]),
        }
    }

    /// The device is on while its store fails; then its process is started anew.
    fn crash(&mut self, name: Name, operation: u8, fault: u8) {
        if self.side(name).is_cut {
            return;
        }
        let fault = [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown][usize::from(fault) % 3];
        let store = self.world.hosts[&name].store.clone();
        store.fail_at(u64::from(operation), fault);
        self.is_crashing = true;
        let ran = self.run(name);
        self.is_crashing = false;
        let struck = store.struck().is_some();
        match ran {
            Err(error) if error.code.blame() != Blame::Store || !struck => {
                self.wrong("error", format!("{} in a crash: {error:?}", show(name)));
            }
            _ => {}
        }
        if struck {
            self.count("crash");
        }
        self.side(name).other = None;
        self.world.reopen(name);
    }

    /// Changes one byte of a row that heals by itself.
    fn spoil(&mut self, name: Name, row: u8) {
        let kinds = [
            Kind::Session,
            Kind::Chains,
            Kind::Skipped,
            Kind::Block,
            Kind::Index,
            Kind::Received,
            Kind::Heard,
            Kind::Held,
            Kind::HeldContent,
        ];
        let mut rows = self.world.dump(name);
        let meant: Vec<Vec<u8>> = rows.keys().filter(|key| crate::is_of(key, &kinds)).cloned().collect();
        if meant.is_empty() {
            return;
        }
        let key = &meant[usize::from(row) % meant.len()];
        if let Some(last) = rows.get_mut(key).and_then(|row| row.last_mut()) {
            *last ^= 1;
        }
        self.side(name).other = None;
        self.world.put_back(name, rows);
        self.count("spoil");
    }

    fn lose(&mut self, name: Name, percent: u8) {
        let (kept, lost): (Vec<_>, Vec<_>) = {
            let mails = self.world.steal(name);
            let world = &mut self.world;
            mails.into_iter().partition(|_| world.below(100) >= usize::from(percent))
        };
        for envelope in &lost {
            self.note_lost(name, envelope);
        }
        if !lost.is_empty() {
            self.count("lose");
        }
        self.side(name).kept_back.extend(kept);
        self.deliver_late(name);
    }

    fn note_lost(&mut self, name: Name, envelope: &[u8]) {
        let from = Envelope::decode(envelope).ok().and_then(|envelope| envelope.sender());
        let from = from.and_then(|(user, device)| {
            let known = self.users.iter().find(|known| known.as_bytes() == user.as_bytes())?;
            Some((*known, device.0))
        });
        if let Some(from) = from {
            self.lossless.insert((from, name), self.said.len());
        }
    }

    /// What was kept back comes, in any order.
    fn deliver_late(&mut self, name: Name) {
        let mut mails = core::mem::take(&mut self.side(name).kept_back);
        for at in (1..mails.len()).rev() {
            let other = self.world.below(at + 1);
            mails.swap(at, other);
        }
        if !mails.is_empty() {
            self.count("late");
            self.decrypt(name, mails);
        }
    }

    /// A transport of the app's own hands envelopes over.
    fn decrypt(&mut self, name: Name, mails: Vec<Vec<u8>>) {
        let done = self.at(name, |world| world.with(name, |d, c| d.batch_decrypt(c, &mails, false).map(drop)));
        if self.check(name, done).is_some() {
            let read = self.read(name);
            self.check(name, read);
        }
    }

    /// Everything works again, and everybody writes to everybody.
    fn heal(&mut self) {
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
            self.world.relay.set_time(sesame_core::context::Timestamp(self.world.now));
        }
    }

    fn all_talk(&mut self) {
        let count = self.users.len();
        for name in self.devices() {
            let own = self.users.iter().position(|known| *known == name.0).unwrap_or_default();
            // In a crowd, with the next few.
            let to: Vec<UserId> = (1..count.min(6)).map(|step| user(self.users[(own + step) % count])).collect();
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
                if !had && (all || !is_lossy) {
                    let place = if said.in_group { " in a group" } else { "" };
                    missing.push(format!("{text} of {}{place} for {}", show(said.from), show(*name)));
                }
            }
        }
        missing
    }

    /// What must hold at the end.
    fn judge(&mut self) {
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
                let Ok(view) = self.world.group(name, group) else { continue };
                if view.standing == Standing::Member {
                    let history = self.world.in_group(name, group, |group, c| group.history(c)).unwrap_or_default();
                    let members: Vec<UserId> = view.members.into_iter().map(|member| member.user).collect();
                    views.entry((members, view.info.name.clone(), history.len())).or_insert_with(Vec::new).push(show(name));
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

/// The steps of a link, by hand.
fn link(world: &mut World, primary: Name, store: Arc<FaultyStore>) -> Result<Device, Error> {
    let mut context = Context { now: sesame_core::context::Timestamp(world.now), rng: &mut world.rng };
    let linking = Device::begin_link(store, &store_key(), &mut context, &server())?;
    let primary = &world.hosts[&primary].device;
    let link = primary.link_device(&mut context, linking.code())?;
    let hello = primary.link_leg(&mut context, &link.id, LinkLeg::Hello)?.ok_or(Code::InvalidArgument)?;
    linking.hear_hello(&mut context, &hello)?;
    linking.confirm(&mut context)?;
    primary.confirm_link(&mut context, &link.id)?;
    let answer = primary.link_leg(&mut context, &link.id, LinkLeg::Answer)?.ok_or(Code::InvalidArgument)?;
    linking.complete(&mut context, &answer)
}

/// The users' names.
const NAMES: [&str; 50] = [
    "ada", "bea", "cem", "dan", "eli", "fay", "gus", "hal", "ida", "jon", "kai", "lea", "max", "nia", "ole", "pia", "quin",
    "rex", "sue", "tom", "uma", "val", "wim", "xia", "yan", "zoe", "abe", "bob", "cat", "dov", "eva", "fin", "gil", "hye",
    "ian", "jan", "kim", "lou", "mia", "ned", "ora", "pat", "raj", "sam", "tea", "udo", "vic", "wes", "yva", "zac",
];
