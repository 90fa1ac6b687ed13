//! Sealing: a recipe first, and from a recipe and a content always the same envelope (X 1, X 2, X 10).

use super::Session;
use crate::{
    context::Context,
    error::Code,
    keys::{pair::PairKeys, party::Party},
    ratchet::message::{self, Bound},
    record::{Hot, Recipe},
    wire::{
        envelope::{self, Address, Envelope, Head, SUITE, VERSION},
        padding,
    },
};

/// From whom, to whom, and the keys that both share.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The sender.
    pub sender: &'a Party,
    /// The recipient.
    pub recipient: &'a Party,
    /// The pair keys of this direction.
    pub pair: &'a PairKeys,
}

/// What sealing changed, and what makes the envelope.
#[derive(Debug)]
pub struct Sealed {
    /// The only part of the session that changed.
    pub hot: Hot,
    /// Everything but the content.
    pub recipe: Recipe,
}

fn address(party: &Party) -> Address {
    Address { user: party.user.as_bytes().to_vec().into(), device: party.device.0 }
}

/// Takes a message key and fixes every envelope byte before the body.
///
/// While the session is initiating the envelope is an initiation message, else an ordinary one (Sesame 2.3).
///
/// # Errors
/// [`Code::NoSession`], [`Code::TooFarAhead`]: see [`crate::ratchet::Ratchet::seal`].
pub fn seal(session: &Session, context: &mut Context<'_>, route: Route<'_>) -> Result<Sealed, Code> {
    let salt = context.random::<16>();
    let (hot, sealed) = session.ratchet.seal(&salt)?;
    let named = match &session.initiation {
        Some(initiation) => envelope::Route::Initiation(initiation.clone()),
        None => envelope::Route::Ordinary { locator: route.pair.mask(&salt, &sealed.chain_tag) },
    };
    let head = Head {
        version: VERSION,
        suite: SUITE,
        sender: address(route.sender),
        recipient: address(route.recipient),
        salt,
        route: named,
        header: sealed.header.into(),
    };
    let head = head.encode()?;
    let gate = route.pair.gate(&head);
    let associated_data = session.ratchet.cold.associated_data;
    Ok(Sealed { hot, recipe: Recipe { salt, head, gate, associated_data, message_key: sealed.message_key } })
}

/// The envelope that a recipe and a content make. `payload` is the length of the app's bytes in the content.
///
/// # Errors
/// [`Code::TooLarge`] when the content does not fit the largest step.
pub fn envelope(recipe: &Recipe, content: &[u8], payload: usize) -> Result<Vec<u8>, Code> {
    let padded = padding::pad(content, payload)?;
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &recipe.head };
    let (commitment, body) = message::seal(&recipe.message_key, bound, &padded)?;
    Ok(Envelope::assemble(&recipe.head, &recipe.gate, &commitment, &body))
}
