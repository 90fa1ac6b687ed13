//! Padding. The size of a message on the wire depends on the app's payload and on a riding device list only (X
//! 10).
//!
//! Padding is applied once, to the outermost body: 0x80, then zeros up to a step.

use super::device_list::RIDING_LINKS;
use crate::error::Code;
use zeroize::Zeroizing;

/// The only sizes of a padded body, in bytes.
pub const STEPS: [usize; 15] =
    [768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152, 65536, 98304];

/// The bytes that a content may have besides the payload before the next step is needed. A riding device list
/// comes on top ([`room`]).
pub const ALLOWANCE: usize = 384;

/// The bytes of the mark that ends a content: 0x80 is always there.
pub const MARK: usize = 1;

/// What a riding list of `list` bytes counts for: as much as with the most hashes that ride along with it, so that the size says nothing of
/// how many do.
#[must_use]
pub fn riding(list: usize) -> usize {
    list.saturating_add(RIDING_LINKS)
}

/// The room: the bytes that padding keeps free besides the payload, in every scope alike. It is the allowance
/// plus what a riding device list counts for ([`riding`]).
///
/// The content of a group message has more fields than that of a direct message. The room hides that difference
/// (`docs/adr/0005-room-for-a-riding-list.md`).
#[must_use]
pub fn room(list: usize) -> usize {
    ALLOWANCE.saturating_add(list)
}

/// The padded size of a content of `content` bytes with a payload of `payload` bytes and a given `room`.
///
/// As long as the rest of the content fits the room, only the length of the payload counts.
///
/// # Errors
/// [`Code::TooLarge`] if no step is large enough.
///
/// ```
/// use sesame_core::internal::wire::padding::{padded_len, room};
/// assert_eq!(padded_len(10, room(0), 40), padded_len(10, room(0), 393));
/// assert_eq!(padded_len(0, room(0), 1), Ok(768));
/// ```
pub fn padded_len(payload: usize, room: usize, content: usize) -> Result<usize, Code> {
    let needed = payload.saturating_add(room).max(content.saturating_add(MARK));
    STEPS.into_iter().find(|step| *step >= needed).ok_or(Code::TooLarge)
}

/// Pads `content`, which holds a payload of `payload` bytes, with the given `room`.
///
/// # Errors
/// [`Code::TooLarge`] if no step is large enough.
pub fn pad(content: &[u8], payload: usize, room: usize) -> Result<Zeroizing<Vec<u8>>, Code> {
    let length = padded_len(payload, room, content.len())?;
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    pad_onto(&mut padded, &[content], length);
    Ok(padded)
}

/// Puts a content, in pieces, behind what `to` holds, padded to a `length` of [`padded_len`].
pub fn pad_onto(to: &mut Vec<u8>, content: &[&[u8]], length: usize) {
    let end = to.len().saturating_add(length);
    content.iter().for_each(|piece| to.extend_from_slice(piece));
    to.push(0x80);
    debug_assert!(to.len() <= end, "the content is longer than its step");
    to.resize(end, 0);
}

/// The content of a padded body.
///
/// # Errors
/// [`Code::BadPadding`] if the length is no step or no 0x80 stands before the zeros.
pub fn unpad(padded: &[u8]) -> Result<&[u8], Code> {
    if !STEPS.contains(&padded.len()) {
        return Err(Code::BadPadding);
    }
    let end = padded.iter().rposition(|byte| *byte != 0).ok_or(Code::BadPadding)?;
    match padded.split_at_checked(end) {
        Some((content, [0x80, ..])) => Ok(content),
        _ => Err(Code::BadPadding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_BODY;

    #[test]
    fn what_is_padded_comes_back_at_every_edge_of_a_step() {
        for step in STEPS {
            for payload in [step - ALLOWANCE - 1, step - ALLOWANCE, step - ALLOWANCE + 1] {
                let content = vec![0x80; payload];
                match pad(&content, payload, ALLOWANCE) {
                    Ok(padded) => {
                        assert!(STEPS.contains(&padded.len()));
                        assert_eq!(padded.len() > step, payload + ALLOWANCE > step);
                        assert_eq!(unpad(&padded), Ok(content.as_slice()));
                    }
                    Err(code) => assert_eq!((code, step), (Code::TooLarge, MAX_BODY)),
                }
            }
        }
    }

    #[test]
    fn overhead_beyond_the_allowance_takes_the_next_step() {
        assert_eq!(padded_len(384, ALLOWANCE, 767), Ok(768));
        assert_eq!(padded_len(384, ALLOWANCE, 768), Ok(1024));
        assert_eq!(padded_len(0, ALLOWANCE, MAX_BODY - 1), Ok(MAX_BODY));
        assert_eq!(padded_len(0, ALLOWANCE, MAX_BODY), Err(Code::TooLarge));
        assert_eq!(padded_len(usize::MAX, ALLOWANCE, 0), Err(Code::TooLarge));
    }

    #[test]
    fn malformed_padding_is_refused() {
        let mut wrong_mark = pad(b"x", 1, ALLOWANCE).unwrap();
        wrong_mark[1] = 0x81;
        assert_eq!(unpad(&wrong_mark), Err(Code::BadPadding));
        let mut trailing = pad(b"x", 1, ALLOWANCE).unwrap();
        trailing[700] = 1;
        assert_eq!(unpad(&trailing), Err(Code::BadPadding));
        assert_eq!(unpad(&[0; 768]), Err(Code::BadPadding));
        assert_eq!(unpad(&[0x80; 767]), Err(Code::BadPadding));
        assert_eq!(unpad(&[]), Err(Code::BadPadding));
    }
}
