//! Opening a message: one step of the ratchet, then the padding is removed.

use super::Session;
use crate::{
    context::Context,
    error::Code,
    ratchet::{Delta, LoadBlock, Message},
    wire::{envelope::Envelope, opening::Opening, padding},
};
use zeroize::Zeroizing;

/// Opens an envelope on the receiving chain that the index named. `head` is the encoded head of the envelope.
///
/// # Errors
/// The errors of [`crate::ratchet::Ratchet::open`]. [`Code::BadPadding`], only after the body was authentic.
pub fn open(
    session: &Session,
    context: &mut Context<'_>,
    chain: u32,
    (envelope, head): (&Envelope, &[u8]),
    load: &LoadBlock<'_>,
) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
    let message = Message {
        chain,
        salt: &envelope.head.salt,
        head,
        header: envelope.head.header.as_slice(),
        commitment: &envelope.commitment,
        body: envelope.body.as_slice(),
    };
    let (delta, padded) = session.ratchet.open(context, message, load)?;
    let content = Zeroizing::new(padding::unpad(&padded)?.to_vec());
    Ok((delta, content))
}

/// Opens the message that is nested in an opening, on the first receiving chain of its session. `salt` is the
/// salt of the envelope.
///
/// # Errors
/// The errors of [`crate::ratchet::Ratchet::open`].
pub fn open_nested(
    session: &Session,
    context: &mut Context<'_>,
    (opening, salt): (&Opening, &[u8; 16]),
    load: &LoadBlock<'_>,
) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
    let header = opening.header.as_slice();
    let head = super::seal::nested_head(salt, header);
    let body = opening.body.as_slice();
    let message = Message { chain: 1, salt, head: &head, header, commitment: &opening.commitment, body };
    session.ratchet.open(context, message, load)
}
