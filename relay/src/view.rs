//! What a server sees: for the demo, and for tests that look for what it should not.

use crate::{Caller, mailbox::Refusal};
use sesame_core::{
    device::Batch,
    ids::{DeviceId, UserId},
    wire::envelope::{Envelope, Route},
};
use std::collections::BTreeMap;

/// One envelope, as the server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenEnvelope {
    /// For which device.
    pub device: DeviceId,
    /// How many bytes.
    pub bytes: usize,
    /// Whether it is an initiation message.
    pub initiation: bool,
}

/// One thing that the server saw.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// A bundle was handed out.
    BundleFetched {
        /// Whose.
        user: UserId,
        /// Which device's.
        device: DeviceId,
    },
    /// A device list or prekeys came up.
    Published {
        /// Whose.
        user: UserId,
        /// From which device.
        device: DeviceId,
        /// How many bytes.
        bytes: usize,
    },
    /// A batch came.
    Submitted {
        /// From whom.
        sender: UserId,
        /// From which device.
        sender_device: DeviceId,
        /// For whom.
        recipient: UserId,
        /// Its envelopes.
        envelopes: Vec<SeenEnvelope>,
        /// Devices that it skips.
        skipped: Vec<DeviceId>,
        /// Why it was refused, if it was.
        refusal: Option<Refusal>,
    },
}

/// All that the server holds and has seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct View {
    /// In order.
    pub seen: Vec<Seen>,
    /// Envelopes that wait, for each mailbox.
    pub waiting: BTreeMap<(UserId, DeviceId), usize>,
}

impl Seen {
    pub(crate) fn submitted(from: Caller<'_>, batch: &Batch, result: &Result<(), Refusal>) -> Self {
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
            refusal: result.as_ref().err().cloned(),
        }
    }
}
