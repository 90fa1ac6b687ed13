//! What differs between core and the faces. Everything else follows from core's definitions.

/// A type that crosses.
pub(crate) struct Row {
    /// Its name in core.
    pub(crate) core: &'static str,
    /// The module that names it.
    pub(crate) from: From,
    /// Its name in Kotlin, Swift and Python.
    pub(crate) name: &'static str,
    /// Its name in C, after `sesame_`; empty where C takes it apart.
    pub(crate) c: &'static str,
}

/// Where a type of core stands.
pub(crate) enum From {
    Event,
    Ids,
}

impl From {
    pub(crate) fn module(&self) -> &'static str {
        match self {
            Self::Event => "sesame_core::event",
            Self::Ids => "sesame_core::ids",
        }
    }

    /// Where the type is looked for first, if several have its name.
    pub(crate) fn folder(&self) -> &'static str {
        match self {
            Self::Event => FOLDER,
            Self::Ids => "core/src/ids.rs",
        }
    }
}

/// Where the types of an app stand in core.
pub(crate) const FOLDER: &str = "core/src/event/";

/// Where definitions are looked for.
pub(crate) const SOURCES: [&str; 1] = ["core/src"];

const fn row(core: &'static str, name: &'static str, c: &'static str) -> Row {
    Row { core, from: From::Event, name, c }
}

const fn id(core: &'static str, c: &'static str) -> Row {
    Row { core, from: From::Ids, name: core, c }
}

/// The types that cross, in the order in which the generated files have them.
pub(crate) const TYPES: [Row; 34] = [
    row("PendingLinkView", "PendingLink", "pending_link"),
    row("HandoverView", "HandoverView", "handover"),
    row("Event", "Event", "event"),
    id("GroupKind", "group_kind"),
    row("Standing", "Standing", "standing"),
    row("GroupInfo", "GroupInfo", ""),
    row("GroupChange", "GroupChange", "group_change"),
    row("GroupView", "GroupView", "group_view"),
    row("Act", "Act", "act"),
    row("HistoryEntry", "HistoryEntry", "history_entry"),
    row("Cost", "Cost", "cost"),
    row("Message", "Message", "message"),
    row("UserView", "UserView", "user_view"),
    row("DeviceState", "DeviceState", "device_state"),
    row("DeviceView", "DeviceView", "device_view"),
    row("SessionView", "SessionView", "session_view"),
    row("Outgoing", "Outgoing", "outgoing"),
    row("Skipped", "Skipped", "skipped"),
    row("Batch", "Batch", "batch"),
    row("PendingSend", "PendingSend", "send"),
    row("FailedUser", "FailedUser", "failed_user"),
    row("SkippedDevice", "SkippedDevice", "skipped_device"),
    row("Outcome", "Outcome", "outcome"),
    row("WaitingFor", "WaitingFor", "waiting_for"),
    row("UserStatus", "UserStatus", "user_status"),
    row("SendStatus", "SendStatus", "send_status"),
    row("Sender", "Sender", "sender"),
    row("MailOutcome", "MailOutcome", "mail_outcome"),
    row("MailResult", "MailResult", "mail_result"),
    row("RequestKind", "RequestKind", "request_kind"),
    row("Header", "Header", "header"),
    row("ServerRequest", "ServerRequest", "server_request"),
    row("Answered", "Answered", "answered"),
    row("Health", "Health", "health"),
];

/// Limits that an app meets: the names of `core/src/limits.rs`.
pub(crate) const LIMITS: [&str; 5] = ["MAX_BATCH", "MAX_DIRECT_USERS", "MAX_MEMBERS", "MAX_PAYLOAD", "MAX_USER_ID"];

