//! The largest group: 1,000 members with 2 devices each. It prints how long each part took and what it stored; no time is a claim.

use sesame_core::event::Received;
use sesame_tests::{ALICE, Name, World, failures, messages};
use std::time::Instant;

// The only place among the tests that looks at a clock, and it decides nothing.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

fn play(members: usize) {
    let mut world = World::new(members as u64);
    let begun = now();
    world.create("alice");
    world.link("alice");
    let others = world.crowd(1..members, true);
    println!("{members} users with 2 devices each made in {:.1} s", begun.elapsed().as_secs_f64());

    let begun = now();
    world.show_lists(ALICE, &others);
    let (id, send) = world.found_quietly(ALICE, "All of us", &others);
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    world.flush(ALICE);
    println!("created, {} sessions begun, told to all in {:.1} s", 2 * members - 1, begun.elapsed().as_secs_f64());

    let begun = now();
    let cost = world.in_group(ALICE, id, |group, c| group.cost(c, 5)).unwrap();
    let send = world.whisper(ALICE, id, b"hello");
    println!("one message encrypted for {} devices in {:.2} s", cost.envelopes, begun.elapsed().as_secs_f64());
    let bytes: u64 = send.batches.iter().flat_map(|b| &b.envelopes).map(|out| out.envelope.len() as u64).sum();
    assert_eq!((cost.envelopes, cost.bytes), (2 * members - 1, bytes));
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    println!("and submitted, {bytes} B, by {:.2} s", begun.elapsed().as_secs_f64());
    let stored =
        |world: &World, name: Name| -> usize { world.dump(name).iter().map(|(key, row)| key.len() + row.len()).sum() };
    println!("the creator's store: {} B", stored(&world, ALICE));

    let begun = now();
    let (mut read, mut largest) = (0, 0);
    let names: Vec<Name> = world.hosts.keys().copied().filter(|name| *name != ALICE).collect();
    for name in names {
        let before = stored(&world, name);
        let results: Vec<Received> = world.receive(name).unwrap();
        assert_eq!(failures(&results), []);
        let mut texts: Vec<Vec<u8>> = messages(&results).iter().map(|message| message.payload.clone()).collect();
        if name.0 != "alice" {
            // Nobody of them has written to Alice: what is said waits for their yes.
            assert_eq!(texts.len(), 0, "{name:?}");
            world.in_group(name, id, |group, c| group.accept(c)).unwrap();
            texts = world.inbox_texts(name);
        }
        assert_eq!(texts, [b"hello"], "{name:?}");
        read += 1;
        largest = largest.max(stored(&world, name) - before);
        // A thousand stores at once are not the claim.
        world.hosts.remove(&name);
    }
    assert_eq!(read, 2 * members - 1);
    println!("read by all {read} in {:.1} s; a member's store grew by {largest} B", begun.elapsed().as_secs_f64());
}

#[test]
fn a_group_of_1000_members_with_2_devices_each_sends_and_all_read_it() {
    play(1_000);
}
