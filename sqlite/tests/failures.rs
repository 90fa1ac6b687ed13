//! A store that cannot be opened or written says which file it is, and what the system has against it.

#![allow(clippy::unwrap_used, clippy::panic)]

use sesame_core::store::{Changes, CommitError, Generation, Store, StoreError, StoreErrorKind};
use sesame_sqlite::SqliteStore;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sesame-failures-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn refused(path: &Path) -> (StoreErrorKind, String) {
    let error = SqliteStore::open(path).map(drop).unwrap_err();
    (error.kind, error.detail.unwrap().as_str().to_owned())
}

fn put(counter: u64, length: usize) -> Changes {
    let next = Generation { counter, nonce: [1; 8] };
    Changes { next, rows: BTreeMap::from([(vec![1], Some(vec![7; length]))]) }
}

#[test]
fn what_is_not_a_store_is_told_apart() {
    let folder = folder("paths");
    let (missing, junk, foreign) = (folder.join("no/chat.db"), folder.join("junk"), folder.join("foreign.db"));
    fs::write(&junk, [7; 4_096]).unwrap();
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
    let shown = |path: &Path| path.display().to_string();
    let system = |error: i32| std::io::Error::from_raw_os_error(error);
    let expected = [
        (&missing, StoreErrorKind::NotFound, format!("{}: {}", shown(&missing), system(2))),
        (&junk.join("chat.db"), StoreErrorKind::NotFound, format!("{}: {}", shown(&junk.join("chat.db")), system(20))),
        (&folder, StoreErrorKind::NotAFile, format!("{}: is a directory", shown(&folder))),
        (&PathBuf::new(), StoreErrorKind::NotAFile, ": not the path of a file".to_owned()),
        (&PathBuf::from(":memory:"), StoreErrorKind::NotAFile, ":memory:: not the path of a file".to_owned()),
        (&junk, StoreErrorKind::NotAStore, format!("{}: file is not a database (SQLite 26)", shown(&junk))),
        (&foreign, StoreErrorKind::NotAStore, format!("{}: a database of another application", shown(&foreign))),
    ];
    for (path, kind, detail) in expected {
        assert_eq!(refused(path), (kind, detail));
    }
    assert!(!missing.exists());
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_newer_schema_is_not_read() {
    let folder = folder("newer");
    let path = folder.join("chat.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let (kind, detail) = refused(&path);
    assert_eq!((kind, detail.ends_with("chat.db: schema 7")), (StoreErrorKind::NewerFormat, true));
    fs::remove_dir_all(&folder).unwrap();
}

/// A disk that is full while a store writes. It needs a small file system of its own, which only root may make, on Linux.
#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let disk = folder("full");
    let mount = |arguments: &[&str]| std::process::Command::new(arguments[0]).args(&arguments[1..]).arg(&disk).status();
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs"]).is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no file system can be mounted here");
    }
    let path = disk.join("chat.db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(Generation::default(), &put(1, 100)).unwrap();
    let before = store.load(&[], false).unwrap().generation;
    // SQLite ends the transaction by itself where a COMMIT finds no space; the generation then says that nothing was written.
    let failed = store.commit(before, &put(2, 1_000_000));
    let Err(CommitError::Store(error) | CommitError::OutcomeUnknown(error)) = failed else { panic!("{failed:?}") };
    assert_eq!(error.kind, StoreErrorKind::Full);
    assert!(error.detail.unwrap().as_str().starts_with(&path.display().to_string()));
    assert_eq!(store.load(&[], false).unwrap().generation, before);
    // On a disk that is full already, no store can be made.
    let filler = disk.join("filler");
    let _ = fs::write(&filler, [0; 1 << 20]);
    let fresh = SqliteStore::open(&disk.join("fresh.db")).map(drop);
    assert_eq!(fresh.map_err(|error| error.kind), Err(StoreErrorKind::Full));
    drop(store);
    // What can be written no longer is told apart from what is full.
    fs::remove_file(&filler).unwrap();
    assert!(mount(&["mount", "-o", "remount,ro"]).unwrap().success());
    let read_only = SqliteStore::open(&path).unwrap();
    let detail = format!("{}: {}", path.display(), std::io::Error::from_raw_os_error(30));
    let expected = CommitError::Store(StoreError::new(StoreErrorKind::ReadOnly, &detail));
    assert_eq!(read_only.commit(before, &put(2, 100)), Err(expected));
    drop(read_only);
    assert!(mount(&["umount"]).unwrap().success());
}
