//! How a device comes to be by linking: the calls of the new device, and those of its primary (X 7).

use super::Device;
#[cfg(doc)]
use crate::error::Code;
use crate::{
    agreement::linking::link_id,
    context::{Context, Timestamp},
    error::Error,
    event::{Answered, LinkLeg, LinkPost, LinkWait, PendingLinkView, Server, ServerRequest},
    flow::{
        requests::link::{LinkRequests, LinkTag, NOTHING_DUE},
        upkeep::{join, link},
    },
    ids::{DeviceId, LinkId, RequestId},
    secret::Secret,
    store::{Sealer, Store},
    tx::{Place, Tx},
    wire::{link_code::LinkOffer, linking::LinkAnswer},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A new device that waits for its primary. It lives in the store, not in this handle.
///
/// It shows [`Linking::code`] to the primary, hears the primary's hello, shows [`Linking::digits`], and takes the answer after
/// [`Linking::confirm`].
pub struct Linking {
    store: Arc<dyn Store>,
    sealer: Sealer,
    code: Zeroizing<String>,
    tag: LinkTag,
}

impl core::fmt::Debug for Linking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Linking")
    }
}

impl Linking {
    /// Takes up a link that was begun before the app was closed.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when none was begun; [`Code::WrongKey`]; [`Code::RecordCorrupt`].
    pub fn resume(store: Arc<dyn Store>, store_key: &Secret<32>) -> Result<Self, Error> {
        let sealer = Sealer::new(store_key);
        let mut tx = Tx::new(store.as_ref(), &sealer, false);
        let offer = join::resume(&mut tx, &sealer).map_err(|code| tx.explain(code.into()))?;
        drop(tx);
        Self::showing(store, sealer, &offer)
    }

    fn showing(store: Arc<dyn Store>, sealer: Sealer, offer: &LinkOffer) -> Result<Self, Error> {
        let tag = LinkTag::of(&link_id(&offer.secret));
        Ok(Self { store, sealer, code: offer.encode()?, tag })
    }

    /// What to show as text or QR, to nobody but one's own primary.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the names of this link's requests begin with.
    #[must_use]
    pub fn tag(&self) -> LinkTag {
        self.tag
    }

    /// What to ask the server for. `None` while the app has to confirm.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds no link any more; the store's.
    pub fn next_leg(&self) -> Result<Option<LinkWait>, Error> {
        self.look(join::next_leg)
    }

