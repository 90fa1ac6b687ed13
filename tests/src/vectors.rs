//! Our own vectors: one conversation with every key and every intermediate value, against which another
//! implementation can be checked step by step. `cargo run -p sesame-tests --bin vectors` writes
//! `tests/vectors/v1.json`; `docs/wire.md` explains every value.

mod groups;
mod later;
mod lists;
mod own;
mod refusals;
mod requests;
mod retry;

use crate::{ALICE, BOB, JEN, Name, World, server, store_key, user};
use serde_json::{Value, json};
use sesame_core::internal::steps::Steps;
use sesame_core::{
    context::{Context, Timestamp},
    device::{Device, Group},
    event::{GroupChange, LinkLeg},
    ids::{DeviceId, Scope, UserId},
    internal::{
        agreement::pqxdh::{self, NamedPreKeys},
        crypto::{mlkem, x25519},
        keys::{device::DeviceKeys, pair::PairKeys, party::DecodedParty, pre_keys::PreKey},
        ratchet::chain_tag,
        record::{PendingLink, Record, StoredList},
        store::{Kind, Places, PreKeyUse, Sealer},
        wire::{
            bundle::Bundle,
            envelope::{Envelope, Route, SUITE},
            link_code::LinkOffer,
            padding,
        },
    },
    store::MemoryStore,
};
use std::{collections::HashSet, sync::Arc};

fn hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn pre_key(world: &World, of: Name, usage: PreKeyUse, id: u32) -> PreKey {
    let (sealer, key) = (Sealer::new(&store_key()), Places::pre_key(usage, id));
    PreKey::decode(&sealer.open(&key, &world.dump(of)[&*key]).unwrap()).unwrap()
}

fn party(world: &World, name: Name) -> Value {
    let own = world.own(name);
    let keys = own.keys();
    json!({
        "user": name.0,
        "device": name.1,
        // A device that is no primary has none.
        "account_seed": own.account.as_ref().map(|seed| hex(seed.expose())),
        "account_key": hex(&own.account_key.0),
        "signing_seed": hex(own.signing.expose()),
        "signing_key": hex(keys.party.signing_key.as_bytes()),
        "identity_private": hex(own.identity.expose()),
        "identity_key": hex(keys.party.identity_key.as_bytes()),
        "party": hex(&keys.party.encode()),
    })
}

fn pair(from: &DeviceKeys, to: &DeviceKeys) -> Value {
    let pair = PairKeys::derive(&from.identity, &to.party.identity_key, SUITE, &from.party, &to.party).unwrap();
    let keys = pair.secret().expose();
    json!({ "mask": hex(&keys[..32]), "gate": hex(&keys[32..64]), "control": hex(&keys[64..]) })
}

/// A device that Alice's primary links: the code, both legs, and the digits.
fn linking(world: &mut World) -> Value {
    let store: Arc<MemoryStore> = Arc::new(MemoryStore::new());
    let mut context = Context { now: Timestamp(world.now), rng: &mut world.rng };
    let linking = Device::begin_link(store.clone(), &store_key(), &mut context, &server()).unwrap();
    let offer = LinkOffer::decode(linking.code()).unwrap();
    let (sealer, key) = (Sealer::new(&store_key()), Places::only(Kind::Linking));
    let pending = PendingLink::decode(&sealer.open(&key, &store.dump()[&*key]).unwrap()).unwrap();
    let primary = &world.hosts[&ALICE].device;
    let link = primary.link_device(&mut context, linking.code()).unwrap();
    let hello = primary.link_leg(&mut context, &link.id, LinkLeg::Hello).unwrap().unwrap();
    let digits = linking.hear_hello(&mut context, &hello).unwrap();
    linking.confirm(&mut context).unwrap();
    let device = primary.confirm_link(&mut context, &link.id).unwrap();
    let answer = primary.link_leg(&mut context, &link.id, LinkLeg::Answer).unwrap().unwrap();
    json!({
        "code": linking.code(),
        "secret": hex(offer.secret.expose()),
        "new_signing_key": hex(&offer.signing_key),
        "new_identity_key": hex(&offer.identity_key),
        "new_identity_private": hex(pending.identity.expose()),
        "new_device": device.0,
        "box": hex(&link.id.0),
        "hello": hex(&hello),
        "digits": digits,
        "answer": hex(&answer),
    })
}

