//! A retry: a device asks for what it could not open (X 8).
//!
//! ```text
//! Retry: version u8 = 1, floor u64, asked (u16): up to 32 of {salt 16, cause u8}
//! cause: 1 no session, 2 reused index, 3 too far ahead, 4 unknown prekey, 5 replayed initiation, 6 message key expired, 7 bad body
//! ```
//!
//! It travels under the pair's control key, or as the content of a direct session that the asking device begins. It names envelopes by their
//! salts and says nothing of scopes. This module does not know who may ask, nor what comes of it.

use super::codec;
use crate::{error::Code, limits::MAX_ASKED};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16};

codec::quiet!(Retry, Asked);

/// Why an envelope did not open.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Cause {
    /// Its session is not there.
    NoSession = 1,
    /// Its index was used before, by another envelope: the sender's store was put back.
    ReusedIndex = 2,
    /// It skips more messages than the limit.
    TooFarAhead = 3,
    /// It begins a session with a prekey that is not there.
    UnknownPreKey = 4,
    /// It begins a session that is not above the floor, which the retry says.
    ReplayedInitiation = 5,
    /// Its message key was deleted.
    MessageKeyExpired = 6,
    /// Its head is the sender's, and its body does not open.
    BadBody = 7,
}

impl Cause {
    /// Whether nothing that is said on that session opens: another session must take its place.
    #[must_use]
    pub fn is_of_device(self) -> bool {
        !matches!(self, Self::MessageKeyExpired | Self::BadBody)
    }
}

/// An envelope that is asked for again.
#[derive(Clone, Copy, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Asked {
    /// Its salt.
    pub salt: [u8; 16],
    /// Why it did not open.
    pub cause: Cause,
}

/// What a device asks for.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Retry {
    /// Always 1.
    pub version: u8,
    /// The highest generation of a direct session with the other device that the asking one has forgotten.
    pub floor: u64,
    /// The envelopes.
    pub asked: TlsVecU16<Asked>,
}

impl Retry {
    /// A retry for these envelopes.
    #[must_use]
    pub fn of(floor: u64, asked: Vec<Asked>) -> Self {
        Self { version: 1, floor, asked: asked.into() }
    }

    /// Decodes a retry and checks its form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`]; [`Code::NonCanonical`] for a floor that no session can have; [`Code::TooLarge`] for too many envelopes;
    /// [`Code::UnknownType`] for a cause that is not known; the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let retry: Self = codec::decode(bytes)?;
        retry.check()?;
        Ok(retry)
    }

    /// The values that the form leaves open.
    ///
    /// # Errors
    /// As [`Retry::decode`].
    pub fn check(&self) -> Result<(), Code> {
        if self.version != 1 {
            return Err(Code::UnsupportedVersion);
        }
        if self.floor >> 63 != 0 {
            return Err(Code::NonCanonical);
        }
        if self.asked.as_slice().len() > MAX_ASKED { Err(Code::TooLarge) } else { Ok(()) }
    }

    /// Encodes a retry.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(asked: usize) -> Retry {
        Retry::of(7, vec![Asked { salt: [3; 16], cause: Cause::ReusedIndex }; asked])
    }

    #[test]
    fn a_retry_comes_back_and_every_prefix_is_refused() {
        for asked in [0, 1, MAX_ASKED] {
            let bytes = retry(asked).encode().unwrap();
            assert_eq!(bytes.len(), 1 + 8 + 2 + 17 * asked);
            assert!(Retry::decode(&bytes).unwrap() == retry(asked));
            for end in 0..bytes.len() {
                assert!(Retry::decode(&bytes[..end]).is_err(), "{end}");
            }
            assert_eq!(Retry::decode(&[bytes.as_slice(), &[0]].concat()).err(), Some(Code::TrailingData));
        }
    }

    #[test]
    fn what_no_device_says_is_refused() {
        assert_eq!(Retry::decode(&retry(MAX_ASKED + 1).encode().unwrap()).err(), Some(Code::TooLarge));
        let change = |at: usize, to: u8| {
            let mut bytes = retry(1).encode().unwrap();
            bytes[at] = to;
            Retry::decode(&bytes).err()
        };
        assert_eq!(change(0, 2), Some(Code::UnsupportedVersion));
        assert_eq!(change(1, 0x80), Some(Code::NonCanonical));
        assert_eq!(change(27, 0), Some(Code::UnknownType));
        assert_eq!(change(27, 8), Some(Code::UnknownType));
    }
}
