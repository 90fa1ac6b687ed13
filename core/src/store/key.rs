//! Row keys. A key is the kind of the record followed by keyed hashes, so that a stolen store shows no social
//! graph.

use crate::{
    crypto::{kdf, labels},
    error::Code,
    ids::{ContentId, DeviceId, EnvelopeId, GroupId, LinkId, SendId, SessionId, UserId},
    model::Peer,
    secret::Secret,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The key of a row, 1 to 64 bytes.
pub type Key = Vec<u8>;

/// The kind of a record: the first byte of its row key. Numbers are never changed or used again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// `record::Check`; not sealed.
    Check = 1,
    /// `record::Own`.
    Own = 2,
    /// `record::PendingLink`.
    Linking = 3,
    /// `model::User`, by user.
    User = 4,
    /// `record::StoredList`, by user.
    List = 5,
    /// [`Peer`], by device.
    Peer = 6,
    /// `record::SessionCold`, by device and session.
    Session = 7,
    /// `record::Hot`, by device and session.
    Chains = 8,
    /// `record::Directory`, by device and session.
    Skipped = 9,
    /// `record::Block`, by device, session, chain and number.
    Block = 10,
    /// `record::IndexEntry`, by device and chain tag.
    Index = 11,
    /// `keys::pre_keys::PreKey`, by use and id.
    PreKey = 12,
    /// `record::PreKeyBook`.
    Book = 13,
    /// `record::PendingUpload`.
    Publication = 14,
    /// `record::SendHead`, by send.
    SendHead = 15,
    /// `record::SendBody`, by send.
    SendBody = 16,
    /// `record::SendPart`, by user and send.
    SendPart = 17,
    /// `event::Item`, by number.
    Item = 18,
    /// `record::SeenEnvelope`, by device and salt.
    Received = 19,
    /// `record::Held`, by device and salt.
    Held = 20,
    /// `record::Counters`.
    Counters = 21,
    /// `record::Heard`, by device and scope.
    Heard = 22,
    /// `model::GroupRecord`, by group.
    Group = 23,
    /// `record::StoredOperation`, by group and operation.
    Operation = 24,
    /// `record::Waiting`, by group.
    Waiting = 25,
    /// `record::StoredList`, by group and the list's hash: what operations cite.
    GroupList = 26,
    /// `record::HeldContent`, by group, device and salt.
    HeldContent = 27,
    /// `record::OfferedLink`, by link.
    OfferedLink = 28,
    /// `record::SendTally`, by send.
    SendTally = 29,
    /// `record::ContentOf`, by content id.
    ContentOf = 30,
    /// `record::ServerState`.
    Server = 31,
    /// `record::Wanted`, by user: a device list that the app asked for.
    Wanted = 32,
}

impl Kind {
    /// Every kind, in the order of the numbers.
    pub const ALL: &[Self] = &[
        Self::Check,
        Self::Own,
        Self::Linking,
        Self::User,
        Self::List,
        Self::Peer,
        Self::Session,
        Self::Chains,
        Self::Skipped,
        Self::Block,
        Self::Index,
        Self::PreKey,
        Self::Book,
        Self::Publication,
        Self::SendHead,
        Self::SendBody,
        Self::SendPart,
        Self::Item,
        Self::Received,
        Self::Held,
        Self::Counters,
        Self::Heard,
        Self::Group,
        Self::Operation,
        Self::Waiting,
        Self::GroupList,
        Self::HeldContent,
        Self::OfferedLink,
        Self::SendTally,
        Self::ContentOf,
        Self::Server,
        Self::Wanted,
    ];
}

/// The use of a private prekey.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum PreKeyUse {
    /// SPK.
    Signed = 1,
    /// The last-resort KEM prekey.
    LastResort = 2,
    /// OPK.
    OneTimeCurve = 3,
    /// A one-time KEM prekey.
    OneTimeKem = 4,
}

/// Computes row keys.
pub struct Places {
    key: kdf::Keyed,
    /// What was hashed before: a send asks for the rows of each device a dozen times.
    known: Mutex<HashMap<Vec<u8>, Hash>>,
}

// By hand: a derived Debug would print users.
impl core::fmt::Debug for Places {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Places")
    }
}

type Hash = [u8; 12];

/// So many hashes are remembered; then all are forgotten.
const MAX_KNOWN: usize = 16_384;

impl Places {
    /// Derives the hashing key from the app's store key.
    #[must_use]
    pub fn new(store_key: &Secret<32>) -> Self {
        Self { key: kdf::Keyed::new(&kdf::hmac_key(store_key, labels::STORE_PLACE)), known: Mutex::default() }
    }

    fn hash(&self, fields: &[&[u8]]) -> Hash {
        let fields = kdf::join(fields);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known.get(&fields) {
            return *hash;
        }
        let mut hash = [0; 12];
        let full = self.key.hmac(&fields);
        hash.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(fields, hash);
        hash
    }

    fn of_user(&self, user: &UserId) -> Hash {
        self.hash(&[user.as_bytes()])
    }

    fn of_device(&self, user: &UserId, device: DeviceId) -> Hash {
        self.hash(&[user.as_bytes(), &device.0.to_be_bytes()])
    }

    /// The row key of the only record of this kind.
    #[must_use]
    pub fn only(kind: Kind) -> Key {
        vec![kind as u8]
    }

    /// All records of this kind.
    #[must_use]
    pub fn all(kind: Kind) -> Vec<u8> {
        vec![kind as u8]
    }