/// A group with every kind of operation, one of which is void: the operations, the lists that they cite, and
/// the view that follows from them.
fn history() -> Value {
    let mut world = World::acquainted(0x5e5b, &[("alice", 2), ("bob", 2), ("jen", 1)]);
    let id = world.found(ALICE, "Trip", &["bob", "jen"]);
    let rename = |world: &mut World, name: Name, text: &str| {
        world.act(name, id, |group, c| group.rename(c, text)).unwrap();
    };
    rename(&mut world, ("alice", 2), "By the tablet");
    world.all_receive();
    let change = GroupChange { timer: Some(3_600), app_data: Some(vec![1, 2, 3]), ..GroupChange::default() };
    world.act(BOB, id, |group, c| group.update_info(c, &change)).unwrap();
    world.all_receive();
    // Bob leaves with one device. The other has not received the leave and goes on: what it says counts.
    world.act(BOB, id, |group, c| group.leave(c)).unwrap();
    rename(&mut world, ("bob", 2), "Beside a leave");
    world.act(JEN, id, |group, c| group.leave(c)).unwrap();
    world.all_receive();
    for (name, accepts) in [("jen", true), ("bob", false)] {
        world.act(ALICE, id, |group, c| group.add(c, &[user(name)])).unwrap();
        world.all_receive();
        let answer = |group: Group<'_>, c: &mut Context<'_>| if accepts { group.accept(c) } else { group.decline(c) };
        world.act((name, 1), id, answer).unwrap();
        world.all_receive();
    }
    // Alice removes her tablet before she has heard its last word, so that this word is void. Jen has heard it.
    rename(&mut world, ("alice", 2), "Void");
    world.remove(("alice", 2));
    world.flush(ALICE);
    world.all_receive();
    let sealer = Sealer::new(&store_key());
    let prefix = sealer.places.group(Kind::GroupList, &id);
    let lists = world.dump(JEN).into_iter().filter(|(key, _)| key.starts_with(&prefix));
    let lists = lists.map(|(key, row)| hex(&StoredList::decode(&sealer.open(&key, &row).unwrap()).unwrap().signed));
    let lists: Vec<String> = lists.collect();
    let set = world.operations(JEN, id);
    let view = set.view().unwrap();
    let names = |users: Vec<&UserId>| users.iter().map(|u| u.as_str().to_owned()).collect::<Vec<_>>();
    let kinds = set.operations().iter().map(|o| core::mem::discriminant(&o.form.body)).collect::<HashSet<_>>();
    assert_eq!((kinds.len(), view.void.len()), (7, 1), "every kind is there, and one that does not count");
    json!({
        "id": hex(&id.0),
        "lists": lists,
        "operations": set.operations().iter().map(|operation| json!({
            "id": hex(&operation.id.0),
            "signed": hex(&operation.signed),
            "counts": !view.void.contains(&operation.id),
        })).collect::<Vec<_>>(),
        "members": names(view.members.iter().map(|member| &member.user).collect()),
        "name": view.info.name,
        "timer": view.info.timer,
        "app_data": hex(&view.info.app_data),
        "digest": hex(&view.claim.digest),
    })
}

