//! Sealing: a recipe first, and from a recipe and a content always the same envelope (X 1, X 2, X 10).

use super::Session;
use crate::{
    crypto::{kdf, labels},
    error::Code,
    keys::{pair::PairKeys, party::Party},
    ratchet::message::{self, Bound},
    record::{Beginning, Hot, Nested, Recipe, Scope},
    wire::{
        envelope::{self, Address, Envelope, Head, Initiation, SUITE, VERSION},
        opening::Opening,
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
pub fn seal(session: &Session, salt: [u8; 16], route: Route<'_>) -> Result<Sealed, Code> {
    let (hot, sealed) = session.ratchet.seal(&salt)?;
    let named = match &session.beginning {
        Some(Beginning::Initiation(clear)) => {
            envelope::Route::Initiation(Initiation::decode(clear).map_err(|_| Code::RecordInconsistent)?)
        }
        // A scope session that nobody answered has no envelope of its own.
        Some(Beginning::Opening(_)) => return Err(Code::NoSession),
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

/// What a nested message's body is bound to in the place of an envelope's head: the salt and the encrypted header. The parties and the
/// opening are in AD_session.
pub(super) fn nested_head(salt: &[u8; 16], header: &[u8]) -> Vec<u8> {
    kdf::join(&[labels::NESTED, salt, header])
}

/// Takes a message key of a scope session that is still being opened; the message rides in a direct one under the same salt (X 4).
///
/// # Errors
/// As [`seal`].
pub fn seal_nested(session: &Session, salt: [u8; 16]) -> Result<Sealed, Code> {
    let (hot, sealed) = session.ratchet.seal(&salt)?;
    let associated_data = session.ratchet.cold.associated_data;
    let recipe = Recipe { salt, head: sealed.header, gate: [0; 16], associated_data, message_key: sealed.message_key };
    Ok(Sealed { hot, recipe })
}

/// The opening that a nested message rides in, from its recipe and its content.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn nested_content(scope: Scope, nested: &Nested, content: &[u8]) -> Result<Opening, Code> {
    let Nested { opening, generation, prelude: _, recipe } = nested;
    let head = nested_head(&recipe.salt, &recipe.head);
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &head };
    let (commitment, body) = message::seal(&recipe.message_key, bound, content)?;
    let (kind, _) = scope.name();
    Ok(Opening {
        kind,
        group: scope.group().ok_or(Code::Internal)?.0,
        generation: *generation,
        ephemeral_key: opening.ephemeral_key,
        seed: *opening.seed.expose(),
        header: recipe.head.clone().into(),
        commitment,
        body: body.into(),
    })
}

/// The envelope that a recipe and a content make. `payload` is the length of the app's bytes in the content, `room` what the padding
/// keeps free beside them.
///
/// # Errors
/// [`Code::TooLarge`] when the content does not fit the largest step.
pub fn envelope(recipe: &Recipe, content: &[u8], payload: usize, room: usize) -> Result<Vec<u8>, Code> {
    let padded = padding::pad(content, payload, room)?;
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &recipe.head };
    let (commitment, body) = message::seal(&recipe.message_key, bound, &padded)?;
    Ok(Envelope::assemble(&recipe.head, &recipe.gate, &commitment, &body))
}
