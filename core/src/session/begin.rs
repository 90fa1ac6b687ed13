//! Making a session, as initiator or as responder (Sesame 2.3; X 3).

use super::Session;
use crate::{
    agreement::{
        associated_data,
        opening::{self, Opened},
        pqxdh::{self, NamedPreKeys, SharedSecrets},
    },
    clock::{Age, Moment},
    context::{Context, Timestamp},
    crypto::x25519,
    error::Code,
    ids::Scope,
    keys::{
        bundle::VerifiedBundle,
        device::DeviceKeys,
        party::{DecodedParty, Party},
    },
    limits::MAX_LATENCY,
    model::SessionMeta,
    ratchet::{Ratchet, Start},
    record::{self, Beginning},
    secret::Shared,
    wire::envelope::Initiation,
};

/// Makes an initiating session from a prekey bundle. `generation` comes from [`crate::model::Peer::next_generation`].
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn initiate(
    keys: &DeviceKeys,
    context: &mut Context<'_>,
    bundle: &VerifiedBundle,
    (generation, created_at): (u64, Age),
) -> Result<Session, Code> {
    let (secrets, initiation) = pqxdh::initiate(keys, context, bundle, generation)?;
    let meta = meta(&secrets, &initiation, created_at.0, true);
    // SPK is the responder's first ratchet key (Double Ratchet 7.1).
    let ratchet = Ratchet::initiator(context, start(secrets), &bundle.signed_pre_key.key)?;
    Ok(Session { meta, ratchet, beginning: Some(Beginning::Initiation(initiation.encode()?)) })
}

/// Makes the matching session from the clear fields of an initiation. Nothing is authenticated before a message
/// opens.
///
/// # Errors
/// The errors of [`pqxdh::respond`].
pub fn accept(
    keys: &DeviceKeys,
    pre_keys: &NamedPreKeys,
    theirs: &DecodedParty,
    initiation: &Initiation,
    at: Moment,
) -> Result<Session, Code> {
    let secrets = pqxdh::respond(keys, pre_keys, theirs, initiation)?;
    let created_at = received_age(initiation.generation, at);
    let meta = meta(&secrets, initiation, created_at, false);
    let ratchet = Ratchet::responder(start(secrets), &pre_keys.signed);
    Ok(Session { meta, ratchet, beginning: None })
}

/// Makes a session in a group's scope. An opening inside direct messages carries it to the peer (X 4).
/// `generation` comes from [`crate::model::Peer::next_generation`].
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn open_scope(
    keys: &DeviceKeys,
    context: &mut Context<'_>,
    their_party: &Party,
    (scope, generation, created_at): (Scope, u64, Age),
) -> Result<Session, Code> {
    let ephemeral = x25519::PrivateKey::generate(context);
    let seed = Shared::init_with(|seed| context.rng.fill_bytes(seed));
    let ephemeral_key = *ephemeral.public_key().as_bytes();
    let opened = Opened { scope, generation, ephemeral_key: &ephemeral_key, seed: &seed };
    // IK_B is the other half of two DHs: of the secrets, and of the first ratchet step.
    let theirs = x25519::PublicPoint::of(&their_party.identity_key)?;
    let secrets = opening::agree(&keys.identity, &theirs, (&keys.party, their_party), opened)?;
    let meta = scope_meta(&secrets, opened, created_at.0, true);
    let ratchet = Ratchet::initiator_with(ephemeral, start(secrets), &theirs)?;
    let beginning = Beginning::Opening(record::Opening { ephemeral_key, seed, carrier: None });
    Ok(Session { meta, ratchet, beginning: Some(beginning) })
}

/// Makes the matching session from an opening. Nothing is authenticated before the nested message opens.
///
/// # Errors
/// [`Code::WeakPublicKey`] or [`Code::BadKeyEncoding`] for E_A.
pub fn accept_opening(keys: &DeviceKeys, their_party: &Party, opened: Opened<'_>, at: Moment) -> Result<Session, Code> {
    x25519::PublicKey::decode(*opened.ephemeral_key)?;
    let theirs = x25519::PublicPoint::of(&their_party.identity_key)?;
    let secrets = opening::agree(&keys.identity, &theirs, (their_party, &keys.party), opened)?;
    let meta = scope_meta(&secrets, opened, received_age(opened.generation, at), false);
    let ratchet = Ratchet::responder(start(secrets), &keys.identity);
    Ok(Session { meta, ratchet, beginning: None })
}

fn scope_meta(secrets: &SharedSecrets, opened: Opened<'_>, created_at: u64, initiating: bool) -> SessionMeta {
    SessionMeta {
        id: associated_data::session_id(&secrets.associated_data),
        scope: opened.scope,
        generation: opened.generation,
        created_at,
        ephemeral_key: *opened.ephemeral_key,
        initiating,
        answered_at: None,
        demoted: false,
        reset: false,
    }
}

/// When the session began, by our age clock. The message was under way for at most MAXLATENCY, so no earlier time is believed (Sesame 4.2).
fn received_age(generation: u64, at: Moment) -> u64 {
    let under_way = at.now.since(Timestamp(generation.saturating_mul(1_000)));
    at.age.minus(under_way.min(MAX_LATENCY)).0
}

fn meta(secrets: &SharedSecrets, initiation: &Initiation, created_at: u64, initiating: bool) -> SessionMeta {
    SessionMeta {
        id: associated_data::session_id(&secrets.associated_data),
        scope: Scope::Direct,
        generation: initiation.generation,
        created_at,
        ephemeral_key: initiation.ephemeral_key,
        initiating,
        answered_at: None,
        demoted: false,
        reset: false,
    }
}

fn start(secrets: SharedSecrets) -> Start {
    let SharedSecrets { associated_data, root, initiator_header, responder_header } = secrets;
    Start {
        associated_data,
        root: root.into(),
        initiator_header: initiator_header.into(),
        responder_header: responder_header.into(),
    }
}
