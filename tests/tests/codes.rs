//! Every error code is seen somewhere: by the story in five languages, by the bad-input corpus in five languages, or by the test that is
//! named here.

use sesame_core::error::Code;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Codes that neither the story nor the corpus can show in every language, and where each is shown: the file, where in it the test begins, and what
/// it says.
const ELSEWHERE: [(Code, &str, &str, &str); 16] = [
    // The core alone does not have it; each language's own tests of a store do.
    (
        Code::Reentrant,
        "bindings/swift/Tests/SesameTests/StoreTests.swift",
        "testAStoreMustNotCallIntoTheLibrary",
        "104",
    ),
    // Takes a call that lasts longer than any other may wait.
    (Code::Busy, "ffi/src/engine.rs", "fn a_call_does_not_wait_for_ever", "Code::Busy"),
    // Only C can be given them.
    (Code::BadHandle, "tests/c/misuse.c", " = SESAME_STATUS_BAD_HANDLE", "HANDLE)"),
    (Code::NullPointer, "tests/c/misuse.c", " = SESAME_STATUS_NULL_POINTER", "NULLED)"),
    (Code::BadStruct, "tests/c/misuse.c", " = SESAME_STATUS_BAD_STRUCT", "LAYOUT)"),
    // Only an authenticated peer that breaks the rules, or thousands of messages, bring them.
    (Code::TooFarAhead, "core/tests/ratchet.rs", "#[test]", "Code::TooFarAhead"),
    (Code::MessageKeyExpired, "core/tests/ratchet.rs", "#[test]", "Code::MessageKeyExpired"),
    (Code::BadPadding, "core/src/wire/padding.rs", "#[test]", "Err(Code::BadPadding)"),
    (Code::ReusedIndex, "core/tests/ratchet.rs", "#[test]", "Code::ReusedIndex"),
    (Code::TooManyOperations, "tests/tests/groups.rs", "#[test]", "Code::TooManyOperations"),
    // Only a server that breaks the rules brings them.
    (Code::BundleExpired, "tests/tests/agreement.rs", "#[test]", "Code::BundleExpired"),
    (Code::DeviceListFork, "tests/tests/attacks.rs", "#[test]", "Code::DeviceListFork"),
    (Code::TooManyRounds, "tests/tests/sesame.rs", "#[test]", "Code::TooManyRounds"),
    // A store that breaks within a call, or its contract.
    (Code::OutcomeUnknown, "tests/tests/faults.rs", "fn a_commit_that_cannot_be_read_back", "Code::OutcomeUnknown"),
    (Code::StoreMisbehaves, "tests/c/misuse.c", "EXPECT(\"a load that conflicts\"", "412"),
    // Broken randomness.
    (Code::Randomness, "tests/tests/attacks.rs", "fn a28_", "Code::Randomness"),
];

/// Codes that nothing gives today; their numbers are kept for what the events of that name say already.
const RESERVED: [Code; 3] = [Code::DeviceListRollback, Code::ServerInconsistent, Code::RollbackDetected];

/// Faults of the library itself, which no input may bring: the tests in `ffi/src/engine.rs` and `ffi/src/capi/boundary.rs` make them by
/// force, and `tests/c/misuse.c` forks.
const FAULTS: [Code; 3] = [Code::Internal, Code::Poisoned, Code::Forked];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The numbers that a transcript shows.
fn told() -> BTreeSet<u16> {
    let folder = std::env::temp_dir().join(format!("sesame-codes-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let script = root().join("tests/story/story.json");
    let done = Command::new(env!("CARGO_BIN_EXE_story")).arg(script).arg(&folder).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(done.status.success());
    let mut codes = BTreeSet::new();
    for line in String::from_utf8(done.stdout).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let code = match words.as_slice() {
            ["!", code] | ["failed", _, code] | ["refused", _, _, code] | [_, "failure", code, _] => *code,
            _ => continue,
        };
        codes.insert(code.parse().unwrap());
    }
    codes
}

fn corpus() -> BTreeSet<u16> {
    let files = fs::read_dir(root().join("tests/bad-inputs")).unwrap().flatten().map(|entry| entry.path());
    let cases = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let expect = |text: String| text.lines().find_map(|line| line.strip_prefix("expect: ")).unwrap().parse().unwrap();
    cases.map(|path| expect(fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_code_is_seen_somewhere() {
    let seen: BTreeSet<u16> = told().union(&corpus()).copied().collect();
    for (code, file, test, text) in ELSEWHERE {
        assert!(!seen.contains(&code.number()), "{code:?} is seen now: take it out of the table");
        let source = fs::read_to_string(root().join(file)).unwrap();
        let after = source.split_once(test).map_or("", |(_, after)| after);
        assert!(after.contains(text), "{file} shows no {code:?} in or after {test}");
    }
    let elsewhere: BTreeSet<Code> = ELSEWHERE.iter().map(|(code, ..)| *code).chain(RESERVED).chain(FAULTS).collect();
    let unseen: Vec<&Code> =
        Code::ALL.iter().filter(|code| !seen.contains(&code.number()) && !elsewhere.contains(code)).collect();
    assert!(unseen.is_empty(), "nobody sees {unseen:?}");
}
