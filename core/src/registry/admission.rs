//! Which content a device may send in which scope, as pure functions (A09 to A11, X 5, X 7).

use crate::{
    error::Code,
    event::MessageKind,
    ids::{Scope, UserId},
    model::{Peer, User},
    wire::content::Body,
};

/// The sender of a content, and the scope that the content arrived in.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// The sender's user record.
    pub user: &'a User,
    /// The sender's device record.
    pub device: &'a Peer,
    /// The scope of the session that opened the content.
    pub scope: Scope,
}

/// Whether a body of this kind is allowed in a scope.
///
/// > Group content outside its scope, or direct content inside one: refused (X 4, A47).
///
/// An opening is not checked here. The nested content is checked by itself, and an opening inside an opening
/// fits no scope.
///
/// # Errors
/// [`Code::WrongScope`].
pub fn fits(body: &Body, scope: Scope) -> Result<(), Code> {
    match (body, scope) {
        (
            Body::Message { .. }
            | Body::Transcript { .. }
            | Body::Departure { .. }
            | Body::Handover { .. }
            | Body::Retry { .. },
            Scope::Direct,
        )
        | (Body::Group { .. } | Body::Operations { .. }, Scope::Group(..)) => Ok(()),
        _ => Err(Code::WrongScope),
    }
}

impl Speaker<'_> {
    /// Whether the sender is another device of our own user: the user id, the account key and the entry on our
    /// device list must all be ours (A10).
    #[must_use]
    pub fn is_own(&self, us: &UserId) -> bool {
        let listed = self.user.list.as_ref().and_then(|list| list.device(self.device.device));
        self.user.user == *us
            && self.device.stale_since.is_none()
            && listed.is_some_and(|device| device.identity_key == self.device.identity_key)
    }
}

/// How a direct content is shown to the app, or why it is refused.
///
/// > A transcript carries the full set of recipients. Only from an own, listed device.
///
/// A departure and a hand-over, too, are an own device's only; they are not shown as messages.
///
/// > A removed device: its late messages are delivered flagged; its transcripts are refused.
///
/// # Errors
/// [`Code::NotListed`] for a transcript, a departure or a hand-over from another user's device or from a removed device.
/// [`Code::NonCanonical`] for a malformed recipient. [`Code::WrongScope`].
pub fn admit(body: &Body, speaker: Speaker<'_>, us: &UserId) -> Result<MessageKind, Code> {
    fits(body, speaker.scope)?;
    match body {
        Body::Transcript { recipients, .. } => {
            if !speaker.is_own(us) {
                return Err(Code::NotListed);
            }
            let recipients =
                recipients.iter().map(|to| UserId::try_new(to.user.as_slice().to_vec()).ok_or(Code::NonCanonical));
            Ok(MessageKind::Transcript { recipients: recipients.collect::<Result<_, _>>()? })
        }
        Body::Departure { .. } | Body::Handover { .. } if !speaker.is_own(us) => Err(Code::NotListed),
        Body::Retry { .. } if speaker.device.stale_since.is_some() => Err(Code::NotListed),
        _ => Ok(MessageKind::Message),
    }
}

/// Whether a device may send this body in a group. A removed device may send no operations, and a device of our
/// own user must be on our list.
///
/// > A removed device: its transcripts, retries and new group operations are refused (X 5).
///
/// # Errors
/// [`Code::NotListed`].
pub fn admit_group(body: &Body, speaker: Speaker<'_>, us: &UserId) -> Result<(), Code> {
    let removed = speaker.device.stale_since.is_some() && matches!(body, Body::Operations { .. });
    let foreign = speaker.user.user == *us && !speaker.is_own(us);
    if removed || foreign { Err(Code::NotListed) } else { Ok(()) }
}
