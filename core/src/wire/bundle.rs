//! The encoding of prekeys: a device uploads a [`Publication`], the server hands out a [`Bundle`] (PQXDH 3.2, X
//! 6).
//!
//! ```text
//! SignedPreKey:  id u32, key 32, created_at u64 (ms), signature 64
//! OneTimePreKey: id u32, key 32, signature 64
//! KemPreKey:     id u32, use u8 (1 one-time, 2 last resort), created_at u64 (ms; 0 if one-time), key 1568, signature 64
//! Bundle:        version u8 = 1, user opaque<1..64> (u8), device u32, signing key 32, IK 32,
//!                SignedPreKey, optional<OneTimePreKey>, KemPreKey
//! Publication:   version u8 = 1, user opaque<1..64> (u8), device u32, device list opaque (u16; may be empty), signing key 32, IK 32,
//!                optional<{SignedPreKey, KemPreKey (last resort)}>, OneTimePreKey<0..100> (u16), KemPreKey<0..100> (u24)
//! ```
//!
//! `optional<T>` is one byte, 0 or 1, then T if 1. Every id is below 2^24; zero is an id like any other.
//! The device's signing key signs `join(label, user ‖ device ‖ id ‖ created_at ‖ key)`, see [`signed_bytes`].

use super::codec;
use crate::{
    crypto::{kdf::join, mlkem},
    error::Code,
    limits::{MAX_PRE_KEY_ID, MAX_USER_ID, ONE_TIME_PRE_KEYS},
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16, TlsVecU24};

codec::quiet!(SignedPreKey, OneTimePreKey, KemPreKey, Bundle, LastingPreKeys, Publication);

/// A signed prekey (SPK).
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignedPreKey {
    /// The id of the key.
    pub id: u32,
    /// The X25519 public key.
    pub key: [u8; 32],
    /// When the key was made, in ms since 1970. The signature covers it.
    pub created_at: u64,
    /// The signature by the device's signing key.
    pub signature: [u8; 64],
}

/// A one-time curve prekey (OPK). PQXDH 3.2 does not sign it. Here it is signed, so that a server cannot swap
/// or damage it without being noticed.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct OneTimePreKey {
    /// The id of the key.
    pub id: u32,
    /// The X25519 public key.
    pub key: [u8; 32],
    /// The signature by the device's signing key, with 0 as `created_at`.
    pub signature: [u8; 64],
}

/// The use of a KEM prekey. Each use has its own signature label.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum KemUse {
    /// The server hands the key out once.
    OneTime = 1,
    /// The server hands the key out when no one-time key is left.
    LastResort = 2,
}

/// A signed KEM prekey.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct KemPreKey {
    /// The id of the key.
    pub id: u32,
    /// One-time or last resort.
    pub usage: KemUse,
    /// When a last-resort key was made, in ms since 1970; 0 for a one-time key. The signature covers it.
    pub created_at: u64,
    /// The ML-KEM-1024 encapsulation key.
    pub key: [u8; mlkem::PUBLIC_KEY],
    /// The signature by the device's signing key.
    pub signature: [u8; 64],
}

/// The keys that the server hands out for one device.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundle {
    /// Always 1.
    pub version: u8,
    /// The user id.
    pub user: TlsByteVecU8,
    /// The device id.
    pub device: u32,
    /// The device's signing key. It must be the key on the device list.
    pub signing_key: [u8; 32],
    /// IK. It must be the key on the device list.
    pub identity_key: [u8; 32],
    /// SPK.
    pub signed_pre_key: SignedPreKey,
    /// OPK, if the server had one left.
    pub one_time_pre_key: Option<OneTimePreKey>,
    /// The KEM prekey: a one-time one, or the last-resort key.
    pub kem_pre_key: KemPreKey,
}

/// The prekeys that any number of initiations may use until they are rotated.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LastingPreKeys {
    /// SPK.
    pub signed_pre_key: SignedPreKey,
    /// The last-resort KEM prekey.
    pub last_resort: KemPreKey,
}

