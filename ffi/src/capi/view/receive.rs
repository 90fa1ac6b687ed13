//! What was received.

use super::{
    super::{input::sesame_address, status::sesame_status, tree::Tree},
    generated::{one_event, one_message, sesame_event, sesame_message},
};
use sesame_core::event::{InboxItem, Item, NextStep, Received, Sender};

/// What came of an envelope.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_received_kind {
    /// Something was said: `message`. It waits in the inbox until `sesame_device_ack`.
    Message = 1,
    /// Something happened: `event`. It waits in the inbox until `sesame_device_ack`.
    Event = 2,
    /// It could not be opened, for `status`; nothing changed by it.
    Failure = 3,
    /// It waits here for `sesame_registry_accept_identity`, or for its group to be known, and may be confirmed to the server.
    Held = 4,
    /// It was received before; nothing changed by it, and it may be confirmed to the server.
    Duplicate = 5,
}

/// One result for an envelope; an envelope may give several.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_received {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// What came of it.
    pub kind: sesame_received_kind,
    /// `SESAME_STATUS_OK`, or why it could not be opened.
    pub status: sesame_status,
    /// Which envelope, from 0; in the inbox 0.
    pub envelope: usize,
    /// For `sesame_device_ack`; 0 if there is nothing to ack.
    pub id: u64,
    /// Whether to confirm the envelope to the server. Else leave it there and fetch again.
    pub confirm: bool,
    /// What was said, or NULL.
    pub message: *const sesame_message,
    /// What happened, or NULL.
    pub event: *const sesame_event,
    /// The device that a failed envelope says it comes from, or NULL.
    pub sender: *const sesame_address,
    /// Whether the gate of the envelope fits the keys that are known for `sender`. If not, anybody may have written this address on it.
    pub authenticated: bool,
}

/// Results, in the order of the envelopes; in the inbox, oldest first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_received_list {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The results.
    pub items: *const *const sesame_received,
    /// How many.
    pub count: usize,
    /// The ids of those that wait in the inbox, for `sesame_device_ack`.
    pub ids: *const u64,
    /// How many.
    pub id_count: usize,
}

/// A result that says nothing yet.
const NOTHING: sesame_received = sesame_received {
    struct_size: size_of::<sesame_received>(),
    kind: sesame_received_kind::Held,
    status: sesame_status::Ok,
    envelope: 0,
    id: 0,
    confirm: true,
    message: core::ptr::null(),
    event: core::ptr::null(),
    sender: core::ptr::null(),
    authenticated: false,
};

fn item(tree: &mut Tree, envelope: usize, id: u64, item: Item) -> sesame_received {
    let (kind, message, event) = match item {
        Item::Message(said) => {
            let message = one_message(tree, said);
            (sesame_received_kind::Message, tree.one(message), core::ptr::null())
        }
        Item::Event(happened) => {
            let event = one_event(tree, happened);
            (sesame_received_kind::Event, core::ptr::null(), tree.one(event))
        }
    };
    sesame_received { kind, envelope, id, message, event, ..NOTHING }
}

fn received(tree: &mut Tree, received: Received) -> sesame_received {
    match received {
        Received::Item { envelope, id, item: content } => item(tree, envelope, id, content),
        Received::Duplicate { envelope } => {
            sesame_received { kind: sesame_received_kind::Duplicate, envelope, ..NOTHING }
        }
        Received::Failure { envelope, sender, code, next } => sesame_received {
            kind: sesame_received_kind::Failure,
            status: code.into(),
            envelope,
            confirm: next == NextStep::Confirm,
            authenticated: sender.as_ref().is_some_and(|sender| sender.authenticated),
            sender: sender.map_or(core::ptr::null(), |Sender { user, device, .. }| tree.address(&user, device)),
            ..NOTHING
        },
        Received::Held { envelope } => sesame_received { envelope, ..NOTHING },
    }
}

fn list(tree: &mut Tree, results: Vec<sesame_received>) -> *const sesame_received_list {
    let (ids, id_count) = tree.array(results.iter().map(|result| result.id).filter(|id| *id != 0).collect());
    let (items, count) = tree.list(results);
    tree.one(sesame_received_list { struct_size: size_of::<sesame_received_list>(), items, count, ids, id_count })
}

/// Results, kept in the tree.
pub(in crate::capi) fn received_list(tree: &mut Tree, results: Vec<Received>) -> *const sesame_received_list {
    let results = results.into_iter().map(|result| received(tree, result)).collect();
    list(tree, results)
}

/// The inbox, kept in the tree.
pub(in crate::capi) fn inbox(tree: &mut Tree, rows: Vec<InboxItem>) -> *const sesame_received_list {
    let results = rows.into_iter().map(|row| item(tree, 0, row.id, row.item)).collect();
    list(tree, results)
}
