//! The encodings of everything that travels. Decoding is total and the encoding of a value is unique.
//!
//! This module knows no keys, and not what a value means.

pub mod bundle;
mod codec;
pub mod content;
pub mod device_list;
pub mod envelope;
pub mod group;
pub mod header;
pub mod linking;
pub mod opening;
pub mod padding;
pub mod size;
