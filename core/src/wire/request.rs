//! The bodies of requests to the server. The answers are in `answer`, the signatures in `auth`.
//!
//! ```text
//! /v1/publication  token opaque<0..1024> (u16), Publication opaque (u32)
//! /v1/lists        users (u16), 1 to 100 of {user opaque<1..64> (u8), from u64: the lowest epoch whose hash is wanted, 0 for none in particular}
//! /v1/bundles      devices (u16), 1 to 64 of {user opaque<1..64> (u8), device u32}
//! /v1/submit       batches (u32), 1 to 64 of Batch
//! /v1/mail         after u64, limit u16 (1 to 256)
//! /v1/confirm      through u64, ids (u24), up to 4,096 of u64, rising
//! /v1/push         value opaque<0..512> (u16)
//! /v1/delete       user opaque<1..64> (u8), account key 32, time u64 (ms), signature 64
//! /v1/link         box 16, leg u8 (1 hello, 2 answer), put optional<opaque<0..1 MiB> (u32)>
//!
//! Batch:           user opaque<1..64> (u8), targeted u8 (0 or 1), named (u32), up to 32 of Named, rising by device
//! Named:           device u32, fingerprint 16, kind u8: 1 envelope opaque (u32) | 2 skip: reason u16
//! ```
//!
//! A user id is UTF-8. This module checks the form only; the server has the rules.

use super::codec::{self, Encoded, UpTo};
use crate::{
    crypto::{
        kdf::{join, sha256},
        labels,
    },
    error::Code,
    event,
    ids::{DeviceId, Fingerprint, UserId},
    limits::{
        MAX_BATCHES, MAX_BUNDLES_ASKED, MAX_CONFIRMED, MAX_DEVICES, MAX_LINK_LEG, MAX_LISTS_ASKED, MAX_MAIL, MAX_PUSH,
        MAX_TOKEN,
    },
};
use tls_codec::{TlsByteVecU16, TlsByteVecU32, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU24};

codec::quiet!(Publish, Asked, Lists, Wanted, Bundles, Content, Named, Batch, Submit, Mail, Confirm, Push, Delete, Link);
codec::exchanged!(Publish, Lists, Bundles, Batch, Submit, Mail, Confirm, Push, Delete, Link);

/// The content type of every request and answer.
pub const CONTENT_TYPE: &str = "application/vnd.sesame";
/// The method of every request.
pub const METHOD: &str = "POST";

/// What a request is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Path {
    /// Hand out prekey bundles.
    Bundles,
    /// Delete mail that the device has stored.
    Confirm,
    /// Delete the account.
    Delete,
    /// Put something into a link box, or look into it.
    Link,
    /// Hand out device lists.
    Lists,
    /// Hand out mail.
    Mail,
    /// Take a device list and prekeys.
    Publication,
    /// Keep the device's push value.
    Push,
    /// Put batches into mailboxes.
    Submit,
}

impl Path {
    /// Every path.
    pub const ALL: [Self; 9] = [
        Self::Bundles,
        Self::Confirm,
        Self::Delete,
        Self::Link,
        Self::Lists,
        Self::Mail,
        Self::Publication,
        Self::Push,
        Self::Submit,
    ];

    /// The path in the URL. It never has a query.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Bundles => "/v1/bundles",
            Self::Confirm => "/v1/confirm",
            Self::Delete => "/v1/delete",
            Self::Link => "/v1/link",
            Self::Lists => "/v1/lists",
            Self::Mail => "/v1/mail",
            Self::Publication => "/v1/publication",
            Self::Push => "/v1/push",
            Self::Submit => "/v1/submit",
        }
    }

    /// The path with exactly this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.text() == text)
    }
}

/// A device's upload.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Publish {
    /// The registration token, or empty.
    pub token: TlsByteVecU16,
    /// An encoded [`super::bundle::Publication`].
    pub publication: TlsByteVecU32,
}

/// A user whose device list is wanted.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Asked {
    /// The user.
    pub user: UserId,
    /// The lowest epoch whose hash is wanted among the links: that of the list that the asker holds. 0: the newest will do.
    pub from: u64,
}

/// A question for the device lists of users.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Lists {
    /// The users.
    pub users: UpTo<MAX_LISTS_ASKED, u16, Asked>,
}

/// A device whose bundle is wanted.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Wanted {
    /// The user id.
    pub user: UserId,
    /// The device id.
    pub device: DeviceId,
}

/// A question for prekey bundles.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundles {
    /// The devices.
    pub devices: UpTo<MAX_BUNDLES_ASKED, u16, Wanted>,
}

/// What a batch has for a device.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Content {
    /// An encoded envelope.
    #[tls_codec(discriminant = 1)]
    Envelope(TlsByteVecU32),
    /// Nothing.
    Skip {
        /// The number of the code that says why.
        reason: u16,
    },
}

/// A device that a batch names.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Named {
    /// The device id.
    pub device: DeviceId,
    /// The keys that the sender knows for the device (X 6).
    pub fingerprint: Fingerprint,
    /// What the batch has for it.
    pub content: Content,
}

/// One user's envelopes: the server takes all of them, or none.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Batch {
    /// The user that the envelopes are for.
    pub user: UserId,
    /// 1 if the batch is for the devices that it names alone, 0 if it must name all devices of the user.
    pub targeted: u8,
    /// The devices.
    pub named: UpTo<MAX_DEVICES, u32, Named>,
}

/// Batches to put into mailboxes. Each is taken or refused by itself.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Submit {
    /// The batches.
    pub batches: UpTo<MAX_BATCHES, u32, Batch>,
}

