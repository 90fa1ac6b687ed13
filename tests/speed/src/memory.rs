//! What a store of many sessions costs: to open, and in memory.

use crate::{
    clock::Figures,
    ours::{Crowd, open_device, open_file, touch_all},
};
use std::{path::Path, process::Command};

/// Users with one device each. Alice has two sessions with each: a direct one, and one in the group that they share.
const USERS: usize = 5_000;
const FEW_USERS: usize = 50;
/// Small groups, so that the world is soon made.
const OTHERS: usize = 10;

/// Stores of 100 and of 10,000 sessions: opened in turns, and the larger one in a process of its own.
pub fn large_store(figures: &mut Figures, folder: &Path) {
    let [few, many] = [("few.db", FEW_USERS), ("many.db", USERS)].map(|(name, users)| {
        let path = folder.join(name);
        drop(Crowd::gather_in_groups(users, OTHERS, false).alice_in_a_file(&path));
        path
    });
    for _ in 0..9 {
        figures.note("open, 100 sessions", open_file(&few));
        figures.note("open, 10,000 sessions", open_file(&many));
    }
    // What is the same with a hundred is the code, and the pages, of SQLite.
    let [few_open, _] = in_a_process(&few, FEW_USERS);
    let [many_open, many_all] = in_a_process(&many, USERS);
    figures.note("resident after open, 100 sessions, MiB", few_open);
    figures.note("resident after open, MiB", many_open);
    figures.note("resident after all, MiB", many_all);
}

/// Opens a store in a process that has done nothing before: memory that an earlier step has freed is not given back.
fn in_a_process(path: &Path, users: usize) -> [f64; 2] {
    let program = std::env::current_exe().unwrap();
    let done = Command::new(program).arg("resident").arg(path).arg(users.to_string()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let printed = String::from_utf8_lossy(&done.stdout);
    let [open, all] = printed.split_whitespace().collect::<Vec<_>>()[..] else { panic!("two figures: {printed}") };
    [open, all].map(|value| value.parse().unwrap())
}

/// Opens a store, and then says something to each of so many users; prints what both have added to the memory of the process, in MiB.
pub fn resident(path: &Path, users: usize) {
    let before = resident_mib();
    let device = open_device(path);
    let open = resident_mib() - before;
    touch_all(device, users);
    println!("{open:.3} {:.3}", resident_mib() - before);
}

/// The memory of this process that is not swapped out.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}
