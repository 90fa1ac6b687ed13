//! A group's info and its history as an app sees them, from and to the forms that travel.

use super::operation::Operation;
use crate::{
    error::Code,
    event::{Act, GroupChange, HistoryEntry},
    ids::{DeviceId, OperationId, UserId},
    wire::group::{Body, Change},
};
use std::collections::BTreeSet;

/// A change of a group's info, as it travels.
///
/// # Errors
/// [`Code::InvalidArgument`] for a value outside its bounds.
pub fn form(change: &GroupChange) -> Result<Change, Code> {
    let GroupChange { name, description, picture, timer, app_data } = change;
    let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec().into());
    let bytes = |bytes: &Option<Vec<u8>>| bytes.clone().map(Into::into);
    let form = Change {
        name: text(name),
        description: text(description),
        picture: bytes(picture),
        timer: *timer,
        app_data: bytes(app_data),
    };
    form.check().map_err(|_| Code::InvalidArgument)?;
    Ok(form)
}

/// A change of a group's info, from the form that travelled.
#[must_use]
pub fn change(form: &Change) -> GroupChange {
    let Change { name, description, picture, timer, app_data } = form;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    GroupChange {
        name: name.as_ref().map(|name| text(name.as_slice())),
        description: description.as_ref().map(|description| text(description.as_slice())),
        picture: picture.as_ref().map(|picture| picture.as_slice().to_vec()),
        timer: *timer,
        app_data: app_data.as_ref().map(|data| data.as_slice().to_vec()),
    }
}

/// An operation as an entry of the history; `void` are the operations that do not count.
#[must_use]
pub fn entry(operation: &Operation, void: &BTreeSet<OperationId>) -> HistoryEntry {
    let act = match &operation.form.body {
        Body::Accept { .. } => Act::Accepted,
        Body::Add { members } => {
            let users = members.iter().filter_map(|added| UserId::try_new(added.user.as_slice().to_vec()));
            Act::Added(users.collect())
        }
        Body::Create { change: form, .. } => Act::Created(change(form)),
        Body::Decline { .. } => Act::Declined,
        Body::Info { change: form } => Act::Updated(change(form)),
        Body::Leave => Act::Left,
        Body::Retire { device, .. } => Act::Retired(DeviceId(*device)),
    };
    HistoryEntry {
        id: operation.id,
        user: operation.author.clone(),
        device: operation.device(),
        act,
        counts: !void.contains(&operation.id),
    }
}