impl Submit {
    /// The encoding of batches that are encoded already.
    ///
    /// # Errors
    /// [`Code::TooLarge`] for more than [`MAX_BATCHES`].
    pub fn encode_all(batches: Vec<Vec<u8>>) -> Result<Vec<u8>, Code> {
        let batches: Vec<Encoded> = batches.into_iter().map(Encoded).collect();
        codec::encode(&UpTo::<MAX_BATCHES, u32, Encoded>::from(batches))
    }
}

/// A question for mail.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Mail {
    /// Only mail with a higher id is handed out.
    pub after: u64,
    /// The most envelopes that are handed out.
    pub limit: u16,
}

/// Mail that the device has stored.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Confirm {
    /// All mail up to this id.
    pub through: u64,
    /// Further mail. An unknown id has no effect.
    pub ids: TlsVecU24<u64>,
}

/// The value by which the server wakes the device.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Push {
    /// The value, which the app and its push service understand; empty for none.
    pub value: TlsByteVecU16,
}

/// The end of an account, signed by its account key.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Delete {
    /// The user id.
    pub user: UserId,
    /// The account key.
    pub account_key: [u8; 32],
    /// When it was signed, in ms since 1970.
    pub time: u64,
    /// The signature.
    pub signature: [u8; 64],
}

/// A part of the way from one device to the other.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
pub enum Leg {
    /// The primary's first word.
    Hello = 1,
    /// The primary's answer.
    Answer = 2,
}

/// A put into a link box, or a look into it (X 7). It is not signed, because the new device has no user yet.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Link {
    /// The name of the box, which both devices derive from the linking code.
    pub box_name: [u8; 16],
    /// The leg.
    pub leg: Leg,
    /// What to put there; none for a look.
    pub put: Option<TlsByteVecU32>,
}

fn at_most(length: usize, limit: usize) -> Result<(), Code> {
    if length > limit { Err(Code::TooLarge) } else { Ok(()) }
}

fn some<T>(elements: &[T]) -> Result<(), Code> {
    if elements.is_empty() { Err(Code::NonCanonical) } else { Ok(()) }
}

codec::always_in_form!(Delete);

impl Publish {
    fn check(&self) -> Result<(), Code> {
        at_most(self.token.as_slice().len(), MAX_TOKEN)
    }
}

impl Lists {
    fn check(&self) -> Result<(), Code> {
        some(self.users.as_slice())
    }
}

impl Bundles {
    fn check(&self) -> Result<(), Code> {
        some(self.devices.as_slice())
    }
}

impl Batch {
    fn check(&self) -> Result<(), Code> {
        let rising = self.named.as_slice().is_sorted_by(|one, next| one.device < next.device);
        if rising && self.targeted <= 1 { Ok(()) } else { Err(Code::NonCanonical) }
    }

    /// The name under which the server remembers that it took this batch from this device (X 6).
    ///
    /// > receipt = SHA-256(join("sesame/1 receipt", sender user, device u32, encoded Batch))[16]
    ///
    /// # Errors
    /// Those of [`Batch::encode`].
    pub fn receipt(&self, sender: &UserId, device: DeviceId) -> Result<[u8; 16], Code> {
        let batch = self.encode()?;
        let full = sha256(&join(&[labels::RECEIPT, sender.as_bytes(), &device.0.to_be_bytes(), &batch]));
        let mut receipt = [0; 16];
        receipt.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        Ok(receipt)
    }
}

impl From<event::Batch> for Batch {
    /// The form of a send's batch. Devices that are named twice, and devices out of order, stay so, and are not encoded.
    fn from(batch: event::Batch) -> Self {
        let event::Batch { user, targeted, envelopes, skips } = batch;
        let mut named = Vec::with_capacity(envelopes.len() + skips.len());
        for outgoing in envelopes {
            let content = Content::Envelope(outgoing.envelope.into());
            named.push(Named { device: outgoing.device, fingerprint: outgoing.fingerprint, content });
        }
        for skip in skips {
            let content = Content::Skip { reason: skip.reason };
            named.push(Named { device: skip.device, fingerprint: skip.fingerprint, content });
        }
        named.sort_by_key(|named| named.device);
        Self { user, targeted: u8::from(targeted), named: named.into() }
    }
}

impl From<Batch> for event::Batch {
    fn from(form: Batch) -> Self {
        let (mut envelopes, mut skips) = (Vec::new(), Vec::new());
        for Named { device, fingerprint, content } in form.named.into_vec() {
            match content {
                Content::Envelope(envelope) => {
                    envelopes.push(event::Outgoing { device, fingerprint, envelope: envelope.into() });
                }
                Content::Skip { reason } => skips.push(event::Skipped { device, fingerprint, reason }),
            }
        }
        Self { user: form.user, targeted: form.targeted == 1, envelopes, skips }
    }
}

impl Submit {
    fn check(&self) -> Result<(), Code> {
        some(self.batches.as_slice())?;
        self.batches.as_slice().iter().try_for_each(Batch::check)
    }
}

impl Mail {
    fn check(&self) -> Result<(), Code> {
        if (1..=MAX_MAIL).contains(&usize::from(self.limit)) { Ok(()) } else { Err(Code::NonCanonical) }
    }
}

impl Confirm {
    fn check(&self) -> Result<(), Code> {
        at_most(self.ids.as_slice().len(), MAX_CONFIRMED)?;
        if self.ids.as_slice().is_sorted_by(|one, next| one < next) { Ok(()) } else { Err(Code::NonCanonical) }
    }
}

impl Push {
    fn check(&self) -> Result<(), Code> {
        at_most(self.value.as_slice().len(), MAX_PUSH)
    }
}

impl Link {
    fn check(&self) -> Result<(), Code> {
        at_most(self.put.as_ref().map_or(0, |put| put.as_slice().len()), MAX_LINK_LEG)
    }
}

#[cfg(test)]
mod tests;
