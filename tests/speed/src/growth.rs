//! How the cost of an item grows with the number of items: what is linear in all costs the same for each.
//!
//! Prints a line for each figure and size: `size microseconds name`, the least of several rounds, for what disturbs a round only adds to it.

use crate::{
    history,
    ours::{Crowd, GROUP, open_file},
};
use std::path::Path;

/// Users, members, operations.
const SIZES: [usize; 4] = [10, 100, 1_000, 4_000];
/// A group has at most 1,000 members.
const MEMBERS: [usize; 3] = [10, 100, GROUP];
/// The others in each group where users are what grows.
const SMALL_GROUP: usize = 50;

/// The least microseconds an item of each figure.
#[derive(Default)]
struct Least(Vec<(&'static str, f64)>);

impl Least {
    fn note(&mut self, name: &'static str, micros: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, least)) => *least = least.min(micros),
            None => self.0.push((name, micros)),
        }
    }

    fn print(self, size: usize) {
        for (name, micros) in self.0 {
            println!("{size} {micros:.3} {name}");
        }
    }
}

/// Small sizes are soon done, and vary more.
fn rounds(size: usize) -> usize {
    if size < 1_000 { 10 } else { 3 }
}

/// Measures everything in every size. For a profile: only one figure's part in one size.
pub fn run(only: Option<(&str, usize)>) {
    let folder = std::env::temp_dir().join(format!("sesame-growth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let measure = |part: &str, size: usize| {
        eprintln!("{size} {part}");
        match part {
            "users" => users(size, &folder.join(format!("{size}.db"))),
            "operations" => operations(size),
            _ => members(size),
        }
    };
    let all = ["users", "operations"].iter().flat_map(|part| SIZES.map(|size| (*part, size)));
    let all = all.chain(MEMBERS.map(|size| ("members", size)));
    for (part, size) in only.map_or_else(|| all.collect(), |only| vec![only]) {
        measure(part, size).print(size);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Alice knows so many users with one device each, all of whom she has groups with.
fn users(size: usize, file: &Path) -> Least {
    let mut least = Least::default();
    let mut crowd = Crowd::gather_in_groups(size, SMALL_GROUP, false);
    let mut alice = crowd.alice_in_memory();
    let users = crowd.users();
    let each = size as f64;
    // The first message of each peer's chain is a DH step; those after it are none.
    let first = crowd.mailbox();
    crowd.open(&mut alice, &first);
    for _ in 0..rounds(size) {
        let mailbox = crowd.mailbox();
        let [opened, acked] = crowd.open_and_ack(&mut alice, &mailbox);
        least.note("mailbox: batch_decrypt", opened / each);
        least.note("mailbox: inbox and ack", acked / each);
        least.note("forged: batch_decrypt", crowd.forged(&mut alice, &mailbox) / each);
        least.note("direct: batch_encrypt", crowd.say_directly(&mut alice, &users) / each);
        let (requests, given) = crowd.give(&mut alice);
        least.note("direct: next_request", given / each);
        least.note("direct: respond", crowd.settle(&mut alice, requests) / each);
        least.note("groups of 51: batch_encrypt", crowd.say_to_groups(&mut alice) / each);
        let (requests, given) = crowd.give(&mut alice);
        least.note("groups of 51: next_request", given / each);
        least.note("groups of 51: respond", crowd.settle(&mut alice, requests) / each);
        for user in &users {
            least.note("a send to one: batch_encrypt", crowd.say_directly(&mut alice, std::slice::from_ref(user)));
        }
        let (requests, given) = crowd.give(&mut alice);
        least.note("a send to one each: next_request", given / each);
        least.note("a send to one each: respond", crowd.settle(&mut alice, requests) / each);
    }
    drop(crowd.alice_in_a_file(file));
    for _ in 0..rounds(size) {
        least.note("open, SQLite, in all", open_file(file));
    }
    least
}

/// One group of Alice and so many others.
fn members(size: usize) -> Least {
    let mut least = Least::default();
    let mut crowd = Crowd::gather(size, false);
    let mut alice = crowd.alice_in_memory();
    let each = size as f64;
    for _ in 0..rounds(size) {
        least.note("one group: batch_encrypt", crowd.say_to_groups(&mut alice) / each);
        let (requests, given) = crowd.give(&mut alice);
        least.note("one group: next_request", given / each);
        least.note("one group: respond", crowd.settle(&mut alice, requests) / each);
        least.note("one group: create_group", crowd.found(&mut alice) / each);
    }
    least
}

/// A group with so many operations.
fn operations(size: usize) -> Least {
    let mut least = Least::default();
    let mut history = history::History::of(size);
    for _ in 0..3 {
        let [taken, viewed] = history.read();
        least.note("operations: decode and take", taken / size as f64);
        least.note("operations: view", viewed / size as f64);
        least.note("operations: rename, for each that there is", history.rename() / size as f64);
    }
    least
}
