//! Linking, behind a lock: a new device on its way, and the primary's calls.

use crate::client::{Client, Host, PATIENCE, enter, outside};
use parking_lot::Mutex;
use sesame_core::{
    context::Context,
    device::{Device, Linking as Pending},
    error::{Code, Error},
    event::{LinkLeg, LinkPost, LinkWait, PendingLinkView, Server},
    ids::{DeviceId, LinkId},
    secret::Secret,
};

/// A new device that waits for its primary. It lives in the store: [`Linking::resume`] takes it up after the app was closed.
///
/// It shows [`Linking::code`] to the primary, hears the primary's hello, shows [`Linking::digits`], and takes the answer after
/// [`Linking::confirm`].
pub struct Linking {
    code: String,
    waiting: Mutex<Option<Waiting>>,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

struct Waiting {
    /// `None` after an answer that was not taken: it is taken up from the store again.
    linking: Option<Pending>,
    host: Host,
}

impl Waiting {
    /// The link, which the answer will use up.
    fn take(&mut self) -> Result<Pending, Error> {
        match self.linking.take() {
            Some(linking) => Ok(linking),
            None => outside(&self.host.clock, |_| Pending::resume(self.host.store.clone(), &self.host.key)),
        }
    }
}

impl Linking {
    /// Begins to link a new device. A link that was begun in this store before is replaced.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; as [`enter`]; the store's.
    pub fn begin(host: Host, server: &Server) -> Result<Self, Error> {
        let begin = |context: &mut Context<'_>| Device::begin_link(host.store.clone(), &host.key, context, server);
        let linking = outside(&host.clock, begin)?;
        Ok(Self::new(linking, host))
    }

    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`]; as [`enter`]; the store's.
    pub fn resume(host: Host) -> Result<Self, Error> {
        let linking = outside(&host.clock, |_| Pending::resume(host.store.clone(), &host.key))?;
        Ok(Self::new(linking, host))
    }

    fn new(linking: Pending, host: Host) -> Self {
        let code = linking.code().to_owned();
        Self { code, waiting: Mutex::new(Some(Waiting { linking: Some(linking), host })) }
    }

    /// What to show to the primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What to ask the server for. `None` while the app has to confirm.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; as [`enter`]; the store's.
    pub fn next_leg(&self) -> Result<Option<LinkWait>, Error> {
        self.with(|linking, _| linking.next_leg())
    }

    /// Hears the primary's hello and gives the digits to show: 15 of them. Only the first hello is heard; it may come again.
    ///
    /// # Errors
    /// [`Code::AuthenticationFailed`] for a hello to another code; [`Code::LinkMismatch`] for a second hello; [`Code::LinkExpired`]; what is
    /// wrong with the bytes; [`Code::Closed`]; as [`enter`]; the store's.
    pub fn hear_hello(&self, hello: &[u8]) -> Result<String, Error> {
        self.with(|linking, context| linking.hear_hello(context, hello))
    }

    /// The digits to show, or `None` before a hello was heard.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn digits(&self) -> Result<Option<String>, Error> {
        self.with(|linking, _| linking.digits())
    }

    /// The user has seen the same digits on both devices; only now is an answer taken.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] before a hello was heard; [`Code::LinkExpired`]; [`Code::Closed`]; as [`enter`]; the store's.
    pub fn confirm(&self) -> Result<(), Error> {
        self.with(|linking, context| linking.confirm(context))
    }

    /// Whether nothing more can come of this link: begin another one then. A link that was confirmed waits a day longer for its answer.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn expired(&self) -> Result<bool, Error> {
        self.with(|linking, context| linking.expired(context.now))
    }

    /// Takes the primary's answer. A wrong one, or a store that fails, changes nothing: the right one may still come.
    ///
    /// # Errors
    /// [`Code::Closed`] once it is complete; [`Code::LinkNotConfirmed`] before [`Linking::confirm`]; [`Code::LinkMismatch`] for an answer that
    /// follows another hello or comes from another account; [`Code::AuthenticationFailed`] for one that others made;
    /// [`Code::LinkExpired`]; [`Code::NotListed`] when the list in it does not name this device; as [`enter`]; the store's.
    pub fn complete(&self, answer: &[u8]) -> Result<Client, Error> {
        enter()?;
        let mut slot = self.waiting.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let waiting = slot.as_mut().ok_or(Code::Closed)?;
        let linking = waiting.take()?;
        let host = &waiting.host;
        let key = Secret::init_with(|to| *to = *host.key.expose());
        let copy = Host::new(host.store.clone(), key).with_clock(host.clock.clone());
        let client = Client::complete(linking, copy, answer)?;
        *slot = None;
        Ok(client)
    }

    fn with<T>(&self, call: impl FnOnce(&Pending, &mut Context<'_>) -> Result<T, Error>) -> Result<T, Error> {
        enter()?;
        let mut slot = self.waiting.try_lock_for(PATIENCE).ok_or(Code::Busy)?;
        let waiting = slot.as_mut().ok_or(Code::Closed)?;
        let linking = waiting.take()?;
        let result = outside(&waiting.host.clock, |context| call(&linking, context));
        waiting.linking = Some(linking);
        result
    }
}

impl Client {
    /// The primary reads a new device's code and begins the link. Nothing is signed yet: the app shows the digits, and calls
    /// [`Client::confirm_link`] once the user has seen the same ones on the new device. A code that is read twice gives the same link.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::LinkMalformed`] for a text that is not a code, or was mistyped; [`Code::LinkExpired`];
    /// [`Code::LinkUsed`]; [`Code::LinkClock`] when this device's clock and the new one's are too far apart; [`Code::UnsupportedVersion`] for a
    /// code of a later version; [`Code::BadKeyEncoding`], [`Code::WeakPublicKey`] or [`Code::KeyReuse`] for a key in it;
    /// [`Code::TooManyOwnDevices`]; [`Code::TooMany`] beyond 4 links at once; the store's.
    pub fn link_device(&self, code: &str) -> Result<PendingLinkView, Error> {
        self.call(|core, context| core.link_device(context, code))
    }

