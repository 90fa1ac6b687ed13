use super::*;
use crate::context::Timestamp;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn grant() -> LinkGrant {
    LinkGrant {
        user: b"alice".to_vec().into(),
        device: 2,
        device_list: vec![1].into(),
        links: vec![].into(),
        contacts: vec![].into(),
        groups: vec![].into(),
    }
}

fn keys(seed: u64) -> x25519::PrivateKey {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    x25519::PrivateKey::generate(&mut Context { now: Timestamp(0), rng: &mut rng })
}

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|secret| secret.fill(byte))
}

fn hello(ephemeral: &x25519::PrivateKey) -> Hello {
    let user = UserId::try_new(b"alice".to_vec()).unwrap();
    Hello { ephemeral: ephemeral.public_key(), account_key: AccountKey([3; 32]), user }
}

fn answer(new: NewDevice<'_>, hello: &Hello, ephemeral: &x25519::PrivateKey) -> LinkAnswer {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    seal_answer(&mut Context { now: Timestamp(0), rng: &mut rng }, new, hello, ephemeral, &grant()).unwrap()
}

/// Calls `check` with everything that one side may see otherwise than the other: one part swapped in each.
fn each_swapped_part(new: NewDevice<'_>, honest: &Hello, check: impl Fn(NewDevice<'_>, &Hello, &str)) {
    let (stranger, other_secret) = (keys(8).public_key(), secret(8));
    check(NewDevice { signing_key: &[8; 32], ..new }, honest, "signing key");
    check(NewDevice { identity_key: &stranger, ..new }, honest, "IK");
    check(NewDevice { secret: &other_secret, ..new }, honest, "secret");
    check(new, &Hello { ephemeral: stranger, ..honest.clone() }, "ephemeral");
    check(new, &Hello { account_key: AccountKey([8; 32]), ..honest.clone() }, "account key");
    let user = UserId::try_new(b"alicf".to_vec()).unwrap();
    check(new, &Hello { user, ..honest.clone() }, "user");
}

#[test]
fn the_digits_are_equal_when_everything_is_and_differ_for_each_swapped_part() {
    let (identity, secret) = (keys(1).public_key(), secret(1));
    let new = NewDevice { signing_key: &[4; 32], identity_key: &identity, secret: &secret };
    let honest = hello(&keys(2));
    let shown = digits(new, &honest);
    assert_eq!(digits(new, &honest.clone()), shown);
    assert!(shown < 1_000_000_000_000_000);
    each_swapped_part(new, &honest, |new, hello, part| assert_ne!(digits(new, hello), shown, "{part}"));
}

#[test]
fn a_hello_opens_for_its_own_code_only() {
    let (identity, secret) = (keys(1).public_key(), secret(1));
    let new = NewDevice { signing_key: &[4; 32], identity_key: &identity, secret: &secret };
    let sealed = seal_hello(new, &hello(&keys(2))).unwrap();
    let opened = open_hello(new, &LinkHello::decode(&sealed.encode().unwrap()).unwrap()).unwrap();
    assert_eq!((opened.account_key, opened.user.as_bytes()), (AccountKey([3; 32]), b"alice".as_slice()));
    assert_eq!(opened.ephemeral, keys(2).public_key());
    each_swapped_part(new, &opened, |other, _, part| {
        let opens = open_hello(other, &sealed).is_ok();
        assert_eq!(opens, !["signing key", "IK", "secret"].contains(&part), "{part}");
    });
    let swapped = LinkHello { ephemeral: *keys(8).public_key().as_bytes(), ..sealed.clone() };
    assert_eq!(open_hello(new, &swapped).unwrap_err(), Code::AuthenticationFailed);
    for (ephemeral, code) in [([0; 32], Code::WeakPublicKey), ([0xff; 32], Code::BadKeyEncoding)] {
        assert_eq!(open_hello(new, &LinkHello { ephemeral, ..sealed.clone() }).unwrap_err(), code);
    }
}

#[test]
fn an_answer_opens_for_its_own_code_and_hello_only() {
    let (identity, ephemeral, secret) = (keys(1), keys(2), secret(1));
    let public = identity.public_key();
    let new = NewDevice { signing_key: &[4; 32], identity_key: &public, secret: &secret };
    let honest = hello(&ephemeral);
    let sealed = answer(new, &honest, &ephemeral);
    assert_eq!(open_answer(&identity, new, &honest, &sealed).unwrap(), grant());
    each_swapped_part(new, &honest, |other, hello, part| {
        let refused = open_answer(&identity, other, hello, &sealed).unwrap_err();
        let expected = if part == "ephemeral" { Code::LinkMismatch } else { Code::AuthenticationFailed };
        assert_eq!(refused, expected, "{part}");
    });
    assert_eq!(open_answer(&keys(8), new, &honest, &sealed).unwrap_err(), Code::AuthenticationFailed);
    let salted = LinkAnswer { salt: [8; 16], ..sealed.clone() };
    assert_eq!(open_answer(&identity, new, &honest, &salted).unwrap_err(), Code::AuthenticationFailed);
}

#[test]
fn whoever_has_seen_the_code_can_neither_make_nor_read_the_answer() {
    let (identity, ephemeral, secret) = (keys(1), keys(2), secret(1));
    let public = identity.public_key();
    let new = NewDevice { signing_key: &[4; 32], identity_key: &public, secret: &secret };
    let honest = hello(&ephemeral);
    // The surfer's own key under the name of the hello's.
    let forged = answer(new, &honest, &keys(8));
    assert_eq!(open_answer(&identity, new, &honest, &forged).unwrap_err(), Code::AuthenticationFailed);
    let sealed = answer(new, &honest, &ephemeral);
    assert_eq!(open_answer(&keys(8), new, &honest, &sealed).unwrap_err(), Code::AuthenticationFailed);
}

#[test]
fn one_hello_answered_twice_uses_two_keys() {
    let (identity, ephemeral, secret) = (keys(1).public_key(), keys(2), secret(1));
    let new = NewDevice { signing_key: &[4; 32], identity_key: &identity, secret: &secret };
    let (honest, mut rng) = (hello(&ephemeral), ChaCha20Rng::seed_from_u64(9));
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let mut seal = || seal_answer(&mut context, new, &honest, &ephemeral, &grant()).unwrap();
    let (first, second) = (seal(), seal());
    assert_ne!(first.salt, second.salt);
    assert_ne!(first.sealed, second.sealed);
}

#[test]
fn the_box_follows_from_the_secret_and_does_not_tell_it() {
    assert_eq!(link_id(&secret(1)), link_id(&secret(1)));
    assert_ne!(link_id(&secret(1)), link_id(&secret(2)));
    assert_ne!(link_id(&secret(1)).0, [1; 16]);
}