    /// The next request of a new device: a look into its box at the server. `None` when it is too early, while the app has to confirm, and when
    /// nothing can come of the link any more.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn next_request(
        &self,
        context: &mut Context<'_>,
        requests: &mut LinkRequests,
    ) -> Result<Option<ServerRequest>, Error> {
        match self.next_leg()? {
            Some(wait) if !self.expired(context.now)? => requests.next(context, self.tag, wait),
            _ => Ok(None),
        }
    }

    /// How long it is until [`Linking::next_request`] has something to give, in ms: 0 when it has now. It is a day while the app has to confirm,
    /// and when nothing can come of the link any more.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn due_in(&self, now: Timestamp, requests: &LinkRequests) -> Result<u64, Error> {
        if self.next_leg()?.is_none() || self.expired(now)? {
            return Ok(NOTHING_DUE);
        }
        Ok(requests.due_in(now))
    }

    /// Takes in what the server says of the box; gives what lies there, which [`Linking::hear_hello`] or [`Linking::complete`] takes.
    pub fn found(
        &self,
        context: &mut Context<'_>,
        requests: &mut LinkRequests,
        id: &RequestId,
        answer: (u16, &[u8]),
    ) -> (Answered, Option<Vec<u8>>) {
        requests.hear(context, id, answer)
    }

    /// Hears the primary's hello and gives the digits to show: 15 of them. Only the first hello is heard; it may come again.
    ///
    /// # Errors
    /// [`Code::AuthenticationFailed`] for a hello to another code; [`Code::LinkMismatch`] for a second hello; [`Code::LinkExpired`];
    /// what the decoders say; the store's.
    pub fn hear_hello(&self, context: &mut Context<'_>, hello: &[u8]) -> Result<String, Error> {
        self.run(context, |tx, context| join::hear_hello(tx, context.now, hello))
    }

    /// The digits to show, or `None` before a hello was heard.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn digits(&self) -> Result<Option<String>, Error> {
        self.look(join::digits)
    }

    /// The user has seen the same digits on both devices; only now is an answer taken.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] before a hello was heard, as there are no digits that the user can have seen ([`Code::LinkNotConfirmed`] is for
    /// an answer that comes before this call); [`Code::LinkExpired`]; the store's.
    pub fn confirm(&self, context: &mut Context<'_>) -> Result<(), Error> {
        self.run(context, |tx, context| join::confirm(tx, context.now))
    }

    /// Whether nothing more can come of this link: begin another one then. A link that was confirmed waits a day longer for its answer.
    ///
    /// # Errors
    /// As [`Linking::next_leg`].
    pub fn expired(&self, now: Timestamp) -> Result<bool, Error> {
        self.look(|tx| join::is_expired(tx, now))
    }

    /// Takes the primary's answer; this store now holds a device.
    ///
    /// # Errors
    /// [`Code::LinkNotConfirmed`] before [`Linking::confirm`]; [`Code::LinkMismatch`] for an answer that follows another hello or comes from
    /// another account; [`Code::AuthenticationFailed`] for one that others made; [`Code::LinkExpired`]; [`Code::NotListed`] when the list in it
    /// does not name this device; what the decoders say.
    pub fn complete(self, context: &mut Context<'_>, answer: &[u8]) -> Result<Device, Error> {
        let answer = LinkAnswer::decode(answer).map_err(|code| Error::of(code, "answer"))?;
        let keys = self.run(context, |tx, context| join::complete(tx, context.now, &answer))?;
        Ok(Device::new(self.store, self.sealer, keys))
    }

    /// Reads without writing.
    fn look<T>(&self, read: impl FnOnce(&Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let tx = Tx::new(self.store.as_ref(), &self.sealer, false);
        read(&tx).map_err(|error| tx.explain(error))
    }

    fn run<T>(
        &self,
        context: &mut Context<'_>,
        call: impl FnMut(&mut Tx<'_>, &mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        Place::new(self.store.as_ref(), &self.sealer).run(context, call)
    }
}

impl Device {
    /// Begins to link a new device: makes its keys, keeps them in the store, and gives the code to show (X 7). A link that was begun there before is replaced.
    ///
    /// # Errors
    /// [`Code::ForeignStore`] when the store holds a device already; [`Code::WrongKey`]; the store's.
    pub fn begin_link(
        store: Arc<dyn Store>,
        store_key: &Secret<32>,
        context: &mut Context<'_>,
        server: &Server,
    ) -> Result<Linking, Error> {
        let sealer = Sealer::new(store_key);
        let place = Place::new(store.as_ref(), &sealer);
        let offer = place.run(context, |tx, context| Ok(join::begin(tx, context, &sealer, server)?))?;
        Linking::showing(store, sealer, &offer)
    }

    /// The primary reads a new device's code and begins the link. Nothing is signed yet: the app shows the digits, and calls
    /// [`Device::confirm_link`] once the user has seen the same ones on the new device. A code that is read twice gives the same link.
    ///
    /// # Errors
    /// [`Code::NotPrimary`]; [`Code::LinkMalformed`] for a text that is not a code, or was mistyped; [`Code::LinkExpired`];
    /// [`Code::LinkUsed`]; [`Code::LinkClock`] when this device's clock and the new one's are too far apart; [`Code::UnsupportedVersion`] for a
    /// code of a later version; [`Code::BadKeyEncoding`], [`Code::WeakPublicKey`] or [`Code::KeyReuse`] for a key in it;
    /// [`Code::TooManyOwnDevices`]; [`Code::TooMany`] beyond 4 links at once; the store's.
    pub fn link_device(&self, context: &mut Context<'_>, code: &str) -> Result<PendingLinkView, Error> {
        let offer = link::Offer::read(code, context.now)?;
        self.call(context, |call| link::begin(call, &offer))
    }

    /// The user has seen the same digits on both devices: a new list names the new device, and the answer for it is made. Gives the id of the
    /// new device; a repeated call gives the same one.
    ///
    /// The new list goes out with the next requests, and the answer after it.
    ///
    /// # Errors
    /// [`Code::LinkExpired`], also for a link that is not known; [`Code::LinkUsed`] for one that was cancelled; [`Code::LinkMismatch`] when
    /// somebody else's hello lies in the box; [`Code::NotPrimary`]; [`Code::TooManyOwnDevices`]; [`Code::KeyReuse`]; the store's.
    pub fn confirm_link(&self, context: &mut Context<'_>, id: &LinkId) -> Result<DeviceId, Error> {
        self.call(context, |call| link::confirm(call, id))
    }

    /// The app gives a link up, for example because the digits differ. The code is never taken again. A link that is not known is no error.
    ///
    /// # Errors
    /// [`Code::LinkUsed`] when it was confirmed: [`Device::remove_device`] then; the store's.
    pub fn cancel_link(&self, context: &mut Context<'_>, id: &LinkId) -> Result<(), Error> {
        self.call(context, |call| link::cancel(call, id))
    }

    /// What the primary has still to put into boxes at the server.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posts(&self, context: &mut Context<'_>) -> Result<Vec<LinkPost>, Error> {
        self.call(context, |call| link::due(call))
    }

    /// The server has answered to a post with what lies in that leg now. `false`: it is not what was posted, so that somebody else who knows
    /// the code was first. Such a link cannot be confirmed.
    ///
    /// # Errors
    /// The store's.
    pub fn link_posted(
        &self,
        context: &mut Context<'_>,
        id: &LinkId,
        leg: LinkLeg,
        lies: &[u8],
    ) -> Result<bool, Error> {
        self.call(context, |call| link::posted(call, id, leg, lies))
    }

    /// A leg of a link, due or not, for a host that carries it over a channel of its own. It then publishes the list first.
    ///
    /// # Errors
    /// The store's.
    #[doc(hidden)]
    pub fn link_leg(&self, context: &mut Context<'_>, id: &LinkId, leg: LinkLeg) -> Result<Option<Vec<u8>>, Error> {
        self.call(context, |call| link::leg(call, id, leg))
    }
}
