//! What a server sees. The demo prints it, and tests search it for what a server should not see.

use crate::{Caller, mailbox::Refusal};
use sesame_core::{
    event::Batch,
    ids::{DeviceId, UserId},
    internal::wire::envelope::{Envelope, Route},
};
use std::collections::BTreeMap;

/// One envelope, as the server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenEnvelope {
    /// The recipient device.
    pub device: DeviceId,
    /// The size in bytes.
    pub bytes: usize,
    /// Whether the envelope is an initiation message.
    pub initiation: bool,
}

/// One event that the server saw.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// A bundle was handed out.
    BundleFetched {
        /// The user of the bundle.
        user: UserId,
        /// The device of the bundle.
        device: DeviceId,
    },
    /// A device list or prekeys were uploaded.
    Published {
        /// The uploading user.
        user: UserId,
        /// The uploading device.
        device: DeviceId,
        /// The size of the upload in bytes.
        bytes: usize,
    },
    /// A batch was submitted.
    Submitted {
        /// The sending user.
        sender: UserId,
        /// The sending device.
        sender_device: DeviceId,
        /// The recipient.
        recipient: UserId,
        /// The envelopes of the batch.
        envelopes: Vec<SeenEnvelope>,
        /// The devices that the batch skips.
        skipped: Vec<DeviceId>,
        /// The reason, if the batch was refused.
        refusal: Option<Refusal>,
    },
}

/// Everything that the server holds and has seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct View {
    /// The events, in order.
    pub seen: Vec<Seen>,
    /// The number of waiting envelopes in each mailbox.
    pub waiting: BTreeMap<(UserId, DeviceId), usize>,
}

impl Seen {
    pub(crate) fn submitted(from: Caller<'_>, batch: &Batch, refusal: Option<&Refusal>) -> Self {
        let envelopes = batch.envelopes.iter().map(|outgoing| SeenEnvelope {
            device: outgoing.device,
            bytes: outgoing.envelope.len(),
            initiation: Envelope::decode(&outgoing.envelope)
                .is_ok_and(|envelope| matches!(envelope.head.route, Route::Initiation(_))),
        });
        Self::Submitted {
            sender: from.0.clone(),
            sender_device: from.1,
            recipient: batch.user.clone(),
            envelopes: envelopes.collect(),
            skipped: batch.skips.iter().map(|skip| skip.device).collect(),
            refusal: refusal.cloned(),
        }
    }
}

/// So many events are shown; then the older half is forgotten.
const KEEP_SEEN: usize = 10_000;

/// Notes what was seen.
pub(crate) fn note(log: &mut Vec<Seen>, seen: Seen) {
    if log.len() >= KEEP_SEEN {
        log.drain(..KEEP_SEEN / 2);
    }
    log.push(seen);
}
