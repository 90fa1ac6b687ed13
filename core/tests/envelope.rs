//! The envelope's decoder: total, canonical, bounded.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use sesame_core::error::Code;
use sesame_core::internal::wire::envelope::{Address, Envelope, Head, Initiation, MAX_ENVELOPE, Route};

fn address(user: &[u8]) -> Address {
    Address { user: user.to_vec().into(), device: 7 }
}

fn envelope(route: Route) -> Envelope {
    Envelope {
        head: Head {
            version: 1,
            suite: 1,
            sender: address(b"alice"),
            recipient: address(b"bob"),
            salt: [3; 16],
            route,
            header: vec![4; 58].into(),
        },
        gate: [5; 16],
        commitment: [6; 32],
        body: vec![7; 784].into(),
    }
}

fn both() -> [Envelope; 2] {
    let initiation = Initiation {
        account_key: [3; 32],
        signing_key: [4; 32],
        identity_key: [1; 32],
        ephemeral_key: [2; 32],
        generation: 9,
        signed_pre_key: 0,
        one_time_pre_key: Some(4),
        kem_pre_key: 5,
        kem_ciphertext: [8; 1_568],
    };
    [envelope(Route::Ordinary { locator: [2; 16] }), envelope(Route::Initiation(initiation))]
}

#[test]
fn what_is_encoded_comes_back_and_the_head_is_its_prefix() {
    for envelope in both() {
        let bytes = envelope.encode().unwrap();
        assert_eq!(Envelope::decode(&bytes).unwrap(), envelope);
        assert!(bytes.starts_with(&envelope.head.encode().unwrap()));
    }
}

#[test]
fn every_prefix_is_truncated_and_every_longer_input_has_trailing_data() {
    for envelope in both() {
        let mut bytes = envelope.encode().unwrap();
        for length in 0..bytes.len() {
            assert_eq!(Envelope::decode(&bytes[..length]), Err(Code::Truncated), "{length}");
        }
        bytes.push(0);
        assert_eq!(Envelope::decode(&bytes), Err(Code::TrailingData));
    }
}

#[test]
fn a_decoded_envelope_encodes_to_the_same_bytes_whatever_bit_was_flipped() {
    for envelope in both() {
        let bytes = envelope.encode().unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(decoded) = Envelope::decode(&changed) {
                assert_eq!(decoded.encode().unwrap(), changed, "bit {bit}");
            }
        }
    }
}

#[test]
fn a25_every_other_version_and_suite_is_unsupported() {
    let bytes = both()[0].encode().unwrap();
    for at in [0, 1] {
        for value in (0..=255).filter(|value| *value != 1) {
            let mut changed = bytes.clone();
            changed[at] = value;
            assert_eq!(Envelope::decode(&changed), Err(Code::UnsupportedVersion));
        }
    }
}

#[test]
fn fields_outside_their_bounds_are_refused_both_ways() {
    let check = |change: fn(&mut Envelope), expected| {
        let mut envelope = both()[1].clone();
        change(&mut envelope);
        assert_eq!(envelope.encode(), Err(expected));
    };
    check(|e| e.head.sender.user = vec![].into(), Code::NonCanonical);
    check(|e| e.head.recipient.user = vec![1; 65].into(), Code::TooLarge);
    check(|e| e.head.header = vec![0; 57].into(), Code::Truncated);
    check(|e| e.head.header = vec![0; 513].into(), Code::TooLarge);
    check(|e| e.body = vec![0; 785].into(), Code::NonCanonical);
    check(|e| e.body = vec![0; 15].into(), Code::Truncated);
    check(
        |e| match &mut e.head.route {
            Route::Initiation(initiation) => initiation.generation = 1 << 63,
            Route::Ordinary { .. } => unreachable!(),
        },
        Code::NonCanonical,
    );
    assert_eq!(Envelope::decode(&vec![1; MAX_ENVELOPE + 1]), Err(Code::TooLarge));
}
