//! What the hosts give, checked, and the record that stands for a tuple of core.

use super::generated::GroupChange;
use crate::host::user_name;
use sesame_core::{
    error::{Code, Error},
    event as core,
    ids::{DeviceId, UserId},
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

impl From<GroupChange> for core::GroupChange {
    fn from(change: GroupChange) -> Self {
        let GroupChange { name, description, picture, timer, app_data } = change;
        Self { name, description, picture: picture.map(Vec::from), timer, app_data: app_data.map(Vec::from) }
    }
}

pub(super) fn id16(bytes: &[u8], field: &'static str) -> std::result::Result<[u8; 16], Error> {
    bytes.try_into().map_err(|_| Error::of(Code::InvalidArgument, field))
}
