//! One session between two devices in one scope: how it begins, its place in the order, sealing, opening (X 3, Sesame 2.3).
//!
//! It does not know users, device lists, other devices or the store.

mod begin;
mod open;
pub mod order;
mod seal;

pub use begin::{accept, initiate};
pub use open::open;
pub use seal::{Route, Sealed, envelope, seal};

use crate::{
    error::Code,
    ratchet::Ratchet,
    record::{SessionCold, SessionMeta},
    wire::envelope::Initiation,
};

/// A session in memory.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its name, its place in the order, its age.
    pub meta: SessionMeta,
    /// Its Double Ratchet.
    pub ratchet: Ratchet,
    /// The clear fields that its messages repeat while it is initiating.
    pub initiation: Option<Initiation>,
}

impl Session {
    /// The part that changes rarely.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn cold(&self) -> Result<SessionCold, Code> {
        let initiation = self.initiation.as_ref().map(Initiation::encode).transpose()?;
        Ok(SessionCold { ratchet: self.ratchet.cold.clone(), initiation })
    }

    /// A session from its stored parts.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] when the parts do not fit each other.
    pub fn from_parts(
        meta: SessionMeta,
        cold: SessionCold,
        hot: crate::record::Hot,
        directory: crate::record::Directory,
    ) -> Result<Self, Code> {
        let initiation = cold
            .initiation
            .map(|bytes| Initiation::decode(&bytes))
            .transpose()
            .map_err(|_| Code::RecordInconsistent)?;
        if initiation.is_some() != meta.initiating {
            return Err(Code::RecordInconsistent);
        }
        Ok(Self { meta, ratchet: Ratchet { cold: cold.ratchet, hot, directory }, initiation })
    }
}
