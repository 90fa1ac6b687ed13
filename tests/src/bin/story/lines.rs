//! How each value is printed: the tables of `tests/story/README.md`.

use super::events::said;
use sesame_core::{
    event::{
        Act, Answered, Batch, DeviceState, DeviceView, Event, GroupView, Health, InboxItem, Item, MailOutcome,
        MailResult, Message, MessageKind, Outcome, PendingSend, RequestKind, SendStatus, ServerRequest, SessionView,
        Skipped, Standing, UserStatus, UserView, WaitingFor,
    },
    ids::{DeviceId, UserId},
};
use std::fmt::{Display, Write};

/// The FNV-1a hash of 64 bits.
pub fn h(bytes: &[u8]) -> String {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// The last four bytes of an id.
pub fn s(id: &[u8]) -> String {
    id[id.len() - 4..].iter().map(|byte| format!("{byte:02x}")).collect()
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

/// A word and the number of a code; nothing for none.
fn coded(word: &str, code: u16) -> String {
    named(word, (code != 0).then_some(code))
}

/// A yes or a no.
pub fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
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

fn event(event: &Event) -> String {
    format!("event {}", said(event))
}

/// A row of the inbox.
pub fn item(row: &InboxItem) -> String {
    match &row.item {
        Item::Message(of) => format!("{}: {}", row.id, message(of)),
        Item::Event(of) => format!("{}: {}", row.id, event(of)),
    }
}

/// The result for an envelope.
pub fn result(envelope: usize, result: &MailResult) -> String {
    let outcome = match result.outcome {
        MailOutcome::Duplicate => "duplicate",
        MailOutcome::Held => "held",
        MailOutcome::Later => "later",
        MailOutcome::Opened => "opened",
        MailOutcome::Refused => "refused",
    };
    let items = named("items", &result.items);
    let from = result.sender.as_ref().map_or(String::new(), |sender| {
        let shown = if sender.authenticated { "authenticated" } else { "claimed" };
        format!(" from {} {shown}", at(&sender.user, sender.device))
    });
    format!("{envelope}: {outcome}{items}{}{}{from}", flag("keep", result.keep), coded("code", result.reason))
}

/// A kind of requests, as the script names it.
pub fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Bundles => "bundles",
        RequestKind::Confirm => "confirm",
        RequestKind::Delete => "delete",
        RequestKind::Link => "link",
        RequestKind::Lists => "lists",
        RequestKind::Mail => "mail",
        RequestKind::Publication => "publication",
        RequestKind::Push => "push",
        RequestKind::Submit => "submit",
    }
}

/// A request.
pub fn request(request: &ServerRequest) -> String {
    let users = named("users", request.users.iter().map(name));
    format!("request {} {} {}{users}", kind(request.kind), request.body.len(), h(&request.body))
}

/// What came of an answer.
pub fn answered(status: u16, answered: &Answered) -> String {
    let Answered { known, items, sends, problem } = answered;
    let rest = named("items", items) + &named("sends", sends.iter().map(|send| s(&send.0)));
    format!("  {status}{}{}{rest}", flag("unknown", !known), coded("problem", *problem))
}

/// A send.
pub fn send(send: &PendingSend) -> String {
    format!("send {} content {}", s(&send.id.0), s(&send.content_id.0))
}

fn skips(skips: &[Skipped]) -> String {
    named("skip", skips.iter().map(|skip| format!("{}:{}", skip.device.0, skip.reason)))
}

fn user_status(status: &UserStatus) -> String {
    let outcome = match status.outcome {
        Outcome::Cancelled => "cancelled",
        Outcome::Failed => "failed",
        Outcome::Sent => "sent",
        Outcome::Waiting => "waiting",
    };
    let what = match status.waiting_for {
        WaitingFor::Identity => " for identity",
        WaitingFor::Nothing => "",
        WaitingFor::Publication => " for publication",
        WaitingFor::Server => " for server",
    };
    let rest = skips(&status.skipped) + &coded("code", status.reason);
    format!("  {} {outcome}{what} reached {}{rest}", name(&status.user), status.reached)
}

/// How a send stands, in several lines.
pub fn status(status: &SendStatus) -> Vec<String> {
    let group = named("group", status.group.map(|group| s(&group.0)));
    let finished = if status.finished { "finished" } else { "open" };
    let ids = format!("send {} content {}{group}", s(&status.id.0), s(&status.content_id.0));
    let first = format!("{ids} {finished} {} bytes", status.payload.len());
    [first].into_iter().chain(status.users.iter().map(user_status)).collect()
}

/// A batch.
pub fn batch(batch: &Batch) -> String {
    let mut line = format!("batch {}{}", name(&batch.user), flag("targeted", batch.targeted));
    for out in &batch.envelopes {
        write!(line, " {}:{}:{}", out.device.0, out.envelope.len(), h(&out.envelope)).unwrap();
    }
    line + &skips(&batch.skips)
}

/// How a device stands with its server.
pub fn health(health: &Health) -> String {
    let Health { registered, problem, due_in, open_sends, inbox, mail_left, clock_offset } = health;
    let counts = format!("open {open_sends} inbox {inbox} left {mail_left} offset {clock_offset}");
    format!("registered {}{} due {due_in} {counts}", yes(*registered), coded("problem", *problem))
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

/// A device.
pub fn device(view: &DeviceView) -> String {
    let state = match view.state {
        DeviceState::Active => "active",
        DeviceState::NoSession => "no-session",
        DeviceState::Own => "own",
        DeviceState::Stale => "stale",
    };
    let keys = format!("signing {} identity {}", s(&view.signing_key), s(&view.identity_key));
    let session = view.session.map_or(String::new(), |id| format!(" session {}", s(&id.0)));
    format!("device {} {keys} {state}{session}", view.device.0)
}
