//! A group's operations as a set: the same operations give the same group, in whatever order and however often they come (D6, X 11).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod groups;

use groups::{
    Replica, Signer, add, create, devices, members, named, permutations, rename, shown, signer, trio, user,
    with_context,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sesame_core::{
    error::Code,
    event::{Event, Standing},
    ids::DeviceId,
    internal::{
        group::{
            change::{self, Us},
            operation::{Draft, Operation},
        },
        keys::device_list::{self, Listing},
        wire::group::{Added, Body, Change, SignedOperation},
    },
};
use std::collections::BTreeSet;

/// Up to six members and twelve operations, at random, with partial knowledge.
#[test]
fn t81_a52_six_members_and_twelve_operations_converge() {
    let names = ["alice", "bob", "carol", "dave", "erin", "jen"];
    for seed in 0..150 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut below = |n: usize| (rng.next_u64() % n as u64) as usize;
        let signers = with_context(seed, |context| names.map(|name| signer(name, context)));
        let (id, created) = create(&signers[0], 7);
        let mut replicas: Vec<Replica> = signers.iter().map(|signer| Replica::new(signer, id)).collect();
        let mut all = vec![created.clone()];
        for replica in &mut replicas {
            replica.take(std::slice::from_ref(&created));
        }
        // A group that all have left has nothing more to say.
        for _ in 0..200 {
            if all.len() == 12 {
                break;
            }
            let who = below(6);
            // Hears some of what there is.
            let some: Vec<Operation> = all.iter().filter(|_| below(3) > 0).cloned().collect();
            replicas[who].take(&some);
            let (replica, view) = (&replicas[who], replicas[who].view());
            let us = replica.signer.keys.party.user.clone();
            let invitation = view.invitation(&us, &replica.signer.keys.party.account());
            let whom = &signers[below(6)];
            let body = match below(5) {
                _ if invitation.is_some() => match below(2) {
                    0 => Body::Accept { add: invitation.unwrap().0 },
                    _ => Body::Decline { add: invitation.unwrap().0 },
                },
                _ if !view.is_member(&us) => continue,
                0 => Body::Leave,
                1 => rename(&format!("{}", below(99))),
                _ if view.is_member(&whom.keys.party.user) => continue,
                _ => add(replica, &[whom]),
            };
            all.push(replicas[who].act(body));
        }
        let mut expected = None;
        for _ in 0..8 {
            let mut order = all.clone();
            for at in (1..order.len()).rev() {
                order.swap(at, below(at + 1));
            }
            let mut replica = Replica::new(&signers[0], id);
            for operation in order.iter().chain(order.iter().take(4)) {
                replica.take(std::slice::from_ref(operation));
            }
            assert_eq!(replica.waiting, []);
            let view = shown(&replica.view());
            assert_eq!(*expected.get_or_insert(view.clone()), view, "seed {seed}");
        }
        for leave in all.iter().filter(|operation| operation.form.body == Body::Leave) {
            let answered = |o: &&Operation| o.author == leave.author && matches!(o.form.body, Body::Accept { .. });
            let is_member = replicas[0].set.view().is_some() && {
                let mut whole = Replica::new(&signers[0], id);
                whole.take(&all);
                whole.view().is_member(&leave.author)
            };
            assert!(!is_member || all.iter().any(|o| answered(&o)), "seed {seed}: back without a word");
        }
    }
}

#[test]
fn t80_adds_that_do_not_know_of_each_other_both_count() {
    let ([mut alice, mut bob, _], _) = trio();
    let [carol, dave] = with_context(2, |context| ["carol", "dave"].map(|name| signer(name, context)));
    let one = alice.act(add(&alice.clone(), &[&carol]));
    let two = bob.act(add(&bob.clone(), &[&dave, &carol]));
    alice.take(&[two]);
    bob.take(&[one]);
    assert_eq!(members(&alice), ["alice", "bob", "carol", "dave", "jen"]);
    assert_eq!(shown(&alice.view()), shown(&bob.view()));
}

