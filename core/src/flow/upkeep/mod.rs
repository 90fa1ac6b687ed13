//! What makes a device and keeps it: its beginning, linking, prekeys, the daily housekeeping, accepted identities (X 3, X 5 to X 9).

mod again;
pub(crate) mod begin;
pub(crate) mod damage;
mod expire;
pub(crate) mod forget;
mod grant;
pub(crate) mod hand_over;
pub(crate) mod heal;
pub(crate) mod identity;
pub(crate) mod join;
pub(crate) mod link;
pub(crate) mod own_list;
pub(crate) mod publish;
pub(crate) mod removal;
pub(crate) mod restore;
pub(crate) mod tick;
