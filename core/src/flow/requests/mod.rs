//! The loop of requests: what a device asks of its server, and what it makes of the answers.
//!
//! `queue` says what the open sends wait for, `choose` takes the next piece of work, `give` makes a request of it, `hear` takes the answer in, with
//! `refusal` for what is no 200 and `submitted` for the results of batches.
//! Work is durable: it is read from the store. A request is not: it lives in [`Requests`], in memory, for a minute.
//!
//! A request is *lent*. Until its answer comes, or a minute has passed, its work is in no other request. A failure pauses everything, an
//! answer that brings nothing pauses its user. So a loop over `next_request` ends, whatever the server says and whatever the host forgets.

mod choose;
mod give;
mod hear;
pub(crate) mod link;
mod pause;
mod queue;
mod refusal;
pub(crate) mod restore;
mod state;
mod submitted;

pub(crate) use choose::{due_in, ended, is_inbox_full, is_registered};
pub(crate) use give::next;
pub(crate) use hear::hear;

pub use state::Requests;
