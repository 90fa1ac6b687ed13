//! Prekeys as they travel: a [`Publication`] goes up, a [`Bundle`] comes down (PQXDH 3.2, X 6).
//!
//! ```text
//! SignedPreKey:  id u32, key 32, created_at u64 (ms), signature 64
//! OneTimePreKey: id u32, key 32, signature 64
//! KemPreKey:     id u32, use u8 (1 one-time, 2 last resort), created_at u64 (ms), key 1568, signature 64
//! Bundle:        version u8 = 1, user opaque<1..64> (u8), device u32, signing key 32, IK 32,
//!                SignedPreKey, optional<OneTimePreKey>, KemPreKey
//! Publication:   version u8 = 1, user opaque<1..64> (u8), device u32, device list opaque (u16; may be empty), signing key 32, IK 32,
//!                optional<{SignedPreKey, KemPreKey (last resort)}>, OneTimePreKey<0..100> (u16), KemPreKey<0..100> (u24)
//! ```
//!
//! `optional<T>` is one byte, 0 or 1, then T if 1. Every id is below 2^24; zero is an id like any other.
//! Signatures are by the device's signing key over `join(label, user ‖ device ‖ id ‖ created_at ‖ key)`, see [`signed_bytes`].

use super::codec;
use crate::{
    crypto::{kdf::join, mlkem},
    error::Code,
    limits::{MAX_PRE_KEY_ID, MAX_USER_ID, ONE_TIME_PRE_KEYS},
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16, TlsVecU24};

/// A signed prekey (SPK).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignedPreKey {
    /// Its id.
    pub id: u32,
    /// X25519.
    pub key: [u8; 32],
    /// When it was made, in ms; signed.
    pub created_at: u64,
    /// By the device's signing key.
    pub signature: [u8; 64],
}

/// A one-time curve prekey (OPK). PQXDH 3.2 does not sign it; here it is, so that a server can neither swap nor damage one unseen.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct OneTimePreKey {
    /// Its id.
    pub id: u32,
    /// X25519.
    pub key: [u8; 32],
    /// By the device's signing key, with 0 in the place of `created_at`.
    pub signature: [u8; 64],
}

/// What a KEM prekey is for; each use has a signature label of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum KemUse {
    /// Handed out once.
    OneTime = 1,
    /// Handed out when no one-time key is left.
    LastResort = 2,
}

/// A signed KEM prekey.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct KemPreKey {
    /// Its id.
    pub id: u32,
    /// One-time or last resort.
    pub usage: KemUse,
    /// When it was made, in ms; signed.
    pub created_at: u64,
    /// ML-KEM-1024.
    pub key: [u8; mlkem::PUBLIC_KEY],
    /// By the device's signing key.
    pub signature: [u8; 64],
}

/// What the server hands out for one device.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundle {
    /// Always 1.
    pub version: u8,
    /// Whose.
    pub user: TlsByteVecU8,
    /// Which device's.
    pub device: u32,
    /// Must be the listed one.
    pub signing_key: [u8; 32],
    /// IK; must be the listed one.
    pub identity_key: [u8; 32],
    /// SPK.
    pub signed_pre_key: SignedPreKey,
    /// OPK, if one was left.
    pub one_time_pre_key: Option<OneTimePreKey>,
    /// A KEM prekey is always there.
    pub kem_pre_key: KemPreKey,
}

/// The prekeys that every initiation may use until they are rotated.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LastingPreKeys {
    /// SPK.
    pub signed_pre_key: SignedPreKey,
    /// The last-resort KEM prekey.
    pub last_resort: KemPreKey,
}

/// What a device uploads.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Publication {
    /// Always 1.
    pub version: u8,
    /// Whose.
    pub user: TlsByteVecU8,
    /// Which device's.
    pub device: u32,
    /// The signed device list, from a primary; else empty.
    pub device_list: TlsByteVecU16,
    /// As listed.
    pub signing_key: [u8; 32],
    /// IK, as listed.
    pub identity_key: [u8; 32],
    /// Replaces what was published before.
    pub lasting: Option<LastingPreKeys>,
    /// Added to what is there.
    pub one_time: TlsVecU16<OneTimePreKey>,
    /// Added to what is there.
    pub kem_one_time: TlsVecU24<KemPreKey>,
}

/// The bytes that a prekey's signature covers, after its label: user id, device id, key id, created_at, key, joined.
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

fn check_version(bytes: &[u8]) -> Result<(), Code> {
    match bytes {
        [1, ..] | [] => Ok(()),
        _ => Err(Code::UnsupportedVersion),
    }
}

impl Bundle {
    /// Checks the form; keys and signatures are checked in `keys`.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`], [`Code::BadPreKeyId`], [`Code::NonCanonical`], [`Code::TooLarge`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        check_version(bytes)?;
        let bundle: Self = codec::decode(bytes)?;
        check_head(bundle.version, bundle.user.as_slice())?;
        check_id(bundle.signed_pre_key.id)?;
        check_id(bundle.kem_pre_key.id)?;
        bundle.one_time_pre_key.as_ref().map_or(Ok(()), |key| check_id(key.id))?;
        Ok(bundle)
    }

    /// The bytes for a client.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Publication {
    /// Checks the form; a server that wants to know more verifies the list's signature.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`], [`Code::BadPreKeyId`], [`Code::NonCanonical`] (a key under the wrong use), [`Code::TooLarge`],
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
            check_id(key.id)?;
            if key.usage != KemUse::OneTime {
                return Err(Code::NonCanonical);
            }
        }
        Ok(publication)
    }

    /// The bytes for the server.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