/// Makes all vectors. They are the same every time.
#[must_use]
pub fn vectors() -> Value {
    let mut world = World::strangers(0x5e5a);
    let (alice, bob) = (world.own(ALICE).keys(), world.own(BOB).keys());
    let list = world.list("alice");
    let send = world.encrypt(BOB, &["alice"], b"Hello, Alice!");
    let answers = world.relay.answer(&send.needs);
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();
    let bundle_bytes = world.relay.bundle(&user("alice"), DeviceId(1)).unwrap();
    let bundle = Bundle::decode(&bundle_bytes).unwrap();
    let answers = sesame_core::internal::steps::Answers { bundles: vec![bundle_bytes.clone()], ..Default::default() };
    world.with(BOB, |d, c| d.apply(c, &answers)).unwrap();

    let ids = (bundle.signed_pre_key.id, bundle.one_time_pre_key.as_ref().unwrap().id, bundle.kem_pre_key.id);
    let (PreKey::Curve(signed), PreKey::Curve(one_time), PreKey::Kem(kem)) = (
        pre_key(&world, ALICE, PreKeyUse::Signed, ids.0),
        pre_key(&world, ALICE, PreKeyUse::OneTimeCurve, ids.1),
        pre_key(&world, ALICE, PreKeyUse::OneTimeKem, ids.2),
    ) else {
        unreachable!("each prekey is of its kind")
    };
    let named = NamedPreKeys {
        signed: x25519::PrivateKey::from_secret(signed.clone()),
        one_time: Some(x25519::PrivateKey::from_secret(one_time.clone())),
        kem: mlkem::PrivateKey::from_seed(kem.clone()),
    };

    let received = refusals::received(&mut world);
    let bundles = refusals::bundles(&world, &bundle);
    let mut conversation = Vec::new();
    let mut ratchet_keys: Vec<String> = Vec::new();
    let mut exchange = |world: &mut World,
                        from: Name,
                        to: Name,
                        text: &[u8],
                        pending: Option<sesame_core::internal::steps::Standing>| {
        let send = pending.unwrap_or_else(|| world.encrypt(from, &[to.0], text));
        assert_eq!(world.drive(from, send).unwrap(), None);
        let envelope = world.mails(to).remove(0);
        let results = world.receive(to).unwrap();
        let message = crate::messages(&results)[0].clone();
        assert_eq!(message.payload, text);
        conversation.push(json!({
            "from": from.0,
            "to": to.0,
            "envelope": hex(&envelope),
            "content_id": hex(&message.content_id.0),
            "sent_at": message.sent_at,
            "sequence": message.sequence,
            "payload": hex(&message.payload),
        }));
        // Alice's ratchet key after this message; a DH step draws a new one.
        let key = hex(world.stolen_session(ALICE, BOB, Scope::Direct).ratchet.cold.ours.private.expose());
        if ratchet_keys.last() != Some(&key) {
            ratchet_keys.push(key);
        }
        envelope
    };
    let pending = world.with(BOB, |d, c| d.pending(c, &send.id)).unwrap();
    let first = exchange(&mut world, BOB, ALICE, b"Hello, Alice!", pending);
    exchange(&mut world, BOB, ALICE, b"Are you there?", None);
    exchange(&mut world, ALICE, BOB, b"Yes, Bob.", None);
    exchange(&mut world, BOB, ALICE, b"An ordinary message now.", None);
    exchange(&mut world, ALICE, BOB, &[0x61; 500], None);
    exchange(&mut world, BOB, ALICE, b"", None);
    let last = exchange(&mut world, BOB, ALICE, b"Read me first.", None);
    let later = later::later(&mut world, &last);

    let Route::Initiation(initiation) = Envelope::decode(&first).unwrap().head.route else {
        unreachable!("the first envelope is an initiation")
    };
    let secrets = pqxdh::respond(&alice, &named, &DecodedParty::of(bob.party.clone()).unwrap(), &initiation).unwrap();
    let session = world.session(ALICE, BOB).unwrap();

    // What Bob sends in a group, nested in direct messages. The contents are given decrypted, because the
    // direct ratchet has moved on.
    let (group, send) = world.found_quietly(BOB, "Trip", &["alice"]);
    assert_eq!(world.drive(BOB, send).unwrap(), None);
    world.say(BOB, group, b"Hello, group!").unwrap();
    let openings: Vec<serde_json::Value> = world
        .mails(ALICE)
        .iter()
        .map(|envelope| {
            let decoded = Envelope::decode(envelope).unwrap();
            let head = decoded.head.encode().unwrap();
            let session = world.stolen_session(ALICE, BOB, Scope::Direct);
            let chain = session.ratchet.cold.chain;
            let mut rng = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
            let now = sesame_core::context::Timestamp(world.now);
            let mut context = sesame_core::context::Context { now, rng: &mut rng };
            let load = |_, _| Err(sesame_core::error::Code::RecordInconsistent);
            let open = |session: &sesame_core::internal::session::Session,
                        context: &mut sesame_core::context::Context<'_>,
                        chain| {
                let position = sesame_core::internal::session::position(&session.ratchet.cold, chain, &decoded)?;
                sesame_core::internal::session::open(session, context, &position, (&decoded, &head), &load)
            };
            let opened = open(&session, &mut context, chain).or_else(|_| open(&session, &mut context, chain + 1));
            let (_, content) = opened.unwrap();
            json!({ "envelope": hex(envelope), "salt": hex(&decoded.head.salt), "direct_content": hex(&content) })
        })
        .collect();
    world.receive(ALICE).unwrap();
    let scope = Scope::Group(sesame_core::ids::GroupKind::Pairwise, group);
    let inside = world.stolen_session(ALICE, BOB, scope);
    let set = world.operations(ALICE, group);
    let operations: Vec<serde_json::Value> = set
        .operations()
        .iter()
        .map(|operation| json!({ "id": hex(&operation.id.0), "signed": hex(&operation.signed) }))
        .collect();
    let groups = json!({
        "id": hex(&group.0),
        "openings": openings,
        "payload": hex(b"Hello, group!"),
        "session_id": hex(&inside.meta.id.0),
        "associated_data": hex(&inside.ratchet.cold.associated_data),
        "operations": operations,
        "digest": hex(&set.claim().digest),
        "members": ["alice", "bob"],
    });

    let safety_number = world.with(ALICE, |device, context| device.safety_number(context, &user("bob"))).unwrap();
    let linking = linking(&mut world);

    let padded = |payload: usize, list: usize, content: usize| {
        let room = padding::room(if list == 0 { 0 } else { padding::riding(list) });
        json!([payload, list, content, padding::padded_len(payload, room, content).unwrap()])
    };
    json!({
        "about": "libsesame wire version 1, suite 1; see docs/wire.md. Hex throughout; integers are decimal.",
        "alice": party(&world, ALICE),
        "bob": party(&world, BOB),
        "pair_bob_to_alice": pair(&bob, &alice),
        "pair_alice_to_bob": pair(&alice, &bob),
        "device_list": { "signed": hex(&list.signed), "epoch": list.list.epoch, "hash": hex(&list.list.hash) },
        "bundle": hex(&bundle_bytes),
        "pre_keys": {
            "signed_private": hex(signed.expose()),
            "one_time_private": hex(one_time.expose()),
            "kem_seed": hex(kem.expose()),
        },
        "pqxdh": {
            "kem_shared_secret": hex(named.kem.decapsulate(&initiation.kem_ciphertext).expose()),
            "associated_data": hex(&secrets.associated_data),
            "session_id": hex(&session.id.0),
            "root": hex(secrets.root.expose()),
            "initiator_header": hex(secrets.initiator_header.expose()),
            "responder_header": hex(secrets.responder_header.expose()),
            "initiator_first_chain_tag": hex(&chain_tag(&secrets.initiator_header)),
        },
        "conversation": conversation,
        "ratchet_keys": ratchet_keys,
        "safety_number": safety_number,
        "transcript": own::transcript(),
        "group": groups,
        "group_history": history(),
        "group_kept": groups::kept(),
        "group_counts": groups::counts(),
        "group_random": groups::random(),
        "lists": lists::lists(),
        "refusals": {
            "received": received,
            "later": later,
            "lists": refusals::lists(),
            "bundles": bundles,
            "operations": refusals::operations(),
            "small": refusals::small(linking["code"].as_str().unwrap()),
        },
        "linking": linking,
        "requests": requests::requests(),
        "retry": retry::retry(&bob, &alice),
        "padding": [padded(0, 0, 100), padded(384, 0, 700), padded(385, 0, 700), padded(384, 203, 900), padded(0, 0, 767), padded(0, 0, 768), padded(60_000, 0, 60_500)],
    })
}
