//! Sealing in two steps: first a recipe, then the envelope. The same recipe and content always give the same
//! envelope (X 1, X 2, X 10).

use super::Session;
use crate::{
    crypto::{kdf, labels},
    error::Code,
    ids::Scope,
    keys::{pair::PairKeys, party::Party},
    ratchet::{
        Sent,
        message::{self, Bound},
    },
    record::{Beginning, Nested, Recipe},
    wire::{
        envelope::{self, Address, Envelope, Head, Initiation, SUITE, VERSION},
        opening::Opening,
        padding,
    },
};

/// Sender, recipient and their pair keys.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The sender.
    pub sender: &'a Party,
    /// The recipient.
    pub recipient: &'a Party,
    /// The pair keys of this direction.
    pub pair: &'a PairKeys,
}

/// The result of [`seal`].
#[derive(Debug)]
pub struct Sealed {
    /// What changed of the ratchet.
    pub sent: Sent,
    /// Every value of the envelope but the content.
    pub recipe: Recipe,
}

fn address(party: &Party) -> Address {
    Address { user: party.user.as_bytes().to_vec().into(), device: party.device.0 }
}

/// Takes a message key and fixes every byte of the envelope before the body.
///
/// While the session is initiating, the envelope is an initiation message; afterwards it is an ordinary one
/// (Sesame 2.3).
///
/// # Errors
/// [`Code::NoSession`] and [`Code::TooFarAhead`] as in [`crate::ratchet::Ratchet::seal`].
pub fn seal(session: &Session, salt: [u8; 16], route: Route<'_>) -> Result<Sealed, Code> {
    let (sent, sealed) = session.ratchet.seal(&salt)?;
    let named = match &session.beginning {
        Some(Beginning::Initiation(clear)) => {
            envelope::Route::Initiation(Initiation::decode(clear).map_err(|_| Code::RecordInconsistent)?)
        }
        // A group session that nobody answered has no envelope of its own.
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
    Ok(Sealed { sent, recipe: Recipe { salt, head, gate, associated_data, message_key: sealed.message_key } })
}

/// The bytes that a nested body is bound to, where an envelope's body is bound to its head: the salt and the
/// encrypted header. AD_session already binds the parties and the opening.
pub(super) fn nested_head(salt: &[u8; 16], header: &[u8]) -> Vec<u8> {
    kdf::join(&[labels::NESTED, salt, header])
}

/// Takes a message key of a group session that nobody has answered. Its message is nested in a direct message
/// under the same salt (X 4).
///
/// # Errors
/// As [`seal`].
pub fn seal_nested(session: &Session, salt: [u8; 16]) -> Result<Sealed, Code> {
    let (sent, sealed) = session.ratchet.seal(&salt)?;
    let associated_data = session.ratchet.cold.associated_data;
    let recipe = Recipe { salt, head: sealed.header, gate: [0; 16], associated_data, message_key: sealed.message_key };
    Ok(Sealed { sent, recipe })
}

/// The opening that carries a nested message, from the message's recipe and content.
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

/// The envelope from a recipe and a content. `payload` is the length of the app's bytes in the content. `room`
/// is the number of bytes that the padding keeps free besides them.
///
/// # Errors
/// [`Code::TooLarge`] when the content does not fit the largest step.
pub fn envelope(recipe: &Recipe, content: &[u8], payload: usize, room: usize) -> Result<Vec<u8>, Code> {
    let padded = padding::pad(content, payload, room)?;
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &recipe.head };
    let (commitment, body) = message::seal(&recipe.message_key, bound, &padded)?;
    Ok(Envelope::assemble(&recipe.head, &recipe.gate, &commitment, &body))
}
