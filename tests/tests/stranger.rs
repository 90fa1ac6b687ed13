//! A stranger with 10,000 tries: whatever the wire allows, from devices that follow no rule. The contacts go on talking, and the store grows
//! within the bounds. `--nocapture` prints what became of the tries, and what they left.

use sesame_core::{
    context::{Context, Timestamp},
    event::Received,
    ids::{DeviceId, GroupId, GroupKind, Scope},
    internal::{
        clock::Age,
        keys::{device::DeviceKeys, party::DecodedParty},
        record::{Beginning, Nested},
        session::{self, Route, Session},
        steps::Steps,
        store::Kind,
        wire::{
            content::{Body, GroupClaim, ListClaim, Prelude, SentTo, Stamp},
            padding,
        },
    },
    limits::MAX_INACTIVE_SESSIONS,
};
use sesame_tests::{ALICE, BOB, Name, World, is_of, user};
use std::collections::BTreeMap;

const MALLORY: [Name; 2] = [("mallory", 1), ("mallory", 2)];
const TRIES: usize = 10_000;

/// A device of the stranger, with a session of its own with Bob that his client does not know of.
struct Hostile {
    name: Name,
    keys: DeviceKeys,
    theirs: DecodedParty,
    session: Session,
    generation: u64,
    salt: u128,
}

impl Hostile {
    fn new(world: &mut World, name: Name) -> Self {
        let keys = world.own(name).keys();
        let list = world.list("bob");
        let theirs = list.list.device(DeviceId(1)).unwrap().party(&user("bob"), list.account_key);
        let theirs = DecodedParty::of(theirs).unwrap();
        let generation = world.now / 1_000;
        let session = begin(world, &keys, &theirs, generation);
        Self { name, keys, theirs, session, generation, salt: u128::from(name.1) << 64 }
    }

    /// An envelope with this content, on the session.
    fn say(&mut self, content: &[u8]) -> Vec<u8> {
        let salt = self.next_salt();
        self.sealed(content, salt)
    }

    fn next_salt(&mut self) -> [u8; 16] {
        self.salt += 1;
        self.salt.to_be_bytes()
    }

    fn sealed(&mut self, content: &[u8], salt: [u8; 16]) -> Vec<u8> {
        let (sending, _) = self.keys.pair(&self.theirs).unwrap();
        let party = self.theirs.party();
        let us = (&self.keys.party.user, self.keys.party.device);
        let route = Route { sender: us, recipient: (&party.user, party.device), pair: &sending };
        let sealed = session::seal(self.session.outgoing(), salt, route).unwrap();
        self.session.ratchet.hot = sealed.sent.hot;
        if let Some(cold) = sealed.sent.cold {
            self.session.ratchet.cold = cold;
        }
        session::envelope(&sealed.recipe, [content, &[]], 0, padding::room(0)).unwrap()
    }

    /// The opening of a session in a group that nobody knows, with this nested content.
    fn opening(&mut self, world: &mut World, content: &[u8], salt: [u8; 16]) -> Body {
        let group = GroupId(std::array::from_fn(|_| random(world, 256) as u8));
        let scope = Scope::Group(GroupKind::Pairwise, group);
        let generation = self.generation + random(world, 64) as u64;
        let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
        let at = (scope, generation, Age(context.now.0));
        let inside = session::open_scope(&self.keys, &mut context, self.theirs.party(), at).unwrap();
        let Some(Beginning::Opening(opening)) = inside.beginning.clone() else { unreachable!() };
        let recipe = session::seal_nested(inside.outgoing(), salt).unwrap().recipe;
        let nested = Nested { opening, generation, prelude: Vec::new(), recipe };
        Body::Opening(session::nested_content(scope, &nested, content).unwrap())
    }
}

fn begin(world: &mut World, keys: &DeviceKeys, theirs: &DecodedParty, generation: u64) -> Session {
    let bundle = world.relay.bundle(&user("bob"), DeviceId(1)).unwrap();
    let bundle = sesame_core::internal::wire::bundle::Bundle::decode(&bundle).unwrap();
    let now = Timestamp(world.now);
    let bundle = sesame_core::internal::keys::bundle::VerifiedBundle::verify(&bundle, theirs, now).unwrap();
    let mut context = Context { now, rng: &mut world.rng };
    session::initiate(keys, &mut context, &bundle, (generation, Age(world.now))).unwrap()
}

