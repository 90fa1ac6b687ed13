//! Groups as an app sees them, and what it asks of one.

use crate::ids::{AccountKey, DeviceId, GroupId, GroupKind, OperationId, UserId};
use core::fmt;

/// How our user stands in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Our user has left, or was never a member.
    Left,
    /// Our user is asked by this operation: by somebody whom they do not know, or back after a leave.
    Invited(OperationId),
    /// Our user is a member.
    Member,
}

/// What a group is called, and what else its members agreed upon.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct GroupInfo {
    /// At most 256 bytes.
    pub name: String,
    /// At most 2,048 bytes.
    pub description: String,
    /// Where a picture is, as the app says; at most 1,024 bytes.
    pub picture: Vec<u8>,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: u32,
    /// The app's own; at most 4,096 bytes.
    pub app_data: Vec<u8>,
}

// By hand: a derived Debug would print what the members said.
impl fmt::Debug for GroupInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, description, picture, timer, app_data } = self;
        let lengths = [name.len(), description.len(), picture.len(), app_data.len()];
        write!(f, "GroupInfo({lengths:?} bytes, timer {timer})")
    }
}

/// A group, as this device knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupView {
    /// GroupID, 32 bytes.
    pub id: GroupId,
    /// How its messages travel.
    pub kind: GroupKind,
    /// Member, invited, or left.
    pub standing: Standing,
    /// The members, rising by user.
    pub members: Vec<MemberView>,
    /// Members whom this device knows under an account key that the group does not name. Nothing is sent to them there; direct messages
    /// and other groups are not touched.
    pub conflicts: Vec<UserId>,
    /// Name, description and the like.
    pub info: GroupInfo,
    /// Devices that had other operations when they were last heard.
    pub diverged: Vec<(UserId, DeviceId)>,
}

/// A member of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberView {
    /// The user.
    pub user: UserId,
    /// The account keys that adds have named; more than one when they differ.
    pub account_keys: Vec<AccountKey>,
}

/// One operation of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryEntry {
    /// OperationID, 32 bytes: the hash of what was signed.
    pub id: OperationId,
    /// The authenticated author.
    pub user: UserId,
    /// The author's device.
    pub device: DeviceId,
    /// What the operation did.
    pub act: Act,
    /// Whether the operation counts. It does not if its author had left, had lost the device, or never was a member.
    pub counts: bool,
}

/// What an operation did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// The author accepted an invitation back.
    Accepted,
    /// The author added these users, or asked them back.
    Added(Vec<UserId>),
    /// The author made the group.
    Created(GroupChange),
    /// The author declined an invitation back.
    Declined,
    /// The author left.
    Left,
    /// The author's user took this device off the device list.
    Retired(DeviceId),
    /// The author changed the info.
    Updated(GroupChange),
}

/// New values for a group's info; what is absent stays. Texts are UTF-8 without control characters and without characters that turn the
/// direction of the text around them.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct GroupChange {
    /// At most 256 bytes.
    pub name: Option<String>,
    /// At most 2,048 bytes.
    pub description: Option<String>,
    /// Where a picture is, as the app says; at most 1,024 bytes.
    pub picture: Option<Vec<u8>>,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: Option<u32>,
    /// The app's own; at most 4,096 bytes.
    pub app_data: Option<Vec<u8>>,
}

// By hand, as for GroupInfo.
impl fmt::Debug for GroupChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, description, picture, timer, app_data } = self;
        let texts = [name, description].map(|text| text.as_ref().map(String::len));
        let bytes = [picture, app_data].map(|bytes| bytes.as_ref().map(Vec::len));
        write!(f, "GroupChange({texts:?} {bytes:?} bytes, timer {timer:?})")
    }
}

impl GroupChange {
    /// A change of the name alone.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::default() }
    }

    /// A change that sets every value of an info.
    #[must_use]
    pub fn whole(info: &GroupInfo) -> Self {
        let GroupInfo { name, description, picture, timer, app_data } = info.clone();
        Self {
            name: Some(name),
            description: Some(description),
            picture: Some(picture),
            timer: Some(timer),
            app_data: Some(app_data),
        }
    }
}

/// What one message to a group costs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cost {
    /// One for each device of each member, but for the sending one.
    pub envelopes: usize,
    /// Bytes of all envelopes on the wire.
    pub bytes: u64,
    /// Members whose device list is not known yet, so that their devices are not counted.
    pub unknown: Vec<UserId>,
}
