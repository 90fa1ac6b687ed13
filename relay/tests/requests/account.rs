use crate::phone::{Account, DAY, MINUTE, SERVER, Upload, World, problem, stock, submission, user};
use sesame_core::{
    context::Timestamp,
    error::Code,
    ids::DeviceId,
    internal::wire::{
        answer::{self, SubmitResult},
        request::{Delete, Leg, Link, Mail, Path, Push},
    },
};
use sesame_relay::Response;

fn fetch() -> Vec<u8> {
    Mail { after: 0, limit: 9 }.encode().unwrap()
}

/// Registers a first device of an account.
fn register(world: &mut World, account: &mut Account) -> Response {
    let phone = world.phone(account, 1);
    let list = world.list(account, vec![phone.clone()]);
    world.upload(&phone, Upload { list, ..Upload::default() })
}

#[test]
fn a_removed_device_is_told_with_the_signed_list_and_a_stranger_nothing() {
    let mut world = World::new();
    let mut alice = world.registered("alice", 2);
    let tablet = alice.phones[1].clone();
    assert_eq!(world.ask(&tablet, Path::Mail, &fetch()).status, 200);
    let kept = vec![alice.phones[0].clone()];
    world.follow(&mut alice, kept);
    for (path, body) in [(Path::Mail, fetch()), (Path::Submit, vec![]), (Path::Push, vec![])] {
        let said = problem(&world.ask(&tablet, path, &body), 403);
        assert_eq!(said.code, Code::RemovedFromAccount.number());
        assert_eq!(said.list.as_slice(), alice.lists[1].shown(16).unwrap());
    }
    // An upload with its old list, and one without a list.
    for list in [alice.lists[0].shown(16).unwrap(), vec![]] {
        let said = problem(&world.upload(&tablet, Upload { list, ..Upload::default() }), 403);
        assert_eq!(said.code, Code::RemovedFromAccount.number());
    }
    let stranger = world.phone(&alice, 2);
    let said = problem(&world.ask(&stranger, Path::Mail, &fetch()), 401);
    assert!(said.list.is_empty());
    let nobody = world.account("nobody");
    let nobody = world.phone(&nobody, 1);
    assert_eq!(world.ask(&nobody, Path::Mail, &fetch()), world.ask(&stranger, Path::Mail, &fetch()));
}

#[test]
fn mail_keys_and_push_value_of_a_departed_device_go_with_it() {
    let mut world = World::new();
    let (alice, mut bob) = (world.registered("alice", 1), world.registered("bob", 2));
    let tablet = bob.phones[1].clone();
    stock(&world.upload(&tablet, Upload { lasting: Some(1), one_time: vec![1], ..Upload::default() }));
    world.ask(&tablet, Path::Push, &Push { value: vec![1].into() }.encode().unwrap());
    let batch = world.batch(&alice.phones[0], &bob.phones);
    world.submit(&alice.phones[0], &batch);
    let device = (&bob.user.clone(), DeviceId(2));
    assert!(world.relay.push(device).is_some());
    assert_eq!(world.mailbox(&tablet).len(), 1);
    let replaced = world.phone(&bob, 3);
    let phones = vec![bob.phones[0].clone(), replaced.clone()];
    world.follow(&mut bob, phones);
    assert!(world.mailbox(&replaced).is_empty());
    assert_eq!(world.relay.push(device), None);
    assert_eq!(world.relay.stock(device).one_time, 0);
    assert_eq!(world.relay.bundle(&bob.user, DeviceId(2)), None);
    assert_eq!(world.mailbox(&bob.phones[0]).len(), 1, "the other device keeps its mail");
    problem(&world.ask(&tablet, Path::Mail, &fetch()), 403);
    assert_eq!(world.ask(&replaced, Path::Mail, &fetch()).status, 200);
}

#[test]
fn a_removed_device_submits_nothing() {
    let mut world = World::new();
    let (mut alice, bob) = (world.registered("alice", 2), world.registered("bob", 1));
    let tablet = alice.phones[1].clone();
    let batch = world.batch(&tablet, &bob.phones);
    let kept = vec![alice.phones[0].clone()];
    world.follow(&mut alice, kept);
    problem(&world.ask(&tablet, Path::Submit, &submission(&batch)), 403);
    assert!(world.mailbox(&bob.phones[0]).is_empty());
}

