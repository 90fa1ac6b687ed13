//! Bytes that travel: their forms, decoded totally, encoded canonically.
//!
//! It does not know what a form means, nor any key.

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
