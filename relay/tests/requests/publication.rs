use crate::phone::{DAY, MINUTE, SERVER, Upload, World, problem, stock, user};
use sesame_core::{
    error::Code,
    ids::DeviceId,
    internal::wire::{
        answer::{Bundles, Lists},
        auth::Signed,
        bundle::{Bundle, KemUse},
        request::{self, Path, Wanted},
    },
};
use sesame_relay::Registration;

#[test]
fn the_first_publication_brings_its_own_key_and_makes_the_user() {
    let mut world = World::new();
    let mut alice = world.account("alice");
    let phone = world.phone(&alice, 1);
    let list = world.list(&mut alice, vec![phone.clone()]);
    let upload = Upload { list: list.clone(), lasting: Some(world.now.0), one_time: vec![2, 3], ..Upload::default() };
    let answer = stock(&world.upload(&phone, upload));
    assert_eq!((answer.one_time, answer.wanted, answer.generation), (2, 40, 1));
    assert_eq!(world.relay.device_list(&user("alice")), Some(list));
}

#[test]
fn the_first_publication_is_signed_by_the_device_that_the_list_names() {
    let mut world = World::new();
    let mut alice = world.account("alice");
    let (phone, thief) = (world.phone(&alice, 1), world.phone(&alice, 1));
    let list = world.list(&mut alice, vec![phone.clone()]);
    // The thief has the list, and signs with a key that is not on it.
    let body = world.publication(&phone, Upload { list: list.clone(), ..Upload::default() });
    problem(&world.ask(&thief, Path::Publication, &body), 401);
    // With its own keys in the upload, the signature is still not the listed device's.
    problem(&world.upload(&thief, Upload { list, ..Upload::default() }), 401);
    // Without a list there is nothing that names it.
    problem(&world.upload(&thief, Upload::default()), 401);
    assert_eq!(world.relay.device_list(&user("alice")), None);
}

#[test]
fn a_new_device_publishes_as_soon_as_a_list_names_it() {
    let mut world = World::new();
    let mut alice = world.registered("alice", 1);
    let tablet = world.phone(&alice, 2);
    problem(&world.upload(&tablet, Upload::default()), 401);
    let phones = vec![alice.phones[0].clone(), tablet.clone()];
    let list = world.list(&mut alice, phones);
    // Any device of the new list may bring it.
    stock(&world.upload(&tablet, Upload { list, one_time: vec![1], ..Upload::default() }));
    assert_eq!(world.relay.device_list(&alice.user), alice.lists.last().map(|list| list.shown(16).unwrap()));
}

#[test]
fn a_list_that_does_not_descend_is_a_conflict_that_shows_the_current_one() {
    let mut world = World::new();
    let mut alice = world.registered("alice", 1);
    let phone = alice.phones[0].clone();
    let branch = alice.lists.clone();
    world.follow(&mut alice, vec![phone.clone()]);
    let current = alice.lists.last().unwrap().shown(16).unwrap();
    // The primary was restored, and signs another list of the same epoch.
    world.pass(1);
    alice.lists = branch;
    let fork = world.list(&mut alice, vec![phone.clone()]);
    let said = problem(&world.upload(&phone, Upload { list: fork, ..Upload::default() }), 409);
    assert_eq!(said.code, Code::BrokenChain.number());
    assert_eq!(said.list.as_slice(), current);
    assert_eq!(world.relay.device_list(&alice.user), Some(current));
}

#[test]
fn a_name_that_is_taken_is_a_conflict() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let mut other = world.account("alice");
    let phone = world.phone(&other, 1);
    let list = world.list(&mut other, vec![phone.clone()]);
    let said = problem(&world.upload(&phone, Upload { list, ..Upload::default() }), 409);
    assert_eq!(said.code, Code::IdentityChanged.number());
    assert_eq!(said.list.as_slice(), alice.lists[0].shown(16).unwrap());
}

#[test]
fn an_upload_for_another_device_is_malformed() {
    let mut world = World::new();
    let alice = world.registered("alice", 2);
    let body = world.publication(&alice.phones[1], Upload::default());
    let said = problem(&world.ask(&alice.phones[0], Path::Publication, &body), 400);
    assert_eq!(said.code, Code::NotListed.number());
}

