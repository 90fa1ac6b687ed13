//! A DeviceRecord: another device, its sessions, their floors (Sesame 3.1 and 3.2).

use super::{SessionMeta, User, order};
use crate::{
    clock::Moment,
    context::Timestamp,
    crypto::{ed25519::VerifyingKey, x25519},
    error::Code,
    event::{DeviceState, DeviceView},
    ids::{AccountKey, DeviceId, Scope, UserId},
    keys::{
        device::DeviceKeys,
        pair::PairKeys,
        party::{DecodedParty, Party},
    },
    secret::Shared,
};

/// What is known of another device.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The user id.
    pub user: UserId,
    /// The DeviceID.
    pub device: DeviceId,
    /// The account key that the pair keys are bound to.
    pub account_key: AccountKey,
    /// The device's Ed25519 key.
    pub signing_key: [u8; 32],
    /// IK.
    pub identity_key: [u8; 32],
    /// Pair keys of the direction to it: mask, gate, control.
    pub sending_pair: Shared<96>,
    /// Pair keys of the direction from it.
    pub receiving_pair: Shared<96>,
    /// When it left the list, in ms.
    pub stale_since: Option<u64>,
    /// The highest epoch of our own list that it claimed to know.
    pub knows_epoch: u64,
    /// For each scope the highest generation of any session forgotten (X 3).
    pub floors: Vec<(Scope, u64)>,
    /// For each scope how many messages we had sent to it when sessions of it were forgotten: a sequence never goes back (X 3).
    pub sequences: Vec<(Scope, u64)>,
    /// Every session, in no order: which one is active is derived (X 3).
    pub sessions: Vec<SessionMeta>,
}

impl Peer {
    /// A new, empty record of a listed device (conditional update, Sesame 3.2).
    ///
    /// # Errors
    /// [`Code::WeakPublicKey`].
    pub fn new(keys: &DeviceKeys, theirs: &DecodedParty) -> Result<Self, Code> {
        let (sending, receiving) = keys.pair(theirs)?;
        let party = theirs.party();
        Ok(Self {
            user: party.user.clone(),
            device: party.device,
            account_key: party.account(),
            signing_key: *party.signing_key.as_bytes(),
            identity_key: *party.identity_key.as_bytes(),
            sending_pair: sending.secret().clone(),
            receiving_pair: receiving.secret().clone(),
            stale_since: None,
            knows_epoch: 0,
            floors: Vec::new(),
            sequences: Vec::new(),
            sessions: Vec::new(),
        })
    }

    /// The device as a party.
    #[must_use]
    pub fn party(&self) -> Party {
        Party {
            user: self.user.clone(),
            account_key: VerifyingKey::from_checked(self.account_key.0),
            device: self.device,
            signing_key: VerifyingKey::from_checked(self.signing_key),
            identity_key: x25519::PublicKey::from_checked(self.identity_key),
        }
    }

    /// Whether a copy of this record was left as it is. Copies share their secrets.
    #[must_use]
    pub fn is_still(&self, copy: &Self) -> bool {
        let Self {
            user,
            device,
            account_key,
            signing_key,
            identity_key,
            sending_pair,
            receiving_pair,
            stale_since,
            knows_epoch,
            floors,
            sequences,
            sessions,
        } = self;
        sending_pair.is_same(&copy.sending_pair)
            && receiving_pair.is_same(&copy.receiving_pair)
            && (stale_since, knows_epoch) == (&copy.stale_since, &copy.knows_epoch)
            && (sessions, floors, sequences) == (&copy.sessions, &copy.floors, &copy.sequences)
            && (user, device, account_key) == (&copy.user, &copy.device, &copy.account_key)
            && (signing_key, identity_key) == (&copy.signing_key, &copy.identity_key)
    }

    /// Whether the record was made for exactly these keys.
    #[must_use]
    pub fn is(&self, party: &Party) -> bool {
        self.party() == *party
    }

    /// Whether its user's list names it with the keys that the record was made for. The same id with other keys is another device (A05).
    #[must_use]
    pub fn is_listed(&self, user: &User) -> bool {
        let listed = user.list.as_ref().and_then(|list| list.device(self.device));
        self.account_key == user.account_key
            && listed.is_some_and(|l| (self.signing_key, self.identity_key) == (l.signing_key, l.identity_key))
    }

    /// The pair keys of the direction to it.
    #[must_use]
    pub fn sending(&self) -> PairKeys {
        PairKeys::from_secret(self.sending_pair.clone())
    }

    /// The pair keys of the direction from it.
    #[must_use]
    pub fn receiving(&self) -> PairKeys {
        PairKeys::from_secret(self.receiving_pair.clone())
    }

    /// > per (device, scope) a `floor` = the highest generation of any session forgotten
    #[must_use]
    pub fn floor(&self, scope: Scope) -> u64 {
        self.floors.iter().find(|(of, _)| *of == scope).map_or(0, |(_, floor)| *floor)
    }

    /// How many messages we had sent to it in a scope, by the sessions that are forgotten.
    #[must_use]
    pub fn sequence(&self, scope: Scope) -> u64 {
        self.sequences.iter().find(|(of, _)| *of == scope).map_or(0, |(_, sequence)| *sequence)
    }

    /// Keeps how many messages a session that goes had counted in its scope.
    pub fn keep_sequence(&mut self, scope: Scope, sequence: u64) {
        match self.sequences.iter_mut().find(|(of, _)| *of == scope) {
            Some((_, known)) => *known = (*known).max(sequence),
            // What counted nothing needs no room: only our own sends make entries.
            None if sequence == 0 => {}
            None => self.sequences.push((scope, sequence)),
        }
    }