/// Names of fixed length that are types of their own in Kotlin and Swift, and what is said of them.
pub(crate) const IDS: [(&str, &str); 10] = [
    ("AccountKey", "The public half of a user's account key (Ed25519): it names an identity."),
    ("ContentId", "A message's name, chosen by its sender: the same in every copy and resend."),
    ("GroupId", "A group's name. Knowing it gives no rights."),
    ("HandoverId", "The name of a hand-over of the primary's part, the same on both devices."),
    ("LinkId", "The name of a link that waits for the app's word."),
    ("ListHash", "The name of a device list: a hash of what the account key signed."),
    ("OperationId", "The name of an operation on a group: a hash of what its author signed."),
    ("RequestId", "The name of a request to the server, new each time one is given out."),
    ("SendId", "A send's name, the same across crashes and processes. It never leaves the device."),
    ("SessionId", "A session's name, equal on both sides and never sent."),
];

/// What the faces make of one field of core.
pub(crate) enum Change {
    /// It has another name.
    Name(&'static str),
    /// It is a number of milliseconds, and a duration in the languages that have one.
    Duration,
    /// It is left out.
    Omit,
    /// The fields of this record stand in its place.
    Flatten,
    /// Of each item of the list, only this field.
    Only(&'static str),
    /// Of the enum, which stands in this module, only the one field of this variant; else it is absent.
    Of(&'static str, &'static str),
}

/// Fields that are not the same in the faces as in core: the type or variant, the field, and what is made of it.
pub(crate) const FIELDS: [(&str, &str, Change); 16] = [
    ("FailedUser", "reason", Change::Name("code")),
    ("MailResult", "reason", Change::Name("code")),
    ("NotOpened", "reason", Change::Name("code")),
    ("SkippedDevice", "reason", Change::Name("code")),
    ("UserStatus", "reason", Change::Name("code")),
    ("DeviceView", "session", Change::Name("session_id")),
    ("GroupView", "members", Change::Only("user")),
    ("Health", "due_in", Change::Duration),
    ("Invited", "0", Change::Omit),
    ("Message", "envelope_id", Change::Omit),
    ("Message", "flags", Change::Flatten),
    ("Message", "kind", Change::Of("sesame_core::event", "Transcript")),
    ("Outgoing", "fingerprint", Change::Omit),
    ("Retired", "device", Change::Name("retired")),
    ("Skipped", "fingerprint", Change::Omit),
    ("Skipped", "reason", Change::Name("code")),
];

/// Docs that are true of core's type alone, and what the faces say: the type or variant, the field (none, where it is empty), the doc.
pub(crate) const DOCS: [(&str, &str, &str); 4] = [
    ("GroupKind", "", "How a group's messages travel."),
    ("Invited", "", "Our user has left and is asked back."),
    ("Message", "", "A message that was opened and authenticated."),
    ("Pairwise", "", "A ratchet for each pair of devices, apart from their direct one."),
];

/// What an unnamed field is called after its type, and what is said of it and of a list of it.
pub(crate) const UNNAMED: [(&str, &str, &str, &str); 3] = [
    ("UserId", "user", "The user.", "The users."),
    ("DeviceId", "device", "The device.", "The devices."),
    ("GroupChange", "change", "The new values.", "The new values."),
];

/// What the type's derived `Debug` must not print, but count: the type, the field.
pub(crate) const HIDDEN: [(&str, &str); 3] =
    [("Message", "payload"), ("SendStatus", "payload"), ("ServerRequest", "body")];

/// Types that an app may make with some fields alone.
pub(crate) const WITH_DEFAULTS: [&str; 1] = ["GroupChange"];

// C.

/// What the kinds of an enum are called when its struct has the enum's own doc.
pub(crate) const KINDS: [(&str, &str); 1] = [("Event", "What happened.")];

/// Fields that C calls otherwise: the type or variant (any, where it is empty), the field, its name in C. The fields of all variants stand
/// in one struct, so that two of one name must be of one type.
pub(crate) const C_NAMES: [(&str, &str, &str); 2] = [("", "code", "reason"), ("GroupAdded", "added", "users")];

/// What is said of a field that variants share, where each says something else of it.
pub(crate) const MERGED: [(&str, &str); 5] = [
    ("change", "What of the info was set, or NULL."),
    ("device", "The device."),
    ("group", "The group, 32 bytes."),
    ("user", "The user."),
    ("users", "Users that it is about."),
];

/// Types whose fields stand in the struct that names them.
pub(crate) const INLINE_IN_C: [&str; 2] = ["Act", "GroupInfo"];

/// Structs that `view/given.rs` has: absent values are NULL pointers there.
pub(crate) const BY_HAND_IN_C: [&str; 1] = ["group_change"];

/// Structs that C also gives to the library.
pub(crate) const GIVEN_BY_C: [&str; 0] = [];

/// Fields of these that are numbers in C, so that every bit pattern is a value: the type of core, the field.
pub(crate) const NUMBERS_IN_C: [(&str, &str); 0] = [];

/// The flag beside a list that may be absent, and what it says.
pub(crate) const TRANSCRIPT: (&str, &str) =
    ("is_transcript", "Whether it is a transcript: what another device of this user sent.");

/// Bytes that are absent in C when they are empty.
pub(crate) const EMPTY_IS_ABSENT: [(&str, &str); 0] = [];

/// Structs that a call gives alone: the type, the function, and whether there may be none.
pub(crate) const ROOTS: [(&str, &str, bool); 10] = [
    ("PendingLink", "pending_link", false),
    ("HandoverView", "handover", false),
    ("Answered", "answered", false),
    ("Cost", "cost", false),
    ("GroupView", "group", false),
    ("Health", "health", false),
    ("PendingSend", "send", false),
    ("SendStatus", "send_status", true),
    ("ServerRequest", "server_request", true),
    ("SessionView", "session", true),
];

/// Structs that a call gives many of: the type, the list with its function, and what is said of the list and of its items.
pub(crate) const LISTS: [(&str, &str, &str, &str); 7] = [
    ("Batch", "batches", "Batches, rising by user.", "The batches."),
    ("DeviceView", "devices", "Devices, rising by id.", "The devices."),
    ("GroupView", "groups", "Groups.", "The groups."),
    ("HistoryEntry", "history", "All operations, in an order that is the same for all members.", "The operations."),
    ("MailResult", "mail_results", "Results, in the order of the envelopes.", "The results."),
    ("SendStatus", "sends", "Sends, oldest first.", "The sends."),
    ("UserView", "users", "Users.", "The users."),
];

// Python.

/// Types that `handles.py` has, with the calls that belong to them.
pub(crate) const PYTHON_BY_HAND: [&str; 1] = ["PendingLink"];

/// Codes that are absent where their number is 0: the type, the field.
pub(crate) const CODES_OR_NONE: [(&str, &str); 4] =
    [("Answered", "problem"), ("Health", "problem"), ("MailResult", "code"), ("UserStatus", "code")];

/// What the classes of an enum's variants begin with.
pub(crate) const PYTHON_PREFIXES: [(&str, &str); 0] = [];

/// Variants whose class has a name of its own: a word such as `Left` says too little alone.
pub(crate) const PYTHON_NAMES: [(&str, &str, &str); 7] = [
    ("Act", "Accepted", "AcceptedInvitation"),
    ("Act", "Added", "AddedMembers"),
    ("Act", "Created", "CreatedGroup"),
    ("Act", "Declined", "DeclinedInvitation"),
    ("Act", "Left", "LeftGroup"),
    ("Act", "Retired", "RetiredDevice"),
    ("Act", "Updated", "UpdatedInfo"),
];

/// Members that come from the row of the inbox: the type, the name, the member, and what it is.
pub(crate) const EXTRA: [(&str, &str, &str, &str); 2] =
    [("Event", "id", "id: int", "For [`Device::ack`]."), ("Message", "id", "id: int", "For [`Device::ack`].")];

/// Types that calls also take.
pub(crate) const GIVEN_BY_HOSTS: [&str; 2] = ["GroupChange", "GroupKind"];

/// Types that are true if any of their lists holds something.
pub(crate) const TRUE_IF_ANY: [&str; 0] = [];

// The story.

/// Words that are not the field's name: the event, the field, the word.
pub(crate) const STORY_WORDS: [(&str, &str, &str); 1] = [("GroupAdded", "added", "users")];
