//! What waits in the inbox.

use super::{
    super::tree::Tree,
    generated::{one_event, one_message, sesame_event, sesame_message},
};
use sesame_core::event::{InboxItem, Item};

/// An item of the inbox: something that was said, or something that happened. It waits until `sesame_device_ack`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_inbox_item {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// For `sesame_device_ack`.
    pub id: u64,
    /// What was said, or NULL.
    pub message: *const sesame_message,
    /// What happened, or NULL.
    pub event: *const sesame_event,
}

/// Items of the inbox, oldest first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_inbox {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// The items.
    pub items: *const *const sesame_inbox_item,
    /// Their ids, for `sesame_device_ack`.
    pub ids: *const u64,
    /// How many, of each.
    pub count: usize,
}

/// The inbox, kept in the tree. What was said lies side by side, and what happened as well.
pub(in crate::capi) fn inbox(tree: &mut Tree, rows: Vec<InboxItem>) -> *const sesame_inbox {
    let (ids, count) = tree.array(rows.iter().map(|row| row.id).collect());
    let (mut messages, mut events, mut items) = (Vec::new(), Vec::new(), Vec::with_capacity(count));
    for InboxItem { id, item } in rows {
        // The places of messages and events are known once all are there.
        let (message, event) = match item {
            Item::Message(said) => {
                messages.push(one_message(tree, said));
                (Some(messages.len() - 1), None)
            }
            Item::Event(happened) => {
                events.push(one_event(tree, happened));
                (None, Some(events.len() - 1))
            }
        };
        items.push((id, message, event));
    }
    let ((messages, _), (events, _)) = (tree.array(messages), tree.array(events));
    let (items, count) = tree.map(items, |_, (id, message, event)| sesame_inbox_item {
        struct_size: size_of::<sesame_inbox_item>(),
        id,
        message: message.map_or(core::ptr::null(), |at| messages.wrapping_add(at)),
        event: event.map_or(core::ptr::null(), |at| events.wrapping_add(at)),
    });
    tree.one(sesame_inbox { struct_size: size_of::<sesame_inbox>(), items, ids, count })
}
