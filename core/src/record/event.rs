//! The forms of what waits in the inbox. A new event gets the next number here; the order of the
//! variants in [`Event`] does not matter.

use super::{Record, form::stored};
use crate::event::{Event, Flags, GroupInfo, Item, Message, MessageKind, Standing};

impl Record for Item {}

stored! { enum Item { 0 = Event(event), 1 = Message(message) } }

stored! { enum MessageKind { 0 = Message, 1 = Transcript { recipients } } }

stored! { struct Flags { from_removed_device, no_one_time_key, older_session, from_former_member } }

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
        1 = DeviceListFork { user, known, other },
        2 = DeviceListGap { user },
        3 = DeviceListOld { user },
        4 = DeviceListRollback { user, epoch },
        5 = Gap { user, device, group, first, last },
        6 = GroupAdded { group, user, device, added },
        7 = GroupDiverged { group, user, device },
        8 = GroupEquivocation { group, user, device },
        9 = GroupInvited { group, user, device },
        10 = GroupJoined { group, user, device },
        11 = GroupLeft { group, user, device },
        12 = GroupRevoked { group, users },
        13 = GroupUpdated { group, user, device, operation },
        14 = HeldDropped { user },
        15 = IdleDevice { user, device },
        16 = IdentityChanged { user, pinned, claimed, was_verified },
        17 = ServerInconsistent { user },
        18 = SessionStarted { user, device, session_id },
    }
}

stored! { enum Standing { 0 = Left, 1 = Invited(operation), 2 = Member } }

stored! { struct GroupInfo { name, description, picture, timer, app_data } }
