//! The order in which the envelopes of one call are opened, whatever the order they came in (X 8).
//!
//! > Within one `batch_decrypt` the envelopes of one session are opened in order of (chain, number), whatever the order they came in.
//!
//! Their headers are opened first, and once. A device whose envelopes are in order, session by session, is left alone. Otherwise its
//! envelopes change places among themselves: those of direct sessions come first, because they carry the openings of others; then those of
//! scopes; then those whose session is not known, which one of the former may begin. Other devices' envelopes stay where they are.
//!
//! Where the envelopes of a session stand that is not known yet is seen only when it begins. If others of the same initiation come before
//! the one that would begin it, they are opened first ([`Queue::settle`]).

use super::incoming::{Entry, Fellow, Found};
use crate::{
    ids::Scope,
    model::SessionMeta,
    session,
    tx::{Call, ahead::Located},
    wire::envelope::{Initiation, Route},
};
use std::collections::BTreeMap;

/// The envelopes of a call in the order in which they are opened.
pub(super) struct Queue<'a> {
    entries: Vec<Entry<'a>>,
    /// Indices of `entries`, in the order in which they are opened.
    order: Vec<usize>,
    /// The place in `order` whose turn it is.
    turn: usize,
    /// For each sending device the places in `order` that are its envelopes', rising.
    places: Vec<Vec<usize>>,
    /// For each place in `order` the index of its device in `places`.
    device: Vec<usize>,
}

/// What the envelopes of a device are sorted by.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    kind: Kind,
    generation: u64,
    /// The SessionID, or the ephemeral key of a session that is not known.
    session: [u8; 32],
    /// The receiving chain and the number in it.
    at: (u32, u32),
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Direct,
    InScope,
    Unknown,
}

impl<'a> Queue<'a> {
    /// Puts envelopes in order. Each comes with its session, as far as that is known.
    pub(super) fn of(call: &Call<'_>, mut entries: Vec<Entry<'a>>, located: Vec<Option<Located>>) -> Self {
        for (entry, located) in entries.iter_mut().zip(located) {
            entry.found = located.and_then(|located| find(call, entry, &located));
        }
        let mut places: Vec<Vec<usize>> = Vec::new();
        let mut known: BTreeMap<(&[u8], u32), usize> = BTreeMap::new();
        let mut device = Vec::with_capacity(entries.len());
        for (place, entry) in entries.iter().enumerate() {
            let sender = &entry.envelope.head.sender;
            let index = *known.entry((sender.user.as_slice(), sender.device)).or_insert(places.len());
            match places.get_mut(index) {
                Some(places) => places.push(place),
                None => places.push(vec![place]),
            }
            device.push(index);
        }
        let order = (0..entries.len()).collect();
        let mut queue = Self { entries, order, turn: 0, places: Vec::new(), device };
        places.iter().for_each(|places| queue.sort(places));
        Self { places, ..queue }
    }

    /// The envelope whose turn it is; `None` after the last.
    pub(super) fn current(&self) -> Option<&Entry<'a>> {
        self.entries.get(*self.order.get(self.turn)?)
    }

    /// It has had its turn.
    pub(super) fn advance(&mut self) {
        self.turn += 1;
    }

    /// Others with the same initiation as the envelope whose turn it is: all of them wait for the session that it begins. They are given once.
    pub(super) fn fellows(&mut self) -> Vec<Fellow<'a>> {
        let Some(initiation) = self.current().and_then(waits_for) else { return Vec::new() };
        let mut fellows = Vec::new();
        for place in self.places_left().into_iter().filter(|place| *place > self.turn) {
            let Some(index) = self.order.get(place).copied() else { continue };
            let Some(entry) = self.entries.get_mut(index) else { continue };
            if waits_for(entry) == Some(initiation) {
                entry.is_arranged = true;
                fellows.push(Fellow { index, envelope: entry.envelope });
            }
        }
        fellows
    }

    /// The envelope whose turn it is waits: it is not the first of those with its initiation. Now it is known where these stand.
    pub(super) fn settle(&mut self, found: Vec<(usize, Found)>) {
        for (index, found) in found {
            if let Some(entry) = self.entries.get_mut(index) {
                entry.is_arranged = true;
                entry.found = Some(found);
            }
        }
        let places = self.places_left();
        self.sort(&places);
    }

    /// The places of the device whose turn it is, from this turn on.
    fn places_left(&self) -> Vec<usize> {
        let places = self.device.get(self.turn).and_then(|device| self.places.get(*device));
        places.into_iter().flatten().copied().filter(|place| *place >= self.turn).collect()
    }

    /// Sorts the envelopes at these places, which are of one device, unless they are in order.
    fn sort(&mut self, places: &[usize]) {
        if places.len() < 2 {
            return;
        }
        let in_place = |place: &usize| {
            let index = *self.order.get(*place)?;
            Some((key(self.entries.get(index)?), index))
        };
        let mut keys: Vec<(Key, usize)> = places.iter().filter_map(in_place).collect();
        if is_in_order(&keys) {
            return;
        }
        keys.sort();
        for (place, (_, index)) in places.iter().zip(keys) {
            if let Some(at) = self.order.get_mut(*place) {
                *at = index;
            }
        }
    }
}

/// Where an envelope stands in the session that it was located in. One whose header does not open is reported when it is its turn.
fn find(call: &Call<'_>, entry: &Entry<'_>, located: &Located) -> Option<Found> {
    let cold = located.cold(&call.tx)?;
    let position = session::position(&cold.ratchet, located.chain, entry.envelope).ok()?;
    Some(Found { session: located.session, position })
}

/// The initiation of an envelope that nobody has looked for fellows of, if its session is not known.
fn waits_for<'a>(entry: &Entry<'a>) -> Option<&'a Initiation> {
    match &entry.envelope.head.route {
        Route::Initiation(initiation) if entry.found.is_none() && !entry.is_arranged => Some(initiation),
        Route::Initiation(_) | Route::Ordinary { .. } => None,
    }
}

fn key(entry: &Entry<'_>) -> Key {
    if let Some(Found { session: SessionMeta { id, scope, generation, .. }, position }) = &entry.found {
        let kind = if *scope == Scope::Direct { Kind::Direct } else { Kind::InScope };
        return Key { kind, generation: *generation, session: id.0, at: position.order() };
    }
    match &entry.envelope.head.route {
        // Every message of an initiating session is on its initiator's first chain.
        Route::Initiation(Initiation { generation, ephemeral_key, .. }) => {
            Key { kind: Kind::Direct, generation: *generation, session: *ephemeral_key, at: (1, 0) }
        }
        Route::Ordinary { .. } => Key { kind: Kind::Unknown, generation: 0, session: [0; 32], at: (0, 0) },
    }
}

/// Whether each session's envelopes rise, and what is unknown stands at the end.
fn is_in_order(keys: &[(Key, usize)]) -> bool {
    if keys.is_sorted() {
        return true;
    }
    let mut last: BTreeMap<&[u8; 32], (u32, u32)> = BTreeMap::new();
    let mut is_unknown = false;
    keys.iter().all(|(key, _)| {
        if key.kind == Kind::Unknown {
            is_unknown = true;
            return true;
        }
        let before = last.insert(&key.session, key.at);
        !is_unknown && before.is_none_or(|before| before <= key.at)
    })
}
