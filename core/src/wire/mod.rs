//! Bytes that travel: their forms, decoded totally, encoded canonically.
//!
//! It does not know what a form means, nor any key.

mod codec;
pub mod envelope;
pub mod padding;
