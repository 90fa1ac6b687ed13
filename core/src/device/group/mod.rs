//! Groups: what a device knows of them, says in them and hears in them (D5 to D8; X 4, X 9, X 11).
//!
//! A group's messages come in through [`Device::batch_decrypt`](super::Device::batch_decrypt) and go out through
//! [`Device::batch_encrypt`](super::Device::batch_encrypt) like any other; what is said *about* the group is made by [`Group`]. The
//! server sees nothing of either.

mod act;
mod cost;
mod forget;
mod handle;
mod hear;
pub(super) mod state;
mod sync;

pub use handle::Group;

pub(super) use forget::forget_scopes;
pub(super) use hear::{Word, forget_held};
