//! The private prekeys that an initiation names (PQXDH 3.4).

use super::work::Work;
use crate::{
    agreement::pqxdh::NamedPreKeys,
    crypto::{mlkem, x25519::PrivateKey},
    error::Code,
    keys::pre_keys::PreKey,
    store::{Places, PreKeyUse},
    wire::envelope::Initiation,
};

pub(super) type Used = Vec<(PreKeyUse, u32)>;

/// The private prekeys that an initiation names, and those of them that are gone after it.
pub(super) fn named(work: &Work<'_>, initiation: &Initiation) -> Result<(NamedPreKeys, Used), Code> {
    let mut used = Used::new();
    let curve = |usage, id| -> Result<Option<PrivateKey>, Code> {
        match work.get::<PreKey>(&Places::pre_key(usage, id))? {
            Some(PreKey::Curve(secret)) => Ok(Some(PrivateKey::from_secret(secret))),
            Some(PreKey::Kem(_)) => Err(Code::RecordInconsistent),
            None => Ok(None),
        }
    };
    let kem = |usage, id| -> Result<Option<mlkem::PrivateKey>, Code> {
        match work.get::<PreKey>(&Places::pre_key(usage, id))? {
            Some(PreKey::Kem(seed)) => Ok(Some(mlkem::PrivateKey::from_seed(seed))),
            Some(PreKey::Curve(_)) => Err(Code::RecordInconsistent),
            None => Ok(None),
        }
    };
    let next_id = super::publish::book(work)?.next_id;
    // An id that was given out and is no more was used; one that was never given out is unknown.
    let gone = |id| if id < next_id { Code::PreKeyUsed } else { Code::UnknownPreKey };
    let signed = curve(PreKeyUse::Signed, initiation.signed_pre_key)?.ok_or(Code::UnknownPreKey)?;
    let one_time = match initiation.one_time_pre_key {
        Some(id) => {
            used.push((PreKeyUse::OneTimeCurve, id));
            Some(curve(PreKeyUse::OneTimeCurve, id)?.ok_or_else(|| gone(id))?)
        }
        None => None,
    };
    let id = initiation.kem_pre_key;
    let kem = match kem(PreKeyUse::LastResort, id)? {
        Some(last_resort) => last_resort,
        None => {
            used.push((PreKeyUse::OneTimeKem, id));
            kem(PreKeyUse::OneTimeKem, id)?.ok_or_else(|| gone(id))?
        }
    };
    Ok((NamedPreKeys { signed, one_time, kem }, used))
}
