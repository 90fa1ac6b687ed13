//! Writes `tests/bad-inputs/` again: one file for each case, and the stores in which the cases are played.

use sesame_core::store::{Changes, Generation, Store};
use sesame_sqlite::SqliteStore;
use sesame_tests::bad_inputs::{corpus, text};
use std::{collections::BTreeMap, fs, path::Path};

/// A store as text, for languages that bring a store of their own: the generation, then one row a line, in
/// hexadecimal.
fn in_text(generation: Generation, rows: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text = hex(&[generation.counter.to_be_bytes(), generation.nonce].concat());
    for (key, row) in rows {
        text += &format!("\n{} {}", hex(key), hex(row.as_deref().unwrap_or_default()));
    }
    text + "\n"
}

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
        let rows: BTreeMap<_, _> = store.dump().into_iter().map(|(key, row)| (key, Some(row))).collect();
        let next = Generation { counter: 1, nonce: [1; 8] };
        let text = in_text(next, &rows);
        fs::write(folder.join("stores").join(format!("{name}.rows")), text).unwrap();
        sqlite.commit(Generation::default(), &Changes { next, rows }).unwrap();
    }
    println!("{} cases", corpus.cases.len());
}
