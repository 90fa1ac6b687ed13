//! What a group keeps of operations under one number, and which operations count.

use super::hex;
use crate::{ALICE, BOB, JEN, Name, World};
use serde_json::{Value, json};
use sesame_core::{
    ids::UserId,
    internal::{
        group::{operation::Operation, set::Set},
        keys::device_list::VerifiedDeviceList,
        wire::group::{Added, Body, Change},
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
    world.remove(("bob", 2));
    let bobs = world.list("bob");
    // Who has Alice's account key lists the device again, after its retirement.
    let again = world.forge_list("alice", Some(&shorter.list), &lists[0].list.devices).unwrap();
    let info = |name: &str| Body::Info { change: named(name) };
    let add = |set: &Set, name: &str, key: Option<[u8; 32]>| {
        let account = world.list(name).account();
        let user = UserId::try_from(name).unwrap();
        let leaves: Vec<[u8; 32]> = set.leaves_of(&user, &account).iter().map(|leave| leave.0).collect();
        let added = Added {
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
    let retires = |from: Name, list: &VerifiedDeviceList, set: &Set, last: u64| {
        let keys = world.own(from).keys();
        Operation::sign(&keys, list, set.draft(&keys.party, Body::Retire { device: 2, last }).unwrap()).unwrap()
    };
    let retire = |set: &Set, last: u64| retires(ALICE, &shorter, set, last);
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
    let late = {
        let keys = world.own(tablet).keys();
        Operation::sign(&keys, &again, set.draft(&keys.party, info("Under a newer list")).unwrap()).unwrap()
    };
    judge("a retirement leaves what was signed under a newer list", with(&set, &[&late, &retire(&set, 0)]));
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
    // Consent: whose word it is, what it answers, and how long it holds.
    let declined = with(&asked, &[&declines]);
    judge("who declines is no member", declined.clone());
    let after = under(BOB, &declined, Body::Accept { add: asks.id.0 });
    judge("a decline outranks an accept after it", with(&declined, &[&after]));
    let retired = retires(BOB, &bobs, &asked, 0);
    let spoken = under(phone, &asked, Body::Accept { add: asks.id.0 });
    judge("an accept by a retired device does not count", with(&asked, &[&spoken, &retired]));
    let retired = retires(BOB, &bobs, &with(&asked, &[&accepts]), 0);
    judge("a decline by a retired device does not count", with(&asked, &[&accepts, &declines, &retired]));
    let back = with(&asked, &[&accepts]);
    let once_more = with(&back, &[&under(BOB, &back, Body::Leave)]);
    judge("who leaves again is gone", once_more.clone());
    let asks_again = under(JEN, &once_more, add(&once_more, "bob", None));
    let asked_again = with(&once_more, &[&asks_again]);
    judge("an accept does not answer the next invitation", asked_again.clone());
    let accepts_again = under(BOB, &asked_again, Body::Accept { add: asks_again.id.0 });
    judge("each invitation is accepted by itself", with(&asked_again, &[&accepts_again]));
    let alices = under(ALICE, &gone, add(&gone, "bob", None));
    let twice = with(&asked, &[&alices]);
    let (yes, no) = (Body::Accept { add: asks.id.0 }, Body::Decline { add: alices.id.0 });
    let one_of_two = with(&twice, &[&under(BOB, &twice, yes), &under(phone, &twice, no)]);
    judge("who declines one of two invitations and accepts the other is a member", one_of_two);
    // Two identities of one name, and two words of one Lamport number.
    let other = under(BOB, &set, add(&set, "jen", Some([9; 32])));
    judge("two identities of one name are both members", with(&set, &[&other]));
    let (one, two) = (under(ALICE, &set, info("By Alice")), under(JEN, &set, info("By Jen")));
    judge("of two updates the last by order holds", with(&set, &[&two, &one]));
    json!({
        "id": hex(&id.0),
        "lists": lists.iter().chain([&shorter, &bobs, &again]).map(|list| hex(&list.signed)).collect::<Vec<_>>(),
        "sets": sets,
    })
}

/// Random histories of five devices that say what they like, each by what it has heard, three of a number at times: what each comes to.
pub(super) fn random() -> Value {
    let mut world = World::acquainted(0x5e60, &[("alice", 2), ("bob", 1), ("jen", 1), ("carol", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let start = world.operations(ALICE, id);
    let lists = ["alice", "bob", "jen", "carol"].map(|name| world.list(name));
    world.remove(("alice", 2));
    let shorter = world.list("alice");
    let names = [ALICE, ("alice", 2), BOB, JEN, ("carol", 1)];
    let keys = names.map(|name| world.own(name).keys());
    let mut spares = 0;
    let histories: Vec<Value> = (0..12)
        .map(|_| {
            let mut sets = names.map(|_| start.clone());
            let mut signed = Vec::new();
            for _ in 0..18 {
                let (who, other) = (world.below(names.len()), world.below(names.len()));
                if world.below(3) == 0 {
                    let heard = sets[other].entered().to_vec();
                    sets[who].take(heard, Vec::new());
                    continue;
                }
                // At times three words under one number, two of which are shown to others alone.
                let words = if world.below(4) == 0 { 3 } else { 1 };
                let by = sets[who].clone();
                for word in 1..=words {
                    let body = any_body(&mut world, &by, &lists, names[who]);
                    let list = lists.iter().find(|list| list.user.as_str() == names[who].0).unwrap();
                    let list = if matches!(body, Body::Retire { .. }) { &shorter } else { list };
                    let said = Operation::sign(&keys[who], list, by.draft(&keys[who].party, body).unwrap()).unwrap();
                    let to = if word == words { who } else { (who + word) % names.len() };
                    let _ = sets[to].insert(said.clone());
                    signed.push(said);
                }
            }
            let mut whole = start.clone();
            whole.take(signed, Vec::new());
            spares += whole.entered().len() - whole.operations().len();
            let view = whole.view().unwrap();
            let mut all: Vec<&Operation> = whole.entered().iter().collect();
            all.sort_by_key(|operation| operation.id);
            json!({
                "operations": all.iter().map(|operation| hex(&operation.signed)).collect::<Vec<_>>(),
                "void": view.void.iter().map(|id| hex(&id.0)).collect::<Vec<_>>(),
                "members": view.members.iter().map(|member| member.user.as_str()).collect::<Vec<_>>(),
                "name": view.info.name,
                "digest": hex(&view.claim.digest),
            })
        })
        .collect();
    assert!(spares > 0, "else they do not show what is kept");
    json!({
        "id": hex(&id.0),
        "lists": lists.iter().chain([&shorter]).map(|list| hex(&list.signed)).collect::<Vec<_>>(),
        "histories": histories,
    })
}

/// Whatever a device may say by the form, whoever would count it.
fn any_body(world: &mut World, set: &Set, lists: &[VerifiedDeviceList], from: Name) -> Body {
    let invites = |operation: &&Operation| match &operation.form.body {
        Body::Add { members } => members
            .iter()
            .any(|added| added.user.as_slice() == from.0.as_bytes() && !added.leaves.as_slice().is_empty()),
        _ => false,
    };
    let invitation = set.operations().into_iter().rev().find(invites).map(|add| add.id.0);
    match (world.below(7), invitation) {
        (0, _) => Body::Leave,
        (1, _) if from == ALICE => Body::Retire { device: 2, last: world.below(3) as u64 },
        (2 | 3, Some(add)) => Body::Accept { add },
        (4, Some(add)) => Body::Decline { add },
        (2..=4, None) => {
            let list = &lists[world.below(lists.len())];
            let leaves: Vec<[u8; 32]> =
                set.leaves_of(&list.user, &list.account()).iter().map(|leave| leave.0).collect();
            let added = Added {
                user: list.user.as_bytes().to_vec().into(),
                account_key: list.account().0,
                leaves: leaves.into(),
            };
            Body::Add { members: vec![added].into() }
        }
        _ => Body::Info { change: named(&format!("By {} {}", from.0, world.below(100))) },
    }
}