    /// One of 256 parts of the records of a kind that is kept by user or by device; all that a device has lies in the same part. The hashes
    /// spread the rows evenly.
    #[must_use]
    pub fn bucket(kind: Kind, bucket: u8) -> Vec<u8> {
        vec![kind as u8, bucket]
    }

    /// `model::User` or `record::StoredList`.
    #[must_use]
    pub fn user(&self, kind: Kind, user: &UserId) -> Key {
        place(kind, &[&self.of_user(user)])
    }

    /// `model::GroupRecord` or `record::Waiting`; also what all rows of a kind of this group begin with.
    #[must_use]
    pub fn group(&self, kind: Kind, group: &GroupId) -> Key {
        place(kind, &[&self.hash(&[b"group", &group.0])])
    }

    /// `record::StoredOperation` or `record::StoredList`.
    #[must_use]
    pub fn in_group(&self, kind: Kind, group: &GroupId, name: &[u8; 32]) -> Key {
        let mut key = self.group(kind, group);
        key.extend_from_slice(name.first_chunk::<16>().map_or(&[], |name| name.as_slice()));
        key
    }

    /// `record::HeldContent`.
    #[must_use]
    pub fn held_content(&self, group: &GroupId, user: &UserId, device: DeviceId, envelope: &EnvelopeId) -> Key {
        let mut key = self.group(Kind::HeldContent, group);
        key.extend_from_slice(&self.of_device(user, device));
        key.extend_from_slice(&envelope.0);
        key
    }

    /// `record::Heard`.
    #[must_use]
    pub fn heard(&self, user: &UserId, device: DeviceId, group: Option<&GroupId>) -> Key {
        let mut key = self.device(Kind::Heard, user, device);
        if let Some(group) = group {
            key.extend_from_slice(&self.hash(&[b"group", &group.0]));
        }
        key
    }

    /// [`Peer`]; also what all rows of a kind of this device begin with.
    #[must_use]
    pub fn device(&self, kind: Kind, user: &UserId, device: DeviceId) -> Key {
        place(kind, &[&self.of_device(user, device)])
    }

    /// `record::SessionCold`, `record::Hot` or `record::Directory`; also what the blocks of a session begin with.
    #[must_use]
    pub fn session(&self, kind: Kind, peer: &Peer, session: SessionId) -> Key {
        place(
            kind,
            &[&self.of_device(&peer.user, peer.device), session.0.first_chunk::<16>().map_or(&[], |id| id.as_slice())],
        )
    }

    /// `record::Block`.
    #[must_use]
    pub fn block(&self, peer: &Peer, session: SessionId, chain: u32, block: u32) -> Key {
        [self.session(Kind::Block, peer, session), [chain.to_be_bytes(), block.to_be_bytes()].concat()].concat()
    }

    /// `record::IndexEntry`.
    #[must_use]
    pub fn index(&self, peer: &Peer, tag: &[u8; 16]) -> Key {
        place(Kind::Index, &[&self.of_device(&peer.user, peer.device), tag])
    }

    /// `record::SeenEnvelope` or `record::Held`.
    #[must_use]
    pub fn envelope(&self, kind: Kind, user: &UserId, device: DeviceId, envelope: &EnvelopeId) -> Key {
        place(kind, &[&self.of_device(user, device), &envelope.0])
    }

    /// `keys::pre_keys::PreKey`.
    #[must_use]
    pub fn pre_key(usage: PreKeyUse, id: u32) -> Key {
        place(Kind::PreKey, &[&[usage as u8], &id.to_be_bytes()])
    }

    /// `record::SendHead` or `record::SendBody`.
    #[must_use]
    pub fn send(kind: Kind, send: &SendId) -> Key {
        place(kind, &[&send.0])
    }

    /// `record::ContentOf`.
    #[must_use]
    pub fn content(&self, content_id: &ContentId) -> Key {
        place(Kind::ContentOf, &[&self.hash(&[b"content", &content_id.0])])
    }

    /// `record::SendPart`; the parts of one user stand together.
    #[must_use]
    pub fn part(&self, user: &UserId, send: &SendId) -> Key {
        place(Kind::SendPart, &[&self.of_user(user), &send.0])
    }

    /// `event::Item`.
    #[must_use]
    pub fn item(number: u64) -> Key {
        place(Kind::Item, &[&number.to_be_bytes()])
    }

    /// `record::OfferedLink`.
    #[must_use]
    pub fn link(link: &LinkId) -> Key {
        place(Kind::OfferedLink, &[&link.0])
    }

    /// The link that the key of its row ends with.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] for a key that is too short.
    pub fn link_of(key: &[u8]) -> Result<LinkId, Code> {
        key.last_chunk::<16>().copied().map(LinkId).ok_or(Code::RecordInconsistent)
    }

    /// The send that the key of a head, a body or a part ends with.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] for a key that is too short.
    pub fn send_of(key: &[u8]) -> Result<SendId, Code> {
        key.last_chunk::<16>().copied().map(SendId).ok_or(Code::RecordInconsistent)
    }

    /// The number that the key of an inbox item ends with.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`] for a key that is too short.
    pub fn item_of(key: &[u8]) -> Result<u64, Code> {
        key.last_chunk::<8>().copied().map(u64::from_be_bytes).ok_or(Code::RecordInconsistent)
    }
}

fn place(kind: Kind, parts: &[&[u8]]) -> Key {
    let mut key = vec![kind as u8];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}
