//! Opening: a step of the ratchet, and the content without its padding.

use super::Session;
use crate::{
    context::Context,
    error::Code,
    ratchet::{Delta, LoadBlock, Message},
    wire::{envelope::Envelope, padding},
};
use zeroize::Zeroizing;

/// Opens an envelope on the receiving chain that the index named; `head` is its encoded head.
///
/// # Errors
/// What [`crate::ratchet::Ratchet::open`] says; [`Code::BadPadding`], only after the body was authentic.
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