#[test]
fn t84_who_left_is_asked_and_a_decline_outranks_an_accept() {
    let ([mut alice, mut bob, mut jen], _) = trio();
    let leave = jen.act(Body::Leave);
    alice.take(&[leave]);
    let asks = alice.act(add(&alice.clone(), &[&jen.signer]));
    assert_eq!(members(&alice), ["alice", "bob"], "nobody is added silently");
    jen.take(std::slice::from_ref(&asks));
    let party = jen.signer.keys.party.clone();
    assert_eq!(jen.view().invitation(&party.user, &party.account()), Some(asks.id));
    let mut phone = jen.clone();
    let accepts = jen.act(Body::Accept { add: asks.id.0 });
    assert_eq!(members(&jen), ["alice", "bob", "jen"]);
    let declines = phone.act(Body::Decline { add: asks.id.0 });
    bob.take(&jen.all());
    assert_eq!(members(&bob), ["alice", "bob", "jen"]);
    bob.take(&[declines]);
    assert_eq!(members(&bob), ["alice", "bob"]);
    // Somebody else's word on it is nobody's.
    let stranger = Operation { author: user("bob"), ..bob.sign(Body::Accept { add: asks.id.0 }) };
    assert_eq!(bob.set.insert(stranger), Err(Code::ForbiddenOperation));
    assert!(bob.set.has(&accepts.id));
}

#[test]
fn a_leave_outranks_every_add_that_has_not_seen_it() {
    let ([mut alice, mut bob, mut jen], _) = trio();
    // Bob adds Jen anew, not knowing that she is a member under another add, nor that she leaves.
    let again = bob.act(add(&bob.clone(), &[&jen.signer]));
    let leave = jen.act(Body::Leave);
    alice.take(&[leave, again]);
    assert_eq!(members(&alice), ["alice", "bob"]);
}

/// > A leave removes its author and nobody else.
#[test]
fn n_g05_a_leave_removes_its_author_and_nobody_else() {
    let ([mut alice, ..], id) = trio();
    let [carol, dave] = with_context(3, |context| ["carol", "dave"].map(|name| signer(name, context)));
    let jens = with_context(4, |context| devices("jenny", 2, context));
    alice.act(add(&alice.clone(), &[&jens[0]]));
    let [mut leaving, mut aside] = [0, 1].map(|at| {
        let mut replica = Replica::new(&jens[at], id);
        replica.take(&alice.all());
        replica
    });
    // Her phone adds Carol and renames the group, and Carol adds Dave, while her laptop leaves.
    let added = aside.act(add(&aside.clone(), &[&carol]));
    let titled = aside.act(rename("by the phone"));
    let mut guest = Replica::new(&carol, id);
    guest.take(&aside.all());
    let upon = guest.act(add(&guest.clone(), &[&dave]));
    let leave = leaving.act(Body::Leave);
    for order in permutations(&[added, titled, leave, upon]) {
        let mut peer = alice.clone();
        order.iter().for_each(|operation| peer.take(std::slice::from_ref(operation)));
        assert_eq!(members(&peer), ["alice", "bob", "carol", "dave", "jen"]);
        assert_eq!(peer.view().info.name, "by the phone");
        assert_eq!((peer.view().void, peer.view().former), (BTreeSet::new(), vec![user("jenny")]));
    }
}

/// A leave by each of two devices: who is said to have left is the same for all, whichever leave came first.
#[test]
fn of_two_leaves_the_last_by_order_is_shown() {
    let ([mut alice, ..], id) = trio();
    let both = with_context(3, |context| devices("jenny", 2, context));
    alice.act(add(&alice.clone(), &[&both[0]]));
    let [one, two] = [0, 1].map(|at| {
        let mut replica = Replica::new(&both[at], id);
        replica.take(&alice.all());
        replica.act(Body::Leave)
    });
    let (mut here, mut there) = (alice.clone(), alice);
    here.take(std::slice::from_ref(&one));
    here.take(std::slice::from_ref(&two));
    there.take(&[two]);
    there.take(&[one]);
    assert_eq!(here.view().left_by, there.view().left_by);
    assert_eq!(here.view().left_by[&user("jenny")].1, DeviceId(2));
}

