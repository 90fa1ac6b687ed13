//! What was received.

use super::{
    super::{input::sesame_slice, status::sesame_status, tree::Tree},
    event::{event, sesame_event},
};
use sesame_core::event::{InboxItem, Item, Message, MessageKind, NextStep, Received};

/// A message that was opened and authenticated.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_message {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The same in every copy and resend, 16 bytes.
    pub content_id: sesame_slice,
    /// The authenticated sender.
    pub user: sesame_slice,
    /// The authenticated device.
    pub device: u32,
    /// The group that it was said in, 32 bytes; absent for a direct message.
    pub group: sesame_slice,
    /// The session that it came on, 32 bytes.
    pub session_id: sesame_slice,
    /// The sender's clock, in ms since 1970.
    pub sent_at: u64,
    /// Counts what that device sent to this one, from 1.
    pub sequence: u64,
    /// Whether it is a transcript: what another device of this user sent.
    pub is_transcript: bool,
    /// For a transcript, to whom it went.
    pub recipients: *const sesame_slice,
    /// How many.
    pub recipient_count: usize,
    /// The app's bytes; wiped by `sesame_result_free`.
    pub payload: sesame_slice,
    /// The sending device is no longer on its user's list.
    pub from_removed_device: bool,
    /// It began a session without a one-time key.
    pub no_one_time_key: bool,
    /// A newer session has already been used.
    pub older_session: bool,
    /// The sender has left the group; nothing shows whether this was said before.
    pub from_former_member: bool,
}

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
    /// It waits here for `sesame_registry_accept_identity`, and may be confirmed to the server.
    Held = 4,
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

fn message(tree: &mut Tree, mut message: Message) -> *const sesame_message {
    let (is_transcript, (recipients, recipient_count)) = match &message.kind {
        MessageKind::Message => (false, (core::ptr::null(), 0)),
        MessageKind::Transcript { recipients } => (true, tree.users(recipients)),
    };
    let view = sesame_message {
        struct_size: size_of::<sesame_message>(),
        content_id: tree.copy(&message.content_id.0),
        user: tree.user(&message.user),
        device: message.device.0,
        group: tree.maybe(message.group.as_ref().map(|group| &group.0[..])),
        session_id: tree.copy(&message.session_id.0),
        sent_at: message.sent_at,
        sequence: message.sequence,
        is_transcript,
        recipients,
        recipient_count,
        payload: tree.bytes(std::mem::take(&mut message.payload)),
        from_removed_device: message.flags.from_removed_device,
        no_one_time_key: message.flags.no_one_time_key,
        older_session: message.flags.older_session,
        from_former_member: message.flags.from_former_member,
    };
    tree.one(view)
}

fn item(tree: &mut Tree, envelope: usize, id: u64, item: Item) -> sesame_received {
    let (kind, message, event) = match item {
        Item::Message(said) => (sesame_received_kind::Message, message(tree, said), core::ptr::null()),
        Item::Event(happened) => {
            let event = event(tree, happened);
            (sesame_received_kind::Event, core::ptr::null(), tree.one(event))
        }
    };
    let (struct_size, status) = (size_of::<sesame_received>(), sesame_status::Ok);
    sesame_received { struct_size, kind, status, envelope, id, confirm: true, message, event }
}

fn received(tree: &mut Tree, received: Received) -> sesame_received {
    let nothing = sesame_received {
        struct_size: size_of::<sesame_received>(),
        kind: sesame_received_kind::Held,
        status: sesame_status::Ok,
        envelope: 0,
        id: 0,
        confirm: true,
        message: core::ptr::null(),
        event: core::ptr::null(),
    };
    match received {
        Received::Item { envelope, id, item: content } => item(tree, envelope, id, content),
        Received::Failure { envelope, code, next } => sesame_received {
            kind: sesame_received_kind::Failure,
            status: code.into(),
            envelope,
            confirm: next == NextStep::Confirm,
            ..nothing
        },
        Received::Held { envelope } => sesame_received { envelope, ..nothing },
    }
}

fn list(tree: &mut Tree, results: Vec<sesame_received>) -> *const sesame_received_list {
    let (ids, id_count) = tree.array(results.iter().map(|result| result.id).filter(|id| *id != 0).collect());
    let (items, count) = tree.list(results);
    tree.one(sesame_received_list { struct_size: size_of::<sesame_received_list>(), items, count, ids, id_count })
}

/// Results, kept in the tree.
pub(in super::super) fn received_list(tree: &mut Tree, results: Vec<Received>) -> *const sesame_received_list {
    let results = results.into_iter().map(|result| received(tree, result)).collect();
    list(tree, results)
}

/// The inbox, kept in the tree.
pub(in super::super) fn inbox(tree: &mut Tree, rows: Vec<InboxItem>) -> *const sesame_received_list {
    let results = rows.into_iter().map(|row| item(tree, 0, row.id, row.item)).collect();
    list(tree, results)
}
