//! What hosts give and take: store keys, user ids, stores. Both faces say them alike.

use sesame::{Code, Error, MemoryStore, Secret, Server, SqliteStore, Store, UserId, enter};
use std::{path::Path, sync::Arc};
use zeroize::Zeroize;

/// The SQLite store in a file.
///
/// # Errors
/// The store's, as codes.
pub fn sqlite_store(path: &str) -> Result<Arc<dyn Store>, Error> {
    enter()?;
    Ok(Arc::new(SqliteStore::open(Path::new(path))?))
}

/// An empty store in memory.
#[must_use]
pub fn memory_store() -> Arc<dyn Store> {
    MemoryStore::shared()
}

/// The app's store key, exactly 32 bytes; the bytes that were given are wiped.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn store_key(mut bytes: Vec<u8>) -> Result<Secret<32>, Error> {
    let key = <&[u8; 32]>::try_from(bytes.as_slice()).ok().map(|bytes| Secret::init_with(|to| *to = *bytes));
    bytes.zeroize();
    key.ok_or(Error::of(Code::InvalidArgument, "store_key"))
}

/// The server with this name, and what it asks of a new user.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn server(name: &str, token: &[u8]) -> Result<Server, Error> {
    Server::with_token(name, token)
}

/// A user id from the host, 1 to 64 bytes of UTF-8.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn user_id(user: &str) -> Result<UserId, Error> {
    UserId::try_from(user)
}

/// A user id for the host.
#[must_use]
pub fn user_name(user: &UserId) -> String {
    user.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_key_has_32_bytes() {
        for length in [0, 31, 33] {
            assert_eq!(store_key(vec![1; length]).map(drop), Err(Error::of(Code::InvalidArgument, "store_key")));
        }
    }
}
