//! What the hosts give, checked, and the two records that stand for tuples of core.

use super::{
    bytes::list,
    generated::{Answers, Batch, GroupChange, Need},
};
use crate::host::{user_id, user_name};
use sesame_core::{
    error::{Code, Error},
    event as core,
    ids::{DeviceId, Fingerprint, UserId},
};

/// One device of one user.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct Address {
    /// The user.
    pub user: String,
    /// The device.
    pub device: u32,
}

impl From<(UserId, DeviceId)> for Address {
    fn from((user, device): (UserId, DeviceId)) -> Self {
        Self { user: user_name(&user), device: device.0 }
    }
}

/// A user that a send was given up for.
#[derive(Clone, Debug, ::uniffi::Record)]
pub struct FailedUser {
    /// The user.
    pub user: String,
    /// The code that says why.
    pub code: i32,
}

impl From<(UserId, u16)> for FailedUser {
    fn from((user, code): (UserId, u16)) -> Self {
        Self { user: user_name(&user), code: code.into() }
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

impl TryFrom<Batch> for core::Batch {
    type Error = Error;

    fn try_from(batch: Batch) -> std::result::Result<Self, Error> {
        let envelopes = batch.envelopes.into_iter().map(|out| core::Outgoing {
            device: DeviceId(out.device),
            fingerprint: Fingerprint([0; 16]),
            envelope: out.envelope.0,
        });
        let skips = batch.skips.into_iter().map(|skip| {
            let reason = u16::try_from(skip.code).map_err(|_| Error::of(Code::InvalidArgument, "skips"))?;
            Ok(core::Skipped { device: DeviceId(skip.device), fingerprint: Fingerprint([0; 16]), reason })
        });
        Ok(Self {
            user: user_id(&batch.user)?,
            targeted: batch.targeted,
            envelopes: envelopes.collect(),
            skips: skips.collect::<std::result::Result<_, Error>>()?,
        })
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

impl From<GroupChange> for core::GroupChange {
    fn from(change: GroupChange) -> Self {
        let GroupChange { name, description, picture, timer, app_data } = change;
        Self { name, description, picture: picture.map(Vec::from), timer, app_data: app_data.map(Vec::from) }
    }
}

pub(super) fn id16(bytes: &[u8], field: &'static str) -> std::result::Result<[u8; 16], Error> {
    bytes.try_into().map_err(|_| Error::of(Code::InvalidArgument, field))
}
