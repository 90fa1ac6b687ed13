//! How a device comes to be: as a user's first, or from its store (D1). `linking` has the third way.

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
};
use std::sync::Arc;

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
        let place = Place::new(store.as_ref(), &sealer);
        let keys = place.run(context, |tx, context| Ok(begin::create(tx, context, &sealer, (user, server))?))?;
        Ok(Self::new(store, sealer, keys))
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
        Ok(Self::new(store, sealer, keys))
    }

    /// Deletes every row of a store, in one commit, whoever's device it holds and whatever its key is. Afterwards it is an empty store; what
    /// handles over it still do fails with [`Code::ForeignStore`].
    ///
    /// # Errors
    /// The store's.
    pub fn erase(store: &dyn Store, context: &mut Context<'_>) -> Result<(), Error> {
        // Nothing is opened, so that any key does.
        let sealer = Sealer::new(&Secret::init_with(|key| key.fill(0)));
        Place::new(store, &sealer).run(context, |tx, _| {
            tx.delete_all()?;
            Ok(())
        })
    }
}
