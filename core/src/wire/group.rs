//! A group's operations as they travel (X 11).
//!
//! ```text
//! Bundle:          lists<0..> (u24) of opaque (u16)    -- the authors' SignedDeviceLists that the operations cite
//!                  operations<0..> (u24) of SignedOperation
//! SignedOperation: operation opaque (u16), signature 64 -- by the author's device, label "sesame/1 sign group operation"
//! Operation:       version u8 = 1, group 32, author opaque<1..64> (u8), device u32, sequence u64, lamport u64, list hash 32,
//!                  parents<0..16> (u16) of 32, rising; body
//! body: kind u8, 1 create   scope kind u8, account key 32, random 32, Change
//!                2 add      members<1..200> (u16 length in bytes) of Added
//!                3 info     Change, not empty
//!                4 leave
//!                5 accept   add 32
//!                6 decline  add 32
//!                7 retire   device u32, last sequence u64
//! Added:  user opaque<1..64> (u8), account key 32, leaves<0..8> (u16) of 32, rising
//! Change: name optional<opaque (u16)>, description optional<opaque (u16)>, picture optional<opaque (u16)>, timer optional<u32>,
//!         app data optional<opaque (u16)>
//! ```
//!
//! There is no body that removes a member. It knows the form only: who may do what is decided in `group`.

use super::codec;
use crate::{
    error::Code,
    limits::{
        MAX_ADDED, MAX_APP_DATA, MAX_DESCRIPTION, MAX_GROUP_NAME, MAX_GROUP_SEQUENCE, MAX_NAMED_LEAVES, MAX_PARENTS,
        MAX_PICTURE, MAX_USER_ID,
    },
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16, TlsVecU24};

/// The smallest bundle: nothing in it.
pub const EMPTY_BUNDLE: usize = 6;

/// Operations with what is needed to check them.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundle {
    /// Signed device lists of the authors.
    pub lists: TlsVecU24<TlsByteVecU16>,
    /// In no order.
    pub operations: TlsVecU24<SignedOperation>,
}

/// An operation with its signature.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignedOperation {
    /// The bytes that are signed and hashed.
    pub operation: TlsByteVecU16,
    /// By the author's device.
    pub signature: [u8; 64],
}

/// What a device signs.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Operation {
    /// Always 1.
    pub version: u8,
    /// GroupID.
    pub group: [u8; 32],
    /// Whose word it is.
    pub author: TlsByteVecU8,
    /// Which of the author's devices signed.
    pub device: u32,
    /// Counts that device's operations in this group, from 1.
    pub sequence: u64,
    /// One more than the greatest of the parents'; 1 for a create.
    pub lamport: u64,
    /// SHA-256 of the author's device list that names the device.
    pub list: [u8; 32],
    /// The operations that the author had seen and nobody had answered yet.
    pub parents: TlsVecU16<[u8; 32]>,
    /// What is done.
    pub body: Body,
}

/// What an operation does.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
// Operations are few, and live as long as a call; a box would buy nothing.
#[allow(clippy::large_enum_variant)]
pub enum Body {
    /// Makes the group; its author is the first member.
    #[tls_codec(discriminant = 1)]
    Create {
        /// The kind of the scope.
        kind: u8,
        /// The creator's account key.
        account_key: [u8; 32],
        /// With the account key it makes the GroupID.
        random: [u8; 32],
        /// The first info.
        change: Change,
    },
    /// Adds members.
    #[tls_codec(discriminant = 2)]
    Add {
        /// Whom.
        members: TlsVecU16<Added>,
    },
    /// Changes name, description and the like.
    #[tls_codec(discriminant = 3)]
    Info {
        /// What.
        change: Change,
    },
    /// The author leaves.
    #[tls_codec(discriminant = 4)]
    Leave,
    /// The author, who had left, comes back.
    #[tls_codec(discriminant = 5)]
    Accept {
        /// The add that asks.
        add: [u8; 32],
    },
    /// The author, who had left, stays away.
    #[tls_codec(discriminant = 6)]
    Decline {
        /// The add that asks.
        add: [u8; 32],
    },
    /// A device of the author is off its list: its later operations are void.
    #[tls_codec(discriminant = 7)]
    Retire {
        /// Which.
        device: u32,
        /// Its last operation that counts.
        last: u64,
    },
}