fn random(world: &mut World, below: usize) -> usize {
    world.below(below)
}

fn bytes(world: &mut World, below: usize) -> Vec<u8> {
    let length = random(world, below);
    (0..length).map(|_| random(world, 256) as u8).collect()
}

/// A prelude that claims anything of any list, with any list riding along that the stranger can have.
fn any_prelude(world: &mut World, from: Name, lists: &[Vec<u8>]) -> Prelude {
    let mut claim = |least: usize| ListClaim {
        epoch: [1, 2, 7, 1 << 40][random(world, 4)].max(least as u64),
        hash: [random(world, 3) as u8; 16],
    };
    let (mine, yours) = (claim(1), claim(1));
    let honest = world.prelude(from, BOB, 1);
    let list = lists[random(world, lists.len())].clone();
    let is_honest = random(world, 2) == 0;
    Prelude {
        my_list: if is_honest { honest.my_list } else { mine },
        your_list: if is_honest { honest.your_list } else { yours },
        list: list.into(),
        sequence: [1, 2, 1_000, u64::MAX][random(world, 4)],
        ..honest
    }
}

/// Any body, wherever it belongs.
fn any_body(world: &mut World) -> Body {
    let stamp = Stamp { content_id: [random(world, 256) as u8; 16], sent_at: [0, u64::MAX][random(world, 2)] };
    let claim = GroupClaim { count: random(world, 65_536) as u16, digest: [random(world, 256) as u8; 16] };
    let payload = bytes(world, 3_000);
    match random(world, 5) {
        0 => Body::Message { stamp, payload: payload.into() },
        1 => {
            let to = SentTo { user: b"alice".to_vec().into(), account_key: Some([9; 32]), verified: 1 };
            Body::Transcript { stamp, recipients: vec![to].into(), payload: payload.into() }
        }
        2 => Body::Group { stamp, claim, payload: payload.into() },
        3 => Body::Operations { stamp, claim, bundle: payload.into() },
        _ => Body::Departure { stamp },
    }
}

fn encoded(prelude: &Prelude, body: &Body) -> Vec<u8> {
    [prelude.encode().unwrap(), body.encode().unwrap()].concat()
}

/// Bytes changed, cut, or put in.
fn spoilt(world: &mut World, envelope: &[u8]) -> Vec<u8> {
    let mut envelope = envelope.to_vec();
    let at = random(world, envelope.len());
    match random(world, 4) {
        0 => envelope[at] ^= 1 << random(world, 8),
        1 => envelope.truncate(at),
        2 => envelope.insert(at, random(world, 256) as u8),
        _ => return envelope,
    }
    envelope
}

/// Bytes of rows by kind.
fn sizes(world: &World, name: Name) -> BTreeMap<u8, (usize, usize)> {
    let mut sizes: BTreeMap<u8, (usize, usize)> = BTreeMap::new();
    for (key, row) in world.dump(name) {
        let (count, bytes) = sizes.entry(key[0]).or_default();
        (*count, *bytes) = (*count + 1, *bytes + key.len() + row.len());
    }
    sizes
}

