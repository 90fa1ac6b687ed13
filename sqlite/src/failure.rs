//! Why SQLite failed, as the contract's error with the path and the system's cause.
//!
//! SQLite's Rust binding does not give the system's error number. After a failure this module therefore asks the file system about the path.
//! It never opens the file: to close a file ends the locks that other connections of this process hold on it.

use rusqlite::{Error, ErrorCode, ffi};
use sesame_core::store::{StoreError, StoreErrorKind as Kind};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the contract says for an error of SQLite on this file.
pub(crate) fn of(path: &Path, error: &Error) -> StoreError {
    let (code, extended) = match error {
        Error::SqliteFailure(error, _) => (error.code, error.extended_code),
        _ => (ErrorCode::Unknown, 0),
    };
    let kind = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Kind::Busy,
        ErrorCode::DiskFull => Kind::Full,
        // The shared memory of the write-ahead log cannot grow.
        _ if extended == ffi::SQLITE_IOERR_SHMSIZE => Kind::Full,
        ErrorCode::ReadOnly => Kind::ReadOnly,
        ErrorCode::NotADatabase => Kind::NotAStore,
        _ => Kind::Io,
    };
    match kind {
        Kind::Io | Kind::ReadOnly => {}
        _ => return about(path, kind, &format!("{error} (SQLite {extended})")),
    }
    match cause(path) {
        Some((found, cause)) => about(path, found.unwrap_or(kind), &cause.to_string()),
        None => about(path, kind, &format!("{error} (SQLite {extended})")),
    }
}

/// An error that names the file.
pub(crate) fn about(path: &Path, kind: Kind, cause: &str) -> StoreError {
    StoreError::new(kind, &format!("{}: {cause}", path.display()))
}

/// What the file system has against the file, with a kind if that says more than SQLite's code.
fn cause(path: &Path) -> Option<(Option<Kind>, io::Error)> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Some((Some(Kind::NotAFile), io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() => Some((Some(Kind::NotAFile), io::Error::other("neither a file nor a folder"))),
        Ok(_) => may(path, Access::Read)
            .map(|cause| (None, cause))
            .or_else(|| may(path, Access::Write).map(|cause| (Some(Kind::ReadOnly), cause)))
            .or_else(|| space(&folder)),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => match fs::metadata(&folder) {
            Err(missing) => Some((Some(Kind::NotFound), missing)),
            Ok(_) => may(&folder, Access::Write).map(|cause| (Some(Kind::ReadOnly), cause)).or_else(|| space(&folder)),
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => Some((Some(Kind::NotFound), cause)),
        Err(cause) => Some((None, cause)),
    }
}

/// What a process does with a file.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

/// Why this process may not do this, if it may not.
#[cfg(unix)]
fn may(path: &Path, access: Access) -> Option<io::Error> {
    use rustix::fs::Access as Mode;
    let mode = match access {
        Access::Read => Mode::READ_OK,
        Access::Write => Mode::WRITE_OK,
    };
    rustix::fs::access(path, mode).err().map(io::Error::from)
}

#[cfg(not(unix))]
fn may(path: &Path, access: Access) -> Option<io::Error> {
    let read_only = fs::metadata(path).is_ok_and(|found| found.permissions().readonly());
    (read_only && matches!(access, Access::Write)).then(|| io::ErrorKind::PermissionDenied.into())
}

/// Whether the disk or this process has run out of what a file needs.
fn space(folder: &Path) -> Option<(Option<Kind>, io::Error)> {
    #[cfg(unix)]
    if rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail == 0) {
        return Some((Some(Kind::Full), io::ErrorKind::StorageFull.into()));
    }
    // It takes a file descriptor, which may be what the process lacks.
    fs::read_dir(folder).err().map(|cause| (None, cause))
}
