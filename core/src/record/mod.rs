//! The form of everything at rest: serde and a compact binary code, with a version byte first (D11).
//!
//! The only module that names serde. It does not know where a record lies nor under which key it is sealed; a form is plain
//! data, and the rules over it stand in the layers above.

mod group;
mod ids_form;
mod inbox;
mod outbox;
mod own;
mod peer;
mod pre_key;
mod ratchet;
mod secret_form;
mod user;

pub use group::{Group, GroupInfo, Lag, Member, Pushed, Standing, StoredOperation, Waiting};
pub use inbox::{Counters, Event, Flags, Heard, Held, HeldContent, Item, Message, MessageKind, Received};
pub use outbox::{Claim, Entry, Nested, PartState, Recipe, SendBody, SendHead, SendPart, SentTo, Skip, ToGroup};
pub use own::{Check, Linking, Own, Publication, StoredList};
pub use peer::{Peer, Scope, SessionMeta};
pub use pre_key::{Lasting, PreKey, PreKeyBook};
pub use ratchet::{
    Beginning, Block, BlockEntry, Cold, Directory, Hot, IndexEntry, OldChain, Opening, SessionCold, Slot,
};
pub use user::{Device, Fork, List, User};

use crate::{error::Code, secret::Secret};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret that several states share; sharing it copies a pointer, never the bytes.
pub type Shared<const N: usize> = Arc<Secret<N>>;

/// One kind of record.
pub trait Record: Serialize + DeserializeOwned {
    /// The version that is written; older ones are migrated, newer ones refused.
    const VERSION: u8 = 1;

    /// The bytes to seal.
    ///
    /// # Errors
    /// [`Code::Internal`] when the form cannot be written, which would be a fault of this library.
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Code> {
        // With room for every record that holds a key: a vector that grows would leave a copy behind, not wiped.
        let room = Vec::with_capacity(2_048);
        postcard::to_extend(&(Self::VERSION, self), room).map(Zeroizing::new).map_err(|_| Code::Internal)
    }

    /// The record in opened bytes, all of them.
    ///
    /// # Errors
    /// [`Code::NewerFormat`] for a version not known yet, [`Code::RecordCorrupt`] for anything else that does not fit.
    fn decode(bytes: &[u8]) -> Result<Self, Code> {
        let (version, rest) = bytes.split_first().ok_or(Code::RecordCorrupt)?;
        if *version > Self::VERSION {
            return Err(Code::NewerFormat);
        }
        if *version != Self::VERSION {
            return Err(Code::RecordCorrupt);
        }
        match postcard::take_from_bytes(rest) {
            Ok((record, [])) => Ok(record),
            _ => Err(Code::RecordCorrupt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hot() -> Hot {
        Hot { sending_chain: Some(Arc::new(Secret::init_with(|k| k.fill(3)))), sent: 4, ..Hot::default() }
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let bytes = hot().encode().unwrap();
        assert_eq!(Hot::decode(&bytes).unwrap().encode().unwrap(), bytes);
    }

    #[test]
    fn every_prefix_and_a_trailing_byte_is_corrupt() {
        let bytes = hot().encode().unwrap();
        for end in 0..bytes.len() {
            assert_eq!(Hot::decode(&bytes[..end]).unwrap_err(), Code::RecordCorrupt, "{end}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(Hot::decode(&longer).unwrap_err(), Code::RecordCorrupt);
    }

    #[test]
    fn a_newer_version_is_refused_as_such() {
        let mut bytes = hot().encode().unwrap().to_vec();
        bytes[0] = 2;
        assert_eq!(Hot::decode(&bytes).unwrap_err(), Code::NewerFormat);
        bytes[0] = 0;
        assert_eq!(Hot::decode(&bytes).unwrap_err(), Code::RecordCorrupt);
    }

    #[test]
    fn a_secret_of_another_length_is_corrupt() {
        let bytes = hot().encode().unwrap().to_vec();
        // Version, then Some, then the secret's length.
        assert_eq!(bytes[..3], [1, 1, 32]);
        let mut shorter = bytes.clone();
        shorter[2] = 31;
        assert_eq!(Hot::decode(&shorter).unwrap_err(), Code::RecordCorrupt);
    }

    #[test]
    fn a_billion_declared_elements_allocate_nothing() {
        // Version 1, then a varint of about 10^9 elements and no more bytes.
        assert_eq!(Directory::decode(&[1, 0x80, 0x94, 0xeb, 0xdc, 0x03]).unwrap_err(), Code::RecordCorrupt);
    }
}
