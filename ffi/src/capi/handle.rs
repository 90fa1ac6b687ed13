//! What C holds is a number that names a slot and its generation. Whatever number comes back, it is looked up before it is used: one that
//! was freed, was never given or names something else is a status.

use super::tree::Tree;
use ::sesame_relay::Relay;
use parking_lot::{Mutex, RwLock};
use sesame::{Client, Clock, Linking};
use sesame_core::{
    error::{Code, Error},
    ids::{DeviceId, GroupId, UserId},
    store::Store,
};
use slotmap::{DefaultKey, Key, KeyData, SlotMap};
use std::{
    any::Any,
    sync::{Arc, LazyLock},
};

/// A device of a user's: this device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_device {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// Users, their devices, and whom to trust.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_registry {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// The session with one device: what is active now, whatever was before.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_session {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// One group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_group {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// A new device that waits for its primary's answer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_linking {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// Where a device lives.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_store {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// A clock for tests.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_clock {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// A whole server in memory, for a first try and for tests.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_relay {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// What a call gave: it owns every struct, list and slice of the view that came with it, until `sesame_result_free`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_result {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// Where a `load` of the app's store puts the rows that it finds; good until that `load` returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_rows {
    /// Names it; 0 names nothing.
    pub token: u64,
}

/// Behind a [`sesame_registry`].
pub struct RegistryObject(pub(super) Arc<Client>);

/// Behind a [`sesame_session`].
pub struct SessionObject {
    pub(super) client: Arc<Client>,
    pub(super) user: UserId,
    pub(super) device: DeviceId,
}

/// Behind a [`sesame_group`].
pub struct GroupObject {
    pub(super) client: Arc<Client>,
    pub(super) id: GroupId,
}

/// Behind a [`sesame_store`].
pub struct StoreObject(pub(super) Arc<dyn Store>);

/// Behind a [`sesame_rows`].
#[derive(Default)]
pub struct RowsObject(pub(super) Mutex<Vec<(Vec<u8>, Vec<u8>)>>);

/// Behind a [`sesame_clock`].
pub struct ClockObject(pub(super) Clock);

/// Behind a [`sesame_relay`].
pub struct RelayObject {
    pub(super) relay: Mutex<Relay>,
    pub(super) clock: Clock,
}

type Slots = SlotMap<DefaultKey, Arc<dyn Any + Send + Sync>>;

/// The slots of this process, and what their names are mixed with, so that a number which was never given hardly names anything.
struct Table {
    mask: u64,
    slots: RwLock<Slots>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut mask = [0; 8];
    // Without randomness the names are plain; they are checked all the same.
    let _ = getrandom::fill(&mut mask);
    Table { mask: u64::from_ne_bytes(mask), slots: RwLock::new(SlotMap::new()) }
});

/// A handle's kind.
pub(super) trait Handle: Copy {
    /// What it names.
    type Object: Any + Send + Sync;
    /// Its number.
    fn token(self) -> u64;
    /// A handle with this number.
    fn with(token: u64) -> Self;
    /// How the argument is called.
    const FIELD: &'static str;

    /// Gives a new object a handle.
    fn new(object: Self::Object) -> Self {
        Self::of(Arc::new(object))
    }

    /// Gives an object a handle.
    fn of(object: Arc<Self::Object>) -> Self {
        let key = TABLE.slots.write().insert(object);
        Self::with(key.data().as_ffi() ^ TABLE.mask)
    }

    /// What the handle names.
    fn get(self) -> Result<Arc<Self::Object>, Error> {
        if !self.is_canonical() {
            return Err(Error::of(Code::BadHandle, Self::FIELD));
        }
        let object = TABLE.slots.read().get(self.key()).cloned();
        object.and_then(|object| object.downcast().ok()).ok_or(Error::of(Code::BadHandle, Self::FIELD))
    }

    /// Takes the name away; calls that are under way end as they would have.
    fn free(self) -> Result<(), Error> {
        if self.token() == 0 {
            return Ok(());
        }
        let mut slots = TABLE.slots.write();
        let is_ours =
            self.is_canonical() && slots.get(self.key()).is_some_and(|object| (**object).is::<Self::Object>());
        let object = if is_ours { slots.remove(self.key()) } else { None };
        // What the object lets go may be the app's, and the app may call.
        drop(slots);
        object.map(drop).ok_or(Error::of(Code::BadHandle, Self::FIELD))
    }

    /// A key has forms that mean the same; only the one that was given is a name.
    #[doc(hidden)]
    fn is_canonical(self) -> bool {
        self.key().data().as_ffi() == self.token() ^ TABLE.mask
    }

    #[doc(hidden)]
    fn key(self) -> DefaultKey {
        KeyData::from_ffi(self.token() ^ TABLE.mask).into()
    }
}

macro_rules! handles {
    ($($handle:ident $object:ty, $field:literal;)*) => {$(
        impl Handle for $handle {
            type Object = $object;
            const FIELD: &'static str = $field;

            fn token(self) -> u64 {
                self.token
            }

            fn with(token: u64) -> Self {
                Self { token }
            }
        }
    )*};
}

handles! {
    sesame_device Client, "device";
    sesame_registry RegistryObject, "registry";
    sesame_session SessionObject, "session";
    sesame_group GroupObject, "group";
    sesame_linking Linking, "linking";
    sesame_store StoreObject, "store";
    sesame_clock ClockObject, "clock";
    sesame_relay RelayObject, "relay";
    sesame_result Tree, "result";
    sesame_rows RowsObject, "rows";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_a_foreign_and_a_random_handle_are_told() {
        let clock = sesame_clock::new(ClockObject(Clock::test(1)));
        assert!(clock.get().is_ok());
        assert_eq!(sesame_device::with(clock.token).get().map(drop), Err(Error::of(Code::BadHandle, "device")));
        assert_eq!(sesame_device::with(clock.token).free(), Err(Error::of(Code::BadHandle, "device")));
        assert_eq!(clock.free(), Ok(()));
        assert_eq!(clock.free(), Err(Error::of(Code::BadHandle, "clock")));
        let next = sesame_clock::new(ClockObject(Clock::test(1)));
        assert_eq!(clock.get().map(drop), Err(Error::of(Code::BadHandle, "clock")));
        assert_eq!(next.free(), Ok(()));
        assert_eq!(sesame_clock::with(0).free(), Ok(()));
        let tokens = if cfg!(miri) { 1_000 } else { 100_000_u64 };
        for token in (1..tokens).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            assert!(sesame_clock::with(token).get().is_err());
        }
        let last = sesame_clock::new(ClockObject(Clock::test(1)));
        for bit in 0..64 {
            assert!(sesame_clock::with(last.token ^ (1 << bit)).get().is_err(), "bit {bit}");
        }
    }
}
