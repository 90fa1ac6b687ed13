//! What the generated Python code needs beside UniFFI's own functions (ADR 27).
//!
//! A signal's handler may raise between any two steps of Python, and a thread of Python may be ended where it waits for the interpreter.
//! So whatever is owned changes hands inside one function of this module, and each of these functions may be called again at any time:
//! what it has freed, it has also emptied.

use super::store::{
    UniFfiTraitVtableAppStore, UniFfiTraitVtableStoreFactory, uniffi_sesame_ffi_fn_init_callback_vtable_appstore,
    uniffi_sesame_ffi_fn_init_callback_vtable_storefactory,
};
use std::{
    cell::Cell,
    mem::{forget, replace, take},
    ptr::NonNull,
    slice,
    sync::atomic::{AtomicPtr, Ordering},
};
use uniffi::{Handle, RustBuffer, RustCallStatus, RustCallStatusCode};

type Clone = extern "C" fn(u64, &mut RustCallStatus) -> u64;
type Free = extern "C" fn(u64, &mut RustCallStatus);
type Forget = extern "C-unwind" fn(u64);

/// How many arguments a call may have.
const MOST: usize = 12;

/// An argument that is owned until its call takes it: a handle of this library, a handle of the host, or bytes.
#[derive(Default)]
#[repr(C)]
pub struct Argument {
    free: Option<Free>,
    forget: Option<Forget>,
    handle: u64,
    buffer: RustBuffer,
}

/// The arguments of one call that the call has not taken yet. The host sets `count` to 0 in the same step in which it calls.
#[derive(Default)]
#[repr(C)]
pub struct Arguments {
    count: u64,
    items: [Argument; MOST],
}

impl Arguments {
    fn put(&mut self, argument: Argument) -> bool {
        let place = usize::try_from(self.count).ok().and_then(|count| self.items.get_mut(count));
        let Some(place) = place else { return false };
        *place = argument;
        self.count += 1;
        true
    }

    fn empty(&mut self) {
        let count = usize::try_from(take(&mut self.count)).unwrap_or(0);
        for argument in self.items.iter_mut().take(count) {
            let Argument { free, forget, handle, buffer } = take(argument);
            buffer.destroy();
            if let Some(free) = free {
                free(handle, &mut RustCallStatus::default());
            }
            if let Some(forget) = forget {
                guarded(|| forget(handle));
            }
        }
    }
}

/// A view of bytes that the host owns.
///
/// # Safety
/// `data` must point to `len` bytes, or `len` is 0.
unsafe fn octets<'a>(data: *const u8, len: u64) -> &'a [u8] {
    match usize::try_from(len) {
        // SAFETY: the caller says that `data` points to `len` bytes.
        Ok(len) if len > 0 && !data.is_null() => unsafe { slice::from_raw_parts(data, len) },
        _ => &[],
    }
}

/// Copies bytes for a call. The result is not to be freed by the host.
///
/// # Safety
/// `arguments` is one that the host zeroed, and `data` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffi_sesame_argument_bytes(arguments: &mut Arguments, data: *const u8, len: u64) -> RustBuffer {
    // SAFETY: as this function's own.
    let owned = RustBuffer::from_vec(unsafe { octets(data, len) }.to_vec());
    // SAFETY: a buffer has no destructor. `arguments` owns the bytes; the copy is lent to the host until the call takes them.
    let lent = unsafe { std::ptr::read(&raw const owned) };
    if arguments.put(Argument { buffer: owned, ..Argument::default() }) { lent } else { RustBuffer::new() }
}

/// Clones a handle of this library for a call.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_argument_handle(arguments: &mut Arguments, handle: u64, clone: Clone, free: Free) -> u64 {
    let mut status = RustCallStatus::default();
    let handle = clone(handle, &mut status);
    let argument = Argument { free: Some(free), handle, ..Argument::default() };
    if handle != 0 && arguments.put(argument) { handle } else { 0 }
}

/// Clones a handle of this library for a call that takes one or none, and writes it as UniFFI does.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_argument_optional(
    arguments: &mut Arguments,
    handle: u64,
    clone: Clone,
    free: Free,
) -> RustBuffer {
    let handle = clone(handle, &mut RustCallStatus::default());
    let buffer = RustBuffer::from_vec([&[1][..], &handle.to_be_bytes()].concat());
    // SAFETY: a buffer has no destructor. `arguments` owns the bytes; the copy is lent to the host until the call takes them.
    let lent = unsafe { std::ptr::read(&raw const buffer) };
    let argument = Argument { free: Some(free), handle, buffer, ..Argument::default() };
    if handle != 0 && arguments.put(argument) { lent } else { RustBuffer::new() }
}

