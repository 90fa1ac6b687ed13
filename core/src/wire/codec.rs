//! The TLS presentation language (RFC 8446 section 3). Only this file names the codec crate.
//!
//! Lengths are checked against the remaining bytes before anything is allocated. Trailing bytes are refused.

use crate::error::Code;
use tls_codec::{DeserializeBytes, Error, Serialize};

/// A `Debug` that says what a form is and how long it is encoded. A derived one would print user ids, payloads and seeds.
macro_rules! quiet {
    ($($name:ident),*) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), tls_codec::Size::tls_serialized_len(self))
            }
        }
    )*};
}

pub(super) use quiet;

/// Decodes a `T` from all of the bytes.
pub(super) fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Code> {
    T::tls_deserialize_exact_bytes(bytes).map_err(|error| match error {
        Error::EndOfStream | Error::InvalidVectorLength => Code::Truncated,
        Error::TrailingData => Code::TrailingData,
        Error::UnknownValue(_) => Code::UnknownType,
        _ => Code::NonCanonical,
    })
}

/// Encodes a `T`.
///
/// # Errors
/// [`Code::TooLarge`] if a vector is too long for its length field.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Code> {
    value.tls_serialize_detached().map_err(|_| Code::TooLarge)
}
