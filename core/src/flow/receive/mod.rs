//! The road in (Sesame 3.4; X 1, X 3, X 5): bytes, envelope, gate, session, content, admission, inbox. Each envelope by itself, all in one
//! commit.

pub(crate) mod batch;
mod content;
mod gaps;
pub(crate) mod hand_over;
mod hold;
mod incoming;
mod lists;
mod open;
mod order;
mod pre_keys;
pub(crate) mod release;
pub(crate) mod retry;
