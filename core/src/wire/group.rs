//! The encoding of a group's operations (X 11).
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
//! No body removes a member. This module checks the form only; `group` decides what an operation may do.

use super::codec;
use crate::{
    error::Code,
    limits::{
        MAX_ADDED, MAX_APP_DATA, MAX_DESCRIPTION, MAX_GROUP_NAME, MAX_GROUP_SEQUENCE, MAX_NAMED_LEAVES, MAX_PARENTS,
        MAX_PICTURE, MAX_USER_ID,
    },
};
use tls_codec::{TlsByteVecU8, TlsByteVecU16, TlsDeserializeBytes, TlsSerialize, TlsSize, TlsVecU16, TlsVecU24};

codec::quiet!(Bundle, SignedOperation, Operation, Body, Added, Change);

/// The size of a bundle without lists and operations.
pub const EMPTY_BUNDLE: usize = 6;

/// Operations, and the device lists that are needed to check them.
#[derive(Clone, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Bundle {
    /// The signed device lists that the operations cite.
    pub lists: TlsVecU24<TlsByteVecU16>,
    /// The operations, in any order.
    pub operations: TlsVecU24<SignedOperation>,
}

/// An operation with its signature.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignedOperation {
    /// The encoded operation: the bytes that are signed and hashed.
    pub operation: TlsByteVecU16,
    /// The signature by the author's device.
    pub signature: [u8; 64],
}

/// The bytes that a device signs.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Operation {
    /// Always 1.
    pub version: u8,
    /// GroupID.
    pub group: [u8; 32],
    /// The user id of the author.
    pub author: TlsByteVecU8,
    /// The device that signed the operation.
    pub device: u32,
    /// The number of this operation among those of the device in this group, from 1.
    pub sequence: u64,
    /// One more than the greatest Lamport number among the parents; 1 for a create.
    pub lamport: u64,
    /// SHA-256 of a device list of the author that names the device.
    pub list: [u8; 32],
    /// The operations that this one builds upon: those that the author had and that no other operation named as
    /// a parent.
    pub parents: TlsVecU16<[u8; 32]>,
    /// What the operation does.
    pub body: Body,
}

/// The body of an operation.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
// Operations are few and live as long as a call; a box would save nothing.
#[allow(clippy::large_enum_variant)]
pub enum Body {
    /// Makes the group. Its author is the first member.
    #[tls_codec(discriminant = 1)]
    Create {
        /// The kind of the group.
        kind: u8,
        /// The creator's account key.
        account_key: [u8; 32],
        /// 32 random bytes. The GroupID is a hash of them and the account key.
        random: [u8; 32],
        /// The first group info.
        change: Change,
        /// The group that this one takes the place of, for some of its members.
        origin: Option<[u8; 32]>,
    },
    /// Adds members.
    #[tls_codec(discriminant = 2)]
    Add {
        /// The added users, sorted by user id.
        members: TlsVecU16<Added>,
    },
    /// Changes the group info.
    #[tls_codec(discriminant = 3)]
    Info {
        /// The changed fields.
        change: Change,
    },
    /// The author leaves.
    #[tls_codec(discriminant = 4)]
    Leave,
    /// The author left earlier and accepts an invitation back.
    #[tls_codec(discriminant = 5)]
    Accept {
        /// The add that invites the author.
        add: [u8; 32],
    },
    /// The author left earlier and declines an invitation back.
    #[tls_codec(discriminant = 6)]
    Decline {
        /// The add that invites the author.
        add: [u8; 32],
    },
    /// Retires a device that the author's list no longer names. Later operations of that device are void.
    #[tls_codec(discriminant = 7)]
    Retire {
        /// The retired device.
        device: u32,
        /// The sequence number of the last operation of the device that counts.
        last: u64,
    },
}

/// A user whom an add names.
#[derive(Clone, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Added {
    /// The user id.
    pub user: TlsByteVecU8,
    /// The user's account key, as the author has pinned it.
    pub account_key: [u8; 32],
    /// The leaves of that user that the author knows. If there are any, the add invites a former member back.
    pub leaves: TlsVecU16<[u8; 32]>,
}

/// New values of the group info. An absent field stays as it is.
#[derive(Clone, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Change {
    /// UTF-8 text.
    pub name: Option<TlsByteVecU16>,
    /// UTF-8 text.
    pub description: Option<TlsByteVecU16>,
    /// A reference to a picture, in the app's own form.
    pub picture: Option<TlsByteVecU16>,
    /// When messages disappear, in seconds; 0 for never.
    pub timer: Option<u32>,
    /// The app's own bytes.
    pub app_data: Option<TlsByteVecU16>,
}

/// Whether a text can be shown: UTF-8 without control characters, and without characters that change the
/// direction of the text around it.
fn is_plain(bytes: &[u8], newlines: bool) -> bool {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let control = |c: char| c.is_control() && !(newlines && c == '\n');
    core::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(|c| turns(c) || control(c)))
}

impl Change {
    /// Whether no field changes.
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
    /// Decodes an operation and checks its form.
    ///
    /// # Errors
    /// - [`Code::UnsupportedVersion`].
    /// - [`Code::UnknownType`]: no operation of this kind exists.
    /// - [`Code::UnknownGroupKind`].
    /// - [`Code::MalformedOperation`]: a value is outside its limits.
    /// - The codec's errors.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        match bytes {
            [1, ..] | [] => {}
            _ => return Err(Code::UnsupportedVersion),
        }
        let operation: Self = codec::decode(bytes)?;
        operation.check()?;
        Ok(operation)
    }

    /// Encodes the bytes to sign.
    ///
    /// # Errors
    /// As [`Operation::decode`]: an operation that it would refuse is not encoded.
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
                let fits = rising && (1..=MAX_ADDED).contains(&members.len()) && members.iter().all(sound);
                if fits { Ok(()) } else { Err(Code::MalformedOperation) }
            }
            Body::Leave | Body::Accept { .. } | Body::Decline { .. } | Body::Retire { .. } => Ok(()),
        }
    }
}

/// Encodes an operation that [`Operation::encode`] would refuse. Tests give such operations to receivers.
///
/// # Errors
/// [`Code::TooLarge`].
pub fn encode_unchecked(operation: &Operation) -> Result<Vec<u8>, Code> {
    codec::encode(operation)
}

impl SignedOperation {
    /// Decodes the outer form.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// Encodes the operation with its signature.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Code> {
        codec::encode(self)
    }
}

impl Bundle {
    /// Decodes the outer form. Each list and operation inside is decoded by itself later.
    ///
    /// # Errors
    /// The codec's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Code> {
        codec::decode(bytes)
    }

    /// Encodes the bundle.
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
