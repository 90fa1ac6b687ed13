//! No key bytes, no payload and nothing that a group says of itself in any `Debug` or error text; no user id but inside the bytes of signed
//! lists and envelopes, which name users to the server as well.
//!
//! Two tests see every form by themselves: one decodes each row of a played world, for which a new kind of row must be named here; the other
//! reads the syntax of every type that derives `Debug`, and knows the fields that may show bytes.

use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Loss},
    error::{Code, Error},
    event::{Item, LinkLeg},
    internal::{
        clock::AgeClock,
        crypto::{ed25519, mlkem, x25519},
        keys::{chain::Chain, pre_keys::PreKey},
        model::{GroupRecord, Peer, User},
        record::{
            Beginning, Block, ContentOf, Counters, Directory, Forgotten, Healing, Heard, Held, HeldContent, Hot,
            IndexEntry, Keeping, Ledger, OfferState, OfferedLink, Opening, Own, PendingHandover, PendingLink,
            PendingRestore, PendingUpload, PreKeyBook, Recipe, Record, SeenEnvelope, SendBody, SendHead, SendPart,
            SendTally, Sent, SentPart, ServerState, SessionCold, StoredList, StoredOperation, Waiting, Wanted,
        },
        store::{Kind, Places, Sealer},
        wire::{content, envelope, opening},
    },
    store::MemoryStore,
};
use sesame_tests::{ALICE, BOB, World, is_of, played, server, source, store_key};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Debug,
    sync::Arc,
};
use syn::visit::{self, Visit};

/// Every run of eight bytes of what must not be shown.
#[derive(Default)]
struct Hidden(HashSet<[u8; 8]>);

impl Hidden {
    fn add(&mut self, secret: &[u8]) {
        self.0.extend(secret.windows(8).map(|window| <[u8; 8]>::try_from(window).unwrap()));
    }

