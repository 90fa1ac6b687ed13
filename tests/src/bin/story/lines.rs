//! How each value is printed: the tables of `tests/story/README.md`.

use super::events::said;
use sesame_core::{
    event::{
        Act, Event, GroupView, Item, Message, MessageKind, Need, NextStep, PendingSend, Received, SessionView,
        Standing, UserView,
    },
    ids::{DeviceId, UserId},
};
use std::fmt::{Display, Write};

/// The FNV-1a hash of 64 bits.
pub fn h(bytes: &[u8]) -> String {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// The first four bytes of an id.
pub fn s(id: &[u8]) -> String {
    id[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A user's name.
pub fn name(user: &UserId) -> String {
    String::from_utf8(user.as_bytes().to_vec()).unwrap()
}

/// A device of a user.
pub fn at(user: &UserId, device: DeviceId) -> String {
    format!("{}/{}", name(user), device.0)
}

/// A word and a list after it, with a space before the word; nothing if the list is empty.
pub fn named<T: Display>(word: &str, parts: impl IntoIterator<Item = T>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| part.to_string()).collect();
    if parts.is_empty() { String::new() } else { format!(" {word} {}", parts.join(",")) }
}

fn flag(word: &str, is_set: bool) -> String {
    if is_set { format!(" {word}") } else { String::new() }
}

/// A yes or a no.
pub fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// An event.
pub fn event(event: &Event) -> String {
    format!("event {}", said(event))
}

fn message(message: &Message) -> String {
    let mut line = format!("message {} number {}", at(&message.user, message.device), message.sequence);
    let ids = format!("content {} session {}", s(&message.content_id.0), s(&message.session_id.0));
    write!(line, " at {} {ids}", message.sent_at).unwrap();
    if let Some(group) = message.group {
        write!(line, " group {}", s(&group.0)).unwrap();
    }
    if let MessageKind::Transcript { recipients } = &message.kind {
        line += &named("to", recipients.iter().map(name));
    }
    line += &flag("removed-device", message.flags.from_removed_device);
    line += &flag("no-one-time-key", message.flags.no_one_time_key);
    line += &flag("older-session", message.flags.older_session);
    line += &flag("former-member", message.flags.from_former_member);
    format!("{line} \"{}\"", String::from_utf8_lossy(&message.payload))
}

/// A message or an event.
pub fn item(item: &Item) -> String {
    match item {
        Item::Message(of) => message(of),
        Item::Event(of) => event(of),
    }
}

/// The result for an envelope.
pub fn received(received: &Received) -> String {
    match received {
        Received::Item { envelope, item: of, .. } => format!("{envelope}: {}", item(of)),
        Received::Duplicate { envelope } => format!("{envelope}: duplicate"),
        Received::Failure { envelope, sender, code, next } => {
            let next = if *next == NextStep::Confirm { "confirm" } else { "keep" };
            let from = sender.as_ref().map_or("nobody".to_owned(), |sender| {
                let shown = if sender.authenticated { "authenticated" } else { "claimed" };
                format!("{} {shown}", at(&sender.user, sender.device))
            });
            format!("{envelope}: failure {} {next} from {from}", code.number())
        }
        Received::Held { envelope } => format!("{envelope}: held"),
    }
}

/// A send, in several lines.
pub fn send(send: &PendingSend) -> Vec<String> {
    let mut lines = vec![format!("send {} content {}", s(&send.id.0), s(&send.content_id.0))];
    for batch in &send.batches {
        let mut line = format!("  batch {}{}", name(&batch.user), flag("targeted", batch.targeted));
        for out in &batch.envelopes {
            write!(line, " {}:{}:{}", out.device.0, out.envelope.len(), h(&out.envelope)).unwrap();
        }
        line += &flag("skip", !batch.skips.is_empty());
        for skip in &batch.skips {
            write!(line, " {}:{}", skip.device.0, skip.reason).unwrap();
        }
        lines.push(line);
    }
    lines.extend(send.needs.iter().map(|need| match need {
        Need::DeviceList(user) => format!("  need device-list {}", name(user)),
        Need::Bundle(user, device) => format!("  need bundle {}", at(user, *device)),
        Need::IdentityAcceptance(user) => format!("  need identity-acceptance {}", name(user)),
        Need::Publication => "  need publication".to_owned(),
    }));
    lines.extend(send.failed.iter().map(|(user, code)| format!("  failed {} {code}", name(user))));
    lines.extend(send.events.iter().map(|of| format!("  {}", event(of))));
    lines
}

/// A group.
pub fn group(view: &GroupView) -> String {
    let standing = match view.standing {
        Standing::Left => "left",
        Standing::Invited(_) => "invited",
        Standing::Member => "member",
    };
    let members = named("members", view.members.iter().map(|member| name(&member.user)));
    let diverged = named("diverged", view.diverged.iter().map(|(user, device)| at(user, *device)));
    format!("group {} standing {standing}{members} name \"{}\"{diverged}", s(&view.id.0), view.info.name)
}

/// An operation in the history of a group.
pub fn act(act: &Act) -> String {
    match act {
        Act::Accepted => "accepted".to_owned(),
        Act::Added(users) => named("added", users.iter().map(name)).trim_start().to_owned(),
        Act::Created(_) => "created".to_owned(),
        Act::Declined => "declined".to_owned(),
        Act::Left => "left".to_owned(),
        Act::Retired(device) => format!("retired {}", device.0),
        Act::Updated(_) => "updated".to_owned(),
    }
}

/// A session.
pub fn session(view: Option<&SessionView>) -> String {
    let Some(view) = view else { return "no session".to_owned() };
    let counts = format!("sent {} received {} inactive {}", view.sent, view.received, view.inactive);
    format!("session {} generation {} initiating {} {counts}", s(&view.id.0), view.generation, yes(view.initiating))
}

/// A user.
pub fn user(view: &UserView) -> String {
    let claimed = view.claimed_key.map_or(String::new(), |key| format!(" claimed {}", s(&key.0)));
    let verified = flag("verified", view.verified);
    let rest = flag("forked", view.forked) + &flag("paused", view.paused);
    format!("user {} key {}{claimed}{verified} epoch {}{rest}", name(&view.user), s(&view.account_key.0), view.epoch)
}
