//! Stores: SQLite, memory, and the app's own by a table of functions.

use super::{
    boundary::sesame_error,
    handle::*,
    input::{Sized0, sesame_slice},
    result::give,
    status::sesame_status,
};
use crate::host::{memory_store, sqlite_store};
use core::ffi::c_void;
use sesame::{
    Client,
    app_store::{self, AppStore, Loaded},
};
use sesame_core::{
    error::{Code, Error},
    store::{Changes, CommitError, Generation, Query, StoreError, StoreErrorKind},
};
use std::sync::Arc;

/// What a function of the app's store gives; any other number counts as a fault of the store. Nothing but `SESAME_STORE_OUTCOME_OK`
/// and `SESAME_STORE_OUTCOME_UNKNOWN` may have changed anything.
#[repr(i32)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum sesame_store_outcome {
    /// It was done.
    Ok = 0,
    /// Of a commit: the generation has moved on.
    Conflict = 1,
    /// Another process holds it.
    Busy = 401,
    /// It failed to read or write.
    Io = 402,
    /// No space is left.
    Full = 403,
    /// It cannot be written.
    ReadOnly = 404,
    /// Of a commit: the store cannot say whether it landed; the generation will.
    Unknown = 411,
}

/// What the store is at: a commit brings it; zeros in a fresh store.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_generation {
    /// Compared as a whole.
    pub bytes: [u8; 16],
}

/// What to load: the row under a key, or every row whose key begins so.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_query {
    /// The key, 1 to 64 bytes; or the prefix, at most 64 bytes, empty for all rows.
    pub key: sesame_slice,
    /// Whether it is a prefix.
    pub is_prefix: bool,
}

/// A row to write or to delete.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_change {
    /// 1 to 64 bytes.
    pub key: sesame_slice,
    /// What to write.
    pub row: sesame_slice,
    /// Whether to delete the row instead; one that is not there is no error.
    pub is_delete: bool,
}

/// A store of the app's own. It holds sealed rows under opaque keys; `sesame_store_check` says whether it keeps the contract.
///
/// The functions may be called from any thread that calls the library, one at a time for one device. They must return: no exception and no
/// longjmp may leave them. They must not call the library, but for `sesame_rows_add`: everything else gives
/// `SESAME_STATUS_REENTRANT`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sesame_store_functions {
    /// The size of this struct.
    pub struct_size: usize,
    /// Given to each function.
    pub context: *mut c_void,
    /// Gives all rows that match any query to `sesame_rows_add`, in any order, and says at which generation they are. With `hold`, other
    /// writers wait until `commit` or `release`; loads without it may come in between. If it fails, nothing is held. Gives a `sesame_store_outcome`.
    pub load: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            queries: *const sesame_query,
            query_count: usize,
            hold: bool,
            generation: *mut sesame_generation,
            rows: sesame_rows,
        ) -> i32,
    >,
    /// If the generation is still `expected`: applies all changes durably, all or none, and is at `next` from then on; else gives
    /// `SESAME_STORE_OUTCOME_CONFLICT`. Ends a hold whatever comes out. Gives a `sesame_store_outcome`.
    pub commit: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            expected: *const sesame_generation,
            next: *const sesame_generation,
            changes: *const sesame_change,
            change_count: usize,
        ) -> i32,
    >,
    /// Ends a hold without a change.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Called once, when the store's handle and every device, registry, session, group and linking over it are freed; or NULL.
    pub destroy: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

// SAFETY: repr(C), a usize first, pointers and nullable function pointers.
unsafe impl Sized0 for sesame_store_functions {
    const FIRST: usize = size_of::<Self>();
}

type Load =
    unsafe extern "C" fn(*mut c_void, *const sesame_query, usize, bool, *mut sesame_generation, sesame_rows) -> i32;
type Commit = unsafe extern "C" fn(
    *mut c_void,
    *const sesame_generation,
    *const sesame_generation,
    *const sesame_change,
    usize,
) -> i32;

/// An app's store, its functions known not to be null.
struct Functions {
    context: *mut c_void,
    load: Load,
    commit: Commit,
    release: unsafe extern "C" fn(*mut c_void),
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the header says that the functions are called from any thread, with the context that the app gave.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

impl Drop for Functions {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            app_store::inside(|| {
                // SAFETY: the app gave this function with this context, to be called once.
                unsafe { destroy(self.context) }
            });
        }
    }
}

fn outcome(number: i32) -> Result<(), CommitError> {
    use sesame_store_outcome as O;
    Err(match number {
        0 => return Ok(()),
        n if n == O::Conflict as i32 => CommitError::Conflict,
        n if n == O::Busy as i32 => CommitError::Store(StoreErrorKind::Busy.into()),
        n if n == O::Io as i32 => CommitError::Store(StoreErrorKind::Io.into()),
        n if n == O::Full as i32 => CommitError::Store(StoreErrorKind::Full.into()),
        n if n == O::ReadOnly as i32 => CommitError::Store(StoreErrorKind::ReadOnly.into()),
        n if n == O::Unknown as i32 => CommitError::OutcomeUnknown(StoreErrorKind::Io.into()),
        n => {
            let said = format!("a function of the store gave {n}, which is no outcome");
            CommitError::Store(StoreError::new(StoreErrorKind::Misbehaves, &said))
        }
    })
}

fn slice(bytes: &[u8]) -> sesame_slice {
    sesame_slice { data: bytes.as_ptr(), len: bytes.len() }
}

fn c_generation(generation: Generation) -> sesame_generation {
    sesame_generation { bytes: app_store::generation_bytes(generation) }
}

