//! What a device knows, as data with the methods that ask it: users, their devices, their sessions, groups.
//!
//! Methods here read or change one value. Rules that compare several values stand in `registry` and `group`; how a value is stored stands
//! in `record`.

mod group;
pub mod order;
mod peer;
mod session;
mod user;

pub use group::{Claim, GroupRecord, Invitation, Lag, Member, Pushed, among, identities};
pub use peer::Peer;
pub use session::SessionMeta;
pub use user::{Fork, User};
