//! What a call stands on.

use crate::{
    store::{Sealer, Store},
    threads::{Caller, Threads},
};

/// Where a device's rows are, what opens and seals them, and where large batches run.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) sealer: &'a Sealer,
    pub(crate) threads: &'a dyn Threads,
}

impl<'a> Place<'a> {
    /// A place whose calls stay on their thread.
    pub(crate) fn new(store: &'a dyn Store, sealer: &'a Sealer) -> Self {
        Self { store, sealer, threads: &Caller }
    }
}
