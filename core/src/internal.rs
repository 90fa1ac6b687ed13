//! The modules that no app names, for the other crates of this workspace and for tests. Nothing here is a promise.

/// The insides of a module under its own name.
macro_rules! modules {
    ($($module:ident)*) => {$(
        #[allow(missing_docs)]
        pub mod $module {
            pub use crate::$module::*;
        }
    )*};
}

/// Where rows lie and how they are sealed.
pub mod store {
    pub use crate::store::{
        key::{Kind, Places, PreKeyUse},
        seal::Sealer,
    };
}

modules! { agreement clock crypto group keys model ratchet record registry session wire }

/// The single steps beneath the loop of requests.
pub mod steps {
    pub use crate::device::steps::*;
}
