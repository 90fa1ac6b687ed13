//! How a value of another layer is written into a record: the list of its fields, in the order in which they lie on disk.
//!
//! The values themselves know nothing of serde. A struct is its fields one after another; an enum is a number, then the fields of that
//! variant. The number is part of the stored form: it is never changed and never given again.

use serde::{Deserialize, de};

/// More fields than any form has: an upper bound that postcard does not store.
pub(super) const MOST_FIELDS: usize = 16;

/// The next field of a form.
pub(super) fn next<'de, T: Deserialize<'de>, A: de::SeqAccess<'de>>(from: &mut A) -> Result<T, A::Error> {
    from.next_element()?.ok_or_else(|| de::Error::custom("a field is missing"))
}

/// One field on its way into a record: as it is, or through a form of its own.
macro_rules! write_field {
    ($to:ident, $field:ident) => {
        $to.serialize_element($field)?
    };
    ($to:ident, $field:ident, $form:ident) => {
        $to.serialize_element(&super::secret_form::$form::Writing($field))?
    };
}

/// One field on its way out of a record.
macro_rules! read_field {
    ($from:ident) => {
        super::form::next(&mut $from)?
    };
    ($from:ident, $form:ident) => {
        super::form::next::<super::secret_form::$form::Reading<_>, _>(&mut $from)?.0
    };
}

/// Gives a struct or an enum its stored form. `field as secret` writes a secret by its own form.
macro_rules! stored {
    (struct $name:ident { $($field:ident $(as $form:ident)?),* $(,)? }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeTuple;
                const { assert!([$(stringify!($field)),*].len() <= super::form::MOST_FIELDS) };
                let Self { $($field),* } = self;
                let mut to = to.serialize_tuple(super::form::MOST_FIELDS)?;
                $(super::form::write_field!(to, $field $(, $form)?);)*
                to.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(stringify!($name))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut from: A) -> Result<$name, A::Error> {
                        $(let $field = super::form::read_field!(from $(, $form)?);)*
                        Ok($name { $($field),* })
                    }
                }
                from.deserialize_tuple(super::form::MOST_FIELDS, Fields)
            }
        }
    };
    (enum $name:ident { $($number:literal = $variant:ident $({ $($field:ident),* })? $(( $($part:ident $(as $form:ident)?),* ))?),* $(,)? }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeTuple;
                let mut to = to.serialize_tuple(super::form::MOST_FIELDS)?;
                match self {
                    $(Self::$variant $({ $($field),* })? $(( $($part),* ))? => {
                        to.serialize_element(&($number as u32))?;
                        $($(super::form::write_field!(to, $field);)*)?
                        $($(super::form::write_field!(to, $part $(, $form)?);)*)?
                    })*
                }
                to.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Variants;

                impl<'de> serde::de::Visitor<'de> for Variants {
                    type Value = $name;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(stringify!($name))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut from: A) -> Result<$name, A::Error> {
                        match super::form::next::<u32, _>(&mut from)? {
                            $($number => {
                                $($(let $field = super::form::read_field!(from);)*)?
                                $($(let $part = super::form::read_field!(from $(, $form)?);)*)?
                                Ok($name::$variant $({ $($field),* })? $(( $($part),* ))?)
                            })*
                            _ => Err(serde::de::Error::custom("no such variant")),
                        }
                    }
                }
                from.deserialize_tuple(super::form::MOST_FIELDS, Variants)
            }
        }
    };
}

pub(super) use {read_field, stored, write_field};
