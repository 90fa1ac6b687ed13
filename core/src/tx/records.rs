//! Records by what they are about: users, their devices, groups.

use super::Tx;
use crate::{
    clock::{AgeClock, Moment},
    context::Timestamp,
    error::Code,
    ids::{DeviceId, GroupId, UserId},
    keys::{chain::Chain, device_list::List},
    limits::MAX_RIDING_HASHES,
    model::{GroupRecord, Peer, User},
    record::{Counters, StoredList},
    store::{Kind, Places, RowKey},
};
use std::sync::Arc;

/// The records of a user's listed devices.
#[derive(Default)]
pub(crate) struct Peers {
    /// Those that open.
    pub(crate) sound: Vec<Arc<Peer>>,
    /// The devices whose record is damaged.
    pub(crate) damaged: Vec<DeviceId>,
}

impl Peers {
    /// The record of one device.
    pub(crate) fn get(&self, device: DeviceId) -> Option<&Peer> {
        self.sound.iter().find(|peer| peer.device == device).map(AsRef::as_ref)
    }
}

impl Tx<'_> {
    pub(crate) fn user(&self, user: &UserId) -> Result<Option<User>, Code> {
        self.get(&self.places().user(Kind::User, user))
    }

    /// The same without a copy.
    pub(crate) fn known(&self, user: &UserId) -> Result<Option<Arc<User>>, Code> {
        self.shared(&self.places().user(Kind::User, user))
    }

    /// The same, and `None` also if the record does not open: for one of many users, of whom the step after this one takes care.
    pub(crate) fn readable(&self, user: &UserId) -> Result<Option<Arc<User>>, Code> {
        match self.known(user) {
            Err(code) if code.is_damage() => Ok(None),
            known => known,
        }
    }

    pub(crate) fn put_user(&mut self, user: &User) -> Result<(), Code> {
        let key = self.places().user(Kind::User, &user.user);
        self.put(key, user)
    }

    /// Every user whose record opens, our own included, in the order of the rows.
    pub(crate) fn users(&self) -> Result<Vec<User>, Code> {
        let mut users = Vec::new();
        for key in self.keys(&Places::all(Kind::User))? {
            users.extend(self.get_sound::<User>(&key)?);
        }
        Ok(users)
    }

    /// A user's newest list as it was signed, with its links; empty when none was taken.
    pub(crate) fn stored_list(&self, user: &UserId) -> Result<StoredList, Code> {
        Ok(self.get(&self.places().user(Kind::List, user))?.unwrap_or_default())
    }

    /// A user's newest list, with the hashes that are known of those before it.
    pub(crate) fn put_list(&mut self, user: &UserId, signed: &[u8], chain: &Chain) -> Result<(), Code> {
        let stored = StoredList { signed: signed.to_vec(), links: chain.links(0, MAX_RIDING_HASHES) };
        self.put(self.places().user(Kind::List, user), &stored)?;
        self.put(self.places().user(Kind::Chain, user), chain)
    }

    /// More hashes of the lists before the one that is held.
    pub(crate) fn put_chain(&mut self, user: &UserId, chain: &Chain) -> Result<(), Code> {
        if let Some(StoredList { signed, .. }) = self.get(&self.places().user(Kind::List, user))? {
            return self.put_list(user, &signed, chain);
        }
        self.put(self.places().user(Kind::Chain, user), chain)
    }

    /// The hashes of a user's lists up to `list`, the one that is held. If their row is lost, that of the list itself is left, and the others are
    /// to be had from the server.
    pub(crate) fn chain(&self, user: &UserId, list: &List) -> Result<Chain, Code> {
        let stored: Option<Chain> = self.get(&self.places().user(Kind::Chain, user))?;
        let fits = |chain: &Chain| chain.newest() == list.epoch && chain.hashes.last() == Some(&list.hash);
        Ok(stored.filter(fits).unwrap_or_else(|| Chain::alone(list)))
    }

    pub(crate) fn peer(&self, user: &UserId, device: DeviceId) -> Result<Option<Peer>, Code> {
        self.get(&self.places().device(Kind::Peer, user, device))
    }

    /// The same, and `None` also if the record does not open: for one of many devices.
    pub(crate) fn sound_peer(&self, user: &UserId, device: DeviceId) -> Result<Option<Peer>, Code> {
        self.get_sound(&self.places().device(Kind::Peer, user, device))
    }

    /// The same without a copy.
    pub(crate) fn known_peer(&self, user: &UserId, device: DeviceId) -> Result<Option<Arc<Peer>>, Code> {
        self.shared(&self.places().device(Kind::Peer, user, device))
    }

    pub(crate) fn put_peer(&mut self, peer: &Peer) -> Result<(), Code> {
        let key = self.places().device(Kind::Peer, &peer.user, peer.device);
        if let Ok(Some(before)) = self.shared::<Peer>(&key)
            && before.is_still(peer)
        {
            return Ok(());
        }
        self.put(key, peer)
    }

    /// The records of a user's listed devices; none for a user who is not known.
    pub(crate) fn listed_peers(&self, user: Option<&User>) -> Result<Peers, Code> {
        let Some(user) = user else { return Ok(Peers::default()) };
        let place = |device| self.places().device(Kind::Peer, &user.user, device);
        self.prefetch_missing(&user.listed().map(|device| place(device.id)).collect::<Vec<RowKey>>())?;
        let mut peers = Peers::default();
        for device in user.listed() {
            match self.shared(&place(device.id)) {
                Ok(peer) => peers.sound.extend(peer),
                Err(code) if code.is_damage() => peers.damaged.push(device.id),
                Err(code) => return Err(code),
            }
        }
        Ok(peers)
    }

    /// Every device whose record opens, in the order of the rows.
    pub(crate) fn all_peers(&self) -> Result<Vec<Peer>, Code> {
        let mut peers = Vec::new();
        for key in self.keys(&Places::all(Kind::Peer))? {
            peers.extend(self.get_sound::<Peer>(&key)?);
        }
        Ok(peers)
    }

    pub(crate) fn group(&self, id: &GroupId) -> Result<Option<GroupRecord>, Code> {
        self.get(&self.places().group(Kind::Group, id))
    }

    /// The same without a copy.
    pub(crate) fn known_group(&self, id: &GroupId) -> Result<Option<Arc<GroupRecord>>, Code> {
        self.shared(&self.places().group(Kind::Group, id))
    }

    pub(crate) fn put_group(&mut self, id: &GroupId, group: &GroupRecord) -> Result<(), Code> {
        let key = self.places().group(Kind::Group, id);
        self.put(key, group)
    }

    /// Every group whose record opens, in the order of the rows.
    pub(crate) fn groups(&self) -> Result<Vec<GroupRecord>, Code> {
        let mut groups = Vec::new();
        for key in self.keys(&Places::all(Kind::Group))? {
            groups.extend(self.get_sound::<GroupRecord>(&key)?);
        }
        Ok(groups)
    }

    /// The age clock. If its row is damaged or missing it begins anew.
    fn clock(&self, now: Timestamp) -> Result<AgeClock, Code> {
        Ok(self.get_sound(&Places::only(Kind::Clock))?.unwrap_or(AgeClock::new(now)))
    }

    /// A moment by both clocks.
    pub(crate) fn moment(&self, now: Timestamp) -> Result<Moment, Code> {
        Ok(self.clock(now)?.at(now))
    }

    /// The age clock after a reading of the host's.
    pub(crate) fn observe(&mut self, now: Timestamp) -> Result<(), Code> {
        match self.clock(now)?.after(now) {
            Some(clock) => self.put(Places::only(Kind::Clock), &clock),
            None => Ok(()),
        }
    }

    /// The age clock of a device that begins.
    pub(crate) fn put_clock(&mut self, now: Timestamp) -> Result<(), Code> {
        self.put(Places::only(Kind::Clock), &AgeClock::new(now))
    }

    pub(crate) fn counters(&self) -> Result<Counters, Code> {
        Ok(self.get(&Places::only(Kind::Counters))?.unwrap_or_default())
    }

    pub(crate) fn put_counters(&mut self, counters: &Counters) -> Result<(), Code> {
        self.put(Places::only(Kind::Counters), counters)
    }
}
