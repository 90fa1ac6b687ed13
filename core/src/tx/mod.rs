//! The rows of one call: what it read, what it will write, one commit.
//!
//! A public call of the device is one [`Call`]. It reads rows through [`Tx`], changes decoded records, and everything that it changed is
//! committed at once or not at all. The modules beside [`Tx`] know which rows belong together: a session and its index, a send and its
//! parts, what is held and how much that is. They decide nothing; the rules stand in `registry` and `group`, the order of steps in `flow`.

pub(crate) mod ahead;
pub(crate) mod call;
pub(crate) mod healing;
pub(crate) mod held;
pub(crate) mod inbox;
pub(crate) mod ledger;
mod links;
pub(crate) mod own;
mod place;
mod records;
mod rows;
mod run;
pub(crate) mod sends;
pub(crate) mod sessions;
pub(crate) mod working;

pub(crate) use call::{Begun, Call, Ready};
pub(crate) use place::Place;
pub(crate) use rows::Tx;
pub(crate) use run::Memory;
pub(crate) use working::WorkingSet;
