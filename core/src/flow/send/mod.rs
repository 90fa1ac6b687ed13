//! The road out (Sesame 3.3; D8): a message becomes one part for each user, a part one recipe for each device, a recipe an envelope.

pub(crate) mod needs;
pub(crate) mod outbox;
pub(crate) mod outcome;
pub(crate) mod part;
pub(crate) mod settle;
mod start;
mod together;

pub(crate) use start::{Message, check_payload, departure, follow_user, handover, quietly, start, to_users};
