//! The handle of a group.

use super::bytes::Bytes;
use super::error::{Result, SesameError};
use super::types::{PendingSend, SessionView};
use crate::host::{user_id, user_name};
use sesame::Client;
use sesame_core::{
    context::Context,
    error::{Code, Error},
    event as core,
    ids::{ContentId, DeviceId, GroupId, GroupKind as CoreKind, UserId},
};
use std::sync::Arc;

/// How a group's messages travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ::uniffi::Enum)]
pub enum GroupKind {
    /// A ratchet for each pair of devices, apart from their direct one.
    Pairwise,
}

/// How this user stands in a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ::uniffi::Enum)]
pub enum Standing {
    /// Has left.
    Left,
    /// Has left and is asked back.
    Invited,
    /// A member.
    Member,
}

/// A group's name and what else its members agreed upon.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct GroupInfo {
    /// At most 256 bytes.
    pub name: String,
    /// At most 2,048 bytes.
    pub description: String,
    /// Where a picture is, as the app says; at most 1,024 bytes.
    pub picture: Bytes,
    /// After how many seconds messages should disappear; 0 for never.
    pub timer: u32,
    /// The app's own; at most 4,096 bytes.
    pub app_data: Bytes,
}

/// New values for a group's info; what is absent stays.
#[derive(Clone, Debug, Default, ::uniffi::Record)]
pub struct GroupChange {
    /// At most 256 bytes of UTF-8.
    #[uniffi(default = None)]
    pub name: Option<String>,
    /// At most 2,048 bytes of UTF-8.
    #[uniffi(default = None)]
    pub description: Option<String>,
    /// At most 1,024 bytes.
    #[uniffi(default = None)]
    pub picture: Option<Bytes>,
    /// Seconds; 0 for never.
    #[uniffi(default = None)]
    pub timer: Option<u32>,
    /// At most 4,096 bytes.
    #[uniffi(default = None)]
    pub app_data: Option<Bytes>,
}

/// A device that had other operations when it was last heard.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct DivergedDevice {
    /// Whose.
    pub user: String,
    /// Which.
    pub device: u32,
}

/// A group, as this device knows it.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct GroupView {
    /// 32 bytes.
    pub id: Bytes,
    /// How its messages travel.
    pub kind: GroupKind,
    /// Member, invited back, or left.
    pub standing: Standing,
    /// The members, rising.
    pub members: Vec<String>,
    /// Name, description and the like.
    pub info: GroupInfo,
    /// Members' devices with other operations.
    pub diverged: Vec<DivergedDevice>,
}

/// What an operation did.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Act {
    /// Came back.
    Accepted,
    /// Added, or asked back.
    Added {
        /// Whom.
        users: Vec<String>,
    },
    /// Made the group.
    Created {
        /// With this info.
        change: GroupChange,
    },
    /// Stayed away.
    Declined,
    /// Left.
    Left,
    /// Took a device of their own off the list.
    Retired {
        /// Which.
        retired: u32,
    },
    /// Changed the info.
    Updated {
        /// What of it.
        change: GroupChange,
    },
}

/// One operation of a group.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct HistoryEntry {
    /// 32 bytes.
    pub id: Bytes,
    /// Whose word it was; authenticated.
    pub user: String,
    /// On which device.
    pub device: u32,
    /// What was done.
    pub act: Act,
    /// Whether it counts.
    pub counts: bool,
}

/// What a message to a group costs.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Cost {
    /// One for each device of each member, but for the sending one.
    pub envelopes: u32,
    /// On the wire.
    pub bytes: u64,
    /// Members whose device list is not here yet.
    pub unknown: Vec<String>,
}

/// A new group, and the send that tells its members.
#[derive(::uniffi::Object)]
pub struct NewGroup {
    group: Arc<Group>,
    send: PendingSend,
}

#[::uniffi::export]
impl NewGroup {
    /// The group.
    pub fn group(&self) -> Arc<Group> {
        self.group.clone()
    }

