use crate::phone::{MINUTE, SERVER, Upload, World, submission};
use rand_core::Rng;
use sesame_core::{
    ids::DeviceId,
    internal::wire::{
        answer::Problem,
        auth::Signed,
        request::{self, Delete, Leg, Path, Wanted},
    },
};
use sesame_relay::Request;

/// Requests that would be taken, one or two for each path.
fn good(world: &mut World) -> Vec<(Path, Vec<u8>)> {
    let (alice, bob) = (world.registered("alice", 2), world.registered("bob", 1));
    let batch = world.batch(&alice.phones[0], &bob.phones);
    let own = world.batch(&alice.phones[0], &alice.phones[1..]);
    let list = alice.lists[0].shown(16).unwrap();
    let upload = Upload { list, lasting: Some(1), one_time: vec![1, 2], token: vec![1] };
    let wanted = Wanted { user: bob.user.clone(), device: DeviceId(1) };
    let asked = [&alice.user, &bob.user].map(|user| request::Asked { user: user.clone(), from: 0 });
    vec![
        (Path::Publication, world.publication(&alice.phones[0], upload)),
        (Path::Publication, world.publication(&alice.phones[0], Upload::default())),
        (Path::Lists, request::Lists { users: asked.to_vec().into() }.encode().unwrap()),
        (Path::Bundles, request::Bundles { devices: vec![wanted; 3].into() }.encode().unwrap()),
        (Path::Submit, submission(&batch)),
        (Path::Submit, submission(&own)),
        (Path::Mail, request::Mail { after: 0, limit: 9 }.encode().unwrap()),
        (Path::Confirm, request::Confirm { through: 1, ids: vec![2, 3].into() }.encode().unwrap()),
        (Path::Push, request::Push { value: vec![1; 9].into() }.encode().unwrap()),
        (Path::Delete, Delete::sign(&bob.key, SERVER, bob.user, world.now).encode().unwrap()),
        (Path::Link, request::Link { box_name: [1; 16], leg: Leg::Hello, put: None }.encode().unwrap()),
        (
            Path::Link,
            request::Link { box_name: [2; 16], leg: Leg::Answer, put: Some(vec![3; 9].into()) }.encode().unwrap(),
        ),
    ]
}

/// One to four changes of some bytes: a byte set, cut off, put in, or a run repeated.
fn bend(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    for _ in 0..=rng.next_u32() % 4 {
        let at = rng.next_u32() as usize % (bytes.len() + 1);
        match rng.next_u32() % 5 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.next_u32() as u8),
            2 => {
                let tail = bytes[at..].to_vec();
                bytes.extend(tail);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if rng.next_u32().is_multiple_of(2) { rng.next_u32() as u8 } else { *byte ^ 1 };
                }
            }
        }
    }
}

#[test]
fn a_hundred_thousand_bad_requests_never_panic_and_are_never_the_servers_fault() {
    let mut world = World::new();
    let good = good(&mut world);
    let alice = world.registered("carol", 1);
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..100_000_u32 {
        let (path, mut body) = good[world.rng.next_u32() as usize % good.len()].clone();
        if round % 8 != 0 {
            bend(&mut body, &mut world.rng);
        }
        // Half of them are signed by a listed device, so that they come as far as the rules.
        let signed = Signed { audience: SERVER, path, body: &body };
        let mut header = world.header(&alice.phones[0], &signed, world.now.0).into_bytes();
        match world.rng.next_u32() % 8 {
            0..4 => {}
            4..6 => bend(&mut header, &mut world.rng),
            _ => header = vec![b'A'; world.rng.next_u32() as usize % 300],
        }
        let header = String::from_utf8_lossy(&header).into_owned();
        let auth = (!world.rng.next_u32().is_multiple_of(16)).then_some(header.as_str());
        let path = if world.rng.next_u32().is_multiple_of(64) { "/v1/" } else { path.text() };
        let response = world.relay.perform(world.now, &Request { path, auth, body: &body });
        *statuses.entry(response.status).or_default() += 1;
        assert!(response.status < 500, "round {round}: {}", response.status);
        if response.status != 200 {
            assert!(Problem::decode(&response.body).is_ok());
        }
        if round % 100 == 0 {
            world.pass(MINUTE);
        }
    }
    for status in [200, 400, 401] {
        assert!(statuses.get(&status).is_some_and(|count| *count > 1_000), "{statuses:?}");
    }
}
