//! The same work by other libraries: the loop that an app writes over them, without a store and without a device layer.

use crate::{TEXT, clock::Figures};
use double_ratchet_2::ratchet::Ratchet;
use std::hint::black_box;
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig};
use x25519_dalek_2::StaticSecret;

/// Sessions of vodozemac that both sides have used.
pub struct Olm(Vec<(Session, Session)>);

impl Olm {
    /// So many sessions of one account.
    pub fn new(count: usize) -> Self {
        let alice = Account::new();
        let pair = |_| {
            let mut bob = Account::new();
            bob.generate_one_time_keys(1);
            let key = *bob.one_time_keys().values().next().unwrap();
            let config = SessionConfig::version_1();
            let mut ours = alice.create_outbound_session(config, bob.curve25519_key(), key).unwrap();
            let OlmMessage::PreKey(first) = ours.encrypt(b"hello").unwrap() else { panic!("the first message") };
            let mut theirs = bob.create_inbound_session(config, alice.curve25519_key(), &first).unwrap().session;
            ours.decrypt(&theirs.encrypt(b"hi").unwrap()).unwrap();
            theirs.decrypt(&ours.encrypt(b"well").unwrap()).unwrap();
            (ours, theirs)
        };
        Self((0..count).map(pair).collect())
    }

    /// One message to each peer, and one from each.
    pub fn round(&mut self, figures: &mut Figures) {
        let count = self.0.len();
        let sent: Vec<OlmMessage> = figures.time("vodozemac encrypt", count, || {
            self.0.iter_mut().map(|(ours, _)| ours.encrypt([7; TEXT]).unwrap()).collect()
        });
        figures.time("vodozemac decrypt", count, || {
            for ((_, theirs), message) in self.0.iter_mut().zip(&sent) {
                black_box(theirs.decrypt(message).unwrap());
            }
        });
        // The direction turns: the first message of a new chain.
        let answers: Vec<OlmMessage> =
            self.0.iter_mut().map(|(_, theirs)| theirs.encrypt([7; TEXT]).unwrap()).collect();
        figures.time("vodozemac decrypt, DH step", count, || {
            for ((ours, _), message) in self.0.iter_mut().zip(&answers) {
                black_box(ours.decrypt(message).unwrap());
            }
        });
        // And back, so that the next round has no step in its first part.
        for (ours, theirs) in &mut self.0 {
            let turn = ours.encrypt(b"turn").unwrap();
            theirs.decrypt(&turn).unwrap();
        }
    }
}

/// Sessions of double-ratchet-2.
pub struct DoubleRatchet(Vec<Ratchet<StaticSecret>>);

impl DoubleRatchet {
    /// So many sessions.
    pub fn new(count: usize) -> Self {
        let one = |_| {
            let (_, public) = Ratchet::<StaticSecret>::init_bob([1; 32]);
            Ratchet::<StaticSecret>::init_alice([1; 32], public)
        };
        Self((0..count).map(one).collect())
    }

    /// One message to each peer.
    pub fn round(&mut self, figures: &mut Figures) {
        let count = self.0.len();
        figures.time("double-ratchet-2 encrypt", count, || {
            for ratchet in &mut self.0 {
                black_box(ratchet.ratchet_encrypt(&[7; TEXT], b"ad"));
            }
        });
    }
}
