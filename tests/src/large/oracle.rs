//! What must hold, whatever has happened.

use crate::Name;
use std::fmt::{self, Display, Formatter};

/// What was wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// Which rule; a shrunk scene breaks the same one.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    pub(super) fn of(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// A device of the scene as it is printed.
pub(super) fn show(name: Name) -> String {
    format!("{}.{}", name.0, name.1)
}
