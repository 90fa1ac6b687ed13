//! How a secret is written into a record, and only there: `Secret` itself has no `Serialize`.

use crate::secret::Shared;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

struct Bytes<const N: usize>;

impl<const N: usize> de::Visitor<'_> for Bytes<N> {
    type Value = Shared<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Shared<N>, E> {
        let bytes: &[u8; N] = bytes.try_into().map_err(|_| E::custom("length"))?;
        Ok(Shared::init_with(|to| *to = *bytes))
    }
}

/// For `#[serde(with = ...)]` and for the fields of a form.
pub(super) mod secret {
    use super::*;

    pub(in crate::record) struct Writing<'a, const N: usize>(pub(in crate::record) &'a Shared<N>);
    pub(in crate::record) struct Reading<T>(pub(in crate::record) T);

    impl<const N: usize> Serialize for Writing<'_, N> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_bytes(self.0.expose())
        }
    }

    impl<'de, const N: usize> Deserialize<'de> for Reading<Shared<N>> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_bytes(Bytes::<N>).map(Self)
        }
    }

    pub(in crate::record) fn serialize<S: Serializer, const N: usize>(
        secret: &Shared<N>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        Writing(secret).serialize(to)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Shared<N>, D::Error> {
        Ok(Reading::deserialize(from)?.0)
    }
}

/// A secret that may be absent.
pub(super) mod option {
    use super::{
        secret::{Reading, Writing},
        *,
    };

    pub(in crate::record) fn serialize<S: Serializer, const N: usize>(
        secret: &Option<Shared<N>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Writing).serialize(to)
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Option<Shared<N>>, D::Error> {
        let secret: Option<Reading<Shared<N>>> = Option::deserialize(from)?;
        Ok(secret.map(|secret| secret.0))
    }
}