/// Takes the handle out of what a call gave that gives one or none: 0 for none. The bytes are freed.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_optional_take(buffer: &mut RustBuffer) -> u64 {
    match *take(buffer).destroy_into_vec() {
        [1, ref handle @ ..] => handle.try_into().map_or(0, u64::from_be_bytes),
        _ => 0,
    }
}

/// Frees what a call gave that gives a handle or none, once.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_optional_drop(buffer: &mut RustBuffer, free: Free) {
    ffi_sesame_handle_drop(&mut ffi_sesame_optional_take(buffer), free);
}

/// Notes a handle that the host has made for a call; `forget` takes it back.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_argument_of_host(arguments: &mut Arguments, handle: u64, forget: Forget) -> u64 {
    let argument = Argument { forget: Some(forget), handle, ..Argument::default() };
    if arguments.put(argument) { handle } else { 0 }
}

/// Frees what the call has not taken.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_arguments_drop(arguments: &mut Arguments) {
    arguments.empty();
}

/// Frees a handle that a call gave, once.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_handle_drop(handle: &mut u64, free: Free) {
    let handle = take(handle);
    if handle != 0 {
        free(handle, &mut RustCallStatus::default());
    }
}

/// Frees bytes that a call gave, once.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_buffer_drop(buffer: &mut RustBuffer) {
    take(buffer).destroy();
}

/// Frees the error of a call, once.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_status_drop(status: &mut RustCallStatus) {
    take(&mut *status.error_buf).destroy();
}

/// Gives the library the bytes that a method of the host returns.
///
/// # Safety
/// `data` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffi_sesame_buffer_give(out: &mut RustBuffer, data: *const u8, len: u64) {
    // SAFETY: as this function's own.
    let bytes = unsafe { octets(data, len) }.to_vec();
    replace(out, RustBuffer::from_vec(bytes)).destroy();
}

/// Gives the library the error that a method of the host raises.
///
/// # Safety
/// `data` points to `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ffi_sesame_status_give(
    status: &mut RustCallStatus,
    is_expected: bool,
    data: *const u8,
    len: u64,
) {
    // SAFETY: as this function's own.
    let bytes = unsafe { octets(data, len) }.to_vec();
    replace(&mut *status.error_buf, RustBuffer::from_vec(bytes)).destroy();
    status.code = if is_expected { RustCallStatusCode::Error } else { RustCallStatusCode::UnexpectedError };
}

/// Ends no thread: it stops for good if the host unwinds it.
///
/// At the end of an interpreter CPython before 3.14 ends each thread that asks for the interpreter, by unwinding its stack. Frames of Rust
/// are on that stack, which would abort the process.
struct Stops;

impl Drop for Stops {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Runs something of the host's. It stands alone so that its landing pad stays.
#[inline(never)]
fn guarded<T>(call: impl FnOnce() -> T) -> T {
    let stops = Stops;
    let result = call();
    forget(stops);
    result
}

/// What a method of the host has to say of itself: until it does, it has not run.
fn answered<T>(status: &mut RustCallStatus, call: impl FnOnce(&mut RustCallStatus) -> T) -> T {
    status.code = RustCallStatusCode::Cancelled;
    guarded(|| call(status))
}

/// Ends a hold, whatever interrupts it.
const ATTEMPTS: usize = 1_000;

/// The functions of a store that Python has, in UniFFI's order.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct AppStoreOfHost {
    free: Forget,
    clone: extern "C-unwind" fn(u64) -> u64,
    load: extern "C-unwind" fn(u64, RustBuffer, i8, &mut RustBuffer, &mut RustCallStatus),
    commit: extern "C-unwind" fn(u64, RustBuffer, RustBuffer, RustBuffer, &mut i8, &mut RustCallStatus),
    release: extern "C-unwind" fn(u64, &mut (), &mut RustCallStatus),
}

