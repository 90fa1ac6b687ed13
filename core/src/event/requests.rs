//! Requests to the server, and what came of the answers.

use crate::{
    error::{Code, Error},
    ids::{RequestId, SendId, UserId},
    limits::{MAX_AUDIENCE, MAX_TOKEN},
};

/// The server that a device belongs to.
#[derive(Clone, Eq, PartialEq)]
pub struct Server {
    name: String,
    token: Vec<u8>,
}

// By hand: a derived Debug would print the token.
impl core::fmt::Debug for Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Server({})", self.name)
    }
}

impl Server {
    /// The server with this name, 1 to 255 bytes: both ends sign it, so that a request to one server is worth nothing at another. A host
    /// name serves well.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for another length.
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::with_token(name, &[])
    }

    /// The same, with what the server asks of a new user: at most 1,024 bytes, which go with the first publication.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for another length of either.
    pub fn with_token(name: &str, token: &[u8]) -> Result<Self, Error> {
        if name.is_empty() || name.len() > MAX_AUDIENCE {
            return Err(Error::of(Code::InvalidArgument, "server"));
        }
        if token.len() > MAX_TOKEN {
            return Err(Error::of(Code::InvalidArgument, "token"));
        }
        Ok(Self { name: name.to_owned(), token: token.to_vec() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it asks of a new user; mostly empty.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }
}

/// What a request asks of the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestKind {
    /// Bundles of prekeys.
    Bundles,
    /// Envelopes that are stored here may be deleted there.
    Confirm,
    /// The account is deleted.
    Delete,
    /// A step of linking another device.
    Link,
    /// Device lists.
    Lists,
    /// The mailbox.
    Mail,
    /// The device list and prekeys are uploaded.
    Publication,
    /// Where the server may knock.
    Push,
    /// Batches.
    Submit,
}

/// A header of a request.
#[derive(Clone, Eq, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

// By hand: a derived Debug would print the caller and its signature.
impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Header({})", self.name)
    }
}

/// One request to the server: a POST of `body` to `path`. Send it within a minute, and do not store it: the device gives it out again.
#[derive(Clone, Eq, PartialEq)]
pub struct ServerRequest {
    /// The request's id, for `respond`.
    pub id: RequestId,
    /// What it asks.
    pub kind: RequestKind,
    /// The path of the URL.
    pub path: String,
    /// The headers, the content type among them.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
    /// The users that it is about, to look at.
    pub users: Vec<UserId>,
}

// By hand: a derived Debug would print kilobytes.
impl core::fmt::Debug for ServerRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ServerRequest({}, {} bytes)", self.path, self.body.len())
    }
}

/// What came of an answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answered {
    /// Whether the request was waiting for an answer. A late or a repeated answer changes nothing.
    pub known: bool,
    /// Items that are new in the inbox.
    pub items: Vec<u64>,
    /// Sends that changed.
    pub sends: Vec<SendId>,
    /// The number of the code that says why the requests pause, or 0.
    pub problem: u16,
}

/// How a device stands with its server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Health {
    /// Whether the server has this device's prekeys, and the list that names it.
    pub registered: bool,
    /// The number of the code that says why nothing goes on, or 0.
    pub problem: u16,
    /// The time until `next_request` has something to give, in ms; 0 when it has now.
    pub due_in: u64,
    /// The number of sends that are not finished.
    pub open_sends: u32,
    /// The number of items in the inbox.
    pub inbox: u32,
    /// The number of envelopes that the server still had at the last fetch.
    pub mail_left: u32,
    /// The server's clock less ours, in ms, as far as it has said.
    pub clock_offset: i64,
}
