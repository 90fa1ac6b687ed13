//! The other devices of the user (X 5). `linking` has how they come.

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::{Item, PendingSend},
    flow::{send, upkeep::link},
    ids::DeviceId,
    tx::inbox,
};

impl Device {
    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so follow the new list to the server.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::UnknownDevice`]; [`Code::InvalidArgument`] for the primary itself.
    pub fn remove_device(&self, context: &mut Context<'_>, device: DeviceId) -> Result<(), Error> {
        self.call(context, |call| {
            for event in link::remove_device(call, device)? {
                inbox::put(&mut call.tx, &Item::Event(event))?;
            }
            Ok(())
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