    /// To be submitted like any other; more may be in the outbox when the group is very large.
    pub fn send(&self) -> PendingSend {
        self.send.clone()
    }
}

impl From<GroupChange> for core::GroupChange {
    fn from(change: GroupChange) -> Self {
        let GroupChange { name, description, picture, timer, app_data } = change;
        Self { name, description, picture: picture.map(Vec::from), timer, app_data: app_data.map(Vec::from) }
    }
}

impl From<core::GroupChange> for GroupChange {
    fn from(change: core::GroupChange) -> Self {
        let core::GroupChange { name, description, picture, timer, app_data } = change;
        Self { name, description, picture: picture.map(Bytes), timer, app_data: app_data.map(Bytes) }
    }
}

impl From<core::GroupView> for GroupView {
    fn from(view: core::GroupView) -> Self {
        let core::GroupInfo { name, description, picture, timer, app_data } = view.info;
        let diverged =
            view.diverged.iter().map(|(user, device)| DivergedDevice { user: user_name(user), device: device.0 });
        Self {
            id: view.id.0.to_vec().into(),
            kind: match view.kind {
                CoreKind::Pairwise => GroupKind::Pairwise,
            },
            standing: match view.standing {
                core::Standing::Left => Standing::Left,
                core::Standing::Invited(_) => Standing::Invited,
                core::Standing::Member => Standing::Member,
            },
            members: view.members.iter().map(|member| user_name(&member.user)).collect(),
            info: GroupInfo { name, description, picture: picture.into(), timer, app_data: app_data.into() },
            diverged: diverged.collect(),
        }
    }
}

impl From<core::HistoryEntry> for HistoryEntry {
    fn from(entry: core::HistoryEntry) -> Self {
        Self {
            id: entry.id.0.to_vec().into(),
            user: user_name(&entry.user),
            device: entry.device.0,
            act: match entry.act {
                core::Act::Accepted => Act::Accepted,
                core::Act::Added(users) => Act::Added { users: users.iter().map(user_name).collect() },
                core::Act::Created(change) => Act::Created { change: change.into() },
                core::Act::Declined => Act::Declined,
                core::Act::Left => Act::Left,
                core::Act::Retired(device) => Act::Retired { retired: device.0 },
                core::Act::Updated(change) => Act::Updated { change: change.into() },
            },
            counts: entry.counts,
        }
    }
}

pub(super) fn group_id(bytes: &[u8]) -> Result<GroupId> {
    let id = bytes.try_into().map_err(|_| SesameError::from(Error::of(Code::InvalidArgument, "group")))?;
    Ok(GroupId(id))
}

pub(super) fn user_ids(users: &[String]) -> Result<Vec<UserId>> {
    Ok(users.iter().map(|user| user_id(user)).collect::<std::result::Result<_, Error>>()?)
}

pub(super) fn create(
    client: &Arc<Client>,
    kind: GroupKind,
    info: GroupChange,
    users: &[String],
) -> Result<Arc<NewGroup>> {
    let (info, users) = (info.into(), user_ids(users)?);
    let GroupKind::Pairwise = kind;
    let (id, send) = client.call(|device, context| {
        let (group, send) = device.create_group(context, CoreKind::Pairwise, &info, &users)?;
        Ok((group.id(), send))
    })?;
    let group = Arc::new(Group { client: client.clone(), id });
    Ok(Arc::new(NewGroup { group, send: send.into() }))
}

pub(super) fn handle(client: &Arc<Client>, id: GroupId) -> Result<Arc<Group>> {
    client.call(|device, context| device.group(context, &id).map(drop))?;
    Ok(Arc::new(Group { client: client.clone(), id }))
}

/// One group. What is said about it is signed, and sent like any other message; the server knows nothing of it.
#[derive(::uniffi::Object)]
pub struct Group {
    client: Arc<Client>,
    id: GroupId,
}

