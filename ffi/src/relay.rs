//! What the relay's refusals are as errors. Both faces say them.

use sesame_core::error::{Code, Error};
use sesame_relay::{PublishError, Refusal};

/// Why an upload was not taken.
#[must_use]
pub fn publish_error(error: PublishError) -> Error {
    match error {
        PublishError::Malformed(code) => Error::of(code, "publication"),
        PublishError::NotListed => Error::of(Code::NotListed, "publication"),
        PublishError::NotASuccessor => Error::of(Code::BrokenChain, "publication"),
        PublishError::OtherAccount => Error::of(Code::IdentityChanged, "publication"),
    }
}

/// Why a batch could not be judged; a stale one and one for nobody are answers, not errors.
#[must_use]
pub fn submission_error(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::NotListed => Error::of(Code::NotListed, "device"),
        _ => Error::of(Code::InvalidArgument, "batch"),
    }
}
