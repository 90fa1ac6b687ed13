//! Replicas of groups without stores and sessions, for the tests of the set's rules.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code)]

use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sesame_core::{
    context::{Context, Timestamp},
    ids::{AccountKey, DeviceId, GroupId, OperationId, UserId},
    internal::{
        crypto::{ed25519::SigningKey, kdf::sha256, x25519},
        group::{
            operation::{Draft, Operation, group_id},
            set::Set,
            view::View,
        },
        keys::{
            device::DeviceKeys,
            device_list::{self, Listing, VerifiedDeviceList},
        },
        record::Own,
        wire::group::{self as form, Added, Body, Change},
    },
};
use std::collections::BTreeSet;

/// A device that can sign, with the list that names it.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) account: SigningKey,
    pub(crate) keys: DeviceKeys,
    pub(crate) list: VerifiedDeviceList,
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::try_new(name.as_bytes().to_vec()).unwrap()
}

/// A user's devices, all on one list.
pub(crate) fn devices(name: &str, count: u32, context: &mut Context<'_>) -> Vec<Signer> {
    let account = SigningKey::generate(context);
    let own: Vec<Own> = (1..=count)
        .map(|id| Own {
            user: user(name),
            device: DeviceId(id),
            account_key: AccountKey(*account.verifying_key().as_bytes()),
            account: None,
            handed_to: None,
            heard_handover: None,
            signing: SigningKey::generate(context).seed().clone(),
            identity: x25519::PrivateKey::generate(context).secret().clone(),
            mailbox_emptied_at: 0,
        })
        .collect();
    let keys: Vec<DeviceKeys> = own.iter().map(Own::keys).collect();
    let listed: Vec<Listing> = keys
        .iter()
        .map(|keys| Listing {
            id: keys.party.device,
            signing_key: *keys.party.signing_key.as_bytes(),
            identity_key: *keys.party.identity_key.as_bytes(),
            added_at_epoch: 1,
        })
        .collect();
    let list = device_list::sign(&account, &user(name), None, &listed, context.now).unwrap();
    keys.into_iter().map(|keys| Signer { account: account.clone(), keys, list: list.clone() }).collect()
}

pub(crate) fn signer(name: &str, context: &mut Context<'_>) -> Signer {
    devices(name, 1, context).remove(0)
}

/// One device's copy of a group.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) signer: Signer,
    pub(crate) set: Set,
    pub(crate) waiting: Vec<Operation>,
}

impl Replica {
    pub(crate) fn new(signer: &Signer, id: GroupId) -> Self {
        Self { signer: signer.clone(), set: Set::new(id), waiting: Vec::new() }
    }

    pub(crate) fn sign(&self, body: Body) -> Operation {
        let party = &self.signer.keys.party;
        let draft = self.set.draft(party, body).unwrap();
        Operation::sign(&self.signer.keys, &self.signer.list, draft).unwrap()
    }

    pub(crate) fn act(&mut self, body: Body) -> Operation {
        let operation = self.sign(body);
        self.set.insert(operation.clone()).unwrap();
        operation
    }

    pub(crate) fn take(&mut self, operations: &[Operation]) {
        let offered = [self.waiting.as_slice(), operations].concat();
        self.waiting = self.set.take(offered, Vec::new()).waiting;
    }

    pub(crate) fn view(&self) -> View {
        self.set.view().unwrap()
    }

    pub(crate) fn all(&self) -> Vec<Operation> {
        self.set.operations().into_iter().cloned().collect()
    }
}

/// What a view shows, in a form to compare and to read.
pub(crate) fn shown(view: &View) -> (BTreeSet<String>, BTreeSet<String>, String, [u8; 16]) {
    let name = |user: &UserId| String::from_utf8(user.as_bytes().to_vec()).unwrap();
    (
        view.members.iter().map(|member| name(&member.user)).collect(),
        view.invited.keys().map(|(user, _)| name(user)).collect(),
        view.info.name.clone(),
        view.claim.digest,
    )
}

pub(crate) fn members(replica: &Replica) -> Vec<String> {
    shown(&replica.view()).0.into_iter().collect()
}

pub(crate) fn named(name: &str) -> Change {
    Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() }
}

pub(crate) fn rename(name: &str) -> Body {
    Body::Info { change: named(name) }
}

pub(crate) fn create(signer: &Signer, random: u8) -> (GroupId, Operation) {
    let account_key = *signer.keys.party.account_key.as_bytes();
    let id = group_id(&AccountKey(account_key), &[random; 32]);
    let mut replica = Replica::new(signer, id);
    let body = Body::Create { kind: 2, account_key, random: [random; 32], change: named("first"), origin: None };
    (id, replica.act(body))
}

pub(crate) fn add(replica: &Replica, whom: &[&Signer]) -> Body {
    let mut members: Vec<Added> = whom
        .iter()
        .map(|signer| Added {
            user: signer.keys.party.user.as_bytes().to_vec().into(),
            account_key: *signer.keys.party.account_key.as_bytes(),
            leaves: replica
                .set
                .leaves_of(&signer.keys.party.user, &signer.keys.party.account())
                .iter()
                .map(|l| l.0)
                .collect::<Vec<_>>()
                .into(),
        })
        .collect();
    members.sort_by(|a, b| a.user.as_slice().cmp(b.user.as_slice()));
    Body::Add { members: members.into() }
}

pub(crate) fn with_context<T>(seed: u64, call: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    call(&mut Context { now: Timestamp(1_800_000_000_000), rng: &mut rng })
}

/// A group of Alice, Bob and Jen, known to all three.
pub(crate) fn trio() -> ([Replica; 3], GroupId) {
    with_context(1, |context| {
        let signers = ["alice", "bob", "jen"].map(|name| signer(name, context));
        let (id, created) = create(&signers[0], 1);
        let mut replicas = signers.clone().map(|signer| Replica::new(&signer, id));
        replicas[0].take(&[created]);
        let added = add(&replicas[0], &[&signers[1], &signers[2]]);
        replicas[0].act(added);
        let all = replicas[0].all();
        replicas[1].take(&all);
        replicas[2].take(&all);
        (replicas, id)
    })
}

pub(crate) fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// An operation as a device with this set would make it, with made-up bytes in the place of the signed ones: nothing that enters a set is verified
/// there. `nonce` gives it another id.
pub(crate) fn unsigned(signer: &Signer, set: &Set, body: Body, nonce: u8) -> Operation {
    let draft = set.draft(&signer.keys.party, body).unwrap();
    from_draft(signer, draft, nonce)
}

pub(crate) fn from_draft(signer: &Signer, draft: Draft, nonce: u8) -> Operation {
    let party = &signer.keys.party;
    let form = form::Operation {
        version: 1,
        group: draft.group.0,
        author: party.user.as_bytes().to_vec().into(),
        device: party.device.0,
        sequence: draft.sequence,
        lamport: draft.lamport,
        list: signer.list.list.hash,
        parents: draft.parents.iter().map(|parent| parent.0).collect::<Vec<_>>().into(),
        body: draft.body,
    };
    let signed = [form.encode().unwrap(), vec![nonce]].concat();
    Operation {
        id: OperationId(sha256(&signed)),
        author: party.user.clone(),
        account_key: party.account(),
        signing_key: *party.signing_key.as_bytes(),
        epoch: signer.list.list.epoch,
        list_size: 300,
        form,
        signed,
    }
}
