//! Sealing of rows: AES-256-GCM. Each row has a key of its own and is bound to its row key and to the format
//! version.
//!
//! > record key = HMAC(seal key, row key); row = nonce 12 ‖ ciphertext; AD = join(format version, row key)

use super::{Kind, Places, RowKey};
use crate::{
    context::Context,
    crypto::{aead, kdf, labels},
    error::Code,
    record::{Check, Record},
    secret::Secret,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const FORMAT: u8 = 1;

/// Seals and opens rows with keys derived from the app's 32-byte store key.
#[derive(Debug)]
pub struct Sealer {
    seal: kdf::Keyed,
    check: [u8; 32],
    /// Computes row keys.
    pub places: Places,
}

impl Sealer {
    /// Derives the keys from the app's store key.
    #[must_use]
    pub fn new(store_key: &Secret<32>) -> Self {
        Self {
            seal: kdf::Keyed::new(&kdf::hmac_key(store_key, labels::STORE_SEAL)),
            check: kdf::hmac(store_key, labels::STORE_CHECK),
            places: Places::new(store_key),
        }
    }

    /// The check row. It tells a wrong store key from a damaged store.
    ///
    /// # Errors
    /// [`Code::Internal`].
    pub fn check_row(&self) -> Result<(RowKey, Vec<u8>), Code> {
        Ok((Places::only(Kind::Check), Check { tag: self.check }.encode()?.to_vec()))
    }

    /// Checks that a store's check row was made with this key.
    ///
    /// # Errors
    /// [`Code::WrongKey`]. [`Code::RecordCorrupt`] or [`Code::NewerFormat`].
    pub fn check(&self, row: &[u8]) -> Result<(), Code> {
        let Check { tag } = Check::decode(row)?;
        if bool::from(tag.ct_eq(&self.check)) { Ok(()) } else { Err(Code::WrongKey) }
    }

    /// Seals a record.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn seal(&self, context: &mut Context<'_>, key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Code> {
        self.seal_with(context.random(), key, plain)
    }

    /// The same with a nonce that was drawn for this row.
    pub(crate) fn seal_with(&self, nonce: [u8; 12], key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Code> {
        let mut row = Vec::with_capacity(nonce.len() + plain.len() + aead::TAG);
        row.extend_from_slice(&nonce);
        aead::seal_onto(&mut row, &self.seal.hmac_key(key), &nonce, &kdf::join(&[&[FORMAT], key]), plain)?;
        Ok(row)
    }

    /// Opens a row.
    ///
    /// # Errors
    /// [`Code::RecordCorrupt`]: the row is damaged, truncated, or was moved to another row key.
    pub fn open(&self, key: &[u8], row: &[u8]) -> Result<Zeroizing<Vec<u8>>, Code> {
        let (nonce, sealed) = row.split_first_chunk::<12>().ok_or(Code::RecordCorrupt)?;
        aead::open(&self.seal.hmac_key(key), nonce, &kdf::join(&[&[FORMAT], key]), sealed)
            .map_err(|_| Code::RecordCorrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Timestamp;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Secret::init_with(|k| k.fill(byte)))
    }

    #[test]
    fn a67_a_row_opens_in_its_own_place_only_and_whole() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let key = Places::item(7);
        let row = sealer(1).seal(&mut context, &key, b"record").unwrap();
        assert_eq!(sealer(1).open(&key, &row).unwrap().as_slice(), b"record");
        assert_eq!(sealer(1).open(&Places::item(8), &row).unwrap_err(), Code::RecordCorrupt);
        assert_eq!(sealer(2).open(&key, &row).unwrap_err(), Code::RecordCorrupt);
        for end in 0..row.len() {
            assert_eq!(sealer(1).open(&key, &row[..end]).unwrap_err(), Code::RecordCorrupt);
        }
        for bit in 0..row.len() * 8 {
            let mut bad = row.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer(1).open(&key, &bad).unwrap_err(), Code::RecordCorrupt);
        }
    }

    #[test]
    fn a67_sealing_twice_gives_other_bytes() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let key = Places::item(7);
        let first = sealer(1).seal(&mut context, &key, b"record").unwrap();
        assert_ne!(sealer(1).seal(&mut context, &key, b"record").unwrap(), first);
    }

    #[test]
    fn a_wrong_store_key_is_told_from_a_damaged_row() {
        let (_, row) = sealer(1).check_row().unwrap();
        assert_eq!(sealer(1).check(&row), Ok(()));
        assert_eq!(sealer(2).check(&row), Err(Code::WrongKey));
        assert_eq!(sealer(1).check(&row[..5]), Err(Code::RecordCorrupt));
    }
}
