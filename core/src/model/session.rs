//! What decides over a session's place and life (X 3). The session itself is [`crate::session::Session`].

use crate::ids::{Scope, SessionId};

/// A session as its device's record names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionMeta {
    /// SessionID.
    pub id: SessionId,
    /// Direct messages, or one group.
    pub scope: Scope,
    /// The session's place in the order.
    pub generation: u64,
    /// When its age began, in ms.
    pub created_at: u64,
    /// EK of its initiation message, or E_A of its opening.
    pub ephemeral_key: [u8; 32],
    /// Whether this device began it and has no answer yet.
    pub initiating: bool,
    /// When it first decrypted something, in ms.
    pub answered_at: Option<u64>,
    /// Whether a reset has demoted it: it only receives (X 8).
    pub demoted: bool,
    /// Whether it is a reset: a direct session that has demoted all that was before it (X 8).
    pub reset: bool,
}
