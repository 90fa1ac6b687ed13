//! What the app may look at: users, their devices, their sessions.

use super::{Device, work::Work};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::{DeviceState, DeviceView, SessionView, UserView},
    ids::{DeviceId, Scope, UserId},
    model::{Peer, User},
    record::Hot,
    store::{Kind, Places},
};

impl Device {
    /// All users that are known, this one included.
    ///
    /// # Errors
    /// The store's.
    pub fn users(&self, context: &mut Context<'_>) -> Result<Vec<UserView>, Error> {
        self.run(context, |work, _| {
            let mut users = Vec::new();
            for key in work.keys(&Places::all(Kind::User))? {
                let Some(user) = work.get::<User>(&key)? else { continue };
                users.push(UserView {
                    account_key: user.account_key,
                    claimed_key: user.claimed_key,
                    verified: user.verified,
                    epoch: user.list.as_ref().map_or(0, |list| list.epoch),
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
        self.run(context, |work, context| {
            let known = work.user(user)?.ok_or(Code::UnknownUser)?;
            let mut views = Vec::new();
            for listed in known.list.iter().flat_map(|list| &list.devices) {
                if (user, listed.id) == self.us() {
                    continue;
                }
                let peer = work.peer(user, listed.id)?;
                views.push(DeviceView {
                    device: listed.id,
                    signing_key: listed.signing_key,
                    identity_key: listed.identity_key,
                    state: peer.as_ref().map_or(DeviceState::NoSession, |peer| peer.state(context.now)),
                    session: peer.and_then(|peer| peer.active(Scope::Direct, context.now).map(|meta| meta.id)),
                });
            }
            for key in work.keys(&Places::all(Kind::Peer))? {
                let Some(peer) = work.get::<Peer>(&key)?.filter(|peer| peer.user == *user) else { continue };
                if peer.stale_since.is_some()
                    && !peer.sessions.is_empty()
                    && views.iter().all(|view| view.device != peer.device)
                {
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
        self.run(context, |work, context| {
            work.user(user)?.ok_or(Code::UnknownUser)?;
            session_view(work, context.now, (user, device), Scope::Direct).map_err(Error::from)
        })
    }
}

/// The active session with a device in a scope.
pub(super) fn session_view(
    work: &Work<'_>,
    now: Timestamp,
    (user, device): (&UserId, DeviceId),
    scope: Scope,
) -> Result<Option<SessionView>, Code> {
    let Some(peer) = work.peer(user, device)? else { return Ok(None) };
    let Some(meta) = peer.active(scope, now) else { return Ok(None) };
    let hot: Hot = work.get(&work.places().session(Kind::Chains, &peer, meta.id))?.ok_or(Code::RecordInconsistent)?;
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
