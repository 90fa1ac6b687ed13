//! The private prekeys that an initiation names (PQXDH 3.4).

use crate::{
    agreement::pqxdh::NamedPreKeys,
    clock::Age,
    crypto::{mlkem, x25519},
    error::Code,
    keys::pre_keys::PreKey,
    store::{Places, PreKeyUse},
    tx::Tx,
    wire::envelope::Initiation,
};

/// The private prekeys that an initiation names, and those of them that are gone after it.
pub(super) struct Named {
    pub(super) keys: NamedPreKeys,
    pub(super) used: Vec<(PreKeyUse, u32)>,
}

impl Named {
    /// The one-time keys go with the success that used them, and only with it (A23).
    pub(super) fn spend(self, tx: &mut Tx<'_>) -> Result<(), Code> {
        let mut book = tx.book()?;
        for (usage, id) in self.used {
            match usage {
                PreKeyUse::OneTimeCurve => book.curve_offered = book.curve_offered.saturating_sub(1),
                _ => book.kem_offered = book.kem_offered.saturating_sub(1),
            }
            tx.delete(Places::pre_key(usage, id));
        }
        tx.put_book(&book)
    }
}

pub(super) fn named(tx: &Tx<'_>, initiation: &Initiation) -> Result<Named, Code> {
    let mut used = Vec::new();
    let book = tx.book()?;
    // An id that was given out and is no more was used; one that was never given out is unknown.
    let gone = |id| if book.is_given(id) { Code::PreKeyUsed } else { Code::UnknownPreKey };
    let signed = curve(tx, PreKeyUse::Signed, initiation.signed_pre_key)?.ok_or(Code::UnknownPreKey)?;
    let one_time = match initiation.one_time_pre_key {
        Some(id) => {
            used.push((PreKeyUse::OneTimeCurve, id));
            Some(curve(tx, PreKeyUse::OneTimeCurve, id)?.ok_or_else(|| gone(id))?)
        }
        None => None,
    };
    let id = initiation.kem_pre_key;
    let kem = match kem(tx, PreKeyUse::LastResort, id)? {
        Some(last_resort) => last_resort,
        None => {
            used.push((PreKeyUse::OneTimeKem, id));
            kem(tx, PreKeyUse::OneTimeKem, id)?.ok_or_else(|| gone(id))?
        }
    };
    Ok(Named { keys: NamedPreKeys { signed, one_time, kem }, used })
}

/// A device that we know begins a session with a prekey that is not there. If this device never gave it out, its store was put back, and
/// other keys go up.
pub(super) fn recover(tx: &mut Tx<'_>, initiation: &Initiation, age: Age) -> Result<(), Code> {
    let mut book = tx.book()?;
    let ids = [Some(initiation.signed_pre_key), initiation.one_time_pre_key, Some(initiation.kem_pre_key)];
    let unknown: Vec<u32> = ids.into_iter().flatten().filter(|id| !book.is_given(*id)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    for id in unknown {
        if !book.is_given(id) {
            book.go_on_after(id, age);
        }
    }
    tx.put_book(&book)
}

fn curve(tx: &Tx<'_>, usage: PreKeyUse, id: u32) -> Result<Option<x25519::PrivateKey>, Code> {
    match tx.get::<PreKey>(&Places::pre_key(usage, id))? {
        Some(PreKey::Curve(secret)) => Ok(Some(x25519::PrivateKey::from_secret(secret))),
        Some(PreKey::Kem(_)) => Err(Code::RecordInconsistent),
        None => Ok(None),
    }
}

fn kem(tx: &Tx<'_>, usage: PreKeyUse, id: u32) -> Result<Option<mlkem::PrivateKey>, Code> {
    match tx.get::<PreKey>(&Places::pre_key(usage, id))? {
        Some(PreKey::Kem(seed)) => Ok(Some(mlkem::PrivateKey::from_seed(seed))),
        Some(PreKey::Curve(_)) => Err(Code::RecordInconsistent),
        None => Ok(None),
    }
}
