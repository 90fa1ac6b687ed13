//! What a dishonest member's bundles do to the honest words beside them, to the stores of those who take them, and to what they know of users
//! (X 11).

use sesame_core::error::Code;
use sesame_core::event::{Event, Received, Standing};
use sesame_core::ids::{DeviceId, GroupId};
use sesame_core::internal::crypto::{ed25519::SigningKey, labels};
use sesame_core::internal::group::operation::Operation;
use sesame_core::internal::keys::device_list::{self, Listing, VerifiedDeviceList};
use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::group::{self as form, Added, Body, Bundle, Change, SignedOperation};
use sesame_core::{context::Timestamp, limits::MAX_WAITING};
use sesame_tests::{ALICE, BOB, DAY, JEN, Name, World, events, failures, messages, user};

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
    assert_eq!(failures(&world.receive(BOB).unwrap()), [Code::BadSignature]);
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

const MALLORY: Name = ("mallory", 1);

/// Mallory, a member, adds a user under an account key of her own making, and Bob hears it.
fn make_up(world: &mut World, id: GroupId, name: &str) -> Vec<Event> {
    let list = world.list("mallory");
    let added = Added { user: name.as_bytes().to_vec().into(), account_key: [9; 32], leaves: vec![].into() };
    let add = signed(world, MALLORY, id, &list, Body::Add { members: vec![added].into() }, |_| {});
    deliver(world, MALLORY, id, &[list.signed], vec![add]);
    let results = world.receive(BOB).unwrap();
    assert_eq!(failures(&results), []);
    events(&results).into_iter().cloned().collect()
}

