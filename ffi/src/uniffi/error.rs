//! The one error of every call, and how the core's becomes it.

use super::code::Code;
use core::fmt;
use sesame_core::error::{Blame, Code as CoreCode, Error};

/// What went wrong, by whose fault. `code` is stable and the same in every language; `reason` holds no secret and no peer's bytes.
#[derive(Debug, ::uniffi::Error)]
#[::uniffi::export(Display)]
pub enum SesameError {
    /// The calling app: mend the call.
    App {
        /// What went wrong, 101 to 199.
        code: Code,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// For an error of the store: its path with the system's cause, or what the app's own store threw.
        detail: Option<String>,
    },
    /// Another client: drop the item.
    Peer {
        /// What went wrong, 201 to 299.
        code: Code,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// For an error of the store: its path with the system's cause, or what the app's own store threw.
        detail: Option<String>,
    },
    /// The server: fetch again or distrust it.
    Server {
        /// What went wrong, 301 to 399.
        code: Code,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// For an error of the store: its path with the system's cause, or what the app's own store threw.
        detail: Option<String>,
    },
    /// The store: mend it and call again.
    Store {
        /// What went wrong, 401 to 499.
        code: Code,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// For an error of the store: its path with the system's cause, or what the app's own store threw.
        detail: Option<String>,
    },
    /// This library.
    Internal {
        /// What went wrong, 501 to 599.
        code: Code,
        /// What happened.
        reason: String,
        /// Which item of a list, from 0.
        item: Option<u32>,
        /// Which argument.
        field: Option<String>,
        /// For an error of the store: its path with the system's cause, or what the app's own store threw.
        detail: Option<String>,
    },
}

impl fmt::Display for SesameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::App { code, reason, item, field, detail }
        | Self::Peer { code, reason, item, field, detail }
        | Self::Server { code, reason, item, field, detail }
        | Self::Store { code, reason, item, field, detail }
        | Self::Internal { code, reason, item, field, detail }) = self;
        write!(f, "{} ({}): {reason}", code.name(), *code as i32)?;
        if let Some(field) = field {
            write!(f, " ({field})")?;
        }
        if let Some(item) = item {
            write!(f, " (item {item})")?;
        }
        match detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SesameError {}

/// An argument's name as Kotlin and Swift have it: `store_key` is `storeKey`.
fn camel(field: &str) -> String {
    let mut parts = field.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

impl From<Error> for SesameError {
    fn from(error: Error) -> Self {
        let code = error.code.into();
        let reason = error.code.text().to_owned();
        let item = error.item.and_then(|item| u32::try_from(item).ok());
        let field = error.field.map(camel);
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

impl From<CoreCode> for SesameError {
    fn from(code: CoreCode) -> Self {
        Error::from(code).into()
    }
}

/// The result of every call.
pub type Result<T> = std::result::Result<T, SesameError>;

#[cfg(test)]
mod tests {
    use super::*;
    use sesame_core::error::Detail;

    #[test]
    fn the_text_has_name_number_reason_argument_and_detail() {
        let error =
            Error { detail: Detail::new("/a: no"), ..Error::of_item(CoreCode::StoreIo, "answers.without_bundle", 2) };
        let text = "STORE_IO (402): the store failed to read or write (answers.withoutBundle) (item 2): /a: no";
        assert_eq!(SesameError::from(error).to_string(), text);
    }
}
