//! What the relay in memory gives and shows.

use super::super::{input::sesame_slice, tree::Tree};
use sesame_relay::{Mail, Seen, View};

/// What the server saw.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_seen_kind {
    /// A bundle of `device` of `user` was handed out.
    BundleFetched = 1,
    /// A device list or prekeys of `size` bytes came up from `device` of `user`.
    Published = 2,
    /// A batch for `recipient` came from `device` of `user`.
    Submitted = 3,
}

/// One envelope, as the server sees it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_seen_envelope {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// For which device.
    pub device: u32,
    /// How many bytes.
    pub size: usize,
    /// Whether it is an initiation message.
    pub initiation: bool,
}

/// One thing that the server saw.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_seen {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// What it was.
    pub kind: sesame_seen_kind,
    /// The device.
    pub device: u32,
    /// The user of the device.
    pub user: sesame_slice,
    /// How many bytes, of a publication.
    pub size: usize,
    /// For whom, of a batch.
    pub recipient: sesame_slice,
    /// Its envelopes.
    pub envelopes: *const *const sesame_seen_envelope,
    /// How many.
    pub envelope_count: usize,
    /// Devices that it skips.
    pub skipped: *const u32,
    /// How many.
    pub skipped_count: usize,
    /// Whether it was taken.
    pub accepted: bool,
}

/// Envelopes that wait for a device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_waiting {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// For whom.
    pub user: sesame_slice,
    /// For which device.
    pub device: u32,
    /// How many.
    pub count: usize,
}

/// What lies in a mailbox.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_mailbox {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// Its envelopes, oldest first.
    pub envelopes: *const sesame_slice,
    /// How many.
    pub envelope_count: usize,
}

/// All that the server holds and has seen.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_relay_view {
    /// The size of this struct in the library.
    pub struct_size: usize,
    /// What it saw, in order.
    pub seen: *const *const sesame_seen,
    /// How many.
    pub seen_count: usize,
    /// Mailboxes.
    pub waiting: *const *const sesame_waiting,
    /// How many.
    pub waiting_count: usize,
}

fn seen(tree: &mut Tree, seen: Seen) -> sesame_seen {
    let nothing = sesame_seen {
        struct_size: size_of::<sesame_seen>(),
        kind: sesame_seen_kind::BundleFetched,
        device: 0,
        user: sesame_slice::NONE,
        size: 0,
        recipient: sesame_slice::NONE,
        envelopes: core::ptr::null(),
        envelope_count: 0,
        skipped: core::ptr::null(),
        skipped_count: 0,
        accepted: false,
    };
    match seen {
        Seen::BundleFetched { user, device } => sesame_seen { user: tree.user(&user), device: device.0, ..nothing },
        Seen::Published { user, device, bytes } => {
            let kind = sesame_seen_kind::Published;
            sesame_seen { kind, user: tree.user(&user), device: device.0, size: bytes, ..nothing }
        }
        Seen::Submitted { sender, sender_device, recipient, envelopes, skipped, refusal } => {
            let (envelopes, envelope_count) = tree.map(envelopes, |_, seen| sesame_seen_envelope {
                struct_size: size_of::<sesame_seen_envelope>(),
                device: seen.device.0,
                size: seen.bytes,
                initiation: seen.initiation,
            });
            let (skipped, skipped_count) = tree.devices(&skipped);
            sesame_seen {
                kind: sesame_seen_kind::Submitted,
                user: tree.user(&sender),
                device: sender_device.0,
                recipient: tree.user(&recipient),
                envelopes,
                envelope_count,
                skipped,
                skipped_count,
                accepted: refusal.is_none(),
                ..nothing
            }
        }
    }
}

/// All of the relay, kept in the tree.
pub(in crate::capi) fn relay(tree: &mut Tree, view: View) -> *const sesame_relay_view {
    let (seen, seen_count) = tree.map(view.seen, seen);
    let (waiting, waiting_count) = tree.map(view.waiting.into_iter().collect(), |tree, ((user, device), count)| {
        sesame_waiting { struct_size: size_of::<sesame_waiting>(), user: tree.user(&user), device: device.0, count }
    });
    let struct_size = size_of::<sesame_relay_view>();
    tree.one(sesame_relay_view { struct_size, seen, seen_count, waiting, waiting_count })
}

/// A mailbox, kept in the tree.
pub(in crate::capi) fn mailbox(tree: &mut Tree, mails: Vec<Mail>) -> *const sesame_mailbox {
    let (envelopes, envelope_count) = tree.strings(mails.into_iter().map(|mail| mail.envelope).collect());
    tree.one(sesame_mailbox { struct_size: size_of::<sesame_mailbox>(), envelopes, envelope_count })
}
