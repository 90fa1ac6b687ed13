//! What a store of many sessions costs: to open, and in memory.

use crate::{
    clock::Figures,
    ours::{Crowd, open_file, touch_all},
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
    // A process that has done nothing before: memory that an earlier step has freed is not given back.
    let program = std::env::current_exe().unwrap();
    let done = Command::new(program).arg("resident").arg(&many).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let names = ["resident after open, MiB", "resident after all, MiB"];
        let name = names.into_iter().find(|known| *known == name).unwrap();
        figures.note(name, value.parse().unwrap());
    }
}

/// Opens a store of 10,000 sessions, and then says something on each direct one; prints what this has added to the memory of the process.
pub fn resident(path: &Path) {
    let before = resident_mib();
    let device = crate::ours::open_device(path);
    println!("resident after open, MiB {:.3}", resident_mib() - before);
    touch_all(device, USERS);
    println!("resident after all, MiB {:.3}", resident_mib() - before);
}

/// The memory of this process that is not swapped out.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
}
