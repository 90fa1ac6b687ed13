//! What the primitives alone cost: no library can be cheaper than those that it uses.

use crate::clock::Figures;
use sesame_core::{
    context::Context,
    internal::crypto::{
        aead,
        ed25519::{SigningKey, VerifyingKey},
        kdf, mlkem, x25519,
    },
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

/// What PQXDH costs the initiator, each primitive as often as the protocol needs it, without the message that rides on it. From the bundle: three
/// signatures (the signed prekey, the one-time prekey, the KEM prekey), two curve keys and a KEM key to be checked. Then EK and the first
/// ratchet key, an encapsulation, and six DH: four of PQXDH, one for the pair keys, one for the first root step.
pub fn pqxdh_out(figures: &mut Figures, context: &mut Context<'_>) {
    let Keys { ours, theirs, signer, kem } = Keys::new(context);
    let signature = signer.sign(b"label", &[0; 200]);
    let (verifying, kem) = (signer.verifying_key(), *kem.public_key().as_bytes());
    figures.time("pqxdh out floor", SET_UPS, || {
        for _ in 0..SET_UPS {
            for _ in 0..3 {
                verifying.verify(b"label", &[0; 200], &signature).unwrap();
            }
            for _ in 0..2 {
                black_box(x25519::PublicKey::decode(*theirs.as_bytes()).unwrap());
                black_box(x25519::PrivateKey::generate(context).public_key());
            }
            for _ in 0..6 {
                black_box(ours.diffie_hellman(&theirs).unwrap());
            }
            black_box(mlkem::PublicKey::decode(&kem).unwrap().encapsulate(context));
        }
    });
}

/// What PQXDH costs the responder, as above. Three curve keys to be checked (IK, EK, the first ratchet key), two signing keys (the account's, the
/// device's), the signature of the list; then a decapsulation with a key that is kept as its seed, and the same six DH. Its own prekeys
/// could be stored with their public halves.
pub fn pqxdh_in(figures: &mut Figures, context: &mut Context<'_>) {
    let Keys { ours, theirs, signer, kem } = Keys::new(context);
    let signature = signer.sign(b"label", &[0; 200]);
    let verifying = signer.verifying_key();
    let (ciphertext, _) = kem.public_key().encapsulate(context);
    figures.time("pqxdh in floor", SET_UPS, || {
        for _ in 0..SET_UPS {
            for _ in 0..3 {
                black_box(x25519::PublicKey::decode(*theirs.as_bytes()).unwrap());
            }
            for _ in 0..2 {
                black_box(VerifyingKey::decode(*verifying.as_bytes()).unwrap());
            }
            verifying.verify(b"label", &[0; 200], &signature).unwrap();
            for _ in 0..6 {
                black_box(ours.diffie_hellman(&theirs).unwrap());
            }
            black_box(kem.decapsulate(&ciphertext));
        }
    });
}

/// How often a set-up is computed in one round.
const SET_UPS: usize = 50;

/// The keys of both ends.
struct Keys {
    ours: x25519::PrivateKey,
    theirs: x25519::PublicKey,
    signer: SigningKey,
    kem: mlkem::PrivateKey,
}

impl Keys {
    fn new(context: &mut Context<'_>) -> Self {
        Self {
            ours: x25519::PrivateKey::generate(context),
            theirs: x25519::PrivateKey::generate(context).public_key(),
            signer: SigningKey::generate(context),
            kem: mlkem::PrivateKey::generate(context),
        }
    }
}

/// The first 32 of derived bytes, as a key.
fn first(keys: &[u8]) -> Secret<32> {
    Secret::init_with(|key| key.copy_from_slice(&keys[..32]))
}
