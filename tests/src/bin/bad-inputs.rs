//! Writes `tests/bad-inputs/` anew: one file for each case, and the stores that they are played against.

use sesame_core::store::{Changes, Generation, Store};
use sesame_sqlite::SqliteStore;
use sesame_tests::bad_inputs::{corpus, text};
use std::{fs, path::Path};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bad-inputs");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("stores")).unwrap();
    let corpus = corpus();
    for case in &corpus.cases {
        fs::write(folder.join(format!("{}.txt", case.name)), text(case)).unwrap();
    }
    for (name, store) in &corpus.stores {
        let path = folder.join("stores").join(format!("{name}.db"));
        let sqlite = SqliteStore::open(&path).unwrap();
        let rows = store.dump().into_iter().map(|(key, row)| (key, Some(row))).collect();
        let next = Generation { counter: 1, nonce: [1; 8] };
        sqlite.commit(Generation::default(), &Changes { next, rows }).unwrap();
    }
    println!("{} cases", corpus.cases.len());
}
