//! The exported functions as C calls them, without key agreement, so that Miri can follow every pointer (`cargo xtask score miri`).

use super::*;
use core::{ffi::CStr, mem::MaybeUninit, ptr::null_mut};
use std::{collections::BTreeMap, sync::Mutex};

/// An app's store, kept by Rust on the other side of the C table.
#[derive(Default)]
struct Rows {
    generation: [u8; 16],
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    destroyed: bool,
}

/// # Safety
/// `context` leads to a `Mutex<Rows>` that lives.
unsafe fn rows<'a>(context: *mut c_void) -> &'a Mutex<Rows> {
    // SAFETY: by this function's contract.
    unsafe { &*context.cast::<Mutex<Rows>>() }
}

/// # Safety
/// A slice of the library's.
unsafe fn bytes(slice: sesame_slice) -> Vec<u8> {
    slice.bytes("slice").map(<[u8]>::to_vec).unwrap_or_default()
}

unsafe extern "C" fn load(
    context: *mut c_void,
    queries: *const sesame_query,
    count: usize,
    _hold: bool,
    generation: *mut sesame_generation,
    to: sesame_rows,
) -> i32 {
    // SAFETY: the library gives what the header says.
    unsafe {
        let store = rows(context).lock().unwrap();
        for at in 0..count {
            let query = queries.add(at).read();
            let key = bytes(query.key);
            for (known, row) in &store.rows {
                if *known == key || (query.is_prefix && known.starts_with(&key)) {
                    let slice = |bytes: &[u8]| sesame_slice { data: bytes.as_ptr(), len: bytes.len() };
                    assert_eq!(sesame_rows_add(to, slice(known), slice(row)), sesame_status::Ok);
                }
            }
        }
        (*generation).bytes = store.generation;
    }
    0
}

unsafe extern "C" fn commit(
    context: *mut c_void,
    expected: *const sesame_generation,
    next: *const sesame_generation,
    changes: *const sesame_change,
    count: usize,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        let mut store = rows(context).lock().unwrap();
        if store.generation != (*expected).bytes {
            return sesame_store_outcome::Conflict as i32;
        }
        for at in 0..count {
            let change = changes.add(at).read();
            if change.is_delete {
                store.rows.remove(&bytes(change.key));
            } else {
                store.rows.insert(bytes(change.key), bytes(change.row));
            }
        }
        store.generation = (*next).bytes;
    }
    0
}

unsafe extern "C" fn release(_context: *mut c_void) {}

unsafe extern "C" fn destroy(context: *mut c_void) {
    // SAFETY: as above.
    unsafe { rows(context) }.lock().unwrap().destroyed = true;
}

/// Stores that the suite opens, kept until the test ends.
unsafe extern "C" fn open(context: *mut c_void, store: *mut sesame_store) -> i32 {
    // SAFETY: the test gives its list of stores.
    let opened = unsafe { &*context.cast::<Mutex<Vec<Box<Mutex<Rows>>>>>() };
    let mut opened = opened.lock().unwrap();
    opened.push(Box::default());
    let context = core::ptr::from_ref(&**opened.last().unwrap()).cast_mut().cast::<c_void>();
    let functions = sesame_store_functions {
        struct_size: size_of::<sesame_store_functions>(),
        context,
        load: Some(load),
        commit: Some(commit),
        release: Some(release),
        destroy: Some(destroy),
    };
    // SAFETY: pointers to what lives, and to the library's own place.
    unsafe { sesame_store_app(&raw const functions, store, null_mut()) as i32 }
}

