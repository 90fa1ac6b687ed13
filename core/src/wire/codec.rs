//! The TLS presentation language (RFC 8446 section 3). Only this file names the codec crate.
//!
//! Lengths are checked against the remaining bytes before anything is allocated. Trailing bytes are refused.

use crate::{
    error::Code,
    ids::{DeviceId, Fingerprint, UserId},
    limits::MAX_EXCHANGE,
};
use core::marker::PhantomData;
use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsByteVecU8};

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

/// `decode` and `encode` for the body of a request or of an answer. Its `check` says what the codec cannot.
macro_rules! exchanged {
    ($($name:ident),*) => {$(
        impl $name {
            /// Decodes the form from all of the bytes.
            ///
            /// # Errors
            /// [`Code::TooLarge`], [`Code::Truncated`], [`Code::TrailingData`], [`Code::UnknownType`] or [`Code::NonCanonical`].
            pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
                let form: Self = codec::decode_exchanged(bytes)?;
                form.check()?;
                Ok(form)
            }

            /// Encodes the form.
            ///
            /// # Errors
            /// As `decode`: a form that it would refuse is not encoded.
            pub fn encode(&self) -> Result<Vec<u8>, Code> {
                self.check()?;
                codec::encode(self)
            }
        }
    )*};
}

pub(super) use exchanged;

/// The `check` of forms whose fields may have every value.
macro_rules! always_in_form {
    ($($name:ident),*) => {$(
        impl $name {
            #[allow(clippy::unnecessary_wraps, clippy::unused_self, clippy::trivially_copy_pass_by_ref)]
            fn check(&self) -> Result<(), Code> {
                Ok(())
            }
        }
    )*};
}

pub(super) use always_in_form;

/// Decodes a `T` from all of the bytes.
pub(super) fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Code> {
    T::tls_deserialize_exact_bytes(bytes).map_err(|error| match error {
        Error::EndOfStream | Error::InvalidVectorLength => Code::Truncated,
        Error::TrailingData => Code::TrailingData,
        Error::UnknownValue(_) => Code::UnknownType,
        _ => Code::NonCanonical,
    })
}

/// Decodes a body of a request or of an answer. A longer one than any is refused before it is read.
pub(super) fn decode_exchanged<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Code> {
    if bytes.len() > MAX_EXCHANGE { Err(Code::TooLarge) } else { decode(bytes) }
}

/// Encodes a `T`.
///
/// # Errors
/// [`Code::TooLarge`] if a vector is too long for its length field.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Code> {
    value.tls_serialize_detached().map_err(|_| Code::TooLarge)
}

/// A value that is encoded already.
pub(super) struct Encoded(pub(super) Vec<u8>);

impl Size for Encoded {
    fn tls_serialized_len(&self) -> usize {
        self.0.len()
    }
}

impl Serialize for Encoded {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        writer.write_all(&self.0)?;
        Ok(self.0.len())
    }
}

/// A vector of at most `MAX` elements after a length of the integer `L`, in bytes. The codec's own vectors decode as many elements as
/// their bytes hold, and an element may take many times its bytes in memory.
pub struct UpTo<const MAX: usize, L, T> {
    elements: Vec<T>,
    length: PhantomData<L>,
}

impl<const MAX: usize, L, T> UpTo<MAX, L, T> {
    /// The elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.elements
    }

    /// The elements.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.elements
    }
}

impl<const MAX: usize, L, T> From<Vec<T>> for UpTo<MAX, L, T> {
    fn from(elements: Vec<T>) -> Self {
        Self { elements, length: PhantomData }
    }
}

impl<const MAX: usize, L, T: Clone> Clone for UpTo<MAX, L, T> {
    fn clone(&self) -> Self {
        self.elements.clone().into()
    }
}

impl<const MAX: usize, L, T: Eq> Eq for UpTo<MAX, L, T> {}

impl<const MAX: usize, L, T: PartialEq> PartialEq for UpTo<MAX, L, T> {
    fn eq(&self, other: &Self) -> bool {
        self.elements == other.elements
    }
}

impl<const MAX: usize, L, T: Size> Size for UpTo<MAX, L, T> {
    fn tls_serialized_len(&self) -> usize {
        let elements: usize = self.elements.iter().map(Size::tls_serialized_len).sum();
        size_of::<L>() + elements
    }
}