impl AppStore for Functions {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Loaded, StoreError> {
        let queries: Vec<sesame_query> = queries
            .iter()
            .map(|query| match query {
                Query::Exact(key) => sesame_query { key: slice(key), is_prefix: false },
                Query::Prefix(prefix) => sesame_query { key: slice(prefix), is_prefix: true },
            })
            .collect();
        let found = Arc::new(RowsObject::default());
        let rows = sesame_rows::of(found.clone());
        let mut generation = c_generation(Generation::default());
        // SAFETY: the app gave this function with this context; the pointers lead to locals that outlive the call.
        let number =
            unsafe { (self.load)(self.context, queries.as_ptr(), queries.len(), hold, &raw mut generation, rows) };
        let _ = rows.free();
        outcome(number).map_err(|error| match error {
            CommitError::Store(error) => error,
            _ => StoreErrorKind::Misbehaves.into(),
        })?;
        let rows = std::mem::take(&mut *found.0.lock());
        Ok(Loaded { generation: app_store::generation(generation.bytes), rows })
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        let rows: Vec<sesame_change> = changes
            .rows
            .iter()
            .map(|(key, row)| sesame_change {
                key: slice(key),
                row: row.as_deref().map_or(sesame_slice::NONE, slice),
                is_delete: row.is_none(),
            })
            .collect();
        let (expected, next) = (c_generation(expected), c_generation(changes.next));
        // SAFETY: as in `load`.
        let number =
            unsafe { (self.commit)(self.context, &raw const expected, &raw const next, rows.as_ptr(), rows.len()) };
        outcome(number)
    }

    fn release(&self) {
        // SAFETY: the app gave this function with this context.
        unsafe { (self.release)(self.context) };
    }
}

/// Puts a row that a `load` has found into its result; both slices are copied. Only from inside the `load` that `rows` was given to.
///
/// @return BAD_HANDLE after the `load` has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_rows_add(rows: sesame_rows, key: sesame_slice, row: sesame_slice) -> sesame_status {
    enter_from_store!({
        let rows = rows.get()?;
        rows.0.lock().push((key.bytes("key")?.to_vec(), row.bytes("row")?.to_vec()));
        Ok(())
    })
}

/// Opens a SQLite file, or makes it. `path` is UTF-8. Several processes may share one. Free it with `sesame_store_free`.
///
/// @return STORE_IO or another of the 4xx when the file cannot be opened; INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_sqlite(
    path: sesame_slice,
    store: *mut sesame_store,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(store), {
        let store = output!(store);
        store.put(sesame_store::new(StoreObject(sqlite_store(path.text("path")?)?)));
        Ok(())
    })
}

/// A store in memory, which lives as long as its handle or a device over it. Free it with `sesame_store_free`.
///
/// @return none but the common ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_memory(store: *mut sesame_store, error: *mut sesame_error) -> sesame_status {
    enter!(error, outputs(store), {
        let store = output!(store);
        store.put(sesame_store::new(StoreObject(memory_store())));
        Ok(())
    })
}

/// A store of the app's own. The struct is copied; its context must live until `destroy`. Free the handle with `sesame_store_free`. When this
/// fails, `destroy` is not called.
///
/// @return NULL_POINTER for a function that is missing; BAD_STRUCT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_app(
    functions: *const sesame_store_functions,
    store: *mut sesame_store,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(store), {
        let store = output!(store);
        let given = read!(functions, "functions");
        let missing = |field| Error::of(Code::NullPointer, field);
        let functions = Functions {
            context: given.context,
            load: given.load.ok_or(missing("functions.load"))?,
            commit: given.commit.ok_or(missing("functions.commit"))?,
            release: given.release.ok_or(missing("functions.release"))?,
            destroy: given.destroy,
        };
        store.put(sesame_store::new(StoreObject(app_store::fenced(functions))));
        Ok(())
    })
}

/// Deletes every row, in one commit, whoever's device the store holds and whatever its key is: to log out, or because the key is lost. It is
/// empty afterwards; a SQLite file stays, and what a disk keeps of deleted bytes is the system's. Devices over it give FOREIGN_STORE.
///
/// @return BAD_HANDLE; the store's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_erase(store: sesame_store, error: *mut sesame_error) -> sesame_status {
    enter!(error, { Client::erase(store.get()?.0.as_ref()) })
}

/// Frees the handle; devices over the store keep it. 0 is passed over.
///
/// @return BAD_HANDLE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_free(store: sesame_store) -> sesame_status {
    enter!(core::ptr::null_mut(), { store.free() })
}

/// Runs the conformance suite of the contract. `open` puts a fresh, empty store into `store`, which the suite frees, and gives
/// `SESAME_STATUS_OK`; it is called several times, and may call the library. `claim` is the first claim that does not hold, in words, or absent
/// when all do.
///
/// @return NULL_POINTER without `open`. A store that cannot be opened is a claim that does not hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sesame_store_check(
    open: Option<unsafe extern "C" fn(context: *mut c_void, store: *mut sesame_store) -> i32>,
    context: *mut c_void,
    result: *mut sesame_result,
    claim: *mut sesame_slice,
    error: *mut sesame_error,
) -> sesame_status {
    enter!(error, outputs(result, claim), {
        let (result, view) = (output!(result), output!(claim));
        let open = open.ok_or(Error::of(Code::NullPointer, "open"))?;
        let fresh = || {
            let mut store = sesame_store { token: 0 };
            // SAFETY: the app gave this function with this context; the pointer leads to a local.
            let status = unsafe { open(context, &raw mut store) };
            let found = store.get().map(|store| store.0.clone());
            match (status, found, store.free()) {
                (0, Ok(found), Ok(())) => Ok(found),
                _ => Err("no store could be opened".to_owned()),
            }
        };
        let claim = app_store::check(fresh).err();
        give(result, view, |tree| tree.maybe(claim.as_ref().map(String::as_bytes)));
        Ok(())
    })
}
