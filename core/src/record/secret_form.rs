//! How a secret is written into a record, and only there: `Secret` itself has no `Serialize`.

use super::Shared;
use crate::secret::Secret;
use core::fmt;
use serde::{Deserializer, Serializer, de};
use std::sync::Arc;

struct Bytes<const N: usize>;

impl<const N: usize> de::Visitor<'_> for Bytes<N> {
    type Value = Shared<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Shared<N>, E> {
        let bytes: &[u8; N] = bytes.try_into().map_err(|_| E::custom("length"))?;
        Ok(Arc::new(Secret::init_with(|to| *to = *bytes)))
    }
}

pub(super) fn serialize<S: Serializer, const N: usize>(secret: &Shared<N>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(secret.expose())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<Shared<N>, D::Error> {
    from.deserialize_bytes(Bytes::<N>)
}

/// A secret that may be absent.
pub(super) mod option {
    use super::{Bytes, Shared};
    use core::fmt;
    use serde::{Deserializer, Serializer, de};

    struct Wrapped<'a, const N: usize>(&'a Shared<N>);

    impl<const N: usize> serde::Serialize for Wrapped<'_, N> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_bytes(self.0.expose())
        }
    }

    struct Maybe<const N: usize>;

    impl<'de, const N: usize> de::Visitor<'de> for Maybe<N> {
        type Value = Option<Shared<N>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes or none")
        }

        fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
            from.deserialize_bytes(Bytes::<N>).map(Some)
        }
    }

    pub(in super::super) fn serialize<S: Serializer, const N: usize>(
        secret: &Option<Shared<N>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => to.serialize_some(&Wrapped(secret)),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Option<Shared<N>>, D::Error> {
        from.deserialize_option(Maybe::<N>)
    }
}
