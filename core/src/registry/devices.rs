//! Device records: the sessions, floors and state of a peer device (DeviceRecord, Sesame 3.2).

use crate::{
    context::Timestamp,
    crypto::{ed25519::VerifyingKey, x25519},
    error::Code,
    ids::{DeviceId, UserId},
    keys::{device::DeviceKeys, pair::PairKeys, party::Party},
    limits::MAX_SKIPPED_PER_DEVICE,
    record::{Device, Peer, Scope, SessionMeta, User},
    session::order,
};

/// The state of a peer device, as the app sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceState {
    /// The device is listed and has a usable session.
    Active,
    /// The device is listed and has no usable session. The next send initiates one.
    NoSession,
    /// The device is no longer listed. Its record is kept for late messages.
    Stale,
}

/// A new record of a listed device, without sessions (conditional update, Sesame 3.2).
///
/// # Errors
/// [`Code::WeakPublicKey`].
pub fn empty(keys: &DeviceKeys, party: &Party) -> Result<Peer, Code> {
    let (sending, receiving) = keys.pair(party)?;
    Ok(Peer {
        user: party.user.clone(),
        device: party.device,
        account_key: *party.account_key.as_bytes(),
        signing_key: *party.signing_key.as_bytes(),
        identity_key: *party.identity_key.as_bytes(),
        sending_pair: sending.secret().clone(),
        receiving_pair: receiving.secret().clone(),
        stale_since: None,
        knows_epoch: 0,
        held: 0,
        held_operations: 0,
        floors: Vec::new(),
        sessions: Vec::new(),
    })
}

/// The party for a device on the user's list.
#[must_use]
pub fn listed_party(user: &User, device: DeviceId) -> Option<Party> {
    let listed = user.list.as_ref()?.device(device)?;
    Some(listed.party(&user.user, VerifyingKey::from_checked(user.account_key)))
}

/// The devices that a send to this user goes to, sorted by id. These are all listed devices, without the
/// sending one. In a fork, a device must be on both lists.
#[must_use]
pub fn recipients<'a>(user: &'a User, us: (&UserId, DeviceId)) -> Vec<&'a Device> {
    let listed = user.list.iter().flat_map(|list| &list.devices);
    listed
        .filter(|device| user.fork.as_ref().is_none_or(|fork| fork.on_both.contains(&device.id)))
        .filter(|device| (&user.user, device.id) != us)
        .collect()
}

/// The sessions that must give up their skipped keys so that the device stays within its limit, lowest
/// generation first. `counts` holds the number of stored keys of each session.
#[must_use]
pub fn skipped_surplus(counts: &[(SessionMeta, usize)]) -> Vec<SessionMeta> {
    let mut counts: Vec<&(SessionMeta, usize)> = counts.iter().filter(|(_, keys)| *keys > 0).collect();
    counts.sort_by_key(|(meta, _)| meta.generation);
    let mut total: usize = counts.iter().map(|(_, keys)| keys).sum();
    let mut surplus = Vec::new();
    for (meta, keys) in counts {
        if total <= MAX_SKIPPED_PER_DEVICE {
            break;
        }
        total = total.saturating_sub(*keys);
        surplus.push(*meta);
    }
    surplus
}

impl Peer {
    /// The party of this device.
    #[must_use]
    pub fn party(&self) -> Party {
        Party {
            user: self.user.clone(),
            account_key: VerifyingKey::from_checked(self.account_key),
            device: self.device,
            signing_key: VerifyingKey::from_checked(self.signing_key),
            identity_key: x25519::PublicKey::from_checked(self.identity_key),
        }
    }

    /// Whether the record was made for exactly this party.
    #[must_use]
    pub fn is(&self, party: &Party) -> bool {
        self.party() == *party
    }

    /// The pair keys for envelopes to this device.
    #[must_use]
    pub fn sending(&self) -> PairKeys {
        PairKeys::from_secret(self.sending_pair.clone())
    }

    /// The pair keys for envelopes from this device.
    #[must_use]
    pub fn receiving(&self) -> PairKeys {
        PairKeys::from_secret(self.receiving_pair.clone())
    }

    /// > per (device, scope) a `floor` = the highest generation of any session forgotten
    #[must_use]
    pub fn floor(&self, scope: Scope) -> u64 {
        self.floors.iter().find(|(of, _)| *of == scope).map_or(0, |(_, floor)| *floor)
    }

    /// The session that a send in `scope` uses.
    #[must_use]
    pub fn active(&self, scope: Scope, now: Timestamp) -> Option<&SessionMeta> {
        order::active(&self.sessions, scope, now)
    }

    /// The active session in `scope`, if it can carry a message by itself. A group session that nobody answered
    /// cannot: its messages are nested in an opening (X 4).
    #[must_use]
    pub fn standing(&self, scope: Scope, now: Timestamp) -> Option<&SessionMeta> {
        self.active(scope, now).filter(|session| scope == Scope::Direct || !session.initiating)
    }

    /// Whether this device can be sent a message of `scope`: on a session of that scope or nested in a direct
    /// message.
    #[must_use]
    pub fn is_reachable(&self, scope: Scope, now: Timestamp) -> bool {
        self.stale_since.is_none() && (self.standing(scope, now).or_else(|| self.active(Scope::Direct, now))).is_some()
    }

    /// The state of this device.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> DeviceState {
        match (self.stale_since, self.active(Scope::Direct, now)) {
            (Some(_), _) => DeviceState::Stale,
            (None, Some(_)) => DeviceState::Active,
            (None, None) => DeviceState::NoSession,
        }
    }

    /// Adds a session (`insert`, Sesame 3.2). Returns the sessions that were deleted to stay within the limit.
    pub fn insert(&mut self, session: SessionMeta) -> Vec<SessionMeta> {
        let scope = session.scope;
        self.sessions.push(session);
        let surplus = order::surplus(&self.sessions, scope);
        self.forget(&surplus);
        surplus
    }

    /// Deletes sessions and raises the floor to their generations, so that a replayed initiation cannot make
    /// them again (A22).
    pub fn forget(&mut self, gone: &[SessionMeta]) {
        for session in gone {
            self.sessions.retain(|s| s.id != session.id);
            match self.floors.iter_mut().find(|(scope, _)| *scope == session.scope) {
                Some((_, floor)) => *floor = (*floor).max(session.generation),
                None => self.floors.push((session.scope, session.generation)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SessionId;

    fn session(generation: u64) -> SessionMeta {
        SessionMeta {
            id: SessionId([1; 32]),
            scope: Scope::Direct,
            generation,
            created_at: 0,
            ephemeral_key: [0; 32],
            initiating: false,
            answered_at: None,
            demoted: false,
        }
    }

    #[test]
    fn a30_skipped_keys_of_one_device_stay_within_256_kib_and_the_lowest_session_pays() {
        let counts: Vec<(SessionMeta, usize)> = [5, 3, 9, 7].map(|generation| (session(generation), 2_000)).into();
        let gone: Vec<u64> = skipped_surplus(&counts).iter().map(|meta| meta.generation).collect();
        assert_eq!(gone, [3], "8,000 keys are about 900 too many");
        assert!(skipped_surplus(&counts[..3]).is_empty());
    }
}
