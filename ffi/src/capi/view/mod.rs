//! What a call gives, as structs that C reads, and the structs that C gives back.
//!
//! Every struct begins with its size, so that a later version may add to its end; lists hold pointers to their items for the same reason.
//! A slice whose `data` is NULL stands for what is absent.

mod generated;
mod given;
mod receive;
mod relay;

pub use generated::*;
pub use given::*;
pub use receive::*;
pub use relay::*;
