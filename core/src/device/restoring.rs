//! How a primary comes back from a backup of its account (X 7).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::{Context, Timestamp},
    error::{Code as Why, Error},
    event::{Answered, Server, ServerRequest},
    flow::{
        requests::restore::{Heard, RestoreRequests},
        upkeep::{
            begin,
            restore::{self, Backup, Loss},
        },
    },
    ids::RequestId,
    secret::Secret,
    store::{Sealer, Store},
    tx::{Memory, Place, Tx},
};
use std::sync::Arc;

/// A primary on its way back. It lives in the store, not in this handle.
///
/// It asks one thing of the server, by [`Restoring::next_request`] and [`Restoring::respond`]: to take the list that names it. Then
/// [`Restoring::device`] gives the device.
pub struct Restoring {
    store: Arc<dyn Store>,
    sealer: Sealer,
}

impl core::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Restoring")
    }
}

impl Restoring {
    /// Takes up a restore that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none is under way: [`Device::open`] if it has come to its end; [`Code::WrongKey`]; [`Code::RecordCorrupt`].
    pub fn resume(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let mut tx = Tx::new(store.as_ref(), &sealer, false);
        restore::check(&mut tx, &sealer).map_err(|code| tx.explain(code.into()))?;
        drop(tx);
        Ok(Self { store, sealer })
    }

    /// The next request to the server: the upload of the list that names this device. `None` while it is too early, and once
    /// [`RestoreRequests::over`].
    ///
    /// # Errors
    /// [`Code::ForeignStore`] once the device is there; the store's.
    pub fn next_request(
        &self,
        context: &mut Context<'_>,
        requests: &mut RestoreRequests,
    ) -> Result<Option<ServerRequest>, Error> {
        if requests.due_in(context.now) != Some(0) {
            return Ok(None);
        }
        let tx = Tx::new(self.store.as_ref(), &self.sealer, false);
        let upload = restore::upload(&tx).map_err(|error| tx.explain(error))?;
        requests.next(context, upload).map(Some)
    }

    /// Takes in what the server says: the HTTP status, or 0 when none came, and the body. Gives what came of it, and whether the device is there
    /// now.
    ///
    /// If the server has a newer list than the backup, the next request brings one that follows that list. If that list does not descend from the
    /// backup's, `problem` is [`Code::BrokenChain`]: the account key has signed other lists than those that the backup knows, so somebody else
    /// has it, or the backup is of a branch that was given up. If the name belongs to another account key by now, it is
    /// [`Code::IdentityChanged`]. Neither goes on.
    ///
    /// # Errors
    /// The store's. The request goes out again then.
    pub fn respond(
        &self,
        context: &mut Context<'_>,
        requests: &mut RestoreRequests,
        id: &RequestId,
        answer: (u16, &[u8]),
    ) -> Result<(Answered, bool), Error> {
        let known = Answered { known: true, ..Answered::default() };
        let place = Place::new(self.store.as_ref(), &self.sealer);
        match requests.hear(context, id, answer) {
            Heard::Nothing(answered) => Ok((answered, false)),
            Heard::Shown(list) => {
                let followed = place.run(context, |tx, context| restore::follow(tx, context.now, &list));
                match followed {
                    Ok(true) => Ok((known, false)),
                    Ok(false) => Ok((requests.fail(context, Why::ServerInconsistent, 0), false)),
                    Err(Error { code: code @ (Why::BrokenChain | Why::IdentityChanged), .. }) => {
                        Ok((requests.end(code), false))
                    }
                    Err(error) => Err(error),
                }
            }
            Heard::Taken(stock) => {
                let tx = Tx::new(self.store.as_ref(), &self.sealer, false);
                let keys = restore::upload(&tx).map_err(|error| tx.explain(error))?.keys;
                drop(tx);
                place.call(&keys, &Memory::default(), context, |call| restore::complete(call, &stock))?;
                Ok((known, true))
            }
        }
    }

    /// How long it is until [`Restoring::next_request`] has something to give, in ms; `None` if it never has.
    #[must_use]
    pub fn due_in(&self, now: Timestamp, requests: &RestoreRequests) -> Option<u64> {
        requests.due_in(now)
    }

    /// The device, once the server has taken its list.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] before that; the store's.
    pub fn device(self) -> Result<Device, Error> {
        let mut tx = Tx::new(self.store.as_ref(), &self.sealer, false);
        let keys = begin::open(&mut tx, &self.sealer).map_err(|code| tx.explain(code.into()))?;
        drop(tx);
        Ok(Device::new(self.store, self.sealer, keys))
    }
}

impl Device {
    /// What this primary would need to come back on another phone: the account key, its list with all hashes before it, the contacts with their pins, and
    /// the groups. Whoever has it is the user: keep it under a key that the user alone has.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; the store's.
    pub fn backup(&self, context: &mut Context<'_>) -> Result<Backup, Error> {
        self.call(context, restore::backup)
    }

    /// Makes a primary anew in an empty store, from a backup of its account. `loss` says what became of the device that the backup was taken on: the new
    /// device takes its place, under an id of its own. Other devices of the user stay.
    ///
    /// Sessions are not in a backup: contacts and own devices begin new ones with the next message. What was not fetched by the former device is gone.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device, or one on its way; [`Code::WrongUser`] or [`Code::BrokenChain`] for a backup whose parts
    /// do not fit together; [`Code::TooManyOwnDevices`]; [`Code::WrongKey`]; the store's.
    pub fn restore(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
        server: &Server,
        (backup, loss): (&Backup, Loss),
    ) -> Result<Restoring, Error> {
        let sealer = Sealer::new(store_key);
        let place = Place::new(store.as_ref(), &sealer);
        place.run(context, |tx, context| restore::begin(tx, context, &sealer, server, (backup, loss)))?;
        Ok(Restoring { store, sealer })
    }
}