impl Group {
    fn call<T>(
        &self,
        call: impl FnOnce(sesame_core::device::Group<'_>, &mut Context<'_>) -> std::result::Result<T, Error>,
    ) -> std::result::Result<T, Error> {
        self.client.call(|device, context| call(device.group(context, &self.id)?, context))
    }
}

#[::uniffi::export]
impl Group {
    /// GroupID, 32 bytes.
    pub fn id(&self) -> Bytes {
        self.id.0.to_vec().into()
    }

    /// Members, info, and how this user stands.
    pub fn view(&self) -> Result<GroupView> {
        Ok(self.call(|group, context| group.view(context))?.into())
    }

    /// Adds users, at most 200 at once. Their account keys must be known: bring their device lists with `registry.apply` first. Who has
    /// left before is asked, and is a member again when they accept.
    pub fn add(&self, users: Vec<String>) -> Result<PendingSend> {
        let users = user_ids(&users)?;
        Ok(self.call(|group, context| group.add(context, &users))?.into())
    }

    /// Changes name, description and the like; what is absent stays.
    pub fn update_info(&self, change: GroupChange) -> Result<PendingSend> {
        let change = change.into();
        Ok(self.call(|group, context| group.update_info(context, &change))?.into())
    }

    /// Changes the name.
    pub fn rename(&self, name: String) -> Result<PendingSend> {
        Ok(self.call(|group, context| group.rename(context, &name))?.into())
    }

    /// Leaves. The others send this user nothing more there once they know.
    pub fn leave(&self) -> Result<PendingSend> {
        Ok(self.call(|group, context| group.leave(context))?.into())
    }

    /// Comes back, after a leave and an invitation.
    pub fn accept(&self) -> Result<PendingSend> {
        Ok(self.call(|group, context| group.accept(context))?.into())
    }

    /// Stays away, after a leave and an invitation.
    pub fn decline(&self) -> Result<PendingSend> {
        Ok(self.call(|group, context| group.decline(context))?.into())
    }

    /// Makes a new group of the members but these, with the same info. The old group stays as it is, and nothing is said to those left out.
    pub fn fork_without(&self, users: Vec<String>) -> Result<Arc<NewGroup>> {
        let users = user_ids(&users)?;
        let (id, send) = self.call(|group, context| {
            let (fork, send) = group.fork_without(context, &users)?;
            Ok((fork.id(), send))
        })?;
        let group = Arc::new(Self { client: self.client.clone(), id });
        Ok(Arc::new(NewGroup { group, send: send.into() }))
    }

    /// Sends to all members, and a transcript to the user's own other devices. Give `content_id`, 16 bytes, for an id of your own.
    #[::uniffi::method(default(content_id = None))]
    pub fn send(&self, payload: Bytes, content_id: Option<Bytes>) -> Result<PendingSend> {
        let content_id = content_id.map(|id| super::types::id16(&id, "content_id")).transpose()?;
        Ok(self.call(|group, context| group.send(context, &payload, content_id.map(ContentId)))?.into())
    }

    /// The group's active session with a device, or nothing when the next send opens one.
    pub fn session(&self, user: String, device: u32) -> Result<Option<SessionView>> {
        let user = user_id(&user)?;
        let view = self.call(|group, context| group.session(context, &user, DeviceId(device)))?;
        Ok(view.map(SessionView::from))
    }

    /// All operations, those that do not count included, in an order that is the same for all members.
    pub fn history(&self) -> Result<Vec<HistoryEntry>> {
        let entries = self.call(|group, context| group.history(context))?;
        Ok(entries.into_iter().map(HistoryEntry::from).collect())
    }

    /// What a message of `length` bytes will cost now.
    pub fn cost(&self, length: u64) -> Result<Cost> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let cost = self.call(|group, context| group.cost(context, length))?;
        Ok(Cost {
            envelopes: u32::try_from(cost.envelopes).unwrap_or(u32::MAX),
            bytes: cost.bytes,
            unknown: cost.unknown.iter().map(user_name).collect(),
        })
    }
}
