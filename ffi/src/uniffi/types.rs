//! What a device sends and knows, as records, and how the core's types become them.

use super::bytes::{Bytes, list};
use super::receive::{Event, number};
use crate::host::{user_id, user_name};
use sesame_core::{
    error::{Code, Error},
    event as core,
    ids::DeviceId,
};

/// What to upload to the server, then confirm with `published(id)`.
#[derive(Debug, ::uniffi::Record)]
pub struct Publication {
    /// Names it, 16 bytes.
    pub id: Bytes,
    /// For the server.
    pub bytes: Bytes,
}

/// One ciphertext for one device.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Outgoing {
    /// For which device.
    pub device: u32,
    /// The envelope.
    pub envelope: Bytes,
}

/// A listed device that gets nothing, and why.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Skipped {
    /// Which device.
    pub device: u32,
    /// The code that says why.
    pub code: i32,
}

/// One user's ciphertexts: all of them go to the server together, or none.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Batch {
    /// Whose devices.
    pub user: String,
    /// Whether it is for one device alone, so that the server does not compare it with the list.
    pub targeted: bool,
    /// One for each device.
    pub envelopes: Vec<Outgoing>,
    /// Listed devices that get nothing.
    pub skips: Vec<Skipped>,
}

/// What the app has to bring before a batch is whole.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Need {
    /// The user's signed device list, from the server.
    DeviceList {
        /// Whose.
        user: String,
    },
    /// A prekey bundle, from the server.
    Bundle {
        /// Whose.
        user: String,
        /// Which device's.
        device: u32,
    },
    /// The app's word on a changed account key: `registry.accept_identity(user, account_key)`.
    IdentityAcceptance {
        /// Whose.
        user: String,
    },
    /// An upload of fresh prekeys: `device.publication()`.
    Publication,
}

/// A user that a send was given up for.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct FailedUser {
    /// Who.
    pub user: String,
    /// The code that says why.
    pub code: i32,
}

/// How a send stands. It lives in the store: `outbox()` gives it again after a crash.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct PendingSend {
    /// Names it, 16 bytes.
    pub id: Bytes,
    /// Travels inside, the same in every copy; 16 bytes.
    pub content_id: Bytes,
    /// What to submit now.
    pub batches: Vec<Batch>,
    /// What must be brought before the other users' batches are whole.
    pub needs: Vec<Need>,
    /// Users that were given up.
    pub failed: Vec<FailedUser>,
    /// What came to light by the call.
    pub events: Vec<Event>,
}

/// What the server gave for needs.
#[derive(Clone, Debug, Default, ::uniffi::Record)]
pub struct Answers {
    /// Signed device lists.
    pub device_lists: Vec<Bytes>,
    /// Prekey bundles.
    pub bundles: Vec<Bytes>,
    /// Devices for which the server has no bundle.
    pub without_bundle: Vec<Address>,
    /// Users that the server does not know.
    pub unknown_users: Vec<String>,
}

/// One device of one user.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Address {
    /// The user.
    pub user: String,
    /// The device.
    pub device: u32,
}

/// Something in the answers that was not taken.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Refusal {
    /// `device_lists` or `bundles`.
    pub field: String,
    /// Which one, from 0.
    pub item: u32,
    /// Why.
    pub code: i32,
}

/// What came of the answers.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Applied {
    /// What the app should know.
    pub events: Vec<Event>,
    /// What was refused.
    pub refusals: Vec<Refusal>,
}

/// A user, as this device knows it.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct UserView {
    /// The user.
    pub user: String,
    /// The pinned account key, 32 bytes.
    pub account_key: Bytes,
    /// Another account key that waits for `accept_identity`, 32 bytes.
    pub claimed_key: Option<Bytes>,
    /// Whether the app compared safety numbers.
    pub verified: bool,
    /// The epoch of the newest device list, or 0.
    pub epoch: u64,
    /// Whether two signed lists contradict each other.
    pub forked: bool,
    /// Whether the server said that there is no such user.
    pub paused: bool,
}

/// How a device stands with this one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ::uniffi::Enum)]
pub enum DeviceState {
    /// Listed, with a usable session.
    Active,
    /// Listed; the next send initiates.
    NoSession,
    /// No longer listed; kept for late messages.
    Stale,
}

/// A device, as this device knows it.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct DeviceView {
    /// The DeviceID.
    pub device: u32,
    /// Ed25519, 32 bytes.
    pub signing_key: Bytes,
    /// X25519, 32 bytes.
    pub identity_key: Bytes,
    /// Active, no session, or stale.
    pub state: DeviceState,
    /// The active session, 32 bytes.
    pub session_id: Option<Bytes>,
}

/// A session, as this device knows it.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct SessionView {
    /// Equal on both sides, 32 bytes.
    pub id: Bytes,
    /// Its place in the order.
    pub generation: u64,
    /// Whether no answer has come yet.
    pub initiating: bool,
    /// Messages that this device has sent to that one.
    pub sent: u64,
    /// Messages accepted on this session.
    pub received: u64,
    /// Other sessions that are kept for late messages.
    pub inactive: u32,
}

impl From<core::Need> for Need {
    fn from(need: core::Need) -> Self {
        match need {
            core::Need::DeviceList(user) => Self::DeviceList { user: user_name(&user) },
            core::Need::Bundle(user, device) => Self::Bundle { user: user_name(&user), device: device.0 },
            core::Need::IdentityAcceptance(user) => Self::IdentityAcceptance { user: user_name(&user) },
            core::Need::Publication => Self::Publication,
        }
    }
}