#[test]
fn a_repeated_upload_adds_nothing_and_a_used_key_does_not_come_back() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let phone = &alice.phones[0];
    let upload = |ids: &[u32]| Upload { lasting: Some(DAY), one_time: ids.to_vec(), ..Upload::default() };
    let body = world.publication(phone, upload(&[5, 4]));
    for _ in 0..2 {
        assert_eq!(stock(&world.ask(phone, Path::Publication, &body)).one_time, 2);
    }
    assert!(world.relay.bundle(&alice.user, DeviceId(1)).is_some());
    assert_eq!(stock(&world.ask(phone, Path::Publication, &body)).one_time, 1);
    // Below the highest id ever taken nothing is new.
    assert_eq!(stock(&world.upload(phone, upload(&[3, 6]))).one_time, 2);
}

#[test]
fn older_lasting_prekeys_do_not_replace_newer_ones() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let mut created_after = |at: u64| {
        stock(&world.upload(&alice.phones[0], Upload { lasting: Some(at), ..Upload::default() }));
        let bundle = world.relay.bundle(&alice.user, DeviceId(1)).unwrap();
        Bundle::decode(&bundle).unwrap().signed_pre_key.created_at
    };
    assert_eq!(created_after(500), 500);
    assert_eq!(created_after(499), 500);
    assert_eq!(created_after(501), 501);
}

#[test]
fn one_time_prekeys_are_handed_out_once_and_last_90_days() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let bob = world.registered("bob", 1);
    let upload = Upload { lasting: Some(world.now.0), one_time: vec![1, 2, 3], ..Upload::default() };
    stock(&world.upload(&alice.phones[0], upload));
    let asked = |user, device| Wanted { user, device: DeviceId(device) };
    let body = request::Bundles {
        devices: vec![asked(alice.user.clone(), 1), asked(alice.user.clone(), 2), asked(user("nobody"), 1)].into(),
    };
    let body = body.encode().unwrap();
    let ask = |world: &mut World| {
        let response = world.ask(&bob.phones[0], Path::Bundles, &body);
        let bundles = Bundles::decode(&response.body).unwrap().bundles.into_vec();
        assert_eq!(bundles.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false]);
        let bundle = Bundle::decode(bundles[0].as_ref().unwrap().as_slice()).unwrap();
        assert_eq!(bundle.one_time_pre_key.is_some(), bundle.kem_pre_key.usage == KemUse::OneTime);
        bundle.one_time_pre_key.map(|key| key.id)
    };
    assert_eq!(ask(&mut world), Some(1));
    assert_eq!(ask(&mut world), Some(2));
    world.pass(90 * DAY);
    assert_eq!(stock(&world.upload(&alice.phones[0], Upload::default())).one_time, 0);
    assert_eq!(ask(&mut world), None, "the last one is too old");
}

#[test]
fn a_restored_server_says_so_and_forgets_one_time_prekeys() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let upload = Upload { lasting: Some(1), one_time: vec![1], ..Upload::default() };
    stock(&world.upload(&alice.phones[0], upload));
    world.relay.restored();
    let answer = stock(&world.upload(&alice.phones[0], Upload::default()));
    assert_eq!((answer.one_time, answer.generation), (0, 2));
    assert!(world.relay.bundle(&alice.user, DeviceId(1)).is_some(), "the lasting prekeys stay");
}

#[test]
fn lists_come_in_the_order_of_the_question() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let asked = ["bob", "nobody", "alice"].map(|name| request::Asked { user: user(name), from: 0 });
    let asked = request::Lists { users: asked.to_vec().into() };
    let response = world.ask(&alice.phones[0], Path::Lists, &asked.encode().unwrap());
    let lists = Lists::decode(&response.body).unwrap().lists.into_vec();
    let lists: Vec<_> = lists.into_iter().map(|list| list.map(Into::<Vec<u8>>::into)).collect();
    assert_eq!(lists, [Some(bob.lists[0].shown(16).unwrap()), None, Some(alice.lists[0].shown(16).unwrap())]);
}

