//! What an app is told, and what it says to a call: plain values, each defined once for all languages.
//!
//! The faces of the other languages are generated from these definitions (`bindings/bindgen`). A value here knows neither how it is
//! stored (that is `record`) nor how it travels (that is `wire`), and it holds no key but public ones.

mod events;
mod group;
mod handover;
mod link;
mod message;
mod outcome;
mod receive;
mod registry;
mod requests;
mod send;

pub use events::Event;
pub use group::{Act, Cost, GroupChange, GroupInfo, GroupView, HistoryEntry, MemberView, Standing};
pub use handover::HandoverView;
pub use link::{LinkLeg, LinkPost, LinkWait, PendingLinkView};
pub use message::{Flags, Item, Message, MessageKind};
pub use outcome::{FailedUser, Outcome, SendStatus, SkippedDevice, UserStatus, WaitingFor};
pub use receive::{InboxItem, MailOutcome, MailResult, NextStep, Received, Sender};
pub use registry::{DeviceState, DeviceView, SessionView, UserView};
pub use requests::{Answered, Header, Health, RequestKind, Server, ServerRequest};
pub use send::{Batch, Outgoing, PendingSend, Recipients, Skipped};
