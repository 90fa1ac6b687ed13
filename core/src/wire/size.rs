//! How many bytes the parts of a content take on the wire, computed from the forms themselves (X 10).
//!
//! Whoever chooses a step of the padding asks here, so that no layer counts fields by hand.

use super::{
    content::{Body, GroupClaim, ListClaim, Prelude, SentTo, Stamp},
    envelope::MIN_HEADER,
    opening::Opening,
    padding,
};
use crate::crypto::aead::TAG;
use tls_codec::Size;

const STAMP: Stamp = Stamp { content_id: [0; 16], sent_at: 0 };

/// A prelude without a list.
#[must_use]
pub fn prelude() -> usize {
    let (claim, list) = (ListClaim::default(), Vec::new().into());
    Prelude { version: 1, my_list: claim, your_list: claim, list, sequence: 1 }.tls_serialized_len()
}

/// A group's message besides its payload.
#[must_use]
pub fn group_body() -> usize {
    let claim = GroupClaim { count: 0, digest: [0; 16] };
    Body::Group { stamp: STAMP, claim, payload: Vec::new().into() }.tls_serialized_len()
}

/// A signed list of `length` bytes among others, in a bundle.
#[must_use]
pub fn riding(length: usize) -> usize {
    tls_codec::TlsByteVecU16::from(vec![0; length]).tls_serialized_len()
}

/// What an opening adds to the content that is nested in it.
#[must_use]
pub fn nesting() -> usize {
    let opening = Opening {
        kind: 0,
        group: [0; 32],
        generation: 0,
        ephemeral_key: [0; 32],
        seed: [0; 32],
        header: vec![0; MIN_HEADER].into(),
        commitment: [0; 32],
        body: vec![0; TAG].into(),
    };
    Body::Opening(opening).tls_serialized_len()
}

/// A transcript of a direct message besides its payload, with its prelude and the mark of the padding. Each item is the length of a
/// recipient's user id, in bytes; each recipient is named with a pin.
#[must_use]
pub fn transcript(recipients: impl IntoIterator<Item = usize>) -> usize {
    let to = |length| SentTo { user: vec![0; length].into(), account_key: Some([0; 32]), verified: 0 };
    let recipients: Vec<SentTo> = recipients.into_iter().map(to).collect();
    let body = Body::Transcript { stamp: STAMP, recipients: recipients.into(), payload: Vec::new().into() };
    prelude() + body.tls_serialized_len() + padding::MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_wire_page() {
        // version 1, two claims of 24, a length of 2, a sequence of 8
        assert_eq!(prelude(), 59);
        // kind 1, stamp 24, claim 18, a length of 4
        assert_eq!(group_body(), 47);
        // kind 1, scope 33, generation 8, E_A 32, seed 32, header 2 + 58, commitment 32, a length of 3, tag 16
        assert_eq!(nesting(), 217);
        // prelude 59, kind 1, stamp 24, lengths 7, mark 1; for each recipient lengths and flags 3, the id, the pin 32
        assert_eq!(transcript([5, 3]), 92 + (35 + 5) + (35 + 3));
    }
}
