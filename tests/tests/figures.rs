//! The figures of README and notes, each with its bound: `cargo test -p sesame-tests --test figures -- --nocapture`.

use sesame_core::internal::store::Kind;
use sesame_core::internal::wire::padding::STEPS;
use sesame_tests::{ALICE, BOB, World, is_of};

#[test]
fn sizes_on_the_wire_and_in_the_store() {
    let payload = [0x61; 100];
    let mut world = World::strangers(1);
    world.send(BOB, &["alice"], &payload);
    let initiation = world.steal(ALICE).remove(0).len();
    let mut world = World::pair(1);
    // The first message of a sending chain writes its key pair as well.
    world.send(BOB, &["alice"], b"first");
    let store = world.hosts[&BOB].store.clone();
    store.take_written();
    let send = world.encrypt(BOB, &["alice"], &payload);
    let written = store.take_written();
    let ordinary = send.batches[0].envelopes[0].envelope.len();
    let rows = world.dump(BOB);
    let of = |kinds: &[Kind]| -> usize {
        rows.iter().filter(|(key, _)| is_of(key, kinds)).map(|(key, row)| key.len() + row.len()).sum()
    };
    let kinds = [Kind::Session, Kind::Chains, Kind::Index];
    let (session, peer) = (of(&kinds), of(&[Kind::Peer]));
    println!(
        "established message of 100 bytes: {ordinary} B on the wire, {} B without padding and payload",
        ordinary - STEPS[0]
    );
    println!("initiation message of 100 bytes: {initiation} B on the wire");
    println!("an established session: {session} B in {} rows; its DeviceRecord: {peer} B", world.rows(BOB, &kinds));
    println!("one sent message: {written} B of rows written, of the session only its chains");
    for (what, is, most) in [
        ("ordinary", ordinary, 960),
        ("initiation", initiation, 3_500),
        ("session", session, 1_000),
        ("peer", peer, 700),
        ("written", usize::try_from(written).unwrap(), 900),
    ] {
        assert!(0 < is && is <= most, "{what}: {is} of {most}");
    }
}

#[test]
fn what_a_group_costs_is_what_the_picture_shows() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let picture = std::fs::read_to_string(folder.join("group-cost.svg")).unwrap_or_default();
    assert!(picture == sesame_tests::curve::svg(), "run `cargo run -p sesame-tests --bin group-cost`");
    // The picture's arithmetic is that of a real send.
    let mut world = World::acquainted(3, &[("alice", 2), ("bob", 2), ("jen", 2)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let cost = world.in_group(ALICE, id, |group, c| group.cost(c, 100)).unwrap();
    let (envelopes, bytes) = sesame_tests::curve::cost(3, 2, 100);
    assert_eq!(cost.envelopes, envelopes);
    // Its users have names of 16 bytes; these have 5, 5, 3 and 3.
    assert!(cost.bytes < bytes as u64 && cost.bytes + 32 * 5 >= bytes as u64, "{} {bytes}", cost.bytes);
}
