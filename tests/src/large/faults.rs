//! The faults of a scene: of stores, clocks, processes, the network and the server.

use super::{Act, Trouble, oracle::show, sim::Sim};
use crate::{DAY, Name, is_of, pump::Answer, store::Fault, store_key};
use sesame_core::{
    device::Device,
    error::Blame,
    event::ServerRequest,
    internal::{store::Kind, wire::envelope::Envelope},
};

impl Sim {
    pub(super) fn fault(&mut self, act: Act) {
        match act {
            Act::Copy { device } => {
                let name = self.device(device);
                let rows = self.world.dump(name);
                let said = self.said.len();
                let side = self.side(name);
                side.copies.push((rows, side.book.clone(), said));
            }
            Act::PutBack { device, copy } => {
                let name = self.device(device);
                let copies = &self.side(name).copies;
                let Some((rows, book, copied)) = copies.get(usize::from(copy) % copies.len().max(1)).cloned() else {
                    return;
                };
                let said = self.said.len();
                let side = self.side(name);
                (side.book, side.back, side.is_hurt) = (book, Some((copied, said)), true);
                self.side(name).other = None;
                self.world.put_back(name, rows);
                self.count("put back");
            }
            Act::Crash { device, operation, fault } => self.crash(self.device(device), operation, fault),
            Act::Spoil { device, row } => self.spoil(self.device(device), row),
            Act::Lose { device, percent } => self.lose(self.device(device), percent),
            Act::Delay { device } => {
                let name = self.device(device);
                let mails = self.world.steal(name);
                if !mails.is_empty() {
                    self.side(name).kept_back.extend(mails);
                    self.count("delay");
                }
            }
            Act::Deliver { device } => self.deliver_late(self.device(device)),
            Act::Repeat { device } => {
                let name = self.device(device);
                let came = self.side(name).came.clone();
                if !came.is_empty() {
                    self.count("repeat");
                    self.decrypt(name, came);
                }
            }
            Act::Cut { device, off } => {
                let name = self.device(device);
                self.side(name).is_cut = off;
                self.count("cut");
            }
            Act::Clock { device, days } => {
                let name = self.device(device);
                // By a clock that is wrong for long its prekeys may go.
                self.side(name).is_hurt = true;
                self.side(name).is_off |= days.unsigned_abs() >= 40;
                self.side(name).offset = i64::from(days) * DAY as i64;
                self.count("clock");
            }
            Act::Swap { device } => {
                let name = self.device(device);
                let store = self.world.hosts[&name].store.clone();
                let other = self.side(name).other.take();
                let other = other.map_or_else(|| Device::open(store, &store_key()), Ok);
                let Ok(other) = other else { return };
                let host = self.world.hosts.get_mut(&name).expect("it is there");
                let before = core::mem::replace(&mut host.device, other);
                self.side(name).other = Some(before);
                self.world.requests.remove(&name);
                self.count("swap");
            }
            Act::Trouble { device, trouble, requests } => {
                let name = self.device(device);
                self.side(name).trouble = Some((trouble, requests));
                self.count("trouble");
            }
            _ => {}
        }
    }

    /// What the server answers, or does instead.
    pub(super) fn serve(&mut self, name: Name, request: &ServerRequest) -> Answer {
        if request.path.contains("mail") {
            // What the answer brings may come once more.
            let mails = self.world.mails(name);
            let side = self.side(name);
            side.came.extend(mails);
            let too_many = side.came.len().saturating_sub(40);
            side.came.drain(..too_many);
        }
        let trouble = match &mut self.side(name).trouble {
            Some((trouble, left)) if *left > 0 => {
                *left -= 1;
                Some(*trouble)
            }
            _ => None,
        };
        match trouble {
            None => {
                let answer = self.world.perform(request);
                self.side(name).answers.insert(request.path.clone(), answer.clone());
                answer
            }
            Some(Trouble::Unanswered) => {
                drop(self.world.perform(request));
                (0, Vec::new())
            }
            Some(Trouble::Lost) => (0, Vec::new()),
            Some(Trouble::Error) => (503, Vec::new()),
            Some(Trouble::Stale) if request.path.contains("submit") => {
                // It says of other batches that it has taken these. Nobody can know.
                let said = self.said.len();
                let everybody: Vec<Name> = self.sides.keys().copied().collect();
                self.lossless.extend(everybody.into_iter().map(|to| ((name, to), said)));
                self.side(name).answers.get(&request.path).cloned().unwrap_or((0, Vec::new()))
            }
            Some(Trouble::Stale) => self.side(name).answers.get(&request.path).cloned().unwrap_or((0, Vec::new())),
            Some(Trouble::Garbage) => (200, vec![0xff; 9]),
        }
    }

