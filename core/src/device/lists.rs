//! Device lists meet the store: what one changes besides the user's record (X 5).

use super::{Device, work::Work};
use crate::{
    context::{Context, Timestamp},
    crypto::{ed25519::VerifyingKey, kdf, labels},
    error::{Code, Error},
    event::Event,
    ids::{AccountKey, UserId},
    keys::device_list::{List, VerifiedDeviceList},
    model::{Peer, User},
    record::StoredList,
    registry::trust,
    store::{Kind, Places},
    wire::content::Body,
};

/// Our own newest list, with its signed bytes.
pub(super) struct OwnList {
    pub(super) user: User,
    pub(super) list: List,
    pub(super) signed: Vec<u8>,
}

impl Device {
    pub(super) fn own_list(&self, work: &Work<'_>) -> Result<OwnList, Code> {
        let user = work.user(self.user())?.ok_or(Code::RecordInconsistent)?;
        let list = user.list.clone().ok_or(Code::RecordInconsistent)?;
        let signed = signed_list(work, self.user())?;
        Ok(OwnList { user, list, signed })
    }

    /// A verified list from anywhere. Another account key blocks the user; the list is then not taken.
    pub(super) fn take_list(
        &self,
        work: &mut Work<'_>,
        offered: &VerifiedDeviceList,
        now: Timestamp,
    ) -> Result<Vec<Event>, Code> {
        let known = work.user(&offered.user)?;
        let stored = signed_list(work, &offered.user)?;
        let admitted = match (trust::admit(known.as_ref(), &stored, offered, &self.keys.party, now), &known) {
            (Err(Code::IdentityChanged), Some(known)) if known.account_key != offered.account() => {
                // Our own account key does not change under us: that list is somebody else's.
                if known.user == *self.user() {
                    return Err(Code::WrongUser);
                }
                let (blocked, event) = trust::block(known, offered.account());
                work.put_user(&blocked)?;
                return Ok(event.into_iter().collect());
            }
            (admitted, _) => admitted?,
        };
        work.put_user(&admitted.user)?;
        if admitted.taken {
            let key = work.places().user(Kind::List, &offered.user);
            work.put(key, &StoredList { signed: offered.signed.clone() })?;
        }
        for device in &admitted.removed {
            if let Some(mut peer) = work.peer(&offered.user, *device)? {
                peer.stale_since = peer.stale_since.or(Some(now.0));
                work.put_peer(&peer)?;
            }
        }
        for device in &admitted.added {
            if let Some(mut peer) = work.peer(&offered.user, *device)? {
                peer.stale_since = None;
                work.put_peer(&peer)?;
            }
        }
        Ok(admitted.events)
    }

    /// > Contacts' pins and verified flags travel to own devices; differing pins block (X 5).
    ///
    /// They come with a transcript, which only an own, listed device can make.
    pub(super) fn learn_pins(&self, work: &mut Work<'_>, body: &Body) -> Result<Vec<Event>, Code> {
        let Body::Transcript { recipients, .. } = body else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        for to in recipients.as_slice() {
            let user = UserId::try_new(to.user.as_slice().to_vec()).ok_or(Code::NonCanonical)?;
            let Some(account_key) = to.account_key.filter(|_| user != *self.user()) else { continue };
            VerifyingKey::decode(account_key)?;
            let account_key = AccountKey(account_key);
            let verified = to.verified == 1;
            match work.user(&user)? {
                None => work.put_user(&User { verified, ..User::pinned(user, account_key) })?,
                Some(known) if known.account_key == account_key => {
                    work.put_user(&User { verified: known.verified || verified, ..known })?;
                }
                Some(known) => {
                    let (blocked, event) = trust::block(&known, account_key);
                    work.put_user(&blocked)?;
                    events.extend(event);
                }
            }
        }
        Ok(events)
    }

    /// The app has made sure that the user's changed account key is the user's (X 5), and what was held for it is opened.
    ///
    /// The old identity's devices and sessions are gone with this; the next send needs the new list and bundles.
    ///
    /// With the pinned key the app dismisses the claim: nothing else changes, and what was held under the other key stays held till its time.
    ///
    /// `account_key` is the key that the app means: another one may have claimed the user while its user made up their mind.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when this key does not wait.
    pub fn accept_identity(
        &self,
        context: &mut Context<'_>,
        user: &UserId,
        account_key: &AccountKey,
    ) -> Result<Vec<super::Received>, Error> {
        self.run(context, |work, context| {
            let known = work.user(user)?.ok_or(Code::UnknownUser)?;
            let accepted = trust::accept(&known, account_key).map_err(|code| Error::of(code, "account_key"))?;
            if accepted.account_key == known.account_key {
                work.put_user(&accepted)?;
                self.advance_user(work, context, user)?;
                return Ok(Vec::new());
            }
            for key in work.keys(&Places::all(Kind::Peer))? {
                if let Some(peer) = work.get::<Peer>(&key)?.filter(|peer| peer.user == *user) {
                    super::sessions::remove_peer(work, user, peer.device)?;
                }
            }
            work.delete(work.places().user(Kind::List, user));
            work.put_user(&accepted)?;
            self.open_held(work, context, user)
        })
    }

    /// The app has compared safety numbers for this user's pinned account key.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn mark_verified(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.run(context, |work, _| {
            let mut known = work.user(user)?.ok_or(Code::UnknownUser)?;
            known.verified = true;
            work.put_user(&known).map_err(Error::from)
        })
    }

    /// The app decides a fork: from now on the newest list that was taken counts alone.
    ///
    /// # Errors
    /// [`Code::UnknownUser`]; [`Code::InvalidArgument`] when there is no fork.
    pub fn resolve_fork(&self, context: &mut Context<'_>, user: &UserId) -> Result<(), Error> {
        self.run(context, |work, context| {
            let mut known = work.user(user)?.ok_or(Code::UnknownUser)?;
            known.fork.take().ok_or(Code::InvalidArgument)?;
            work.put_user(&known)?;
            self.advance_user(work, context, user).map_err(Error::from)
        })
    }

    /// 60 digits that both users see alike if they hold each other's account keys (A19).
    ///
    /// Five digits at a time from SHA-256 over both (user id, account key), the smaller user id first.
    ///
    /// # Errors
    /// [`Code::UnknownUser`].
    pub fn safety_number(&self, context: &mut Context<'_>, user: &UserId) -> Result<String, Error> {
        self.run(context, |work, _| {
            let theirs = work.user(user)?.ok_or(Code::UnknownUser)?;
            let mut sides = [
                (self.user().as_bytes(), self.keys.party.account_key.as_bytes()),
                (user.as_bytes(), &theirs.account_key.0),
            ];
            sides.sort_unstable();
            let mut digits = String::with_capacity(60);
            for block in 0..3_u8 {
                let [(first, first_key), (second, second_key)] = sides;
                let hash =
                    kdf::sha256(&kdf::join(&[labels::SAFETY_NUMBER, &[block], first, first_key, second, second_key]));
                for part in hash.chunks_exact(8).take(4) {
                    let number = part.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                    digits.push_str(&format!("{:05}", number % 100_000));
                }
            }
            Ok(digits)
        })
    }
}

pub(super) fn signed_list(work: &Work<'_>, user: &UserId) -> Result<Vec<u8>, Code> {
    let key = work.places().user(Kind::List, user);
    Ok(work.get::<StoredList>(&key)?.map(|stored| stored.signed).unwrap_or_default())
}
