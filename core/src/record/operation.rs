//! A group's operations at rest (D6, X 11).

use super::Record;
use crate::ids::AccountKey;
use serde::{Deserialize, Serialize};

/// An operation as it was signed.
#[derive(Clone, Deserialize, Serialize)]
pub struct StoredOperation {
    /// A `wire::group::SignedOperation`.
    #[serde(with = "super::bytes_form")]
    pub signed: Vec<u8>,
    /// The author's account key, from the list that the operation cites.
    pub account_key: AccountKey,
    /// The key that signed the operation, from that list.
    pub signing_key: [u8; 32],
    /// The epoch of that list.
    pub epoch: u64,
    /// The bytes of that list as it was signed.
    pub list_size: u32,
}

// By hand: a derived Debug would print what the group says of itself.
impl core::fmt::Debug for StoredOperation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "StoredOperation({} bytes)", self.signed.len())
    }
}
impl Record for StoredOperation {}

/// Operations that wait for their parents.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Waiting {
    /// Oldest first.
    pub operations: Vec<StoredOperation>,
}
impl Record for Waiting {
    const SPARE: bool = true;
}
