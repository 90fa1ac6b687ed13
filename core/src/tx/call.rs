//! One public call.

use super::Tx;
use crate::{
    context::{Context, Timestamp},
    ids::{DeviceId, UserId},
    keys::device::DeviceKeys,
};

/// One public call on its way: who makes it, the rows that it sees, the time and the randomness that it was given.
pub(crate) struct Call<'a> {
    /// This device's keys.
    pub(crate) us: &'a DeviceKeys,
    /// The rows.
    pub(crate) tx: Tx<'a>,
    /// Time and randomness.
    pub(crate) context: Context<'a>,
}

impl<'a> Call<'a> {
    /// Our own user.
    pub(crate) fn user(&self) -> &'a UserId {
        &self.us.party.user
    }

    /// This device.
    pub(crate) fn device(&self) -> DeviceId {
        self.us.party.device
    }

    /// The time of the call.
    pub(crate) fn now(&self) -> Timestamp {
        self.context.now
    }
}
