//! Key bytes in memory: the one type that holds them.
//!
//! A [`Secret`] cannot be copied, cloned, compared, printed or serialized, and is wiped when dropped.
//! It does not know what the bytes are for.

use core::fmt;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// `N` secret bytes. They are wiped when the value is dropped.
///
/// ```
/// use sesame_core::secret::Secret;
/// let key = Secret::<32>::init_with(|bytes| bytes.fill(7));
/// assert_eq!(format!("{key:?}"), "Secret<32>");
/// ```
///
/// Nothing copies, prints or compares a secret:
///
/// ```compile_fail
/// let key = sesame_core::secret::Secret::<32>::init_with(|_| ());
/// let copy = key.clone();
/// ```
/// ```compile_fail
/// let key = sesame_core::secret::Secret::<32>::init_with(|_| ());
/// println!("{key}");
/// ```
/// ```compile_fail
/// let key = sesame_core::secret::Secret::<32>::init_with(|_| ());
/// assert!(key == key);
/// ```
pub struct Secret<const N: usize>(Box<[u8; N]>);

/// A secret that several states share: a clone copies a pointer, never the bytes.
pub type Shared<const N: usize> = Arc<Secret<N>>;

impl<const N: usize> Secret<N> {
    /// Fills the bytes in the place where they will live.
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut bytes = Box::new([0; N]);
        fill(&mut bytes);
        Self(bytes)
    }

    /// The bytes, for a primitive or for sealing. They must not reach a log.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Secret<N> {
    /// Part `index` of equal parts of `M` bytes. Bytes beyond the end would be zero; no caller asks for them.
    pub(crate) fn part<const M: usize>(&self, index: usize) -> Secret<M> {
        Secret::init_with(|to| {
            to.iter_mut().zip(self.0.iter().skip(index * M)).for_each(|(to, from)| *to = *from);
        })
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

// Written by hand: a derived Debug would print the bytes.
impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}
