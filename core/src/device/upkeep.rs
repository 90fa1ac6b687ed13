//! The other devices of the user (X 5). `linking` has how they come.

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{context::Context, error::Error, event::Item, flow::upkeep::link, ids::DeviceId, tx::inbox};

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
}
