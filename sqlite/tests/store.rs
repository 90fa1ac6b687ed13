//! The contract, durability, and several handles on one file, as two processes would have them.

#![allow(clippy::unwrap_used, clippy::panic)]

use sesame_core::store::{Changes, CommitError, Generation, Query, Store, StoreErrorKind, conformance};
use sesame_sqlite::SqliteStore;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

fn fresh() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("sesame-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("device.db")
}

fn put(counter: u64, value: &[u8]) -> Changes {
    let next = Generation { counter, nonce: [1; 8] };
    Changes { next, rows: BTreeMap::from([(vec![1], Some(value.to_vec()))]) }
}

#[test]
fn the_sqlite_store_keeps_the_contract() {
    conformance::check(|| Ok(std::sync::Arc::new(SqliteStore::open(&fresh()).unwrap()))).unwrap();
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let path = fresh();
    SqliteStore::open(&path).unwrap().commit(Generation::default(), &put(1, b"kept")).unwrap();
    let snapshot = SqliteStore::open(&path).unwrap().load(&[Query::Prefix(vec![])], false).unwrap();
    assert_eq!(snapshot.rows, BTreeMap::from([(vec![1], b"kept".to_vec())]));
    assert_eq!(snapshot.generation.counter, 1);
}

#[test]
fn of_two_writers_from_one_generation_one_conflicts() {
    let path = fresh();
    let (first, second) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let seen = second.load(&[], false).unwrap().generation;
    first.commit(seen, &put(1, b"first")).unwrap();
    assert_eq!(second.commit(seen, &put(1, b"second")), Err(CommitError::Conflict));
    assert_eq!(
        second.load(&[Query::Exact(vec![1])], false).unwrap().rows.get([1].as_slice()),
        Some(&b"first".to_vec())
    );
}

#[test]
fn a_hold_keeps_another_writer_waiting_until_its_commit() {
    let path = fresh();
    let (holder, other) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let held = holder.load(&[], true).unwrap().generation;
    let waiting = std::thread::spawn(move || {
        // The commit waits for the holder's commit and then finds that the generation has moved on.
        other.commit(Generation::default(), &put(1, b"late"))
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    holder.commit(held, &put(1, b"held")).unwrap();
    assert_eq!(waiting.join().unwrap(), Err(CommitError::Conflict));
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let path = fresh();
    std::fs::write(&path, b"these bytes are not a database, and long enough to be looked at as one ........").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(SqliteStore::open(&path).map(drop).map_err(|error| error.kind), Err(StoreErrorKind::NotAStore));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(
        SqliteStore::open(&path.join("no/such/folder")).map(drop).map_err(|error| error.kind),
        Err(StoreErrorKind::NotFound)
    );
}
