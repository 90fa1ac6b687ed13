//! What was held for an identity is opened, now that the app has accepted it (X 9).

use super::batch::Batch;
use crate::{
    error::{Code, Error},
    event::Received,
    ids::UserId,
    tx::{Call, held},
    wire::envelope::Envelope,
};

/// Opens what was held for a user, now that its identity is accepted. What fails now is dropped. Results count what was held from 0.
pub(crate) fn open_held(call: &mut Call<'_>, user: &UserId) -> Result<Vec<Received>, Error> {
    let mut batch = Batch::default();
    for (key, held) in held::envelopes(&call.tx)? {
        let envelope = Envelope::decode(&held.envelope).map_err(|_| Code::RecordInconsistent)?;
        if envelope.head.sender.user.as_slice() != user.as_bytes() {
            continue;
        }
        held::take_envelope(&mut call.tx, key, &held)?;
        batch.open(call, &envelope, &held.envelope, None)?;
    }
    Ok(batch.close(call)?)
}