    /// Looks for runs of bytes, printed as decimal lists, as hexadecimal, or as text.
    fn assert_absent(&self, text: &str, what: &str) {
        let mut runs: Vec<Vec<u8>> = vec![text.as_bytes().to_vec()];
        let list = text.split(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ');
        runs.extend(list.map(|part| part.split(", ").filter_map(|number| number.trim().parse().ok()).collect()));
        for part in text.split(|c: char| !c.is_ascii_hexdigit()) {
            // The bytes may begin at either digit.
            for digits in [Some(part), part.get(1..)].into_iter().flatten() {
                runs.push(hex::decode(&digits[..digits.len() / 2 * 2]).unwrap());
            }
        }
        for run in runs {
            for window in run.windows(8) {
                assert!(!self.0.contains(window), "{what} prints a secret: {text}");
            }
        }
    }
}

fn show<R: Record + Debug>(plain: &[u8]) -> String {
    format!("{:?}", R::decode(plain).unwrap())
}

fn hide_recipe(hidden: &mut Hidden, recipe: &Recipe) {
    hidden.add(recipe.message_key.expose());
}

fn hide_opening(hidden: &mut Hidden, opening: &Opening) {
    hidden.add(opening.seed.expose());
}

/// What one row says in a log, and the secrets in it. A new kind of row does not compile until it stands here.
fn row(kind: Kind, plain: &[u8], hidden: &mut Hidden) -> String {
    match kind {
        // Not sealed, and not secret: it is an HMAC.
        Kind::Check => String::new(),
        Kind::Own => {
            let own = Own::decode(plain).unwrap();
            [Some(&own.signing), Some(&own.identity), own.account.as_ref()]
                .into_iter()
                .flatten()
                .for_each(|secret| hidden.add(secret.expose()));
            let keys = own.keys();
            format!("{own:?} {keys:?} {:?}", ed25519::SigningKey::from_seed(own.signing.clone()))
        }
        Kind::Linking => {
            let link = PendingLink::decode(plain).unwrap();
            [&link.signing, &link.identity, &link.secret].into_iter().for_each(|secret| hidden.add(secret.expose()));
            format!("{link:?}")
        }
        Kind::Restoring => {
            let back = PendingRestore::decode(plain).unwrap();
            [&back.account, &back.signing, &back.identity].into_iter().for_each(|secret| hidden.add(secret.expose()));
            format!("{back:?}")
        }
        Kind::Handover => show::<PendingHandover>(plain),
        Kind::OfferedLink => {
            let link = OfferedLink::decode(plain).unwrap();
            if let OfferState::Waiting { secret, ephemeral } = &link.state {
                [secret, ephemeral].into_iter().for_each(|secret| hidden.add(secret.expose()));
            }
            format!("{link:?}")
        }
        Kind::Clock => show::<AgeClock>(plain),
        Kind::Forgotten => show::<Forgotten>(plain),
        Kind::Ledger => show::<Ledger>(plain),
        Kind::User => show::<User>(plain),
        Kind::Chain => show::<Chain>(plain),
        Kind::List | Kind::GroupList => show::<StoredList>(plain),
        Kind::Peer => {
            let peer = Peer::decode(plain).unwrap();
            [&peer.sending_pair, &peer.receiving_pair].into_iter().for_each(|secret| hidden.add(secret.expose()));
            format!("{peer:?} {:?} {:?}", peer.sending(), peer.receiving())
        }
        Kind::Session => {
            let cold = SessionCold::decode(plain).unwrap();
            let ratchet = &cold.ratchet;
            [&ratchet.root, &ratchet.next_sending_header, &ratchet.next_receiving_header]
                .into_iter()
                .chain([&ratchet.ours.private])
                .chain(ratchet.sending_header.as_ref())
                .chain(ratchet.receiving_header.as_ref())
                .chain(ratchet.old_chains.iter().map(|chain| &chain.header))
                .for_each(|secret| hidden.add(secret.expose()));
            if let Some(Beginning::Opening(opening)) = &cold.beginning {
                hide_opening(hidden, opening);
            }
            format!("{cold:?}")
        }
        Kind::Chains => {
            let hot = Hot::decode(plain).unwrap();
            let chains = [&hot.sending_chain, &hot.receiving_chain].into_iter().flatten();
            chains.for_each(|secret| hidden.add(secret.expose()));
            format!("{hot:?}")
        }
        Kind::Skipped => show::<Directory>(plain),
        Kind::Block => {
            let block = Block::decode(plain).unwrap();
            block.keys.iter().for_each(|slot| hidden.add(slot.key.expose()));
            format!("{block:?}")
        }
        Kind::Index => show::<IndexEntry>(plain),
        Kind::PreKey => match PreKey::decode(plain).unwrap() {
            PreKey::Curve(scalar) => {
                hidden.add(scalar.expose());
                format!("{:?} {:?}", PreKey::Curve(scalar.clone()), x25519::PrivateKey::from_secret(scalar))
            }
            PreKey::Kem(seed) => {
                hidden.add(seed.expose());
                format!("{:?} {:?}", PreKey::Kem(seed.clone()), mlkem::PrivateKey::from_seed(seed))
            }
        },
        Kind::Book => show::<PreKeyBook>(plain),
        Kind::Publication => show::<PendingUpload>(plain),
        Kind::SendHead => show::<SendHead>(plain),
        Kind::SendTally => show::<SendTally>(plain),
        Kind::ContentOf => show::<ContentOf>(plain),
        Kind::Server => {
            let server = ServerState::decode(plain).unwrap();
            hidden.add(&server.token);
            server.push.iter().for_each(|push| hidden.add(&push.value));
            format!("{server:?}")
        }
        Kind::Wanted => show::<Wanted>(plain),
        Kind::SendBody => {
            let body = SendBody::decode(plain).unwrap();
            [&body.payload, &body.welcome].into_iter().for_each(|bytes| hidden.add(bytes));
            format!("{body:?}")
        }
        Kind::SendPart => {
            let part = SendPart::decode(plain).unwrap();
            for entry in &part.entries {
                hide_recipe(hidden, &entry.recipe);
                if let Some(nested) = &entry.nested {
                    hide_recipe(hidden, &nested.recipe);
                    hide_opening(hidden, &nested.opening);
                }
            }
            format!("{part:?}")
        }
        Kind::Healing => show::<Healing>(plain),
        Kind::SentPart => show::<SentPart>(plain),
        Kind::Keeping => show::<Keeping>(plain),
        Kind::Sent => {
            let sent = Sent::decode(plain).unwrap();
            // Operations are no secret beside the keys in them.
            if !sent.head.group.is_some_and(|group| group.operations) {
                hidden.add(&sent.body.payload);
            }
            format!("{sent:?}")
        }
        Kind::Item => {
            let item = Item::decode(plain).unwrap();
            if let Item::Message(message) = &item {
                hidden.add(&message.payload);
            }
            format!("{item:?}")
        }
        Kind::Received => show::<SeenEnvelope>(plain),
        Kind::Held => show::<Held>(plain),
        Kind::Counters => show::<Counters>(plain),
        Kind::Heard => show::<Heard>(plain),
        Kind::Group => show::<GroupRecord>(plain),
        Kind::Operation => show::<StoredOperation>(plain),
        Kind::Waiting => show::<Waiting>(plain),
        Kind::HeldContent => {
            let held = HeldContent::decode(plain).unwrap();
            let (prelude, body) = content::decode(&held.content).unwrap();
            if let content::Body::Group { payload, .. } = &body {
                hidden.add(payload.as_slice());
            }
            format!("{held:?} {prelude:?} {body:?}")
        }
    }
}

#[test]
fn no_row_of_any_kind_prints_what_is_secret_in_another() {
    let mut world = played::play();
    let store = Arc::new(MemoryStore::new());
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let linking = Device::begin_link(store.clone(), &store_key(), &mut context, &server()).unwrap();
    let primary = &world.hosts[&ALICE].device;
    let link = primary.link_device(&mut context, linking.code()).unwrap();
    let hello = primary.link_leg(&mut context, &link.id, LinkLeg::Hello).unwrap().unwrap();
    linking.hear_hello(&mut context, &hello).unwrap();
    let backup = primary.backup(&mut context).unwrap();
    let elsewhere = Arc::new(MemoryStore::new());
    let restoring =
        Device::restore(elsewhere.clone(), &store_key(), &mut context, &server(), (&backup, Loss::Lost)).unwrap();
    let sealer = Sealer::new(&store_key());
    let (mut hidden, mut texts, mut kinds) = (Hidden::default(), Vec::new(), BTreeSet::new());
    let rows: Vec<(Vec<u8>, Vec<u8>)> = world
        .hosts
        .keys()
        .flat_map(|name| world.dump(*name))
        .chain(store.dump())
        .chain(elsewhere.dump())
        // Its sends name the hand-over, which is no secret, beside what is one.
        .chain(played::offered().dump(ALICE).into_iter().filter(|(key, _)| is_of(key, &[Kind::Handover])))
        .collect();
    for (key, sealed) in rows {
        let kind = *Kind::ALL.iter().find(|kind| **kind as u8 == key[0]).unwrap();
        kinds.insert(kind as u8);
        let plain = if kind == Kind::Check { Default::default() } else { sealer.open(&key, &sealed).unwrap() };
        texts.push((format!("{kind:?}"), row(kind, &plain, &mut hidden)));
    }
    assert_eq!(kinds.len(), Kind::ALL.len(), "a kind of row is never played");
    assert!(hidden.0.len() > 10_000, "only {} runs of secret bytes were found", hidden.0.len());
    texts.push((
        "handles".to_owned(),
        format!("{:?} {sealer:?} {linking:?} {backup:?} {restoring:?}", world.hosts[&ALICE].device),
    ));
    for (kind, text) in &texts {
        hidden.assert_absent(text, kind);
        assert!(!text.contains("alice") && !text.contains("[97, 108, 105, 99, 101"), "{kind} prints a user id");
    }
}

#[test]
fn what_is_hidden_is_found_in_each_way_of_printing_it() {
    let mut hidden = Hidden::default();
    hidden.add(&[200, 201, 202, 203, 204, 205, 206, 207]);
    for text in ["Key([1, 200, 201, 202, 203, 204, 205, 206, 207])", "key: c8c9cacbcccdcecf", "key: 0C8C9CACBCCCDCECF"]
    {
        let seen = std::panic::catch_unwind(|| hidden.assert_absent(text, "a text")).is_err();
        assert!(seen, "{text}");
    }
    hidden.assert_absent("Key([200, 201, 202, 203, 204, 205, 206])", "seven bytes");
}

#[test]
fn a_form_that_travels_says_its_name_and_its_length_alone() {
    let opening = opening::Opening {
        kind: 2,
        group: [1; 32],
        generation: 1,
        ephemeral_key: [2; 32],
        seed: [3; 32],
        header: vec![4; envelope::MIN_HEADER].into(),
        commitment: [5; 32],
        body: vec![6; 16].into(),
    };
    assert_eq!(format!("{opening:?}"), "Opening(216 bytes)");
    let to = content::SentTo { user: b"alice".to_vec().into(), account_key: None, verified: 0 };
    assert_eq!(format!("{to:?}"), "SentTo(8 bytes)");
}

/// Fields of bytes that a derived `Debug` may show: public keys, hashes, ciphertexts, and what anybody may see.
const SHOWN: &str = include_str!("redaction.txt");

/// The fields of bytes of every type that derives `Debug`.
#[derive(Default)]
struct Bytes {
    file: String,
    fields: BTreeMap<String, String>,
}

fn derives_debug(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let mut debug = false;
        if attribute.path().is_ident("derive") {
            let _ = attribute.parse_nested_meta(|meta| {
                debug |= meta.path.is_ident("Debug");
                Ok(())
            });
        }
        debug
    })
}

