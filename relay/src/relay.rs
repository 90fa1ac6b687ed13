//! A whole server in memory.

use crate::{
    Caller,
    decide::{Difference, PublishError, Sender, Verdict, explain_refusal, spoken_for},
    directory::{Directory, Hashes, Upload},
    limits::MAILBOX,
    link_box::LinkBoxes,
    mailbox::{Mail, Mailboxes, Refusal},
    perform::Registration,
    view::{Seen, View, note},
};
use core::fmt;
use sesame_core::{
    context::Timestamp,
    event::Batch,
    ids::{DeviceId, UserId},
    internal::{
        steps::{Answers, Need},
        wire::answer::Stock,
    },
    limits::MAX_RIDING_HASHES,
};

/// A whole server in memory.
///
/// [`Relay::perform`] answers the requests of devices. The other calls are the same rules without bytes, signatures and time; a
/// transport of its own, which authenticates its callers, and tests use them.
#[derive(Clone)]
pub struct Relay {
    pub(crate) server: String,
    pub(crate) directory: Directory,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) link_boxes: LinkBoxes,
    pub(crate) registration: Registration,
    /// The most envelopes in one mailbox.
    pub(crate) mailbox_limit: usize,
    /// The time of the newest request.
    pub(crate) now: Timestamp,
    pub(crate) log: Vec<Seen>,
}

// A server holds names, tokens and push values, and none of them must appear in a log.
impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay(users: {})", self.directory.users())
    }
}

impl Relay {
    /// Makes an empty server with this name. Devices sign their requests for it.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            directory: Directory::default(),
            mailboxes: Mailboxes::default(),
            link_boxes: LinkBoxes::default(),
            registration: Registration::default(),
            mailbox_limit: MAILBOX,
            now: Timestamp::default(),
            log: Vec::new(),
        }
    }

    /// The name of the server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Says who may register from now on. At first everybody may.
    pub fn set_registration(&mut self, registration: Registration) {
        self.registration = registration;
    }

    /// Sets how many envelopes a mailbox holds before a submission to it is refused; 20,000 at first.
    pub fn set_mailbox_limit(&mut self, envelopes: usize) {
        self.mailbox_limit = envelopes;
    }

    /// Starts a new generation, as after the server's store was restored from a backup. All one-time prekeys go, because the server no
    /// longer knows which of them it handed out.
    pub fn restored(&mut self) {
        self.directory.restored();
    }

    /// Forgets the account of a user who has lost every device: the list, the prekeys, the mailboxes, the receipts, and the devices that had
    /// left the list. For 90 days its account key does not get the name again, so that whoever has the old devices cannot take it back. The
    /// user registers with a new account key, and everybody who knew the old one is asked before anything is sent.
    ///
    /// It is the operator's decision, and no request leads here: ask the user for a proof that does not depend on the account key. An account
    /// that was deleted is reset as well, which frees its name. Gives whether there was such an account.
    pub fn reset(&mut self, now: Timestamp, user: &UserId) -> bool {
        self.mailboxes.drop_user(user);
        self.directory.reset(user, now)
    }

    /// Takes an upload. Returns how many one-time prekeys the device has left, of the kind that has fewer.
    ///
    /// # Errors
    /// A [`PublishError`]; nothing was taken then.
    pub fn publish(&mut self, caller: Caller<'_>, publication: &[u8]) -> Result<Stock, PublishError> {
        let upload = Upload::decode(publication)?;
        if !upload.is_from(caller) {
            return Err(PublishError::NotListed);
        }
        self.take(caller, upload, publication.len())
    }

    pub(crate) fn take(&mut self, caller: Caller<'_>, upload: Upload, bytes: usize) -> Result<Stock, PublishError> {
        let (user, device) = caller;
        for gone in self.directory.publish(user, upload, self.now)? {
            self.mailboxes.drop_device((user, gone));
        }
        note(&mut self.log, Seen::Published { user: user.clone(), device, bytes });
        Ok(self.stock(caller))
    }

    /// How many one-time prekeys a device has left, of the kind that has fewer.
    #[must_use]
    pub fn stock(&self, caller: Caller<'_>) -> Stock {
        self.directory.stock(caller, self.now)
    }

    /// The signed device list of a user, with the hashes of the 16 lists before it.
    #[must_use]
    pub fn device_list(&self, user: &UserId) -> Option<Vec<u8>> {
        self.directory.list(user, Hashes::Newest(MAX_RIDING_HASHES))
    }

    /// The push value of a device, if it gave one.
    #[must_use]
    pub fn push(&self, device: Caller<'_>) -> Option<&[u8]> {
        self.directory.push(device)
    }

    /// Sets the server's clock, until a request brings another time.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// A prekey bundle of a listed device. Its one-time prekeys are removed from the directory.
    pub fn bundle(&mut self, user: &UserId, device: DeviceId) -> Option<Vec<u8>> {
        let bundle = self.directory.bundle((user, device), self.now)?;
        note(&mut self.log, Seen::BundleFetched { user: user.clone(), device });
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
        let result = self.judge(caller, batch).map_err(|verdict| self.refusal(batch, verdict));
        note(&mut self.log, Seen::submitted(caller, batch, result.as_ref().err()));
        self.mailboxes.put(batch, result?);
        Ok(())
    }

    /// Decides about a batch; gives the hash of the list that it was compared with.
    pub(crate) fn judge(&self, caller: Caller<'_>, batch: &Batch) -> Result<[u8; 32], Verdict> {
        let entry = self.directory.entry(caller).ok_or(Verdict::NotListed)?;
        let standing = self.directory.standing(&batch.user).ok_or(Verdict::NoSuchUser)?;
        let named = spoken_for(Sender { user: caller.0, entry }, batch).ok_or(Verdict::Malformed)?;
        match explain_refusal(&standing.view, &named, batch.targeted) {
            None => Ok(standing.hash),
            Some(difference) => Err(Verdict::Stale(difference)),
        }
    }

    pub(crate) fn refusal(&self, batch: &Batch, verdict: Verdict) -> Refusal {
        match verdict {
            Verdict::Malformed => Refusal::Malformed,
            Verdict::NoSuchUser => Refusal::NoSuchUser,
            Verdict::NotListed => Refusal::NotListed,
            Verdict::Stale(Difference { missing, gone, changed }) => {
                let with_changed = |devices: Vec<DeviceId>| {
                    let mut devices = [devices, changed.clone()].concat();
                    devices.sort_unstable();
                    devices
                };
                let device_list = self.device_list(&batch.user).unwrap_or_default();
                Refusal::Stale { device_list, missing: with_changed(missing), gone: with_changed(gone) }
            }
        }
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

    /// Loses the mailbox of a device, for tests of an app: its envelopes are gone, and no sender hears of it.
    pub fn lose(&mut self, device: Caller<'_>) {
        self.mailboxes.drop_device(device);
    }

    /// Everything that the server has seen, in order.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.log
    }

    /// What was seen since the last call, in order; it is forgotten.
    pub fn take_seen(&mut self) -> Vec<Seen> {
        core::mem::take(&mut self.log)
    }

    /// Everything that the server holds and has seen.
    #[must_use]
    pub fn view(&self) -> View {
        View { seen: self.log.clone(), waiting: self.mailboxes.waiting() }
    }
}