    /// The device is on while its store fails; then its process is started anew.
    fn crash(&mut self, name: Name, operation: u8, fault: u8) {
        if self.side(name).is_cut {
            return;
        }
        let fault = [Fault::Fails, Fault::LandsUnknown, Fault::LostUnknown][usize::from(fault) % 3];
        let store = self.world.hosts[&name].store.clone();
        store.fail_at(u64::from(operation), fault);
        self.is_crashing = true;
        let ran = self.run(name);
        self.is_crashing = false;
        let struck = store.struck().is_some();
        match ran {
            Err(error) if error.code.blame() != Blame::Store || !struck => {
                self.wrong("error", format!("{} in a crash: {error:?}", show(name)));
            }
            _ => {}
        }
        if struck {
            self.count("crash");
        }
        self.side(name).other = None;
        self.world.reopen(name);
    }

    /// Changes one byte of a row that heals by itself.
    fn spoil(&mut self, name: Name, row: u8) {
        let kinds = [
            Kind::Session,
            Kind::Chains,
            Kind::Skipped,
            Kind::Block,
            Kind::Index,
            Kind::Received,
            Kind::Heard,
            Kind::Held,
            Kind::HeldContent,
        ];
        let mut rows = self.world.dump(name);
        let meant: Vec<Vec<u8>> = rows.keys().filter(|key| is_of(key, &kinds)).cloned().collect();
        if meant.is_empty() {
            return;
        }
        let key = &meant[usize::from(row) % meant.len()];
        if let Some(last) = rows.get_mut(key).and_then(|row| row.last_mut()) {
            *last ^= 1;
        }
        self.side(name).other = None;
        self.world.put_back(name, rows);
        self.side(name).is_hurt = true;
        self.count("spoil");
    }

    fn lose(&mut self, name: Name, percent: u8) {
        let (kept, lost): (Vec<_>, Vec<_>) = {
            let mails = self.world.steal(name);
            let world = &mut self.world;
            mails.into_iter().partition(|_| world.below(100) >= usize::from(percent))
        };
        for envelope in &lost {
            self.note_lost(name, envelope);
        }
        if !lost.is_empty() {
            self.count("lose");
        }
        self.side(name).kept_back.extend(kept);
        self.deliver_late(name);
    }

    fn note_lost(&mut self, name: Name, envelope: &[u8]) {
        let from = Envelope::decode(envelope).ok().and_then(|envelope| envelope.sender());
        let from = from.and_then(|(user, device)| {
            let known = self.users.iter().find(|known| known.as_bytes() == user.as_bytes())?;
            Some((*known, device.0))
        });
        if let Some(from) = from {
            self.lossless.insert((from, name), self.said.len());
        }
    }

    /// What was kept back comes, in any order.
    pub(super) fn deliver_late(&mut self, name: Name) {
        let mut mails = core::mem::take(&mut self.side(name).kept_back);
        for at in (1..mails.len()).rev() {
            let other = self.world.below(at + 1);
            mails.swap(at, other);
        }
        if !mails.is_empty() {
            self.count("late");
            self.decrypt(name, mails);
        }
    }

    /// A transport of the app's own hands envelopes over.
    fn decrypt(&mut self, name: Name, mails: Vec<Vec<u8>>) {
        let done = self.at(name, |world| world.with(name, |d, c| d.batch_decrypt(c, &mails, false).map(drop)));
        if self.check(name, done).is_some() {
            let read = self.read(name);
            self.check(name, read);
        }
    }
}
