//! Groups: a handle to one, and what is done in it, each act a signed operation that is sent as an ordinary encrypted message (D6).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Cost, GroupChange, GroupView, HistoryEntry, PendingSend, Recipients, SessionView, Standing},
    flow::{
        group::{
            act, cost,
            state::{self, Loaded},
            tell,
        },
        look,
        upkeep::forget,
    },
    group::history,
    ids::{ContentId, DeviceId, GroupId, GroupKind, UserId},
    model::GroupRecord,
    store::Kind,
    tx::Call,
    wire::group::Body,
};

/// A handle to one group of this device. It holds no state: every call reads the store.
#[derive(Clone, Copy, Debug)]
pub struct Group<'d> {
    device: &'d Device,
    id: GroupId,
}

impl Device {
    /// Makes a group of this user and `users`, and tells them. A user who is not known yet must be made known first: [`Device::look_up`]
    /// asks the server.
    ///
    /// What is returned is the send that tells them; a state too large for one message goes in several.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the user's place; [`Code::TooMany`] beyond 1,000 members;
    /// [`Code::InvalidArgument`] for info outside its bounds; as [`Device::batch_encrypt`].
    pub fn create_group(
        &self,
        context: &mut Context<'_>,
        kind: GroupKind,
        info: &GroupChange,
        users: &[UserId],
    ) -> Result<(Group<'_>, PendingSend), Error> {
        let change = act::form(info)?;
        let (id, send) = self.call(context, |call| act::found(call, kind, &change, users, None))?;
        Ok((Group { device: self, id }, send))
    }

