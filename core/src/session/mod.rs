//! One session between two devices in one scope: how it begins, its rank among the sessions, sealing, opening
//! (X 3, Sesame 2.3).
//!
//! It does not know users, device lists, other devices or the store.

mod begin;
mod control;
mod open;
mod seal;

pub use begin::{accept, accept_opening, initiate, open_scope};
pub use control::{CONTROL_TAG, open_control, seal_control};
pub use open::{open, open_nested, position, position_nested};
pub use seal::{Outgoing, Route, Sealed, envelope, envelope_len, nested_content, seal, seal_nested};

use crate::{
    error::Code,
    model::SessionMeta,
    ratchet::Ratchet,
    record::{Beginning, SessionCold},
};

/// A session in memory.
#[derive(Clone, Debug)]
pub struct Session {
    /// SessionID, generation and age.
    pub meta: SessionMeta,
    /// The Double Ratchet of this session.
    pub ratchet: Ratchet,
    /// What every message repeats while the session is initiating.
    pub beginning: Option<Beginning>,
}

impl Session {
    /// What sealing reads.
    #[must_use]
    pub fn outgoing(&self) -> Outgoing<'_> {
        Outgoing { meta: &self.meta, ratchet: self.ratchet.sending(), beginning: self.beginning.as_ref() }
    }

    /// The part of the stored session that changes rarely.
    #[must_use]
    pub fn cold(&self) -> SessionCold {
        SessionCold { ratchet: self.ratchet.cold.clone(), beginning: self.beginning.clone() }
    }

    /// Puts a session together from its stored parts.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] if the parts do not belong together.
    pub fn from_parts(
        meta: SessionMeta,
        cold: &SessionCold,
        hot: crate::record::Hot,
        directory: crate::record::Directory,
    ) -> Result<Self, Code> {
        if cold.beginning.is_some() != meta.initiating {
            return Err(Code::RecordInconsistent);
        }
        Ok(Self {
            meta,
            ratchet: Ratchet::from_parts(cold.ratchet.clone(), hot, directory)?,
            beginning: cold.beginning.clone(),
        })
    }
}