/// The functions of a factory of stores, in UniFFI's order.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct StoreFactoryOfHost {
    free: Forget,
    clone: extern "C-unwind" fn(u64) -> u64,
    make: extern "C-unwind" fn(u64, &mut Handle, &mut RustCallStatus),
}

static APP_STORE: AtomicPtr<AppStoreOfHost> = AtomicPtr::new(std::ptr::null_mut());
static STORE_FACTORY: AtomicPtr<StoreFactoryOfHost> = AtomicPtr::new(std::ptr::null_mut());

/// Keeps what the host gives for as long as the process lives.
fn keep<T: Copy>(place: &AtomicPtr<T>, functions: &T) {
    place.store(Box::into_raw(Box::new(*functions)), Ordering::Release);
}

/// What was kept; UniFFI calls nothing before it was.
fn kept<T: Copy>(place: &AtomicPtr<T>) -> T {
    // SAFETY: `keep` has stored a box that is never freed, before UniFFI was given a function that comes here.
    unsafe { *place.load(Ordering::Acquire) }
}

thread_local! {
    /// The store that this thread holds, or 0. A call runs in one thread.
    static HELD: Cell<u64> = const { Cell::new(0) };
}

/// Whether the method came to its end. If not, the hold is ended here, for nobody else will.
fn is_done(status: &mut RustCallStatus, handle: u64) -> bool {
    match status.code {
        RustCallStatusCode::Success | RustCallStatusCode::Error => true,
        RustCallStatusCode::UnexpectedError | RustCallStatusCode::Cancelled => {
            status.code = RustCallStatusCode::UnexpectedError;
            if HELD.replace(0) == handle {
                release(handle, &mut (), &mut RustCallStatus::default());
            }
            false
        }
    }
}

extern "C" fn app_store_free(handle: u64) {
    guarded(|| (kept(&APP_STORE).free)(handle));
}

extern "C" fn app_store_clone(handle: u64) -> u64 {
    guarded(|| (kept(&APP_STORE).clone)(handle))
}

extern "C" fn load(handle: u64, queries: RustBuffer, hold: i8, out: &mut RustBuffer, status: &mut RustCallStatus) {
    answered(status, |status| (kept(&APP_STORE).load)(handle, queries, hold, out, status));
    // A load that raised holds nothing; one that was interrupted after it had begun may.
    if hold != 0 && !matches!(status.code, RustCallStatusCode::Error | RustCallStatusCode::Cancelled) {
        HELD.set(handle);
    }
    if !is_done(status, handle) {
        take(out).destroy();
    }
}

extern "C" fn commit(
    handle: u64,
    expected: RustBuffer,
    next: RustBuffer,
    changes: RustBuffer,
    out: &mut i8,
    status: &mut RustCallStatus,
) {
    answered(status, |status| (kept(&APP_STORE).commit)(handle, expected, next, changes, out, status));
    if is_done(status, handle) {
        HELD.set(0);
    }
}

extern "C" fn release(handle: u64, out: &mut (), status: &mut RustCallStatus) {
    HELD.set(0);
    for _ in 0..ATTEMPTS {
        answered(status, |status| (kept(&APP_STORE).release)(handle, out, status));
        if status.code != RustCallStatusCode::Cancelled {
            return;
        }
    }
    status.code = RustCallStatusCode::UnexpectedError;
}

extern "C" fn store_factory_free(handle: u64) {
    guarded(|| (kept(&STORE_FACTORY).free)(handle));
}

extern "C" fn store_factory_clone(handle: u64) -> u64 {
    guarded(|| (kept(&STORE_FACTORY).clone)(handle))
}

extern "C" fn make(handle: u64, out: &mut Handle, status: &mut RustCallStatus) {
    answered(status, |status| (kept(&STORE_FACTORY).make)(handle, out, status));
    if status.code == RustCallStatusCode::Cancelled {
        status.code = RustCallStatusCode::UnexpectedError;
    }
}

/// Takes the functions of Python's stores, and gives UniFFI those that stand before them.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_init_app_store(functions: &AppStoreOfHost) {
    static VTABLE: UniFfiTraitVtableAppStore =
        UniFfiTraitVtableAppStore { uniffi_free: app_store_free, uniffi_clone: app_store_clone, load, commit, release };
    keep(&APP_STORE, functions);
    uniffi_sesame_ffi_fn_init_callback_vtable_appstore(NonNull::from(&VTABLE));
}

