//! Groups: what is said in them, what is heard in them, and the rows of their state (D5 to D8; X 4, X 9, X 11).
//!
//! A group's message takes the road of every other message. What differs stands here: whom it goes to (`act`), what it means when it
//! arrives (`hear`), what devices with other operations are sent (`sync`). The rules of membership stand in [`crate::group`].

pub(crate) mod act;
pub(crate) mod bundles;
pub(crate) mod consent;
pub(crate) mod cost;
pub(crate) mod hear;
pub(crate) mod state;
pub(crate) mod sync;
pub(crate) mod tell;
pub(crate) mod who;