#[test]
fn n_g03_a_stranger_with_10000_tries_stops_no_contact_and_fills_no_store() {
    let mut world = World::acquainted(0x57a9, &[("alice", 1), ("bob", 1)]);
    let trip = world.found(ALICE, "Trip", &["bob"]);
    world.create("mallory");
    world.link("mallory");
    let mut devices = MALLORY.map(|name| Hostile::new(&mut world, name));
    // What rides along: nothing, the honest list, somebody else's, a later one that takes the second device off, and garbage.
    let honest = world.list("mallory");
    let later = world.forge_list("mallory", Some(&honest.list), &honest.list.devices[..1]).unwrap();
    let lists = [
        honest.shown(16).unwrap(),
        honest.shown(16).unwrap(),
        Vec::new(),
        world.list("alice").shown(16).unwrap(),
        later.shown(16).unwrap(),
        vec![7; 300],
    ];
    let before = sizes(&world, BOB);
    let (mut told, mut sent): (BTreeMap<String, usize>, Vec<Vec<u8>>) = (BTreeMap::new(), Vec::new());
    let mut tries = 0;
    while tries < TRIES {
        let mut batch = Vec::new();
        for _ in 0..100 {
            let which = random(&mut world, 2);
            let from = MALLORY[which];
            let envelope = match random(&mut world, 20) {
                0..=4 => {
                    let content = encoded(&any_prelude(&mut world, from, &lists), &any_body(&mut world));
                    devices[which].say(&content)
                }
                5..=8 => {
                    let salt = devices[which].next_salt();
                    let nested = encoded(&world.prelude(from, BOB, 1), &any_body(&mut world));
                    let body = devices[which].opening(&mut world, &nested, salt);
                    let content = encoded(&any_prelude(&mut world, from, &lists[..2]), &body);
                    devices[which].sealed(&content, salt)
                }
                9 => {
                    // Begins anew, at any time.
                    let now = world.now / 1_000;
                    let generation = [0, now, now + 1_000_000, (1 << 63) - 1][random(&mut world, 4)];
                    let list = lists[random(&mut world, lists.len())].clone();
                    let salt = random(&mut world, 256) as u8;
                    world.initiation(devices[which].name, BOB, generation, salt, &list)
                }
                _ if !sent.is_empty() => {
                    let of = random(&mut world, sent.len());
                    let whole = sent[of].clone();
                    spoilt(&mut world, &whole)
                }
                _ => bytes(&mut world, 1_000),
            };
            if sent.len() < 200 {
                sent.push(envelope.clone());
            }
            batch.push(envelope);
        }
        tries += batch.len();
        for received in world.decrypt(BOB, &batch) {
            let name = match received {
                Received::Failure { code, .. } => code.number().to_string(),
                Received::Item { item, .. } => format!("{item:?}").split(['(', ' ', '{']).next().unwrap().to_owned(),
                Received::Held { .. } => "held".to_owned(),
                _ => "nothing".to_owned(),
            };
            *told.entry(name).or_default() += 1;
        }
        // The app looks at what it got, and keeps none of it.
        let items: Vec<u64> = world.inbox(BOB).iter().map(|row| row.id).collect();
        world.with(BOB, |device, context| device.ack(context, &items)).unwrap();
    }
    let after = sizes(&world, BOB);
    let grown: BTreeMap<u8, (usize, usize)> = after
        .iter()
        .map(|(kind, (count, bytes))| {
            let (had, of) = before.get(kind).copied().unwrap_or_default();
            (*kind, (count.saturating_sub(had), bytes.saturating_sub(of)))
        })
        .collect();
    let total: usize = grown.values().map(|(_, bytes)| bytes).sum();
    println!("{tries} tries: {told:?}\ngrown by {total} bytes; kind: (rows, bytes) {grown:?}");
    assert!(told.len() > 10, "else this shows nothing");
    // Neither a session nor a receipt, nothing that is held and no list grows beyond its bound.
    let rows = |kinds: &[Kind]| world.dump(BOB).keys().filter(|key| is_of(key, kinds)).count();
    assert!(rows(&[Kind::Received]) <= 2 * 4_096 + 100);
    assert!(rows(&[Kind::Session]) <= 2 * (MAX_INACTIVE_SESSIONS + 1) + 3 + 128, "{}", rows(&[Kind::Session]));
    let held: usize = [Kind::Held, Kind::HeldContent]
        .iter()
        .map(|kind| grown.get(&(*kind as u8)).map_or(0, |(_, bytes)| *bytes))
        .sum();
    assert!(held <= 2 * 2 * 64 * 1_024 + 64 * 1_024, "{held}");
    assert!(total < 4 * 1_024 * 1_024, "{total}");

    // Bob and Alice talk as before, both ways, directly and in their group, also after a restart and a day.
    for round in 0..2 {
        world.send(ALICE, &["bob"], b"hello");
        world.say(ALICE, trip, b"in the group").unwrap();
        assert_eq!(world.read(BOB), [b"hello".to_vec(), b"in the group".to_vec()], "{round}");
        world.send(BOB, &["alice"], b"hi");
        world.say(BOB, trip, b"there").unwrap();
        assert_eq!(world.read(ALICE), [b"hi".to_vec(), b"there".to_vec()], "{round}");
        world.pass(sesame_tests::DAY);
        world.with(BOB, |device, context| device.tick(context, true)).unwrap();
        world.reopen(BOB);
    }
}
