//! What a device keeps of its server.

use super::Record;
use crate::ids::UserId;
use serde::{Deserialize, Serialize};

/// The server, and what is due there.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct ServerState {
    /// The server's name, which requests are signed for.
    pub name: String,
    /// What the server asks of a new user.
    #[serde(with = "super::bytes_form")]
    pub token: Vec<u8>,
    /// The server's store generation, once it has said one.
    pub generation: Option<u64>,
    /// The one-time prekeys of each kind that the server wants, once it has said so.
    pub wanted: Option<u32>,
    /// Where the server may knock, and whether that is still to be said.
    pub push: Option<Push>,
    /// Whether the account is to be deleted.
    pub delete: bool,
    /// Whether the server has deleted it.
    pub deleted: bool,
    /// Whether the server has refused this device as a new one.
    pub refused: bool,
    /// Whether the app was told that this device is off its user's list.
    pub removed: bool,
    /// When housekeeping was last done to its end, in ms.
    pub kept_at: u64,
    /// The bucket of rows that housekeeping goes on with, while it is being done.
    pub keeping: Option<u8>,
    /// When it was last asked for our own list because somebody claimed another one, by our age clock, in ms.
    pub own_asked_at: u64,
    /// How many rows were found damaged since the app was told.
    pub damaged: u32,
}
impl Record for ServerState {}

// By hand: a derived Debug would print the token.
impl core::fmt::Debug for ServerState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ServerState({}, {:?})", self.name, self.push)
    }
}

/// Where the server may knock.
#[derive(Clone, Deserialize, Serialize)]
pub struct Push {
    /// The app's bytes; empty: nowhere.
    #[serde(with = "super::bytes_form")]
    pub value: Vec<u8>,
    /// Whether the server has not taken it yet.
    pub due: bool,
}

// By hand: a derived Debug would print the value.
impl core::fmt::Debug for Push {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Push({} bytes)", self.value.len())
    }
}

/// A user whose device list the app has asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Wanted {
    /// The user.
    pub user: UserId,
}
impl Record for Wanted {
    const SPARE: bool = true;
}