/// A user that is added.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Added {
    /// Who.
    pub user: TlsByteVecU8,
    /// Their account key, as the author has pinned it.
    pub account_key: [u8; 32],
    /// The leaves of that user that the author knows; not empty for an invitation back.
    pub leaves: TlsVecU16<[u8; 32]>,
}

/// New values; what is absent stays.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Change {
    /// UTF-8.
    pub name: Option<TlsByteVecU16>,
    /// UTF-8.
    pub description: Option<TlsByteVecU16>,
    /// Where a picture is.
    pub picture: Option<TlsByteVecU16>,
    /// Seconds; 0 for never.
    pub timer: Option<u32>,
    /// The app's own.
    pub app_data: Option<TlsByteVecU16>,
}

/// Text that is shown: UTF-8 without control characters, and without those that turn the direction of the text around it.
fn is_plain(bytes: &[u8], newlines: bool) -> bool {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let control = |c: char| c.is_control() && !(newlines && c == '\n');
    core::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(|c| turns(c) || control(c)))
}

impl Change {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks lengths and texts.
    ///
    /// # Errors
    /// [`Code::MalformedOperation`].
    pub fn check(&self) -> Result<(), Code> {
        let Self { name, description, picture, timer: _, app_data } = self;
        let within = |field: &Option<TlsByteVecU16>, most| field.as_ref().is_none_or(|f| f.as_slice().len() <= most);
        let plain =
            |field: &Option<TlsByteVecU16>, newlines| field.as_ref().is_none_or(|f| is_plain(f.as_slice(), newlines));
        let fits = within(name, MAX_GROUP_NAME)
            && within(description, MAX_DESCRIPTION)
            && within(picture, MAX_PICTURE)
            && within(app_data, MAX_APP_DATA);
        if fits && plain(name, false) && plain(description, true) { Ok(()) } else { Err(Code::MalformedOperation) }
    }
}

fn rise(names: &[[u8; 32]]) -> bool {
    names.is_sorted_by(|a, b| a < b)
}

impl Operation {
    /// Checks the form.
    ///
    /// # Errors
    /// [`Code::UnsupportedVersion`]; [`Code::UnknownType`] for a kind of operation that does not exist; [`Code::UnknownGroupKind`];
    /// [`Code::MalformedOperation`] for a value outside its bounds; the codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let operation: Self = codec::decode(bytes)?;
        operation.check()?;
        Ok(operation)
    }

    /// The bytes to sign.
    ///
    /// # Errors
    /// As [`Operation::decode`]: what it would refuse is not encoded.
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        self.check()?;
        codec::encode(self)
    }

    fn check(&self) -> Result<(), Code> {
        let Self { version, group: _, author, device: _, sequence, lamport, list: _, parents, body } = self;
        if *version != 1 {
            return Err(Code::UnsupportedVersion);
        }
        let users = 1..=MAX_USER_ID;
        let creates = matches!(body, Body::Create { .. });
        let parents = parents.as_slice();
        let sound = users.contains(&author.as_slice().len())
            && (1..=MAX_GROUP_SEQUENCE).contains(sequence)
            && *lamport >= 1
            && rise(parents)
            && parents.len() <= MAX_PARENTS
            && parents.is_empty() == creates
            && creates == (*lamport == 1);
        if !sound {
            return Err(Code::MalformedOperation);
        }
        match body {
            Body::Create { kind, change, .. } => {
                crate::ids::GroupKind::from_number(*kind).ok_or(Code::UnknownGroupKind)?;
                change.check()
            }
            Body::Info { change } if change.is_empty() => Err(Code::MalformedOperation),
            Body::Info { change } => change.check(),
            Body::Add { members } => {
                let members = members.as_slice();
                let rising = members.is_sorted_by(|a, b| a.user.as_slice() < b.user.as_slice());
                let sound = |added: &Added| {
                    let leaves = added.leaves.as_slice();
                    users.contains(&added.user.as_slice().len()) && rise(leaves) && leaves.len() <= MAX_NAMED_LEAVES
                };
                match rising && (1..=MAX_ADDED).contains(&members.len()) && members.iter().all(sound) {
                    true => Ok(()),
                    false => Err(Code::MalformedOperation),
                }
            }
            Body::Leave | Body::Accept { .. } | Body::Decline { .. } | Body::Retire { .. } => Ok(()),
        }
    }
}

