//! What C gives: slices, arrays and structs, checked for null, alignment and size before they are read.

use core::{mem::MaybeUninit, slice};
use sesame_core::{
    error::{Code, Error},
    ids::UserId,
    limits::MAX_USER_ID,
};

/// The largest struct that a newer header may bring, in bytes.
const MAX_STRUCT: usize = 4096;

/// Bytes that somebody else owns. `data` may be NULL when `len` is 0. Text is UTF-8 and needs no zero byte at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_slice {
    /// Where they begin.
    pub(super) data: *const u8,
    /// How many they are.
    pub(super) len: usize,
}

/// One device of one user.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_address {
    /// The user, 1 to 64 bytes of UTF-8.
    pub(super) user: sesame_slice,
    /// The device.
    pub(super) device: u32,
}

/// A pointer with a count, as a Rust slice.
///
/// # Safety
/// If it is neither null nor misaligned it leads to `count` values of which every byte is written, until `'a` ends.
pub(super) unsafe fn array<'a, T>(data: *const T, count: usize, field: &'static str) -> Result<&'a [T], Error> {
    let bytes = count.checked_mul(size_of::<T>()).filter(|bytes| isize::try_from(*bytes).is_ok());
    let end = bytes.and_then(|bytes| data.addr().checked_add(bytes));
    match (count, data.is_null(), end) {
        (0, _, _) => Ok(&[]),
        (_, true, _) => Err(Error::of(Code::NullPointer, field)),
        (_, _, None) => Err(Error::of(Code::InvalidArgument, field)),
        _ if !data.is_aligned() => Err(Error::of(Code::BadStruct, field)),
        // SAFETY: not null, aligned, no longer than isize::MAX bytes, and by this function's contract readable and written.
        _ => Ok(unsafe { slice::from_raw_parts(data, count) }),
    }
}

impl sesame_slice {
    /// Nothing.
    pub(super) const NONE: Self = Self { data: core::ptr::null(), len: 0 };

    /// The bytes. The fields are private to this face: a slice is made by C, under the contract of the function that it is given to, or
    /// by us from memory that a result owns.
    pub(super) fn bytes(&self, field: &'static str) -> Result<&[u8], Error> {
        // SAFETY: see above; whoever made the slice vouches for its memory.
        unsafe { array(self.data, self.len, field) }
    }

    /// Text.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Error> {
        core::str::from_utf8(self.bytes(field)?).map_err(|_| Error::of(Code::InvalidArgument, field))
    }

    /// A user id, 1 to 64 bytes of UTF-8.
    pub(super) fn user(&self, field: &'static str) -> Result<UserId, Error> {
        if self.len > MAX_USER_ID {
            return Err(Error::of(Code::InvalidArgument, field));
        }
        UserId::try_new(self.text(field)?.as_bytes().to_vec()).ok_or(Error::of(Code::InvalidArgument, field))
    }

    /// Exactly `N` bytes.
    pub(super) fn exactly<const N: usize>(&self, field: &'static str) -> Result<[u8; N], Error> {
        self.bytes(field)?.try_into().map_err(|_| Error::of(Code::InvalidArgument, field))
    }

    /// Exactly `N` bytes, or none.
    pub(super) fn optional<const N: usize>(&self, field: &'static str) -> Result<Option<[u8; N]>, Error> {
        if self.len == 0 { Ok(None) } else { self.exactly(field).map(Some) }
    }
}

/// User ids.
pub(super) fn users(slices: &[sesame_slice], field: &'static str) -> Result<Vec<UserId>, Error> {
    let user =
        |(item, slice): (usize, &sesame_slice)| slice.user(field).map_err(|error| Error { item: Some(item), ..error });
    slices.iter().enumerate().map(user).collect()
}

/// Byte strings where they lie.
pub(super) fn byte_strings<'a>(slices: &'a [sesame_slice], field: &'static str) -> Result<Vec<&'a [u8]>, Error> {
    let bytes = |(item, slice): (usize, &'a sesame_slice)| {
        slice.bytes(field).map_err(|error| Error { item: Some(item), ..error })
    };
    slices.iter().enumerate().map(bytes).collect()
}

/// A struct whose first field, a `size_t`, says how large its maker's is; every bit pattern is one of its values.
///
/// # Safety
/// `repr(C)`, a `usize` first, and no field that some bits are invalid for.
pub(super) unsafe trait Sized0: Copy {
    /// How large it was in the first version that had it.
    const FIRST: usize;
}

