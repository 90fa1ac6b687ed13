//! Sealing in two steps: first a recipe, then the envelope. The same recipe and content always give the same
//! envelope (X 1, X 2, X 10).

use crate::{
    crypto::{aead, kdf, labels},
    error::Code,
    ids::{DeviceId, Scope, UserId},
    keys::pair::PairKeys,
    model::SessionMeta,
    ratchet::{
        SendingState, Sent,
        message::{self, Bound},
    },
    record::{Beginning, Hot, Nested, Recipe, SessionCold},
    wire::{
        envelope::{self, Address, Envelope, Head, Initiation, SUITE, VERSION},
        opening::Opening,
        padding,
    },
};

/// What sealing reads of a session, as it lies in the store.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// SessionID, generation and age.
    pub meta: &'a SessionMeta,
    /// The sending side of the ratchet.
    pub ratchet: SendingState<'a>,
    /// What every message repeats while the session is initiating.
    pub beginning: Option<&'a Beginning>,
}

impl<'a> Outgoing<'a> {
    /// Puts a session's stored parts together.
    ///
    /// # Errors
    /// As [`super::Session::from_parts`].
    pub fn from_parts(meta: &'a SessionMeta, cold: &'a SessionCold, hot: &'a Hot) -> Result<Self, Code> {
        if cold.beginning.is_some() != meta.initiating {
            return Err(Code::RecordInconsistent);
        }
        let ratchet = SendingState::from_parts(&cold.ratchet, hot)?;
        Ok(Self { meta, ratchet, beginning: cold.beginning.as_ref() })
    }
}

/// Sender, recipient and their pair keys.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The sender.
    pub sender: (&'a UserId, DeviceId),
    /// The recipient.
    pub recipient: (&'a UserId, DeviceId),
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

fn address((user, device): (&UserId, DeviceId)) -> Address {
    Address { user: user.as_bytes().to_vec().into(), device: device.0 }
}

/// The head of an envelope.
pub(super) fn head(route: Route<'_>, salt: [u8; 16], named: envelope::Route, header: Vec<u8>) -> Head {
    Head {
        version: VERSION,
        suite: SUITE,
        sender: address(route.sender),
        recipient: address(route.recipient),
        salt,
        route: named,
        header: header.into(),
    }
}

/// Takes a message key and fixes every byte of the envelope before the body.
///
/// While the session is initiating, the envelope is an initiation message; afterwards it is an ordinary one
/// (Sesame 2.3).
///
/// # Errors
/// [`Code::NoSession`] and [`Code::TooFarAhead`] as in [`crate::ratchet::SendingState::seal`].
pub fn seal(session: Outgoing<'_>, salt: [u8; 16], route: Route<'_>) -> Result<Sealed, Code> {
    let (sent, sealed) = session.ratchet.seal(&salt)?;
    let named = match session.beginning {
        Some(Beginning::Initiation(clear)) => {
            envelope::Route::Initiation(Initiation::decode(clear).map_err(|_| Code::RecordInconsistent)?)
        }
        // A group session that nobody answered has no envelope of its own.
        Some(Beginning::Opening(_)) => return Err(Code::NoSession),
        None => envelope::Route::Ordinary { locator: route.pair.mask(&salt, &sealed.chain_tag) },
    };
    let head = head(route, salt, named, sealed.header).encode()?;
    let gate = route.pair.gate(&head);
    let associated_data = session.ratchet.associated_data();
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
pub fn seal_nested(session: Outgoing<'_>, salt: [u8; 16]) -> Result<Sealed, Code> {
    let (sent, sealed) = session.ratchet.seal(&salt)?;
    let associated_data = session.ratchet.associated_data();
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

/// The envelope from a recipe and a content, which is given in two pieces. `payload` is the length of the app's bytes in the content. `room`
/// is the number of bytes that the padding keeps free besides them.
///
/// # Errors
/// [`Code::TooLarge`] when the content does not fit the largest step.
pub fn envelope(recipe: &Recipe, content: [&[u8]; 2], payload: usize, room: usize) -> Result<Vec<u8>, Code> {
    let padded = padding::padded_len(payload, room, content.iter().map(|piece| piece.len()).sum())?;
    let bound = Bound { salt: &recipe.salt, associated_data: &recipe.associated_data, head: &recipe.head };
    let keys = message::derive(&recipe.message_key, bound);
    let mut envelope = Envelope::begin(&recipe.head, &recipe.gate, &keys.commitment, padded.saturating_add(aead::TAG));
    let begin = envelope.len();
    padding::pad_onto(&mut envelope, &content, padded);
    keys.seal_from(&mut envelope, begin)?;
    debug_assert_eq!(envelope.len(), envelope_len(recipe, padded));
    Ok(envelope)
}

/// The length of the envelope that comes of a recipe and a body of `padded` bytes.
#[must_use]
pub fn envelope_len(recipe: &Recipe, padded: usize) -> usize {
    Envelope::assembled_len(recipe.head.len(), padded.saturating_add(aead::TAG))
}
