//! One signed operation (X 11).

use crate::{
    crypto::{
        ed25519::VerifyingKey,
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    ids::{AccountKey, DeviceId, GroupId, OperationId, UserId},
    keys::{device::DeviceKeys, device_list::VerifiedDeviceList},
    record::StoredOperation,
    wire::group::{self as form, Body, SignedOperation},
};

/// > GroupID = SHA-256(label, creator's account key, 32 random bytes)
#[must_use]
pub fn group_id(account_key: &AccountKey, random: &[u8; 32]) -> GroupId {
    GroupId(sha256(&join(&[labels::GROUP_ID, &account_key.0, random])))
}

/// An operation whose author's signature has been verified.
#[derive(Clone, Eq, PartialEq)]
pub struct Operation {
    /// SHA-256 of the signed bytes.
    pub id: OperationId,
    /// The user that signed the operation.
    pub author: UserId,
    /// The author's account key, from the device list that the operation cites.
    pub account_key: AccountKey,
    /// The key that signed the operation, from that device list.
    pub signing_key: [u8; 32],
    /// The epoch of that device list.
    pub epoch: u64,
    /// The bytes of that device list as it was signed.
    pub list_size: u32,
    /// The decoded operation.
    pub form: form::Operation,
    /// The encoded [`SignedOperation`], as it arrived.
    pub signed: Vec<u8>,
}

// By hand: a derived Debug would print what the group says of itself.
impl core::fmt::Debug for Operation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Operation({:?})", self.id)
    }
}

/// What one operation of a device takes: its number among those that the device signs in the group. The keys name the device, not its id: who
/// has stolen an account key can list another key under the same id.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Slot {
    /// The author's account key.
    pub account_key: AccountKey,
    /// The key that signs.
    pub signing_key: [u8; 32],
    /// The number, from 1.
    pub sequence: u64,
}

/// The parts of a new operation that do not follow from its author. [`super::set::Set::draft`] makes it.
#[derive(Debug)]
pub struct Draft {
    /// The group.
    pub group: GroupId,
    /// The number of this operation among those that the device signs in the group, from 1.
    pub sequence: u64,
    /// One more than the greatest Lamport number among the parents.
    pub lamport: u64,
    /// The operations that this one builds upon.
    pub parents: Vec<OperationId>,
    /// What the operation does.
    pub body: Body,
}

/// Whether the operation is a last word: a leave or a retirement. Both concern their author alone, and a
/// receiver has room for them when it has none for anything else.
#[must_use]
pub fn is_last_word(body: &Body) -> bool {
    matches!(body, Body::Leave | Body::Retire { .. })
}

/// Whether its author leaves by it, stays away, or takes a device of its own out: no sign of having a part in the group.
#[must_use]
pub fn keeps_out(body: &Body) -> bool {
    matches!(body, Body::Leave | Body::Decline { .. } | Body::Retire { .. })
}

fn size_of(list: &VerifiedDeviceList) -> u32 {
    u32::try_from(list.signed.len()).unwrap_or(u32::MAX)
}

fn id_of(bytes: &[u8]) -> OperationId {
    OperationId(sha256(&join(&[labels::OPERATION_ID, bytes])))
}

impl Operation {
    /// > OperationID = SHA-256(label, what was signed)
    #[must_use]
    pub fn id_of(signed: &SignedOperation) -> OperationId {
        id_of(signed.operation.as_slice())
    }

    /// Signs an operation of this device. `list` is the newest device list of its user and names the device.
    ///
    /// # Errors
    /// The errors of [`form::Operation::encode`].
    pub fn sign(keys: &DeviceKeys, list: &VerifiedDeviceList, draft: Draft) -> Result<Self, Code> {
        let Draft { group, sequence, lamport, parents, body } = draft;
        let form = form::Operation {
            version: 1,
            group: group.0,
            author: keys.party.user.as_bytes().to_vec().into(),
            device: keys.party.device.0,
            sequence,
            lamport,
            list: list.list.hash,
            parents: parents.iter().map(|parent| parent.0).collect::<Vec<_>>().into(),
            body,
        };
        let bytes = form.encode()?;
        let signature = keys.signing.sign(labels::GROUP_OPERATION, &bytes);
        let id = id_of(&bytes);
        let signed = SignedOperation { operation: bytes.into(), signature }.encode()?;
        Ok(Self {
            id,
            author: keys.party.user.clone(),
            account_key: keys.party.account(),
            signing_key: *keys.party.signing_key.as_bytes(),
            epoch: list.list.epoch,
            list_size: size_of(list),
            form,
            signed,
        })
    }

