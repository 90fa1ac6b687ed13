//! The face for Kotlin, Swift and Python: flat records, coarse calls, one rich error.

mod bytes;
mod clock;
mod code;
mod device;
mod error;
mod generated;
mod given;
mod group;
mod python;
mod receive;
mod relay;
mod store;

pub use bytes::{Bytes, StoreKey};
pub use clock::TestClock;
pub use code::Code;
pub use device::{Device, DeviceRegistry, Linking, Session};
pub use error::{Result, SesameError};
pub use generated::*;
pub use given::Address;
pub use group::{Group, NewGroup};
pub use receive::InboxItem;
pub use relay::{LocalRelay, RelayView, SeenByRelay, SeenEnvelope, ServerAnswer, Waiting};
pub use store::{
    AppStore, Store, StoreChange, StoreFactory, StoreFault, StoreQuery, StoreRow, StoreSnapshot, check_store,
};

/// The library's version.
#[::uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
