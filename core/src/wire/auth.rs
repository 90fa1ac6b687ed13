//! The signatures of requests: the header `Sesame-Auth` of a device, and the statement that ends an account.
//!
//! ```text
//! Sesame-Auth: base64url (RFC 4648, without padding) of version u8 = 1, user opaque<1..64> (u8), device u32, time u64 (ms),
//!              nonce 16, signature 64
//! signature = sign(device signing key, "sesame/1 sign request",
//!                  join(audience, "POST", path, user, device u32, time u64, nonce, SHA-256(body)))
//! Delete:      signature = sign(account key, "sesame/1 sign delete", join(audience, user, account key, time u64))
//! ```
//!
//! `audience` is the name of the server, so that no other server can use the signature. This module does not know which key a device
//! has, and not what time it is.

use super::{
    codec,
    request::{Delete, METHOD, Path},
};
use crate::{
    context::Timestamp,
    crypto::{
        ed25519::{SigningKey, VerifyingKey},
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    ids::{DeviceId, UserId},
    limits::MAX_USER_ID,
};
use data_encoding::BASE64URL_NOPAD;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

codec::quiet!(Caller, Auth);

/// The name of the header.
pub const HEADER: &str = "Sesame-Auth";

/// The longest header value: 158 bytes in base64.
const MAX_TEXT: usize = (1 + 1 + MAX_USER_ID + 4 + 8 + 16 + 64) * 4 / 3 + 1;

/// The device that signs a request, and when.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Caller {
    /// The user id.
    pub user: UserId,
    /// The device id.
    pub device: DeviceId,
    /// When the request was signed, in ms since 1970.
    pub time: u64,
    /// 16 fresh random bytes.
    pub nonce: [u8; 16],
}

/// What a signature covers besides its caller.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The name of the server.
    pub audience: &'a str,
    /// The path of the request.
    pub path: Path,
    /// The body of the request.
    pub body: &'a [u8],
}

/// The header of a signed request.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Auth {
    /// Always 1.
    pub version: u8,
    /// The device that signed, and when.
    pub caller: Caller,
    /// The signature.
    pub signature: [u8; 64],
}

fn message(caller: &Caller, request: &Signed<'_>) -> Vec<u8> {
    let Caller { user, device, time, nonce } = caller;
    let Signed { audience, path, body } = request;
    join(&[
        audience.as_bytes(),
        METHOD.as_bytes(),
        path.text().as_bytes(),
        user.as_bytes(),
        &device.0.to_be_bytes(),
        &time.to_be_bytes(),
        nonce,
        &sha256(body),
    ])
}

impl Auth {
    /// Signs a request with the device's signing key.
    #[must_use]
    pub fn sign(key: &SigningKey, caller: Caller, request: &Signed<'_>) -> Self {
        let signature = key.sign(labels::REQUEST, &message(&caller, request));
        Self { version: 1, caller, signature }
    }

    /// Verifies that this key signed this request.
    ///
    /// # Errors
    /// [`Code::BadSignature`].
    pub fn verify(&self, key: &VerifyingKey, request: &Signed<'_>) -> Result<(), Code> {
        key.verify(labels::REQUEST, &message(&self.caller, request), &self.signature)
    }

    /// The value of the header.
    ///
    /// # Errors
    /// [`Code::TooLarge`], which cannot happen.
    pub fn text(&self) -> Result<String, Code> {
        Ok(BASE64URL_NOPAD.encode(&codec::encode(self)?))
    }

    /// Reads the value of the header. Each value has one text.
    ///
    /// # Errors
    /// [`Code::TooLarge`], [`Code::UnsupportedVersion`], [`Code::NonCanonical`], [`Code::Truncated`] or [`Code::TrailingData`].
    pub fn from_text(text: &str) -> Result<Self, Code> {
        if text.len() > MAX_TEXT {
            return Err(Code::TooLarge);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Code::NonCanonical)?;
        match bytes.as_slice() {
            [1, ..] | [] => codec::decode(&bytes),
            _ => Err(Code::UnsupportedVersion),
        }
    }
}

fn end_of(audience: &str, user: &UserId, account_key: &[u8; 32], time: u64) -> Vec<u8> {
    join(&[audience.as_bytes(), user.as_bytes(), account_key, &time.to_be_bytes()])
}

impl Delete {
    /// Signs the end of an account with its account key.
    #[must_use]
    pub fn sign(account: &SigningKey, audience: &str, user: UserId, now: Timestamp) -> Self {
        let account_key = *account.verifying_key().as_bytes();
        let signature = account.sign(labels::DELETE, &end_of(audience, &user, &account_key, now.0));
        Self { user, account_key, time: now.0, signature }
    }

    /// Verifies that the account key in it signed it for this server.
    ///
    /// # Errors
    /// [`Code::BadKeyEncoding`], [`Code::WeakPublicKey`] or [`Code::BadSignature`].
    pub fn verify(&self, audience: &str) -> Result<(), Code> {
        let Self { user, account_key, time, signature } = self;
        let key = VerifyingKey::decode(*account_key)?;
        key.verify(labels::DELETE, &end_of(audience, user, account_key, *time), signature)
    }
}

#[cfg(test)]
mod tests;
