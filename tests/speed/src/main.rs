//! What a message costs, beside its primitives and beside peers: one program, rounds in turns, processor time, medians.
//!
//! Prints a line for each figure: its name, and microseconds an item. `cargo xtask bench` makes the ratios of them. `counts` does what is
//! counted in instructions instead, `growth` the same steps in four sizes.

// Here the clock is what is asked for.
#![allow(clippy::disallowed_methods, clippy::indexing_slicing, clippy::unwrap_used)]

mod clock;
mod counts;
mod floors;
mod growth;
mod history;
mod memory;
mod ours;
#[cfg(feature = "peers")]
mod peers;
mod weight;

use clock::Figures;
use ours::Crowd;

/// The bytes of a message.
const TEXT: usize = 256;
const ROUNDS: usize = 5;
/// How often one thread runs against two: the clock on the wall is noisy.
const RACES: usize = 9;
/// New users whom Alice writes to in each round: one request for bundles.
const SET_UPS: usize = 64;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["counts"] => counts::run(),
        ["growth"] => growth::run(None),
        ["growth", part, size] => growth::run(Some((part, size.parse().unwrap()))),
        ["resident", path, users] => memory::resident(path.as_ref(), users.parse().unwrap()),
        _ => table(),
    }
}

/// Everything that is timed.
fn table() {
    // Users with two devices each; the largest group has Alice and 999 others.
    let users: usize = std::env::args().nth(1).and_then(|users| users.parse().ok()).unwrap_or(999);
    // For a profile: only sends, so many of them.
    let only_sends: Option<usize> = std::env::args().nth(2).and_then(|rounds| rounds.parse().ok());
    let mut figures = Figures::default();
    let folder = std::env::temp_dir().join(format!("sesame-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (mut crowd, micros) = clock::timed(|| Crowd::gather(users, true));
    eprintln!("{} devices gathered in {:.1} s", crowd.devices(), micros / 1e6);
    let mut in_memory = crowd.alice_in_memory();
    if let Some(rounds) = only_sends {
        for _ in 0..rounds {
            floors::whole_envelope(&mut figures);
            crowd.send(&mut in_memory, &mut figures, ["batch", "settle"]);
        }
        figures.print();
        return;
    }
    let mut in_a_file = crowd.alice_in_a_file(&folder.join("alice.db"));
    #[cfg(feature = "peers")]
    let (mut olm, mut double_ratchet) = (peers::Olm::new(crowd.devices()), peers::DoubleRatchet::new(crowd.devices()));
    // The first message of each peer's chain is a DH step; those after it are none.
    let first = crowd.mailbox();
    crowd.open(&mut in_memory, &first);
    crowd.open(&mut in_a_file, &first);
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        floors::bare_ratchet(&mut figures);
        floors::whole_envelope(&mut figures);
        let mut rng = sesame_tests::World::new(round as u64).rng;
        let mut context = sesame_core::context::Context { now: Default::default(), rng: &mut rng };
        floors::dh_step(&mut figures, &mut context);
        floors::pqxdh_out(&mut figures, &mut context);
        floors::pqxdh_in(&mut figures, &mut context);
        #[cfg(feature = "peers")]
        {
            olm.round(&mut figures);
            double_ratchet.round(&mut figures);
        }
        crowd.set_up(&mut in_memory, &mut figures, SET_UPS);
        crowd.send(&mut in_memory, &mut figures, ["batch", "settle"]);
        crowd.send(&mut in_a_file, &mut figures, ["batch, SQLite", "settle, SQLite"]);
        let mailbox = crowd.mailbox();
        figures.note("mailbox", crowd.open(&mut in_memory, &mailbox) / mailbox.len() as f64);
        figures.note("mailbox, SQLite", crowd.open(&mut in_a_file, &mailbox) / mailbox.len() as f64);
        figures.note("forged", crowd.forged(&mut in_memory, &mailbox) / mailbox.len() as f64);
    }
    crowd.send(&mut in_memory, &mut figures, ["batch", "settle"]);
    crowd.all_read(&mut figures);
    let mut on_two = crowd.alice_in_memory().on_threads(2);
    for _ in 0..RACES {
        crowd.race(&mut in_memory, &mut figures, "batch, wall");
        crowd.race(&mut on_two, &mut figures, "batch, wall, two threads");
    }
    for _ in 0..3 {
        let answers = crowd.turn(&mut in_memory);
        figures.note("mailbox, DH step", crowd.open(&mut in_memory, &answers) / answers.len() as f64);
    }
    drop((in_memory, in_a_file, on_two));
    forged_among_groups(&mut figures);
    crowd.weigh(&mut figures, &folder.join("weighed.db"));
    let reopened = folder.join("reopened.db");
    drop(crowd.alice_in_a_file(&reopened));
    figures.note("open", ours::open_file(&reopened));
    memory::large_store(&mut figures, &folder);
    figures.print();
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Envelopes that nobody sent, for a device with 1,200 sessions, in 100 groups of 12 others.
fn forged_among_groups(figures: &mut Figures) {
    let mut crowd = Crowd::gather_in_many_groups(12, 100);
    let mut alice = crowd.alice_in_memory();
    let mailbox = vec![crowd.mailbox(); 100].concat();
    for _ in 0..ROUNDS {
        figures.note("forged, 100 groups", crowd.forged(&mut alice, &mailbox) / mailbox.len() as f64);
    }
}
