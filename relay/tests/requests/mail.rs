use crate::phone::{MINUTE, Phone, SERVER, World, problem};
use sesame_core::{
    event::Batch,
    internal::wire::{
        answer,
        auth::Signed,
        request::{Confirm, Mail, Path, Push},
    },
};

fn page(world: &mut World, phone: &Phone, after: u64, limit: u16) -> (Vec<u64>, u32) {
    let response = world.ask(phone, Path::Mail, &Mail { after, limit }.encode().unwrap());
    let answer = answer::Mail::decode(&response.body).unwrap();
    (answer.mails.as_slice().iter().map(|mail| mail.id).collect(), answer.left)
}

fn confirm(world: &mut World, phone: &Phone, through: u64, ids: &[u64]) {
    let body = Confirm { through, ids: ids.to_vec().into() }.encode().unwrap();
    assert_eq!(world.ask(phone, Path::Confirm, &body).status, 200);
}

fn send(world: &mut World, from: &Phone, to: &Phone, count: usize) {
    for _ in 0..count {
        let batch = Batch { targeted: true, ..world.batch(from, std::slice::from_ref(to)) };
        world.submit(from, &batch);
    }
}

#[test]
fn pages_go_on_after_the_last_id_and_say_how_much_is_left() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 2));
    send(&mut world, &alice.phones[0], &bob.phones[0], 5);
    send(&mut world, &alice.phones[0], &bob.phones[1], 1);
    let phone = &bob.phones[0];
    let (first, left) = page(&mut world, phone, 0, 2);
    assert_eq!((first.len(), left), (2, 3));
    let (second, left) = page(&mut world, phone, first[1], 3);
    assert_eq!((second.len(), left), (3, 0));
    assert!(first[1] < second[0]);
    assert_eq!(page(&mut world, phone, second[2], 256), (vec![], 0));
    assert_eq!(page(&mut world, phone, u64::MAX, 256), (vec![], 0));
    assert_eq!(page(&mut world, phone, 0, 256).0, [first, second].concat(), "a fetch deletes nothing");
}

#[test]
fn a_page_has_at_most_a_mebibyte_and_at_least_one_envelope() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let from = &alice.phones[0];
    // The largest envelopes have 98 KB.
    for _ in 0..12 {
        let mut batch = world.batch(from, &bob.phones);
        let form = sesame_core::internal::wire::envelope::Envelope::decode(&batch.envelopes[0].envelope).unwrap();
        let large = sesame_core::internal::wire::envelope::Envelope { body: vec![7; 98_304 + 16].into(), ..form };
        batch.envelopes[0].envelope = large.encode().unwrap();
        world.submit(from, &batch);
    }
    let (ids, left) = page(&mut world, &bob.phones[0], 0, 256);
    assert_eq!((ids.len(), left), (10, 2));
}

#[test]
fn a_confirmation_drops_what_it_names() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let phone = &bob.phones[0];
    send(&mut world, &alice.phones[0], phone, 5);
    let ids = page(&mut world, phone, 0, 256).0;
    confirm(&mut world, phone, ids[1], &[ids[3]]);
    assert_eq!(page(&mut world, phone, 0, 256).0, [ids[2], ids[4]]);
    confirm(&mut world, phone, ids[1], &[ids[3], ids[4] + 100]);
    assert_eq!(page(&mut world, phone, 0, 256).0, [ids[2], ids[4]], "again, and an unknown one: no effect");
}

#[test]
fn ids_of_others_have_no_effect() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 2));
    send(&mut world, &alice.phones[0], &bob.phones[0], 2);
    let ids = page(&mut world, &bob.phones[0], 0, 256).0;
    confirm(&mut world, &bob.phones[1], ids[1], &ids);
    confirm(&mut world, &alice.phones[0], ids[1], &ids);
    assert_eq!(page(&mut world, &bob.phones[0], 0, 256).0, ids);
}

#[test]
fn a_replayed_confirmation_drops_no_later_mail() {
    let mut world = World::new();
    let (alice, bob) = (world.registered("alice", 1), world.registered("bob", 1));
    let phone = &bob.phones[0];
    send(&mut world, &alice.phones[0], phone, 2);
    let newest = page(&mut world, phone, 0, 256).0[1];
    for through in [newest, newest + 1, u64::MAX] {
        let body = Confirm { through, ids: vec![].into() }.encode().unwrap();
        let signed = Signed { audience: SERVER, path: Path::Confirm, body: &body };
        let header = world.header(phone, &signed, world.now.0);
        assert_eq!(world.perform(Path::Confirm, Some(&header), &body).status, 200);
        if through == newest + 1 {
            continue;
        }
        send(&mut world, &alice.phones[0], phone, 1);
        let waiting = page(&mut world, phone, 0, 256).0;
        world.pass(30 * MINUTE - 1);
        assert_eq!(world.perform(Path::Confirm, Some(&header), &body).status, 200);
        assert_eq!(page(&mut world, phone, 0, 256).0, waiting);
    }
}

#[test]
fn a_push_value_is_kept_until_another_one_comes() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    let device = alice.phones[0].keys.party.device;
    let mut set = |value: &[u8]| {
        let body = Push { value: value.to_vec().into() }.encode().unwrap();
        assert_eq!(world.ask(&alice.phones[0], Path::Push, &body).status, 200);
        world.relay.push((&alice.user, device)).map(<[u8]>::to_vec)
    };
    assert_eq!(set(b"one"), Some(b"one".to_vec()));
    assert_eq!(set(b"two"), Some(b"two".to_vec()));
    assert_eq!(set(b""), None);
}

#[test]
fn a_limit_outside_its_range_is_malformed() {
    let mut world = World::new();
    let alice = world.registered("alice", 1);
    for limit in [0_u16, 257] {
        let body = [&[0; 8][..], &limit.to_be_bytes()].concat();
        problem(&world.ask(&alice.phones[0], Path::Mail, &body), 400);
    }
}
