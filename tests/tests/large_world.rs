//! The large world: a slice of its scenes, those in which something was wrong once, and proof that each rule can fail.

use sesame_tests::large::{Sabotage, Scene, play, play_with};
use std::{fs, path::Path};

/// So many scenes in CI, in four parts; `cargo xtask score world` plays more.
const SEEDS: u64 = 200;

fn slice(part: u64) {
    let mut read = 0;
    for seed in (part * SEEDS / 4)..((part + 1) * SEEDS / 4) {
        let played = play(&Scene::of(seed));
        if let Some(violation) = played.violation {
            panic!("seed {seed}: {violation}; `cargo xtask score world --scene {seed}` shrinks it");
        }
        read += played.read;
    }
    assert!(read > 2_000, "only {read} texts had to be read");
}

#[test]
fn everybody_talks_again_after_two_messages_each_way_whatever_happened_1() {
    slice(0);
}

#[test]
fn everybody_talks_again_after_two_messages_each_way_whatever_happened_2() {
    slice(1);
}

#[test]
fn everybody_talks_again_after_two_messages_each_way_whatever_happened_3() {
    slice(2);
}

#[test]
fn everybody_talks_again_after_two_messages_each_way_whatever_happened_4() {
    slice(3);
}

#[test]
fn what_was_wrong_once_is_wrong_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let scene: Scene = fs::read_to_string(&file).unwrap().parse().unwrap();
        assert_eq!(scene.to_string().parse::<Scene>().unwrap(), scene);
        let violation = play(&scene).violation;
        assert!(violation.is_none(), "{}: {}", file.display(), violation.unwrap());
    }
}

#[test]
fn a_scene_is_played_alike_each_time() {
    for seed in [1, 7] {
        let scene = Scene::of(seed);
        let [one, other] = [(), ()].map(|()| play(&scene));
        assert_eq!((one.envelopes, one.read, &one.faults), (other.envelopes, other.read, &other.faults));
        assert_eq!(scene.to_string().parse::<Scene>().unwrap(), scene);
    }
}

/// A quiet scene of three users, in which each rule holds until somebody breaks it.
const QUIET: &str = "seed 1\ndevices 2 1 1\nsay 0 255\nsay 1 255\nsay 2 255\nsay 3 255\non 0\non 1\non 2\non 3\non 0\non 1\non 2\non 3\nfound 0 255\n\
                     on 0\non 1\non 2\non 3\nsay-in-group 0 0\non 0\non 1\non 2\non 3\n";

#[test]
fn each_rule_of_the_large_world_can_fail() {
    let scene: Scene = QUIET.parse().unwrap();
    let quiet = play(&scene);
    assert_eq!(quiet.violation.map(|violation| violation.to_string()), None);
    assert!(quiet.read > 5, "{}", quiet.read);
    for (sabotage, rule) in Sabotage::ALL {
        let violation = play_with(&scene, Some(sabotage)).violation;
        assert_eq!(violation.as_ref().map(|violation| violation.rule), Some(rule), "{sabotage:?}: {violation:?}");
    }
}
