//! What two devices say to each other without a session: retries, under the control key of their pair (X 8).
//!
//! Such an envelope looks like any other ordinary one. Its chain tag is the reserved one, and the bytes in the place of the header follow
//! from the control key and the salt, so that a retry has one encoding. It protects no message: who holds an identity key of the
//! two reads which envelopes did not open.

use super::seal::{self, Route};
use crate::{
    crypto::{kdf, labels},
    error::Code,
    keys::pair::PairKeys,
    ratchet::message::{self, Bound},
    record::Recipe,
    secret::Secret,
    wire::{
        envelope::{self, Envelope, MIN_HEADER},
        padding,
        retry::Retry,
    },
};
use subtle::ConstantTimeEq;

/// The chain tag that no chain has (X 1).
pub const CONTROL_TAG: [u8; 16] = [0; 16];
/// What stands for AD_session where there is no session.
const NO_SESSION: [u8; 32] = [0; 32];

/// The message key of every retry in one direction: each envelope's salt makes another body key of it.
fn retry_key(pair: &PairKeys) -> Secret<32> {
    kdf::hkdf::<32>(&[], pair.control().expose(), &kdf::join(&[labels::RETRY]))
}

/// The bytes in the place of an encrypted header.
fn header(pair: &PairKeys, salt: &[u8; 16]) -> Secret<MIN_HEADER> {
    kdf::hkdf::<MIN_HEADER>(salt, pair.control().expose(), &kdf::join(&[labels::RETRY]))
}

/// Fixes every byte of a retry's envelope before its body.
///
/// # Errors
/// [`Code::TooLarge`], which cannot happen.
pub fn seal_control(salt: [u8; 16], route: Route<'_>) -> Result<Recipe, Code> {
    let locator = route.pair.mask(&salt, &CONTROL_TAG);
    let header = header(route.pair, &salt).expose().to_vec();
    let head = seal::head(route, salt, envelope::Route::Ordinary { locator }, header).encode()?;
    let gate = route.pair.gate(&head);
    let message_key = retry_key(route.pair).into();
    Ok(Recipe { salt, head, gate, associated_data: NO_SESSION, message_key })
}

/// Opens a retry. The gate was checked, and the chain tag is [`CONTROL_TAG`].
///
/// # Errors
/// [`Code::AuthenticationFailed`]; [`Code::BadPadding`]; the errors of [`Retry::decode`].
pub fn open_control(pair: &PairKeys, (envelope, head): (&Envelope, &[u8])) -> Result<Retry, Code> {
    let salt = &envelope.head.salt;
    if !bool::from(header(pair, salt).expose().as_slice().ct_eq(envelope.head.header.as_slice())) {
        return Err(Code::AuthenticationFailed);
    }
    let bound = Bound { salt, associated_data: &NO_SESSION, head };
    let padded = message::open(&retry_key(pair), bound, &envelope.commitment, envelope.body.as_slice())?;
    Retry::decode(padding::unpad(&padded)?)
}
