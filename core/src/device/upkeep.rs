//! The other devices of the user (X 5). `linking` has how they come.

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::PendingSend,
    flow::{
        send,
        upkeep::{link, own_list},
    },
    ids::{DeviceId, ListHash},
    tx::inbox,
};

impl Device {
    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so follow the new list to the server.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::UnknownDevice`]; [`Code::InvalidArgument`] for the primary itself;
    /// [`Code::OwnListNotAdopted`].
    pub fn remove_device(&self, context: &mut Context<'_>, device: DeviceId) -> Result<(), Error> {
        self.call(context, |call| {
            let events = link::remove_device(call, device)?;
            Ok(inbox::tell(&mut call.tx, events)?)
        })
    }

    /// The primary takes the list of this hash, which it has not signed, for its own, and signs the next one on top of it: the answer to
    /// `OwnListAhead` when the user knows where that list comes from, a store that was put back above all (X 5). The devices on that list are the
    /// user's from then on.
    ///
    /// Until then no list goes up, and no device is linked or removed.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] when no such list waits; [`Code::DeviceRemoved`] when the list does not name this device; the
    /// store's.
    pub fn adopt_own_list(&self, context: &mut Context<'_>, hash: &ListHash) -> Result<(), Error> {
        self.call(context, |call| {
            let events = own_list::adopt(call, hash)?;
            Ok(inbox::tell(&mut call.tx, events)?)
        })
    }

    /// This device logs out: it asks the user's primary to remove it, whose app gets `DeviceWantsRemoval` and calls [`Device::remove_device`].
    /// Until then others go on to send to it. When the send's end is in the inbox, the store may be erased.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] on the primary itself, which [`Device::delete_account`] is for; [`Code::DeviceRemoved`]; the store's.
    pub fn log_out(&self, context: &mut Context<'_>) -> Result<PendingSend, Error> {
        self.call(context, send::departure)
    }
}
