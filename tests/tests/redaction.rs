//! No key bytes, no payload and no user id in any `Debug` or error text.

use sesame_core::error::{Code, Error};
use sesame_core::internal::crypto::{ed25519, mlkem, x25519};
use sesame_core::internal::record::{self, Record};
use sesame_core::store::{Kind, Places, Sealer};
use sesame_core::{
    context::{Context, Timestamp},
    internal::{keys::pre_keys::PreKey, model::Peer},
};
use sesame_tests::{ALICE, BOB, World, store_key};

/// A secret as it would look in a text: raw bytes as a list, hexadecimal in both cases, any run of eight.
fn assert_absent(secret: &[u8], text: &str, what: &str) {
    for window in secret.windows(8) {
        let list = window.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let hex = window.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert!(!text.contains(&list) && !text.to_lowercase().contains(&hex), "{what} prints a secret");
    }
}

#[test]
fn no_debug_prints_a_secret() {
    let world = World::pair(1);
    let sealer = Sealer::new(&store_key());
    let dump = world.dump(ALICE);
    let own = world.own(ALICE);
    let secrets =
        [own.account.as_ref().unwrap().expose(), own.signing.expose(), own.identity.expose()].map(|s| s.to_vec());
    let mut texts = vec![format!("{own:?}"), format!("{:?}", world.hosts[&ALICE].device), format!("{sealer:?}")];
    let (mut sessions, mut peers) = (0, 0);
    for (key, row) in &dump {
        let Ok(plain) = sealer.open(key, row) else { continue };
        let text = match key[0] {
            kind if kind == Kind::Session as u8 => {
                sessions += 1;
                let cold = record::SessionCold::decode(&plain).unwrap();
                assert_absent(cold.ratchet.root.expose(), &format!("{cold:?}"), "a session");
                assert_absent(cold.ratchet.our_ratchet.expose(), &format!("{cold:?}"), "a session");
                format!("{cold:?}")
            }
            kind if kind == Kind::Chains as u8 => {
                let hot = record::Hot::decode(&plain).unwrap();
                assert_absent(hot.sending_chain.as_ref().unwrap().expose(), &format!("{hot:?}"), "a chain");
                format!("{hot:?}")
            }
            kind if kind == Kind::Peer as u8 => {
                peers += 1;
                let peer = Peer::decode(&plain).unwrap();
                assert_absent(peer.sending_pair.expose(), &format!("{peer:?}"), "a peer");
                assert!(!format!("{peer:?}").contains("bob"));
                format!("{peer:?}")
            }
            kind if kind == Kind::PreKey as u8 => match PreKey::decode(&plain).unwrap() {
                PreKey::Curve(secret) => {
                    let key = x25519::PrivateKey::from_secret(secret.clone());
                    assert_absent(secret.expose(), &format!("{key:?}"), "a prekey");
                    format!("{key:?}")
                }
                PreKey::Kem(seed) => {
                    let key = mlkem::PrivateKey::from_seed(seed.clone());
                    assert_absent(seed.expose(), &format!("{key:?}"), "a prekey");
                    format!("{key:?}")
                }
            },
            _ => continue,
        };
        texts.push(text);
    }
    assert!(sessions >= 1 && peers >= 1);
    let signing = ed25519::SigningKey::from_seed(own.signing.clone());
    texts.push(format!("{signing:?}"));
    for text in &texts {
        for secret in &secrets {
            assert_absent(secret, text, "something");
        }
    }
}

#[test]
fn no_debug_prints_a_payload() {
    let mut world = World::pair(2);
    world.send(BOB, &["alice"], b"a very secret payload");
    let results = world.receive(ALICE).unwrap();
    let text = format!("{results:?}");
    assert!(!text.contains("secret") && text.contains("Message(21 bytes)"));
    assert_absent(b"a very secret payload", &text, "a message");
}

#[test]
fn no_error_says_more_than_its_code_its_item_and_its_field() {
    for code in Code::ALL {
        let text = Error { code: *code, item: Some(3), field: Some("field") }.to_string();
        assert_eq!(text, format!("{} (field) (item 3)", code.text()));
    }
    let mut rng = World::new(1).rng;
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let key = Places::item(1);
    let row = Sealer::new(&store_key()).seal(&mut context, &key, b"plain").unwrap();
    let error = Sealer::new(&store_key()).open(&Places::item(2), &row).unwrap_err();
    assert_eq!(format!("{error} {error:?}"), "a stored record does not open RecordCorrupt");
}
