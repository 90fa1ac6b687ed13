//! Every byte that a played world leaves behind: rows, mailboxes, and how much chance was drawn.
//!
//! A change of a stored form, of the wire, or of the order in which a call draws its randomness changes a digest below. If the change is
//! meant, it is a new version of a form or of the wire, and CHANGELOG names it.

use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Loss},
    internal::{
        crypto::kdf::sha256,
        store::{Kind, Places},
    },
    store::MemoryStore,
};
use sesame_tests::{ALICE, BOB, Name, World, is_of, played, server, store_key};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One digest for each host and kind of row, one for each mailbox, and one for the chance that is left.
fn digests(world: &mut World) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let hosts: Vec<Name> = world.hosts.keys().copied().collect();
    for (name, number) in hosts {
        for (key, row) in world.dump((name, number)) {
            let kind = key.first().copied().unwrap_or_default();
            let bytes = all.entry(format!("{name} {number} kind {kind:02}")).or_default();
            for part in [key, row] {
                bytes.extend((part.len() as u64).to_be_bytes());
                bytes.extend(part);
            }
        }
        let bytes = all.entry(format!("{name} {number} mailbox")).or_default();
        world.mails((name, number)).iter().for_each(|mail| bytes.extend(mail));
    }
    let chance = (world.below(usize::MAX) as u64).to_be_bytes();
    all.insert("chance".to_owned(), chance.to_vec());
    all.into_iter().map(|(name, bytes)| (name, hex::encode(&sha256(&bytes)[..8]))).collect()
}

/// The row of a device that waits for its primary.
fn linking(world: &mut World) -> String {
    let store = Arc::new(MemoryStore::new());
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    Device::begin_link(store.clone(), &store_key(), &mut context, &server()).unwrap();
    hex::encode(&sha256(&store.dump().into_values().collect::<Vec<_>>().concat())[..8])
}

/// The row of a primary that comes back from a backup.
fn restoring(world: &mut World) -> String {
    let backup = world.backup(ALICE);
    let back = world.begin_restore(&backup, Loss::Lost).unwrap();
    let key = Places::only(Kind::Restoring);
    hex::encode(&sha256(&back.store.inner.dump()[&*key])[..8])
}

/// The users of a device that knows of a fork, of which the server has the other branch.
fn forked() -> String {
    let mut world = World::pair(1);
    let first = world.list("alice").list;
    world.link("alice");
    let honest = world.list("alice");
    let other = world.forge_list("alice", Some(&first), &first.devices).unwrap();
    for list in [honest, other] {
        world.show(BOB, list.shown(16).unwrap());
    }
    let users = world.dump(BOB).into_iter().filter(|(key, _)| is_of(key, &[Kind::User]));
    hex::encode(&sha256(&users.map(|(_, row)| row).collect::<Vec<_>>().concat())[..8])
}

#[test]
fn a_played_world_leaves_the_bytes_that_it_always_left() {
    let mut world = played::play();
    let linking = linking(&mut world);
    let mut digests = digests(&mut world);
    digests.insert("linking".to_owned(), linking);
    digests.insert("restoring".to_owned(), restoring(&mut world));
    let handover = &played::offered().dump(ALICE)[&*Places::only(Kind::Handover)];
    digests.insert("handover".to_owned(), hex::encode(&sha256(handover)[..8]));
    digests.insert("forked".to_owned(), forked());
    let kinds: BTreeSet<&str> =
        digests.keys().filter_map(|name| name.split_once("kind ")).map(|(_, kind)| kind).collect();
    // Every kind but the two of a link, that of a restore and that of a hand-over, which come to an end.
    assert_eq!(kinds.len(), Kind::ALL.len() - 4, "{kinds:?}");
    let lines: Vec<String> = digests.iter().map(|(name, digest)| format!("{name} {digest}")).collect();
    let said = lines.join("\n") + "\n";
    let committed = include_str!("stored_forms.txt");
    assert!(said == committed, "these are other bytes; now:\n{said}");
}
