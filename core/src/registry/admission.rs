//! What may ride where: who may say what, in one pure function (A09 to A11, X 5, X 7).

use crate::{
    error::Code,
    ids::UserId,
    record::{MessageKind, Peer, Scope, User},
    wire::content::Body,
};

/// Who speaks, on what.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// The speaker's user record.
    pub user: &'a User,
    /// The speaker's device record.
    pub device: &'a Peer,
    /// The scope of the session that the content came on.
    pub scope: Scope,
}

/// What a content is to the app, or why it is refused.
///
/// > A transcript carries the full set of recipients. Only from an own, listed device.
/// > A removed device: its late messages are delivered flagged; its transcripts are refused.
///
/// # Errors
/// [`Code::NotListed`] for a transcript of a stranger or of a removed device; [`Code::NonCanonical`] for a malformed recipient.
pub fn admit(body: &Body, speaker: Speaker<'_>, us: &UserId) -> Result<MessageKind, Code> {
    let Scope::Direct = speaker.scope;
    match body {
        Body::Message { .. } => Ok(MessageKind::Message),
        Body::Transcript { recipients, .. } => {
            let listed = speaker.user.list.as_ref().and_then(|list| list.device(speaker.device.device));
            // "Self" is user id, account key and place on the list, all of them (A10).
            let is_own = speaker.user.user == *us
                && speaker.device.stale_since.is_none()
                && listed.is_some_and(|device| device.identity_key == speaker.device.identity_key);
            if !is_own {
                return Err(Code::NotListed);
            }
            let recipients =
                recipients.iter().map(|to| UserId::try_new(to.user.as_slice().to_vec()).ok_or(Code::NonCanonical));
            Ok(MessageKind::Transcript { recipients: recipients.collect::<Result<_, _>>()? })
        }
    }
}