/// What a retirement makes void takes with it what rests on it, and nothing else.
#[test]
fn whom_a_retired_device_added_is_no_member_and_adds_nobody() {
    with_context(4, |context| {
        let both = devices("alice", 2, context);
        let [bob, carol, dave] = ["bob", "carol", "dave"].map(|name| signer(name, context));
        let (id, created) = create(&both[0], 4);
        let mut primary = Replica::new(&both[0], id);
        primary.take(&[created]);
        primary.act(add(&primary.clone(), &[&bob]));
        let mut stolen = Replica::new(&both[1], id);
        stolen.take(&primary.all());
        let added = stolen.act(add(&stolen.clone(), &[&carol]));
        let mut guest = Replica::new(&carol, id);
        guest.take(&stolen.all());
        let upon = guest.act(add(&guest.clone(), &[&dave]));
        let only = [both[0].list.list.devices[0]];
        let list = device_list::sign(&both[0].account, &user("alice"), Some(&both[0].list.list), &only, context.now);
        primary.signer.list = list.unwrap();
        let mut peer = Replica::new(&bob, id);
        peer.take(&guest.all());
        assert_eq!(members(&peer), ["alice", "bob", "carol", "dave"]);
        let retire = primary.act(Body::Retire { device: 2, last: 0 });
        let before = peer.view();
        peer.take(&[retire]);
        assert_eq!(members(&peer), ["alice", "bob"]);
        assert_eq!(peer.view().void, BTreeSet::from([added.id, upon.id]));
        // The app is told, and any member may add them again.
        let us = Us { user: &user("bob"), stood: Some(Standing::Member), stands: Standing::Member, by: None };
        let events = change::events(Some(&before), &peer.view(), us);
        assert_eq!(events, [Event::GroupRevoked { group: id, users: vec![user("carol"), user("dave")] }]);
        peer.act(add(&peer.clone(), &[&carol]));
        assert_eq!(members(&peer), ["alice", "bob", "carol"]);
    });
}

#[test]
fn a_retired_device_has_no_later_say_and_its_earlier_words_stay() {
    with_context(4, |context| {
        let laptop = devices("alice", 2, context);
        let bob = signer("bob", context);
        let (id, created) = create(&laptop[0], 4);
        let mut primary = Replica::new(&laptop[0], id);
        primary.take(&[created]);
        primary.act(add(&primary.clone(), &[&bob]));
        let mut stolen = Replica::new(&laptop[1], id);
        stolen.take(&primary.all());
        let early = stolen.act(rename("early"));
        primary.take(&[early]);
        // The list that no longer names the device is the evidence.
        let first = laptop[0].list.list.devices[0];
        let list =
            device_list::sign(&laptop[0].account, &user("alice"), Some(&laptop[0].list.list), &[first], context.now)
                .unwrap();
        primary.signer.list = list.clone();
        let forbidden = stolen.sign(Body::Retire { device: 1, last: 0 });
        let retire = primary.act(Body::Retire { device: 2, last: 1 });
        let late = stolen.act(rename("late"));
        let lists = [laptop[0].list.clone(), list];
        let find = |hash: &[u8; 32]| lists.iter().find(|list| list.list.hash == *hash);
        let verify = |operation: &Operation| {
            Operation::verify(&SignedOperation::decode(&operation.signed).unwrap(), find).map(drop)
        };
        assert_eq!(verify(&retire), Ok(()));
        assert_eq!(verify(&forbidden), Err(Code::ForbiddenOperation), "a thief cannot retire the owner");
        let mut peer = Replica::new(&bob, id);
        peer.take(&primary.all());
        peer.take(std::slice::from_ref(&late));
        assert_eq!(peer.view().info.name, "early");
        assert_eq!(peer.view().void, BTreeSet::from([late.id]));
        let leave = stolen.act(Body::Leave);
        peer.take(&[leave]);
        assert!(peer.view().is_member(&user("alice")), "nor can a thief leave for the owner");
    });
}

