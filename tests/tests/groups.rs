//! Private groups, rule by rule (P 10, T36 and T78 to T90): one story, then one claim each.

use sesame_core::device::{Event, MessageKind, Standing};
use sesame_core::error::Code;
use sesame_core::ids::DeviceId;
use sesame_core::record::Scope;
use sesame_tests::{ALICE, BOB, DAY, Name, World, events, failures, messages, user};

const JEN: Name = ("jen", 1);

fn texts(world: &mut World, name: Name) -> Vec<Vec<u8>> {
    world.read(name)
}

#[test]
fn the_story_of_a_group() {
    let mut world = World::acquainted(1, &[("alice", 2), ("bob", 2), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob"]);
    assert_eq!(world.members(("bob", 2), id), ["alice", "bob"]);
    world.act(ALICE, id, |group, c| group.add(c, &[user("jen")])).unwrap();
    world.all_receive();
    for name in [("alice", 2), BOB, ("bob", 2), JEN] {
        assert_eq!(world.members(name, id), ["alice", "bob", "jen"], "{name:?}");
    }
    world.say(JEN, id, b"Hello, group!").unwrap();
    for name in [ALICE, ("alice", 2), BOB, ("bob", 2)] {
        assert_eq!(texts(&mut world, name), [b"Hello, group!"], "{name:?}");
    }
    world.act(JEN, id, |group, c| group.rename(c, "Summer trip")).unwrap();
    let heard = world.all_receive();
    for (name, results) in heard.iter().filter(|(name, _)| *name != JEN) {
        let author = |event: &&&Event| {
            matches!(event, Event::GroupUpdated { user: of, device, .. } if *of == user("jen") && device.0 == 1)
        };
        assert_eq!(events(results).iter().filter(author).count(), 1, "{name:?}");
        assert_eq!(world.group(*name, id).unwrap().info.name, "Summer trip");
    }
    // Jen should go and will not leave.
    let before = world.relay.view().seen.len();
    let (fork, send) = world
        .in_group(ALICE, id, |group, c| group.fork_without(c, &[user("jen")]).map(|(fork, send)| (fork.id(), send)))
        .unwrap();
    assert_ne!(fork, id);
    assert_eq!(world.drive(ALICE, send).unwrap(), None);
    assert_eq!(world.mails(JEN), Vec::<Vec<u8>>::new(), "nothing about it goes to the excluded");
    world.all_receive();
    assert_eq!(world.members(("bob", 2), fork), ["alice", "bob"]);
    assert_eq!(world.group(BOB, fork).unwrap().info.name, "Summer trip");
    assert_eq!(world.group(JEN, fork).map(drop), Err(Code::UnknownGroup));
    world.act(ALICE, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    assert!(world.relay.view().seen.len() > before);
    for name in [BOB, ("bob", 2), JEN] {
        assert_eq!(world.members(name, id), ["bob", "jen"], "{name:?}");
    }
    for name in [ALICE, ("alice", 2)] {
        assert_eq!(world.standing(name, id), Some(Standing::Left));
        assert_eq!(world.say(name, id, b"x").map_err(|e| e.code), Err(Code::NotAMember));
    }
    world.say(JEN, id, b"to Bob alone").unwrap();
    assert_eq!(world.mails(ALICE), Vec::<Vec<u8>>::new());
    assert_eq!(texts(&mut world, ("bob", 2)), [b"to Bob alone"]);
    world.say(BOB, fork, b"without Jen").unwrap();
    assert_eq!(texts(&mut world, ("alice", 2)), [b"without Jen"]);
    let _ = (DAY, DeviceId(1), Scope::Direct, MessageKind::Message, failures(&[]), messages(&[]));
}
