//! Records, enums and the error, and how the core's types become them.

use super::bytes::{Bytes, list};
use crate::engine::{user_id, user_name};
use sesame_core::{
    device::{self as core, MessageKind, NextStep, Received as CoreReceived},
    error::{Blame, Code, Error},
    ids::DeviceId,
};

/// What went wrong, by whose fault. `code` is stable and the same in every language; `reason` holds no secret and no peer's bytes.
#[derive(Debug, thiserror::Error, ::uniffi::Error)]
pub enum SesameError {
    /// The calling app: mend the call.
    #[error("{reason} ({code})")]
    App {
        /// A stable number, 101 to 199.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
    },
    /// Another client: drop the item.
    #[error("{reason} ({code})")]
    Peer {
        /// A stable number, 201 to 299.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
    },
    /// The server: fetch again or distrust it.
    #[error("{reason} ({code})")]
    Server {
        /// A stable number, 301 to 399.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
    },
    /// The store: mend it and call again.
    #[error("{reason} ({code})")]
    Store {
        /// A stable number, 401 to 499.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
    },
    /// This library.
    #[error("{reason} ({code})")]
    Internal {
        /// A stable number, 501 to 599.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
    },
}

impl From<Error> for SesameError {
    fn from(error: Error) -> Self {
        let code = i32::from(error.code.number());
        let reason = error.code.text().to_owned();
        let item = error.item.and_then(|item| u32::try_from(item).ok());
        let field = error.field.map(str::to_owned);
        match error.code.blame() {
            Blame::App => Self::App { code, reason, item, field },
            Blame::Peer => Self::Peer { code, reason, item, field },
            Blame::Server => Self::Server { code, reason, item, field },
            Blame::Store => Self::Store { code, reason, item, field },
            Blame::Internal => Self::Internal { code, reason, item, field },
        }
    }
}

impl From<Code> for SesameError {
    fn from(code: Code) -> Self {
        Error::from(code).into()
    }
}

/// The result of every call.
pub type Result<T> = std::result::Result<T, SesameError>;

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

/// A message that was opened and authenticated.
#[derive(Clone, ::uniffi::Record)]
pub struct Message {
    /// The same in every copy and resend, 16 bytes.
    pub content_id: Bytes,
    /// The authenticated sender.
    pub user: String,
    /// The authenticated device.
    pub device: u32,
    /// The group that it was said in, 32 bytes; absent for a direct message.
    pub group: Option<Bytes>,
    /// The session that it came on, 32 bytes.
    pub session_id: Bytes,
    /// The sender's clock, in ms since 1970.
    pub sent_at: u64,
    /// Counts what that device sent to this one, from 1.
    pub sequence: u64,
    /// For a transcript, what another device of this user sent: to whom it went. Else absent.
    pub recipients: Option<Vec<String>>,
    /// The app's bytes.
    pub payload: Bytes,
    /// The sending device is no longer on its user's list.
    pub from_removed_device: bool,
    /// It began a session without a one-time key.
    pub no_one_time_key: bool,
    /// A newer session has already been used.
    pub older_session: bool,
    /// The sender has left the group; nothing shows whether this was said before.
    pub from_former_member: bool,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.payload.len())
    }
}

