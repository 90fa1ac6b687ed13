//! The form of everything at rest: serde and a compact binary code, with a version byte first (D11).
//!
//! The only module that names serde. Where disk and memory differ, the form is a type of its own here; where they do not, the type of the
//! layer that owns it gets its form here (`event`, `model`). It does not know where a record lies, nor under which key it is sealed.

mod bytes_form;
mod event;
mod form;
mod handover;
mod healing;
mod ids_form;
mod inbox;
mod link;
mod model;
mod operation;
mod outbox;
mod own;
mod pre_key;
mod ratchet;
mod restore;
mod secret_form;
mod server;

pub use handover::{HeardHandover, PendingHandover};
pub use healing::{Again, Healing, Keeping, Sent, SentEnvelope, SentPart};
pub use inbox::{Cause, Counters, Forgotten, Heard, Held, HeldContent, Kept, Ledger, SeenEnvelope};
pub use link::{HeardHello, LegPlace, OfferState, OfferedLink};
pub use operation::{StoredOperation, Waiting};
pub use outbox::{
    ContentOf, Entry, Nested, PartState, Recipe, Says, SendBody, SendHead, SendPart, SendTally, SentTo, Skip, ToGroup,
};
pub use own::{Check, Own, PendingLink, PendingUpload, StoredList};
pub use pre_key::{Lasting, Made, PreKeyBook};
pub use ratchet::{
    Beginning, Block, BlockEntry, Cold, Directory, ExpiredRun, Hot, IndexEntry, OldChain, Opening, RatchetKeys,
    SessionCold, Slot,
};
pub use restore::PendingRestore;
pub use server::{Push, ServerState, Wanted};

use crate::error::Code;
use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// One kind of record.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The version that is written; older ones are migrated, newer ones refused.
    const VERSION: u8 = 1;

    /// Whether the record may stay in memory from one call to the next. What is large and read once does not.
    const STAYS: bool = true;

    /// Whether each write of it changes it. Then nobody compares it with what it was, to spare the write.
    const CHANGES: bool = false;

    /// Whether a call goes on without the record if its row is damaged. Then it counts as absent, and housekeeping deletes it. Not what
    /// protects by being there: pins, floors, groups.
    const SPARE: bool = false;

    /// The bytes to seal.
    ///
    /// # Errors
    /// [`Code::Internal`] when the form cannot be written, which would be a fault of this library.
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Code> {
        postcard::serialize_with_flavor(&(Self::VERSION, self), Wiping::new()).map_err(|_| Code::Internal)
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

/// Bytes that leave no copy behind when they need more room: a plain vector would, and a record holds keys.
struct Wiping(Zeroizing<Vec<u8>>);

impl Wiping {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(512)))
    }
}

impl Wiping {
    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more).next_power_of_two();
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
        larger.extend_from_slice(&self.0);
        self.0 = larger;
    }
}

impl Flavor for Wiping {
    type Output = Zeroizing<Vec<u8>>;

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.0.capacity() - self.0.len() < bytes.len() {
            self.grow(bytes.len());
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.0.len() == self.0.capacity() {
            self.grow(1);
        }
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Self::Output> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Shared;

    fn hot() -> Hot {
        Hot { sending_chain: Some(Shared::init_with(|k| k.fill(3))), sent: 4, ..Hot::default() }
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
    fn bytes_that_grow_are_copied_and_the_old_ones_wiped() {
        let mut bytes = Wiping::new();
        for _ in 0..2_500 {
            bytes.try_push(7).unwrap();
        }
        bytes.try_extend(&[7; 2_500]).unwrap();
        assert_eq!(bytes.0.as_slice(), [7; 5_000]);
        // Never moved by the vector itself: the room is always one that was asked for here.
        assert!([512, 1_024, 2_048, 4_096, 8_192].contains(&bytes.0.capacity()));
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