/// Whether a type holds plain bytes or text. Secrets have types of their own, which print nothing.
struct Plain(bool);

impl<'ast> Visit<'ast> for Plain {
    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        let last = path.path.segments.last().unwrap().ident.to_string();
        self.0 |= last.starts_with("TlsByteVec") || ["u8", "String", "str"].contains(&last.as_str());
        visit::visit_type_path(self, path);
    }
}

impl Bytes {
    fn note(&mut self, owner: &syn::Ident, fields: &syn::Fields) {
        for (at, field) in fields.iter().enumerate() {
            let mut plain = Plain(false);
            // One byte alone is a number.
            let number = matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("u8"));
            plain.visit_type(&field.ty);
            if plain.0 && !number {
                let name = field.ident.as_ref().map_or(at.to_string(), ToString::to_string);
                self.fields.insert(format!("{}: {owner}.{name}", self.file), self.file.clone());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Bytes {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if derives_debug(&item.attrs) {
            self.note(&item.ident, &item.fields);
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if derives_debug(&item.attrs) {
            item.variants.iter().for_each(|variant| self.note(&variant.ident, &variant.fields));
        }
    }
}

#[test]
fn a_derived_debug_shows_only_bytes_that_are_named_here() {
    let mut bytes = Bytes::default();
    for folder in ["core/src", "sesame/src", "sqlite/src", "relay/src"] {
        for (path, file) in source::parsed(folder) {
            bytes.file = path.strip_prefix(source::root()).unwrap().display().to_string();
            bytes.visit_file(&file);
        }
    }
    let shown: BTreeSet<&str> = SHOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let unnamed: Vec<_> = bytes.fields.iter().filter(|(field, _)| !shown.contains(field.as_str())).collect();
    assert!(unnamed.is_empty(), "these would be printed: write a Debug by hand, or name them: {unnamed:#?}");
    for (field, file) in &bytes.fields {
        assert!(!file.contains("core/src/wire"), "{field}: a form that travels has no derived Debug");
    }
    for field in shown {
        assert!(bytes.fields.contains_key(field), "{field} is named and does not exist");
    }
}

#[test]
fn no_debug_prints_a_payload() {
    let mut world = World::pair(2);
    world.send(BOB, &["alice"], b"a very secret payload");
    let results = world.receive(ALICE).unwrap();
    let text = format!("{results:?}");
    assert!(!text.contains("secret") && text.contains("Message(21 bytes)"));
    let mut hidden = Hidden::default();
    hidden.add(b"a very secret payload");
    hidden.assert_absent(&text, "a message");
}

#[test]
fn no_error_says_more_than_its_code_its_item_and_its_field() {
    for code in Code::ALL {
        let text = Error::of_item(*code, "field", 3).to_string();
        assert_eq!(text, format!("{} (field) (item 3)", code.text()));
    }
    let mut rng = World::new(1).rng;
    let mut context = Context { now: Timestamp(0), rng: &mut rng };
    let key = Places::item(1);
    let row = Sealer::new(&store_key()).seal(&mut context, &key, b"plain").unwrap();
    let error = Sealer::new(&store_key()).open(&Places::item(2), &row).unwrap_err();
    assert_eq!(format!("{error} {error:?}"), "a stored record does not open RecordCorrupt");
}
