//! The encodings of everything that travels. Decoding is total and the encoding of a value is unique.
//!
//! This module does not know what a value means. Only `auth` takes keys, for the signatures of requests.

pub mod answer;
pub mod auth;
pub mod bundle;
mod codec;
pub mod content;
pub mod device_list;
pub mod envelope;
pub mod group;
pub mod handover;
pub mod header;
pub mod link_code;
pub mod linking;
pub mod opening;
pub mod padding;
pub mod request;
pub mod retry;
pub mod safety_code;
pub mod size;
