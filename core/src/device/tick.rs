//! Housekeeping: what is due by time (X 3, X 5, X 6, X 8, X 9). The library sends nothing by itself; this only prepares.

use super::{Device, group, lists::OwnList, sessions, work::Work};
use crate::{
    context::{Context, Timestamp},
    error::{Code, Error},
    event::Event,
    keys::device_list,
    limits::{KEEP_RECEIVED_IDS, MAX_RECEIVED_IDS, OLD_LIST, RESIGN_LIST},
    model::{Peer, User},
    record::{Counters, Held, Own, SeenEnvelope},
    registry::expiry,
    store::{Kind, Places, PreKeyUse},
    wire::envelope::Envelope,
};
use std::collections::BTreeMap;

impl Device {
    /// Does what is due: forgets what has lived long enough, signs the device list anew every week (on the primary). Call it about once
    /// a day, after a `GroupDiverged` as well (what is due to devices with other operations is then in [`Device::outbox`]), and with
    /// `mailbox_empty` when the mailbox has just been fetched and decrypted to its end: nothing is forgotten by a clock alone.
    ///
    /// # Errors
    /// The store's.
    pub fn tick(&self, context: &mut Context<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
        self.run(context, |work, context| {
            let mut own: Own = work.get(&Places::only(Kind::Own))?.ok_or(Code::RecordInconsistent)?;
            let mut events = Vec::new();
            if mailbox_empty {
                own.mailbox_emptied_at = context.now.0;
                work.put(Places::only(Kind::Own), &own)?;
            }
            let emptied_at = own.mailbox_emptied_at;
            forget_peers(work, emptied_at, context.now)?;
            forget_pre_keys(work, emptied_at, context.now)?;
            forget_received(work, context.now)?;
            events.extend(forget_held(work, context.now)?);
            events.extend(group::forget_held(work, context)?);
            group::forget_scopes(work, emptied_at, context.now)?;
            self.serve_all_lags(work, context)?;
            for key in work.keys(&Places::all(Kind::User))? {
                let Some(user) = work.get::<User>(&key)? else { continue };
                let issued = user.list.as_ref().map(|list| Timestamp(list.issued_at));
                if user.user != *self.user() && issued.is_some_and(|issued| context.now.since(issued) > OLD_LIST) {
                    events.push(Event::DeviceListOld { user: user.user });
                }
            }
            let OwnList { list, .. } = self.own_list(work)?;
            if let Some(account) = self.account(work)?
                && context.now.since(Timestamp(list.issued_at)) > RESIGN_LIST
            {
                let next = device_list::sign(&account, self.user(), Some(&list), &list.devices, context.now)?;
                events.extend(self.take_list(work, &next, context.now)?);
            }
            Ok(events)
        })
    }
}

fn forget_peers(work: &mut Work<'_>, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    for key in work.keys(&Places::all(Kind::Peer))? {
        let Some(mut peer) = work.get::<Peer>(&key)? else { continue };
        // A removed device's record stays without its sessions: the floor outlives them (X 3).
        let dead = match expiry::is_forgotten(&peer, emptied_at, now) {
            true => peer.sessions.clone(),
            false => expiry::dead_sessions(&peer, emptied_at, now),
        };
        if !dead.is_empty() {
            sessions::forget(work, &mut peer, &dead)?;
            work.put_peer(&peer)?;
        }
    }
    Ok(())
}

fn forget_pre_keys(work: &mut Work<'_>, emptied_at: u64, now: Timestamp) -> Result<(), Code> {
    let mut book = super::publish::book(work)?;
    let before = book.lasting.len();
    for pair in book.lasting.iter().filter(|pair| expiry::is_outlived(pair, emptied_at, now)) {
        work.delete(Places::pre_key(PreKeyUse::Signed, pair.id));
        work.delete(Places::pre_key(PreKeyUse::LastResort, pair.id));
    }
    book.lasting.retain(|pair| !expiry::is_outlived(pair, emptied_at, now));
    if book.lasting.len() != before {
        work.put(Places::only(Kind::Book), &book)?;
    }
    Ok(())
}

/// > kept 30 days, at most 4,096 per peer device
fn forget_received(work: &mut Work<'_>, now: Timestamp) -> Result<(), Code> {
    let mut kept: BTreeMap<Vec<u8>, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for key in work.keys(&Places::all(Kind::Received))? {
        let Some(SeenEnvelope { at }) = work.get(&key)? else { continue };
        if now.since(Timestamp(at)) > KEEP_RECEIVED_IDS {
            work.delete(key);
        } else if let Some((device, _)) = key.split_last_chunk::<16>() {
            kept.entry(device.to_vec()).or_default().push((at, key));
        }
    }
    for mut of_device in kept.into_values().filter(|of_device| of_device.len() > MAX_RECEIVED_IDS) {
        of_device.sort_unstable();
        let surplus = of_device.len() - MAX_RECEIVED_IDS;
        of_device.into_iter().take(surplus).for_each(|(_, key)| work.delete(key));
    }
    Ok(())
}

fn forget_held(work: &mut Work<'_>, now: Timestamp) -> Result<Vec<Event>, Code> {
    let mut events = Vec::new();
    for key in work.keys(&Places::all(Kind::Held))? {
        let Some(held) = work.get::<Held>(&key)? else { continue };
        if now.since(Timestamp(held.at)) <= KEEP_RECEIVED_IDS {
            continue;
        }
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        let user = crate::ids::UserId::try_new(envelope.head.sender.user.as_slice().to_vec());
        events.extend(user.map(|user| Event::HeldDropped { user }));
        let mut counters: Counters = work.get(&Places::only(Kind::Counters))?.unwrap_or_default();
        counters.held = counters.held.saturating_sub(held.envelope.len() as u64);
        work.put(Places::only(Kind::Counters), &counters)?;
        work.delete(key);
    }
    Ok(events)
}
