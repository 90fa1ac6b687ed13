//! Receiving (Double Ratchet 4.5), in two steps: the header says where the message stands, then the message is opened.
//!
//! The index names the receiving chain, so there is no trial decryption: a header opens under one key or it is
//! refused. No step of a chain is made before the header has opened.

use super::{
    keys::{chain_step, chain_step_alone, chain_tag, open_header, root_step},
    message::{self, Bound},
    skipped::{LoadBlock, Skipped},
    state::{Delta, Ratchet, sending_half},
};
use crate::{
    context::Context,
    crypto::x25519,
    error::Code,
    limits::{MAX_JUMP, MAX_OLD_CHAINS, MAX_SKIPPED_PER_CHAIN},
    record::{Cold, Hot, OldChain, RatchetKeys},
    secret::Shared,
    wire::header::Header,
};
use core::cmp::Ordering;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where a message stands in its session, by its header, which has opened.
#[derive(Clone)]
pub struct Position {
    chain: u32,
    header: Header,
}

// By hand: a header is nobody's business.
impl core::fmt::Debug for Position {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Position")
    }
}

impl Position {
    /// > HDECRYPT(hk, enc_header)
    ///
    /// The position of a message on a receiving chain that the index named.
    ///
    /// # Errors
    /// - [`Code::NoSession`]: the session no longer has this chain.
    /// - [`Code::AuthenticationFailed`], and the errors of the header's decoder.
    pub fn read(cold: &Cold, chain: u32, salt: &[u8; 16], sealed: &[u8]) -> Result<Self, Code> {
        let header_key = cold.header_key(chain).ok_or(Code::NoSession)?;
        Ok(Self { chain, header: open_header(header_key, salt, &cold.associated_data, sealed)? })
    }

    /// The receiving chain and the number in it: the order in which the peer has sealed.
    #[must_use]
    pub fn order(&self) -> (u32, u32) {
        (self.chain, self.header.n)
    }
}

impl Cold {
    /// The header key of a receiving chain: the current one, the next, or an old one.
    fn header_key(&self, chain: u32) -> Option<&Shared<32>> {
        if chain == self.chain {
            self.receiving_header.as_ref()
        } else if Some(chain) == self.chain.checked_add(1) {
            Some(&self.next_receiving_header)
        } else {
            self.old_chains.iter().find(|old| old.number == chain).map(|old| &old.header)
        }
    }
}

/// An encrypted message whose header has opened.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Where it stands.
    pub position: &'a Position,
    /// The envelope's salt.
    pub salt: &'a [u8; 16],
    /// Every envelope byte through the encrypted header.
    pub head: &'a [u8],
    /// The commitment.
    pub commitment: &'a [u8; 32],
    /// The encrypted body.
    pub body: &'a [u8],
}

impl Ratchet {
    /// How many message keys the receiver passes over to reach a message: the steps that it costs besides its own.
    ///
    /// # Errors
    /// [`Code::TooFarAhead`].
    pub fn jump(&self, position: &Position) -> Result<u32, Code> {
        let Position { chain, header } = position;
        let received = self.hot.received;
        match chain.cmp(&self.cold.chain) {
            Ordering::Less => Ok(0),
            Ordering::Equal => within_reach(received, header.n),
            Ordering::Greater => {
                let has_begun = self.hot.receiving_chain.is_some();
                // The old chain is given up if its end is out of reach.
                let to_the_end = if has_begun { within_reach(received, header.pn).unwrap_or(0) } else { 0 };
                Ok(within_reach(0, header.n)?.saturating_add(to_the_end))
            }
        }
    }