impl<const MAX: usize, L: Serialize + TryFrom<usize>, T: Serialize> Serialize for UpTo<MAX, L, T> {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let elements: usize = self.elements.iter().map(Size::tls_serialized_len).sum();
        let length = L::try_from(elements).map_err(|_| Error::InvalidVectorLength)?;
        if self.elements.len() > MAX {
            return Err(Error::InvalidVectorLength);
        }
        let mut written = length.tls_serialize(writer)?;
        for element in &self.elements {
            written += element.tls_serialize(writer)?;
        }
        Ok(written)
    }
}

impl<const MAX: usize, L: DeserializeBytes + TryInto<usize>, T: DeserializeBytes> DeserializeBytes for UpTo<MAX, L, T> {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (length, rest) = L::tls_deserialize_bytes(bytes)?;
        let length = length.try_into().map_err(|_| Error::EndOfStream)?;
        let (mut inner, rest) = rest.split_at_checked(length).ok_or(Error::EndOfStream)?;
        let mut elements = Vec::new();
        while !inner.is_empty() {
            if elements.len() == MAX {
                return Err(Error::InvalidInput);
            }
            let (element, after) = T::tls_deserialize_bytes(inner)?;
            elements.push(element);
            inner = after;
        }
        Ok((elements.into(), rest))
    }
}

/// `user opaque<1..64> (u8)`.
impl Size for UserId {
    fn tls_serialized_len(&self) -> usize {
        1 + self.as_bytes().len()
    }
}

impl Serialize for UserId {
    fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        tls_codec::TlsByteSliceU8(self.as_bytes()).tls_serialize(writer)
    }
}

impl DeserializeBytes for UserId {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (user, rest) = TlsByteVecU8::tls_deserialize_bytes(bytes)?;
        let user = str::from_utf8(user.as_slice()).map_err(|_| Error::InvalidInput)?;
        Ok((Self::try_from(user).map_err(|_| Error::InvalidInput)?, rest))
    }
}

/// The form of a name is the form of what it holds.
macro_rules! names {
    ($($name:ident($inner:ty)),*) => {$(
        impl Size for $name {
            fn tls_serialized_len(&self) -> usize {
                self.0.tls_serialized_len()
            }
        }

        impl Serialize for $name {
            fn tls_serialize<W: std::io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
                self.0.tls_serialize(writer)
            }
        }

        impl DeserializeBytes for $name {
            fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
                let (inner, rest) = <$inner>::tls_deserialize_bytes(bytes)?;
                Ok((Self(inner), rest))
            }
        }
    )*};
}

names!(DeviceId(u32), Fingerprint([u8; 16]));

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Asserts that a form survives the way out and back, that no other bytes of the same beginning decode, and gives its bytes.
    pub(crate) fn assert_exact<T: PartialEq>(
        form: &T,
        encode: fn(&T) -> Result<Vec<u8>, Code>,
        decode: fn(&[u8]) -> Result<T, Code>,
    ) -> Vec<u8> {
        let bytes = encode(form).unwrap();
        assert!(decode(&bytes).unwrap() == *form);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]).err(), Some(Code::Truncated), "a prefix of {length} bytes");
        }
        assert_eq!(decode(&[bytes.as_slice(), &[0]].concat()).err(), Some(Code::TrailingData));
        bytes
    }

    type Three = UpTo<3, u16, UserId>;

    fn users(names: &[&str]) -> Three {
        names.iter().map(|name| UserId::try_from(*name).unwrap()).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_vector_takes_no_more_than_its_bound() {
        let bytes = assert_exact(&users(&["a", "bc", "d"]), encode, decode);
        assert_eq!(bytes, b"\x00\x07\x01a\x02bc\x01d");
        assert_eq!(encode(&users(&["a", "b", "c", "d"])), Err(Code::TooLarge));
        assert_eq!(decode::<Three>(b"\x00\x08\x01a\x01b\x01c\x01d").err(), Some(Code::NonCanonical));
    }

    #[test]
    fn an_element_does_not_reach_beyond_its_vector() {
        assert_eq!(decode::<Three>(b"\x00\x02\x02a\x01b").err(), Some(Code::Truncated));
    }

    #[test]
    fn a_user_id_is_one_to_64_bytes_of_utf8() {
        for user in [&[][..], &[b'a'; 65], b"\xff"] {
            let bytes = [&[u8::try_from(user.len()).unwrap()], user].concat();
            assert_eq!(decode::<UserId>(&bytes).err(), Some(Code::NonCanonical), "{user:?}");
        }
    }
}
