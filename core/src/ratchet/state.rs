//! The state of the ratchet, its two initial forms, and sending (Double Ratchet 4.2 to 4.4).

use super::keys::{chain_step, chain_tag, root_step, seal_header};
use crate::{
    context::Context,
    crypto::x25519,
    error::Code,
    record::{Block, Cold, Directory, Hot},
    secret::Shared,
    wire::header::Header,
};
use std::collections::BTreeMap;

/// One side of a Double Ratchet.
#[derive(Clone, Debug)]
pub struct Ratchet {
    /// The part that a DH ratchet step changes.
    pub cold: Cold,
    /// The part that every message changes.
    pub hot: Hot,
    /// The list of stored skipped message keys.
    pub directory: Directory,
}

/// The values that both sides start with.
#[derive(Debug)]
pub struct Start {
    /// AD_session.
    pub associated_data: [u8; 32],
    /// SK.
    pub root: Shared<32>,
    /// `shared_hka`.
    pub initiator_header: Shared<32>,
    /// `shared_nhkb`.
    pub responder_header: Shared<32>,
}

/// The parts of the state that a step changed. All others are as before.
#[derive(Debug)]
pub struct Delta {
    /// Set by every step.
    pub hot: Hot,
    /// Set by a DH ratchet step.
    pub cold: Option<Cold>,
    /// Set when skipped keys were stored or taken.
    pub directory: Option<Directory>,
    /// Changed blocks of skipped keys by (chain, block number); `None` deletes a block.
    pub blocks: BTreeMap<(u32, u32), Option<Block>>,
    /// Chain tags that the index gains, with their chains.
    pub tags_added: Vec<([u8; 16], u32)>,
    /// Chain tags that the index loses.
    pub tags_removed: Vec<[u8; 16]>,
}

/// The result of sealing: everything that a message needs besides its content.
#[derive(Debug)]
pub struct Sealed {
    /// The encrypted header.
    pub header: Vec<u8>,
    /// The tag of the sending chain, from which the locator is made.
    pub chain_tag: [u8; 16],
    /// MK.
    pub message_key: Shared<32>,
}

impl Ratchet {
    /// > RatchetInitAliceHE(state, SK, bob_dh_public_key, shared_hka, shared_nhkb)
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`].
    pub fn initiator(context: &mut Context<'_>, start: Start, their_ratchet: &x25519::PublicKey) -> Result<Self, Code> {
        Self::initiator_with(x25519::PrivateKey::generate(context), start, their_ratchet)
    }

    /// Like [`Ratchet::initiator`], with a first ratchet key pair that the responder already knows: E_A of an
    /// opening (X 4).
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`].
    pub fn initiator_with(
        ours: x25519::PrivateKey,
        start: Start,
        their_ratchet: &x25519::PublicKey,
    ) -> Result<Self, Code> {
        let Start { associated_data, root, initiator_header, responder_header } = start;
        let step = root_step(&root, &ours, their_ratchet, &associated_data)?;
        let cold = Cold {
            associated_data,
            root: step.root,
            our_ratchet: ours.secret().clone(),
            their_ratchet: Some(*their_ratchet.as_bytes()),
            sending_header: Some(initiator_header),
            next_sending_header: step.next_header,
            previous_length: 0,
            chain: 0,
            receiving_header: None,
            next_receiving_header: responder_header,
            old_chains: Vec::new(),
        };
        let hot = Hot { sending_chain: Some(step.chain), ..Hot::default() };
        Ok(Self { cold, hot, directory: Directory::default() })
    }

    /// > RatchetInitBobHE(state, SK, bob_dh_key_pair, shared_hka, shared_nhkb)
    #[must_use]
    pub fn responder(start: Start, our_ratchet: &x25519::PrivateKey) -> Self {
        let Start { associated_data, root, initiator_header, responder_header } = start;
        let cold = Cold {
            associated_data,
            root,
            our_ratchet: our_ratchet.secret().clone(),
            their_ratchet: None,
            sending_header: None,
            next_sending_header: responder_header,
            previous_length: 0,
            chain: 0,
            receiving_header: None,
            next_receiving_header: initiator_header,
            old_chains: Vec::new(),
        };
        Self { cold, hot: Hot::default(), directory: Directory::default() }
    }

    /// The tag of the first receiving chain. The index finds a new session by it.
    #[must_use]
    pub fn first_tag(&self) -> ([u8; 16], u32) {
        (chain_tag(&self.cold.next_receiving_header), self.cold.chain.saturating_add(1))
    }

    /// > RatchetEncryptHE: CKs, mk = KDF_CK(CKs); header = HEADER(DHs, PN, Ns); enc_header = HENCRYPT(HKs, header); Ns += 1
    ///
    /// # Errors
    /// [`Code::NoSession`] for a responder that has received nothing yet. [`Code::TooFarAhead`] if the chain is
    /// used up (A43).
    pub fn seal(&self, salt: &[u8; 16]) -> Result<(Hot, Sealed), Code> {
        let (Some(chain), Some(header_key)) = (&self.hot.sending_chain, &self.cold.sending_header) else {
            return Err(Code::NoSession);
        };
        let sent = self.hot.sent.checked_add(1).ok_or(Code::TooFarAhead)?;
        let (next_chain, message_key) = chain_step(chain);
        let ours = x25519::PrivateKey::from_secret(self.cold.our_ratchet.clone());
        let header = Header::new(*ours.public_key().as_bytes(), self.cold.previous_length, self.hot.sent);
        let sealed = Sealed {
            header: seal_header(header_key, salt, &self.cold.associated_data, &header)?,
            chain_tag: chain_tag(header_key),
            message_key,
        };
        let hot = Hot {
            sending_chain: Some(next_chain),
            sent,
            sequence: self.hot.sequence.saturating_add(1),
            ..self.hot.clone()
        };
        Ok((hot, sealed))
    }

    /// Applies the changes of a step.
    pub fn apply(&mut self, delta: Delta) {
        let Delta { hot, cold, directory, blocks: _, tags_added: _, tags_removed: _ } = delta;
        self.hot = hot;
        if let Some(cold) = cold {
            self.cold = cold;
        }
        if let Some(directory) = directory {
            self.directory = directory;
        }
    }
}
