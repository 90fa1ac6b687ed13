//! Row keys. A key is the kind of the record followed by keyed hashes, so that a stolen store shows no social
//! graph.

use crate::{
    crypto::{kdf, labels},
    error::Code,
    ids::{ContentId, DeviceId, EnvelopeId, GroupId, LinkId, SendId, SessionId, UserId},
    model::Peer,
    secret::Secret,
};
use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};
use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// The key of a row, 1 to 64 bytes.
pub type Key = Vec<u8>;

/// The longest key that this library makes, in bytes.
const LONGEST: usize = 47;

/// The key of a row of ours, without an allocation: a call looks up dozens for each device.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct RowKey {
    /// Zeros follow the key, so that the order is that of the bytes.
    bytes: [u8; LONGEST],
    length: u8,
}

impl RowKey {
    /// A key of these bytes; `None` if it is longer than any of ours.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        let length = u8::try_from(key.len()).ok()?;
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self { bytes, length })
    }

    /// The kind and these parts, one after another.
    fn of(kind: Kind, parts: &[&[u8]]) -> Self {
        let mut start = Self { bytes: [0; LONGEST], length: 1 };
        if let Some(first) = start.bytes.first_mut() {
            *first = kind as u8;
        }
        parts.iter().fold(start, |key, part| key.then(part))
    }

    /// A longer key that begins so. [`LONGEST`] has room for all that [`Places`] makes.
    fn then(mut self, part: &[u8]) -> Self {
        let begin = usize::from(self.length);
        let end = begin.saturating_add(part.len());
        debug_assert!(end <= LONGEST, "a row key of {end} bytes");
        if let (Some(place), Ok(length)) = (self.bytes.get_mut(begin..end), u8::try_from(end)) {
            place.copy_from_slice(part);
            self.length = length;
        }
        self
    }
}

// By hand: most keys differ in their first bytes, which compare as one number.
impl Ord for RowKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |key: &Self| key.bytes.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let rest = || self.bytes.cmp(&other.bytes).then(self.length.cmp(&other.length));
        first(self).cmp(&first(other)).then_with(rest)
    }
}

impl PartialOrd for RowKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// By hand: the zeros that follow make no difference, and one piece is hashed faster than 47.
impl Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.bytes);
    }
}

impl Deref for RowKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&[])
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

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
    /// `keys::chain::Chain`, by user: the hashes of the lists that were taken.
    Chain = 33,
    /// `clock::AgeClock`.
    Clock = 34,
    /// `record::Ledger`, by user.
    Ledger = 35,
    /// `record::PendingRestore`.
    Restoring = 36,
    /// `record::PendingHandover`.
    Handover = 37,
    /// `record::Forgotten`, by group.
    Forgotten = 38,
    /// `record::Healing`, by device.
    Healing = 39,
    /// `record::SentPart`, by user and send.
    SentPart = 40,
    /// `record::Sent`, by send.
    Sent = 41,
    /// `record::Keeping`.
    Keeping = 42,
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
        Self::Chain,
        Self::Clock,
        Self::Ledger,
        Self::Restoring,
        Self::Handover,
        Self::Forgotten,
        Self::Healing,
        Self::SentPart,
        Self::Sent,
        Self::Keeping,
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
    known: Mutex<Known>,
}

// By hand: a derived Debug would print users.
impl core::fmt::Debug for Places {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Places")
    }
}

type Hashed = [u8; 12];

/// Hashes of users and of their devices, and of groups.
#[derive(Default)]
struct Known {
    users: HashMap<UserId, OfUser, RandomState>,
    groups: HashMap<GroupId, Hashed, RandomState>,
}

#[derive(Default)]
struct OfUser {
    user: Option<Hashed>,
    devices: Vec<(DeviceId, Hashed)>,
}

/// So many users and groups are remembered; then all are forgotten.
const MAX_KNOWN: usize = 8_192;
/// So many devices of a user: an honest list has fewer, and forged envelopes name any number.
const MAX_DEVICES: usize = 16;

impl Places {
    /// Derives the hashing key from the app's store key.
    #[must_use]
    pub fn new(store_key: &Secret<32>) -> Self {
        Self { key: kdf::Keyed::new(&kdf::hmac_key(store_key, labels::STORE_PLACE)), known: Mutex::default() }
    }

    fn hash(&self, fields: &[&[u8]]) -> Hashed {
        let mut hash = [0; 12];
        let full = self.key.hmac(&kdf::join(fields));
        hash.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        hash
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.users.len() >= MAX_KNOWN || known.groups.len() >= MAX_KNOWN {
            *known = Known::default();
        }
        known
    }