/// Every word of a retired device is judged alike, also those that count for the device's own user alone.
#[test]
fn n_g04_a_leave_an_accept_and_a_decline_count_only_if_their_device_was_not_retired() {
    with_context(4, |context| {
        let jens = devices("jen", 2, context);
        let alice = signer("alice", context);
        let (id, created) = create(&alice, 4);
        let mut alice = Replica::new(&alice, id);
        alice.take(&[created]);
        alice.act(add(&alice.clone(), &[&jens[0]]));
        let of = |signer: &Signer, from: &Replica| {
            let mut replica = Replica::new(signer, id);
            replica.take(&from.all());
            replica
        };
        let only = [jens[0].list.list.devices[0]];
        let list = device_list::sign(&jens[0].account, &user("jen"), Some(&jens[0].list.list), &only, context.now);
        let listed = Signer { list: list.unwrap(), ..jens[0].clone() };
        let retire = |from: &Replica| of(&listed, from).sign(Body::Retire { device: 2, last: 0 });
        let with = |from: &Replica, words: &[&Operation]| {
            let mut all = from.clone();
            words.iter().for_each(|word| all.take(std::slice::from_ref(*word)));
            members(&all)
        };
        let leave = of(&jens[1], &alice).sign(Body::Leave);
        assert_eq!(with(&alice, &[&leave]), ["alice"]);
        assert_eq!(with(&alice, &[&leave, &retire(&alice)]), ["alice", "jen"], "the leave does not count");

        let mut phone = of(&jens[0], &alice);
        phone.act(Body::Leave);
        alice.take(&phone.all());
        let asks = alice.act(add(&alice.clone(), &[&jens[0]]));
        let accepts = |by: usize| of(&jens[by], &alice).sign(Body::Accept { add: asks.id.0 });
        let declines = of(&jens[1], &alice).sign(Body::Decline { add: asks.id.0 });
        let retire = retire(&alice);
        assert_eq!(with(&alice, &[&accepts(1)]), ["alice", "jen"]);
        assert_eq!(with(&alice, &[&accepts(1), &retire]), ["alice"], "the accept does not count");
        assert_eq!(with(&alice, &[&accepts(0), &declines]), ["alice"]);
        assert_eq!(with(&alice, &[&accepts(0), &declines, &retire]), ["alice", "jen"], "the decline does not count");
    });
}

#[test]
fn another_account_key_under_a_members_name_neither_displaces_nor_leaves_for_them() {
    let ([mut alice, mut bob, jen], _) = trio();
    // Bob makes up a "jen" with a key of his own.
    let false_jen = with_context(5, |context| signer("jen", context));
    let body = add(&bob, &[&false_jen]);
    bob.act(body);
    let mut puppet = Replica::new(&false_jen, bob.set.id());
    puppet.take(&bob.all());
    puppet.act(Body::Leave);
    alice.take(&puppet.all());
    assert_eq!(members(&alice), ["alice", "bob", "jen"]);
    let jens: Vec<_> = alice.view().members.into_iter().filter(|member| member.user == user("jen")).collect();
    assert_eq!(jens[0].account_keys, [jen.signer.keys.party.account()]);
}

#[test]
fn a48_a54_what_does_not_belong_is_refused_and_changes_nothing() {
    let ([mut alice, mut bob, mut jen], id) = trio();
    let (stranger, carol) = with_context(6, |context| (signer("mallory", context), signer("carol", context)));
    let mut mallory = Replica::new(&stranger, id);
    mallory.take(&alice.all());
    let before = shown(&alice.view());
    for body in [add(&mallory, &[&stranger]), rename("x"), Body::Leave] {
        let operation = mallory.sign(body);
        assert_eq!(alice.set.insert(operation), Err(Code::AuthorNotMember));
    }
    let (_, other) = create(&alice.signer, 9);
    assert_eq!(alice.set.insert(other), Err(Code::WrongScope), "an operation of another group");
    let account_key = *alice.signer.keys.party.account_key.as_bytes();
    let again = Replica::new(&alice.signer, id);
    let forged =
        again.sign(Body::Create { kind: 2, account_key, random: [2; 32], change: named("forged"), origin: None });
    assert_eq!(Replica::new(&alice.signer, id).set.insert(forged), Err(Code::MalformedOperation), "another id's bytes");
    let renamed = bob.act(rename("y"));
    let orphan = bob.act(rename("z"));
    assert_eq!(alice.set.insert(orphan.clone()), Ok(false), "it lacks a parent");
    let mut absurd = renamed.clone();
    absurd.form.lamport = u64::MAX;
    assert_eq!(alice.set.insert(absurd), Err(Code::MalformedOperation));
    let leave = jen.act(Body::Leave);
    let mut names_nothing = add(&alice, &[&carol]);
    if let Body::Add { members } = &mut names_nothing {
        let added = Added { leaves: vec![leave.id.0].into(), ..members.as_slice()[0].clone() };
        *members = vec![added].into();
    }
    assert_eq!(alice.set.insert(alice.sign(names_nothing)), Err(Code::ForbiddenOperation), "a leave of nobody");
    assert_eq!(shown(&alice.view()), before);
}

