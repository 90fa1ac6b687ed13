//! How a device comes to be: as a user's first, by linking, or from its store (D1, X 7).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::Server,
    flow::upkeep::begin,
    ids::UserId,
    secret::Secret,
    store::{Sealer, Store},
    tx::{Place, Tx},
    wire::linking::LinkAnswer,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A new device that waits for its primary's answer. It lives in the store, not in this handle.
pub struct Linking {
    store: Arc<dyn Store>,
    sealer: Sealer,
    code: Zeroizing<String>,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

impl Device {
    /// A user's first device, its primary: makes the account key and signs the first device list.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; the store's.
    pub fn create(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
        user: &UserId,
        server: &Server,
    ) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let place = Place { store: store.as_ref(), sealer: &sealer };
        let keys = place.run(context, |tx, context| Ok(begin::create(tx, context, &sealer, (user, server))?))?;
        Ok(Self { store, sealer, keys })
    }

    /// Opens the device in a store.
    ///
    /// # Errors
    /// [`Code::WrongKey`], [`Code::ForeignStore`] (no device here), [`Code::RecordCorrupt`], [`Code::NewerFormat`]; the store's. An
    /// identity is never made anew in place of a damaged one.
    pub fn open(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let mut tx = Tx::new(store.as_ref(), &sealer, false);
        let keys = begin::open(&mut tx, &sealer).map_err(|code| tx.explain(code.into()))?;
        drop(tx);
        Ok(Self { store, sealer, keys })
    }

    /// Begins to link a new device: makes its keys, keeps them in the store, and gives the code to show (X 7).
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; the store's.
    pub fn begin_link(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
        server: &Server,
    ) -> Result<Linking, Error> {
        let sealer = Sealer::new(store_key);
        let place = Place { store: store.as_ref(), sealer: &sealer };
        let offer = place.run(context, |tx, context| Ok(begin::begin_link(tx, context, &sealer, server)?))?;
        Ok(Linking { store, sealer, code: offer.encode()? })
    }
}

impl Linking {
    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`].
    pub fn resume(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let mut tx = Tx::new(store.as_ref(), &sealer, false);
        let offer = begin::resume_link(&mut tx, &sealer).map_err(|code| tx.explain(code.into()))?;
        drop(tx);
        Ok(Self { store, sealer, code: offer.encode()? })
    }

    /// What to show as text or QR, to nobody but one's own primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes the primary's answer; this store now holds a device.
    ///
    /// # Errors
    /// [`Code::AuthenticationFailed`] for an answer to another code; [`Code::InvalidArgument`] when the code has expired;
    /// [`Code::NotListed`] when the list in it does not name this device; what the decoders say.
    pub fn complete(self, context: &mut Context<'_>, answer: &[u8]) -> Result<Device, Error> {
        let answer = LinkAnswer::decode(answer).map_err(|code| Error::of(code, "answer"))?;
        let place = Place { store: self.store.as_ref(), sealer: &self.sealer };
        let keys = place.run(context, |tx, context| begin::complete_link(tx, context, &answer))?;
        Ok(Device { store: self.store, sealer: self.sealer, keys })
    }
}
