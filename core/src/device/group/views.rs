//! What the app may look at in a group, and how it says what is to change.

use crate::{
    error::{Code, Error},
    group::operation::Operation,
    ids::{DeviceId, GroupId, GroupKind, OperationId, UserId},
    record::{Group, GroupInfo, Scope, Standing},
    wire::group::{Body, Change},
};
use std::collections::BTreeSet;

/// A group, as this device knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupView {
    /// 32 bytes.
    pub id: GroupId,
    /// How its messages travel.
    pub kind: GroupKind,
    /// Member, invited back, or left.
    pub standing: Standing,
    /// The members, rising.
    pub members: Vec<MemberView>,
    /// Name, description and the like.
    pub info: GroupInfo,
    /// Devices that had other operations when they were last heard.
    pub diverged: Vec<(UserId, DeviceId)>,
}

/// A member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberView {
    /// Who.
    pub user: UserId,
    /// The account keys that adds have named; more than one when they differ.
    pub account_keys: Vec<[u8; 32]>,
}

/// One operation of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryEntry {
    /// The hash of what was signed.
    pub id: OperationId,
    /// Whose word it was; authenticated.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// What was done.
    pub act: Act,
    /// Whether it counts: who had left, or lost the device, or never was a member, has no say.
    pub counts: bool,
}

/// What an operation did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Came back.
    Accepted,
    /// Added, or asked back, these users.
    Added(Vec<UserId>),
    /// Made the group.
    Created(GroupChange),
    /// Stayed away.
    Declined,
    /// Left.
    Left,
    /// Took a device of their own off the list.
    Retired(DeviceId),
    /// Changed the info.
    Updated(GroupChange),
}

/// New values for a group's info; what is absent stays. Texts are UTF-8 without control characters and without characters that turn the
/// direction of the text around them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
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

impl GroupChange {
    /// As it travels.
    pub(super) fn form(&self) -> Result<Change, Error> {
        let Self { name, description, picture, timer, app_data } = self;
        let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec().into());
        let bytes = |bytes: &Option<Vec<u8>>| bytes.clone().map(Into::into);
        let change = Change {
            name: text(name),
            description: text(description),
            picture: bytes(picture),
            timer: *timer,
            app_data: bytes(app_data),
        };
        change.check().map_err(|_| Error::of(Code::InvalidArgument, "change"))?;
        Ok(change)
    }

    fn of(change: &Change) -> Self {
        let Change { name, description, picture, timer, app_data } = change;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            name: name.as_ref().map(|name| text(name.as_slice())),
            description: description.as_ref().map(|description| text(description.as_slice())),
            picture: picture.as_ref().map(|picture| picture.as_slice().to_vec()),
            timer: *timer,
            app_data: app_data.as_ref().map(|data| data.as_slice().to_vec()),
        }
    }

    /// All of an info.
    pub(super) fn whole(info: &GroupInfo) -> Self {
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

impl GroupView {
    pub(super) fn of(group: Group) -> Option<Self> {
        let Scope::Group(kind, id) = group.scope else { return None };
        let is_member = group.standing == Standing::Member;
        let concerned = |user: &UserId| is_member && group.members.iter().any(|member| member.user == *user);
        let diverged = group.lags.iter().filter(|lag| concerned(&lag.user));
        let diverged = diverged.map(|lag| (lag.user.clone(), lag.device)).collect();
        let members = group.members.into_iter().map(|m| MemberView { user: m.user, account_keys: m.account_keys });
        Some(Self { id, kind, standing: group.standing, members: members.collect(), info: group.info, diverged })
    }
}

impl HistoryEntry {
    pub(super) fn of(operation: &Operation, void: &BTreeSet<OperationId>) -> Self {
        let act = match &operation.form.body {
            Body::Accept { .. } => Act::Accepted,
            Body::Add { members } => {
                let users = members.iter().filter_map(|added| UserId::try_new(added.user.as_slice().to_vec()));
                Act::Added(users.collect())
            }
            Body::Create { change, .. } => Act::Created(GroupChange::of(change)),
            Body::Decline { .. } => Act::Declined,
            Body::Info { change } => Act::Updated(GroupChange::of(change)),
            Body::Leave => Act::Left,
            Body::Retire { device, .. } => Act::Retired(DeviceId(*device)),
        };
        Self {
            id: operation.id,
            user: operation.author.clone(),
            device: operation.device(),
            act,
            counts: !void.contains(&operation.id),
        }
    }
}
