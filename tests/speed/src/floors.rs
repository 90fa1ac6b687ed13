//! What the primitives alone cost: no library can be cheaper than those that it uses.

use crate::clock::Figures;
use sesame_core::{
    context::Context,
    internal::crypto::{aead, ed25519::SigningKey, kdf, mlkem, x25519},
    secret::Secret,
};
use std::hint::black_box;

const TIMES: usize = 2_000;
/// An ordinary envelope's bytes before the body, with short user ids.
const HEAD: usize = 130;

/// F1: the chain's two HMACs, HKDF to key and nonce, AES-256-GCM over the message itself.
pub fn bare_ratchet(figures: &mut Figures) {
    let mut chain = Secret::init_with(|key| key.fill(1));
    let message = [7; crate::TEXT];
    figures.time("f1", TIMES, || {
        for _ in 0..TIMES {
            let message_key = kdf::hmac_key(&chain, &[1]);
            chain = kdf::hmac_key(&chain, &[2]);
            let keys = kdf::hkdf::<44>(&[0; 32], message_key.expose(), b"message");
            let nonce = *keys.expose().last_chunk::<12>().unwrap();
            black_box(aead::seal(&first(keys.expose()), &nonce, &[0; 32], &message).unwrap());
        }
    });
}

/// F2: every primitive of an ordinary envelope with a body of 768 bytes: the chain's two HMACs, the header, locator and gate, HKDF to key,
/// nonce and commitment, AES-256-GCM over the padded body.
pub fn whole_envelope(figures: &mut Figures) {
    let mut chain = Secret::init_with(|key| key.fill(1));
    let [header_key, mask, gate] = [2, 3, 4].map(|byte| Secret::init_with(|key| key.fill(byte)));
    let (head, body) = ([5; HEAD], [6; 768]);
    figures.time("f2", TIMES, || {
        for _ in 0..TIMES {
            let message_key = kdf::hmac_key(&chain, &[1]);
            chain = kdf::hmac_key(&chain, &[2]);
            black_box(aead::seal(&header_key, &[8; 12], &[0; 55], &[9; 40]).unwrap());
            black_box(kdf::hmac(&mask, &[8; 16]));
            black_box(kdf::hmac(&gate, &head));
            let info = kdf::join(&[b"body", &[0; 32], &head]);
            let keys = kdf::hkdf::<76>(&[8; 16], message_key.expose(), &info);
            let nonce = *keys.expose().last_chunk::<12>().unwrap();
            black_box(aead::seal(&first(keys.expose()), &nonce, &info, &body).unwrap());
        }
    });
}

/// One whole DH ratchet step: a key pair, a DH, HKDF.
pub fn dh_step(figures: &mut Figures, context: &mut Context<'_>) {
    let theirs = x25519::PrivateKey::generate(context).public_key();
    figures.time("dh-step floor", TIMES / 4, || {
        for _ in 0..TIMES / 4 {
            let ours = x25519::PrivateKey::generate(context);
            black_box(ours.public_key());
            let shared = ours.diffie_hellman(&theirs).unwrap();
            black_box(kdf::hkdf::<96>(&[0; 32], shared.expose(), b"root"));
        }
    });
}

/// What PQXDH computes at both ends: the initiator verifies three signatures (list, signed prekey, KEM prekey), makes two key pairs, four
/// DH and one for the pair keys, one encapsulation, and the first root step; the responder verifies the list, makes four DH, one for the
/// pair keys, one decapsulation, the root step and a key pair. Public keys are checked where they come from outside.
pub fn pqxdh(figures: &mut Figures, context: &mut Context<'_>) {
    const TIMES: usize = 50;
    let ours = x25519::PrivateKey::generate(context);
    let theirs = x25519::PrivateKey::generate(context).public_key();
    let signer = SigningKey::from_seed(Secret::init_with(|seed| seed.fill(1)));
    let signature = signer.sign(b"label", &[0; 200]);
    let verifying = signer.verifying_key();
    let kem = mlkem::PrivateKey::generate(context);
    let kem_public = kem.public_key();
    figures.time("pqxdh floor", TIMES, || {
        for _ in 0..TIMES {
            for _ in 0..4 {
                verifying.verify(b"label", &[0; 200], &signature).unwrap();
            }
            for _ in 0..3 {
                black_box(x25519::PrivateKey::generate(context).public_key());
            }
            for _ in 0..12 {
                black_box(ours.diffie_hellman(&theirs).unwrap());
            }
            for _ in 0..6 {
                black_box(x25519::PublicKey::decode(*theirs.as_bytes()).unwrap());
            }
            let (ciphertext, _) = kem_public.encapsulate(context);
            black_box(kem.decapsulate(&ciphertext));
        }
    });
}

/// The first 32 of derived bytes, as a key.
fn first(keys: &[u8]) -> Secret<32> {
    Secret::init_with(|key| key.copy_from_slice(&keys[..32]))
}