    fn of_user(&self, user: &UserId) -> Hashed {
        let mut known = self.known();
        if let Some(hash) = known.users.get(user).and_then(|of| of.user) {
            return hash;
        }
        let hash = self.hash(&[user.as_bytes()]);
        known.users.entry(user.clone()).or_default().user = Some(hash);
        hash
    }

    fn of_device(&self, user: &UserId, device: DeviceId) -> Hashed {
        let mut known = self.known();
        let devices = known.users.get(user).map_or([].as_slice(), |of| &of.devices);
        if let Some((_, hash)) = devices.iter().find(|(id, _)| *id == device) {
            return *hash;
        }
        let hash = self.hash(&[user.as_bytes(), &device.0.to_be_bytes()]);
        if devices.len() < MAX_DEVICES {
            known.users.entry(user.clone()).or_default().devices.push((device, hash));
        }
        hash
    }

    fn of_group(&self, group: &GroupId) -> Hashed {
        let mut known = self.known();
        if let Some(hash) = known.groups.get(group) {
            return *hash;
        }
        let hash = self.hash(&[b"group", &group.0]);
        known.groups.insert(*group, hash);
        hash
    }

    /// The row key of the only record of this kind.
    #[must_use]
    pub fn only(kind: Kind) -> RowKey {
        RowKey::of(kind, &[])
    }

    /// All records of this kind.
    #[must_use]
    pub fn all(kind: Kind) -> RowKey {
        RowKey::of(kind, &[])
    }

    /// Whether a row is of one of these kinds.
    #[must_use]
    pub fn is_of(key: &RowKey, kinds: &[Kind]) -> bool {
        kinds.iter().any(|kind| key.starts_with(&Self::all(*kind)))
    }

    /// The part that a row of a kind that is kept by user or by device lies in.
    #[must_use]
    pub fn bucket_of(key: &RowKey) -> u8 {
        key.get(1).copied().unwrap_or_default()
    }

    /// One of 256 parts of the records of a kind that is kept by user or by device; all that a device has lies in the same part. The hashes
    /// spread the rows evenly.
    #[must_use]
    pub fn bucket(kind: Kind, bucket: u8) -> RowKey {
        RowKey::of(kind, &[&[bucket]])
    }

    /// `model::User` or `record::StoredList`.
    #[must_use]
    pub fn user(&self, kind: Kind, user: &UserId) -> RowKey {
        RowKey::of(kind, &[&self.of_user(user)])
    }

    /// `model::GroupRecord` or `record::Waiting`; also what all rows of a kind of this group begin with.
    #[must_use]
    pub fn group(&self, kind: Kind, group: &GroupId) -> RowKey {
        RowKey::of(kind, &[&self.of_group(group)])
    }

    /// `record::StoredOperation` or `record::StoredList`.
    #[must_use]
    pub fn in_group(&self, kind: Kind, group: &GroupId, name: &[u8; 32]) -> RowKey {
        RowKey::of(kind, &[&self.of_group(group), name.first_chunk::<16>().map_or(&[], |name| name.as_slice())])
    }

    /// `record::HeldContent`.
    #[must_use]
    pub fn held_content(&self, group: &GroupId, user: &UserId, device: DeviceId, envelope: &EnvelopeId) -> RowKey {
        RowKey::of(Kind::HeldContent, &[&self.of_group(group), &self.of_device(user, device), &envelope.0])
    }

    /// `record::Heard`.
    #[must_use]
    pub fn heard(&self, user: &UserId, device: DeviceId, group: Option<&GroupId>) -> RowKey {
        let of_device = self.of_device(user, device);
        match group {
            None => RowKey::of(Kind::Heard, &[&of_device]),
            Some(group) => RowKey::of(Kind::Heard, &[&of_device, &self.of_group(group)]),
        }
    }

    /// [`Peer`]; also what all rows of a kind of this device begin with.
    #[must_use]
    pub fn device(&self, kind: Kind, user: &UserId, device: DeviceId) -> RowKey {
        RowKey::of(kind, &[&self.of_device(user, device)])
    }

    /// `record::SessionCold`, `record::Hot` or `record::Directory`; also what the blocks of a session begin with.
    #[must_use]
    pub fn session(&self, kind: Kind, peer: &Peer, session: SessionId) -> RowKey {
        let [row] = self.session_rows([kind], peer, session);
        row
    }

    /// Several rows of one session.
    #[must_use]
    pub fn session_rows<const N: usize>(&self, kinds: [Kind; N], peer: &Peer, session: SessionId) -> [RowKey; N] {
        let device = self.of_device(&peer.user, peer.device);
        let id = session.0.first_chunk::<16>().map_or([].as_slice(), |id| id.as_slice());
        kinds.map(|kind| RowKey::of(kind, &[&device, id]))
    }

