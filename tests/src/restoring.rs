//! A primary that is lost and comes back from a backup.

use crate::{Host, Name, World, server, store::FaultyStore, store_key, user};
use sesame_core::{
    context::Timestamp,
    device::{Backup, Device, Loss, RestoreRequests, Restoring},
    error::{Code, Error},
    event::Answered,
    store::MemoryStore,
};
use sesame_relay::{Request, Response};
use std::sync::Arc;

/// A primary on its way back.
pub struct Back {
    /// Its store.
    pub store: Arc<FaultyStore>,
    /// The handle.
    pub restoring: Restoring,
    /// What the handle knows of its requests.
    pub requests: RestoreRequests,
}

impl World {
    /// What this primary would need to come back.
    pub fn backup(&mut self, name: Name) -> Backup {
        self.with(name, |device, context| device.backup(context)).unwrap()
    }

    /// A device is gone with its store.
    pub fn lose(&mut self, name: Name) -> Host {
        self.requests.remove(&name);
        self.hosts.remove(&name).unwrap()
    }

    /// Begins a restore in an empty store.
    ///
    /// # Errors
    /// The errors of [`Device::restore`].
    pub fn begin_restore(&mut self, backup: &Backup, loss: Loss) -> Result<Back, Error> {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let restoring = Device::restore(store.clone(), &store_key(), &mut self.outside(), &server(), (backup, loss))?;
        Ok(Back { store, restoring, requests: RestoreRequests::new() })
    }

    /// Lets the relay answer until the device is there, or there is nothing to ask; gives whether it is there, and the last answer.
    ///
    /// # Errors
    /// The errors of the calls.
    pub fn run_restore(&mut self, back: &mut Back) -> Result<(bool, Answered), Error> {
        let mut last = Answered::default();
        while let Some(request) = back.restoring.next_request(&mut self.outside(), &mut back.requests)? {
            let Response { status, body } = self.relay.perform(Timestamp(self.now), &Request::of(&request));
            let answer = (status, body.as_slice());
            let is_there;
            (last, is_there) = back.restoring.respond(&mut self.outside(), &mut back.requests, &request.id, answer)?;
            if is_there {
                return Ok((true, last));
            }
        }
        Ok((false, last))
    }

    /// A whole restore of a user's primary; the device joins the world and publishes its prekeys.
    ///
    /// # Errors
    /// The code of an error, or of the problem that the restore ended with.
    pub fn restore(&mut self, name: &'static str, backup: &Backup, loss: Loss) -> Result<Name, Code> {
        let mut back = self.begin_restore(backup, loss).map_err(|error| error.code)?;
        match self.run_restore(&mut back).map_err(|error| error.code)? {
            (true, _) => Ok(self.join(name, back)),
            (false, answered) => Err(*Code::ALL.iter().find(|code| code.number() == answered.problem).unwrap()),
        }
    }

    /// The restored device joins the world.
    pub fn join(&mut self, name: &'static str, back: Back) -> Name {
        let device = back.restoring.device().unwrap();
        let new = (name, device.id().0);
        assert_eq!(*device.user(), user(name));
        self.hosts.insert(new, Host { store: back.store, device });
        self.publish(new);
        new
    }
}