#[test]
fn the_account_key_deletes_its_account() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let batch = world.batch(&alice.phones[0], &bob.phones);
    assert!(matches!(world.submit(&alice.phones[0], &batch), SubmitResult::Taken { .. }));
    let end = Delete::sign(&bob.key, SERVER, bob.user.clone(), world.now).encode().unwrap();
    for _ in 0..2 {
        let response = world.perform(Path::Delete, None, &end);
        assert_eq!((response.status, response.body.len()), (200, 0), "a repeated deletion succeeds");
    }
    assert_eq!(world.relay.device_list(&bob.user), None);
    assert!(world.mailbox(&bob.phones[0]).is_empty());
    assert_eq!(world.submit(&alice.phones[0], &batch), SubmitResult::NoSuchUser, "the receipt went too");
    problem(&world.ask(&bob.phones[0], Path::Mail, &fetch()), 401);
}

#[test]
fn nobody_else_deletes_an_account() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let now = world.now;
    for end in [
        Delete::sign(&alice.key, SERVER, bob.user.clone(), now),
        Delete::sign(&bob.key, "other.example", bob.user.clone(), now),
        Delete::sign(&bob.key, SERVER, bob.user.clone(), Timestamp(now.0 + 2 * MINUTE + 1)),
        Delete {
            account_key: *bob.key.verifying_key().as_bytes(),
            ..Delete::sign(&alice.key, SERVER, bob.user.clone(), now)
        },
    ] {
        problem(&world.perform(Path::Delete, None, &end.encode().unwrap()), 401);
    }
    let early = Delete::sign(&bob.key, SERVER, bob.user.clone(), now).encode().unwrap();
    world.pass(2 * MINUTE + 1);
    problem(&world.perform(Path::Delete, None, &early), 401);
    assert!(world.relay.device_list(&bob.user).is_some());
}

#[test]
fn a_deleted_name_is_kept_for_its_account_key_for_90_days() {
    let mut world = World::new();
    let mut alice = world.registered("alice", 1);
    let end = Delete::sign(&alice.key, SERVER, alice.user.clone(), world.now).encode().unwrap();
    world.perform(Path::Delete, None, &end);
    let mut squatter = world.account("alice");
    let said = problem(&register(&mut world, &mut squatter), 403);
    assert_eq!(said.code, Code::RegistrationRefused.number());
    // The same account key may come back, and the old statement does not delete the new account.
    world.pass(1);
    assert_eq!(register(&mut world, &mut alice).status, 200);
    problem(&world.perform(Path::Delete, None, &end), 401);
    assert!(world.relay.device_list(&alice.user).is_some());
    // It goes again, and after 90 days anybody may have the name.
    let end = Delete::sign(&alice.key, SERVER, alice.user.clone(), world.now).encode().unwrap();
    assert_eq!(world.perform(Path::Delete, None, &end).status, 200);
    world.pass(90 * DAY - 1);
    problem(&register(&mut world, &mut squatter), 403);
    world.pass(1);
    assert_eq!(register(&mut world, &mut squatter).status, 200);
}

#[test]
fn a_link_box_needs_no_signature_and_the_first_put_wins() {
    let mut world = World::new();
    let mut link = |leg, put: Option<&[u8]>| {
        let put = put.map(|put| put.to_vec().into());
        let response = world.perform(Path::Link, None, &Link { box_name: [1; 16], leg, put }.encode().unwrap());
        answer::Link::decode(&response.body).unwrap().found.map(Into::<Vec<u8>>::into)
    };
    assert_eq!(link(Leg::Hello, None), None);
    assert_eq!(link(Leg::Hello, Some(b"hello")), Some(b"hello".to_vec()));
    assert_eq!(link(Leg::Hello, Some(b"other")), Some(b"hello".to_vec()));
    assert_eq!(link(Leg::Hello, None), Some(b"hello".to_vec()));
    assert_eq!(link(Leg::Answer, None), None);
    assert_eq!(link(Leg::Answer, Some(b"answer")), Some(b"answer".to_vec()));
    for (passed, is_there) in [(DAY + 20 * MINUTE - 1, true), (1, false)] {
        world.pass(passed);
        let look = Link { box_name: [1; 16], leg: Leg::Answer, put: None }.encode().unwrap();
        let response = world.perform(Path::Link, None, &look);
        assert_eq!(answer::Link::decode(&response.body).unwrap().found.is_some(), is_there);
    }
}

