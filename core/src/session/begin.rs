//! Beginning a session, on either side (Sesame 2.3; X 3).

use super::Session;
use crate::{
    agreement::{
        associated_data,
        pqxdh::{self, NamedPreKeys, SharedSecrets},
    },
    context::{Context, Timestamp},
    error::Code,
    keys::{bundle::VerifiedBundle, device::DeviceKeys, party::Party},
    limits::MAX_LATENCY,
    ratchet::{Ratchet, Start},
    record::{Scope, SessionMeta},
    wire::envelope::Initiation,
};
use std::sync::Arc;

/// Makes an initiating session from a bundle. `generation` comes from [`super::order::next_generation`].
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn initiate(
    keys: &DeviceKeys,
    context: &mut Context<'_>,
    bundle: &VerifiedBundle,
    generation: u64,
) -> Result<Session, Code> {
    let (secrets, initiation) = pqxdh::initiate(keys, context, bundle, generation)?;
    let meta = meta(&secrets, &initiation, context.now.0, true);
    // SPK is the responder's first ratchet key (Double Ratchet 7.1).
    let ratchet = Ratchet::initiator(context, start(secrets), &bundle.signed_pre_key.key)?;
    Ok(Session { meta, ratchet, initiation: Some(initiation) })
}

/// Makes the matching session from the clear fields of an initiation. Nothing is authenticated until a message opens.
///
/// # Errors
/// What [`pqxdh::respond`] says.
pub fn accept(
    keys: &DeviceKeys,
    pre_keys: &NamedPreKeys,
    their_party: &Party,
    initiation: &Initiation,
    now: Timestamp,
) -> Result<Session, Code> {
    let secrets = pqxdh::respond(keys, pre_keys, their_party, initiation)?;
    // The initiator's clock when it began, as far as it can be true: the message was under way for at most MAXLATENCY (Sesame 4.2).
    let claimed = initiation.generation.saturating_mul(1_000);
    let latency = u64::try_from(MAX_LATENCY.as_millis()).unwrap_or(u64::MAX);
    let created_at = claimed.clamp(now.0.saturating_sub(latency), now.0);
    let meta = meta(&secrets, initiation, created_at, false);
    let ratchet = Ratchet::responder(start(secrets), &pre_keys.signed);
    Ok(Session { meta, ratchet, initiation: None })
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
    }
}

fn start(secrets: SharedSecrets) -> Start {
    let SharedSecrets { associated_data, root, initiator_header, responder_header } = secrets;
    Start {
        associated_data,
        root: Arc::new(root),
        initiator_header: Arc::new(initiator_header),
        responder_header: Arc::new(responder_header),
    }
}