    /// Checks the form and the signature of an operation. `list` returns the verified device list with a given
    /// hash, if the caller has it.
    ///
    /// # Errors
    /// The errors of [`form::Operation::decode`]. [`Code::NotListed`] if the caller does not have the cited
    /// list or the list does not name the device. [`Code::WrongUser`] if the list belongs to another user.
    /// [`Code::BadSignature`]. [`Code::ForbiddenOperation`] if a retirement cites a list that still names the
    /// retired device.
    pub fn verify<'a>(
        signed: &SignedOperation,
        list: impl Fn(&[u8; 32]) -> Option<&'a VerifiedDeviceList>,
    ) -> Result<Self, Code> {
        let form = form::Operation::decode(signed.operation.as_slice())?;
        let list = list(&form.list).ok_or(Code::NotListed)?;
        if list.user.as_bytes() != form.author.as_slice() {
            return Err(Code::WrongUser);
        }
        let device = list.list.device(DeviceId(form.device)).ok_or(Code::NotListed)?;
        let key = VerifyingKey::decode(device.signing_key)?;
        key.verify(labels::GROUP_OPERATION, signed.operation.as_slice(), &signed.signature)?;
        // A retirement is proved by a list that no longer names the device.
        if let Body::Retire { device, .. } = &form.body
            && list.list.device(DeviceId(*device)).is_some()
        {
            return Err(Code::ForbiddenOperation);
        }
        Ok(Self {
            id: id_of(signed.operation.as_slice()),
            author: list.user.clone(),
            account_key: list.account(),
            signing_key: device.signing_key,
            epoch: list.list.epoch,
            list_size: size_of(list),
            form,
            signed: signed.encode()?,
        })
    }

    /// Decodes an operation from the store. It was verified before it was stored.
    ///
    /// # Errors
    /// [`Code::RecordInconsistent`].
    pub fn from_record(record: StoredOperation) -> Result<Self, Code> {
        let StoredOperation { signed, account_key, signing_key, epoch, list_size } = record;
        let outer = SignedOperation::decode(&signed).map_err(|_| Code::RecordInconsistent)?;
        let form = form::Operation::decode(outer.operation.as_slice()).map_err(|_| Code::RecordInconsistent)?;
        let author = UserId::try_new(form.author.as_slice().to_vec()).ok_or(Code::RecordInconsistent)?;
        let id = id_of(outer.operation.as_slice());
        Ok(Self { id, author, account_key, signing_key, epoch, list_size, form, signed })
    }

    /// The stored form of this operation.
    #[must_use]
    pub fn record(&self) -> StoredOperation {
        let Self { account_key, signing_key, epoch, list_size, .. } = *self;
        StoredOperation { signed: self.signed.clone(), account_key, signing_key, epoch, list_size }
    }

    /// The user, account key and device that signed the operation. The same user id with another account key is
    /// another person.
    #[must_use]
    pub fn signer(&self) -> (&UserId, &AccountKey, DeviceId) {
        (&self.author, &self.account_key, self.device())
    }

    /// The slot that the operation takes.
    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot { account_key: self.account_key, signing_key: self.signing_key, sequence: self.form.sequence }
    }

    /// The device that signed the operation.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId(self.form.device)
    }

    /// The user and the device that signed it.
    #[must_use]
    pub fn by(&self) -> (UserId, DeviceId) {
        (self.author.clone(), self.device())
    }

    /// > last writer by (Lamport, user, device, hash)
    #[must_use]
    pub fn order(&self) -> (u64, &UserId, DeviceId, OperationId) {
        (self.form.lamport, &self.author, self.device(), self.id)
    }

    /// The operations that this one builds upon.
    pub fn parents(&self) -> impl Iterator<Item = OperationId> {
        self.form.parents.iter().map(|parent| OperationId(*parent))
    }
}
