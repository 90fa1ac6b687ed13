//! The server, request by request: what each answers, and what it refuses.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod account;
mod mail;
mod phone;
mod publication;
mod random;
mod submit;
