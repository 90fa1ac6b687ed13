//! The encoding of linking: the offer that a new device shows and the answer of the primary (X 7).
//!
//! ```text
//! LinkOffer:  version u8 = 1, signing key 32, IK 32, secret 32, expires_at u64 (ms)
//!             shown as "SESAME1" and RFC 4648 base32 without padding, upper case
//! LinkAnswer: version u8 = 1, ephemeral 32, sealed opaque (u32)
//! LinkGrant (inside, sealed): user opaque<1..64> (u8), device u32, device list opaque (u16), contacts<0..> (u24): Contact,
//!             groups<0..> (u32): opaque (u24), each a Bundle with all of a group's operations (see `group`)
//! Contact:    user opaque<1..64> (u8), account key 32, verified u8 (0 or 1), device list opaque (u16; may be empty)
//! ```

use super::codec;
use crate::{error::Code, limits::MAX_USER_ID, secret::Secret};
pub use tls_codec::TlsByteVecU24;
use tls_codec::{
    TlsByteVecU8, TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU24, TlsVecU32,
};
use zeroize::{Zeroize, Zeroizing};

codec::quiet!(LinkAnswer, Contact, LinkGrant);

const PREFIX: &str = "SESAME1";
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The encoded form of a [`LinkOffer`].
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct OfferForm {
    version: u8,
    signing_key: [u8; 32],
    identity_key: [u8; 32],
    secret: [u8; 32],
    expires_at: u64,
}

/// The offer that a new device shows on its screen. It holds a secret, so the device shows it to the primary
/// only.
pub struct LinkOffer {
    /// The new device's Ed25519 key.
    pub signing_key: [u8; 32],
    /// The new device's IK.
    pub identity_key: [u8; 32],
    /// A secret that only who sees the screen knows.
    pub secret: Secret<32>,
    /// When the offer expires, by the new device's clock, in ms since 1970.
    pub expires_at: u64,
}

impl core::fmt::Debug for LinkOffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LinkOffer")
    }
}

impl LinkOffer {
    /// Encodes the offer as a code, to be shown as text or QR.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn encode(&self) -> Result<Zeroizing<String>, Code> {
        let mut form = OfferForm {
            version: 1,
            signing_key: self.signing_key,
            identity_key: self.identity_key,
            secret: *self.secret.expose(),
            expires_at: self.expires_at,
        };
        let bytes = Zeroizing::new(codec::encode(&form)?);
        form.secret.zeroize();
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + bytes.len() * 2));
        text.push_str(PREFIX);
        for group in bytes.chunks(5) {
            let mut bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            bits <<= 8 * (5 - group.len());
            for at in 0..(group.len() * 8).div_ceil(5) {
                let index = usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or(0);
                text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'A')));
            }
        }
        Ok(text)
    }

    /// Reads a code. Lower case letters, spaces and hyphens are accepted.
    ///
    /// # Errors
    /// [`Code::UnknownType`] for another prefix. [`Code::NonCanonical`] for a letter outside base32 or stray
    /// bits. [`Code::UnsupportedVersion`], [`Code::TooLarge`], [`Code::Truncated`] or [`Code::TrailingData`].
    pub fn decode(text: &str) -> Result<Self, Code> {
        if text.len() > 1_024 {
            return Err(Code::TooLarge);
        }
        let clean = Zeroizing::new(
            text.chars()
                .filter(|c| !matches!(c, ' ' | '-' | '\n' | '\r' | '\t'))
                .collect::<String>()
                .to_ascii_uppercase(),
        );
        let code = clean.strip_prefix(PREFIX).ok_or(Code::UnknownType)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(code.len() * 5 / 8));
        let (mut bits, mut count) = (0_u32, 0_u32);
        for letter in code.bytes() {
            let value = ALPHABET.iter().position(|a| *a == letter).ok_or(Code::NonCanonical)?;
            bits = bits << 5 | u32::try_from(value).unwrap_or(0);
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
                bits &= (1 << count) - 1;
            }
        }
        if count >= 5 || bits != 0 {
            return Err(Code::NonCanonical);
        }
        match bytes.as_slice() {
            [1, ..] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let mut form: OfferForm = codec::decode(&bytes)?;
        let secret = Secret::init_with(|to| *to = form.secret);
        form.secret.zeroize();
        Ok(Self { signing_key: form.signing_key, identity_key: form.identity_key, secret, expires_at: form.expires_at })
    }
}

/// The primary's answer. It may travel over any channel.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkAnswer {
    /// Always 1.
    pub version: u8,
    /// The primary's fresh X25519 key.
    pub ephemeral: [u8; 32],
    /// The encrypted [`LinkGrant`].
    pub sealed: TlsByteVecU32,
}

/// A contact that the primary has pinned.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Contact {
    /// The user id.
    pub user: TlsByteVecU8,
    /// The pinned account key.
    pub account_key: [u8; 32],
    /// 1 if the user has compared safety numbers, else 0.
    pub verified: u8,
    /// The contact's newest signed device list, or empty.
    pub device_list: TlsByteVecU16,
}

/// The content of an answer.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LinkGrant {
    /// The user that the new device belongs to.
    pub user: TlsByteVecU8,
    /// The id of the new device.
    pub device: u32,
    /// The signed device list that names the new device.
    pub device_list: TlsByteVecU16,
    /// The contacts that the primary has pinned.
    pub contacts: TlsVecU24<Contact>,
    /// For each group, a bundle with all its operations.
    pub groups: TlsVecU32<TlsByteVecU24>,
}

impl LinkAnswer {
    /// Decodes an answer and checks its form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => codec::decode(bytes),
            _ => Err(Code::UnsupportedVersion),
        }
    }

    /// Encodes the answer.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl LinkGrant {
    /// Decodes a grant and checks its form.
    ///
    /// # Errors
    /// [`Code::NonCanonical`] or the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let grant: Self = codec::decode(bytes)?;
        let sizes = 1..=MAX_USER_ID;
        let users = grant.contacts.iter().map(|contact| &contact.user).chain([&grant.user]);
        if users.into_iter().any(|user| !sizes.contains(&user.as_slice().len()))
            || grant.contacts.iter().any(|contact| contact.verified > 1)
        {
            return Err(Code::NonCanonical);
        }
        Ok(grant)
    }

    /// Encodes the grant, to be sealed.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}
