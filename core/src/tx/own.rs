//! This device's own rows: its keys, its user's newest list, its prekeys.

use super::Tx;
use crate::{
    crypto::ed25519::SigningKey,
    error::Code,
    ids::UserId,
    keys::{
        chain::Chain,
        device_list::{self, List, VerifiedDeviceList},
    },
    model::User,
    record::{Own, PendingHandover, PreKeyBook, ServerState, StoredList},
    store::{Kind, Places},
};
use std::sync::{Arc, OnceLock};

/// Our own newest list, with its signed bytes.
pub(crate) struct OwnList {
    pub(crate) user: Arc<User>,
    pub(crate) list: List,
    stored: Arc<StoredList>,
    shown: OnceLock<Vec<u8>>,
}

impl OwnList {
    /// Whether the row of the signed list does not open. The list itself is in the user's record; what is signed is to be had from the server.
    pub(crate) fn is_lost(&self) -> bool {
        self.stored.signed.is_empty()
    }

    /// The list as it was signed; [`Code::RecordCorrupt`] if that is lost.
    pub(crate) fn signed(&self) -> Result<&[u8], Code> {
        if self.is_lost() { Err(Code::RecordCorrupt) } else { Ok(&self.stored.signed) }
    }

    /// The list with the hashes that ride along with it.
    pub(crate) fn shown(&self) -> Result<&[u8], Code> {
        if let Some(shown) = self.shown.get() {
            return Ok(shown);
        }
        let shown = device_list::show(self.signed()?, self.stored.links.clone())?;
        Ok(self.shown.get_or_init(|| shown))
    }

    /// The hash of a list of ours, if it is one of the newest.
    pub(crate) fn hash_of(&self, epoch: u64) -> Option<[u8; 32]> {
        match self.list.epoch.checked_sub(epoch)? {
            0 => Some(self.list.hash),
            // The history comes first.
            back => {
                let at = self.stored.links.len().checked_sub(usize::try_from(back).ok()?).filter(|at| *at > 0)?;
                self.stored.links.get(at).copied()
            }
        }
    }
}

/// This device's record and the account key, which the primary alone has.
pub(crate) struct Primary {
    pub(crate) own: Own,
    pub(crate) account: SigningKey,
}

impl Tx<'_> {
    pub(crate) fn own(&self) -> Result<Own, Code> {
        self.get(&Places::only(Kind::Own))?.ok_or(Code::RecordInconsistent)
    }

    pub(crate) fn put_own(&mut self, own: &Own) -> Result<(), Code> {
        self.put(Places::only(Kind::Own), own)
    }

    /// The account key, with what it belongs to; [`Code::NotPrimary`] on any other device, and once it was handed over.
    pub(crate) fn primary(&self) -> Result<Primary, Code> {
        let own = self.own()?;
        let account = own.account.clone().filter(|_| own.is_primary());
        let account = account.map(SigningKey::from_seed).ok_or(Code::NotPrimary)?;
        Ok(Primary { own, account })
    }

    /// Whether this device signs the list.
    pub(crate) fn is_primary(&self) -> Result<bool, Code> {
        Ok(self.own()?.is_primary())
    }

    /// The account key, if this is the primary.
    pub(crate) fn account(&self) -> Result<Option<SigningKey>, Code> {
        let own = self.own()?;
        Ok(own.account.clone().filter(|_| own.is_primary()).map(SigningKey::from_seed))
    }

    /// The newest list of `user`, who is our own.
    pub(crate) fn own_list(&self, user: &UserId) -> Result<OwnList, Code> {
        let user = self.known(user)?.ok_or(Code::RecordInconsistent)?;
        let list = user.list.clone().ok_or(Code::RecordInconsistent)?;
        let stored = self.shared(&self.places().user(Kind::List, &user.user))?.unwrap_or_default();
        Ok(OwnList { user, list, stored, shown: OnceLock::new() })
    }

    /// Writes a list that was taken before its user was known.
    pub(crate) fn put_first_list(
        &mut self,
        list: &VerifiedDeviceList,
        chain: &Chain,
        verified: bool,
    ) -> Result<(), Code> {
        let pinned = User::pinned(list.user.clone(), list.account());
        self.put_user(&User { verified, list: Some(list.list.clone()), ..pinned })?;
        self.put_list(&list.user, &list.signed, chain)
    }

    /// The hand-over that is under way.
    pub(crate) fn handover(&self) -> Result<Option<PendingHandover>, Code> {
        self.get(&Places::only(Kind::Handover))
    }

    pub(crate) fn put_handover(&mut self, pending: &PendingHandover) -> Result<(), Code> {
        self.put(Places::only(Kind::Handover), pending)
    }

    /// What this device keeps of its server.
    pub(crate) fn server(&self) -> Result<ServerState, Code> {
        Ok(self.get(&Places::only(Kind::Server))?.unwrap_or_default())
    }

    pub(crate) fn put_server(&mut self, server: &ServerState) -> Result<(), Code> {
        self.put(Places::only(Kind::Server), server)
    }

    pub(crate) fn book(&self) -> Result<PreKeyBook, Code> {
        self.get(&Places::only(Kind::Book))?.ok_or(Code::RecordInconsistent)
    }

    pub(crate) fn put_book(&mut self, book: &PreKeyBook) -> Result<(), Code> {
        self.put(Places::only(Kind::Book), book)
    }
}
