//! The encoding of a user's device list, signed by the account key (X 5).
//!
//! ```text
//! SignedDeviceList: list opaque (u16 length) -- an encoded DeviceList
//!                   signature 64             -- Ed25519 by the account key, label "sesame/1 sign device list"
//! DeviceList:       version u8 = 1
//!                   user opaque<1..64> (u8), account key 32, epoch u64, issued_at u64 (ms)
//!                   devices<1..32> (u16 length in bytes), rising by id:
//!                       id u32, signing key 32, IK 32, suites opaque<1..8> (u8), added_at_epoch u64
//!                   last_id u32    -- the highest DeviceID that was ever given
//!                   primary_id u32 -- the device that has the account key
//!                   history 32     -- of all lists before (see `keys::chain`); zeros in the first
//! ShownList:        SignedDeviceList
//!                   links (u16 length in bytes), none or 2 to 1,025 of 32: the history of some list before this one, then the hashes
//!                       of the lists from that one to the one before this, rising by epoch
//! ```
//!
//! A list is shown with its links wherever it says what a user's devices are. Group operations cite it without.
//!
//! This module checks the form only. `keys` checks the signature and the links, `registry` pins and forks.

use super::codec::{self, UpTo};
use crate::{
    error::Code,
    limits::{MAX_DEVICES, MAX_HASHES, MAX_RIDING_HASHES, MAX_SUITES, MAX_USER_ID},
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16};

/// The most links of a list: the history of the first and [`MAX_HASHES`] hashes.
pub const MAX_LINKS: usize = MAX_HASHES + 1;
/// The bytes that links take in the longest message: their length, the history and [`MAX_RIDING_HASHES`] hashes.
pub const RIDING_LINKS: usize = 2 + 32 * (1 + MAX_RIDING_HASHES);

codec::quiet!(ListedDevice, DeviceList, SignedDeviceList, ShownList);

/// One device on a list.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ListedDevice {
    /// The device id, never used again.
    pub id: u32,
    /// The device's Ed25519 key.
    pub signing_key: [u8; 32],
    /// IK, the device's X25519 identity key.
    pub identity_key: [u8; 32],
    /// The suites that the device supports, one byte each; never empty.
    pub suites: TlsByteVecU8,
    /// The epoch of the first list that named the device.
    pub added_at_epoch: u64,
}

/// The bytes that the account key signs.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct DeviceList {
    /// Always 1.
    pub version: u8,
    /// The user id.
    pub user: TlsByteVecU8,
    /// The account key that signs the list.
    pub account_key: [u8; 32],
    /// The number of the list. It starts at 1 and rises with every list.
    pub epoch: u64,
    /// When the list was signed, in ms since 1970.
    pub issued_at: u64,
    /// The devices, sorted by id.
    pub devices: TlsVecU16<ListedDevice>,
    /// The highest DeviceID that any list of the user ever gave out.
    pub last_id: u32,
    /// The device that holds the account key.
    pub primary_id: u32,
    /// The history of the list (X 5).
    pub history: [u8; 32],
}

/// A list with its signature.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignedDeviceList {
    /// The encoded list: the bytes that are signed and hashed.
    pub list: TlsByteVecU16,
    /// The signature by the account key.
    pub signature: [u8; 64],
}

/// A list, and the hashes that prove from which lists it descends.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ShownList {
    /// The list.
    pub signed: SignedDeviceList,
    /// None; or the history of an earlier list, and the hashes from that one to the one before this.
    pub links: UpTo<MAX_LINKS, u16, [u8; 32]>,
}

impl ShownList {
    /// Decodes a list and its links. The list inside stays encoded.
    ///
    /// # Errors
    /// [`Code::Truncated`], [`Code::TrailingData`], or [`Code::NonCanonical`] for more than 1,025 links.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// Encodes a list and its links.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl SignedDeviceList {
    /// Decodes the outer form. The list inside stays encoded, because the signature covers those bytes.
    ///
    /// # Errors
    /// [`Code::Truncated`] or [`Code::TrailingData`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// Encodes the list and its signature.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

/// Encodes a list that [`DeviceList::encode`] would refuse. Tests give such lists to receivers.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn encode_unchecked(list: &DeviceList) -> Result<Vec<u8>, Code> {
    codec::encode(list)
}

impl DeviceList {
    /// Decodes a list and checks its form.
    ///
    /// # Errors
    /// - [`Code::UnsupportedVersion`], [`Code::TooLarge`], [`Code::EmptyList`], [`Code::TooManyDevices`].
    /// - [`Code::DuplicateDevice`], [`Code::KeyReuse`].
    /// - [`Code::NonCanonical`]: not sorted, no user id, epoch 0, a device added after the epoch of the list, an id above the last one, or a
    ///   primary that is not listed.
    /// - [`Code::BrokenChain`]: a first list with a history, or a later one without.
    /// - The codec's errors.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let list: Self = codec::decode(bytes)?;
        list.check()?;
        Ok(list)
    }

    /// Encodes the bytes to sign.
    ///
    /// # Errors
    /// As [`DeviceList::decode`]: a list that it would refuse is not encoded.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        self.check()?;
        codec::encode(self)
    }

    fn check(&self) -> Result<(), Code> {
        let Self { version, user, account_key, epoch, issued_at: _, devices, last_id, primary_id, history } = self;
        if *version != 1 {
            return Err(Code::UnsupportedVersion);
        }
        match user.as_slice().len() {
            0 => return Err(Code::NonCanonical),
            length if length > MAX_USER_ID => return Err(Code::TooLarge),
            _ => {}
        }
        let devices = devices.as_slice();
        if devices.is_empty() {
            return Err(Code::EmptyList);
        }
        if devices.len() > MAX_DEVICES {
            return Err(Code::TooManyDevices);
        }
        if *epoch == 0 || *epoch >> 63 != 0 {
            return Err(Code::NonCanonical);
        }
        for (at, device) in devices.iter().enumerate() {
            let earlier = devices.iter().take(at);
            if device.suites.as_slice().len() > MAX_SUITES {
                return Err(Code::TooLarge);
            }
            if device.suites.as_slice().is_empty() || device.added_at_epoch == 0 || device.added_at_epoch > *epoch {
                return Err(Code::NonCanonical);
            }
            if device.signing_key == *account_key {
                return Err(Code::KeyReuse);
            }
            for other in earlier {
                if other.id == device.id {
                    return Err(Code::DuplicateDevice);
                }
                if other.id > device.id {
                    return Err(Code::NonCanonical);
                }
                if other.identity_key == device.identity_key || other.signing_key == device.signing_key {
                    return Err(Code::KeyReuse);
                }
            }
        }
        if devices.iter().any(|device| device.id > *last_id) || devices.iter().all(|device| device.id != *primary_id) {
            return Err(Code::NonCanonical);
        }
        if (*epoch == 1) != (*history == [0; 32]) {
            return Err(Code::BrokenChain);
        }
        Ok(())
    }
}
