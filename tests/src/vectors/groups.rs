//! What a group keeps of operations under one number, and which operations count.

use super::hex;
use crate::{ALICE, BOB, JEN, Name, World};
use serde_json::{Value, json};
use sesame_core::{
    ids::UserId,
    internal::{
        group::{operation::Operation, set::Set},
        wire::group::{Body, Change},
    },
};

fn named(name: &str) -> Change {
    Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() }
}

fn sign(world: &World, from: Name, set: &Set, body: Body) -> Operation {
    let keys = world.own(from).keys();
    let draft = set.draft(&keys.party, body).unwrap();
    Operation::sign(&keys, &world.list(from.0), draft).unwrap()
}

/// Four operations of one device under one number, upon the last of which another member has built, and two creates of one group: the
/// operations in no order, and those that are kept.
pub(super) fn kept() -> Value {
    let mut world = World::acquainted(0x5e5c, &[("alice", 1), ("bob", 1), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let set = world.operations(ALICE, id);
    let info = |name: &str| Body::Info { change: named(name) };
    let mut four: Vec<Operation> = (0..4).map(|n| sign(&world, JEN, &set, info(&format!("Jen {n}")))).collect();
    four.sort_by_key(|operation| operation.id);
    let mut bobs = set.clone();
    bobs.insert(four[3].clone()).unwrap();
    let upon = sign(&world, BOB, &bobs, info("By Bob"));
    let Body::Create { kind, account_key, random, .. } = set.operations()[0].form.body else { unreachable!() };
    let twin = Body::Create { kind, account_key, random, change: named("Twin"), origin: None };
    let twin = sign(&world, ALICE, &Set::new(id), twin);
    let mut all: Vec<Operation> = set.operations().into_iter().cloned().chain(four).chain([upon, twin]).collect();
    let mut whole = Set::new(id);
    let taken = whole.take(all.clone(), Vec::new());
    assert!(taken.waiting.is_empty() && taken.refused.is_empty());
    let view = whole.view().unwrap();
    assert_eq!((whole.entered().len(), whole.operations().len(), view.info.name.as_str()), (8, 7, "By Bob"));
    all.sort_by_key(|operation| operation.id);
    let lists = ["alice", "bob", "jen"].map(|name| hex(&world.list(name).signed));
    json!({
        "id": hex(&id.0),
        "lists": lists,
        "operations": all.iter().map(|operation| hex(&operation.signed)).collect::<Vec<_>>(),
        "kept": whole.operations().iter().map(|operation| hex(&operation.id.0)).collect::<Vec<_>>(),
        "members": view.members.iter().map(|member| member.user.as_str()).collect::<Vec<_>>(),
        "name": view.info.name,
        "digest": hex(&view.claim.digest),
    })
}

/// Small sets, each with what counts of it and who is a member by it.
pub(super) fn counts() -> Value {
    let mut world = World::acquainted(0x5e5d, &[("alice", 2), ("bob", 2), ("jen", 1), ("carol", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let set = world.operations(ALICE, id);
    let lists = ["alice", "bob", "jen", "carol"].map(|name| world.list(name));
    // Alice's list without her second device, for a retirement.
    world.remove(("alice", 2));
    let shorter = world.list("alice");
    let info = |name: &str| Body::Info { change: named(name) };
    let add = |set: &Set, name: &str, key: Option<[u8; 32]>| {
        let account = world.list(name).account();
        let user = UserId::try_from(name).unwrap();
        let leaves: Vec<[u8; 32]> = set.leaves_of(&user, &account).iter().map(|leave| leave.0).collect();
        let added = sesame_core::internal::wire::group::Added {
            user: name.as_bytes().to_vec().into(),
            account_key: key.unwrap_or(account.0),
            leaves: leaves.into(),
        };
        Body::Add { members: vec![added].into() }
    };
    let under = |from: Name, set: &Set, body: Body| {
        let keys = world.own(from).keys();
        let list = lists.iter().find(|list| list.user.as_str() == from.0).unwrap();
        Operation::sign(&keys, list, set.draft(&keys.party, body).unwrap()).unwrap()
    };
    let with = |set: &Set, operations: &[&Operation]| {
        let mut set = set.clone();
        assert!(operations.iter().all(|operation| set.insert((*operation).clone()) == Ok(true)));
        set
    };
    let retire = |set: &Set, last: u64| {
        let keys = world.own(ALICE).keys();
        Operation::sign(&keys, &shorter, set.draft(&keys.party, Body::Retire { device: 2, last }).unwrap()).unwrap()
    };
    let (tablet, phone) = (("alice", 2), ("bob", 2));
    let mut sets = Vec::new();
    let mut judge = |what: &str, whole: Set| {
        let view = whole.view().unwrap();
        sets.push(json!({
            "what": what,
            "operations": whole.operations().iter().map(|operation| json!({
                "signed": hex(&operation.signed),
                "counts": !view.void.contains(&operation.id),
            })).collect::<Vec<_>>(),
            "members": view.members.iter().map(|member| json!({
                "user": member.user.as_str(),
                "account_keys": member.account_keys.iter().map(|key| hex(&key.0)).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "name": view.info.name,
            "digest": hex(&view.claim.digest),
        }));
    };
    // What a retirement makes void, and what rests on it.
    let adds = under(tablet, &set, add(&set, "carol", None));
    let theirs = with(&set, &[&adds]);
    let upon = under(("carol", 1), &theirs, info("By Carol"));
    judge("a retirement makes void an add, and a word of whom it added", with(&theirs, &[&upon, &retire(&set, 0)]));
    judge("a retirement leaves what it has in its past", with(&theirs, &[&upon, &retire(&theirs, 0)]));
    judge("a retirement leaves what is not above its last number", with(&theirs, &[&upon, &retire(&set, 1)]));
    // Leaves: by a retired device, and beside an add of the leaver.
    let leaves = under(tablet, &set, Body::Leave);
    judge("a leave by a retired device is void", with(&set, &[&leaves, &retire(&set, 0)]));
    let leaves = under(BOB, &set, Body::Leave);
    let beside = under(phone, &set, add(&set, "carol", None));
    let titled = under(phone, &set, info("Beside"));
    judge("what is said beside a leave counts", with(&set, &[&leaves, &beside]));
    judge("an update beside a leave counts", with(&set, &[&leaves, &titled]));
    // Back by an own word, which a decline outranks.
    let gone = with(&set, &[&leaves]);
    let asks = under(JEN, &gone, add(&gone, "bob", None));
    let asked = with(&gone, &[&asks]);
    let accepts = under(BOB, &asked, Body::Accept { add: asks.id.0 });
    let declines = under(phone, &asked, Body::Decline { add: asks.id.0 });
    judge("who is asked back is no member", asked.clone());
    judge("who accepts is one", with(&asked, &[&accepts]));
    judge("a decline outranks an accept beside it", with(&asked, &[&accepts, &declines]));
    // Two identities of one name, and two words of one Lamport number.
    let other = under(BOB, &set, add(&set, "jen", Some([9; 32])));
    judge("two identities of one name are both members", with(&set, &[&other]));
    let (one, two) = (under(ALICE, &set, info("By Alice")), under(JEN, &set, info("By Jen")));
    judge("of two updates the last by order holds", with(&set, &[&two, &one]));
    json!({
        "id": hex(&id.0),
        "lists": lists.iter().chain([&shorter]).map(|list| hex(&list.signed)).collect::<Vec<_>>(),
        "sets": sets,
    })
}
