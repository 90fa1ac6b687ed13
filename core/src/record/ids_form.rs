//! How ids are written into a record; a user id is checked again when it is read.

use crate::ids::{
    AccountKey, ContentId, DeviceId, EnvelopeId, Fingerprint, GroupId, GroupKind, HandoverId, ListHash, OperationId,
    PublicationId, SendId, SessionId, UserId,
};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.as_bytes())
    }
}

struct UserBytes;

impl de::Visitor<'_> for UserBytes {
    type Value = UserId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1 to 64 bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<UserId, E> {
        UserId::try_new(bytes.to_vec()).ok_or_else(|| E::custom("length"))
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_bytes(UserBytes)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u32::deserialize(from).map(Self)
    }
}

/// A name is its bytes.
macro_rules! names {
    ($($name:ident($length:literal)),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(to)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                <[u8; $length]>::deserialize(from).map(Self)
            }
        }
    )*};
}

names!(
    AccountKey(32),
    ContentId(16),
    EnvelopeId(16),
    Fingerprint(16),
    GroupId(32),
    OperationId(32),
    PublicationId(16),
    HandoverId(16),
    ListHash(32),
    SendId(16),
    SessionId(32)
);

impl Serialize for GroupKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for GroupKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u8::deserialize(from).and_then(|number| Self::from_number(number).ok_or_else(|| de::Error::custom("kind")))
    }
}
