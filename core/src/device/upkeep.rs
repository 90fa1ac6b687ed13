//! The other devices of the user (X 5, X 7).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{context::Context, error::Error, event::Item, flow::upkeep::link, ids::DeviceId, tx::inbox};

impl Device {
    /// The primary reads a new device's code, after its user confirmed: a new list names the device, and the answer is sealed for it.
    ///
    /// The new list goes out with the next [`Device::publication`].
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] for a code that has expired or was used; [`Code::TooManyOwnDevices`];
    /// what [`LinkOffer::decode`](crate::wire::linking::LinkOffer::decode) says; [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a
    /// key in it; [`Code::KeyReuse`].
    pub fn link(&self, context: &mut Context<'_>, code: &str) -> Result<Vec<u8>, Error> {
        let offer = link::Offer::read(code, context.now)?;
        self.call(context, |call| link::link(call, &offer))
    }

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
