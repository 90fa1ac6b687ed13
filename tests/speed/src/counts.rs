//! What is counted in instructions: a few steps from one seed, so that a run under `callgrind` gives nearly the same figures on any machine.
//! What is received or settled is also read from the inbox and acked.
//!
//! Prints a line for each figure: its name, the first step that belongs to it and the one after the last, and its items. `xtask/src/counts.rs`
//! runs this under valgrind and knows what each step has cost.

use crate::{
    clock::{self, steps},
    ours::Crowd,
};

/// The users in the batches, in the group and in the mailbox.
const USERS: usize = 100;
/// How often what is one message is done: the table of a hash map has an order of its own in each run, and so the sum varies less.
const TIMES: usize = 10;

/// Names the steps of a part of a figure.
fn figure<T>(name: &str, items: usize, step: impl FnOnce() -> T) -> T {
    let first = steps();
    let output = step();
    println!("{first} {} {items} {name}", steps());
    output
}

/// Does everything that is counted.
pub fn run() {
    clock::stop();
    let mut crowd = Crowd::gather(USERS, false);
    let mut alice = crowd.alice_in_memory();
    // The first message of each peer's chain is a DH step; those after it are none.
    let first = crowd.mailbox();
    crowd.open(&mut alice, &first);
    let mailbox = crowd.mailbox();
    figure("mailbox of 100, a message", USERS, || crowd.open(&mut alice, &mailbox));
    let mailbox = crowd.mailbox();
    for envelope in mailbox.iter().take(TIMES) {
        figure("decrypt", 1, || crowd.open(&mut alice, std::slice::from_ref(envelope)));
    }
    let everybody = crowd.users();
    // What a first message brings is not counted: its DH step, and the day's housekeeping with the request after it.
    crowd.say_to_groups(&mut alice);
    let (requests, _) = crowd.give(&mut alice);
    crowd.settle(&mut alice, requests);
    crowd.say_directly(&mut alice, &everybody);
    let (requests, _) = crowd.give(&mut alice);
    crowd.settle(&mut alice, requests);
    for user in everybody.iter().take(TIMES) {
        let (requests, _) = figure("encrypt", 1, || {
            crowd.say_directly(&mut alice, std::slice::from_ref(user));
            crowd.give(&mut alice)
        });
        crowd.settle(&mut alice, requests);
    }
    let (requests, _) = figure("batch of 100, an envelope", USERS, || {
        crowd.say_directly(&mut alice, &everybody);
        crowd.give(&mut alice)
    });
    figure("settle of 100, a user", USERS, || crowd.settle(&mut alice, requests));
    let (requests, _) = figure("group of 100, an envelope", USERS, || {
        crowd.say_to_groups(&mut alice);
        crowd.give(&mut alice)
    });
    crowd.settle(&mut alice, requests);
    let answers = crowd.turn(&mut alice);
    for envelope in answers.iter().take(TIMES) {
        figure("decrypt, DH step", 1, || crowd.open(&mut alice, std::slice::from_ref(envelope)));
    }
    let (bundles, names) = crowd.approach(&mut alice, TIMES);
    for request in bundles {
        figure("initiation", TIMES, || crowd.answer(&mut alice, &request));
    }
    let (requests, _) = crowd.give(&mut alice);
    crowd.settle(&mut alice, requests);
    for name in names {
        figure("acceptance", 1, || crowd.read(name));
    }
}