/// Before, any member of any group blocked all sends to a user by an add under a made-up key.
#[test]
fn n_t02_an_add_under_a_made_up_key_stops_no_direct_send() {
    let mut world = World::acquainted(304, &[("alice", 1), ("bob", 1), ("jen", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "mallory"]);
    let other = world.found(ALICE, "Other", &["bob", "jen"]);
    let heard = make_up(&mut world, id, "jen");
    assert!(!heard.iter().any(|event| matches!(event, Event::IdentityChanged { .. })), "{heard:?}");
    assert_eq!(world.group(BOB, id).unwrap().conflicts, [user("jen")]);
    assert_eq!(world.group(BOB, other).unwrap().conflicts, []);
    // Direct messages and other groups go on.
    world.receive(JEN).unwrap();
    world.send(BOB, &["jen"], b"directly");
    world.say(BOB, other, b"in the other group").unwrap();
    let results = world.receive(JEN).unwrap();
    let read: Vec<&[u8]> = messages(&results).iter().map(|message| message.payload.as_slice()).collect();
    assert_eq!(read, [b"directly".as_slice(), b"in the other group"]);
    // Here Jen is told nothing, and the others get everything.
    let send = world.whisper(BOB, id, b"here");
    assert_eq!(send.failed, [(user("jen"), Code::IdentityNotAccepted.number())]);
    let to: Vec<_> = send.batches.iter().map(|batch| batch.user.clone()).collect();
    assert_eq!(to, [user("alice"), user("mallory"), user("bob")], "and who is ours");
    assert_eq!(
        world.with(BOB, |d, c| d.users(c)).unwrap().iter().filter(|known| known.claimed_key.is_some()).count(),
        0
    );
}

/// Before, who added our name under a made-up key made us a member of the group in our own view.
#[test]
fn n_t02_an_add_of_our_own_name_under_a_made_up_key_makes_us_no_member() {
    let mut world = World::acquainted(307, &[("alice", 1), ("bob", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "mallory"]);
    let before = world.dump(MALLORY);
    world.act(BOB, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    world.forget_since(MALLORY, &before);
    let heard = make_up(&mut world, id, "bob");
    assert_eq!(world.members(BOB, id), ["alice", "bob", "mallory"], "the group names a Bob");
    assert!(!heard.iter().any(|event| matches!(event, Event::GroupJoined { .. })), "{heard:?}");
    assert_eq!(world.standing(BOB, id), Some(Standing::Left));
    // Nor does it bring the group back: what is said there is shown for as long as after any leave.
    world.pass(31 * DAY);
    world.publish(MALLORY);
    let send = world.whisper(MALLORY, id, b"still there?");
    let batch = send.batches.iter().find(|batch| batch.user == user("bob")).unwrap();
    world.relay.submit((&user("mallory"), DeviceId(1)), batch).unwrap();
    assert_eq!(messages(&world.receive(BOB).unwrap()).len(), 0);
}

#[test]
fn n_t02_an_add_pins_nobody() {
    let mut world = World::acquainted(305, &[("alice", 1), ("bob", 1), ("mallory", 1)]);
    world.create("zoe");
    let id = world.found(ALICE, "Trip", &["bob", "mallory"]);
    make_up(&mut world, id, "zoe");
    let knows = |world: &mut World| {
        let users = world.with(BOB, |d, c| d.users(c)).unwrap();
        users.iter().find(|known| known.user == user("zoe")).map(|known| known.account_key)
    };
    assert_eq!(knows(&mut world), None);
    // Her signed list, when a send asks for it, is what is pinned, as at any first contact. It is not that of the member.
    let send = world.whisper(BOB, id, b"to whom?");
    assert_eq!(send.needs.len(), 1);
    let left = world.drive(BOB, send).unwrap().unwrap();
    assert_eq!(left.failed, [(user("zoe"), Code::IdentityNotAccepted.number())]);
    assert_eq!(knows(&mut world), Some(world.list("zoe").account()));
    assert_eq!(world.group(BOB, id).unwrap().conflicts, [user("zoe")]);
    world.send(BOB, &["zoe"], b"hello");
    assert_eq!(world.read(("zoe", 1)), [b"hello"]);
}

/// Before, a member with a new account key could be had back by a fork alone.
#[test]
fn n_t17_who_is_known_under_another_key_is_readmitted_by_one_call() {
    let mut world = World::acquainted(306, &[("alice", 1), ("bob", 1), ("jen", 1), ("mallory", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "mallory"]);
    make_up(&mut world, id, "jen");
    let readmit = |world: &mut World, name: &'static str| {
        world.act(BOB, id, |group, c| group.readmit(c, &user(name))).map_err(|error| (error.code, error.field))
    };
    assert_eq!(readmit(&mut world, "alice"), Err((Code::InvalidArgument, Some("user"))), "she is no other");
    assert_eq!(readmit(&mut world, "nobody"), Err((Code::UnknownUser, Some("user"))));
    let again = world.act(BOB, id, |group, c| group.add(c, &[user("jen")])).map_err(|error| error.code);
    assert_eq!(again, Err(Code::AlreadyMember));
    assert_eq!(readmit(&mut world, "jen"), Ok(()));
    assert_eq!(world.group(BOB, id).unwrap().conflicts, []);
    world.rest();
    assert_eq!(world.members(JEN, id), ["alice", "bob", "jen", "mallory"]);
    world.say(BOB, id, b"welcome").unwrap();
    world.say(JEN, id, b"thank you").unwrap();
    let heard = world.rest();
    let read = |of: Name| -> Vec<Vec<u8>> {
        let results = heard.iter().filter(|(name, _)| *name == of).flat_map(|(_, results)| messages(results));
        results.map(|message| message.payload.clone()).collect()
    };
    assert_eq!((read(JEN), read(BOB)), (vec![b"welcome".to_vec()], vec![b"thank you".to_vec()]));
    assert_eq!(readmit(&mut world, "jen"), Err((Code::InvalidArgument, Some("user"))), "once is enough");
}

/// > From the leaver's own devices, new adds and updates are refused once we have known the leave for MAXLATENCY (X 11).
#[test]
fn n_g05_a_leaver_changes_nothing_once_the_leave_is_long_known() {
    let (mut world, id) = World::trio(305);
    let tablet = world.link("jen");
    world.say(tablet, id, b"the tablet is here too").unwrap();
    for name in [ALICE, BOB, JEN] {
        world.receive(name).unwrap();
    }
    world.say(BOB, id, b"heard").unwrap();
    world.receive(tablet).unwrap();
    world.act(JEN, id, |group, context| group.leave(context)).unwrap();
    world.receive(BOB).unwrap();
    // The tablet has not heard of it.
    let list = world.list("jen");
    let name_of = |world: &mut World| world.group(BOB, id).unwrap().info.name;
    let rename = |world: &mut World, name: &str| {
        let word = signed(world, tablet, id, &list, named(name), |_| {});
        deliver(world, tablet, id, std::slice::from_ref(&list.signed), vec![word]);
        world.receive(BOB).unwrap();
    };
    rename(&mut world, "said beside the leave");
    assert_eq!(name_of(&mut world), "said beside the leave");
    world.pass(31 * 24 * 60 * 60 * 1_000);
    rename(&mut world, "a month later");
    assert_eq!(name_of(&mut world), "said beside the leave");
}