/// A struct of the caller's, as this library knows it: what an older header did not have is zero, what a newer one has must be zero.
///
/// # Safety
/// If the pointer is neither null nor misaligned it leads to as many bytes as the first field says.
pub(super) unsafe fn read<T: Sized0>(from: *const T, field: &'static str) -> Result<T, Error> {
    if from.is_null() {
        return Err(Error::of(Code::NullPointer, field));
    }
    if !from.is_aligned() {
        return Err(Error::of(Code::BadStruct, field));
    }
    // SAFETY: not null and aligned; the first field of a `Sized0` is a `usize`.
    let size = unsafe { from.cast::<usize>().read() };
    if !(T::FIRST..=MAX_STRUCT).contains(&size) {
        return Err(Error::of(Code::BadStruct, field));
    }
    // SAFETY: by this function's contract there are as many bytes as the first field says.
    let bytes = unsafe { slice::from_raw_parts(from.cast::<MaybeUninit<u8>>(), size) };
    let (known, newer) = bytes.split_at(size.min(size_of::<T>()));
    // SAFETY: the caller's struct is written; what a newer header adds has no padding that is left out of a zeroed struct.
    if newer.iter().any(|byte| unsafe { byte.assume_init() } != 0) {
        return Err(Error::of(Code::BadStruct, field));
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` is no longer than `T`, and zeros as well as the caller's bytes are values of a `Sized0`.
    unsafe {
        core::ptr::copy_nonoverlapping(known.as_ptr(), value.as_mut_ptr().cast(), known.len());
        Ok(value.assume_init())
    }
}

/// Where a result goes. No reference: nothing tells whether the caller's places overlap.
#[derive(Clone, Copy)]
pub(super) struct Output<T>(*mut T);

impl<T> Output<T> {
    /// Writes the result.
    pub(super) fn put(self, value: T) {
        // SAFETY: `output` has found it neither null nor misaligned, and its caller vouches for the rest.
        unsafe { self.0.write(value) };
    }
}

/// Zeroes the place of a result, before anything else is done.
///
/// # Safety
/// If the pointer is neither null nor misaligned it leads to a `T` of the caller's, for which zeros are a value.
pub(super) unsafe fn clear<T>(to: *mut T) {
    if !to.is_null() && to.is_aligned() {
        // SAFETY: not null, aligned, the caller's; zeros are a value of it.
        unsafe { to.write_bytes(0, 1) };
    }
}

/// Where a result goes: written on success.
///
/// # Safety
/// As [`clear`], until the call ends.
pub(super) unsafe fn output<T>(to: *mut T, field: &'static str) -> Result<Output<T>, Error> {
    if to.is_null() {
        return Err(Error::of(Code::NullPointer, field));
    }
    if !to.is_aligned() {
        return Err(Error::of(Code::BadStruct, field));
    }
    Ok(Output(to))
}

/// Memory of the caller's that may be written.
///
/// # Safety
/// As [`array`], and nobody else looks at it.
pub(super) unsafe fn output_array<'a>(data: *mut u8, len: usize, field: &'static str) -> Result<&'a mut [u8], Error> {
    // SAFETY: by this function's contract.
    unsafe { array(data.cast_const(), len, field)? };
    match len {
        0 => Ok(&mut []),
        // SAFETY: `array` has found it to be neither null nor too long; the caller gives it to be written.
        _ => Ok(unsafe { slice::from_raw_parts_mut(data, len) }),
    }
}

// In an exported function: what its caller vouches for by calling it.
macro_rules! output {
    ($to:ident) => {
        // SAFETY: the caller keeps the header's contract on this pointer.
        unsafe { $crate::capi::input::output($to, stringify!($to)) }?
    };
}

macro_rules! array {
    ($data:ident, $count:ident) => {
        // SAFETY: the caller keeps the header's contract on this pointer and count.
        unsafe { $crate::capi::input::array($data, $count, stringify!($data)) }?
    };
}

macro_rules! output_array {
    ($data:expr, $len:expr, $field:literal) => {
        // SAFETY: the caller keeps the header's contract on this pointer and length.
        unsafe { $crate::capi::input::output_array($data, $len, $field) }?
    };
}

macro_rules! read {
    ($from:expr, $field:expr) => {
        // SAFETY: the caller keeps the header's contract on this struct.
        unsafe { $crate::capi::input::read($from, $field) }?
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Grown {
        struct_size: usize,
        old: u64,
        new: u64,
    }

    // SAFETY: repr(C), a usize first, numbers only.
    unsafe impl Sized0 for Grown {
        const FIRST: usize = 16;
    }

    fn try_read(words: &[u64]) -> Result<Grown, Error> {
        // SAFETY: the vectors below hold as many bytes as their first word says, up to what the check refuses first.
        unsafe { read(words.as_ptr().cast(), "grown") }
    }

    #[test]
    fn a_struct_may_be_older_or_newer_and_nothing_unknown_is_passed_over() {
        assert_eq!(try_read(&[16, 5]).map(|grown| (grown.old, grown.new)), Ok((5, 0)));
        assert_eq!(try_read(&[24, 5, 6]).map(|grown| (grown.old, grown.new)), Ok((5, 6)));
        assert_eq!(try_read(&[32, 5, 6, 0]).map(|grown| grown.new), Ok(6));
        for wrong in [&[32, 5, 6, 7][..], &[8], &[0], &[15, 0], &[u64::MAX, 0]] {
            assert_eq!(try_read(wrong), Err(Error::of(Code::BadStruct, "grown")));
        }
        let words = [24_u64, 5, 6, 0];
        // SAFETY: refused before it is read.
        let crooked = unsafe { read::<Grown>(words.as_ptr().cast::<u8>().wrapping_add(1).cast(), "grown") };
        assert_eq!(crooked, Err(Error::of(Code::BadStruct, "grown")));
    }

    #[test]
    fn a_slice_is_checked_before_it_is_read() {
        let one = 1_u8;
        let slice = |data, len| sesame_slice { data, len };
        assert_eq!(sesame_slice::NONE.bytes("x"), Ok(&[][..]));
        assert_eq!(slice(core::ptr::null(), 1).bytes("x"), Err(Error::of(Code::NullPointer, "x")));
        for len in [usize::MAX, isize::MAX as usize + 1] {
            assert_eq!(slice(&one, len).bytes("x"), Err(Error::of(Code::InvalidArgument, "x")));
        }
        let far = core::ptr::without_provenance::<u8>(usize::MAX - 3);
        assert_eq!(slice(far, 8).bytes("x"), Err(Error::of(Code::InvalidArgument, "x")));
        assert_eq!(slice(&one, 1).exactly::<2>("x"), Err(Error::of(Code::InvalidArgument, "x")));
        assert_eq!(slice(&255, 1).text("x"), Err(Error::of(Code::InvalidArgument, "x")));
        assert_eq!(
            slice(&one, MAX_USER_ID + 1).user("x"),
            Err(Error::of(Code::InvalidArgument, "x")),
            "without a look"
        );
    }
}
