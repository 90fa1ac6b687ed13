//! The single steps beneath the loop of requests, for tests of the rules: what a send waits for, and the answers one by one.

use super::Device;
use crate::{
    context::Context,
    error::{Code, Error},
    event::{Event, InboxItem, Received, Recipients},
    flow::{
        receive::batch,
        send::{outbox, settle},
        upkeep::{identity, publish, tick},
    },
    ids::{AccountKey, ContentId, PublicationId, SendId, UserId},
    record::PartState,
    tx::sends,
};

#[doc(hidden)]
pub use crate::{
    flow::{
        send::{
            needs::{Answers, Applied, Refusal, Rejection},
            outbox::Standing,
        },
        upkeep::publish::Publication,
    },
    registry::send::Need,
};

/// The steps; each is one call and one commit.
#[doc(hidden)]
#[allow(missing_docs, clippy::missing_errors_doc)]
pub trait Steps {
    fn encrypt<'r>(
        &self,
        context: &mut Context<'_>,
        to: impl Into<Recipients<'r>>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<Standing, Error>;
    fn outbox(&self, context: &mut Context<'_>) -> Result<Vec<Standing>, Error>;
    fn pending(&self, context: &mut Context<'_>, send: &SendId) -> Result<Option<Standing>, Error>;
    fn accepted(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error>;
    fn rejected(
        &self,
        context: &mut Context<'_>,
        send: &SendId,
        user: &UserId,
        rejection: &Rejection,
    ) -> Result<Standing, Error>;
    fn apply(&self, context: &mut Context<'_>, answers: &Answers) -> Result<Applied, Error>;
    fn publication(&self, context: &mut Context<'_>, left: Option<u32>) -> Result<Option<Publication>, Error>;
    fn published(&self, context: &mut Context<'_>, id: &PublicationId) -> Result<(), Error>;
    fn tick(&self, context: &mut Context<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error>;
    fn accept(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        account_key: &AccountKey,
    ) -> Result<Vec<Received>, Error>;
    fn decrypt(&self, context: &mut Context<'_>, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error>;
    fn all_items(&self, context: &mut Context<'_>) -> Result<Vec<InboxItem>, Error>;
    fn observe(&self, context: &mut Context<'_>) -> Result<(), Error>;
}

#[doc(hidden)]
impl Steps for Device {
    fn encrypt<'r>(
        &self,
        context: &mut Context<'_>,
        to: impl Into<Recipients<'r>>,
        payload: &[u8],
        content_id: Option<ContentId>,
    ) -> Result<Standing, Error> {
        let send = self.batch_encrypt(context, to, payload, content_id)?;
        self.pending(context, &send.id)?.ok_or(Code::Internal.into())
    }

    fn outbox(&self, context: &mut Context<'_>) -> Result<Vec<Standing>, Error> {
        self.call(context, |call| Ok(outbox::all(call)?))
    }

    fn pending(&self, context: &mut Context<'_>, send: &SendId) -> Result<Option<Standing>, Error> {
        self.call(context, |call| Ok(outbox::view(call, send)?))
    }

    fn accepted(&self, context: &mut Context<'_>, send: &SendId, user: &UserId) -> Result<(), Error> {
        self.call(context, |call| Ok(sends::close(&mut call.tx, &call.us.party.user, send, user, PartState::Taken)?))
    }

    fn rejected(
        &self,
        context: &mut Context<'_>,
        send: &SendId,
        user: &UserId,
        rejection: &Rejection,
    ) -> Result<Standing, Error> {
        let shown = settle::shown_list(rejection, user)?;
        self.call(context, |call| {
            let events = match &shown {
                Some(list) => settle::stale(call, send, user, list)?.events,
                None => {
                    settle::unknown_user(call, user)?;
                    Vec::new()
                }
            };
            let standing = outbox::view(call, send)?.ok_or(Code::Internal)?;
            Ok(Standing { events, ..standing })
        })
    }

    fn apply(&self, context: &mut Context<'_>, answers: &Answers) -> Result<Applied, Error> {
        self.call(context, |call| settle::apply(call, answers))
    }

    fn publication(&self, context: &mut Context<'_>, left: Option<u32>) -> Result<Option<Publication>, Error> {
        self.call(context, |call| publish::publication(call, left))
    }

    fn published(&self, context: &mut Context<'_>, id: &PublicationId) -> Result<(), Error> {
        self.call(context, |call| publish::published(call, id).map(drop))
    }

    fn tick(&self, context: &mut Context<'_>, mailbox_empty: bool) -> Result<Vec<Event>, Error> {
        self.call(context, |call| tick::tick(call, mailbox_empty))
    }

    fn accept(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        account_key: &AccountKey,
    ) -> Result<Vec<Received>, Error> {
        self.call(context, |call| identity::accept(call, user, account_key))
    }

    fn decrypt(&self, context: &mut Context<'_>, envelopes: &[Vec<u8>]) -> Result<Vec<Received>, Error> {
        self.call(context, |call| batch::open(call, envelopes))
    }

    fn all_items(&self, context: &mut Context<'_>) -> Result<Vec<InboxItem>, Error> {
        self.inbox(context, 0, usize::MAX)
    }

    fn observe(&self, context: &mut Context<'_>) -> Result<(), Error> {
        self.call(context, |call| Ok(call.observe()?))
    }
}