/// The bytes of an operation that [`Operation::encode`] would refuse: for tests of those who must refuse it.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn encode_unchecked(operation: &Operation) -> Result<Vec<u8>, Code> {
    codec::encode(operation)
}

impl SignedOperation {
    /// Checks the outer form.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// The bytes to keep and to pass on.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Bundle {
    /// Checks the outer form; what is inside is checked one by one.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Change {
        Change { name: Some(name.as_bytes().to_vec().into()), ..Change::default() }
    }

    #[test]
    fn a_name_that_could_deceive_is_refused() {
        for good in ["", "Trip", "Éire ☘", "家族"] {
            assert_eq!(named(good).check(), Ok(()), "{good}");
        }
        for bad in ["a\u{202e}b", "a\nb", "a\0", "\u{2066}x", "a\u{7f}"] {
            assert_eq!(named(bad).check(), Err(Code::MalformedOperation), "{bad:?}");
        }
        assert_eq!(named(&"x".repeat(MAX_GROUP_NAME)).check(), Ok(()));
        assert_eq!(named(&"x".repeat(MAX_GROUP_NAME + 1)).check(), Err(Code::MalformedOperation));
    }

    fn leave() -> Operation {
        Operation {
            version: 1,
            group: [1; 32],
            author: b"bob".to_vec().into(),
            device: 1,
            sequence: 1,
            lamport: 2,
            list: [2; 32],
            parents: vec![[3; 32]].into(),
            body: Body::Leave,
        }
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let bytes = leave().encode().unwrap();
        assert_eq!(Operation::decode(&bytes), Ok(leave()));
        for end in 0..bytes.len() {
            assert!(Operation::decode(&bytes[..end]).is_err(), "{end}");
        }
        for wrong in [
            Operation { sequence: 0, ..leave() },
            Operation { sequence: MAX_GROUP_SEQUENCE + 1, ..leave() },
            Operation { lamport: 1, ..leave() },
            Operation { parents: vec![].into(), ..leave() },
            Operation { parents: vec![[3; 32], [3; 32]].into(), ..leave() },
            Operation { parents: vec![[4; 32], [3; 32]].into(), ..leave() },
            Operation { author: vec![].into(), ..leave() },
            Operation { body: Body::Info { change: Change::default() }, ..leave() },
            Operation { body: Body::Add { members: vec![].into() }, ..leave() },
        ] {
            assert_eq!(wrong.encode(), Err(Code::MalformedOperation));
            assert_eq!(Operation::decode(&codec::encode(&wrong).unwrap()), Err(Code::MalformedOperation));
        }
    }

    #[test]
    fn a51_there_is_no_operation_that_removes_another() {
        let bytes = leave().encode().unwrap();
        let kind = bytes.len() - 1;
        for number in (0..=255).filter(|number| !(1..=7).contains(number)) {
            let mut other = bytes.clone();
            other[kind] = number;
            assert_eq!(Operation::decode(&other), Err(Code::UnknownType), "{number}");
        }
    }
}
