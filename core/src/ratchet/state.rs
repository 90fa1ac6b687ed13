//! The state of the ratchet, its two initial forms, and sending (Double Ratchet 4.2 to 4.4).

use super::keys::{chain_step, chain_tag, root_step, seal_header};
use crate::{
    context::Context,
    crypto::x25519,
    error::Code,
    record::{Block, Cold, Directory, Hot, RatchetKeys},
    secret::Shared,
    wire::header::Header,
};
use std::{collections::BTreeMap, sync::Arc};

/// One side of a Double Ratchet.
#[derive(Clone, Debug)]
pub struct Ratchet {
    /// The part that a DH ratchet step changes.
    pub cold: Arc<Cold>,
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
    pub cold: Option<Arc<Cold>>,
    /// Set when skipped keys were stored or taken.
    pub directory: Option<Directory>,
    /// Changed blocks of skipped keys by (chain, block number); `None` deletes a block.
    pub blocks: BTreeMap<(u32, u32), Option<Block>>,
    /// Chain tags that the index gains, with their chains.
    pub tags_added: Vec<([u8; 16], u32)>,
    /// Chain tags that the index loses.
    pub tags_removed: Vec<[u8; 16]>,
}

/// The parts of the state that sealing changed.
#[derive(Debug)]
pub struct Sent {
    /// Set by every message.
    pub hot: Hot,
    /// Set by the first message of a new sending chain.
    pub cold: Option<Arc<Cold>>,
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
    /// Puts a state together from its stored parts.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] if the sending chain is gone, because the row of the chains alone was put back to an earlier turn: the root
    /// has moved on, so that it cannot be made again.
    pub fn from_parts(cold: Arc<Cold>, hot: Hot, directory: Directory) -> Result<Self, Code> {
        check_parts(&cold, &hot)?;
        Ok(Self { cold, hot, directory })
    }

