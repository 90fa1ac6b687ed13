//! The large world: users with devices and groups, to whom everything happens at once, and who talk again afterwards (`protocol.md` 1.10,
//! `security.md` 4.1).
//!
//! A [`Scene`] is made from one seed: so many users, devices and groups, and a list of what happens. [`play`] plays it with real library code
//! through the public face, requests out and responses in, and says what was wrong ([`Violation`]). [`shrink`] leaves out what the violation does
//! not need. A scene is text, one line for each act, so that a failure becomes a file under `tests/regressions/`.
//!
//! Whom an act concerns is a number that is taken modulo what is there. So a scene of which a part is left out is a scene still.

mod act;
mod app;
mod faults;
mod heal;
mod oracle;
mod plan;
mod shrink;
mod sim;

pub use act::{Act, Scene, Trouble};
pub use oracle::Violation;
pub use shrink::shrink;
pub use sim::{Played, Sabotage, play, play_with};
