//! Pair keys: equal at both ends, other in the other direction, and bound to both parties.

#![allow(clippy::unwrap_used)]

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::context::{Context, Timestamp};
use sesame_core::error::Code;
use sesame_core::ids::{DeviceId, UserId};
use sesame_core::internal::crypto::{ed25519::SigningKey, x25519::PrivateKey};
use sesame_core::internal::keys::{pair::PairKeys, party::Party};

fn device(user: &[u8], seed: u64) -> (PrivateKey, Party) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let identity = PrivateKey::generate(&mut context);
    let party = Party {
        user: UserId::try_new(user.to_vec()).unwrap(),
        account_key: SigningKey::generate(&mut context).verifying_key(),
        device: DeviceId(1),
        signing_key: SigningKey::generate(&mut context).verifying_key(),
        identity_key: identity.public_key(),
    };
    (identity, party)
}

#[test]
fn both_ends_make_the_same_gate_and_unmask_the_tag() {
    let ((alice, a), (bob, b)) = (device(b"alice", 1), device(b"bob", 2));
    let sending = PairKeys::derive(&alice, &b.identity_key, 1, &a, &b).unwrap();
    let receiving = PairKeys::derive(&bob, &a.identity_key, 1, &a, &b).unwrap();
    assert_eq!(receiving.check_gate(b"head", &sending.gate(b"head")), Ok(()));
    assert_eq!(receiving.mask(&[4; 16], &sending.mask(&[4; 16], &[9; 16])), [9; 16]);
    assert_eq!(sending.control().expose(), receiving.control().expose());
    assert_eq!(receiving.check_gate(b"heaD", &sending.gate(b"head")), Err(Code::Forged));
}

#[test]
fn a11_a_reflected_envelope_is_forged() {
    let ((alice, a), (_, b)) = (device(b"alice", 1), device(b"bob", 2));
    let sending = PairKeys::derive(&alice, &b.identity_key, 1, &a, &b).unwrap();
    let receiving = PairKeys::derive(&alice, &b.identity_key, 1, &b, &a).unwrap();
    assert_eq!(receiving.check_gate(b"head", &sending.gate(b"head")), Err(Code::Forged));
}

#[test]
fn t57_every_field_of_both_parties_is_bound() {
    let ((alice, a), (_, b), (_, c)) = (device(b"alice", 1), device(b"bob", 2), device(b"carol", 3));
    let gate = PairKeys::derive(&alice, &b.identity_key, 1, &a, &b).unwrap().gate(b"head");
    let changes: [fn(&mut Party, &Party); 5] = [
        |p, c| p.user = c.user.clone(),
        |p, c| p.account_key = c.account_key,
        |p, _| p.device = DeviceId(2),
        |p, c| p.signing_key = c.signing_key,
        |p, c| p.identity_key = c.identity_key,
    ];
    for change in changes {
        for of_sender in [true, false] {
            let (mut sender, mut recipient) = (a.clone(), b.clone());
            change(if of_sender { &mut sender } else { &mut recipient }, &c);
            let other = PairKeys::derive(&alice, &b.identity_key, 1, &sender, &recipient).unwrap();
            assert_ne!(other.gate(b"head"), gate);
        }
    }
    assert_ne!(PairKeys::derive(&alice, &b.identity_key, 2, &a, &b).unwrap().gate(b"head"), gate);
}