    /// > RatchetInitAliceHE(state, SK, bob_dh_public_key, shared_hka, shared_nhkb)
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`].
    pub fn initiator(
        context: &mut Context<'_>,
        start: Start,
        their_ratchet: &x25519::PublicPoint,
    ) -> Result<Self, Code> {
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
        their_ratchet: &x25519::PublicPoint,
    ) -> Result<Self, Code> {
        let Start { associated_data, root, initiator_header, responder_header } = start;
        let step = root_step(&root, &ours, their_ratchet, &associated_data)?;
        let cold = Cold {
            associated_data,
            root: step.root,
            ours: keys(&ours),
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
        Ok(Self { cold: Arc::new(cold), hot, directory: Directory::default() })
    }

    /// > RatchetInitBobHE(state, SK, bob_dh_key_pair, shared_hka, shared_nhkb)
    #[must_use]
    pub fn responder(start: Start, our_ratchet: &x25519::PrivateKey) -> Self {
        let Start { associated_data, root, initiator_header, responder_header } = start;
        let cold = Cold {
            associated_data,
            root,
            ours: RatchetKeys { private: our_ratchet.secret().clone(), public: None },
            their_ratchet: None,
            sending_header: None,
            next_sending_header: responder_header,
            previous_length: 0,
            chain: 0,
            receiving_header: None,
            next_receiving_header: initiator_header,
            old_chains: Vec::new(),
        };
        Self { cold: Arc::new(cold), hot: Hot::default(), directory: Directory::default() }
    }

    /// The tag of the first receiving chain. The index finds a new session by it.
    #[must_use]
    pub fn first_tag(&self) -> ([u8; 16], u32) {
        (chain_tag(&self.cold.next_receiving_header), self.cold.chain.saturating_add(1))
    }

    /// The sending side.
    #[must_use]
    pub fn sending(&self) -> SendingState<'_> {
        SendingState { cold: &self.cold, hot: &self.hot }
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

/// The parts of a state that sending needs, as they lie in the store.
#[derive(Clone, Copy, Debug)]
pub struct SendingState<'a> {
    cold: &'a Cold,
    hot: &'a Hot,
}

impl<'a> SendingState<'a> {
    /// Puts the parts together.
    ///
    /// # Errors
    /// As [`Ratchet::from_parts`].
    pub fn from_parts(cold: &'a Cold, hot: &'a Hot) -> Result<Self, Code> {
        check_parts(cold, hot)?;
        Ok(Self { cold, hot })
    }

    /// AD_session.
    #[must_use]
    pub fn associated_data(&self) -> [u8; 32] {
        self.cold.associated_data
    }

    /// > RatchetEncryptHE: CKs, mk = KDF_CK(CKs); header = HEADER(DHs, PN, Ns); enc_header = HENCRYPT(HKs, header); Ns += 1
    ///
    /// # Errors
    /// [`Code::NoSession`] for a responder that has received nothing yet. [`Code::TooFarAhead`] if the chain is
    /// used up (A43).
    pub fn seal(&self, salt: &[u8; 16]) -> Result<(Sent, Sealed), Code> {
        let Self { cold, hot } = self;
        if cold.owes_sending_half() {
            let (mut cold, mut hot) = ((*cold).clone(), (*hot).clone());
            sending_half(&mut cold, &mut hot)?;
            let (sent, sealed) = SendingState { cold: &cold, hot: &hot }.seal(salt)?;
            return Ok((Sent { cold: Some(Arc::new(cold)), ..sent }, sealed));
        }
        let (Some(chain), Some(header_key), Some(public)) =
            (&hot.sending_chain, &cold.sending_header, cold.ours.public)
        else {
            return Err(Code::NoSession);
        };
        let sent = hot.sent.checked_add(1).ok_or(Code::TooFarAhead)?;
        let (next_chain, message_key) = chain_step(chain);
        let header = Header::new(public, cold.previous_length, hot.sent);
        let sealed = Sealed {
            header: seal_header(header_key, salt, &cold.associated_data, &header)?,
            chain_tag: chain_tag(header_key),
            message_key,
        };
        let hot = Hot {
            sending_chain: Some(next_chain),
            sent,
            sequence: hot.sequence.saturating_add(1),
            receiving_chain: hot.receiving_chain.clone(),
            ..**hot
        };
        Ok((Sent { hot, cold: None }, sealed))
    }
}

/// The sending chain of a state that has begun is there. It is gone if the row of the chains alone was put back to an earlier turn.
fn check_parts(cold: &Cold, hot: &Hot) -> Result<(), Code> {
    let has_begun = cold.their_ratchet.is_some() && !cold.owes_sending_half();
    if has_begun && hot.sending_chain.is_none() { Err(Code::RecordInconsistent) } else { Ok(()) }
}

/// Both halves of a key pair, to be kept.
fn keys(ours: &x25519::PrivateKey) -> RatchetKeys {
    RatchetKeys { private: ours.secret().clone(), public: Some(*ours.public_key().as_bytes()) }
}

impl Cold {
    /// Whether the sending half of the last DH ratchet step is still to be made.
    pub(super) fn owes_sending_half(&self) -> bool {
        self.their_ratchet.is_some() && self.ours.public.is_none()
    }
}

/// The sending half of a DH ratchet step, which the receiving half left to the next message: most steps of a mailbox are never answered.
///
/// The private key was drawn with the receiving half, so the half comes out the same whenever it is made: also from a copy of the store that
/// was put back, and also if only one of a session's rows was.
///
/// > RK, CKs, NHKs = KDF_RK_HE(RK, DH(DHs, DHr))
pub(super) fn sending_half(cold: &mut Cold, hot: &mut Hot) -> Result<(), Code> {
    let theirs = x25519::PublicKey::from_checked(cold.their_ratchet.ok_or(Code::RecordInconsistent)?);
    let ours = x25519::PrivateKey::from_secret(cold.ours.private.clone());
    let step = root_step(&cold.root, &ours, &x25519::PublicPoint::of(&theirs)?, &cold.associated_data)?;
    cold.ours = keys(&ours);
    cold.root = step.root;
    cold.next_sending_header = step.next_header;
    // A chain that is there already is this one, some messages later.
    hot.sending_chain.get_or_insert(step.chain);
    Ok(())
}
