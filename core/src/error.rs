//! Error codes, and who is to blame for each.
//!
//! The numbers are never changed or used again. Each layer converts its own errors to codes; this module knows
//! none of the layers.

use core::fmt;
use std::sync::Arc;

/// Who is to blame. It decides what the app can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The calling app. Correct the call.
    App,
    /// Another client. Drop the item.
    Peer,
    /// The server. Fetch again, or distrust the server.
    Server,
    /// The store. Repair it and call again.
    Store,
    /// This library.
    Internal,
}

/// A text that ends with its only zero byte. The texts below all do.
const fn terminated(text: &str) -> &core::ffi::CStr {
    match core::ffi::CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    }
}

macro_rules! codes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// A stable number with a short text. The hundreds digit is the blame.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Code { $(#[doc = $text] $name = $number,)* }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// What happened, as a short text without secrets and without a peer's bytes.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The same text for C, ending with a zero byte.
            #[must_use]
            pub fn c_text(self) -> &'static core::ffi::CStr {
                match self {
                    $(Code::$name => {
                        const TEXT: &core::ffi::CStr = terminated(concat!($text, "\0"));
                        TEXT
                    })*
                }
            }
        }
    };
}

codes! {
    InvalidArgument = 101, "an argument is outside its documented range";
    EmptyBatch = 102, "the batch is empty";
    TooMany = 103, "more items than one call takes";
    Reentrant = 104, "called from inside a store's callback";
    Busy = 105, "another call holds the device";
    Closed = 106, "the handle is closed";
    UnknownUser = 107, "no such user is known";
    UnknownGroup = 108, "no such group is known";
    IdentityNotAccepted = 109, "the user's account key changed and was not accepted";
    NotAMember = 110, "not a member of the group";
    NotPrimary = 111, "only the primary device can do this";
    AlreadyMember = 112, "already a member of the group";
    NotInvited = 113, "there is no invitation to answer";
    BadHandle = 114, "not a handle of this kind, or one that was freed";
    NullPointer = 115, "a pointer is null";
    BadStruct = 116, "a struct or pointer is not laid out as the header says";
    GroupOverfull = 117, "the group has more members than a group may have";
    LinkMalformed = 120, "not a linking code, or a mistyped one";
    LinkExpired = 121, "the linking code has expired";
    LinkUsed = 122, "the linking code was used already";
    LinkClock = 123, "the clocks of the two devices are too far apart";
    LinkNotConfirmed = 124, "the link was not confirmed on this side";
    LinkMismatch = 125, "somebody else took part in the link";
    ContentIdInUse = 130, "the content id was used for another send";
    PayloadTooLarge = 131, "the payload is longer than one message carries";
    NotAFinishedSend = 132, "the send is not finished";
    UnknownSend = 133, "no such send is known";
    ForeignRequest = 134, "the request is another device's";
    NotRegistered = 135, "the device is not registered with a server yet";
    Cancelled = 136, "the app has cancelled the send";
    DeviceRemoved = 137, "this device was removed from its own device list, or its account was deleted";
    UnknownDevice = 138, "no such device is known";
    TooManyOwnDevices = 139, "the user has as many devices as a user may have";
    OwnListNotAdopted = 140, "another signed list of this user waits for the app's word";
    HandoverEnded = 141, "this hand-over of the primary's part has ended, or is not known";
    Truncated = 201, "the bytes end too early";
    TrailingData = 202, "bytes follow the end";
    NonCanonical = 203, "not the canonical encoding";
    TooLarge = 204, "a length exceeds its limit";
    UnsupportedVersion = 205, "this version or suite is not supported";
    UnknownType = 206, "this type is not known";
    WeakPublicKey = 207, "the public key is not in the prime-order group";
    BadKeyEncoding = 208, "the public key is not canonically encoded";
    AuthenticationFailed = 209, "authentication failed";
    WrongRecipient = 210, "addressed to another device";
    NoSession = 211, "no session matches";
    TooFarAhead = 212, "the message skips more than the limit";
    Duplicate = 213, "this message was already received";
    MessageKeyExpired = 214, "the message key is gone";
    UnknownPreKey = 215, "the prekey is not known";
    PreKeyUsed = 216, "the one-time prekey was already used";
    ReplayedInitiation = 217, "the initiation message is a replay";
    IdentityChanged = 218, "the sender's account key changed";
    BadPadding = 219, "the padding is malformed";
    WrongScope = 220, "the content does not belong in this scope";
    NotListed = 221, "the device is not on the signed list";
    Forged = 222, "the envelope's gate does not match";
    ReusedIndex = 223, "the peer used an index twice";
    TooEarly = 224, "the session is of a time that has not come yet";
    TooManySteps = 226, "the message lies so far ahead that a later call opens it";
    GroupExists = 230, "another group with this id is known";
    AuthorNotMember = 231, "the author is not a member of the group";
    ForbiddenOperation = 232, "nobody may do this in a group";
    MalformedOperation = 233, "the group operation is outside its bounds";
    MissingParents = 234, "operations before this one are missing";
    TooManyOperations = 235, "more group operations than the limit";
    UnknownGroupKind = 236, "this kind of group is not known";
    BundleMismatch = 301, "the bundle belongs to another device";
    BadSignature = 302, "a signature does not verify";
    KeyReuse = 303, "one key stands in two places";
    BadPreKeyId = 304, "a prekey id is malformed";
    BundleExpired = 305, "the bundle is too old";
    DuplicateDevice = 306, "a device is named twice";
    EmptyList = 307, "the device list is empty";
    TooManyDevices = 308, "more devices than the limit";
    DeviceListRollback = 309, "the device list is older than the known one";
    DeviceListFork = 310, "another signed list of the user contradicts the known one";
    BrokenChain = 311, "the device list's history does not match";
    WrongUser = 312, "the device list belongs to another user";
    TooManyRounds = 313, "the server refused the send too often";
    ServerInconsistent = 314, "the server's answer is not backed by a signed list";
    ServerUnreachable = 320, "the server gave no answer";
    ServerAnswer = 321, "the server's answer is not what the request asks for";
    ServerBusy = 322, "the server asks to try again later";
    ServerUnauthorized = 323, "the server does not accept the request's signature";
    RegistrationRefused = 324, "the server refuses to register the device";
    RemovedFromAccount = 325, "the server shows a signed list without this device";
    MaybeSent = 326, "the send was cancelled after a request had left";
    Expired = 327, "the send was not finished in time";
    MailboxFull = 328, "the recipient's mailbox is full";
    RefusedByPolicy = 329, "the server does not deliver this";
    StaleView = 330, "the recipient's devices have changed";
    InboxFull = 331, "the inbox is full";
    StoreBusy = 401, "the store is locked";
    StoreIo = 402, "the store failed to read or write";
    StoreFull = 403, "the store is full";
    StoreReadOnly = 404, "the store is read-only";
    WrongKey = 405, "the store was sealed under another key";
    RecordCorrupt = 406, "a stored record does not open";
    RecordInconsistent = 407, "a stored record contradicts another";
    RollbackDetected = 408, "the store is older than it was";
    NewerFormat = 409, "the store was written by a newer version";
    ForeignStore = 410, "the store belongs to another device, or holds none";
    OutcomeUnknown = 411, "it is unknown whether the commit landed";
    StoreMisbehaves = 412, "the app's store does not keep its contract";
    StorePathMissing = 413, "the folder of the store is not there";
    StorePathNotAFile = 414, "the path of the store does not lead to a file";
    NotAStore = 415, "the file is not a store of this library";
    Internal = 501, "a fault in the library";
    Poisoned = 502, "an earlier fault made the handle unusable";
    Randomness = 503, "no randomness could be had";
    Forked = 504, "the process was forked";
}