impl TryFrom<Need> for core::Need {
    type Error = Error;

    fn try_from(need: Need) -> std::result::Result<Self, Error> {
        Ok(match need {
            Need::DeviceList { user } => Self::DeviceList(user_id(&user)?),
            Need::Bundle { user, device } => Self::Bundle(user_id(&user)?, DeviceId(device)),
            Need::IdentityAcceptance { user } => Self::IdentityAcceptance(user_id(&user)?),
            Need::Publication => Self::Publication,
        })
    }
}

impl From<core::Batch> for Batch {
    fn from(batch: core::Batch) -> Self {
        let envelopes =
            batch.envelopes.into_iter().map(|out| Outgoing { device: out.device.0, envelope: out.envelope.into() });
        let skips = batch.skips.into_iter().map(|skip| Skipped { device: skip.device.0, code: i32::from(skip.reason) });
        Self {
            user: user_name(&batch.user),
            targeted: batch.targeted,
            envelopes: envelopes.collect(),
            skips: skips.collect(),
        }
    }
}

impl TryFrom<Batch> for core::Batch {
    type Error = Error;

    fn try_from(batch: Batch) -> std::result::Result<Self, Error> {
        let envelopes = batch
            .envelopes
            .into_iter()
            .map(|out| core::Outgoing { device: DeviceId(out.device), envelope: out.envelope.0 });
        let skips = batch.skips.into_iter().map(|skip| {
            let reason = u16::try_from(skip.code).map_err(|_| Error::of(Code::InvalidArgument, "skips"))?;
            Ok(core::Skipped { device: DeviceId(skip.device), reason })
        });
        Ok(Self {
            user: user_id(&batch.user)?,
            targeted: batch.targeted,
            envelopes: envelopes.collect(),
            skips: skips.collect::<std::result::Result<_, Error>>()?,
        })
    }
}

impl From<core::Send> for PendingSend {
    fn from(send: core::Send) -> Self {
        Self {
            id: send.id.0.to_vec().into(),
            content_id: send.content_id.0.to_vec().into(),
            batches: send.batches.into_iter().map(Batch::from).collect(),
            needs: send.needs.into_iter().map(Need::from).collect(),
            failed: send
                .failed
                .into_iter()
                .map(|(user, code)| FailedUser { user: user_name(&user), code: code.into() })
                .collect(),
            events: send.events.into_iter().map(Event::from).collect(),
        }
    }
}

impl From<core::Answers> for Answers {
    fn from(answers: core::Answers) -> Self {
        Self {
            device_lists: list(answers.device_lists),
            bundles: list(answers.bundles),
            without_bundle: answers
                .without_bundle
                .into_iter()
                .map(|(user, device)| Address { user: user_name(&user), device: device.0 })
                .collect(),
            unknown_users: answers.unknown_users.iter().map(user_name).collect(),
        }
    }
}

impl TryFrom<Answers> for core::Answers {
    type Error = Error;

    fn try_from(answers: Answers) -> std::result::Result<Self, Error> {
        let without_bundle = answers.without_bundle.iter().map(|at| Ok((user_id(&at.user)?, DeviceId(at.device))));
        let unknown_users = answers.unknown_users.iter().map(|user| user_id(user));
        Ok(Self {
            device_lists: list(answers.device_lists),
            bundles: list(answers.bundles),
            without_bundle: without_bundle.collect::<std::result::Result<_, Error>>()?,
            unknown_users: unknown_users.collect::<std::result::Result<_, Error>>()?,
        })
    }
}

impl From<core::Applied> for Applied {
    fn from(applied: core::Applied) -> Self {
        let refusals = applied.refusals.into_iter().map(|refusal| Refusal {
            field: refusal.field.to_owned(),
            item: number(refusal.item),
            code: i32::from(refusal.code.number()),
        });
        Self { events: applied.events.into_iter().map(Event::from).collect(), refusals: refusals.collect() }
    }
}

impl From<core::UserView> for UserView {
    fn from(view: core::UserView) -> Self {
        Self {
            user: user_name(&view.user),
            account_key: view.account_key.0.to_vec().into(),
            claimed_key: view.claimed_key.map(|key| key.0.to_vec().into()),
            verified: view.verified,
            epoch: view.epoch,
            forked: view.forked,
            paused: view.paused,
        }
    }
}

impl From<core::DeviceView> for DeviceView {
    fn from(view: core::DeviceView) -> Self {
        Self {
            device: view.device.0,
            signing_key: view.signing_key.to_vec().into(),
            identity_key: view.identity_key.to_vec().into(),
            state: match view.state {
                core::DeviceState::Active => DeviceState::Active,
                core::DeviceState::NoSession => DeviceState::NoSession,
                core::DeviceState::Stale => DeviceState::Stale,
            },
            session_id: view.session.map(|id| id.0.to_vec().into()),
        }
    }
}

impl From<core::SessionView> for SessionView {
    fn from(view: core::SessionView) -> Self {
        Self {
            id: view.id.0.to_vec().into(),
            generation: view.generation,
            initiating: view.initiating,
            sent: view.sent,
            received: view.received,
            inactive: number(view.inactive),
        }
    }
}

pub(super) fn id16(bytes: &[u8], field: &'static str) -> std::result::Result<[u8; 16], Error> {
    bytes.try_into().map_err(|_| Error::of(Code::InvalidArgument, field))
}
