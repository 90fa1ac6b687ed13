//! Users, their devices, their sessions: what the app may look at, and what it says of a user's identity (X 5).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    context::Context,
    error::Error,
    event::{DeviceView, SessionView, UserView},
    flow::{
        look,
        requests::Requests,
        upkeep::{forget, heal, identity},
    },
    ids::{AccountKey, DeviceId, ListHash, Scope, UserId},
    tx::inbox,
};

impl Device {
    /// All users that are known, this one included.
    ///
    /// # Errors
    /// The store's.
    pub fn users(&self, context: &mut Context<'_>) -> Result<Vec<UserView>, Error> {
        self.call(context, |call| Ok(look::users(call)?))
    }

    /// A user's devices, rising by id: those listed, and those that are kept for late messages. This device is among those of its own user.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn devices(&self, context: &mut Context<'_>, user: &UserId) -> Result<Vec<DeviceView>, Error> {
        self.call(context, |call| Ok(look::devices(call, user)?))
    }

    /// The active session with a device, or `None` when the next send begins one.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] when no such device is known; the store's.
    pub fn session(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        device: DeviceId,
    ) -> Result<Option<SessionView>, Error> {
        self.call(context, |call| Ok(look::session(call, user, device, Scope::Direct)?))
    }

    /// Begins anew with a device, for a conversation that does not work though nothing says why: the next message to it begins a session that takes
    /// the place of all others, of groups as well. Nothing is lost by it. The library does so by itself when one of the two cannot open what the
    /// other one says (X 8).
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::UnknownDevice`] for a device with which there was no session yet, or which was removed;
    /// [`Code::IdentityNotAccepted`]; [`Code::InvalidArgument`] for this device itself; the store's.
    pub fn reset_session(&self, context: &mut Context<'_>, user: &UserId, device: DeviceId) -> Result<(), Error> {
        self.call(context, |call| {
            let events = heal::by_app(call, user, device)?;
            Ok(inbox::tell(&mut call.tx, events)?)
        })
    }

    /// The app has made sure that the user's changed account key is the user's (X 5). What was held for it is opened and goes to the inbox.
    ///
    /// The old identity's devices and sessions are gone with this; the next send needs the new list and bundles.
    ///
    /// With the pinned key the app dismisses the claim: nothing else changes, and what was held under the other key stays held till its time.
    ///
    /// `account_key` is the key that the app means: another one may have claimed the user while its user made up their mind.
    ///
    /// What rested for this user goes on at once.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when this key does not wait.
    pub fn accept_identity(
        &self,
        context: &mut Context<'_>,
        requests: &mut Requests,
        user: &UserId,
        account_key: &AccountKey,
    ) -> Result<(), Error> {
        self.call(context, |call| identity::accept(call, user, account_key).map(drop))?;
        requests.wake(user);
        Ok(())
    }

    /// Forgets a user: pin, list, sessions, what is held and what is being sent. A later message begins anew, with whatever identity it shows.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] for our own user; [`Code::AlreadyMember`] while both are members of a group; the store's.
    pub fn forget(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| forget::user(call, user))
    }

    /// The safety number as text for a QR code: a mark and 52 characters of base32.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn safety_code(&self, context: &mut Context<'_>, user: &UserId) -> Result<String, Error> {
        self.call(context, |call| identity::safety_code(call, user))
    }

    /// Whether a code that was read from the user's screen shows that both hold each other's account keys.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] for text that is no such code.
    pub fn compare_safety_code(&self, context: &mut Context<'_>, user: &UserId, code: &str) -> Result<bool, Error> {
        self.call(context, |call| identity::compare_safety_code(call, user, code))
    }

    /// The app has compared safety numbers for this user's pinned account key.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn mark_verified(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| identity::mark_verified(call, user))
    }

    /// The app decides a fork: the branch with the list of this hash is followed, and the other one is rejected and raises nothing again (X 5).
    ///
    /// The hashes of both lists are in the event and in the user's view. Our own list on the device that signs it is not resolved to the other
    /// branch: [`Device::adopt_own_list`] signs on top of that.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when there is no fork, or neither list has this hash; the store's.
    pub fn resolve_fork(
        &self,
        context: &mut Context<'_>,
        requests: &mut Requests,
        user: &UserId,
        hash: &ListHash,
    ) -> Result<(), Error> {
        self.call(context, |call| {
            let events = identity::resolve_fork(call, user, hash)?;
            Ok(inbox::tell(&mut call.tx, events)?)
        })?;
        requests.wake(user);
        Ok(())
    }

    /// 60 digits that both users see alike if they hold each other's account keys (A19).
    ///
    /// Five digits at a time from SHA-256 over both (user id, account key), the smaller user id first.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn safety_number(&self, context: &mut Context<'_>, user: &UserId) -> Result<String, Error> {
        self.call(context, |call| identity::safety_number(call, user))
    }
}
