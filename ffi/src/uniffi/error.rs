//! The one error of every call, and how the core's becomes it.

use sesame_core::error::{Blame, Code, Error};

/// What went wrong, by whose fault. `code` is stable and the same in every language; `reason` holds no secret and no peer's bytes.
#[derive(Debug, thiserror::Error, ::uniffi::Error)]
pub enum SesameError {
    /// The calling app: mend the call.
    #[error("{reason} ({code})")]
    App {
        /// A stable number, 101 to 199.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// What the system or the app's own store said.
        detail: Option<String>,
    },
    /// Another client: drop the item.
    #[error("{reason} ({code})")]
    Peer {
        /// A stable number, 201 to 299.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// What the system or the app's own store said.
        detail: Option<String>,
    },
    /// The server: fetch again or distrust it.
    #[error("{reason} ({code})")]
    Server {
        /// A stable number, 301 to 399.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// What the system or the app's own store said.
        detail: Option<String>,
    },
    /// The store: mend it and call again.
    #[error("{reason} ({code})")]
    Store {
        /// A stable number, 401 to 499.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// What the system or the app's own store said.
        detail: Option<String>,
    },
    /// This library.
    #[error("{reason} ({code})")]
    Internal {
        /// A stable number, 501 to 599.
        code: i32,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// What the system or the app's own store said.
        detail: Option<String>,
    },
}

impl From<Error> for SesameError {
    fn from(error: Error) -> Self {
        let code = i32::from(error.code.number());
        let reason = error.code.text().to_owned();
        let item = error.item.and_then(|item| u32::try_from(item).ok());
        let field = error.field.map(str::to_owned);
        let detail = error.detail.map(|detail| detail.to_string());
        match error.code.blame() {
            Blame::App => Self::App { code, reason, item, field, detail },
            Blame::Peer => Self::Peer { code, reason, item, field, detail },
            Blame::Server => Self::Server { code, reason, item, field, detail },
            Blame::Store => Self::Store { code, reason, item, field, detail },
            Blame::Internal => Self::Internal { code, reason, item, field, detail },
        }
    }
}

impl From<Code> for SesameError {
    fn from(code: Code) -> Self {
        Error::from(code).into()
    }
}

/// The result of every call.
pub type Result<T> = std::result::Result<T, SesameError>;