/// Something that the app should know.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Event {
    /// A newer signed device list was taken.
    DeviceListChanged {
        /// Whose.
        user: String,
        /// Devices that it names first.
        added: Vec<u32>,
        /// Devices that it names no more.
        removed: Vec<u32>,
    },
    /// Two signed lists contradict each other; sends go only to devices on both.
    DeviceListFork {
        /// Whose.
        user: String,
        /// The signed list that was known.
        known: Bytes,
        /// The one that contradicts it; empty when only a claim of it was seen.
        other: Bytes,
    },
    /// A list jumped so far that its ancestry could not be checked.
    DeviceListGap {
        /// Whose.
        user: String,
    },
    /// The newest list is older than 35 days.
    DeviceListOld {
        /// Whose.
        user: String,
    },
    /// An older list than the known one was offered and refused.
    DeviceListRollback {
        /// Whose.
        user: String,
        /// The epoch that was offered.
        epoch: u64,
    },
    /// Messages of a device are missing: lost, withheld, or still to come.
    Gap {
        /// Whose.
        user: String,
        /// Which device's.
        device: u32,
        /// In which group, 32 bytes; absent for direct messages.
        group: Option<Bytes>,
        /// The first missing sequence number.
        first: u64,
        /// The last missing sequence number.
        last: u64,
    },
    /// A group's member was added.
    GroupAdded {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
        /// Who is a member now.
        added: Vec<String>,
    },
    /// A device has other operations of a group than this one: call `tick`, and submit what is in the outbox then.
    GroupDiverged {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Whose device.
        user: String,
        /// Which.
        device: u32,
    },
    /// A device told members of a group different things.
    GroupEquivocation {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Whose device.
        user: String,
        /// Which.
        device: u32,
    },
    /// This user, who had left a group, is asked back: `group.accept()` or `group.decline()`.
    GroupInvited {
        /// Into which group, 32 bytes.
        group: Bytes,
        /// Who asks.
        user: String,
        /// On which device.
        device: u32,
    },
    /// This user is a member of a group now.
    GroupJoined {
        /// Of which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
    },
    /// A member has left.
    GroupLeft {
        /// Which group, 32 bytes.
        group: Bytes,
        /// Who.
        user: String,
        /// On which device.
        device: u32,
    },
    /// These users are no members after all: who added them had left.
    GroupRevoked {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who.
        users: Vec<String>,
    },
    /// A group's name or other info was changed.
    GroupUpdated {
        /// In which group, 32 bytes.
        group: Bytes,
        /// Who did it.
        user: String,
        /// On which device.
        device: u32,
        /// The operation that did it, 32 bytes.
        operation: Bytes,
    },
    /// What was held for a user was dropped for age or size.
    HeldDropped {
        /// From whom.
        user: String,
    },
    /// A bundle older than 14 days was used: the device may be idle.
    IdleDevice {
        /// Whose.
        user: String,
        /// Which.
        device: u32,
    },
    /// Another account key claims this user; sending is blocked and what arrives is held until the app accepts it.
    IdentityChanged {
        /// Who.
        user: String,
        /// The account key that was pinned, 32 bytes.
        pinned: Bytes,
        /// The account key that claims the user, 32 bytes.
        claimed: Bytes,
        /// Whether the app had verified the pinned key.
        was_verified: bool,
    },
    /// The server refused a batch and showed no newer list.
    ServerInconsistent {
        /// Whose batch.
        user: String,
    },
    /// A session was begun by the other side.
    SessionStarted {
        /// By whom.
        user: String,
        /// From which device.
        device: u32,
        /// Equal on both sides, 32 bytes.
        session_id: Bytes,
    },
    /// An event that this version of the bindings has no name for.
    Other,
}