#[test]
fn a_printed_server_tells_nothing_of_its_users() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    world.ask(&alice.phones[0], Path::Push, &Push { value: b"push".to_vec().into() }.encode().unwrap());
    assert_eq!(format!("{:?}", world.relay), "Relay(users: 1)");
}

#[test]
fn n_v04_a_reset_forgets_the_account_and_its_key_does_not_get_the_name_again() {
    let mut world = World::new();
    let (alice, mut bob) = (world.registered("alice", 1), world.registered("bob", 3));
    let batch = world.batch(&alice.phones[0], &bob.phones);
    assert!(matches!(world.submit(&alice.phones[0], &batch), SubmitResult::Taken { .. }));
    let tablet = bob.phones[2].clone();
    let kept = bob.phones[..2].to_vec();
    world.follow(&mut bob, kept);
    problem(&world.ask(&tablet, Path::Mail, &fetch()), 403);
    assert!(world.relay.reset(world.now, &bob.user));
    // Nothing is left: no list, no mail, no receipt, nobody who has departed.
    assert_eq!(world.relay.device_list(&bob.user), None);
    assert!(world.mailbox(&bob.phones[0]).is_empty());
    assert_eq!(world.submit(&alice.phones[0], &batch), SubmitResult::NoSuchUser);
    problem(&world.ask(&tablet, Path::Mail, &fetch()), 401);
    // The old devices have the account key, and publish again.
    let old = bob.lists.last().unwrap().shown(16).unwrap();
    let back = |world: &mut World, list: &[u8]| {
        let upload = Upload { list: list.to_vec(), ..Upload::default() };
        problem(&world.upload(&bob.phones[0], upload), 403).code
    };
    assert_eq!(back(&mut world, &old), Code::RegistrationRefused.number());
    let mut again = world.account("bob");
    assert_eq!(register(&mut world, &mut again).status, 200);
    assert_eq!(back(&mut world, &old), Code::RegistrationRefused.number());
    // The old account key deletes nothing.
    let end = Delete::sign(&bob.key, SERVER, bob.user.clone(), world.now).encode().unwrap();
    problem(&world.perform(Path::Delete, None, &end), 401);
    assert_eq!(world.ask(&again.phones[0], Path::Mail, &fetch()).status, 200);
    // After 90 days the name is held by whoever has it.
    world.pass(90 * DAY);
    let upload = Upload { list: old, ..Upload::default() };
    assert_eq!(problem(&world.upload(&bob.phones[0], upload), 409).code, Code::IdentityChanged.number());
    assert!(!world.relay.reset(world.now, &user("nobody")));
    assert!(world.relay.device_list(&alice.user).is_some(), "nobody else has changed");
}

#[test]
fn n_v04_a_reset_frees_the_name_of_an_account_that_a_thief_has_deleted() {
    let mut world = World::new();
    let mut stolen = world.registered("alice", 1);
    let end = Delete::sign(&stolen.key, SERVER, stolen.user.clone(), world.now).encode().unwrap();
    assert_eq!(world.perform(Path::Delete, None, &end).status, 200);
    let mut alice = world.account("alice");
    problem(&register(&mut world, &mut alice), 403);
    assert!(world.relay.reset(world.now, &alice.user));
    problem(&register(&mut world, &mut stolen), 403);
    assert_eq!(register(&mut world, &mut alice).status, 200);
    // A second reset, and both of the old keys stay out; so they do when the third account ends by its own word.
    world.pass(30 * DAY);
    assert!(world.relay.reset(world.now, &alice.user));
    let mut third = world.account("alice");
    assert_eq!(register(&mut world, &mut third).status, 200);
    world.pass(1);
    let end = Delete::sign(&third.key, SERVER, third.user.clone(), world.now).encode().unwrap();
    assert_eq!(world.perform(Path::Delete, None, &end).status, 200);
    for old in [&mut stolen, &mut alice] {
        problem(&register(&mut world, old), 403);
    }
    world.pass(1);
    assert_eq!(register(&mut world, &mut third).status, 200);
    for old in [&mut stolen, &mut alice] {
        problem(&register(&mut world, old), 403);
    }
}