#[test]
fn an_apps_store_passes_the_suite_through_the_table_of_functions() {
    let opened: Mutex<Vec<Box<Mutex<Rows>>>> = Mutex::default();
    let (mut result, mut claim) = (sesame_result { token: 0 }, sesame_slice::NONE);
    let context = (&raw const opened).cast_mut().cast::<c_void>();
    // SAFETY: every pointer leads to a local that outlives the call.
    unsafe {
        let status = sesame_store_check(Some(open), context, &raw mut result, &raw mut claim, null_mut());
        assert_eq!(status, sesame_status::Ok);
        assert_eq!(String::from_utf8(bytes(claim)).unwrap(), "", "no claim fails");
        assert_eq!(sesame_result_free(result), sesame_status::Ok);
        assert_eq!(sesame_result_free(result), sesame_status::BadHandle);
    }
    let opened = opened.into_inner().unwrap();
    assert!(opened.len() > 3 && opened.iter().all(|store| store.lock().unwrap().destroyed));
}

#[test]
fn structs_of_the_callers_are_read_and_results_are_trees() {
    let text = |text: &'static str| sesame_slice { data: text.as_ptr(), len: text.len() };
    let (mut relay, mut error) = (sesame_relay { token: 0 }, MaybeUninit::<sesame_error>::zeroed());
    let header =
        sesame_header { struct_size: size_of::<sesame_header>(), name: text("Sesame-Auth"), value: text("no") };
    let headers = [&raw const header; 2];
    let mut result = sesame_result { token: 0 };
    // SAFETY: every pointer leads to a local that outlives the call; views are read before their result is freed.
    unsafe {
        let clock = sesame_clock { token: 0 };
        let error = error.as_mut_ptr();
        assert_eq!(sesame_relay_new(text("here"), clock, &raw mut relay, error), sesame_status::Ok);
        let (mut http, mut answer) = (0, sesame_slice::NONE);
        let (result, status, answer) = (&raw mut result, &raw mut http, &raw mut answer);
        let perform = |path, headers: *const *const sesame_header, count| {
            sesame_relay_perform(relay, text(path), headers, count, text("body"), result, status, answer, error)
        };
        assert_eq!(perform("/v1/mail", headers.as_ptr(), 2), sesame_status::Ok);
        assert_eq!(perform("/v1/mail", core::ptr::null(), 2), sesame_status::NullPointer);
        assert_eq!((*error).status, sesame_status::NullPointer);
        assert_eq!((*status, (*result).token), (0, 0), "outputs are zeroed");
        assert_eq!(perform("/v1/nothing", core::ptr::null(), 0), sesame_status::Ok);
        assert_eq!(*status, 400);
        assert_eq!(sesame_result_free(*result), sesame_status::Ok);
        let mut wiped = *b"secret";
        assert_eq!(sesame_wipe(wiped.as_mut_ptr().cast(), 3), sesame_status::Ok);
        assert_eq!(&wiped, b"\0\0\0ret");
        assert_eq!(sesame_relay_free(relay), sesame_status::Ok);
        assert_eq!(sesame_relay_free(relay), sesame_status::BadHandle);
    }
}

fn text(status: i32) -> &'static CStr {
    // SAFETY: sesame_status_text gives a pointer to static text that ends with a zero byte.
    unsafe { CStr::from_ptr(sesame_status_text(status)) }
}

#[test]
fn every_status_has_its_text() {
    assert_eq!(text(0), c"success");
    assert_eq!(text(222), c"the envelope's gate does not match");
    assert_eq!(text(-1), c"unknown status");
    assert!(Code::ALL.iter().all(|code| text(i32::from(code.number())).to_bytes() == code.text().as_bytes()));
}

#[test]
fn the_version_is_the_workspaces() {
    let [major, minor, patch] = [SESAME_VERSION_MAJOR, SESAME_VERSION_MINOR, SESAME_VERSION_PATCH];
    assert_eq!(format!("{major}.{minor}.{patch}"), env!("CARGO_PKG_VERSION"));
    assert_eq!(sesame_version(), 1_000);
}

#[test]
fn every_code_has_its_status() {
    for code in Code::ALL {
        assert_eq!(sesame_status::from(*code) as i32, i32::from(code.number()), "{code:?}");
    }
}
