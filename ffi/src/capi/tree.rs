//! Trees: structs, lists and byte strings that lead to each other, all owned by one object, all byte strings wiped when it goes.

use super::input::{sesame_address, sesame_slice};
use sesame_core::ids::{DeviceId, UserId};
use std::any::Any;
use zeroize::Zeroize;

/// The first piece of memory for copies; each further one is twice as large, up to the largest.
const PIECE: usize = 512;
const LARGEST_PIECE: usize = 1 << 16;

/// What a result owns.
#[derive(Default)]
pub struct Tree {
    bytes: Vec<Vec<u8>>,
    /// The piece that copies are appended to. It never grows beyond its capacity, so nothing in it moves.
    piece: Vec<u8>,
    structs: Vec<Box<dyn Any>>,
}

// SAFETY: once a tree has a handle nobody writes to it: pointers in it lead to memory of its own, which may be read and freed anywhere.
unsafe impl Send for Tree {}
// SAFETY: as above.
unsafe impl Sync for Tree {}

impl Drop for Tree {
    fn drop(&mut self) {
        self.bytes.zeroize();
        self.piece.zeroize();
    }
}

/// A list: pointers to its items, so that an item may grow in a later version, and how many they are.
pub(super) type List<T> = (*const *const T, usize);

impl Tree {
    /// Keeps bytes; what was moved in is not copied.
    pub(super) fn bytes(&mut self, bytes: Vec<u8>) -> sesame_slice {
        let slice = sesame_slice { data: bytes.as_ptr(), len: bytes.len() };
        self.bytes.push(bytes);
        slice
    }

    /// A copy of bytes, side by side with other copies: names and ids are short and many.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> sesame_slice {
        if self.piece.capacity() - self.piece.len() < bytes.len() {
            let larger = (2 * self.piece.capacity()).clamp(PIECE, LARGEST_PIECE);
            let full = std::mem::replace(&mut self.piece, Vec::with_capacity(larger.max(bytes.len())));
            self.bytes.push(full);
        }
        let begin = self.piece.len();
        self.piece.extend_from_slice(bytes);
        sesame_slice { data: self.piece.as_ptr().wrapping_add(begin), len: bytes.len() }
    }

    /// A user's name.
    pub(super) fn user(&mut self, user: &UserId) -> sesame_slice {
        self.copy(user.as_bytes())
    }

    /// Bytes, or nothing.
    pub(super) fn maybe(&mut self, bytes: Option<&[u8]>) -> sesame_slice {
        bytes.map_or(sesame_slice::NONE, |bytes| self.copy(bytes))
    }

    /// Keeps a struct.
    pub(super) fn one<T: 'static>(&mut self, value: T) -> *const T {
        self.array(vec![value]).0
    }

    /// Keeps values side by side; for those that will never grow.
    pub(super) fn array<T: 'static>(&mut self, values: Vec<T>) -> (*const T, usize) {
        let found = (values.as_ptr(), values.len());
        self.structs.push(Box::new(values));
        found
    }

    /// Keeps structs that may grow.
    pub(super) fn list<T: 'static>(&mut self, values: Vec<T>) -> List<T> {
        let pointers: Vec<*const T> = values.iter().map(core::ptr::from_ref).collect();
        self.structs.push(Box::new(values));
        self.array(pointers)
    }

    /// Each item made into its struct.
    pub(super) fn map<I, T: 'static>(&mut self, items: Vec<I>, make: impl Fn(&mut Self, I) -> T) -> List<T> {
        let values = items.into_iter().map(|item| make(self, item)).collect();
        self.list(values)
    }

    /// Users' names.
    pub(super) fn users(&mut self, users: &[UserId]) -> (*const sesame_slice, usize) {
        let slices = users.iter().map(|user| self.user(user)).collect();
        self.array(slices)
    }

    /// Byte strings.
    pub(super) fn strings(&mut self, strings: Vec<Vec<u8>>) -> (*const sesame_slice, usize) {
        let slices = strings.into_iter().map(|bytes| self.bytes(bytes)).collect();
        self.array(slices)
    }

    /// Devices' numbers.
    pub(super) fn devices(&mut self, devices: &[DeviceId]) -> (*const u32, usize) {
        self.array(devices.iter().map(|device| device.0).collect())
    }

    /// Devices of users.
    pub(super) fn addresses(&mut self, devices: &[(UserId, DeviceId)]) -> (*const sesame_address, usize) {
        let addresses =
            devices.iter().map(|(user, device)| sesame_address { user: self.user(user), device: device.0 }).collect();
        self.array(addresses)
    }
}
