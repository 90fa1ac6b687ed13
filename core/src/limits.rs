//! Every limit of the protocol, each with its reason.
//!
//! Nothing here computes. A module that enforces a limit imports it from here.

use core::time::Duration;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Largest payload of a message, in bytes. With the sender's list and the largest transcript beside it, it fits the largest step of the padding,
/// so that what is accepted never fails for its size later.
pub const MAX_PAYLOAD: usize = 65_536;
/// Users that a direct send may name besides our own: a transcript names all of them.
pub const MAX_DIRECT_USERS: usize = 256;
/// Longest user id, in bytes; the shortest is 1.
pub const MAX_USER_ID: usize = 64;
/// Devices on one signed device list. It bounds the envelopes of a send and the cost of a hostile list (A07).
pub const MAX_DEVICES: usize = 32;
/// Longest list of suites of a device, in bytes. There is one suite now.
pub const MAX_SUITES: usize = 8;
/// Hashes of earlier lists that ride along with a list in a message (X 5). A receiver that is further behind asks the server.
pub const MAX_RIDING_HASHES: usize = 16;
/// Hashes of another user's lists that a device keeps, and that the server shows with a list. A list that is signed anew each week is proved
/// over 19 years.
pub const MAX_HASHES: usize = 1_024;
/// Hashes of our own user's lists that a device keeps: with a list each week all of them, for 300 years.
pub const MAX_OWN_HASHES: usize = 16_384;
/// How long a list waits for the hashes that prove it before the app hears of it (X 5).
pub const UNPROVED: Duration = DAY;
/// How often a device asks the server for a list because somebody claims another one than it holds.
pub const ASK_AGAIN: Duration = DAY;
/// How often a user's devices are asked for operations of groups that are missing here: as often as a session may be begun anew (X 8).
pub const ASK_STATE_AGAIN: Duration = HOUR;
/// Branches of a user's lists that the app has rejected and that are remembered, the newest.
pub const MAX_REJECTED: usize = 8;
/// Largest prekey id: 2^24 - 1. Zero is a valid id (T59).
pub const MAX_PRE_KEY_ID: u32 = (1 << 24) - 1;
/// Skipped message keys kept for one peer device over all its sessions: 256 KiB at 37 stored bytes a key.
pub const MAX_SKIPPED_PER_DEVICE: usize = 256 * 1_024 / 37;
/// How far ahead of the last message of its chain a message may lie (X 8). A chain whose messages were all lost for weeks goes on with the next
/// one that comes; a step costs less than a microsecond, and a header that opens less than a thirtieth of a second (A30).
pub const MAX_JUMP: u32 = 25_000;
/// Steps that the messages of one user may cost in one call besides one for each message (X 8): four of the farthest jumps. The rest is held, and
/// opened in the next calls.
pub const MAX_STEPS_OF_USER: u32 = 4 * MAX_JUMP;
/// The same for all users together, whatever number of identities somebody makes up.
pub const MAX_STEPS: u32 = 10 * MAX_STEPS_OF_USER;
/// Skipped message keys kept for one chain, the newest. Older ones are marked as expired.
pub const MAX_SKIPPED_PER_CHAIN: u32 = 1_000;
/// Skipped message keys kept for one session: those of two chains, for a chain ends when an answer is answered.
pub const MAX_SKIPPED_PER_SESSION: usize = 2_000;
/// Old receiving chains whose skipped message keys are kept. The sixth DH ratchet step deletes the oldest.
pub const MAX_OLD_CHAINS: usize = 5;
/// Age of a skipped message key, in messages accepted on its session. An older key is deleted.
pub const MAX_SKIPPED_AGE: u64 = 1_000;
/// Skipped message keys in one stored block.
pub const SKIPPED_BLOCK: u32 = 16;
/// How far a generation may lie above the highest that is known for its device and scope, whatever the clock says (X 3).
pub const MAX_GENERATION_STEP: u64 = 64;
/// Inactive sessions kept for one device in one scope.
pub const MAX_INACTIVE_SESSIONS: usize = 40;
/// Largest padded body, in bytes.
pub const MAX_BODY: usize = 98_304;
/// Envelopes in one `batch_decrypt`.
pub const MAX_BATCH: usize = 4_096;
/// Members of a group.
pub const MAX_MEMBERS: usize = 1_000;
/// Users that one operation adds (X 11).
pub const MAX_ADDED: usize = 200;
/// Parents of one operation. Operations beyond this number wait to become a parent of a later one.
pub const MAX_PARENTS: usize = 16;
/// Leaves that an add names to invite a former member back.
pub const MAX_NAMED_LEAVES: usize = 8;
/// Operations of one device in one group. One device alone cannot fill a group.
pub const MAX_GROUP_SEQUENCE: u64 = 1_024;
/// The last numbers of a device's sequence, kept for leaves and retirements, so that a device can always leave.
pub const RESERVED_SEQUENCE: u64 = 64;
/// Operations of one group, not counting leaves and retirements. At this number a device makes no further ones;
/// the members can go on in a fork of the group.
pub const MAX_OPERATIONS: usize = 4_096;
/// Bytes of a group's state, which is its operations and the cited lists. At this size a device makes no
/// further operations. A new member must hold the whole state until its last part has arrived
/// ([`MAX_HELD_OPERATIONS`]).
pub const MAX_GROUP_STATE: usize = 900 * 1_024;
/// Operations of one group beyond which a device forgets those that it does not keep. While it keeps more, it takes leaves and retirements
/// alone, with what lies before them, up to twice as many. Four times the limit for senders, so that devices which
/// reached it concurrently still agree.
pub const MAX_OPERATIONS_TAKEN: usize = 4 * MAX_OPERATIONS;
/// The same in bytes of operations and of the lists that they cite, each list once.
pub const MAX_OPERATION_BYTES_TAKEN: usize = 8 * 1_024 * 1_024;
/// Operations of one group that are stored while they wait for their parents.
pub const MAX_WAITING: usize = 64;
/// Longest name of a group, in bytes.
pub const MAX_GROUP_NAME: usize = 256;
/// Longest description of a group, in bytes.
pub const MAX_DESCRIPTION: usize = 2_048;
/// Longest picture reference of a group, in bytes.
pub const MAX_PICTURE: usize = 1_024;
/// Most app data of a group, in bytes.
pub const MAX_APP_DATA: usize = 4_096;
/// Bytes of operations and lists in one message. A larger state is sent in several messages.
pub const MAX_BUNDLE: usize = 64_000;
/// Lagging devices that are remembered for one group.
pub const MAX_LAGS: usize = 64;
/// The time after which operations are sent again to a device that still has others: they may have been lost.
pub const SYNC_AGAIN: Duration = DAY;
/// How often a group's whole state is sent to one device within [`SYNC_AGAIN`], whatever it claims.
pub const MAX_PUSHES: u8 = 8;
/// Devices of one group whose pushes are counted. When the list is full, no other device gets the state until
/// an entry expires.
pub const MAX_PUSHED: usize = 2_048;
/// Users of a group who push missing operations to a device without being asked, so that a thousand members do
/// not (D6).
pub const PUSHING_USERS: usize = 2;
/// The least size that one held group content counts for, in bytes, because its session is kept as well (X 9).
pub const MIN_HELD: usize = 1_024;
/// `Gap` events that one batch raises for one device.
pub const MAX_GAPS: usize = 64;
/// How often the batch of one send for one user may be refused before the send to that user fails.
pub const MAX_SEND_ROUNDS: u8 = 5;
/// One-time prekeys of each kind that a device keeps published, unless its server wants another number. A KEM prekey weighs 1.6 KB.
pub const ONE_TIME_PRE_KEYS: usize = 40;
/// The most one-time prekeys of each kind that a device publishes, whatever its server wants.
pub const MAX_ONE_TIME_PRE_KEYS: usize = 100;
/// Lasting pairs of prekeys whose private halves are kept, the newest ones. With a right clock there are 17.
pub const MAX_LASTING_PRE_KEYS: usize = 64;
/// If fewer one-time prekeys are published, a refill is due.
pub const REFILL_BELOW: usize = 20;
/// One-time prekeys made at once.
pub const PRE_KEY_CHUNK: usize = 20;
/// Age at which the signed prekey and the last-resort prekey are replaced.
pub const ROTATE_PRE_KEYS: Duration = DAY.saturating_mul(2);
/// A device whose signed prekey is older must publish before it sends (X 6).
pub const MAX_OWN_PRE_KEY_AGE: Duration = DAY.saturating_mul(14);
/// Oldest bundle that is accepted (X 6).
pub const MAX_BUNDLE_AGE: Duration = DAY.saturating_mul(45);
/// How far the time of a bundle or a generation may lie ahead of our clock. Clocks are not synchronised (Sesame 2.2).
pub const MAX_CLOCK_SKEW: Duration = DAY;
/// How long a private prekey lives after it was replaced (X 6).
pub const KEEP_REPLACED_PRE_KEYS: Duration = DAY.saturating_mul(30);
/// How long the private half of a one-time prekey lives. A server hands the other half out for 90 days, and what uses it may wait in a
/// mailbox for 30 (X 6).
pub const KEEP_ONE_TIME_PRIVATE: Duration = DAY.saturating_mul(120);
/// Age at which the primary device signs its device list anew (X 5).
pub const RESIGN_LIST: Duration = DAY.saturating_mul(7);
/// Age at which a device list raises `DeviceListOld` (X 5).
pub const OLD_LIST: Duration = DAY.saturating_mul(35);
/// How long a linking code is valid (X 7).
pub const LINK_EXPIRY: Duration = Duration::from_secs(10 * 60);
/// How long after the code's expiry the answer of a link that both sides have confirmed is still given and taken
/// (X 7). Such a device stands on the signed list already, and a network may be away for an afternoon.
pub const LINK_ANSWER: Duration = DAY;
/// How long a hand-over of the primary's part may wait for the word of both apps.
pub const HANDOVER_EXPIRY: Duration = DAY;
/// Links that a primary has under way at once (X 7).
pub const MAX_LINKS: usize = 4;
/// Rounds of PBKDF2 behind the digits of a link (X 7): with them, trying 10^15 keys for one pair of digits is
/// 2^67 compressions of SHA-256.
pub const LINK_ROUNDS: u32 = 65_536;
/// How long an initiating session without an answer is used.
pub const MAX_UNANSWERED: Duration = DAY.saturating_mul(30);
/// Days for which what was sent is kept to be sent again, unless the app sets fewer (X 8). Mail waits longer, but who has been away for two weeks has
/// lost more than a session.
pub const KEEP_SENT_DAYS: u32 = 14;
/// How long it is known which envelopes went out, whatever the app has set: there is nothing of the messages in that.
pub const KEEP_SENT: Duration = DAY.saturating_mul(KEEP_SENT_DAYS);
/// How often a message is sent again to one device (X 8).
pub const MAX_RESENDS: u8 = 5;
/// Messages that are sent again to one device after one reset, the oldest: more would be a second mailbox.
pub const MAX_RESENT: usize = 256;
/// Envelopes that one retry asks for. The retry has the size of the smallest message.
pub const MAX_ASKED: usize = 32;
/// Retries to one device within [`RETRY_WINDOW`], and answers to its retries (X 8).
pub const MAX_RETRIES: usize = 4;
/// The time within which a device begins at most one session anew with another, and asks and answers at most [`MAX_RETRIES`] times.
pub const RETRY_WINDOW: Duration = HOUR;
/// The time between two questions to one device: the answer to the first one most likely brings what the second one would ask for.
pub const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Envelopes that were asked for and are remembered for one device, so that none is asked for twice.
pub const MAX_ASKED_BEFORE: usize = 256;
/// Envelopes that a device has asked for, and whose answer waits.
pub const MAX_HEARD: usize = 64;
/// How long the id of a received envelope is remembered (X 8).
pub const KEEP_RECEIVED_IDS: Duration = DAY.saturating_mul(30);
/// Ids of received envelopes kept for one peer device (X 8).
pub const MAX_RECEIVED_IDS: usize = 4_096;
/// Bytes of envelopes and contents held for one user whom our user knows (X 9).
pub const MAX_HELD_KNOWN: u64 = 256 * 1_024;
/// The same for any other user, of envelopes and contents and once more of group operations.
pub const MAX_HELD_OTHER: u64 = 64 * 1_024;
/// Bytes of group operations held for one user whom our user knows: the state of a large group comes in several messages. They are counted
/// apart from other held content, so that neither displaces the other.
pub const MAX_HELD_OPERATIONS: u64 = 1_024 * 1_024;
/// Bytes held in all (X 9). Group operations may use the same amount again.
pub const MAX_HELD: u64 = 4 * 1_024 * 1_024;
/// Of these, what may be held for users whom our user does not know: so they keep no contact out.
pub const MAX_HELD_OTHERS: u64 = MAX_HELD / 2;
/// Devices of one user whose operations were dropped and who are asked for them again.
pub const MAX_DROPPED: usize = 8;
/// Invitations to groups by one user whom our user does not know, that wait for an answer (X 11).
pub const MAX_INVITATIONS_OF_USER: u16 = 16;
/// Invitations of all of them.
pub const MAX_INVITATIONS: u16 = 256;
/// The longest time that a message may wait in a mailbox (Sesame 3.1).
pub const MAX_LATENCY: Duration = DAY.saturating_mul(30);
/// Age after which a session no longer encrypts (Sesame 4.2).
pub const MAX_SEND: Duration = DAY.saturating_mul(90);
/// Age after which a session no longer decrypts (Sesame 4.2).
pub const MAX_RECV: Duration = DAY.saturating_mul(160);
/// Bytes of envelopes that one request submits, but for a batch that is larger by itself.
pub const MAX_SUBMITTED: usize = 1_024 * 1_024;
/// Items in the inbox beyond which no mail is fetched.
pub const MAX_INBOX_ITEMS: usize = 4_096;
/// Bytes of the inbox beyond which no mail is fetched.
pub const MAX_INBOX_BYTES: usize = 16 * 1_024 * 1_024;
/// Age at which a send that is not settled is given up.
pub const MAX_SEND_AGE: Duration = DAY.saturating_mul(30);
/// The time between two rounds of housekeeping.
pub const HOUSEKEEPING: Duration = DAY;
/// Largest body of a request or of its answer, in bytes: 32 of the largest envelopes have 3.2 MiB.
pub const MAX_EXCHANGE: usize = 4 * 1_024 * 1_024;
/// Users whose device lists one request asks for.
pub const MAX_LISTS_ASKED: usize = 100;
/// Devices whose prekey bundles one request asks for.
pub const MAX_BUNDLES_ASKED: usize = 64;
/// Batches in one request.
pub const MAX_BATCHES: usize = 64;
/// Envelopes that one request for mail asks for.
pub const MAX_MAIL: usize = 256;
/// Ids that one confirmation names.
pub const MAX_CONFIRMED: usize = MAX_BATCH;
/// Longest push value that the server keeps for a device, in bytes.
pub const MAX_PUSH: usize = 512;
/// Longest registration token, in bytes.
pub const MAX_TOKEN: usize = 1_024;
/// Most bytes in one leg of a link box.
pub const MAX_LINK_LEG: usize = 1_024 * 1_024;
/// Longest name of a server, in bytes. Request signatures cover the name.
pub const MAX_AUDIENCE: usize = 255;

/// Whether the three ages satisfy Sesame 4.2: `MAXRECV > MAXSEND + 2 * MAXLATENCY`.
///
/// ```
/// use sesame_core::limits::*;
/// assert!(ages_are_valid(MAX_LATENCY, MAX_SEND, MAX_RECV));
/// assert!(!ages_are_valid(MAX_LATENCY, MAX_SEND, MAX_SEND + 2 * MAX_LATENCY));
/// ```
#[must_use]
pub fn ages_are_valid(latency: Duration, send: Duration, recv: Duration) -> bool {
    recv > send.saturating_add(latency.saturating_mul(2))
}
