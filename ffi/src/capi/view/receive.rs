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

fn one(tree: &mut Tree, row: InboxItem) -> sesame_inbox_item {
    let (message, event) = match row.item {
        Item::Message(said) => {
            let message = one_message(tree, said);
            (tree.one(message), core::ptr::null())
        }
        Item::Event(happened) => {
            let event = one_event(tree, happened);
            (core::ptr::null(), tree.one(event))
        }
    };
    sesame_inbox_item { struct_size: size_of::<sesame_inbox_item>(), id: row.id, message, event }
}

/// The inbox, kept in the tree.
pub(in crate::capi) fn inbox(tree: &mut Tree, rows: Vec<InboxItem>) -> *const sesame_inbox {
    let (ids, _) = tree.array(rows.iter().map(|row| row.id).collect());
    let (items, count) = tree.map(rows, one);
    tree.one(sesame_inbox { struct_size: size_of::<sesame_inbox>(), items, ids, count })
}
