//! The handle of a group.

use super::bytes::Bytes;
use super::error::{Result, SesameError};
use super::generated::{
    ContentId, Cost, GroupChange, GroupId, GroupKind, GroupView, HistoryEntry, PendingSend, SessionView,
};
use crate::host::user_id;
use sesame::Client;
use sesame_core::{
    error::{Code, Error},
    ids::{self, DeviceId, GroupKind as CoreKind, UserId},
};
use std::sync::Arc;

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

    /// The send that tells the members.
    pub fn send(&self) -> PendingSend {
        self.send.clone()
    }
}

pub(super) fn group_id(bytes: &[u8]) -> Result<ids::GroupId> {
    let id = bytes.try_into().map_err(|_| SesameError::from(Error::of(Code::InvalidArgument, "group")))?;
    Ok(ids::GroupId(id))
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
    let (group, send) = client.create_group(CoreKind::Pairwise, &info, &users)?;
    let group = Arc::new(Group { client: client.clone(), id: group.id() });
    Ok(Arc::new(NewGroup { group, send: send.into() }))
}

pub(super) fn handle(client: &Arc<Client>, id: ids::GroupId) -> Result<Arc<Group>> {
    client.group(&id).map(drop)?;
    Ok(Arc::new(Group { client: client.clone(), id }))
}

/// One group. What is said about it is signed, and sent like any other message; the server knows nothing of it.
#[derive(::uniffi::Object)]
pub struct Group {
    client: Arc<Client>,
    id: ids::GroupId,
}

impl Group {
    fn call<T>(
        &self,
        call: impl FnOnce(sesame::Group<'_>) -> std::result::Result<T, Error>,
    ) -> std::result::Result<T, Error> {
        call(self.client.known_group(self.id))
    }
}

#[::uniffi::export]
impl Group {
    /// GroupID, 32 bytes.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id.0.into()
    }

    /// Members, info, and how this user stands.
    pub fn view(&self) -> Result<GroupView> {
        Ok(self.call(|group| group.view())?.into())
    }

    /// Adds users, at most 200 at once. They must be known: `registry.look_up` asks the server for those who are not. Who has
    /// left before is asked, and is a member again when they accept.
    pub fn add(&self, users: Vec<String>) -> Result<PendingSend> {
        let users = user_ids(&users)?;
        Ok(self.call(|group| group.add(&users))?.into())
    }

    /// Adds a member anew under the account key that this device knows, after the member's identity has changed and the app has accepted
    /// it: the group shows such a member among its `conflicts`. The former identity stays named, and each member goes by the key
    /// that they know.
    pub fn readmit(&self, user: String) -> Result<PendingSend> {
        let user = user_id(&user)?;
        Ok(self.call(|group| group.readmit(&user))?.into())
    }

    /// Changes name, description and the like; what is absent stays.
    pub fn update_info(&self, change: GroupChange) -> Result<PendingSend> {
        let change = change.into();
        Ok(self.call(|group| group.update_info(&change))?.into())
    }

    /// Changes the name.
    pub fn rename(&self, name: String) -> Result<PendingSend> {
        Ok(self.call(|group| group.rename(&name))?.into())
    }

    /// Leaves. The others send this user nothing more there once they know.
    pub fn leave(&self) -> Result<PendingSend> {
        Ok(self.call(|group| group.leave())?.into())
    }

    /// Says yes to an invitation: by somebody whom our user does not know, or to come back after a leave. What was held for the
    /// group is in the inbox then.
    pub fn accept(&self) -> Result<PendingSend> {
        Ok(self.call(|group| group.accept())?.into())
    }

    /// Stays away, after an invitation. Who asked learns of it.
    pub fn decline(&self) -> Result<PendingSend> {
        Ok(self.call(|group| group.decline())?.into())
    }

    /// Makes a new group of the members but these, with the same info. The old group stays as it is, and nothing is said to those left out.
    pub fn fork_without(&self, users: Vec<String>) -> Result<Arc<NewGroup>> {
        let users = user_ids(&users)?;
        let (id, send) = self.call(|group| {
            let (fork, send) = group.fork_without(&users)?;
            Ok((fork.id(), send))
        })?;
        let group = Arc::new(Self { client: self.client.clone(), id });
        Ok(Arc::new(NewGroup { group, send: send.into() }))
    }

    /// Sends to all members, and a transcript to the user's own other devices. Give `content_id`, 16 bytes, for an id of your own.
    #[::uniffi::method(default(content_id = None))]
    pub fn send(&self, payload: Bytes, content_id: Option<ContentId>) -> Result<PendingSend> {
        let content_id = content_id.map(|id| super::given::id16(&id, "content_id")).transpose()?;
        Ok(self.call(|group| group.send(&payload, content_id.map(ids::ContentId)))?.into())
    }

    /// The group's active session with a device, or nothing when the next send opens one.
    pub fn session(&self, user: String, device: u32) -> Result<Option<SessionView>> {
        let user = user_id(&user)?;
        let view = self.call(|group| group.session(&user, DeviceId(device)))?;
        Ok(view.map(SessionView::from))
    }

    /// Forgets a group that the user has left: its operations, its sessions, and what is held for it.
    pub fn forget(&self) -> Result<()> {
        Ok(self.call(|group| group.forget())?)
    }

    /// All operations, those that do not count included, in an order that is the same for all members.
    pub fn history(&self) -> Result<Vec<HistoryEntry>> {
        let entries = self.call(|group| group.history())?;
        Ok(entries.into_iter().map(HistoryEntry::from).collect())
    }

    /// What a message of `length` bytes will cost now.
    pub fn cost(&self, length: u64) -> Result<Cost> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(self.call(|group| group.cost(length))?.into())
    }
}
