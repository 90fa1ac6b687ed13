//! The rules of the server, as a library without I/O. `docs/server.md` lists what any server must do.
//!
//! The relay keeps the signed device lists, the prekeys and a mailbox for each device. Its main rule: *a batch
//! for a user is accepted if and only if its devices, sent to or explicitly skipped, are exactly the devices on
//! the user's current signed list, without the sending one; otherwise all of it is refused*. The relay has no
//! keys and knows nothing of groups. The code that owns the sockets authenticates the callers.
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
    event::Batch,
    ids::{DeviceId, UserId},
    internal::steps::{Answers, Need},
};

/// A device, authenticated by the transport.
pub type Caller<'a> = (&'a UserId, DeviceId);

/// A whole server in memory.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    directory: Directory,
    mailboxes: Mailboxes,
    log: Vec<Seen>,
}

impl Relay {
    /// Makes an empty server.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an upload. Returns how many one-time prekeys the device has left, of the kind that has fewer.
    ///
    /// # Errors
    /// A [`PublishError`]; nothing was taken then.
    pub fn publish(&mut self, caller: Caller<'_>, publication: &[u8]) -> Result<Stock, PublishError> {
        let stock = self.directory.publish(caller, publication)?;
        self.log.push(Seen::Published { user: caller.0.clone(), device: caller.1, bytes: publication.len() });
        Ok(stock)
    }

    /// How many one-time prekeys a device has left, of the kind that has fewer.
    #[must_use]
    pub fn stock(&self, caller: Caller<'_>) -> Stock {
        self.directory.stock(caller)
    }

    /// The signed device list of a user.
    #[must_use]
    pub fn device_list(&self, user: &UserId) -> Option<Vec<u8>> {
        self.directory.list(user)
    }

    /// A prekey bundle of a listed device. Its one-time prekeys are removed from the directory.
    pub fn bundle(&mut self, user: &UserId, device: DeviceId) -> Option<Vec<u8>> {
        let bundle = self.directory.bundle(user, device)?;
        self.log.push(Seen::BundleFetched { user: user.clone(), device });
        Some(bundle)
    }

    /// The device lists and bundles that a send needs, as far as the server has them.
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
                // The app decides about identities, and the device uploads its own prekeys.
                Need::IdentityAcceptance(_) | Need::Publication => {}
            }
        }
        answers
    }

    /// Puts a batch for one user into the mailboxes of all devices of that user, or refuses all of it.
    ///
    /// # Errors
    /// A [`Refusal`]; no mailbox has changed then.
    pub fn submit(&mut self, caller: Caller<'_>, batch: &Batch) -> Result<(), Refusal> {
        let result = self.mailboxes.submit(&self.directory, caller, batch);
        self.log.push(Seen::submitted(caller, batch, &result));
        result
    }

    /// The oldest envelopes that wait for a device, at most `limit`. Fetching deletes nothing;
    /// [`Relay::confirm`] does.
    #[must_use]
    pub fn fetch(&self, caller: Caller<'_>, limit: usize) -> Vec<Mail> {
        self.mailboxes.fetch(caller, limit)
    }

    /// Deletes envelopes that the device has stored.
    pub fn confirm(&mut self, caller: Caller<'_>, ids: &[u64]) {
        self.mailboxes.confirm(caller, ids);
    }

    /// Everything that the server has seen, in order.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.log
    }

    /// Everything that the server holds and has seen.
    #[must_use]
    pub fn view(&self) -> View {
        View { seen: self.log.clone(), waiting: self.mailboxes.waiting() }
    }
}
