//! Opening a message: its header, then one step of the ratchet; then the padding is removed.

use super::Session;
use crate::{
    context::Context,
    error::Code,
    ratchet::{Delta, LoadBlock, Message, Position},
    record::Cold,
    wire::{envelope::Envelope, opening::Opening, padding},
};
use zeroize::Zeroizing;

/// Where an envelope stands in its session, on the receiving chain that the index named.
///
/// # Errors
/// The errors of [`Position::read`].
pub fn position(cold: &Cold, chain: u32, envelope: &Envelope) -> Result<Position, Code> {
    Position::read(cold, chain, &envelope.head.salt, envelope.head.header.as_slice())
}

/// Where the message that is nested in an opening stands: on the first receiving chain of its session. `salt` is the salt of the envelope.
///
/// # Errors
/// The errors of [`Position::read`].
pub fn position_nested(cold: &Cold, opening: &Opening, salt: &[u8; 16]) -> Result<Position, Code> {
    Position::read(cold, 1, salt, opening.header.as_slice())
}

/// Opens an envelope at its position. `head` is the encoded head of the envelope.
///
/// # Errors
/// The errors of [`crate::ratchet::Ratchet::open`]. [`Code::BadPadding`], only after the body was authentic.
pub fn open(
    session: &Session,
    context: &mut Context<'_>,
    position: &Position,
    (envelope, head): (&Envelope, &[u8]),
    load: &LoadBlock<'_>,
) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
    let message = Message {
        position,
        salt: &envelope.head.salt,
        head,
        commitment: &envelope.commitment,
        body: envelope.body.as_slice(),
    };
    let (delta, padded) = session.ratchet.open(context, message, load)?;
    let content = Zeroizing::new(padding::unpad(&padded)?.to_vec());
    Ok((delta, content))
}

/// Opens the message that is nested in an opening. `salt` is the salt of the envelope.
///
/// # Errors
/// The errors of [`crate::ratchet::Ratchet::open`].
pub fn open_nested(
    session: &Session,
    context: &mut Context<'_>,
    position: &Position,
    (opening, salt): (&Opening, &[u8; 16]),
    load: &LoadBlock<'_>,
) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
    let head = super::seal::nested_head(salt, opening.header.as_slice());
    let body = opening.body.as_slice();
    let message = Message { position, salt, head: &head, commitment: &opening.commitment, body };
    session.ratchet.open(context, message, load)
}