#[test]
fn a_token_registers_once() {
    let mut world = World::new();
    world.relay.set_registration(Registration::Tokens([b"ticket".to_vec()].into()));
    let mut register = |name: &str, token: &[u8]| {
        let mut account = world.account(name);
        let phone = world.phone(&account, 1);
        let list = world.list(&mut account, vec![phone.clone()]);
        world.upload(&phone, Upload { list, token: token.to_vec(), ..Upload::default() })
    };
    assert_eq!(problem(&register("alice", b""), 403).code, Code::RegistrationRefused.number());
    assert!(problem(&register("alice", b"forged"), 403).list.is_empty());
    assert_eq!(register("alice", b"ticket").status, 200);
    problem(&register("bob", b"ticket"), 403);
}

#[test]
fn a_registered_user_needs_no_token() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    world.relay.set_registration(Registration::Asking(|user, token| user.as_bytes() == token));
    stock(&world.upload(&alice.phones[0], Upload::default()));
    let mut bob = world.account("bob");
    let phone = world.phone(&bob, 1);
    let list = world.list(&mut bob, vec![phone.clone()]);
    problem(&world.upload(&phone, Upload { list: list.clone(), token: b"bab".to_vec(), ..Upload::default() }), 403);
    stock(&world.upload(&phone, Upload { list, token: b"bob".to_vec(), ..Upload::default() }));
}

#[test]
fn each_path_has_its_window() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let phone = &alice.phones[0];
    let now = world.now.0;
    let upload = world.publication(phone, Upload::default());
    let mail = request::Mail { after: 0, limit: 1 }.encode().unwrap();
    for (path, body, age) in [(Path::Publication, &upload, 60 * MINUTE), (Path::Mail, &mail, 2 * MINUTE)] {
        let mut at = |time: u64| {
            let header = world.header(phone, &Signed { audience: SERVER, path, body }, time);
            world.perform(path, Some(&header), body)
        };
        for time in [now - age, now + 2 * MINUTE] {
            assert_eq!(at(time).status, 200, "{path:?}");
        }
        for time in [now - age - 1, now + 2 * MINUTE + 1, 0, u64::MAX] {
            let said = problem(&at(time), 401);
            assert_eq!((said.code, said.time), (Code::ServerUnauthorized.number(), now), "{path:?}");
        }
    }
}

#[test]
fn a_signature_is_for_one_server_one_path_and_one_body() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let (phone, now) = (&alice.phones[0], world.now.0);
    let body = request::Push { value: vec![1].into() }.encode().unwrap();
    let signed = Signed { audience: SERVER, path: Path::Push, body: &body };
    for other in [
        Signed { audience: "other.example", ..signed },
        Signed { path: Path::Mail, ..signed },
        Signed { body: b"", ..signed },
    ] {
        let header = world.header(phone, &other, now);
        problem(&world.perform(Path::Push, Some(&header), &body), 401);
    }
    for header in [None, Some(""), Some("nonsense")] {
        problem(&world.perform(Path::Push, header, &body), 401);
    }
    let header = world.header(phone, &signed, now);
    assert_eq!(world.perform(Path::Push, Some(&header), &body).status, 200);
}

/// T13: a server that was put back by many lists takes the next upload of the primary, which carries the hashes of all lists between.
#[test]
fn n_t13_a_server_that_was_put_back_by_1000_lists_goes_on_with_the_next_upload() {
    let mut world = World::new();
    let mut alice = world.registered("alice", 1);
    let old = world.relay.clone();
    let phones = alice.phones.clone();
    for _ in 0..1_000 {
        world.list(&mut alice, phones.clone());
    }
    world.follow(&mut alice, phones.clone());
    world.relay = old;
    world.relay.restored();
    // Without the hashes it is refused, and with them taken.
    let bare = alice.lists.last().unwrap().shown(0).unwrap();
    problem(&world.upload(&phones[0], Upload { list: bare, ..Upload::default() }), 409);
    world.follow(&mut alice, phones);
    let list = sesame_core::internal::keys::device_list::VerifiedDeviceList::verify(
        &world.relay.device_list(&alice.user).unwrap(),
    )
    .unwrap();
    assert_eq!(list.list.epoch, 1_003);
    assert_eq!(list.branch.hashes.len(), 17);
}
