//! The one place that names the codec: the TLS presentation language (RFC 8446 section 3).
//!
//! Lengths are checked against what is there before anything is allocated, and trailing bytes are refused.

use crate::error::Code;
use tls_codec::{DeserializeBytes, Error, Serialize};

/// Bytes to `T`, all of them.
pub(super) fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Code> {
    T::tls_deserialize_exact_bytes(bytes).map_err(|error| match error {
        Error::EndOfStream | Error::InvalidVectorLength => Code::Truncated,
        Error::TrailingData => Code::TrailingData,
        Error::UnknownValue(_) => Code::UnknownType,
        _ => Code::NonCanonical,
    })
}

/// `T` to bytes.
///
/// # Errors
/// [`Code::TooLarge`] when a vector outgrows its length field.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Code> {
    value.tls_serialize_detached().map_err(|_| Code::TooLarge)
}
