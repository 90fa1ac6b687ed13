//! The server's part in memory, for a first try and for tests.

use super::bytes::{Bytes, number};
use super::error::Result;
use super::generated::{Answers, Batch, Need};
use super::given::Address;
use crate::host::{user_id, user_name};
use crate::relay::{publish_error, submission_error};
use parking_lot::Mutex;
use sesame_core::{error::Error, event, ids::DeviceId};
use sesame_relay::{Refusal, Relay, Seen};
use std::sync::Arc;

/// A whole server in memory. `user` and `device` of a call stand for whom the transport has authenticated.
#[derive(::uniffi::Object)]
pub struct LocalRelay {
    relay: Mutex<Relay>,
}

/// What the server says to a batch.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Submission {
    /// It was taken whole: call `accepted`.
    Accepted,
    /// It was made from a stale view and refused whole: call `rejected` with the list.
    Stale {
        /// The current signed device list.
        device_list: Bytes,
        /// Listed devices that the batch does not name.
        missing: Vec<u32>,
        /// Devices that the batch names and the list does not.
        gone: Vec<u32>,
    },
    /// There is no such user: call `no_such_user`.
    NoSuchUser,
}

/// An envelope in a mailbox.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Mail {
    /// For `confirm`.
    pub id: u64,
    /// As it was sent.
    pub envelope: Bytes,
}

/// One envelope, as the server sees it.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct SeenEnvelope {
    /// For which device.
    pub device: u32,
    /// How many bytes.
    pub size: u32,
    /// Whether it is an initiation message.
    pub initiation: bool,
}

/// One thing that the server saw.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum SeenByRelay {
    /// A bundle was handed out.
    BundleFetched {
        /// The user of the device.
        user: String,
        /// The device.
        device: u32,
    },
    /// A device list or prekeys came up.
    Published {
        /// The user of the device.
        user: String,
        /// The device that uploaded.
        device: u32,
        /// How many bytes.
        size: u32,
    },
    /// A batch came.
    Submitted {
        /// From whom.
        sender: Address,
        /// For whom.
        recipient: String,
        /// Its envelopes.
        envelopes: Vec<SeenEnvelope>,
        /// Devices that it skips.
        skipped: Vec<u32>,
        /// Whether it was taken.
        accepted: bool,
    },
}

/// Envelopes that wait for a device.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Waiting {
    /// For whom.
    pub address: Address,
    /// How many.
    pub count: u32,
}

/// All that the server holds and has seen.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct RelayView {
    /// In order.
    pub seen: Vec<SeenByRelay>,
    /// Mailboxes.
    pub waiting: Vec<Waiting>,
}

#[::uniffi::export]
impl LocalRelay {
    /// An empty server.
    #[::uniffi::constructor]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { relay: Mutex::new(Relay::new()) })
    }

    /// Takes an upload; gives how many one-time prekeys are left.
    pub fn publish(&self, user: String, device: u32, publication: Bytes) -> Result<u32> {
        let user = user_id(&user)?;
        let stock = self.relay.lock().publish((&user, DeviceId(device)), &publication).map_err(publish_error)?;
        Ok(stock.one_time)
    }

    /// A user's signed device list.
    pub fn device_list(&self, user: String) -> Result<Option<Bytes>> {
        Ok(self.relay.lock().device_list(&user_id(&user)?).map(Bytes))
    }

    /// A bundle of a listed device; its one-time prekeys are gone with this.
    pub fn bundle(&self, user: String, device: u32) -> Result<Option<Bytes>> {
        Ok(self.relay.lock().bundle(&user_id(&user)?, DeviceId(device)).map(Bytes))
    }

    /// What a device needs for a send, as far as it is here; for `registry.apply`.
    pub fn answer(&self, needs: Vec<Need>) -> Result<Answers> {
        let needs = needs.into_iter().map(event::Need::try_from).collect::<std::result::Result<Vec<_>, Error>>()?;
        Ok(self.relay.lock().answer(&needs).into())
    }

    /// Puts a user's batch into the mailboxes of all its devices, or refuses all of it.
    pub fn submit(&self, user: String, device: u32, batch: Batch) -> Result<Submission> {
        let (user, batch) = (user_id(&user)?, event::Batch::try_from(batch)?);
        let ids = |devices: Vec<DeviceId>| devices.into_iter().map(|device| device.0).collect();
        match self.relay.lock().submit((&user, DeviceId(device)), &batch) {
            Ok(()) => Ok(Submission::Accepted),
            Err(Refusal::NoSuchUser) => Ok(Submission::NoSuchUser),
            Err(Refusal::Stale { device_list, missing, gone }) => {
                Ok(Submission::Stale { device_list: device_list.into(), missing: ids(missing), gone: ids(gone) })
            }
            Err(refusal) => Err(submission_error(&refusal).into()),
        }
    }

    /// What waits for a device, oldest first. Nothing is dropped before `confirm`.
    #[::uniffi::method(default(limit = 4096))]
    pub fn fetch(&self, user: String, device: u32, limit: u32) -> Result<Vec<Mail>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mails = self.relay.lock().fetch((&user_id(&user)?, DeviceId(device)), limit);
        Ok(mails.into_iter().map(|mail| Mail { id: mail.id, envelope: mail.envelope.into() }).collect())
    }

    /// The device has these envelopes safe; they are dropped here.
    pub fn confirm(&self, user: String, device: u32, ids: Vec<u64>) -> Result<()> {
        self.relay.lock().confirm((&user_id(&user)?, DeviceId(device)), &ids);
        Ok(())
    }

    /// All that the server holds and has seen.
    pub fn view(&self) -> RelayView {
        let view = self.relay.lock().view();
        let seen = view.seen.into_iter().map(|seen| match seen {
            Seen::BundleFetched { user, device } => {
                SeenByRelay::BundleFetched { user: user_name(&user), device: device.0 }
            }
            Seen::Published { user, device, bytes } => {
                SeenByRelay::Published { user: user_name(&user), device: device.0, size: number(bytes) }
            }
            Seen::Submitted { sender, sender_device, recipient, envelopes, skipped, refusal } => {
                SeenByRelay::Submitted {
                    sender: Address { user: user_name(&sender), device: sender_device.0 },
                    recipient: user_name(&recipient),
                    envelopes: envelopes
                        .into_iter()
                        .map(|seen| SeenEnvelope {
                            device: seen.device.0,
                            size: number(seen.bytes),
                            initiation: seen.initiation,
                        })
                        .collect(),
                    skipped: skipped.into_iter().map(|device| device.0).collect(),
                    accepted: refusal.is_none(),
                }
            }
        });
        let waiting = view.waiting.into_iter().map(|((user, device), count)| Waiting {
            address: Address { user: user_name(&user), device: device.0 },
            count: number(count),
        });
        RelayView { seen: seen.collect(), waiting: waiting.collect() }
    }
}
