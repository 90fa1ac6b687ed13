//! Receiving: a mailbox in one call, and the inbox (Sesame 3.4).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{InboxItem, Received},
    flow::{look, receive::batch},
    limits::MAX_BATCH,
};

impl Device {
    /// Opens the envelopes of a fetched mailbox, in any order. What they say waits in the inbox until it is acked; only when this call
    /// has returned may they be confirmed to the server.
    ///
    /// Each envelope stands alone: one that fails changes nothing and hinders no other.
    ///
    /// # Errors
    /// [`Code::EmptyBatch`]; [`Code::TooMany`] beyond 4,096; the store's. Then nothing has changed.
    pub fn batch_decrypt(&self, context: &mut Context<'_>, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error> {
        if envelopes.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "envelopes"));
        }
        if envelopes.len() > MAX_BATCH {
            return Err(Error::of(Code::TooMany, "envelopes"));
        }
        self.call(context, |call| batch::open(call, envelopes))
    }

    /// Everything that was received and not acked, oldest first; after a crash the same items under the same ids.
    ///
    /// # Errors
    /// The store's.
    pub fn inbox(&self, context: &mut Context<'_>) -> Result<Vec<InboxItem>, Error> {
        self.call(context, |call| Ok(look::inbox(call)?))
    }

    /// The app has these items safe; they are deleted. An id that is not there is no error.
    ///
    /// # Errors
    /// The store's.
    pub fn ack(&self, context: &mut Context<'_>, ids: &[u64]) -> Result<(), Error> {
        self.call(context, |call| Ok(look::ack(call, ids)?))
    }
}
