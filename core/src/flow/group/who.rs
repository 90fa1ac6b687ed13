//! Who takes operations, and who hands them over.

use crate::{
    clock::Age,
    ids::{AccountKey, DeviceId, UserId},
    tx::Call,
};

/// The device that takes operations, and when.
#[derive(Clone, Copy)]
pub(crate) struct Taker<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) device: DeviceId,
    pub(crate) account_key: AccountKey,
    pub(crate) age: Age,
}

impl<'a> Taker<'a> {
    pub(crate) fn of(call: &Call<'a>) -> Self {
        let account_key = call.us.party.account();
        Self { user: call.user(), device: call.device(), account_key, age: call.at.age }
    }
}

/// Who hands operations over.
#[derive(Clone, Copy)]
pub(crate) enum Teller<'a> {
    /// A device of our own user.
    Ourselves,
    /// The same, to say that our user leaves or stays away: no yes to what this device was told besides.
    Refusing,
    /// Another user's device, with the account key of its session.
    Other(&'a UserId, &'a AccountKey, DeviceId),
}