    /// The group with this id.
    ///
    /// # Errors
    /// [`Code::UnknownGroup`]; the store's.
    pub fn group(&self, context: &mut Context<'_>, id: &GroupId) -> Result<Group<'_>, Error> {
        // One that is damaged has a handle as well: it can be forgotten.
        self.call(context, |call| match call.tx.exists(&call.tx.places().group(Kind::Group, id))? {
            true => Ok(()),
            false => Err(Code::UnknownGroup.into()),
        })?;
        Ok(Group { device: self, id: *id })
    }

    /// Every group that this device knows, those that its user has left included, rising by id.
    ///
    /// # Errors
    /// The store's.
    pub fn groups(&self, context: &mut Context<'_>) -> Result<Vec<GroupView>, Error> {
        self.call(context, |call| {
            let mut views: Vec<GroupView> = Vec::new();
            for group in call.tx.groups()? {
                views.extend(group.view(tell::conflicts(call, &group)?));
            }
            views.sort_by_key(|view| view.id);
            Ok(views)
        })
    }
}

impl<'d> Group<'d> {
    /// GroupID, 32 bytes.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    fn with<T>(
        &self,
        context: &mut Context<'_>,
        mut then: impl FnMut(&mut Call<'_>, Loaded) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.device.call(context, |call| {
            let loaded = state::load(&call.tx, &self.id)?;
            if loaded.group.is_none() {
                return Err(Code::UnknownGroup.into());
            }
            then(call, loaded)
        })
    }

    /// One operation as a member, and the send that tells the others.
    fn as_member(
        &self,
        context: &mut Context<'_>,
        body: impl Fn(&Call<'_>, &Loaded) -> Result<Body, Error>,
    ) -> Result<PendingSend, Error> {
        self.with(context, |call, loaded| {
            if loaded.group.as_ref().is_none_or(|group| group.standing != Standing::Member) {
                return Err(Code::NotAMember.into());
            }
            let body = body(call, &loaded)?;
            act::act_and_sync(call, &self.id, loaded, body)
        })
    }

    /// Members, info, and how our user stands.
    ///
    /// # Errors
    /// The store's.
    pub fn view(&self, context: &mut Context<'_>) -> Result<GroupView, Error> {
        self.device.call(context, |call| {
            let group = call.tx.group(&self.id)?.ok_or(Code::UnknownGroup)?;
            Ok(group.view(tell::conflicts(call, &group)?).ok_or(Code::UnknownGroup)?)
        })
    }

    /// Adds users, at most 200 at once. Each of their devices gets all operations of the group; a user who has left it before is asked, and
    /// is a member again after accepting.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::EmptyBatch`]; [`Code::AlreadyMember`], [`Code::UnknownUser`] or [`Code::IdentityNotAccepted`], with the
    /// user's place; [`Code::TooMany`]; [`Code::TooManyOperations`].
    pub fn add(&self, context: &mut Context<'_>, users: &[UserId]) -> Result<PendingSend, Error> {
        if users.is_empty() {
            return Err(Error::of(Code::EmptyBatch, "users"));
        }
        self.as_member(context, |call, loaded| act::add(call, loaded, users))
    }

    /// Adds a member anew under the account key that this device knows, after the member's identity has changed and the app has accepted it:
    /// the group shows such a member among its `conflicts`. The former identity stays named, and each member goes by the key that they know.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::UnknownUser`]; [`Code::IdentityNotAccepted`]; [`Code::InvalidArgument`] if the
    /// user is no member under another key; [`Code::TooMany`]; [`Code::TooManyOperations`].
    pub fn readmit(&self, context: &mut Context<'_>, user: &UserId) -> Result<PendingSend, Error> {
        self.as_member(context, |call, loaded| act::readmit(call, loaded, user))
    }

    /// Changes name, description and the like; what is absent stays.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::GroupOverfull`]; [`Code::InvalidArgument`] for nothing, or for what is outside its bounds; [`Code::TooManyOperations`].
    pub fn update_info(&self, context: &mut Context<'_>, change: &GroupChange) -> Result<PendingSend, Error> {
        let change = act::form(change)?;
        if change.is_empty() {
            return Err(Error::of(Code::InvalidArgument, "change"));
        }
        self.as_member(context, |_, _| Ok(Body::Info { change: change.clone() }))
    }

    /// Changes the name: a short form of [`Group::update_info`].
    ///
    /// # Errors
    /// As there.
    pub fn rename(&self, context: &mut Context<'_>, name: &str) -> Result<PendingSend, Error> {
        self.update_info(context, &GroupChange::named(name))
    }

    /// Leaves, for good unless this user accepts an invitation back. The others send it nothing more once they know.
    ///
    /// # Errors
    /// [`Code::NotAMember`].
    pub fn leave(&self, context: &mut Context<'_>) -> Result<PendingSend, Error> {
        self.as_member(context, |_, _| Ok(Body::Leave))
    }

    /// Says yes to an invitation: by somebody whom our user does not know, or to come back after a leave. What was held for the group is in the inbox
    /// then.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn accept(&self, context: &mut Context<'_>) -> Result<PendingSend, Error> {
        self.answer(context, |call| act::accept_invitation(call, &self.id), |add| Body::Accept { add })
    }

    /// Stays away, after an invitation. Who asked learns of it.
    ///
    /// # Errors
    /// [`Code::NotInvited`].
    pub fn decline(&self, context: &mut Context<'_>) -> Result<PendingSend, Error> {
        let leave = |call: &mut Call<'_>| {
            let loaded = state::load(&call.tx, &self.id)?;
            act::act_and_sync(call, &self.id, loaded, Body::Leave)
        };
        self.answer(context, leave, |add| Body::Decline { add })
    }

    /// `consent` answers whoever added our user without knowing us; `word` is the operation that answers an invitation back.
    fn answer(
        &self,
        context: &mut Context<'_>,
        mut consent: impl FnMut(&mut Call<'_>) -> Result<PendingSend, Error>,
        word: impl Fn([u8; 32]) -> Body,
    ) -> Result<PendingSend, Error> {
        self.with(context, |call, loaded| match &loaded.group {
            Some(GroupRecord { invitation: Some(_), .. }) => consent(call),
            Some(GroupRecord { standing: Standing::Invited(add), .. }) => {
                let add = *add;
                act::act_and_sync(call, &self.id, loaded, word(add.0))
            }
            _ => Err(Code::NotInvited.into()),
        })
    }

    /// Makes a new group of the members but `users`, with the same info. Nobody removes another: the old group stays as it is, nothing is
    /// said to those left out, and this user leaves the old one by [`Group::leave`], if at all.
    ///
    /// # Errors
    /// [`Code::NotAMember`]; [`Code::InvalidArgument`] when a user is none of the other members; as [`Device::create_group`].
    pub fn fork_without(&self, context: &mut Context<'_>, users: &[UserId]) -> Result<(Group<'d>, PendingSend), Error> {
        let (id, send) = self.with(context, |call, loaded| {
            let group = loaded.group.filter(|group| group.standing == Standing::Member).ok_or(Code::NotAMember)?;
            act::fork_without(call, &group, users)
        })?;
        Ok((Group { device: self.device, id }, send))
    }

    /// Forgets a group that our user has left: its operations, its sessions, and what is held for it.
    ///
    /// # Errors
    /// [`Code::AlreadyMember`] while our user is a member; the store's.
    pub fn forget(&self, context: &mut Context<'_>) -> Result<(), Error> {
        self.device.call(context, |call| forget::group(call, &self.id))
    }

    /// Sends the app's bytes to all members, and a transcript to the user's own other devices.
    ///
    /// # Errors
    /// As [`Device::batch_encrypt`], which it is.
    pub fn send(
        &self,
        context: &mut Context<'_>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<PendingSend, Error> {
        self.device.batch_encrypt(context, Recipients::Group(self.id), payload, content_id)
    }

    /// The group's active session with a device, or `None` when the next send opens one.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn session(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
    ) -> Result<Option<SessionView>, Error> {
        self.device.call(context, |call| {
            let group = call.tx.group(&self.id)?.ok_or(Code::UnknownGroup)?;
            Ok(look::session(call, user, device, group.scope)?)
        })
    }

    /// All operations of the group, those that do not count included, in an order that is the same for all members.
    ///
    /// # Errors
    /// The store's.
    pub fn history(&self, context: &mut Context<'_>) -> Result<Vec<HistoryEntry>, Error> {
        self.with(context, |_, Loaded { set, view, .. }| {
            let void = view.map(|view| view.void).unwrap_or_default();
            Ok(set.operations().into_iter().map(|operation| history::entry(operation, &void)).collect())
        })
    }

    /// What a message of `length` bytes will cost now.
    ///
    /// # Errors
    /// [`Code::PayloadTooLarge`]; the store's.
    pub fn cost(&self, context: &mut Context<'_>, length: usize) -> Result<Cost, Error> {
        self.device.call(context, |call| {
            let group = call.tx.group(&self.id)?.ok_or(Code::UnknownGroup)?;
            Ok(cost::cost(call, &group, length)?)
        })
    }
}
