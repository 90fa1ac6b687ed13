//! The digits that both devices show before the primary's part is handed over (X 7).
//!
//! The secret travels in the session of the two devices, so nobody else knows it. The digits say to the user that the device in their hand is the
//! one that the primary means, and that both know each other by the same keys.

use crate::{
    crypto::{kdf, labels},
    ids::HandoverId,
    keys::party::Party,
    limits::LINK_ROUNDS,
    secret::Secret,
};

/// The 15 digits, as a number below 10^15. The old primary comes first.
#[must_use]
pub fn digits(secret: &Secret<32>, id: &HandoverId, [old, new]: [&Party; 2]) -> u64 {
    let binding = kdf::join(&[labels::HANDOVER_DIGITS, &id.0, &old.encode(), &new.encode()]);
    u64::from_be_bytes(kdf::stretch::<8>(secret, &binding, LINK_ROUNDS)) % 1_000_000_000_000_000
}

/// The digits as they are shown.
#[must_use]
pub fn text(digits: u64) -> String {
    format!("{digits:015}")
}
