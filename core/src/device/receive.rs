//! Receiving: a mailbox in one call, and the inbox (Sesame 3.4).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{InboxItem, MailResult},
    flow::{look, receive::batch},
    limits::MAX_BATCH,
};

impl Device {
    /// Opens envelopes that came by another way than the loop of requests: a push, or a transport of the app's own. They may come in any
    /// order. What they say waits in the inbox until it is acked; only when this call has returned may they be deleted where they lay.
    ///
    /// Each envelope stands alone: one that fails changes nothing and hinders no other. `complete` says that these were the last ones in the
    /// mailbox: nothing is forgotten before a mailbox was read to its end.
    ///
    /// # Errors
    /// [`Code::TooMany`] beyond 4,096; the store's. Then nothing has changed.
    pub fn batch_decrypt(
        &self,
        context: &mut Context<'_>,
        envelopes: &[impl AsRef<[u8]>],
        complete: bool,
    ) -> Result<Vec<MailResult>, Error> {
        if envelopes.len() > MAX_BATCH {
            return Err(Error::of(Code::TooMany, "envelopes"));
        }
        self.call(context, |call| {
            let received = batch::open(call, envelopes)?;
            if complete {
                let mut own = call.tx.own()?;
                own.mailbox_emptied_at = call.at.age.0;
                call.tx.put_own(&own)?;
            }
            Ok(MailResult::of(envelopes.len(), received))
        })
    }

    /// What was received or happened and was not acked, oldest first, after the item with the id `after` and at most `limit`; after a crash
    /// the same items under the same ids.
    ///
    /// # Errors
    /// The store's.
    pub fn inbox(&self, context: &mut Context<'_>, after: u64, limit: usize) -> Result<Vec<InboxItem>, Error> {
        self.call(context, |call| Ok(look::inbox(call, after, limit)?))
    }

    /// The app has these items safe; they are deleted. An id that is not there is no error.
    ///
    /// # Errors
    /// The store's.
    pub fn ack(&self, context: &mut Context<'_>, ids: &[u64]) -> Result<(), Error> {
        self.call_begun(context, |call| Ok(look::ack(call, ids)?))
    }
}