    /// > RatchetDecryptHE(state, enc_header, ciphertext, AD)
    ///
    /// Returns the changes and the padded body.
    ///
    /// # Errors
    /// - [`Code::NoSession`]: the session no longer has this chain.
    /// - [`Code::AuthenticationFailed`], [`Code::TooFarAhead`], [`Code::ReusedIndex`], [`Code::MessageKeyExpired`].
    /// - [`Code::WeakPublicKey`], [`Code::BadKeyEncoding`].
    /// - [`Code::NonCanonical`]: a header of this chain with another ratchet key.
    pub fn open(
        &self,
        context: &mut Context<'_>,
        message: Message<'_>,
        load: &LoadBlock<'_>,
    ) -> Result<(Delta, Zeroizing<Vec<u8>>), Code> {
        let current = self.cold.chain;
        let Position { chain, header } = message.position;
        // The header may have been opened before other messages were.
        self.cold.header_key(*chain).ok_or(Code::NoSession)?;
        if *chain == current && self.cold.their_ratchet != Some(header.dh) {
            return Err(Code::NonCanonical);
        }
        self.jump(message.position)?;
        let mut skipped = Skipped::new(&self.directory, load);
        let mut work = Work { cold: self.cold.clone(), hot: self.hot.clone(), stepped: false, tags: <_>::default() };

        // > mk = TrySkippedMessageKeysHE(...)
        let message_key = if *chain < current || (*chain == current && header.n < self.hot.received) {
            skipped.take(*chain, header.n)?
        } else {
            if *chain > current {
                // > SkipMessageKeysHE(state, header.pn); DHRatchetHE(state, header)
                work.end_chain(&mut skipped, header.pn)?;
                work.dh_ratchet(context, &mut skipped, header)?;
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

/// > if state.Nr + MAX_SKIP < until: raise Error()
///
/// How many numbers lie between; none if it is behind.
fn within_reach(received: u32, until: u32) -> Result<u32, Code> {
    let between = until.saturating_sub(received);
    if between > MAX_JUMP { Err(Code::TooFarAhead) } else { Ok(between) }
}

impl Work {
    /// > SkipMessageKeysHE(state, until)
    ///
    /// The keys of the last 1,000 are stored. Those before them are never made, and marked as expired.
    fn skip(&mut self, skipped: &mut Skipped<'_>, until: u32) -> Result<(), Code> {
        if until <= self.hot.received || self.hot.receiving_chain.is_none() {
            return Ok(());
        }
        let (chain, from) = (self.cold.chain, self.hot.received);
        let stored_from = until.saturating_sub(MAX_SKIPPED_PER_CHAIN).max(from);
        self.pass_over(stored_from)?;
        skipped.expire(chain, from..stored_from);
        for n in stored_from..until {
            let key = self.next_key()?;
            skipped.put(chain, n, key, self.hot.accepted)?;
        }
        skipped.bound_chain(chain)
    }

    /// The same up to the end of the old chain. If that is out of reach, the chain is given up: its sender may have lost any number of messages
    /// on the way, and an answer still comes through.
    fn end_chain(&mut self, skipped: &mut Skipped<'_>, until: u32) -> Result<(), Code> {
        if within_reach(self.hot.received, until).is_ok() {
            return self.skip(skipped, until);
        }
        if self.hot.receiving_chain.is_some() {
            skipped.expire(self.cold.chain, self.hot.received..until);
        }
        Ok(())
    }

    /// Goes on in the chain without a message key.
    fn pass_over(&mut self, until: u32) -> Result<(), Code> {
        let mut chain = self.hot.receiving_chain.clone().ok_or(Code::NoSession)?;
        for _ in self.hot.received..until {
            chain = chain_step_alone(&chain);
        }
        self.hot.receiving_chain = Some(chain);
        self.hot.received = until;
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
            let position = Position::read(&bob.cold, 1, &[5; 16], &header).unwrap();
            let message =
                Message { position: &position, salt: &[5; 16], head: &header, commitment: &[0; 32], body: &[0; 784] };
            let opened = bob.open(&mut context, message, &|_, _| Ok(Block::default()));
            assert_eq!(opened.map(drop).unwrap_err(), code, "{dh:02x?}");
        }
    }
}
