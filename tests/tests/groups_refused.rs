//! What a dishonest member's bundles do to the honest words beside them, and to the stores of those who take them (X 11).

use sesame_core::event::{Event, Received};
use sesame_core::ids::{DeviceId, GroupId};
use sesame_core::internal::crypto::{ed25519::SigningKey, labels};
use sesame_core::internal::group::operation::Operation;
use sesame_core::internal::keys::device_list::{self, Listing, VerifiedDeviceList};
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::group::{self as form, Body, Bundle, Change, SignedOperation};
use sesame_core::{context::Timestamp, limits::MAX_WAITING};
use sesame_tests::{ALICE, BOB, JEN, Name, World, events, failures, user};

fn named(name: &str) -> Body {
    Body::Info { change: Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() } }
}

/// An operation of a member under one of its user's lists, changed at will.
fn signed(
    world: &World,
    from: Name,
    id: GroupId,
    list: &VerifiedDeviceList,
    body: Body,
    spoil: impl Fn(&mut form::Operation),
) -> SignedOperation {
    let keys = world.own(from).keys();
    let draft = world.operations(from, id).draft(&keys.party, body).unwrap();
    let mut form = Operation::sign(&keys, list, draft).unwrap().form;
    spoil(&mut form);
    let bytes = form::encode_unchecked(&form).unwrap();
    let signature = keys.signing.sign(labels::GROUP_OPERATION, &bytes);
    SignedOperation { operation: bytes.into(), signature }
}

/// Delivers a bundle to Bob in the place of a message of its sender.
fn deliver(world: &mut World, from: Name, id: GroupId, lists: &[Vec<u8>], operations: Vec<SignedOperation>) {
    let lists: Vec<_> = lists.iter().map(|list| list.clone().into()).collect();
    let bundle = Bundle { lists: lists.into(), operations: operations.into() }.encode().unwrap();
    let send = world.replace_payload(from, id, &bundle);
    world.drive(from, send).unwrap();
}

#[test]
fn n_g01_a_refused_word_leaves_the_rest_of_its_bundle_alone() {
    let (mut world, id) = World::trio(301);
    let list = world.list("jen");
    let good = signed(&world, JEN, id, &list, named("good"), |_| {});
    let mut bad = signed(&world, JEN, id, &list, named("bad"), |_| {});
    bad.signature[3] ^= 1;
    let ill_timed = signed(&world, JEN, id, &list, named("ill-timed"), |operation| operation.lamport += 5);
    let unlisted = signed(&world, JEN, id, &list, named("unlisted"), |operation| operation.list = [7; 32]);
    // Among its lists is one that is none.
    let mut spoilt = world.list("bob").signed;
    *spoilt.last_mut().unwrap() ^= 1;
    deliver(&mut world, JEN, id, &[list.signed.clone(), spoilt], vec![bad.clone(), ill_timed, good, unlisted]);
    let results = world.receive(BOB).unwrap();
    assert_eq!(failures(&results), []);
    assert_eq!(world.group(BOB, id).unwrap().info.name, "good");
    // Where nothing else comes of a bundle, it is a failure.
    deliver(&mut world, JEN, id, &[list.signed], vec![bad]);
    assert_eq!(failures(&world.receive(BOB).unwrap()), [sesame_core::error::Code::BadSignature]);
}

/// Before, each operation that waited and was pushed out left the list that it cites in the store.
#[test]
fn n_g01_lists_that_no_operation_cites_leave_the_store() {
    let (mut world, id) = World::trio(302);
    let own = world.own(JEN);
    let account = SigningKey::from_seed(own.account.clone().unwrap());
    let only = world.list("jen").list.devices[0];
    let listed = Listing { id: only.id, added_at_epoch: 1, ..only };
    let before = world.rows(BOB, &[Kind::GroupList]);
    for round in 0..10_u64 {
        let (mut lists, mut operations) = (Vec::new(), Vec::new());
        for n in 0..20 {
            let at = Timestamp(world.now + round * 20 + n);
            let list = device_list::sign(&account, &user("jen"), None, &[listed], at).unwrap();
            operations.push(signed(&world, JEN, id, &list, named("x"), |operation| {
                operation.parents = vec![[u8::try_from(round * 20 + n).unwrap(); 32]].into();
                operation.lamport = 9;
            }));
            lists.push(list.signed);
        }
        deliver(&mut world, JEN, id, &lists, operations);
        assert_eq!(failures(&world.receive(BOB).unwrap()), []);
        let rows = world.rows(BOB, &[Kind::GroupList]);
        assert!(rows <= before + MAX_WAITING, "{rows} lists after {round} bundles");
    }
    // And nobody is kept out by what waits.
    world.act(ALICE, id, |group, c| group.rename(c, "on it goes")).unwrap();
    world.receive(BOB).unwrap();
    assert_eq!(world.group(BOB, id).unwrap().info.name, "on it goes");
}

/// A member that tells everybody something else, many times under one number: whoever they hear first, all come together, and both of the
/// signed words are shown.
#[test]
fn n_g01_three_words_under_one_number_end_in_one_group_for_all() {
    let (mut world, id) = World::trio(303);
    let list = world.list("jen");
    for n in 0..6 {
        let word = signed(&world, JEN, id, &list, named(&format!("name {n}")), |_| {});
        let bundle = Bundle { lists: vec![list.signed.clone().into()].into(), operations: vec![word].into() };
        let send = world.replace_payload(JEN, id, &bundle.encode().unwrap());
        let whom = user(if n % 2 == 0 { "bob" } else { "alice" });
        let batch = send.batches.iter().find(|batch| batch.user == whom).unwrap();
        world.relay.submit((&user("jen"), DeviceId(1)), batch).unwrap();
    }
    let mut found: Vec<Received> = Vec::new();
    let mut rest = |world: &mut World| {
        let heard = world.rest().into_iter().filter(|(name, _)| *name != JEN);
        found.extend(heard.flat_map(|(_, results)| results));
    };
    rest(&mut world);
    for name in [ALICE, BOB, JEN, ALICE, BOB, JEN] {
        world.say(name, id, b"what is it called?").unwrap();
        rest(&mut world);
    }
    assert_eq!(world.group(ALICE, id).unwrap().info, world.group(BOB, id).unwrap().info);
    assert_eq!(world.group(ALICE, id).unwrap().diverged, []);
    assert_eq!(world.operations(ALICE, id).operations(), world.operations(BOB, id).operations());
    let twice: Vec<_> = events(&found)
        .into_iter()
        .filter_map(|event| match event {
            Event::GroupEquivocation { user: of, known, other, .. } if *of == user("jen") => Some((known, other)),
            _ => None,
        })
        .collect();
    assert_eq!(twice.len(), 2, "each of both is told once");
    for (known, other) in twice {
        let [known, other] = [known, other].map(|signed| {
            let signed = SignedOperation::decode(signed).unwrap();
            Operation::verify(&signed, |hash| (*hash == list.list.hash).then_some(&list)).unwrap()
        });
        assert_ne!(known.id, other.id);
        assert_eq!(known.slot(), other.slot());
    }
}
