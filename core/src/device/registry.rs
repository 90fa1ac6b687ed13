//! Users, their devices, their sessions: what the app may look at, and what it says of a user's identity (X 5).

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{DeviceState, DeviceView, Received, SessionView, UserView},
    flow::upkeep::identity,
    ids::{AccountKey, DeviceId, Scope, UserId},
    record::Hot,
    store::Kind,
    tx::Call,
};

impl Device {
    /// All users that are known, this one included.
    ///
    /// # Errors
    /// The store's.
    pub fn users(&self, context: &mut Context<'_>) -> Result<Vec<UserView>, Error> {
        self.call(context, |call| {
            let mut users = Vec::new();
            for user in call.tx.users()? {
                users.push(UserView {
                    account_key: user.account_key,
                    claimed_key: user.claimed_key,
                    verified: user.verified,
                    epoch: user.epoch(),
                    forked: user.fork.is_some(),
                    paused: user.stale_since.is_some(),
                    user: user.user,
                });
            }
            users.sort_by(|a, b| a.user.cmp(&b.user));
            Ok(users)
        })
    }

    /// A user's devices, rising by id: those listed, and those that are kept for late messages. Of our own user, the others.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; the store's.
    pub fn devices(&self, context: &mut Context<'_>, user: &UserId) -> Result<Vec<DeviceView>, Error> {
        self.call(context, |call| {
            let known = call.tx.user(user)?.ok_or(Code::UnknownUser)?;
            let mut views = Vec::new();
            for listed in known.listed() {
                if call.us.party.is_device(user, listed.id) {
                    continue;
                }
                let peer = call.tx.peer(user, listed.id)?;
                views.push(DeviceView {
                    device: listed.id,
                    signing_key: listed.signing_key,
                    identity_key: listed.identity_key,
                    state: peer.as_ref().map_or(DeviceState::NoSession, |peer| peer.state(call.now())),
                    session: peer.and_then(|peer| peer.active(Scope::Direct, call.now()).map(|meta| meta.id)),
                });
            }
            for peer in call.tx.all_peers()? {
                let kept = peer.user == *user && peer.stale_since.is_some() && !peer.sessions.is_empty();
                if kept && views.iter().all(|view| view.device != peer.device) {
                    views.push(DeviceView {
                        device: peer.device,
                        signing_key: peer.signing_key,
                        identity_key: peer.identity_key,
                        state: DeviceState::Stale,
                        session: None,
                    });
                }
            }
            views.sort_by_key(|view| view.device);
            Ok(views)
        })
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
        self.call(context, |call| {
            call.tx.user(user)?.ok_or(Code::UnknownUser)?;
            Ok(session_view(call, user, device, Scope::Direct)?)
        })
    }

    /// The app has made sure that the user's changed account key is the user's (X 5), and what was held for it is opened.
    ///
    /// The old identity's devices and sessions are gone with this; the next send needs the new list and bundles.
    ///
    /// With the pinned key the app dismisses the claim: nothing else changes, and what was held under the other key stays held till its time.
    ///
    /// `account_key` is the key that the app means: another one may have claimed the user while its user made up their mind.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when this key does not wait.
    pub fn accept_identity(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        account_key: &AccountKey,
    ) -> Result<Vec<Received>, Error> {
        self.call(context, |call| identity::accept(call, user, account_key))
    }

    /// The app has compared safety numbers for this user's pinned account key.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn mark_verified(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| identity::mark_verified(call, user))
    }

    /// The app decides a fork: from now on the newest list that was taken counts alone.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when there is no fork.
    pub fn resolve_fork(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| identity::resolve_fork(call, user))
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

/// The active session with a device in a scope.
pub(super) fn session_view(
    call: &Call<'_>,
    user: &UserId,
    device: DeviceId,
    scope: Scope,
) -> Result<Option<SessionView>, Code> {
    let Some(peer) = call.tx.peer(user, device)? else { return Ok(None) };
    let Some(meta) = peer.active(scope, call.now()) else { return Ok(None) };
    let key = call.tx.places().session(Kind::Chains, &peer, meta.id);
    let hot: Hot = call.tx.get(&key)?.ok_or(Code::RecordInconsistent)?;
    let of_scope = peer.sessions.iter().filter(|session| session.scope == scope).count();
    Ok(Some(SessionView {
        id: meta.id,
        generation: meta.generation,
        initiating: meta.initiating,
        sent: hot.sequence,
        received: hot.accepted,
        inactive: of_scope.saturating_sub(1),
    }))
}