/// The keys that a device uploads.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Publication {
    /// Always 1.
    pub version: u8,
    /// The user id.
    pub user: TlsByteVecU8,
    /// The device id.
    pub device: u32,
    /// The signed device list from a primary device; empty from any other.
    pub device_list: TlsByteVecU16,
    /// The device's signing key, as on the list.
    pub signing_key: [u8; 32],
    /// IK, as on the list.
    pub identity_key: [u8; 32],
    /// New lasting prekeys, which replace the published ones.
    pub lasting: Option<LastingPreKeys>,
    /// New one-time curve prekeys, which are added to the published ones.
    pub one_time: TlsVecU16<OneTimePreKey>,
    /// New one-time KEM prekeys, which are added to the published ones.
    pub kem_one_time: TlsVecU24<KemPreKey>,
}

/// The bytes that a prekey's signature covers after its label: user id, device id, key id, `created_at` and
/// key, joined.
#[must_use]
pub fn signed_bytes(user: &[u8], device: u32, id: u32, created_at: u64, key: &[u8]) -> Vec<u8> {
    join(&[user, &device.to_be_bytes(), &id.to_be_bytes(), &created_at.to_be_bytes(), key])
}

fn check_head(version: u8, user: &[u8]) -> Result<(), Code> {
    match (version, user.len()) {
        (1, 0) => Err(Code::NonCanonical),
        (1, length) if length > MAX_USER_ID => Err(Code::TooLarge),
        (1, _) => Ok(()),
        _ => Err(Code::UnsupportedVersion),
    }
}

fn check_id(id: u32) -> Result<(), Code> {
    if id > MAX_PRE_KEY_ID { Err(Code::BadPreKeyId) } else { Ok(()) }
}

/// A one-time key has no date: a server that hands it out knows when it took it.
fn check_kem(key: &KemPreKey) -> Result<(), Code> {
    check_id(key.id)?;
    if key.usage == KemUse::OneTime && key.created_at != 0 { Err(Code::NonCanonical) } else { Ok(()) }
}

fn check_version(bytes: &[u8]) -> Result<(), Code> {
    match bytes {
        [1, ..] | [] => Ok(()),
        _ => Err(Code::UnsupportedVersion),
    }
}

impl Bundle {
    /// Decodes a bundle and checks its form. `keys` checks the keys and the signatures.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`], [`Code::BadPreKeyId`], [`Code::NonCanonical`] (a one-time key with a date),
    /// [`Code::TooLarge`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        check_version(bytes)?;
        let bundle: Self = codec::decode(bytes)?;
        check_head(bundle.version, bundle.user.as_slice())?;
        check_id(bundle.signed_pre_key.id)?;
        check_kem(&bundle.kem_pre_key)?;
        bundle.one_time_pre_key.as_ref().map_or(Ok(()), |key| check_id(key.id))?;
        Ok(bundle)
    }

    /// Encodes the bundle for a client.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Publication {
    /// Decodes a publication and checks its form. A server also verifies the signature of the list.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`], [`Code::BadPreKeyId`], [`Code::NonCanonical`] (a key under the wrong use, or a one-time key with a date), [`Code::TooLarge`],
    /// [`Code::TooMany`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        check_version(bytes)?;
        let publication: Self = codec::decode(bytes)?;
        let Self { version, user, lasting, one_time, kem_one_time, .. } = &publication;
        check_head(*version, user.as_slice())?;
        if one_time.as_slice().len() > ONE_TIME_PRE_KEYS || kem_one_time.as_slice().len() > ONE_TIME_PRE_KEYS {
            return Err(Code::TooMany);
        }
        if let Some(LastingPreKeys { signed_pre_key, last_resort }) = lasting {
            check_id(signed_pre_key.id)?;
            check_id(last_resort.id)?;
            if last_resort.usage != KemUse::LastResort {
                return Err(Code::NonCanonical);
            }
        }
        for key in one_time.as_slice() {
            check_id(key.id)?;
        }
        for key in kem_one_time.as_slice() {
            check_kem(key)?;
            if key.usage != KemUse::OneTime {
                return Err(Code::NonCanonical);
            }
        }
        Ok(publication)
    }

    /// Encodes the publication for the server.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
