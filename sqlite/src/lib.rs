//! The embedded store: one SQLite file in WAL mode, which several processes may open.
//!
//! ```text
//! small(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID    -- values up to 900 bytes
//! large(id INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, v BLOB NOT NULL)
//! meta(id INTEGER PRIMARY KEY CHECK(id = 0), generation BLOB NOT NULL)
//! ```
//!
//! The file holds keyed hashes and sealed bytes only. SQLite's lock and the generation keep writers apart,
//! never the clock.
//!
//! ```
//! use sesame_sqlite::SqliteStore;
//! let folder = std::env::temp_dir().join(format!("sesame-doc-{}", std::process::id()));
//! std::fs::create_dir_all(&folder).unwrap();
//! let store = SqliteStore::open(&folder.join("device.db")).unwrap();
//! # drop(store);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```

#![forbid(unsafe_code)]

mod failure;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sesame_core::store::{Changes, CommitError, Generation, Query, Snapshot, Store, StoreError, StoreErrorKind};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Rows up to this size are stored in the table without row ids, where small rows cost least.
const SMALL: usize = 900;
/// How long a writer waits for another process before the store reports that it is busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// SQLite's application id of our database files: "sesm".
const APPLICATION: i32 = 0x7365_736d;
/// The version of the schema.
const SCHEMA: i32 = 1;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore(Mutex<Held>);

#[derive(Debug)]
struct Held {
    connection: Connection,
    /// The file, for what an error says.
    path: PathBuf,
    /// Whether a `load` with `hold` has opened a write transaction that is still open.
    held: bool,
}

impl SqliteStore {
    /// Opens the file, or creates it. A store in memory is a `MemoryStore`: SQLite's names for one are refused.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] without the folder; [`StoreErrorKind::NotAFile`] for a folder, an empty path or `:memory:`;
    /// [`StoreErrorKind::NotAStore`] if the file is no database or belongs to another application; [`StoreErrorKind::NewerFormat`] if a
    /// newer version wrote it; others as SQLite reports. The detail has the path and the system's cause.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if [Path::new(""), Path::new(":memory:")].contains(&path) {
            return Err(failure::about(path, StoreErrorKind::NotAFile, "not the path of a file"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
            prepare(&connection)?;
            let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            let schema: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, application, schema))
        });
        match opened.map_err(|error| failure::of(path, &error))? {
            (connection, APPLICATION, SCHEMA) => {
                Ok(Self(Mutex::new(Held { connection, path: path.to_owned(), held: false })))
            }
            (_, APPLICATION, schema) if schema > SCHEMA => {
                Err(failure::about(path, StoreErrorKind::NewerFormat, &format!("schema {schema}")))
            }
            _ => Err(failure::about(path, StoreErrorKind::NotAStore, "a database of another application")),
        }
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    let fresh = connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))? == 0;
    if fresh {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS small(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS large(id INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, v BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS meta(id INTEGER PRIMARY KEY CHECK(id = 0), generation BLOB NOT NULL);
             PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {SCHEMA};
             COMMIT;"
        ))?;
    }
    Ok(())
}

fn generation(connection: &Connection) -> rusqlite::Result<Generation> {
    let stored: Option<Vec<u8>> = connection
        .prepare_cached("SELECT generation FROM meta WHERE id = 0")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(stored) = stored else { return Ok(Generation::default()) };
    let (counter, nonce) = stored.split_first_chunk::<8>().ok_or(rusqlite::Error::InvalidQuery)?;
    let nonce = nonce.try_into().map_err(|_| rusqlite::Error::InvalidQuery)?;
    Ok(Generation { counter: u64::from_be_bytes(*counter), nonce })
}

/// The first key that is greater than every key with this prefix, or `None` if there is none.
fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let end = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut after = prefix.get(..=end)?.to_vec();
    if let Some(last) = after.last_mut() {
        *last += 1;
    }
    Some(after)
}

