//! The links that this primary has begun.

use super::Tx;
use crate::{
    error::Code,
    ids::LinkId,
    record::OfferedLink,
    store::{Kind, Places},
};

/// A link with its name.
pub(crate) struct Named {
    pub(crate) id: LinkId,
    pub(crate) link: OfferedLink,
}

impl Tx<'_> {
    pub(crate) fn link(&self, id: &LinkId) -> Result<Option<OfferedLink>, Code> {
        self.get(&Places::link(id))
    }

    pub(crate) fn put_link(&mut self, id: &LinkId, link: &OfferedLink) -> Result<(), Code> {
        self.put(Places::link(id), link)
    }

    /// Every link, in the order of the rows. One that is damaged is passed over: a new code replaces it.
    pub(crate) fn links(&self) -> Result<Vec<Named>, Code> {
        let mut links = Vec::new();
        for key in self.keys(&Places::all(Kind::OfferedLink))? {
            match self.get(&key) {
                Ok(link) => {
                    let id = Places::link_of(&key)?;
                    links.extend(link.map(|link| Named { id, link }));
                }
                Err(code) if code.is_damage() => {}
                Err(code) => return Err(code),
            }
        }
        Ok(links)
    }
}
