//! A scene is played: each act in turn, then everything is mended and everybody talks.

use super::{Act, Scene, Trouble, Violation, app::Book, oracle::show};
use crate::{Name, World, pump::Answer, server, store::FaultyStore, store_key, user};
use sesame_core::{
    context::Context,
    device::Device,
    error::{Blame, Code, Error},
    event::{LinkLeg, PendingSend, Recipients, Standing},
    ids::{ContentId, DeviceId, GroupId, UserId},
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
    pub(super) at: u64,
    pub(super) in_group: bool,
    /// The devices of its recipients when it was said.
    pub(super) listed: Vec<Name>,
    /// The texts that there were when the app was told its end.
    pub(super) finished: Option<usize>,
    /// Those whom it has reached, by what the app was told.
    pub(super) expected: Vec<Name>,
}

/// The rows of a store.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A device of the scene, beside what the library keeps of it.
#[derive(Default)]
pub(super) struct Side {
    /// By how much its clock is wrong, in ms.
    pub(super) offset: i64,
    pub(super) is_cut: bool,
    pub(super) trouble: Option<(Trouble, u8)>,
    /// The last answer for each path.
    pub(super) answers: BTreeMap<String, Answer>,
    /// Each with the number of texts that there were.
    pub(super) copies: Vec<(Rows, Book, usize)>,
    /// The texts that there were when the copy was made that was put back last, and when it was put back.
    pub(super) back: Option<(usize, usize)>,
    /// Whether its clock was wrong by more than what is kept for a while is kept for.
    pub(super) is_off: bool,
    /// Whether a row was changed, a copy put back, or its clock was wrong.
    pub(super) is_hurt: bool,
    pub(super) kept_back: Vec<Vec<u8>>,
    pub(super) came: Vec<Vec<u8>>,
    /// Another process of the same device.
    pub(super) other: Option<Device>,
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
    pub(super) groups: Vec<GroupId>,
    pub(super) said: Vec<Said>,
    /// The texts in which a device wrote directly to a user.
    pub(super) wrote: BTreeMap<(Name, UserId), Vec<usize>>,
    /// From this text on nothing was lost between two devices.
    pub(super) lossless: BTreeMap<(Name, Name), usize>,
    pub(super) is_crashing: bool,
    pub(super) sabotage: Option<Sabotage>,
    pub(super) played: Played,
}

/// A fault of the library that the scene makes up, to show that a rule sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sabotage {
    /// A message is read and is not there.
    Loses,
    /// A message comes as two rows of the inbox.
    Repeats,
    /// A message comes under another name.
    Misnames,
    /// From now on one device reads nothing.
    Deaf,
    /// One device forgets the newest operation of each group.
    Forgets,
    /// A call fails without a reason.
    Fails,
    /// A device asks the same again and again.
    Insists,
}

impl Sabotage {
    /// Each, with the rule that sees it.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Loses, "lost"),
        (Self::Repeats, "twice"),
        (Self::Misnames, "sender"),
        (Self::Deaf, "heals"),
        (Self::Forgets, "groups"),
        (Self::Fails, "error"),
        (Self::Insists, "endless"),
    ];
}

/// Plays a scene.
#[must_use]
pub fn play(scene: &Scene) -> Played {
    play_with(scene, None)
}

/// The same with a fault that is made up.
#[must_use]
pub fn play_with(scene: &Scene, sabotage: Option<Sabotage>) -> Played {
    let mut sim = Sim::new(scene);
    sim.sabotage = sabotage;
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
            wrote: BTreeMap::new(),
            lossless: BTreeMap::new(),
            is_crashing: false,
            sabotage: None,
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

    pub(super) fn count(&mut self, fault: &'static str) {
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

    pub(super) fn devices(&self) -> Vec<Name> {
        self.sides.keys().copied().filter(|name| !self.gone.contains(name)).collect()
    }

    pub(super) fn device(&self, at: u8) -> Name {
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

    pub(super) fn side(&mut self, name: Name) -> &mut Side {
        self.sides.get_mut(&name).expect("a device of the scene")
    }

    /// The library may refuse what a scene asks for; it must not fail.
    pub(super) fn check<T>(&mut self, name: Name, done: Result<T, Error>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) if matches!(error.code.blame(), Blame::Store | Blame::Internal) => {
                self.wrong("error", format!("{}: {error:?}", show(name)));
                None
            }
            Err(_) => None,
        }
    }

    pub(super) fn say(&mut self, name: Name, users: &[UserId]) {
        let text = format!("t{}", self.said.len());
        let sent = self.at(name, |world| world.with(name, |d, c| d.batch_encrypt(c, users, text.as_bytes(), None)));
        if let Some(send) = self.check(name, sent) {
            self.note(name, send, users, false);
        }
    }

    pub(super) fn say_in_group(&mut self, name: Name, group: GroupId) {
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
        if !in_group {
            users.iter().for_each(|to| self.wrote.entry((from, to.clone())).or_default().push(self.said.len()));
        }
        self.said.push(Said { from, content, at, in_group, listed, finished: None, expected: Vec::new() });
    }

    fn found(&mut self, name: Name, users: u8) {
        if self.groups.len() >= MOST_GROUPS {
            return;
        }
        let known: Vec<UserId> = self
            .at(name, |world| world.with(name, |d, c| d.users(c)))
            .unwrap_or_default()
            .into_iter()
            .map(|view| view.user)
            .collect();
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
        let others: Vec<Name> = self
            .listed(&user(of))
            .into_iter()
            .filter(|name| *name != primary && self.sides.contains_key(name))
            .collect();
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
        let ran = match self.sabotage {
            Some(Sabotage::Fails) => Err(Code::RecordCorrupt.into()),
            _ => self.run(name),
        };
        if let Err(error) = ran {
            self.wrong("error", format!("{}: {error:?}", show(name)));
        }
    }

    pub(super) fn run(&mut self, name: Name) -> Result<(), Error> {
        self.world.with_requests(name, |_, _, requests| requests.request_mail(10_000));
        let mut count = 0;
        while let Some(request) = self.at(name, |world| world.next(name))? {
            let (status, body) = self.serve(name, &request);
            if std::env::var_os("SESAME_TRACE").is_some() {
                eprintln!("  {} asks {}: {status}", show(name), request.path);
            }
            self.at(name, |world| world.respond(name, &request.id, (status, &body)))?;
            self.read(name)?;
            count += if self.sabotage == Some(Sabotage::Insists) { ENDLESS } else { 1 };
            if count > ENDLESS {
                self.wrong("endless", format!("{} asks {} for ever", show(name), request.path));
                return Ok(());
            }
        }
        self.read(name)
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
    "ada", "bea", "cem", "dan", "eli", "fay", "gus", "hal", "ida", "jon", "kai", "lea", "max", "nia", "ole", "pia",
    "quin", "rex", "sue", "tom", "uma", "val", "wim", "xia", "yan", "zoe", "abe", "bob", "cat", "dov", "eva", "fin",
    "gil", "hye", "ian", "jan", "kim", "lou", "mia", "ned", "ora", "pat", "raj", "sam", "tea", "udo", "vic", "wes",
    "yva", "zac",
];
