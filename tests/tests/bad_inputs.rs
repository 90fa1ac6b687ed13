//! Every case of the corpus gives its code, and changes nothing.

use sesame_core::context::{Context, Timestamp};
use sesame_core::internal::steps::{Answers, Steps};
use sesame_core::store::MemoryStore;
use sesame_core::{device::Device, event::Event, internal::store::Kind};
use sesame_tests::bad_inputs::{Surface, corpus, text};
use sesame_tests::{events, failures, is_of, store_key, user};
use std::{collections::BTreeMap, sync::Arc};

/// Between the fixture's clock, which lies in the future, and any real one there is no difference to the cases.
const NOW: u64 = 1_790_000_000_000;

#[test]
fn every_case_gives_its_code_and_changes_nothing() {
    let corpus = corpus();
    assert!(corpus.cases.len() >= 360, "{}", corpus.cases.len());
    let mut rng = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
    let mut context = Context { now: Timestamp(NOW), rng: &mut rng };
    let [(_, alice), (_, bob)] = &corpus.stores;
    for case in &corpus.cases {
        let (of, store) = match case.surface {
            Surface::Bundle | Surface::DeviceList => ("bob", Arc::new(MemoryStore::new())),
            _ => ("alice", Arc::new(MemoryStore::new())),
        };
        let mut rows = if of == "bob" { bob.dump() } else { alice.dump() };
        if case.surface == Surface::Record {
            rows.insert(case.key.clone(), case.bytes.clone());
        }
        store.restore(rows);
        let before = store.dump();
        let opened = Device::open(store.clone(), &store_key());
        if case.surface == Surface::Record {
            assert_eq!(opened.unwrap_err().code.number(), case.expect, "{}", case.name);
            assert_eq!(store.dump(), before, "{}", case.name);
            continue;
        }
        let device = opened.unwrap();
        let mut told = false;
        let (code, may_skip) = match case.surface {
            Surface::Envelope | Surface::Group => {
                let results = device.decrypt(&mut context, std::slice::from_ref(&case.bytes)).unwrap();
                let [code] = failures(&results)[..] else { panic!("{}: {results:?}", case.name) };
                // What a known device said, and nobody else can have said, is lost: the app is told, and nothing else changes.
                told = events(&results).iter().any(|event| matches!(event, Event::NotOpened { .. }));
                (Some(code), false)
            }
            Surface::Bundle | Surface::DeviceList => {
                let mut answers = Answers::default();
                match case.surface {
                    Surface::Bundle => answers.bundles.push(case.bytes.clone()),
                    _ => answers.device_lists.push(case.bytes.clone()),
                }
                let applied = device.apply(&mut context, &answers).unwrap();
                assert_eq!(applied.events, [], "{}", case.name);
                (applied.refusals.first().map(|refusal| refusal.code), case.surface == Surface::Bundle)
            }
            _ => {
                let code = std::str::from_utf8(&case.bytes).unwrap();
                (Some(device.link_device(&mut context, code).unwrap_err().code), false)
            }
        };
        assert_eq!(code.map(sesame_core::error::Code::number), Some(case.expect), "{}", case.name);
        if may_skip {
            // The device of a bad bundle is skipped and the app is told (X 6); no session was made.
            assert!(device.session(&mut context, &user("alice"), sesame_core::ids::DeviceId(2)).unwrap().is_none());
        } else if told || is_owed(&store.dump()) {
            assert_eq!(untold(store.dump()), untold(before), "{}", case.name);
        } else {
            assert_eq!(store.dump(), before, "{}", case.name);
        }
    }
}

/// Whether a device is to be asked for what did not open.
fn is_owed(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    rows.keys().any(|key| is_of(key, &[Kind::Healing]))
}

/// Rows without the inbox and its numbers, what is to be asked for, and the clock that goes with each write.
fn untold(mut rows: BTreeMap<Vec<u8>, Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    rows.retain(|key, _| !is_of(key, &[Kind::Clock, Kind::Counters, Kind::Healing, Kind::Item]));
    rows
}

#[test]
fn the_files_are_what_the_corpus_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("bad-inputs");
    let cases = corpus().cases;
    for case in &cases {
        let file = std::fs::read_to_string(folder.join(format!("{}.txt", case.name))).unwrap_or_default();
        assert!(file == text(case), "{}: run `cargo run -p sesame-tests --bin bad-inputs`", case.name);
    }
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .filter(|file| file.path().extension().is_some_and(|e| e == "txt"));
    assert_eq!(files.count(), cases.len());
}