/// Takes the functions of Python's factories, and gives UniFFI those that stand before them.
#[unsafe(no_mangle)]
pub extern "C" fn ffi_sesame_init_store_factory(functions: &StoreFactoryOfHost) {
    static VTABLE: UniFfiTraitVtableStoreFactory =
        UniFfiTraitVtableStoreFactory { uniffi_free: store_factory_free, uniffi_clone: store_factory_clone, make };
    keep(&STORE_FACTORY, functions);
    uniffi_sesame_ffi_fn_init_callback_vtable_storefactory(NonNull::from(&VTABLE));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

    extern "C-unwind" fn forgotten(handle: u64) {
        FORGOTTEN.fetch_add(handle, Ordering::Relaxed);
    }

    #[test]
    fn what_a_call_did_not_take_is_freed_once_and_what_it_took_is_not() {
        let mut arguments = Arguments::default();
        // SAFETY: the array has three bytes.
        let lent = unsafe { ffi_sesame_argument_bytes(&mut arguments, [1, 2, 3].as_ptr(), 3) };
        assert_eq!((lent.len(), arguments.count), (3, 1));
        assert_eq!(ffi_sesame_argument_of_host(&mut arguments, 7, forgotten), 7);
        ffi_sesame_arguments_drop(&mut arguments);
        ffi_sesame_arguments_drop(&mut arguments);
        assert_eq!((FORGOTTEN.load(Ordering::Relaxed), arguments.count), (7, 0));
        ffi_sesame_argument_of_host(&mut arguments, 9, forgotten);
        arguments.count = 0;
        ffi_sesame_arguments_drop(&mut arguments);
        assert_eq!(FORGOTTEN.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn more_arguments_than_there_is_room_for_are_refused() {
        let mut arguments = Arguments::default();
        let taken = (0..=MOST).filter(|_| ffi_sesame_argument_of_host(&mut arguments, 1, stranger) == 1).count();
        assert_eq!(taken, MOST);
    }

    extern "C-unwind" fn stranger(_: u64) {}

    extern "C" fn cloned(handle: u64, _: &mut RustCallStatus) -> u64 {
        handle + 1
    }

    extern "C" fn freed(handle: u64, _: &mut RustCallStatus) {
        FREED.fetch_add(handle, Ordering::Relaxed);
    }

    static FREED: AtomicU64 = AtomicU64::new(0);

    #[test]
    fn a_handle_in_a_buffer_is_freed_with_it_or_taken_out_of_it() {
        let mut arguments = Arguments::default();
        let lent = ffi_sesame_argument_optional(&mut arguments, 4, cloned, freed);
        // SAFETY: the bytes are those that `arguments` owns.
        let bytes = unsafe { octets(lent.data_pointer(), 9) };
        assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0, 5]);
        let mut given = RustBuffer::from_vec(bytes.to_vec());
        assert_eq!(ffi_sesame_optional_take(&mut given), 5);
        ffi_sesame_optional_drop(&mut given, freed);
        assert_eq!(FREED.load(Ordering::Relaxed), 0, "it was taken");
        ffi_sesame_optional_drop(&mut RustBuffer::from_vec(bytes.to_vec()), freed);
        ffi_sesame_optional_drop(&mut RustBuffer::from_vec(vec![0]), freed);
        ffi_sesame_arguments_drop(&mut arguments);
        assert_eq!(FREED.load(Ordering::Relaxed), 10, "once for each owner");
    }

    #[test]
    fn bytes_and_errors_are_freed_once() {
        let (mut buffer, mut status) = (RustBuffer::new(), RustCallStatus::default());
        // SAFETY: the array has three bytes.
        unsafe { ffi_sesame_buffer_give(&mut buffer, [1, 2, 3].as_ptr(), 3) };
        // SAFETY: the array has two bytes.
        unsafe { ffi_sesame_status_give(&mut status, true, [1, 2].as_ptr(), 2) };
        assert_eq!((buffer.len(), status.error_buf.len()), (3, 2));
        assert_eq!(status.code, RustCallStatusCode::Error);
        for _ in 0..2 {
            ffi_sesame_buffer_drop(&mut buffer);
            ffi_sesame_status_drop(&mut status);
        }
        assert_eq!((buffer.len(), status.error_buf.len()), (0, 0));
    }
}