/// One result for an envelope; an envelope may give several.
#[derive(Clone, Debug, ::uniffi::Enum)]
pub enum Received {
    /// Something was said. It waits in the inbox until `ack`.
    Message {
        /// Which envelope, from 0; in the inbox 0.
        envelope: u32,
        /// For `ack`.
        id: u64,
        /// What was said.
        content: Message,
    },
    /// Something happened. It waits in the inbox until `ack`.
    Event {
        /// Which envelope, from 0; in the inbox 0.
        envelope: u32,
        /// For `ack`.
        id: u64,
        /// What happened.
        content: Event,
    },
    /// It could not be opened; nothing changed by it.
    Failure {
        /// Which envelope, from 0.
        envelope: u32,
        /// Why.
        code: i32,
        /// Why, in words.
        reason: String,
        /// Whether to confirm it to the server: it will never open. Else leave it there and fetch again.
        confirm: bool,
    },
    /// It waits here for `registry.accept_identity`, and may be confirmed to the server.
    Held {
        /// Which envelope, from 0.
        envelope: u32,
    },
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

fn ids(devices: &[DeviceId]) -> Vec<u32> {
    devices.iter().map(|device| device.0).collect()
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl From<core::Event> for Event {
    fn from(event: core::Event) -> Self {
        use core::Event as E;
        let name = |user| user_name(&user);
        match event {
            E::DeviceListChanged { user, added, removed } => {
                Self::DeviceListChanged { user: name(user), added: ids(&added), removed: ids(&removed) }
            }
            E::DeviceListFork { user, known, other } => {
                Self::DeviceListFork { user: name(user), known: known.into(), other: other.into() }
            }
            E::DeviceListGap { user } => Self::DeviceListGap { user: name(user) },
            E::DeviceListOld { user } => Self::DeviceListOld { user: name(user) },
            E::DeviceListRollback { user, epoch } => Self::DeviceListRollback { user: name(user), epoch },
            E::Gap { user, device, group, from, to } => {
                let group = group.map(|group| group.0.to_vec().into());
                Self::Gap { user: name(user), device: device.0, group, first: from, last: to }
            }
            E::GroupAdded { group, user, device, added } => Self::GroupAdded {
                group: group.0.to_vec().into(),
                user: name(user),
                device: device.0,
                added: added.iter().map(user_name).collect(),
            },
            E::GroupDiverged { group, user, device } => {
                Self::GroupDiverged { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupEquivocation { group, user, device } => {
                Self::GroupEquivocation { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupInvited { group, user, device } => {
                Self::GroupInvited { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupJoined { group, user, device } => {
                Self::GroupJoined { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupLeft { group, user, device } => {
                Self::GroupLeft { group: group.0.to_vec().into(), user: name(user), device: device.0 }
            }
            E::GroupRevoked { group, users } => {
                Self::GroupRevoked { group: group.0.to_vec().into(), users: users.iter().map(user_name).collect() }
            }
            E::GroupUpdated { group, user, device, operation } => Self::GroupUpdated {
                group: group.0.to_vec().into(),
                user: name(user),
                device: device.0,
                operation: operation.0.to_vec().into(),
            },
            E::HeldDropped { user } => Self::HeldDropped { user: name(user) },
            E::IdleDevice { user, device } => Self::IdleDevice { user: name(user), device: device.0 },
            E::IdentityChanged { user, pinned, claimed, was_verified } => Self::IdentityChanged {
                user: name(user),
                pinned: pinned.to_vec().into(),
                claimed: claimed.to_vec().into(),
                was_verified,
            },
            E::ServerInconsistent { user } => Self::ServerInconsistent { user: name(user) },
            E::SessionStarted { user, device, session_id } => {
                Self::SessionStarted { user: name(user), device: device.0, session_id: session_id.0.to_vec().into() }
            }
            _ => Self::Other,
        }
    }
}

impl From<core::Message> for Message {
    fn from(mut message: core::Message) -> Self {
        let recipients = match &message.kind {
            MessageKind::Message => None,
            MessageKind::Transcript { recipients } => Some(recipients.iter().map(user_name).collect()),
        };
        Self {
            content_id: message.content_id.to_vec().into(),
            user: user_name(&message.user),
            device: message.device.0,
            group: message.group.map(|group| group.0.to_vec().into()),
            session_id: message.session.0.to_vec().into(),
            sent_at: message.sent_at,
            sequence: message.sequence,
            recipients,
            payload: std::mem::take(&mut message.payload).into(),
            from_removed_device: message.flags.from_removed_device,
            no_one_time_key: message.flags.no_one_time_key,
            older_session: message.flags.older_session,
            from_former_member: message.flags.from_former_member,
        }
    }
}

fn item(envelope: usize, id: u64, item: core::Item) -> Received {
    let envelope = number(envelope);
    match item {
        core::Item::Message(message) => Received::Message { envelope, id, content: message.into() },
        core::Item::Event(event) => Received::Event { envelope, id, content: event.into() },
    }
}

impl From<CoreReceived> for Received {
    fn from(received: CoreReceived) -> Self {
        match received {
            CoreReceived::Item { envelope, id, item: content } => item(envelope, id, content),
            CoreReceived::Failure { envelope, code, next } => Self::Failure {
                envelope: number(envelope),
                code: i32::from(code.number()),
                reason: code.text().to_owned(),
                confirm: next == NextStep::Confirm,
            },
            CoreReceived::Held { envelope } => Self::Held { envelope: number(envelope) },
        }
    }
}

impl From<core::InboxItem> for Received {
    fn from(row: core::InboxItem) -> Self {
        item(0, row.id, row.item)
    }
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
            content_id: send.content_id.to_vec().into(),
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
            account_key: view.account_key.to_vec().into(),
            claimed_key: view.claimed_key.map(|key| key.to_vec().into()),
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