#[test]
fn every_flipped_byte_of_a_signed_operation_is_refused() {
    let ([alice, ..], _) = trio();
    let list = alice.signer.list.clone();
    for operation in alice.all() {
        let verify = |bytes: &[u8]| {
            let signed = SignedOperation::decode(bytes)?;
            Operation::verify(&signed, |hash| (*hash == list.list.hash).then_some(&list)).map(drop)
        };
        assert_eq!(verify(&operation.signed), Ok(()));
        for at in 0..operation.signed.len() {
            let mut bad = operation.signed.clone();
            bad[at] ^= 1;
            assert!(verify(&bad).is_err(), "byte {at}");
        }
    }
}

#[test]
fn the_last_word_on_a_name_is_the_same_for_all_and_undoes_no_other_field() {
    let ([mut alice, mut bob, mut jen], _) = trio();
    let one = alice.act(rename("one"));
    let two = bob.act(Body::Info { change: Change { timer: Some(60), ..named("two") } });
    let three = jen.act(Body::Info { change: Change { picture: Some(vec![1].into()), ..Change::default() } });
    let all = [one, two, three];
    for replica in [&mut alice, &mut bob, &mut jen] {
        replica.take(&all);
    }
    let info = alice.view().info;
    assert_eq!(
        (info.name.as_str(), info.timer, info.picture.as_slice()),
        ("two", 60, [1_u8].as_slice()),
        "bob > alice"
    );
    assert_eq!(shown(&alice.view()), shown(&jen.view()));
}

#[test]
fn a_word_dated_back_before_its_authors_own_last_one_is_refused() {
    let ([mut alice, _, _], _) = trio();
    let earlier = alice.clone();
    let carol = with_context(7, |context| signer("carol", context));
    alice.act(add(&alice.clone(), &[&carol]));
    assert_eq!(members(&alice), ["alice", "bob", "carol", "jen"]);
    // To undo her own add, Alice leaves as if she had never made it: under the next number, but from before.
    let party = &alice.signer.keys.party;
    let honest = alice.set.draft(party, Body::Leave).unwrap();
    let before = earlier.set.draft(party, Body::Leave).unwrap();
    let draft = Draft { sequence: honest.sequence, ..before };
    let dated_back = Operation::sign(&alice.signer.keys, &alice.signer.list, draft).unwrap();
    assert_eq!(alice.set.insert(dated_back), Err(Code::MalformedOperation));
    // Under the old number it is the second one there: it counts, and shows.
    let twice = earlier.sign(Body::Leave);
    alice.set.insert(twice).unwrap();
    assert!(alice.set.equivocators().into_keys().eq([(user("alice"), DeviceId(1))]));
}

#[test]
fn a_list_from_before_a_device_was_there_is_no_evidence_against_it() {
    with_context(8, |context| {
        let both = devices("alice", 2, context);
        let only = &both[0].list.list.devices[..1];
        let old = device_list::sign(&both[0].account, &user("alice"), None, only, context.now).unwrap();
        let new = device_list::sign(
            &both[0].account,
            &user("alice"),
            Some(&old.list),
            &[only[0], Listing { added_at_epoch: 2, ..both[0].list.list.devices[1] }],
            context.now,
        )
        .unwrap();
        let [thief, laptop] =
            [(&both[0], &old), (&both[1], &new)].map(|(device, list)| Signer { list: list.clone(), ..device.clone() });
        let (id, created) = create(&thief, 8);
        let mut peer = Replica::new(&laptop, id);
        peer.take(&[created]);
        let mut stolen = Replica::new(&thief, id);
        stolen.take(&peer.all());
        peer.act(rename("by the newer device"));
        let retire = stolen.act(Body::Retire { device: 2, last: 0 });
        let find = |hash: &[u8; 32]| (*hash == old.list.hash).then_some(&old);
        let signed = SignedOperation::decode(&retire.signed).unwrap();
        assert_eq!(Operation::verify(&signed, find).map(drop), Ok(()), "by itself nothing is wrong with it");
        peer.take(&[retire]);
        assert_eq!(peer.view().info.name, "by the newer device");
        assert_eq!(peer.view().void, BTreeSet::new());
    });
}

