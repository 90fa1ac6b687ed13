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
//! use sesame::{Client, Clock, Host, Item, MemoryStore, Secret, Server, Timestamp, UserId};
//! use sesame_relay::{Relay, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut relay = Relay::new("chat.example"); // the server's part; yours speaks HTTP
//! let server = Server::named("chat.example")?;
//! let host = || Host::new(MemoryStore::shared(), Secret::init_with(|key| key.fill(7))); // your keychain holds this key
//! let alice = Client::create(host(), &UserId::try_from("alice")?, &server)?;
//! let bob = Client::create(host(), &UserId::try_from("bob")?, &server)?;
//!
//! // The whole transport of an app.
//! let mut exchange = |client: &Client| -> Result<(), sesame::Error> {
//!     while let Some(request) = client.next_request()? {
//!         // A POST of `body` to `path` with `headers`; yours goes over the network.
//!         let answer = relay.perform(Timestamp(Clock::system().now()), &Request::of(&request));
//!         client.respond(&request.id, answer.status, &answer.body)?;
//!     }
//!     Ok(())
//! };
//!
//! exchange(&alice)?; // both tell the server their keys
//! exchange(&bob)?;
//! alice.batch_encrypt(&[bob.user().clone()], b"hello, Bob", None)?; // one call for every device
//! exchange(&alice)?;
//! bob.request_mail(100)?;
//! exchange(&bob)?; // one call for a mailbox
//!
//! for row in bob.inbox(0, 100)? {
//!     match row.item {
//!         Item::Message(message) => assert_eq!(message.payload, b"hello, Bob"),
//!         Item::Event(event) => println!("{event:?}"), // a device list came, a session has begun
//!     }
//!     bob.ack(&[row.id])?; // it waited in the inbox until now
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The road of a message
//!
//! Out: [`Client::batch_encrypt`] takes the lock, the time and fresh randomness and enters the core. There the registry picks devices, a
//! session seals for each, and one commit writes all that changed. [`Client::next_request`] gives what goes to the server, one batch for each
//! user; [`Client::respond`] takes the answer in. A server takes a batch whole or refuses it. The end of a send is
//! [`Event::SendFinished`] in the inbox.
//!
//! In: [`Client::request_mail`] makes the loop fetch the mailbox. It is opened, each envelope by itself, in one commit. What was said waits in
//! [`Client::inbox`] until [`Client::ack`], so that a crash loses nothing.
//!
//! # Where to go next
//!
//! - Groups: [`Client::create_group`] and [`Group`].
//! - More devices: [`Linking`] on the new one, [`Client::link_device`] on the primary.
//! - Stores: [`SqliteStore`] for a file, [`MemoryStore`] for tests, or your own [`Store`].
//! - `docs/app-guide.md` for the life of an app: outcomes of sends, push, background, linking, changed identities.
//! - `docs/architecture.md` for how the code is built, `docs/server.md` for what your server must do, `docs/threat-model.md` for every limit.

// A seed from outside makes every key predictable: no build that is optimised for shipping has it.
#[cfg(all(feature = "test-util", not(debug_assertions)))]
compile_error!("test-util is for the story of tests/story alone, in a debug build");

/// The samples of the crate's page are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod app_store;
mod calls;
mod client;
mod group;
mod linking;
mod outside;
mod restoring;
#[doc(hidden)]
pub mod threads;

pub use client::{Client, Host, enter, outside};
pub use group::Group;
pub use linking::Linking;
#[cfg(feature = "test-util")]
pub use outside::script;
pub use restoring::Restoring;

pub use outside::Clock;
pub use sesame_core::{
    context::Timestamp,
    device::{Backup, Loss},
    error::{Blame, Code, Error},
    event::{
        Act, Answered, Batch, Cost, DeviceState, DeviceView, Event, FailedUser, Flags, GroupChange, GroupInfo,
        GroupView, HandoverView, Header, Health, HistoryEntry, InboxItem, Item, LinkLeg, LinkPost, LinkWait,
        MailOutcome, MailResult, MemberView, Message, MessageKind, Outcome, Outgoing, PendingLinkView, PendingSend,
        Recipients, RequestKind, SendStatus, Sender, Server, ServerRequest, SessionView, Skipped, SkippedDevice,
        Standing, UserStatus, UserView, WaitingFor,
    },
    ids::{
        AccountKey, ContentId, DeviceId, EnvelopeId, Fingerprint, GroupId, GroupKind, HandoverId, LinkId, OperationId,
        RequestId, SendId, SessionId, UserId,
    },
    limits::{MAX_BATCH, MAX_DIRECT_USERS, MAX_MEMBERS, MAX_PAYLOAD, MAX_USER_ID},
    secret::Secret,
    store::{Changes, CommitError, Generation, MemoryStore, Query, Snapshot, Store, StoreError},
};
pub use sesame_sqlite::SqliteStore;
