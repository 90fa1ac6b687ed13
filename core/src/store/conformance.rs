//! A test suite for any store. What it checks is the contract.

use super::{Changes, CommitError, Generation, Query, Store};
use std::{collections::BTreeMap, sync::Arc};

type Opener<'a> = dyn Fn() -> Result<Arc<dyn Store>, String> + 'a;

fn generation(counter: u64) -> Generation {
    Generation { counter, nonce: [u8::try_from(counter & 0xff).unwrap_or(0); 8] }
}

fn changes(counter: u64, rows: &[(&[u8], Option<&[u8]>)]) -> Changes {
    let rows = rows.iter().map(|(key, row)| (key.to_vec(), row.map(<[u8]>::to_vec)));
    Changes { next: generation(counter), rows: rows.collect() }
}

fn rows(store: &dyn Store, query: Query) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, String> {
    store.load(&[query], false).map(|snapshot| snapshot.rows).map_err(|error| format!("load failed: {error}"))
}

fn expect(holds: bool, claim: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(claim.to_owned()) }
}

/// Runs the suite. `open` returns a fresh, empty store each time, or says why it cannot.
///
/// # Errors
/// A sentence about the first claim that does not hold.
pub fn check(open: impl Fn() -> Result<Arc<dyn Store>, String>) -> Result<(), String> {
    empty(&open)?;
    exact_and_prefix(&open)?;
    compare_and_set(&open)?;
    whole(&open)?;
    large_rows(&open)?;
    hold_and_release(&open)
}

fn empty(open: &Opener<'_>) -> Result<(), String> {
    let snapshot = open()?.load(&[Query::Prefix(vec![])], false).map_err(|e| format!("{e}"))?;
    expect(snapshot.rows.is_empty(), "a fresh store is empty")?;
    expect(snapshot.generation == Generation::default(), "a fresh store is at generation zero")
}

fn exact_and_prefix(open: &Opener<'_>) -> Result<(), String> {
    let store = open()?;
    let put: &[(&[u8], Option<&[u8]>)] = &[
        (&[1], Some(b"a")),
        (&[1, 0], Some(b"b")),
        (&[1, 255], Some(b"")),
        (&[1, 255, 255], Some(b"d")),
        (&[2], Some(b"e")),
    ];
    store.commit(Generation::default(), &changes(1, put)).map_err(|e| format!("{e}"))?;
    let exact = rows(store.as_ref(), Query::Exact(vec![1]))?;
    expect(exact == BTreeMap::from([(vec![1], b"a".to_vec())]), "an exact query gives one row")?;
    expect(rows(store.as_ref(), Query::Exact(vec![3]))?.is_empty(), "an absent row is no error")?;
    expect(rows(store.as_ref(), Query::Prefix(vec![1]))?.len() == 4, "a prefix gives all rows that begin so")?;
    expect(rows(store.as_ref(), Query::Prefix(vec![1, 255]))?.len() == 2, "a prefix that ends in 255 works")?;
    expect(rows(store.as_ref(), Query::Prefix(vec![]))?.len() == 5, "the empty prefix gives all")?;
    let both = store
        .load(&[Query::Exact(vec![2]), Query::Prefix(vec![1, 0]), Query::Exact(vec![2])], false)
        .map_err(|e| format!("{e}"))?;
    expect(both.rows.len() == 2 && both.generation == generation(1), "several queries give one snapshot")
}

fn compare_and_set(open: &Opener<'_>) -> Result<(), String> {
    let store = open()?;
    store.commit(Generation::default(), &changes(1, &[(&[1], Some(b"a"))])).map_err(|e| format!("{e}"))?;
    let stale = store.commit(Generation::default(), &changes(2, &[(&[1], Some(b"b"))]));
    expect(stale == Err(CommitError::Conflict), "a stale generation conflicts")?;
    let other = Generation { counter: 1, nonce: [9; 8] };
    let forked = store.commit(other, &changes(2, &[(&[1], Some(b"b"))]));
    expect(forked == Err(CommitError::Conflict), "an equal counter with another nonce conflicts")?;
    expect(rows(store.as_ref(), Query::Exact(vec![1]))?.values().eq([b"a"]), "a conflict changes nothing")
}

fn whole(open: &Opener<'_>) -> Result<(), String> {
    let store = open()?;
    store
        .commit(Generation::default(), &changes(1, &[(&[1], Some(b"a")), (&[2], Some(b"b"))]))
        .map_err(|e| format!("{e}"))?;
    let next = changes(2, &[(&[1], None), (&[2], Some(b"c")), (&[3], None), (&[4], Some(b"d"))]);
    store.commit(generation(1), &next).map_err(|e| format!("{e}"))?;
    let all = rows(store.as_ref(), Query::Prefix(vec![]))?;
    let expected = BTreeMap::from([(vec![2], b"c".to_vec()), (vec![4], b"d".to_vec())]);
    expect(all == expected, "writes, overwrites and deletes happen together")
}

fn large_rows(open: &Opener<'_>) -> Result<(), String> {
    let store = open()?;
    let large = vec![7; 300_000];
    let put: &[(&[u8], Option<&[u8]>)] = &[(&[1], Some(&large)), (&[2], Some(b"small"))];
    store.commit(Generation::default(), &changes(1, put)).map_err(|e| format!("{e}"))?;
    expect(rows(store.as_ref(), Query::Prefix(vec![1]))?.values().eq([&large]), "a large row comes back")?;
    let swap: &[(&[u8], Option<&[u8]>)] = &[(&[1], Some(b"small")), (&[2], Some(&large))];
    store.commit(generation(1), &changes(2, swap)).map_err(|e| format!("{e}"))?;
    let all = rows(store.as_ref(), Query::Prefix(vec![]))?;
    let expected = BTreeMap::from([(vec![1], b"small".to_vec()), (vec![2], large)]);
    expect(all == expected, "a row may shrink and grow")
}

fn hold_and_release(open: &Opener<'_>) -> Result<(), String> {
    let store = open()?;
    store.load(&[], true).map_err(|e| format!("{e}"))?;
    store.release();
    store.release();
    store.load(&[], true).map_err(|e| format!("{e}"))?;
    store.commit(Generation::default(), &changes(1, &[(&[1], Some(b"a"))])).map_err(|e| format!("{e}"))?;
    store.load(&[], true).map_err(|e| format!("{e}"))?;
    let conflict = store.commit(generation(9), &changes(2, &[]));
    expect(conflict == Err(CommitError::Conflict), "a held store still compares")?;
    // A caller that holds the store loads more rows without asking for a hold again. A store that waits for
    // itself here would never return.
    let held = store.load(&[], true).map_err(|e| format!("{e}"))?.generation;
    expect(rows(store.as_ref(), Query::Exact(vec![1]))?.len() == 1, "a load within a hold finds what is there")?;
    store.commit(held, &changes(2, &[(&[2], Some(b"b"))])).map_err(|e| format!("{e}"))?;
    store.load(&[], true).map_err(|e| format!("{e}"))?;
    store.release();
    expect(rows(store.as_ref(), Query::Prefix(vec![]))?.len() == 2, "a hold and a release change nothing")
}
