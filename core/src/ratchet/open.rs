//! Receiving (Double Ratchet 4.5).
//!
//! The index names the receiving chain, so there is no trial decryption: a header opens under one key or it is
//! refused.

use super::{
    keys::{chain_step, chain_tag, open_header, root_step},
    message::{self, Bound},
    skipped::{LoadBlock, Skipped},
    state::{Delta, Ratchet, sending_half},
};
use crate::{
    context::Context,
    crypto::x25519,
    error::Code,
    limits::{MAX_OLD_CHAINS, MAX_SKIP},
    record::{Cold, Hot, OldChain, RatchetKeys},
    secret::Shared,
    wire::header::Header,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// An encrypted message and its receiving chain.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The receiving chain, found in the index.
    pub chain: u32,
    /// The envelope's salt.
    pub salt: &'a [u8; 16],
    /// Every envelope byte through the encrypted header.
    pub head: &'a [u8],
    /// The encrypted header.
    pub header: &'a [u8],
    /// The commitment.
    pub commitment: &'a [u8; 32],
    /// The encrypted body.
    pub body: &'a [u8],
}

impl Ratchet {
    /// > RatchetDecryptHE(state, enc_header, ciphertext, AD)
    ///
    /// Returns the changes and the padded body.
    ///
    /// # Errors
    /// - [`Code::NoSession`]: the session no longer has this chain.
    /// - [`Code::AuthenticationFailed`], [`Code::TooFarAhead`], [`Code::ReusedIndex`], [`Code::MessageKeyExpired`].
    /// - [`Code::WeakPublicKey`], [`Code::BadKeyEncoding`].
    /// - [`Code::NonCanonical`]: a header of this chain with another ratchet key.
    /// - The errors of the header's decoder.
    pub fn open(
        &self,
        context: &mut Context<'_>,
        message: Message<'_>,
        load: &LoadBlock<'_>,
    ) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
        let current = self.cold.chain;
        let header_key = if message.chain == current {
            self.cold.receiving_header.as_ref()
        } else if Some(message.chain) == current.checked_add(1) {
            Some(&self.cold.next_receiving_header)
        } else {
            self.cold.old_chains.iter().find(|old| old.number == message.chain).map(|old| &old.header)
        };
        let header_key = header_key.ok_or(Code::NoSession)?;
        let header = open_header(header_key, message.salt, &self.cold.associated_data, message.header)?;
        let mut skipped = Skipped::new(&self.directory, load);
        let mut work = Work { cold: self.cold.clone(), hot: self.hot.clone(), stepped: false, tags: <_>::default() };

        // > mk = TrySkippedMessageKeysHE(...)
        let message_key = if message.chain < current || (message.chain == current && header.n < self.hot.received) {
            if message.chain == current && self.cold.their_ratchet != Some(header.dh) {
                return Err(Code::NonCanonical);
            }
            skipped.take(message.chain, header.n)?
        } else {
            if message.chain == current {
                if self.cold.their_ratchet != Some(header.dh) {
                    return Err(Code::NonCanonical);
                }
            } else {
                // > SkipMessageKeysHE(state, header.pn); DHRatchetHE(state, header)
                work.skip(&mut skipped, header.pn)?;
                work.dh_ratchet(context, &mut skipped, &header)?;
            }
            // > SkipMessageKeysHE(state, header.n); CKr, mk = KDF_CK(CKr); Nr += 1
            work.skip(&mut skipped, header.n)?;
            work.next_key()?
        };
        let bound = Bound { salt: message.salt, associated_data: &self.cold.associated_data, head: message.head };
        let padded = message::open(&message_key, bound, message.commitment, message.body)?;

        let Work { cold, mut hot, stepped, tags } = work;
        hot.accepted = hot.accepted.saturating_add(1);
        skipped.bound(hot.accepted);
        let (directory, blocks, oldest) = skipped.finish();
        hot.oldest_skipped = oldest;
        let delta = Delta {
            hot,
            cold: stepped.then_some(cold),
            directory,
            blocks,
            tags_added: tags.added,
            tags_removed: tags.removed,
        };
        Ok((delta, padded))
    }
}

#[derive(Default)]
struct Tags {
    added: Vec<([u8; 16], u32)>,
    removed: Vec<[u8; 16]>,
}

/// The working copy of the state while a message is tried. A message that fails drops it.
struct Work {
    cold: Arc<Cold>,
    hot: Hot,
    stepped: bool,
    tags: Tags,
}

impl Work {
    /// > SkipMessageKeysHE(state, until)
    fn skip(&mut self, skipped: &mut Skipped<'_>, until: u32) -> Result<(), Code> {
        // > if state.Nr + MAX_SKIP < until: raise Error()
        if until.saturating_sub(self.hot.received) > MAX_SKIP {
            return Err(Code::TooFarAhead);
        }
        while self.hot.received < until && self.hot.receiving_chain.is_some() {
            let n = self.hot.received;
            let key = self.next_key()?;
            skipped.put(self.cold.chain, n, key, self.hot.accepted)?;
        }
        Ok(())
    }

