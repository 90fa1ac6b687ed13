//! The rules of the server, as a library without I/O. `docs/server.md` lists what any server must do.
//!
//! The relay keeps the signed device lists, the prekeys and a mailbox for each device. Its main rule: *a batch
//! for a user is accepted if and only if its devices, sent to or explicitly skipped, are exactly the devices on
//! the user's current signed list, with the same keys, without the sending one; otherwise all of it is refused*. The relay has no
//! keys and knows nothing of groups.
//!
//! [`Relay::perform`] takes a request as a device signed it, and gives a status and a body. The code that owns the sockets moves the
//! bytes. [`decide`] has the decisions alone, for a server with a store of its own.
//!
//! ```
//! use sesame_core::{context::Timestamp, ids::UserId};
//! use sesame_relay::{Relay, Request};
//! let mut relay = Relay::new("chat.example");
//! assert!(relay.device_list(&UserId::try_new(b"alice".to_vec()).unwrap()).is_none());
//! let request = Request { path: "/v1/mail", auth: None, body: &[] };
//! assert_eq!(relay.perform(Timestamp(1_000), &request).status, 401, "no signature");
//! ```

#![forbid(unsafe_code)]

pub mod decide;
mod directory;
pub mod limits;
mod link_box;
mod mailbox;
mod perform;
mod relay;
mod view;

pub use decide::PublishError;
pub use mailbox::{Mail, Refusal};
pub use perform::{Registration, Request, Response};
pub use relay::Relay;
pub use sesame_core::internal::wire::answer::Stock;
pub use view::{Seen, SeenEnvelope, View};

use sesame_core::ids::{DeviceId, UserId};

/// A device, authenticated by the transport.
pub type Caller<'a> = (&'a UserId, DeviceId);