    /// `record::Block`.
    #[must_use]
    pub fn block(&self, peer: &Peer, session: SessionId, chain: u32, block: u32) -> RowKey {
        self.session(Kind::Block, peer, session).then(&chain.to_be_bytes()).then(&block.to_be_bytes())
    }

    /// `record::IndexEntry`.
    #[must_use]
    pub fn index(&self, peer: &Peer, tag: &[u8; 16]) -> RowKey {
        RowKey::of(Kind::Index, &[&self.of_device(&peer.user, peer.device), tag])
    }

    /// `record::SeenEnvelope` or `record::Held`.
    #[must_use]
    pub fn envelope(&self, kind: Kind, user: &UserId, device: DeviceId, envelope: &EnvelopeId) -> RowKey {
        RowKey::of(kind, &[&self.of_device(user, device), &envelope.0])
    }

    /// `keys::pre_keys::PreKey`.
    #[must_use]
    pub fn pre_key(usage: PreKeyUse, id: u32) -> RowKey {
        RowKey::of(Kind::PreKey, &[&[usage as u8], &id.to_be_bytes()])
    }

    /// `record::SendHead` or `record::SendBody`.
    #[must_use]
    pub fn send(kind: Kind, send: &SendId) -> RowKey {
        RowKey::of(kind, &[&send.0])
    }

    /// `record::ContentOf`.
    #[must_use]
    pub fn content(&self, content_id: &ContentId) -> RowKey {
        RowKey::of(Kind::ContentOf, &[&self.hash(&[b"content", &content_id.0])])
    }

    /// `record::SendPart`; the parts of one user stand together.
    #[must_use]
    pub fn part(&self, user: &UserId, send: &SendId) -> RowKey {
        RowKey::of(Kind::SendPart, &[&self.of_user(user), &send.0])
    }

    /// `record::SentPart`; those of one user stand together.
    #[must_use]
    pub fn sent_part(&self, user: &UserId, send: &SendId) -> RowKey {
        RowKey::of(Kind::SentPart, &[&self.of_user(user), &send.0])
    }

    /// `event::Item`.
    #[must_use]
    pub fn item(number: u64) -> RowKey {
        RowKey::of(Kind::Item, &[&number.to_be_bytes()])
    }

    /// `record::OfferedLink`.
    #[must_use]
    pub fn link(link: &LinkId) -> RowKey {
        RowKey::of(Kind::OfferedLink, &[&link.0])
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn row_keys_are_ordered_as_their_bytes_are() {
        let keys: [&[u8]; 7] = [b"", b"a", b"a\0", b"a\0\0", b"a\0b", b"ab", b"b"];
        let as_row_keys: BTreeSet<RowKey> = keys.iter().filter_map(|key| RowKey::new(key)).collect();
        assert_eq!(as_row_keys.iter().map(|key| key.to_vec()).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn a_key_that_is_longer_than_any_of_ours_is_none() {
        assert_eq!(RowKey::new(&[7; LONGEST]).map(|key| key.len()), Some(LONGEST));
        assert_eq!(RowKey::new(&[7; LONGEST + 1]), None);
        assert_eq!(RowKey::new(&[7; 1_000]), None);
    }

    #[test]
    fn the_longest_keys_that_are_made_are_whole() {
        let places = Places::new(&Secret::init_with(|key| key.fill(1)));
        let alice = UserId::try_new(vec![b'a'; 64]).unwrap();
        let held = places.held_content(&GroupId([2; 32]), &alice, DeviceId(3), &EnvelopeId([4; 16]));
        assert_eq!((held.len(), held.ends_with(&[4; 16])), (41, true));
    }

    #[test]
    fn what_is_remembered_is_what_is_computed() {
        let key = || Secret::init_with(|key| key.fill(1));
        let (fresh, used) = (Places::new(&key()), Places::new(&key()));
        let alice = UserId::try_new(b"alice".to_vec()).unwrap();
        // More devices than are remembered, each twice.
        for device in (0..2 * MAX_DEVICES as u32).chain(0..2 * MAX_DEVICES as u32).map(DeviceId) {
            let place = used.device(Kind::Peer, &alice, device);
            assert_eq!(place, Places::new(&key()).device(Kind::Peer, &alice, device));
        }
        assert_eq!(used.user(Kind::User, &alice), fresh.user(Kind::User, &alice));
        assert_eq!(used.known().users.get(&alice).map(|of| of.devices.len()), Some(MAX_DEVICES));
    }
}
