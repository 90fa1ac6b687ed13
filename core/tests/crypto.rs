//! The primitives' known answers and refusals.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::Code;
use sesame_core::internal::crypto::{ed25519, mlkem, x25519};
use sesame_core::secret::Secret;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let all: Vec<u8> = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    all.try_into().unwrap()
}

fn with_context<R>(seed: u64, run: impl FnOnce(&mut Context<'_>) -> R) -> R {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    run(&mut Context { now: Timestamp(0), rng: &mut rng })
}

#[test]
fn rfc7748_section_5_2_first_iteration() {
    let nine = bytes("0900000000000000000000000000000000000000000000000000000000000000");
    let scalar = x25519::PrivateKey::from_secret(Secret::init_with(|k| *k = nine));
    let shared = scalar.diffie_hellman(&x25519::PublicKey::decode(nine).unwrap()).unwrap();
    assert_eq!(shared.expose(), &bytes("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
}

#[test]
fn both_ends_agree() {
    let (ours, theirs) = with_context(1, |c| (x25519::PrivateKey::generate(c), x25519::PrivateKey::generate(c)));
    assert_eq!(
        ours.diffie_hellman(&theirs.public_key()).unwrap().expose(),
        theirs.diffie_hellman(&ours.public_key()).unwrap().expose()
    );
}

#[test]
fn a17_low_order_points_are_weak() {
    // The canonical u coordinates of order 1, 2, 4 and 8 (RFC 7748 section 6.1's all-zero results).
    for hex in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ] {
        assert_eq!(x25519::PublicKey::decode(bytes(hex)).unwrap_err(), Code::WeakPublicKey, "{hex}");
    }
}

#[test]
fn a18_a_key_with_a_part_of_small_order_is_refused() {
    use curve25519_dalek::{constants::EIGHT_TORSION, montgomery::MontgomeryPoint};
    let key = with_context(3, x25519::PrivateKey::generate).public_key();
    let point = MontgomeryPoint(*key.as_bytes()).to_edwards(0).unwrap();
    for torsion in &EIGHT_TORSION[1..] {
        let twisted = (point + torsion).to_montgomery().to_bytes();
        assert_eq!(x25519::PublicKey::decode(twisted).unwrap_err(), Code::WeakPublicKey);
    }
    assert!(x25519::PublicKey::decode((point + EIGHT_TORSION[0]).to_montgomery().to_bytes()).is_ok());
}

#[test]
fn a18_non_canonical_points_are_refused() {
    for low in 0xed..=0xff_u8 {
        let mut key = [0xff; 32];
        key[0] = low;
        key[31] = 0x7f;
        assert_eq!(x25519::PublicKey::decode(key).unwrap_err(), Code::BadKeyEncoding);
    }
    let mut high_bit = *with_context(2, x25519::PrivateKey::generate).public_key().as_bytes();
    high_bit[31] |= 0x80;
    assert_eq!(x25519::PublicKey::decode(high_bit).unwrap_err(), Code::BadKeyEncoding);
}

#[test]
fn a21_a_signature_serves_one_label_one_message_and_one_key() {
    let (key, other) = with_context(3, |c| (ed25519::SigningKey::generate(c), ed25519::SigningKey::generate(c)));
    let signature = key.sign(b"label", b"message");
    assert_eq!(key.verifying_key().verify(b"label", b"message", &signature), Ok(()));
    assert_eq!(key.verifying_key().verify(b"labelm", b"essage", &signature), Err(Code::BadSignature));
    assert_eq!(key.verifying_key().verify(b"label", b"Message", &signature), Err(Code::BadSignature));
    assert_eq!(other.verifying_key().verify(b"label", b"message", &signature), Err(Code::BadSignature));
}

#[test]
fn a26_malleable_signatures_and_weak_keys_are_refused() {
    let key = with_context(4, ed25519::SigningKey::generate);
    let mut signature = key.sign(b"label", b"message");
    // s + L is the classic second signature: L little-endian (RFC 8032 section 5.1).
    let order: [u8; 32] = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (s, l) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        *s = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(key.verifying_key().verify(b"label", b"message", &signature), Err(Code::BadSignature));
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(ed25519::VerifyingKey::decode(identity).unwrap_err(), Code::WeakPublicKey);
}

#[test]
fn a20_a_kem_key_with_an_unreduced_coefficient_or_another_length_is_refused() {
    let key = with_context(5, mlkem::PrivateKey::generate).public_key();
    assert_eq!(mlkem::PublicKey::decode(key.as_bytes()).unwrap(), key);
    let mut unreduced = *key.as_bytes();
    unreduced[0] = 0xff;
    unreduced[1] |= 0x0f;
    assert_eq!(mlkem::PublicKey::decode(&unreduced).unwrap_err(), Code::BadKeyEncoding);
    assert_eq!(mlkem::PublicKey::decode(&key.as_bytes()[1..]).unwrap_err(), Code::BadKeyEncoding);
}

#[test]
fn a_kem_secret_reaches_the_owner_and_a_changed_ciphertext_gives_another() {
    with_context(6, |context| {
        let key = mlkem::PrivateKey::generate(context);
        let (mut ciphertext, shared) = key.public_key().encapsulate(context);
        assert_eq!(key.decapsulate(&ciphertext).expose(), shared.expose());
        ciphertext[9] ^= 1;
        assert_ne!(key.decapsulate(&ciphertext).expose(), shared.expose());
    });
}

#[test]
fn no_debug_prints_key_bytes() {
    let canary = 0xA7_u8;
    let texts = [
        format!("{:?}", Secret::<32>::init_with(|k| k.fill(canary))),
        format!("{:?}", x25519::PrivateKey::from_secret(Secret::init_with(|k| k.fill(canary)))),
        format!("{:?}", ed25519::SigningKey::from_seed(Secret::init_with(|k| k.fill(canary)))),
        format!("{:?}", mlkem::PrivateKey::from_seed(Secret::init_with(|k| k.fill(canary)))),
    ];
    for text in texts {
        assert!(!text.contains("167") && !text.to_lowercase().contains("a7"), "{text}");
    }
}
