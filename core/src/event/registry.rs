//! Users, devices and sessions as an app sees them.

use crate::ids::{AccountKey, DeviceId, ListHash, SessionId, UserId};

/// How a device stands with us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceState {
    /// Listed, with a usable session.
    Active,
    /// Listed; the next send initiates a session.
    NoSession,
    /// It is this device.
    Own,
    /// No longer listed; kept for late messages.
    Stale,
}

/// A user, as this device knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserView {
    /// The user id.
    pub user: UserId,
    /// The pinned account key, 32 bytes.
    pub account_key: AccountKey,
    /// Another account key that waits for `accept_identity`.
    pub claimed_key: Option<AccountKey>,
    /// Whether the app compared safety numbers.
    pub verified: bool,
    /// The epoch of the newest list, or 0.
    pub epoch: u64,
    /// Whether two signed lists contradict each other.
    pub forked: bool,
    /// The hash of the newest list, 32 bytes; absent without one.
    pub list_hash: Option<ListHash>,
    /// In a fork, the hash of the other list, 32 bytes.
    pub other_hash: Option<ListHash>,
    /// Whether the server said that there is no such user.
    pub paused: bool,
}

/// A device, as this device knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceView {
    /// The DeviceID.
    pub device: DeviceId,
    /// The device's Ed25519 key, 32 bytes.
    pub signing_key: [u8; 32],
    /// IK, 32 bytes.
    pub identity_key: [u8; 32],
    /// Active, no session, or stale.
    pub state: DeviceState,
    /// The active session.
    pub session: Option<SessionId>,
}

/// A session, as this device knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionView {
    /// SessionID, 32 bytes, equal at both ends.
    pub id: SessionId,
    /// The session's place in the order.
    pub generation: u64,
    /// Whether no answer has come yet.
    pub initiating: bool,
    /// Messages that this device has sent to that one, over all sessions.
    pub sent: u64,
    /// Messages accepted on this session.
    pub received: u64,
    /// Other sessions that are kept for late messages.
    pub inactive: usize,
}