fn read(connection: &Connection, queries: &[Query]) -> rusqlite::Result<Snapshot> {
    let mut snapshot = Snapshot { generation: generation(connection)?, ..Snapshot::default() };
    for table in ["small", "large"] {
        let mut exact = connection.prepare_cached(&format!("SELECT v FROM {table} WHERE k = ?1"))?;
        let mut range = connection.prepare_cached(&format!("SELECT k, v FROM {table} WHERE k >= ?1 AND k < ?2"))?;
        let mut tail = connection.prepare_cached(&format!("SELECT k, v FROM {table} WHERE k >= ?1"))?;
        for query in queries {
            match query {
                Query::Exact(key) => {
                    if let Some(value) = exact.query_row(params![key], |row| row.get(0)).optional()? {
                        snapshot.rows.insert(key.clone(), value);
                    }
                }
                Query::Prefix(prefix) => {
                    let mut found = match after(prefix) {
                        Some(after) => range.query(params![prefix, after])?,
                        None => tail.query(params![prefix])?,
                    };
                    while let Some(row) = found.next()? {
                        snapshot.rows.insert(row.get(0)?, row.get(1)?);
                    }
                }
            }
        }
    }
    Ok(snapshot)
}

fn write(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut put_small = connection.prepare_cached("INSERT OR REPLACE INTO small(k, v) VALUES(?1, ?2)")?;
    let mut put_large = connection.prepare_cached("INSERT OR REPLACE INTO large(k, v) VALUES(?1, ?2)")?;
    let mut drop_small = connection.prepare_cached("DELETE FROM small WHERE k = ?1")?;
    let mut drop_large = connection.prepare_cached("DELETE FROM large WHERE k = ?1")?;
    for (key, value) in &changes.rows {
        match value {
            Some(value) if value.len() <= SMALL => {
                put_small.execute(params![key, value])?;
                drop_large.execute(params![key])?;
            }
            Some(value) => {
                put_large.execute(params![key, value])?;
                drop_small.execute(params![key])?;
            }
            None => {
                drop_small.execute(params![key])?;
                drop_large.execute(params![key])?;
            }
        }
    }
    let next = [changes.next.counter.to_be_bytes(), changes.next.nonce].concat();
    connection.prepare_cached("INSERT OR REPLACE INTO meta(id, generation) VALUES(0, ?1)")?.execute(params![next])?;
    Ok(())
}

impl Held {
    /// Begins a transaction, unless a hold has already begun one.
    fn begin(&mut self, write: bool) -> rusqlite::Result<()> {
        if self.held {
            return Ok(());
        }
        self.connection.execute_batch(if write { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    /// Ends the current transaction, if any. If the rollback fails, SQLite ends the transaction with the
    /// connection.
    fn roll_back(&mut self) {
        self.held = false;
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

impl Store for SqliteStore {
    fn load(&self, queries: &[Query], hold: bool) -> Result<Snapshot, StoreError> {
        let mut held = self.0.lock();
        let result = held.begin(hold).and_then(|()| read(&held.connection, queries));
        match result {
            Ok(snapshot) => {
                if hold {
                    held.held = true;
                } else if !held.held {
                    held.roll_back();
                }
                Ok(snapshot)
            }
            Err(error) => {
                held.roll_back();
                Err(failure::of(&held.path, &error))
            }
        }
    }

    fn commit(&self, expected: Generation, changes: &Changes) -> Result<(), CommitError> {
        let mut held = self.0.lock();
        let written = held.begin(true).and_then(|()| {
            let current = generation(&held.connection)?;
            if current == expected {
                write(&held.connection, changes)?;
            }
            Ok(current == expected)
        });
        match written {
            Ok(true) => {}
            Ok(false) => {
                held.roll_back();
                return Err(CommitError::Conflict);
            }
            Err(error) => {
                held.roll_back();
                return Err(CommitError::Store(failure::of(&held.path, &error)));
            }
        }
        let committed = held.connection.execute_batch("COMMIT");
        // If a COMMIT fails and the transaction is still open, nothing was written. Otherwise the outcome is
        // unknown.
        let open = !held.connection.is_autocommit();
        held.roll_back();
        match committed {
            Ok(()) => Ok(()),
            Err(error) if open => Err(CommitError::Store(failure::of(&held.path, &error))),
            Err(error) => Err(CommitError::OutcomeUnknown(failure::of(&held.path, &error))),
        }
    }

    fn release(&self) {
        self.0.lock().roll_back();
    }
}
