//! How the primary's part goes to another device of the user (X 7).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::HandoverView,
    flow::upkeep::hand_over,
    ids::{DeviceId, HandoverId},
};

impl Device {
    /// The primary offers its part, which is the account key, to a listed device of the user. Both show the digits: here they are in what this
    /// gives, there in the event `HandoverOffered`. The key is sent once the apps on both have called [`Device::confirm_handover`]. Until
    /// then nothing has changed, for a day at most.
    ///
    /// The same call again gives the same hand-over. A call for another device takes its place.
    ///
    /// # Errors
    /// [`Code::NotPrimary`], also while the account key is on its way to a device: [`Device::cancel_handover`] then; [`Code::UnknownDevice`] for a
    /// device that is not on the list; [`Code::InvalidArgument`] for this one; [`Code::OwnListNotAdopted`]; the store's.
    pub fn hand_over(&self, context: &mut Context<'_>, device: DeviceId) -> Result<HandoverView, Error> {
        self.call(context, |call| hand_over::begin(call, device))
    }

    /// The user has seen the same digits on both devices. Each of the two apps says so; the order does not matter.
    ///
    /// The primary then signs nothing more. The other device signs the list that names it as the primary, and on taking that list this one deletes the
    /// account key. All of it goes out with the next requests.
    ///
    /// # Errors
    /// [`Code::HandoverEnded`] for one that is not known, was cancelled, or was begun more than a day ago; the store's.
    pub fn confirm_handover(&self, context: &mut Context<'_>, handover: &HandoverId) -> Result<(), Error> {
        self.call(context, |call| hand_over::confirm(call, handover))
    }

    /// The app gives a hand-over up, on either device. One that is not known is no error.
    ///
    /// The primary goes on as it was, also if the account key has been sent and the other device has said nothing since. If that device has got it
    /// all the same, both have it, and [`Device::adopt_own_list`] decides.
    ///
    /// # Errors
    /// The store's.
    pub fn cancel_handover(&self, context: &mut Context<'_>, handover: &HandoverId) -> Result<(), Error> {
        self.call(context, |call| hand_over::cancel(call, handover))
    }
}
