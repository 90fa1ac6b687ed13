//! Key bytes in memory: the one type that holds them.
//!
//! A [`Secret`] cannot be copied, cloned, compared, printed or serialized, and is wiped when dropped.
//! It does not know what the bytes are for.

use core::{fmt, ops::Deref};
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
pub struct Secret<const N: usize>(Arc<Bytes<N>>);

/// A secret that several states share: a clone copies a pointer, never the bytes.
pub struct Shared<const N: usize>(Secret<N>);

/// The bytes where they live, which wipe themselves.
struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> Drop for Bytes<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> Secret<N> {
    /// Fills the bytes in the place where they will live.
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut bytes = Arc::new(Bytes([0; N]));
        // Nobody else has it yet.
        if let Some(Bytes(bytes)) = Arc::get_mut(&mut bytes) {
            fill(bytes);
        }
        Self(bytes)
    }

    /// The bytes, for a primitive or for sealing. They must not reach a log.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0.0
    }
}

impl<const N: usize> Secret<N> {
    /// Part `index` of equal parts of `M` bytes. Bytes beyond the end would be zero; no caller asks for them.
    pub(crate) fn part<const M: usize>(&self, index: usize) -> Secret<M> {
        Secret::init_with(|to| {
            to.iter_mut().zip(self.expose().iter().skip(index * M)).for_each(|(to, from)| *to = *from);
        })
    }
}

impl<const N: usize> Shared<N> {
    /// As [`Secret::init_with`].
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        Self(Secret::init_with(fill))
    }

    /// Whether both are the same place in memory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.0, &other.0.0)
    }

    /// Tells whether the bytes are still anywhere.
    #[cfg(test)]
    pub(crate) fn watch(&self) -> impl Fn() -> bool + use<N> {
        let weak = Arc::downgrade(&self.0.0);
        move || weak.strong_count() > 0
    }
}

impl<const N: usize> From<Secret<N>> for Shared<N> {
    fn from(secret: Secret<N>) -> Self {
        Self(secret)
    }
}

impl<const N: usize> Clone for Shared<N> {
    fn clone(&self) -> Self {
        Self(Secret(self.0.0.clone()))
    }
}

impl<const N: usize> Deref for Shared<N> {
    type Target = Secret<N>;

    fn deref(&self) -> &Secret<N> {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Shared<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.expose().as_slice().ct_eq(other.expose().as_slice())
    }
}

// Written by hand: a derived Debug would print the bytes.
impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}