impl Code {
    /// The number, the same in every language.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Whether the error is about one damaged record, while the rest of the store works. A record of a newer version is not damaged: nothing is
    /// ended or deleted for it, and the call fails.
    #[must_use]
    pub fn is_damage(self) -> bool {
        matches!(self, Self::RecordCorrupt | Self::RecordInconsistent)
    }

    /// Who is to blame.
    ///
    /// ```
    /// use sesame_core::error::{Blame, Code};
    /// assert_eq!(Code::Forged.blame(), Blame::Peer);
    /// ```
    #[must_use]
    pub fn blame(self) -> Blame {
        match self.number() / 100 {
            1 => Blame::App,
            2 => Blame::Peer,
            3 => Blame::Server,
            4 => Blame::Store,
            _ => Blame::Internal,
        }
    }
}

/// The longest [`Detail`] in bytes.
const DETAIL: usize = 512;

/// What the system or the app's own store said when it failed, as one text of at most 512 bytes. It never holds a secret or a peer's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Detail(Arc<str>);

impl Detail {
    /// The text, without control characters, cut where it is too long; nothing for an empty text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.trim();
        let text = text.get(..text.floor_char_boundary(DETAIL))?;
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error of a public call: a code, the item and the field of the call that it is about, and what the system said. It never holds a
/// secret or a peer's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// The index of the item in a list argument, from 0.
    pub item: Option<usize>,
    /// The name of the argument.
    pub field: Option<&'static str>,
    /// For an error of the store: the path and the system's cause, or what the app's own store said. For a linking code that comes at the
    /// wrong time: how far the clocks are apart. For a call that comes too early, too late or on the wrong device: what to do.
    pub detail: Option<Detail>,
}

impl Error {
    /// An error about one argument.
    #[must_use]
    pub fn of(code: Code, field: &'static str) -> Self {
        Self { field: Some(field), ..code.into() }
    }

    /// An error about one item of a list argument.
    #[must_use]
    pub fn of_item(code: Code, field: &'static str, item: usize) -> Self {
        Self { item: Some(item), field: Some(field), ..code.into() }
    }

    /// The same error, saying what the app is to do.
    #[must_use]
    pub(crate) fn so(self, advice: &'static str) -> Self {
        Self { detail: Detail::new(advice), ..self }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self { code, item: None, field: None, detail: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if let Some(field) = self.field {
            write!(f, " ({field})")?;
        }
        if let Some(item) = self.item {
            write!(f, " (item {item})")?;
        }
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_texts_differ() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        let texts: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.text()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|c| c.c_text().to_bytes() == c.text().as_bytes()));
    }

    #[test]
    fn a_detail_is_one_line_of_bounded_length_and_follows_the_text() {
        assert_eq!(Detail::new(" \n"), None);
        let long = Detail::new(&"é".repeat(DETAIL)).unwrap();
        assert_eq!(long.as_str(), "é".repeat(DETAIL / 2));
        let error = Error { detail: Detail::new("/a\n/b"), ..Error::of_item(Code::StoreIo, "store", 3) };
        assert_eq!(error.to_string(), "the store failed to read or write (store) (item 3): /a /b");
    }
}
