//! Events: what happened, and what the app should know of it.

use super::{FailedUser, SkippedDevice};
use crate::ids::{
    AccountKey, ContentId, DeviceId, GroupId, HandoverId, ListHash, OperationId, SendId, SessionId, UserId,
};

/// Something that the app should know.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A newer signed device list of a user was taken (X 5).
    DeviceListChanged {
        /// The user whose list it is.
        user: UserId,
        /// The devices that are new on the list.
        added: Vec<DeviceId>,
        /// The devices that are no longer on the list.
        removed: Vec<DeviceId>,
    },
    /// Two signed lists of a user contradict each other, or the newer one could not be proved to follow the other for a day. Sends go only to
    /// devices on both, until `resolve_fork` names one (X 5).
    DeviceListFork {
        /// The user whose lists they are.
        user: UserId,
        /// The signed list that was known.
        known: Vec<u8>,
        /// The signed list that contradicts it.
        other: Vec<u8>,
        /// The hash of the known list, 32 bytes.
        known_hash: ListHash,
        /// The hash of the other list, 32 bytes.
        other_hash: ListHash,
    },
    /// The newest list of a user is older than 35 days (X 5).
    DeviceListOld {
        /// The user whose list it is.
        user: UserId,
    },
    /// An older list than the known one was offered and refused (A02).
    DeviceListRollback {
        /// The user whose list it is.
        user: UserId,
        /// The epoch that was offered.
        epoch: u64,
    },
    /// Messages of a device are missing: they are lost, withheld, withdrawn by their sender, or still to come (A57).
    Gap {
        /// The user whose device sent them.
        user: UserId,
        /// The device that sent them.
        device: DeviceId,
        /// The group that they belong to; absent for direct messages.
        group: Option<GroupId>,
        /// The first missing sequence number.
        first: u64,
        /// The last missing sequence number.
        last: u64,
    },
    /// Users are members of a group now: `user` added them, or is the one who accepted an invitation.
    GroupAdded {
        /// The group.
        group: GroupId,
        /// The user who added, or who accepted.
        user: UserId,
        /// The device that signed the operation.
        device: DeviceId,
        /// The users who are members now.
        added: Vec<UserId>,
    },
    /// A device signed two operations under one number: it told different things to different members (A53). Both count.
    GroupEquivocation {
        /// The group.
        group: GroupId,
        /// The user of the device.
        user: UserId,
        /// The device that signed both.
        device: DeviceId,
        /// One of the two, as it was signed.
        known: Vec<u8>,
        /// The other one.
        other: Vec<u8>,
    },
    /// Dishonest members have filled a group: it takes nothing but leaves and retirements any more. The others go on in a fork.
    GroupFull {
        /// The group.
        group: GroupId,
    },
    /// Adds that did not know of each other have made more than 1,000 members: nothing but leaves is said there. `fork_without` goes on
    /// without those whom the adders made up.
    GroupOverfull {
        /// The group.
        group: GroupId,
        /// The users who added members, those who added most first.
        users: Vec<UserId>,
    },
    /// Our user is asked into a group, by somebody whom they do not know, or back after a leave: the group's `accept` or `decline` answers. Without an
    /// answer to somebody unknown it is gone after 30 days.
    GroupInvited {
        /// The group.
        group: GroupId,
        /// The user who asks.
        user: UserId,
        /// The device that signed the operation.
        device: DeviceId,
    },
    /// Our user is a member of a group now: `user` made the group or added ours.
    GroupJoined {
        /// The group.
        group: GroupId,
        /// The group that it takes the place of, if it is a fork.
        forked_from: Option<GroupId>,
        /// The user who made the group or added our user.
        user: UserId,
        /// The device that signed the operation.
        device: DeviceId,
    },
    /// A member has left a group.
    GroupLeft {
        /// The group.
        group: GroupId,
        /// The user who left.
        user: UserId,
        /// The device that signed the operation.
        device: DeviceId,
    },
    /// Users are no members of a group after all: a device that its user has taken off the list had added them. Any member may add them
    /// again.
    GroupRevoked {
        /// The group.
        group: GroupId,
        /// The users who are no members.
        users: Vec<UserId>,
    },
    /// A group's name or other info was changed.
    GroupUpdated {
        /// The group.
        group: GroupId,
        /// The user who changed it.
        user: UserId,
        /// The device that signed the operation.
        device: DeviceId,
        /// The operation.
        operation: OperationId,
    },
    /// What was held for a user was dropped for its age or its size (X 9).
    HeldDropped {
        /// The user who sent it.
        user: UserId,
    },
    /// A prekey bundle that is older than 14 days was used: the device may be idle (X 6).
    IdleDevice {
        /// The user of the device.
        user: UserId,
        /// The device.
        device: DeviceId,
    },
    /// Another account key claims a user. Sends to the user wait, and what arrives is held, until the app accepts the key (X 5).
    IdentityChanged {
        /// The user.
        user: UserId,
        /// The account key that was pinned.
        pinned: AccountKey,
        /// The account key that claims the user.
        claimed: AccountKey,
        /// Whether the app had verified the pinned key (A14).
        was_verified: bool,
    },
    /// The server refused a batch and showed no newer list (X 5).
    ServerInconsistent {
        /// The user whom the batch was for.
        user: UserId,
    },
    /// An envelope of a known device could not be opened: what it said is lost, unless the sender says it again.
    NotOpened {
        /// The user who sent it.
        user: UserId,
        /// The device that sent it.
        device: DeviceId,
        /// The number of the code that says why.
        reason: u16,
    },
    /// There is a list of our own user that the account key has signed and this device, which signs them, has not: its store was put back to an
    /// earlier state, or somebody else has the account key. Until `adopt_own_list` takes it or `resolve_fork` rejects it, no list goes up (X 5).
    OwnListAhead {
        /// The signed list that this device holds.
        known: Vec<u8>,
        /// The signed list that is ahead of it.
        other: Vec<u8>,
        /// The hash of the known list, 32 bytes.
        known_hash: ListHash,
        /// The hash of the list that is ahead, 32 bytes.
        other_hash: ListHash,
    },
    /// The server refused this device as a new one: its name is taken, or the token is not good.
    RegistrationRefused {
        /// The user.
        user: UserId,
    },
    /// This device is off its user's list: nothing more goes out or comes in.
    RemovedFromAccount {
        /// The epoch of the list that does not name it.
        epoch: u64,
    },
    /// One of the user's devices has logged out and asks this one, the primary, to remove it.
    DeviceWantsRemoval {
        /// The device.
        device: DeviceId,
    },
    /// The primary offers its part to this device: the app shows the digits, and calls `confirm_handover` if the user sees the same ones there.
    HandoverOffered {
        /// The primary.
        device: DeviceId,
        /// 15 decimal digits.
        digits: String,
        /// The hand-over.
        handover: HandoverId,
    },
    /// A send is settled with every user: the server has taken it, or it was given up.
    SendFinished {
        /// The send.
        send: SendId,
        /// The message's id, the same in every copy.
        content_id: ContentId,
        /// The group that it was sent to; absent for a direct send.
        group: Option<GroupId>,
        /// The number of users whom it reached.
        reached: u32,
        /// The users whom it did not reach.
        failed: Vec<FailedUser>,
        /// The devices that got nothing of it.
        skipped: Vec<SkippedDevice>,
    },
    /// The server's store was put back to an earlier state, and this device uploads its keys again.
    ServerRestored,
    /// Rows of the store do not open: bytes have changed where they lie. What one of them held is lost, and nothing else. Told with each
    /// housekeeping that meets such rows. `forget` of the contact or group that a row belongs to is the way out (rules, section 9).
    StoreDamaged {
        /// How many rows there are.
        rows: u32,
    },
    /// Messages went out to a device again, because it could not open them (X 8).
    Resent {
        /// The user of the device.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// How many there are.
        messages: u32,
    },
    /// This device and another one have begun anew, because one of them could not open what the other one said: its store was put back or damaged, or
    /// its app said so (X 8). What was lost meanwhile is sent again, as far as it is kept.
    SessionReset {
        /// The user of the other device.
        user: UserId,
        /// The other device.
        device: DeviceId,
        /// Whether this device began.
        by_us: bool,
    },
    /// Another device has begun a session with this one.
    SessionStarted {
        /// The user of the other device.
        user: UserId,
        /// The other device.
        device: DeviceId,
        /// The session's name, equal at both ends.
        session_id: SessionId,
    },
}