/// Renames upon each other, as many as asked, by devices that use their numbers up one after another.
fn fill(replica: &mut Replica, signers: &[Signer], count: usize) {
    let mut signers = signers.iter();
    let mut own = signers.next().unwrap().clone();
    for n in 0..count {
        let party = &own.keys.party;
        let draft = match replica.set.draft(party, rename("x")) {
            Err(Code::TooManyOperations) => {
                own = signers.next().unwrap().clone();
                replica.set.draft(&own.keys.party, rename("x"))
            }
            draft => draft,
        };
        let operation = Operation::sign(&own.keys, &own.list, draft.unwrap()).unwrap();
        replica.set.insert(operation).unwrap_or_else(|code| panic!("{n}: {code:?}"));
    }
}

#[test]
fn a_full_group_can_be_left_and_those_who_filled_it_together_agree() {
    use sesame_core::limits::MAX_OPERATIONS;
    with_context(9, |context| {
        let alices = devices("alice", 6, context);
        let bob = signer("bob", context);
        let (id, created) = create(&alices[0], 9);
        let mut alice = Replica::new(&alices[0], id);
        alice.take(&[created]);
        alice.act(add(&alice.clone(), &[&bob]));
        fill(&mut alice, &alices, MAX_OPERATIONS - 3);
        let last = Replica { signer: alices[5].clone(), ..alice.clone() };
        let mut bobs = Replica::new(&bob, id);
        bobs.take(&alice.all());
        // There is room for one more, and both take it.
        let (mut here, mut there) = (last.clone(), bobs.clone());
        let one = here.act(rename("one"));
        let two = there.act(rename("two"));
        here.take(&[two]);
        there.take(&[one]);
        assert_eq!(shown(&here.view()), shown(&there.view()), "both have both");
        let draft = |replica: &Replica, body| {
            let party = &replica.signer.keys.party;
            replica.set.draft(party, body).map(drop)
        };
        assert_eq!(draft(&there, rename("three")), Err(Code::TooManyOperations));
        let leave = there.act(Body::Leave);
        here.take(&[leave]);
        assert_eq!(members(&here), ["alice"]);
        // And who has used up the numbers for everything else still may leave.
        let spent = Replica { signer: alices[0].clone(), ..here.clone() };
        assert_eq!(draft(&spent, rename("four")), Err(Code::TooManyOperations));
        assert_eq!(draft(&spent, Body::Leave), Ok(()));
    });
}

#[test]
fn a_made_up_identity_under_a_members_name_uses_up_nothing_of_the_members() {
    use sesame_core::limits::{MAX_GROUP_SEQUENCE, RESERVED_SEQUENCE};
    let ([mut alice, mut bob, mut jen], id) = trio();
    let false_jen = with_context(10, |context| signer("jen", context));
    bob.act(add(&bob.clone(), &[&false_jen]));
    let mut puppet = Replica::new(&false_jen, id);
    puppet.take(&bob.all());
    fill(&mut puppet, std::slice::from_ref(&false_jen), (MAX_GROUP_SEQUENCE - RESERVED_SEQUENCE) as usize);
    for _ in 0..RESERVED_SEQUENCE {
        puppet.act(Body::Leave);
    }
    jen.take(&puppet.all());
    let renamed = jen.act(rename("by Jen herself"));
    assert_eq!(renamed.form.sequence, 1, "her numbers are her own");
    let left = jen.act(Body::Leave);
    alice.take(&puppet.all());
    alice.take(&[renamed, left]);
    assert_eq!(members(&alice), ["alice", "bob"]);
    assert!(alice.set.equivocators().is_empty(), "two people, not one who says two things");
}
