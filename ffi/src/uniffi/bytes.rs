//! Bytes as the hosts know them.
//!
//! A type of its own, because Kotlin's `ByteArray` compares by identity and can be changed: there it becomes a `ByteString`
//! (`uniffi.toml`), while Python keeps `bytes` and Swift `Data`.

/// An immutable string of bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bytes(pub(crate) Vec<u8>);

::uniffi::custom_newtype!(Bytes, Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// The key of a store, 32 bytes. Kotlin's can be wiped.
pub struct StoreKey(pub(crate) Vec<u8>);

::uniffi::custom_newtype!(StoreKey, Vec<u8>);

/// A list of what the core takes, or gives.
pub(super) fn list<A: Into<B>, B>(from: Vec<A>) -> Vec<B> {
    from.into_iter().map(Into::into).collect()
}

/// A copy of bytes of one length.
pub(super) fn bytes(bytes: &[u8]) -> Bytes {
    Bytes(bytes.to_vec())
}

/// A count, in as many bits as every host has.
pub(super) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
