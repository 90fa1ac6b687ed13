//! What was received and waits for the app (section 4 of the design).

use super::{Device, work::Work};
use crate::{
    context::Context,
    error::{Code, Error},
    event::{InboxItem, Item},
    record::Counters,
    store::{Kind, Places},
};

impl Device {
    /// Everything that was received and not acked, oldest first; after a crash the same items under the same ids.
    ///
    /// # Errors
    /// The store's.
    pub fn inbox(&self, context: &mut Context<'_>) -> Result<Vec<InboxItem>, Error> {
        self.run(context, |work, _| {
            let mut items = Vec::new();
            for key in work.keys(&Places::all(Kind::Item))? {
                let id = Places::item_of(&key)?;
                items.extend(work.get::<Item>(&key)?.map(|item| InboxItem { id, item }));
            }
            Ok(items)
        })
    }

    /// The app has these items safe; they are deleted. An id that is not there is no error.
    ///
    /// # Errors
    /// The store's.
    pub fn ack(&self, context: &mut Context<'_>, ids: &[u64]) -> Result<(), Error> {
        self.run(context, |work, _| {
            for id in ids {
                let key = Places::item(*id);
                if work.exists(&key)? {
                    work.delete(key);
                }
            }
            Ok(())
        })
    }
}

/// Numbers an item and writes it.
pub(super) fn put(work: &mut Work<'_>, item: &Item) -> Result<u64, Code> {
    let key = Places::only(Kind::Counters);
    let mut counters: Counters = work.get(&key)?.unwrap_or_default();
    let id = counters.last_item.checked_add(1).ok_or(Code::Internal)?;
    counters.last_item = id;
    work.put(key, &counters)?;
    work.put(Places::item(id), item)?;
    Ok(id)
}
