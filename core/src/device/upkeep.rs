//! What keeps a device: prekeys, other devices of its user, the daily housekeeping (X 5 to X 9).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::{Event, Publication},
    flow::upkeep::{link, publish, tick},
    ids::{DeviceId, PublicationId},
};

impl Device {
    /// What to upload next, or `None` when nothing is due. Ask again after [`Device::published`]: keys go up in chunks of 20.
    ///
    /// `left` is how many one-time prekeys the server says it still has of the scarcer kind; without it, what was used is counted here.
    ///
    /// # Errors
    /// The store's.
    pub fn publication(&self, context: &mut Context<'_>, left: Option<u32>) -> Result<Option<Publication>, Error> {
        self.call(context, |call| publish::publication(call, left))
    }

    /// The server has taken an upload; only now do its one-time keys count as offered.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when no such upload waits.
    pub fn published(&self, context: &mut Context<'_>, id: &PublicationId) -> Result<(), Error> {
        self.call(context, |call| publish::published(call, id))
    }

    /// The primary reads a new device's code, after its user confirmed: a new list names the device, and the answer is sealed for it.
    ///
    /// The new list goes out with the next [`Device::publication`].
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::InvalidArgument`] for a code that has expired or was used; [`Code::TooManyDevices`];
    /// what [`LinkOffer::decode`](crate::wire::linking::LinkOffer::decode) says; [`Code::BadKeyEncoding`] or [`Code::WeakPublicKey`] for a
    /// key in it; [`Code::KeyReuse`].
    pub fn link(&self, context: &mut Context<'_>, code: &str) -> Result<Vec<u8>, Error> {
        let offer = link::Offer::read(code, context.now)?;
        self.call(context, |call| link::link(call, &offer))
    }

    /// The primary takes a device off the list (X 5). What others had ready for it, they no longer send. In each group its later operations
    /// are void; the sends that say so are in [`Device::outbox`], to be submitted after the new list is published.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::NotListed`]; [`Code::InvalidArgument`] for the primary itself.
    pub fn remove_device(&self, context: &mut Context<'_>, device: DeviceId) -> Result<Vec<Event>, Error> {
        self.call(context, |call| link::remove_device(call, device))
    }

    /// Does what is due: forgets what has lived long enough, signs the device list anew every week (on the primary). Call it about once
    /// a day, after a `GroupDiverged` as well (what is due to devices with other operations is then in [`Device::outbox`]), and with
    /// `mailbox_empty` when the mailbox has just been fetched and decrypted to its end: nothing is forgotten by a clock alone.
    ///
    /// # Errors
    /// The store's.
    pub fn tick(&self, context: &mut Context<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
        self.call(context, |call| tick::tick(call, mailbox_empty))
    }
}
