//! Signal-style multi-device messaging and private groups, embedded in an app of your own.
//!
//! Users have devices, devices have sessions, one of them active (the Sesame algorithm). This library owns everything between "here is a
//! plaintext for Alice, or for this group" and "here are the envelopes for your server", and back. It never opens a socket: the app moves
//! bytes, the library decides. It is not wire compatible with Signal, and it is not audited.
//!
//! # One message
//!
//! A [`Client`] is one device of one user, over a store. This program has both ends in one process, and a server in memory:
//!
//! ```
//! use sesame::{Client, Item, MemoryStore, Received, Secret, UserId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut relay = sesame_relay::Relay::new(); // the server's part; yours speaks HTTP or what you like
//! let key = || Secret::init_with(|key| key.fill(7)); // your keychain holds this key
//! let alice = Client::create(MemoryStore::shared(), key(), &UserId::try_from("alice")?)?;
//! let bob = Client::create(MemoryStore::shared(), key(), &UserId::try_from("bob")?)?;
//!
//! for client in [&alice, &bob] {
//!     while let Some(upload) = client.publication(None)? {
//!         relay.publish((client.user(), client.id()), &upload.bytes)?; // the signed device list, then prekeys
//!         client.published(&upload.id)?;
//!     }
//! }
//!
//! let mut next = Some(alice.batch_encrypt(&[bob.user().clone()], b"hello, Bob", None)?); // one call for every device
//! while let Some(send) = next {
//!     for batch in &send.batches {
//!         relay.submit((alice.user(), alice.id()), batch)?; // if it is stale, call `rejected`
//!         alice.accepted(&send.id, &batch.user)?;
//!     }
//!     alice.apply(&relay.answer(&send.needs))?; // a device list, then prekeys
//!     next = alice.pending(&send.id)?;
//! }
//!
//! let mails: Vec<Vec<u8>> = relay.fetch((bob.user(), bob.id()), 100).into_iter().map(|mail| mail.envelope).collect();
//! let received = bob.batch_decrypt(&mails)?; // one call for a mailbox
//! let Some(Received::Item { id, item: Item::Message(message), .. }) = received.last() else { panic!("no message") };
//! assert_eq!(message.payload, b"hello, Bob");
//! bob.ack(&[*id])?; // it waited in the inbox until now
//! # Ok(())
//! # }
//! ```
//!
//! # The road of a message
//!
//! Out: [`Client::batch_encrypt`] takes the lock, the time and fresh randomness and enters the core. There the registry picks devices, a
//! session seals for each, and one commit writes all that changed. The [`PendingSend`] that comes back has one [`Batch`] for each user; your server
//! takes a batch whole or refuses it, and [`Client::accepted`] or [`Client::rejected`] says which.
//!
//! In: [`Client::batch_decrypt`] opens a fetched mailbox, each envelope by itself, all in one commit. What was said waits in the inbox until
//! [`Client::ack`], so that a crash loses nothing.
//!
//! # Where to go next
//!
//! - Groups: [`Client::create_group`] and [`Group`].
//! - More devices: [`Linking`] on the new one, [`Client::link`] on the primary.
//! - Stores: [`SqliteStore`] for a file, [`MemoryStore`] for tests, or your own [`Store`].
//! - `docs/architecture.md` for how the code is built, `docs/server.md` for what your server must do, `docs/threat-model.md` for every limit.

// A seed from outside makes every key predictable: no build that is optimised for shipping has it.
#[cfg(all(feature = "test-util", not(debug_assertions)))]
compile_error!("test-util is for the story of tests/story alone, in a debug build");

pub mod app_store;
mod calls;
mod client;
mod group;
mod linking;
mod outside;

pub use client::{Client, enter, outside};
pub use group::Group;
pub use linking::Linking;
#[cfg(feature = "test-util")]
pub use outside::script;

pub use sesame_core::{
    error::{Blame, Code, Detail, Error},
    event::{
        Act, Answers, Applied, Batch, Cost, DeviceState, DeviceView, Event, Flags, GroupChange, GroupInfo, GroupView,
        HistoryEntry, InboxItem, Item, MemberView, Message, MessageKind, Need, NextStep, Outgoing, PendingSend,
        Publication, Received, Recipients, Refusal, Rejection, Sender, SessionView, Skipped, Standing, UserView,
    },
    ids::{
        AccountKey, ContentId, DeviceId, EnvelopeId, Fingerprint, GroupId, GroupKind, OperationId, PublicationId,
        SendId, SessionId, UserId,
    },
    secret::Secret,
    store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError, StoreErrorKind},
};
pub use sesame_sqlite::SqliteStore;