    /// The user has seen the same digits on both devices: a new list names the new device, and the answer for it is made. Gives the id of the
    /// new device; a repeated call gives the same one.
    ///
    /// The new list goes out with the next [`Client::publication`], and the answer with [`Client::link_posts`] after that.
    ///
    /// # Errors
    /// [`Code::LinkExpired`], also for a link that is not known; [`Code::LinkUsed`] for one that was cancelled; [`Code::LinkMismatch`] when
    /// somebody else's hello lies in the box; [`Code::NotPrimary`]; [`Code::TooManyOwnDevices`]; [`Code::KeyReuse`]; the store's.
    pub fn confirm_link(&self, id: &LinkId) -> Result<DeviceId, Error> {
        self.call(|core, context| core.confirm_link(context, id))
    }

    /// The app gives a link up, for example because the digits differ. The code is never taken again. A link that is not known is no error.
    ///
    /// # Errors
    /// [`Code::LinkUsed`] when it was confirmed: [`Client::remove_device`] then; the store's.
    pub fn cancel_link(&self, id: &LinkId) -> Result<(), Error> {
        self.call(|core, context| core.cancel_link(context, id))
    }

    /// What the primary has still to put into boxes at the server.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posts(&self) -> Result<Vec<LinkPost>, Error> {
        self.call(|core, context| core.link_posts(context))
    }

    /// The server has answered to a post with what lies in that leg now. `false`: it is not what was posted, so that somebody else who knows
    /// the code was first. Such a link cannot be confirmed.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posted(&self, id: &LinkId, leg: LinkLeg, lies: &[u8]) -> Result<bool, Error> {
        self.call(|core, context| core.link_posted(context, id, leg, lies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sesame_core::ids::UserId;
    use sesame_core::store::Store;
    use sesame_core::store::{
        Changes, CommitError, Generation, MemoryStore, Query, Snapshot, StoreError, StoreErrorKind,
    };
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A store that can be made to fail.
    struct Failing {
        inner: Arc<dyn Store>,
        fails: AtomicBool,
    }

    impl Store for Failing {
        fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
            if self.fails.load(Ordering::Relaxed) {
                Err(StoreErrorKind::Io.into())
            } else {
                self.inner.load(queries, hold)
            }
        }

        fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
            self.inner.commit(expected, changes)
        }

        fn release(&self) {
            self.inner.release();
        }
    }

    fn memory() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    fn key() -> Secret<32> {
        Secret::init_with(|key| key.fill(1))
    }

    #[test]
    #[cfg_attr(miri, ignore = "key agreement takes hours there")]
    fn a_link_goes_its_way_though_answers_are_wrong_and_the_store_fails() -> Result<(), Error> {
        let server = Server::named("chat.test")?;
        let primary = Client::create(Host::new(memory(), key()), &UserId::try_from("alice")?, &server)?;
        let store = Arc::new(Failing { inner: memory(), fails: AtomicBool::new(false) });
        let link = Linking::begin(Host::new(store.clone(), key()), &server)?;
        let offered = primary.link_device(link.code())?;
        let hello = primary.link_posts()?.remove(0);
        assert_eq!(link.next_leg()?.map(|wait| wait.leg), Some(LinkLeg::Hello));
        store.fails.store(true, Ordering::Relaxed);
        assert_eq!(link.hear_hello(&hello.bytes), Err(Code::StoreIo.into()));
        store.fails.store(false, Ordering::Relaxed);
        assert_eq!(link.digits(), Ok(None));
        assert_eq!(link.hear_hello(&hello.bytes).as_ref(), Ok(&offered.digits));
        assert_eq!(primary.link_posted(&offered.id, LinkLeg::Hello, &hello.bytes), Ok(true));
        assert_eq!(primary.confirm_link(&offered.id)?, DeviceId(2));
        assert_eq!(primary.link_posts(), Ok(vec![]), "the list is not published yet");
        let answer = primary.call(|core, context| core.link_leg(context, &offered.id, LinkLeg::Answer))?;
        let answer = answer.ok_or(Code::Internal)?;
        assert_eq!(link.complete(&answer).map(drop), Err(Code::LinkNotConfirmed.into()));
        link.confirm()?;
        store.fails.store(true, Ordering::Relaxed);
        assert!(link.complete(b"nonsense").is_err());
        assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()));
        assert_eq!(link.complete(&answer).map(drop), Err(Code::StoreIo.into()), "and it waits as long as that lasts");
        store.fails.store(false, Ordering::Relaxed);
        let linked = link.complete(&answer)?;
        assert_eq!(linked.call(|device, _| Ok(device.id().0)), Ok(2));
        assert_eq!(link.complete(&answer).map(drop), Err(Code::Closed.into()));
        assert_eq!(link.confirm(), Err(Code::Closed.into()));
        Ok(())
    }
}