    fn next_key(&mut self) -> Result<Shared<32>, Code> {
        let chain = self.hot.receiving_chain.as_ref().ok_or(Code::NoSession)?;
        let received = self.hot.received.checked_add(1).ok_or(Code::TooFarAhead)?;
        let (next, key) = chain_step(chain);
        self.hot.receiving_chain = Some(next);
        self.hot.received = received;
        Ok(key)
    }

    /// > DHRatchetHE(state, header)
    fn dh_ratchet(
        &mut self,
        context: &mut Context<'_>,
        skipped: &mut Skipped<'_>,
        header: &Header,
    ) -> Result<(), Code> {
        let theirs = x25519::PublicPoint::decode(header.dh)?;
        let Self { cold, hot, tags, .. } = self;
        let cold = Arc::make_mut(cold);
        // An honest peer answers only what we have sent; but our store may have been put back to before that.
        if cold.owes_sending_half() {
            sending_half(cold, hot)?;
        }
        if let Some(header) = cold.receiving_header.take() {
            cold.old_chains.push(OldChain { number: cold.chain, header });
        }
        while cold.old_chains.len() > MAX_OLD_CHAINS {
            let old = cold.old_chains.remove(0);
            skipped.drop_chain(old.number);
            tags.removed.push(chain_tag(&old.header));
        }
        // > PN = Ns; Ns = 0; Nr = 0; HKs = NHKs; HKr = NHKr; DHr = header.dh
        cold.previous_length = hot.sent;
        hot.sent = 0;
        hot.received = 0;
        cold.chain = cold.chain.checked_add(1).ok_or(Code::TooFarAhead)?;
        cold.sending_header = Some(cold.next_sending_header.clone());
        cold.receiving_header = Some(cold.next_receiving_header.clone());
        cold.their_ratchet = Some(*theirs.as_bytes());
        // > RK, CKr, NHKr = KDF_RK_HE(RK, DH(DHs, DHr))
        let ours = x25519::PrivateKey::from_secret(cold.ours.private.clone());
        let step = root_step(&cold.root, &ours, &theirs, &cold.associated_data)?;
        hot.receiving_chain = Some(step.chain);
        cold.next_receiving_header = step.next_header;
        cold.root = step.root;
        // > DHs = GENERATE_DH(), and the sending half is owed
        let ours = x25519::PrivateKey::generate(context);
        cold.ours = RatchetKeys { private: ours.secret().clone(), public: None };
        hot.sending_chain = None;
        tags.added.push((chain_tag(&cold.next_receiving_header), cold.chain.saturating_add(1)));
        self.stepped = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Timestamp,
        ratchet::{Start, keys::seal_header},
        record::Block,
    };
    use curve25519_dalek::{constants::EIGHT_TORSION, montgomery::MontgomeryPoint};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a17_a18_a_weak_or_non_canonical_ratchet_key_changes_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut context = Context { now: Timestamp(0), rng: &mut rng };
        let start = Start {
            associated_data: [7; 32],
            root: Shared::init_with(|k| k.fill(1)),
            initiator_header: Shared::init_with(|k| k.fill(2)),
            responder_header: Shared::init_with(|k| k.fill(3)),
        };
        let bob = Ratchet::responder(start, &x25519::PrivateKey::generate(&mut context));
        let one = std::array::from_fn(|at| u8::from(at == 0));
        let twist = std::array::from_fn(|at| if at == 0 { 2 } else { 0 });
        // An honest key plus a point of order 8: a DH with it would succeed.
        let honest = MontgomeryPoint(*x25519::PrivateKey::generate(&mut context).public_key().as_bytes());
        let mixed = (honest.to_edwards(0).unwrap() + EIGHT_TORSION[1]).to_montgomery().0;
        for (dh, code) in [
            ([0; 32], Code::WeakPublicKey),
            (one, Code::WeakPublicKey),
            (twist, Code::WeakPublicKey),
            (mixed, Code::WeakPublicKey),
            ([0xff; 32], Code::BadKeyEncoding),
            (std::array::from_fn(|at| if at == 31 { 0x80 } else { 9 }), Code::BadKeyEncoding),
        ] {
            let key = &bob.cold.next_receiving_header;
            let header = seal_header(key, &[5; 16], &[7; 32], &Header::new(dh, 0, 0)).unwrap();
            let message = Message {
                chain: 1,
                salt: &[5; 16],
                head: &header,
                header: &header,
                commitment: &[0; 32],
                body: &[0; 784],
            };
            let opened = bob.open(&mut context, message, &|_, _| Ok(Block::default()));
            assert_eq!(opened.map(drop).unwrap_err(), code, "{dh:02x?}");
        }
    }
}
