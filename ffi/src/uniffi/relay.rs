//! The server's part in memory, for a first try and for tests.

use super::bytes::{Bytes, number};
use super::clock::{TestClock, clock};
use super::error::Result;
use super::generated::ServerRequest;
use super::given::Address;
use crate::host::{user_id, user_name};
use parking_lot::Mutex;
use sesame::Clock;
use sesame_core::{context::Timestamp, ids::DeviceId};
use sesame_relay::{Relay, Request, Response, Seen};
use std::sync::Arc;

/// A whole server in memory, without a network: for a first try, for tests, and behind a socket of the app's own.
#[derive(::uniffi::Object)]
pub struct LocalRelay {
    relay: Mutex<Relay>,
    clock: Clock,
}

impl LocalRelay {
    fn perform_raw(&self, path: &str, auth: Option<&str>, body: &[u8]) -> ServerAnswer {
        let now = Timestamp(self.clock.now());
        let Response { status, body } = self.relay.lock().perform(now, &Request { path, auth, body });
        ServerAnswer { status, body: body.into() }
    }
}

/// What the server answers.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct ServerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
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
    /// An empty server of this name.
    #[::uniffi::constructor(default(clock = None))]
    pub fn new(server: String, clock: Option<Arc<TestClock>>) -> Result<Arc<Self>> {
        crate::host::server(&server, &[])?;
        Ok(Arc::new(Self { relay: Mutex::new(Relay::new(&server)), clock: self::clock(clock.as_deref()) }))
    }

    /// Does what a request of a device asks, as an HTTP server would: for `Device.respond`.
    pub fn perform(&self, request: ServerRequest) -> ServerAnswer {
        let auth = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("sesame-auth"));
        let auth = auth.map(|header| header.value.as_str());
        self.perform_raw(&request.path, auth, &request.body)
    }

    /// The same for a server of the app's own: the path of the URL, the value of the header `Sesame-Auth`, and the body.
    pub fn handle(&self, path: String, auth: Option<String>, body: Bytes) -> ServerAnswer {
        self.perform_raw(&path, auth.as_deref(), &body)
    }

    /// A user's signed device list.
    pub fn device_list(&self, user: String) -> Result<Option<Bytes>> {
        Ok(self.relay.lock().device_list(&user_id(&user)?).map(Bytes))
    }

    /// The envelopes in a device's mailbox, oldest first, to look at in tests. They stay where they are.
    pub fn mailbox(&self, user: String, device: u32) -> Result<Vec<Bytes>> {
        let mails = self.relay.lock().fetch((&user_id(&user)?, DeviceId(device)), usize::MAX);
        Ok(mails.into_iter().map(|mail| Bytes(mail.envelope)).collect())
    }

    /// Loses the mailbox of a device, for tests: its envelopes are gone, and no sender hears of it.
    pub fn lose(&self, user: String, device: u32) -> Result<()> {
        self.relay.lock().lose((&user_id(&user)?, DeviceId(device)));
        Ok(())
    }

    /// What a server does after its store was put back to an earlier state: it tells every device so, and they upload their keys again.
    pub fn restored(&self) {
        self.relay.lock().restored();
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
