//! The forms of what waits in the inbox. A new event gets the next number here; the order of the
//! variants in [`Event`] does not matter.

use super::{Record, form::stored};
use crate::event::{Event, FailedUser, Flags, GroupInfo, Item, Message, MessageKind, SkippedDevice, Standing};

impl Record for Item {
    const SPARE: bool = true;
    const STAYS: bool = false;
}

stored! { enum Item { 0 = Event(event), 1 = Message(message) } }

stored! { enum MessageKind { 0 = Message, 1 = Transcript { recipients } } }

stored! { struct Flags { from_removed_device, no_one_time_key, older_session, from_former_member, resent } }

stored! {
    struct Message {
        content_id,
        envelope_id,
        user,
        device,
        group,
        session_id,
        sent_at,
        sequence,
        kind,
        payload,
        flags,
    }
}

stored! {
    enum Event {
        0 = DeviceListChanged { user, added, removed },
        1 = DeviceListFork { user, known, other, known_hash, other_hash },
        3 = DeviceListOld { user },
        4 = DeviceListRollback { user, epoch },
        5 = Gap { user, device, group, first, last },
        6 = GroupAdded { group, user, device, added },
        8 = GroupEquivocation { group, user, device, known, other },
        9 = GroupInvited { group, user, device },
        10 = GroupJoined { group, user, device, forked_from },
        11 = GroupLeft { group, user, device },
        12 = GroupRevoked { group, users },
        13 = GroupUpdated { group, user, device, operation },
        14 = HeldDropped { user },
        15 = IdleDevice { user, device },
        16 = IdentityChanged { user, pinned, claimed, was_verified },
        17 = ServerInconsistent { user },
        18 = SessionStarted { user, device, session_id },
        19 = RegistrationRefused { user },
        20 = RemovedFromAccount { epoch },
        21 = SendFinished { send, content_id, group, reached, failed, skipped },
        22 = ServerRestored,
        23 = NotOpened { user, device, reason },
        24 = DeviceWantsRemoval { device },
        25 = GroupFull { group },
        26 = GroupOverfull { group, users },
        27 = OwnListAhead { known, other, known_hash, other_hash },
        28 = HandoverOffered { device, digits, handover },
        29 = StoreDamaged { rows },
        30 = SessionReset { user, device, by_us },
        31 = Resent { user, device, messages },
    }
}

stored! { struct FailedUser { user, reason } }

stored! { struct SkippedDevice { user, device, reason } }

stored! { enum Standing { 0 = Left, 1 = Invited(operation), 2 = Member } }

stored! { struct GroupInfo { name, description, picture, timer, app_data } }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{
        AccountKey, ContentId, DeviceId, GroupId, HandoverId, ListHash, OperationId, SendId, SessionId, UserId,
    };

    /// One event of each kind, in the order of the stored numbers. A number that moves, or that is given again, fails here.
    #[test]
    fn each_event_is_stored_under_the_number_that_it_always_had() {
        let user = || UserId::try_from("u").unwrap();
        let (device, group, epoch, hash) = (DeviceId(1), GroupId([1; 32]), 1, ListHash([7; 32]));
        let all = [
            Event::DeviceListChanged { user: user(), added: vec![], removed: vec![] },
            Event::DeviceListFork { user: user(), known: vec![], other: vec![], known_hash: hash, other_hash: hash },
            Event::DeviceListOld { user: user() },
            Event::DeviceListRollback { user: user(), epoch },
            Event::Gap { user: user(), device, group: None, first: 1, last: 2 },
            Event::GroupAdded { group, user: user(), device, added: vec![] },
            Event::GroupEquivocation { group, user: user(), device, known: vec![], other: vec![] },
            Event::GroupInvited { group, user: user(), device },
            Event::GroupJoined { group, user: user(), device, forked_from: Some(group) },
            Event::GroupLeft { group, user: user(), device },
            Event::GroupRevoked { group, users: vec![] },
            Event::GroupUpdated { group, user: user(), device, operation: OperationId([2; 32]) },
            Event::HeldDropped { user: user() },
            Event::IdleDevice { user: user(), device },
            Event::IdentityChanged {
                user: user(),
                pinned: AccountKey([3; 32]),
                claimed: AccountKey([4; 32]),
                was_verified: true,
            },
            Event::ServerInconsistent { user: user() },
            Event::SessionStarted { user: user(), device, session_id: SessionId([5; 32]) },
            Event::RegistrationRefused { user: user() },
            Event::RemovedFromAccount { epoch },
            Event::SendFinished {
                send: SendId([6; 16]),
                content_id: ContentId([7; 16]),
                group: Some(group),
                reached: 2,
                failed: vec![FailedUser { user: user(), reason: 107 }],
                skipped: vec![SkippedDevice { user: user(), device, reason: 305 }],
            },
            Event::ServerRestored,
            Event::NotOpened { user: user(), device, reason: 211 },
            Event::DeviceWantsRemoval { device },
            Event::GroupFull { group },
            Event::GroupOverfull { group, users: vec![] },
            Event::OwnListAhead { known: vec![], other: vec![], known_hash: hash, other_hash: hash },
            Event::HandoverOffered { device, digits: "1".into(), handover: HandoverId([8; 16]) },
            Event::StoreDamaged { rows: 3 },
            Event::SessionReset { user: user(), device, by_us: true },
            Event::Resent { user: user(), device, messages: 4 },
        ];
        // 2 was a list without proof, which is not taken any more; 7 was an event that is a request now.
        let numbers = (0..32).filter(|number| ![2, 7].contains(number));
        assert_eq!(numbers.clone().count(), all.len(), "an event for each number");
        for (number, event) in numbers.zip(all) {
            let bytes = Item::Event(event.clone()).encode().unwrap();
            // The record's version, then the item's number, then the event's.
            assert_eq!(bytes[..3], [1, 0, number], "{event:?}");
            assert_eq!(Item::decode(&bytes).unwrap(), Item::Event(event));
            for end in 0..bytes.len() {
                assert!(Item::decode(&bytes[..end]).is_err(), "{end} bytes");
            }
            assert!(Item::decode(&[bytes.as_slice(), &[0]].concat()).is_err(), "one byte more");
        }
        assert!(Item::decode(&[1, 0, 32]).is_err(), "a number that is not given yet");
    }
}
