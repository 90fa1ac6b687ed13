//! The server's part, as a library without I/O (section 6 of the design; `docs/server.md`).
//!
//! It keeps signed device lists, prekeys and a mailbox for each device, and knows one rule: *accept a user's batch iff its devices,
//! sent to or explicitly skipped, are exactly the devices on the user's current signed list, less the sending one; else refuse all of
//! it*. It has no key and knows no group. Who calls has been authenticated by whoever owns the sockets.
//!
//! ```
//! use sesame_relay::Relay;
//! use sesame_core::ids::UserId;
//! let relay = Relay::new();
//! assert!(relay.device_list(&UserId::try_new(b"alice".to_vec()).unwrap()).is_none());
//! ```

#![forbid(unsafe_code)]

mod directory;
mod mailbox;
mod view;

pub use directory::{PublishError, Stock};
pub use mailbox::{Mail, Refusal};
pub use view::{Seen, SeenEnvelope, View};

use directory::Directory;
use mailbox::Mailboxes;
use sesame_core::{
    device::{Answers, Batch, Need},
    ids::{DeviceId, UserId},
};

/// A device, as the transport has authenticated it.
pub type Caller<'a> = (&'a UserId, DeviceId);

/// A whole server in memory.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    directory: Directory,
    mailboxes: Mailboxes,
    log: Vec<Seen>,
}

impl Relay {
    /// An empty server.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an upload; gives how many one-time prekeys the device has left of the scarcer kind.
    ///
    /// # Errors
    /// A [`PublishError`]; nothing was taken then.
    pub fn publish(&mut self, caller: Caller<'_>, publication: &[u8]) -> Result<Stock, PublishError> {
        let stock = self.directory.publish(caller, publication)?;
        self.log.push(Seen::Published { user: caller.0.clone(), device: caller.1, bytes: publication.len() });
        Ok(stock)
    }

    /// How many one-time prekeys a device has left of the scarcer kind.
    #[must_use]
    pub fn stock(&self, caller: Caller<'_>) -> Stock {
        self.directory.stock(caller)
    }

    /// A user's signed device list.
    #[must_use]
    pub fn device_list(&self, user: &UserId) -> Option<Vec<u8>> {
        self.directory.list(user)
    }

    /// A bundle of a listed device; its one-time prekeys are gone from here with this.
    pub fn bundle(&mut self, user: &UserId, device: DeviceId) -> Option<Vec<u8>> {
        let bundle = self.directory.bundle(user, device)?;
        self.log.push(Seen::BundleFetched { user: user.clone(), device });
        Some(bundle)
    }

    /// What a device needs for a send, as far as it is here.
    pub fn answer(&mut self, needs: &[Need]) -> Answers {
        let mut answers = Answers::default();
        for need in needs {
            match need {
                Need::DeviceList(user) => match self.device_list(user) {
                    Some(list) => answers.device_lists.push(list),
                    None => answers.unknown_users.push(user.clone()),
                },
                Need::Bundle(user, device) => match self.bundle(user, *device) {
                    Some(bundle) => answers.bundles.push(bundle),
                    None => answers.without_bundle.push((user.clone(), *device)),
                },
                // The app's own word, and its own upload.
                Need::IdentityAcceptance(_) | Need::Publication => {}
            }
        }
        answers
    }

    /// Puts a user's batch into the mailboxes of all its devices, or refuses all of it.
    ///
    /// # Errors
    /// A [`Refusal`]; no mailbox has changed then.
    pub fn submit(&mut self, caller: Caller<'_>, batch: &Batch) -> Result<(), Refusal> {
        let result = self.mailboxes.submit(&self.directory, caller, batch);
        self.log.push(Seen::submitted(caller, batch, &result));
        result
    }

    /// What waits for a device, oldest first, at most `limit`. Nothing is dropped before [`Relay::confirm`].
    #[must_use]
    pub fn fetch(&self, caller: Caller<'_>, limit: usize) -> Vec<Mail> {
        self.mailboxes.fetch(caller, limit)
    }

    /// The device has these envelopes safe; they are dropped here.
    pub fn confirm(&mut self, caller: Caller<'_>, ids: &[u64]) {
        self.mailboxes.confirm(caller, ids);
    }

    /// What the server has seen, in order.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.log
    }

    /// All that the server holds and has seen.
    #[must_use]
    pub fn view(&self) -> View {
        View { seen: self.log.clone(), waiting: self.mailboxes.waiting() }
    }
}