    /// The session that a send in `scope` uses.
    #[must_use]
    pub fn active(&self, scope: Scope, at: Moment) -> Option<&SessionMeta> {
        order::active(&self.sessions, scope, self.floor(scope), at)
    }

    /// The highest generation that is known or remembered in a scope, but for those of our own that no peer takes.
    #[must_use]
    pub fn known_generation(&self, scope: Scope, now: Timestamp) -> u64 {
        order::known_generation(&self.sessions, scope, self.floor(scope), now)
    }

    /// The generation of the next session that this device begins in `scope`. That of a group lies above the newest reset, which demotes what
    /// does not.
    #[must_use]
    pub fn next_generation(&self, scope: Scope, now: Timestamp) -> u64 {
        let next = order::next_generation(&self.sessions, scope, self.floor(scope), now);
        match scope {
            Scope::Direct => next,
            Scope::Group(..) => next.max(self.reset_generation(now).saturating_add(1)),
        }
    }

    /// The generation of a reset that this device begins: above all that is known, of groups as well, and above the other side's floor, as far as that
    /// side takes it (X 3).
    #[must_use]
    pub fn reset_above(&self, their_floor: u64, now: Timestamp) -> u64 {
        let next = self.next_generation(Scope::Direct, now);
        let known = self.known_generation(Scope::Direct, now);
        let is_taken = |generation: &u64| order::early_until(*generation, known, Timestamp(0), now).is_none();
        let others = self.sessions.iter().map(|session| session.generation);
        others.chain([their_floor.saturating_add(1)]).filter(is_taken).fold(next, u64::max)
    }

    /// The generation of the newest reset of the two devices, or 0. Like any other session, one of our own that no peer takes does not count.
    fn reset_generation(&self, now: Timestamp) -> u64 {
        let floor = self.floor(Scope::Direct);
        let counts = |s: &&SessionMeta| s.reset && !order::is_astray(s, &self.sessions, floor, now);
        self.sessions.iter().filter(counts).map(|s| s.generation).max().unwrap_or_default()
    }

    /// Demotes what the newest reset takes the place of.
    pub fn follow_resets(&mut self, now: Timestamp) {
        let reset = self.reset_generation(now);
        for session in &mut self.sessions {
            session.demoted |= is_demoted_by(session, reset);
        }
    }

    /// Nothing more is sent on any session that there is: the next one is a reset.
    pub fn demote_all(&mut self) {
        self.sessions.iter_mut().for_each(|session| session.demoted = true);
    }

    /// The session of a scope that carries a message by itself. A group's session does so once it was answered; until then its messages
    /// ride inside direct ones (X 4).
    #[must_use]
    pub fn standing(&self, scope: Scope, at: Moment) -> Option<&SessionMeta> {
        self.active(scope, at).filter(|session| scope == Scope::Direct || !session.initiating)
    }

    /// Whether something can be said to it in `scope`, on a session of that scope or inside a direct message.
    #[must_use]
    pub fn is_reachable(&self, scope: Scope, at: Moment) -> bool {
        self.stale_since.is_none() && (self.standing(scope, at).or_else(|| self.active(Scope::Direct, at))).is_some()
    }

    /// The device as the app sees it.
    #[must_use]
    pub fn view(&self, at: Moment) -> DeviceView {
        let state = self.state(at);
        let active = self.active(Scope::Direct, at).filter(|_| state != DeviceState::Stale);
        DeviceView {
            device: self.device,
            signing_key: self.signing_key,
            identity_key: self.identity_key,
            state,
            session: active.map(|session| session.id),
        }
    }

    /// How the device stands with us.
    #[must_use]
    pub fn state(&self, at: Moment) -> DeviceState {
        match (self.stale_since, self.active(Scope::Direct, at)) {
            (Some(_), _) => DeviceState::Stale,
            (None, Some(_)) => DeviceState::Active,
            (None, None) => DeviceState::NoSession,
        }
    }

    /// insert(session), Sesame 3.2; gives the sessions that had to go.
    pub fn insert(&mut self, session: SessionMeta, now: Timestamp) -> Vec<SessionMeta> {
        let scope = session.scope;
        self.sessions.push(session);
        self.follow_resets(now);
        let surplus = order::surplus(&self.sessions, scope);
        self.forget(&surplus, now);
        surplus
    }

    /// Forgets sessions and raises the floor over them, so that no copy of their initiation makes them again (A22).
    pub fn forget(&mut self, gone: &[SessionMeta], now: Timestamp) {
        for session in gone {
            let is_astray = order::is_astray(session, &self.sessions, self.floor(session.scope), now);
            self.sessions.retain(|s| s.id != session.id);
            // No peer has sent it, so that none can replay it; and our next generation does not follow a clock that was ahead.
            if is_astray {
                continue;
            }
            match self.floors.iter_mut().find(|(scope, _)| *scope == session.scope) {
                Some((_, floor)) => *floor = (*floor).max(session.generation),
                None => self.floors.push((session.scope, session.generation)),
            }
        }
    }
}

/// > Both sides demote every scope session of that pair (X 8).
///
/// What a reset takes the place of: sessions of a lower generation, and sessions of groups that are not above it. Both sides compare the
/// same numbers, so that it makes no difference which of two resets, or of a reset and an opening, is heard first.
fn is_demoted_by(session: &SessionMeta, reset: u64) -> bool {
    if session.scope == Scope::Direct { session.generation < reset } else { session.generation <= reset }
}
