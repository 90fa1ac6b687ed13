//! A group as a set of signed operations, merged by rule and not by order of arrival (D6, X 11).
//!
//! [`operation`] is one signed word, [`set`] the words that a device has and what they make of the group, [`change`] what an app hears of it, [`sync`] what to do when two
//! devices have different words. It does not know sessions, envelopes, pins or the store.

pub mod change;
pub mod operation;
pub mod set;
pub mod sync;
mod validity;
