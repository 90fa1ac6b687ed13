//! AD_session: a hash of everything that a session is bound to (X 2).

use crate::{
    crypto::{
        kdf::{join, sha256},
        labels,
    },
    ids::{Scope, SessionId},
    keys::party::Party,
    secret::Secret,
    wire::envelope::{Initiation, SUITE},
};

/// The values that a direct session is bound to.
#[derive(Debug)]
pub struct Transcript<'a> {
    /// The party that sent the initiation.
    pub initiator: &'a Party,
    /// The party that answers.
    pub responder: &'a Party,
    /// The clear fields of the initiation.
    pub initiation: &'a Initiation,
    /// The public SPK.
    pub signed_pre_key: &'a [u8; 32],
    /// The public OPK, if one was used.
    pub one_time_pre_key: Option<&'a [u8; 32]>,
    /// The public KEM prekey.
    pub kem_pre_key: &'a [u8],
}

/// > `AD_session = SHA-256(label ‖ suite ‖ scope kind ‖ scope id ‖ generation ‖ initiator party ‖ responder party ‖ transcript)`
///
/// The transcript of a direct session: EK, signed prekey id and key, one-time prekey id and key or none, KEM prekey id and key,
/// SHA-256(KEM ciphertext). All fields are joined with their lengths; integers are big-endian.
#[must_use]
pub fn direct(t: &Transcript<'_>) -> [u8; 32] {
    let i = t.initiation;
    let one_time = match (i.one_time_pre_key, t.one_time_pre_key) {
        (Some(id), Some(key)) => join(&[&id.to_be_bytes(), key]),
        _ => Vec::new(),
    };
    let transcript = join(&[
        &i.ephemeral_key,
        &i.signed_pre_key.to_be_bytes(),
        t.signed_pre_key,
        &one_time,
        &i.kem_pre_key.to_be_bytes(),
        t.kem_pre_key,
        &sha256(&i.kem_ciphertext),
    ]);
    bind(Scope::Direct, i.generation, t.initiator, t.responder, &transcript)
}

/// The same for a session of a group's scope. Its transcript is E_A and SHA-256(seed) (X 4).
#[must_use]
pub fn opened(
    scope: Scope,
    generation: u64,
    (opener, responder): (&Party, &Party),
    ephemeral_key: &[u8; 32],
    seed: &Secret<32>,
) -> [u8; 32] {
    bind(scope, generation, opener, responder, &join(&[ephemeral_key, &sha256(seed.expose())]))
}

fn bind(scope: Scope, generation: u64, initiator: &Party, responder: &Party, transcript: &[u8]) -> [u8; 32] {
    let (kind, id) = scope.name();
    sha256(&join(&[
        labels::SESSION,
        &[SUITE],
        &[kind],
        id,
        &generation.to_be_bytes(),
        &initiator.encode(),
        &responder.encode(),
        transcript,
    ]))
}

/// > `SessionID = SHA-256("sid" ‖ AD_session)`
#[must_use]
pub fn session_id(associated_data: &[u8; 32]) -> SessionId {
    SessionId(sha256(&join(&[labels::SESSION_ID, associated_data])))
}
