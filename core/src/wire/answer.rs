//! The bodies of the server's answers. The requests are in `request`.
//!
//! ```text
//! /v1/publication  Stock
//! /v1/lists        lists (u32), up to 100 of optional<ShownList opaque (u16)>, in the order of the users; none: no such user
//! /v1/bundles      bundles (u32), up to 64 of optional<Bundle opaque (u16)>, in the order of the devices
//! /v1/submit       results (u32), up to 64 of Result, in the order of the batches
//! /v1/mail         mails (u32), up to 256 of {id u64, envelope opaque (u32)}, rising by id; left u32, Stock
//! /v1/link         found optional<opaque<0..1 MiB> (u32)>
//! others           nothing
//!
//! Stock:           one_time u32, wanted u32, generation u64
//! Result:          kind u8: 1 taken, 2 taken before: id u64, list hash 32
//!                           3 stale: ShownList opaque (u16), missing, gone, changed: each (u8) of device u32, rising
//!                           4 no such user, 5 sender not listed, 6 malformed, 7 full: devices (u8) of u32, rising
//!                           8 later: seconds u32, 9 refused by policy
//! Problem:         code u16, retry_after_ms u32, time u64 (ms), ShownList opaque (u16; may be empty)
//! ```
//!
//! A [`Problem`] is the body of any status but 200. It may be missing.

use super::codec::{self, UpTo};
use crate::{
    error::Code,
    ids::DeviceId,
    limits::{MAX_BATCHES, MAX_BUNDLES_ASKED, MAX_LINK_LEG, MAX_LISTS_ASKED, MAX_MAIL},
};
use tls_codec::{TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU8};

codec::quiet!(Lists, Bundles, SubmitResult, Submit, Delivered, Mail, Link, Problem);
codec::exchanged!(Stock, Lists, Bundles, Submit, Mail, Link, Problem);

/// What the server holds for a device, and what it wants to hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Stock {
    /// One-time prekeys that are left, of the kind that has fewer.
    pub one_time: u32,
    /// One-time prekeys that the server wants of each kind.
    pub wanted: u32,
    /// The generation of the server's store. It moves when the store is restored from a backup.
    pub generation: u64,
}

/// Device lists.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Lists {
    /// For each user asked for, the list with its links, or none if there is no such user.
    pub lists: UpTo<MAX_LISTS_ASKED, u32, Option<TlsByteVecU16>>,
}

/// Prekey bundles.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundles {
    /// For each device asked for, an encoded [`super::bundle::Bundle`], or none if the server has none.
    pub bundles: UpTo<MAX_BUNDLES_ASKED, u32, Option<TlsByteVecU16>>,
}

/// What came of one batch.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum SubmitResult {
    /// The envelopes lie in the mailboxes.
    #[tls_codec(discriminant = 1)]
    Taken {
        /// The id of the envelopes.
        id: u64,
        /// The hash of the device list that the batch was compared with.
        list: [u8; 32],
    },
    /// The server took the same batch earlier, and this time put nothing.
    TakenBefore {
        /// The id of the envelopes.
        id: u64,
        /// The hash of the device list that the batch was compared with then.
        list: [u8; 32],
    },
    /// The devices are not those on the user's current list.
    Stale {
        /// The current signed list.
        list: TlsByteVecU16,
        /// Listed devices that the batch does not name.
        missing: TlsVecU8<DeviceId>,
        /// Devices that the batch names and the list does not.
        gone: TlsVecU8<DeviceId>,
        /// Devices that both name, with different keys.
        changed: TlsVecU8<DeviceId>,
    },
    /// There is no such user.
    NoSuchUser,
    /// The sender is not on its own user's list.
    SenderNotListed,
    /// An envelope is malformed, or names another sender or recipient than the batch.
    Malformed,
    /// Mailboxes are full.
    Full {
        /// The devices whose mailboxes are full.
        devices: TlsVecU8<DeviceId>,
    },
    /// The server takes it later.
    Later {
        /// After how many seconds to ask again.
        seconds: u32,
    },
    /// The operator's policy refuses it.
    Policy,
}

/// Results, in the order of the batches.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Submit {
    /// One for each batch.
    pub results: UpTo<MAX_BATCHES, u32, SubmitResult>,
}

/// An envelope out of a mailbox.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Delivered {
    /// Its id, by which it is confirmed.
    pub id: u64,
    /// The encoded envelope.
    pub envelope: TlsByteVecU32,
}

/// A page of a mailbox.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Mail {
    /// The envelopes, rising by id.
    pub mails: UpTo<MAX_MAIL, u32, Delivered>,
    /// Envelopes in the mailbox after those.
    pub left: u32,
    /// The device's prekeys.
    pub stock: Stock,
}

/// What lies in a leg of a link box.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Link {
    /// What was put there first.
    pub found: Option<TlsByteVecU32>,
}

/// The body of an answer that is no success.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Problem {
    /// The number of the code that says why.
    pub code: u16,
    /// After how many milliseconds to ask again; 0 if the server does not say.
    pub retry_after_ms: u32,
    /// The server's time, in ms since 1970.
    pub time: u64,
    /// The user's current signed device list where it says why, else empty.
    pub list: TlsByteVecU16,
}

fn rising(devices: &[DeviceId]) -> Result<(), Code> {
    if devices.is_sorted_by(|one, next| one < next) { Ok(()) } else { Err(Code::NonCanonical) }
}

codec::always_in_form!(Stock, Lists, Bundles, Problem);

impl Submit {
    fn check(&self) -> Result<(), Code> {
        self.results.as_slice().iter().try_for_each(|result| match result {
            SubmitResult::Stale { list: _, missing, gone, changed } => {
                [missing, gone, changed].into_iter().try_for_each(|devices| rising(devices.as_slice()))
            }
            SubmitResult::Full { devices } => rising(devices.as_slice()),
            _ => Ok(()),
        })
    }
}

impl Mail {
    fn check(&self) -> Result<(), Code> {
        let rising = self.mails.as_slice().is_sorted_by(|one, next| one.id < next.id);
        if rising { Ok(()) } else { Err(Code::NonCanonical) }
    }
}

impl Link {
    fn check(&self) -> Result<(), Code> {
        let length = self.found.as_ref().map_or(0, |found| found.as_slice().len());
        if length > MAX_LINK_LEG { Err(Code::TooLarge) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
