#ifndef SESAME_H
#define SESAME_H

/* Generated from ffi/src/capi by `cargo xtask header`. Do not edit. */

/* libsesame, the C face. This comment is the whole contract.
 *
 * STATUS. Every function that can fail gives a `sesame_status`, 0 for success. The last argument, `sesame_error *`, may be
 * NULL; else the call writes there what went wrong and where. A `sesame_error` is the caller's own and is never freed; its
 * `reason` is static. A call that fails has changed nothing and lost nothing.
 *
 * Each function says after `@return` what may go wrong in it, SESAME_STATUS_ left out. Any may also give NULL_POINTER,
 * BAD_STRUCT, BAD_HANDLE, REENTRANT, FORKED and INTERNAL. "The device's" are BUSY (another thread's call took over a
 * minute), CLOSED, POISONED and RANDOMNESS; "the store's" are the 4xx.
 *
 * HANDLES. A device, a registry, a session, a group and so on are numbers in structs of their own, given by value. Each is
 * looked up, so that one which was freed, is of another kind or was never given is SESAME_STATUS_BAD_HANDLE. Free each with
 * its `sesame_*_free`; freeing {0} does nothing; freeing twice is SESAME_STATUS_BAD_HANDLE. A handle may be freed while
 * calls on it run in other threads: they end as they would have. Registries, sessions and groups work on after the device
 * that gave them is freed.
 *
 * BYTES IN. A `sesame_slice` is a pointer and a length; NULL with length 0 is empty. The library copies what it keeps. Text
 * is UTF-8, without a zero byte at its end; a user is 1 to 64 bytes of it.
 *
 * RESULTS OUT. A call that gives more than a number gives a `sesame_result` and a pointer to a struct in it. The result
 * owns that struct and whatever it leads to, unchanged, until `sesame_result_free`, which also wipes it. An item of a list
 * lies behind a pointer, `list->items[i]->field`. A slice whose data is NULL stands for something absent. Outputs are
 * zeroed on entry, before inputs are read, and written on success.
 *
 * GROWTH. A struct begins with its size. When you fill one in, set `struct_size` to its sizeof and zero what you do not
 * set; when you read one, a field that a later version added is there only if `struct_size` reaches it. `sesame_slice`,
 * `sesame_address`, `sesame_error` and what a store's functions are given never change.
 *
 * THREADS. Any function may be called from any thread; calls over one device wait for each other. A store's functions run
 * in the thread that called, and must not call the library (SESAME_STATUS_REENTRANT), but for `sesame_rows_add`,
 * `sesame_wipe`, and what gives static text. In the child of a process that had called before it forked, every other call
 * gives SESAME_STATUS_FORKED: exec first.
 *
 * SECRETS. Keys never leave the library. Plaintexts and the store key are the caller's to wipe: `sesame_wipe`.
 *
 * What the library cannot check: that a pointer which is neither NULL nor misaligned leads to as much memory as you say,
 * and that the places of results overlap neither each other nor an input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(SESAME_STATIC)
#define SESAME_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(SESAME_STATIC)
#define SESAME_API __attribute__((visibility("default")))
#else
#define SESAME_API
#endif

/// The header's version as one number, to be compared with `sesame_version()`.
#define SESAME_VERSION_NUMBER (SESAME_VERSION_MAJOR * 1000000 + SESAME_VERSION_MINOR * 1000 + SESAME_VERSION_PATCH)

/// The version's first number.
#define SESAME_VERSION_MAJOR 0

/// The version's second number.
#define SESAME_VERSION_MINOR 1

/// The version's third number.
#define SESAME_VERSION_PATCH 0

/// Largest payload of a message, in bytes.
#define SESAME_MAX_PAYLOAD 65536

/// Users that a direct send may name.
#define SESAME_MAX_DIRECT_USERS 256

/// Members of a group.
#define SESAME_MAX_MEMBERS 1000

/// Envelopes in one `sesame_device_batch_decrypt`.
#define SESAME_MAX_BATCH 4096

/// Longest user id, in bytes.
#define SESAME_MAX_USER_ID 64

/// What a call gives. The hundreds say whose fault it was: 1 the calling app's, 2 another client's, 3 the server's, 4 the store's, 5 this
/// library's. Numbers are only ever added to: treat one that is not known by its hundreds.
enum sesame_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// It was done.
  SESAME_STATUS_OK = 0,
  /// An argument is outside its documented range.
  SESAME_STATUS_INVALID_ARGUMENT = 101,
  /// The batch is empty.
  SESAME_STATUS_EMPTY_BATCH = 102,
  /// More items than one call takes.
  SESAME_STATUS_TOO_MANY = 103,
  /// Called from inside a store's callback.
  SESAME_STATUS_REENTRANT = 104,
  /// Another call holds the device.
  SESAME_STATUS_BUSY = 105,
  /// The handle is closed.
  SESAME_STATUS_CLOSED = 106,
  /// No such user is known.
  SESAME_STATUS_UNKNOWN_USER = 107,
  /// No such group is known.
  SESAME_STATUS_UNKNOWN_GROUP = 108,
  /// The user's account key changed and was not accepted.
  SESAME_STATUS_IDENTITY_NOT_ACCEPTED = 109,
  /// Not a member of the group.
  SESAME_STATUS_NOT_A_MEMBER = 110,
  /// Only the primary device can do this.
  SESAME_STATUS_NOT_PRIMARY = 111,
  /// Already a member of the group.
  SESAME_STATUS_ALREADY_MEMBER = 112,
  /// There is no invitation to answer.
  SESAME_STATUS_NOT_INVITED = 113,
  /// Not a handle of this kind, or one that was freed.
  SESAME_STATUS_BAD_HANDLE = 114,
  /// A pointer is null.
  SESAME_STATUS_NULL_POINTER = 115,
  /// A struct or pointer is not laid out as the header says.
  SESAME_STATUS_BAD_STRUCT = 116,
  /// The group has more members than a group may have.
  SESAME_STATUS_GROUP_OVERFULL = 117,
  /// Not a linking code, or a mistyped one.
  SESAME_STATUS_LINK_MALFORMED = 120,
  /// The linking code has expired.
  SESAME_STATUS_LINK_EXPIRED = 121,
  /// The linking code was used already.
  SESAME_STATUS_LINK_USED = 122,
  /// The clocks of the two devices are too far apart.
  SESAME_STATUS_LINK_CLOCK = 123,
  /// The link was not confirmed on this side.
  SESAME_STATUS_LINK_NOT_CONFIRMED = 124,
  /// Somebody else took part in the link.
  SESAME_STATUS_LINK_MISMATCH = 125,
  /// The content id was used for another send.
  SESAME_STATUS_CONTENT_ID_IN_USE = 130,
  /// The payload is longer than one message carries.
  SESAME_STATUS_PAYLOAD_TOO_LARGE = 131,
  /// The send is not finished.
  SESAME_STATUS_NOT_A_FINISHED_SEND = 132,
  /// No such send is known.
  SESAME_STATUS_UNKNOWN_SEND = 133,
  /// The request is another device's.
  SESAME_STATUS_FOREIGN_REQUEST = 134,
  /// The device is not registered with a server yet.
  SESAME_STATUS_NOT_REGISTERED = 135,
  /// The app has cancelled the send.
  SESAME_STATUS_CANCELLED = 136,
  /// This device was removed from its own device list, or its account was deleted.
  SESAME_STATUS_DEVICE_REMOVED = 137,
  /// No such device is known.
  SESAME_STATUS_UNKNOWN_DEVICE = 138,
  /// The user has as many devices as a user may have.
  SESAME_STATUS_TOO_MANY_OWN_DEVICES = 139,
  /// Another signed list of this user waits for the app's word.
  SESAME_STATUS_OWN_LIST_NOT_ADOPTED = 140,
  /// This hand-over of the primary's part has ended, or is not known.
  SESAME_STATUS_HANDOVER_ENDED = 141,
  /// The bytes end too early.
  SESAME_STATUS_TRUNCATED = 201,
  /// Bytes follow the end.
  SESAME_STATUS_TRAILING_DATA = 202,
  /// Not the canonical encoding.
  SESAME_STATUS_NON_CANONICAL = 203,
  /// A length exceeds its limit.
  SESAME_STATUS_TOO_LARGE = 204,
  /// This version or suite is not supported.
  SESAME_STATUS_UNSUPPORTED_VERSION = 205,
  /// This type is not known.
  SESAME_STATUS_UNKNOWN_TYPE = 206,
  /// The public key is not in the prime-order group.
  SESAME_STATUS_WEAK_PUBLIC_KEY = 207,
  /// The public key is not canonically encoded.
  SESAME_STATUS_BAD_KEY_ENCODING = 208,
  /// Authentication failed.
  SESAME_STATUS_AUTHENTICATION_FAILED = 209,
  /// Addressed to another device.
  SESAME_STATUS_WRONG_RECIPIENT = 210,
  /// No session matches.
  SESAME_STATUS_NO_SESSION = 211,
  /// The message skips more than the limit.
  SESAME_STATUS_TOO_FAR_AHEAD = 212,
  /// This message was already received.
  SESAME_STATUS_DUPLICATE = 213,
  /// The message key is gone.
  SESAME_STATUS_MESSAGE_KEY_EXPIRED = 214,
  /// The prekey is not known.
  SESAME_STATUS_UNKNOWN_PRE_KEY = 215,
  /// The one-time prekey was already used.
  SESAME_STATUS_PRE_KEY_USED = 216,
  /// The initiation message is a replay.
  SESAME_STATUS_REPLAYED_INITIATION = 217,
  /// The sender's account key changed.
  SESAME_STATUS_IDENTITY_CHANGED = 218,
  /// The padding is malformed.
  SESAME_STATUS_BAD_PADDING = 219,
  /// The content does not belong in this scope.
  SESAME_STATUS_WRONG_SCOPE = 220,
  /// The device is not on the signed list.
  SESAME_STATUS_NOT_LISTED = 221,
  /// The envelope's gate does not match.
  SESAME_STATUS_FORGED = 222,
  /// The peer used an index twice.
  SESAME_STATUS_REUSED_INDEX = 223,
  /// The session is of a time that has not come yet.
  SESAME_STATUS_TOO_EARLY = 224,
  /// The message lies so far ahead that a later call opens it.
  SESAME_STATUS_TOO_MANY_STEPS = 226,
  /// Another group with this id is known.
  SESAME_STATUS_GROUP_EXISTS = 230,
  /// The author is not a member of the group.
  SESAME_STATUS_AUTHOR_NOT_MEMBER = 231,
  /// Nobody may do this in a group.
  SESAME_STATUS_FORBIDDEN_OPERATION = 232,
  /// The group operation is outside its bounds.
  SESAME_STATUS_MALFORMED_OPERATION = 233,
  /// Operations before this one are missing.
  SESAME_STATUS_MISSING_PARENTS = 234,
  /// More group operations than the limit.
  SESAME_STATUS_TOO_MANY_OPERATIONS = 235,
  /// This kind of group is not known.
  SESAME_STATUS_UNKNOWN_GROUP_KIND = 236,
  /// The bundle belongs to another device.
  SESAME_STATUS_BUNDLE_MISMATCH = 301,
  /// A signature does not verify.
  SESAME_STATUS_BAD_SIGNATURE = 302,
  /// One key stands in two places.
  SESAME_STATUS_KEY_REUSE = 303,
  /// A prekey id is malformed.
  SESAME_STATUS_BAD_PRE_KEY_ID = 304,
  /// The bundle is too old.
  SESAME_STATUS_BUNDLE_EXPIRED = 305,
  /// A device is named twice.
  SESAME_STATUS_DUPLICATE_DEVICE = 306,
  /// The device list is empty.
  SESAME_STATUS_EMPTY_LIST = 307,
  /// More devices than the limit.
  SESAME_STATUS_TOO_MANY_DEVICES = 308,
  /// The device list is older than the known one.
  SESAME_STATUS_DEVICE_LIST_ROLLBACK = 309,
  /// Another signed list of the user contradicts the known one.
  SESAME_STATUS_DEVICE_LIST_FORK = 310,
  /// The device list's history does not match.
  SESAME_STATUS_BROKEN_CHAIN = 311,
  /// The device list belongs to another user.
  SESAME_STATUS_WRONG_USER = 312,
  /// The server refused the send too often.
  SESAME_STATUS_TOO_MANY_ROUNDS = 313,
  /// The server's answer is not backed by a signed list.
  SESAME_STATUS_SERVER_INCONSISTENT = 314,
  /// The server gave no answer.
  SESAME_STATUS_SERVER_UNREACHABLE = 320,
  /// The server's answer is not what the request asks for.
  SESAME_STATUS_SERVER_ANSWER = 321,
  /// The server asks to try again later.
  SESAME_STATUS_SERVER_BUSY = 322,
  /// The server does not accept the request's signature.
  SESAME_STATUS_SERVER_UNAUTHORIZED = 323,
  /// The server refuses to register the device.
  SESAME_STATUS_REGISTRATION_REFUSED = 324,
  /// The server shows a signed list without this device.
  SESAME_STATUS_REMOVED_FROM_ACCOUNT = 325,
  /// The send was cancelled after a request had left.
  SESAME_STATUS_MAYBE_SENT = 326,
  /// The send was not finished in time.
  SESAME_STATUS_EXPIRED = 327,
  /// The recipient's mailbox is full.
  SESAME_STATUS_MAILBOX_FULL = 328,
  /// The server does not deliver this.
  SESAME_STATUS_REFUSED_BY_POLICY = 329,
  /// The recipient's devices have changed.
  SESAME_STATUS_STALE_VIEW = 330,
  /// The inbox is full.
  SESAME_STATUS_INBOX_FULL = 331,
  /// The store is locked.
  SESAME_STATUS_STORE_BUSY = 401,
  /// The store failed to read or write.
  SESAME_STATUS_STORE_IO = 402,
  /// The store is full.
  SESAME_STATUS_STORE_FULL = 403,
  /// The store is read-only.
  SESAME_STATUS_STORE_READ_ONLY = 404,
  /// The store was sealed under another key.
  SESAME_STATUS_WRONG_KEY = 405,
  /// A stored record does not open.
  SESAME_STATUS_RECORD_CORRUPT = 406,
  /// A stored record contradicts another.
  SESAME_STATUS_RECORD_INCONSISTENT = 407,
  /// The store is older than it was.
  SESAME_STATUS_ROLLBACK_DETECTED = 408,
  /// The store was written by a newer version.
  SESAME_STATUS_NEWER_FORMAT = 409,
  /// The store belongs to another device, or holds none.
  SESAME_STATUS_FOREIGN_STORE = 410,
  /// It is unknown whether the commit landed.
  SESAME_STATUS_OUTCOME_UNKNOWN = 411,
  /// The app's store does not keep its contract.
  SESAME_STATUS_STORE_MISBEHAVES = 412,
  /// The folder of the store is not there.
  SESAME_STATUS_STORE_PATH_MISSING = 413,
  /// The path of the store does not lead to a file.
  SESAME_STATUS_STORE_PATH_NOT_A_FILE = 414,
  /// The file is not a store of this library.
  SESAME_STATUS_NOT_A_STORE = 415,
  /// A fault in the library.
  SESAME_STATUS_INTERNAL = 501,
  /// An earlier fault made the handle unusable.
  SESAME_STATUS_POISONED = 502,
  /// No randomness could be had.
  SESAME_STATUS_RANDOMNESS = 503,
  /// The process was forked.
  SESAME_STATUS_FORKED = 504,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_status sesame_status;
#else
typedef int32_t sesame_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// How a group's messages travel.
enum sesame_group_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// A ratchet for each pair of devices, apart from their direct one.
  SESAME_GROUP_KIND_PAIRWISE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_group_kind sesame_group_kind;
#else
typedef uint32_t sesame_group_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// How our user stands in a group.
enum sesame_standing
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Our user has left, or was never a member.
  SESAME_STANDING_LEFT = 1,
  /// Our user has left and is asked back.
  SESAME_STANDING_INVITED = 2,
  /// Our user is a member.
  SESAME_STANDING_MEMBER = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_standing sesame_standing;
#else
typedef uint32_t sesame_standing;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What an operation did.
enum sesame_act
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// The author accepted an invitation back.
  SESAME_ACT_ACCEPTED = 1,
  /// The author added these users, or asked them back. Sets `users`.
  SESAME_ACT_ADDED = 2,
  /// The author made the group. Sets `change`.
  SESAME_ACT_CREATED = 3,
  /// The author declined an invitation back.
  SESAME_ACT_DECLINED = 4,
  /// The author left.
  SESAME_ACT_LEFT = 5,
  /// The author's user took this device off the device list. Sets `retired`.
  SESAME_ACT_RETIRED = 6,
  /// The author changed the info. Sets `change`.
  SESAME_ACT_UPDATED = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_act sesame_act;
#else
typedef uint32_t sesame_act;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a request asks of the server.
enum sesame_request_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Bundles of prekeys.
  SESAME_REQUEST_KIND_BUNDLES = 1,
  /// Envelopes that are stored here may be deleted there.
  SESAME_REQUEST_KIND_CONFIRM = 2,
  /// The account is deleted.
  SESAME_REQUEST_KIND_DELETE = 3,
  /// A step of linking another device.
  SESAME_REQUEST_KIND_LINK = 4,
  /// Device lists.
  SESAME_REQUEST_KIND_LISTS = 5,
  /// The mailbox.
  SESAME_REQUEST_KIND_MAIL = 6,
  /// The device list and prekeys are uploaded.
  SESAME_REQUEST_KIND_PUBLICATION = 7,
  /// Where the server may knock.
  SESAME_REQUEST_KIND_PUSH = 8,
  /// Batches.
  SESAME_REQUEST_KIND_SUBMIT = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_request_kind sesame_request_kind;
#else
typedef uint32_t sesame_request_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// How a device stands with us.
enum sesame_device_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Listed, with a usable session.
  SESAME_DEVICE_STATE_ACTIVE = 1,
  /// Listed; the next send initiates a session.
  SESAME_DEVICE_STATE_NO_SESSION = 2,
  /// No longer listed; kept for late messages.
  SESAME_DEVICE_STATE_STALE = 3,
  /// It is this device.
  SESAME_DEVICE_STATE_OWN = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_device_state sesame_device_state;
#else
typedef uint32_t sesame_device_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What the server saw.
enum sesame_seen_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// A bundle of `device` of `user` was handed out.
  SESAME_SEEN_KIND_BUNDLE_FETCHED = 1,
  /// A device list or prekeys of `size` bytes came up from `device` of `user`.
  SESAME_SEEN_KIND_PUBLISHED = 2,
  /// A batch for `recipient` came from `device` of `user`.
  SESAME_SEEN_KIND_SUBMITTED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_seen_kind sesame_seen_kind;
#else
typedef uint32_t sesame_seen_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What has become of a send for one user.
enum sesame_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// The app has withdrawn it.
  SESAME_OUTCOME_CANCELLED = 1,
  /// It was given up: none of the user's devices has got it.
  SESAME_OUTCOME_FAILED = 2,
  /// The server has taken it, for one of the user's devices at least.
  SESAME_OUTCOME_SENT = 3,
  /// It is not settled.
  SESAME_OUTCOME_WAITING = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_outcome sesame_outcome;
#else
typedef uint32_t sesame_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a send that is not settled waits for.
enum sesame_waiting_for
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// The app's decision on a changed account key.
  SESAME_WAITING_FOR_IDENTITY = 1,
  /// Nothing: it is settled.
  SESAME_WAITING_FOR_NOTHING = 2,
  /// An upload of this device's own prekeys.
  SESAME_WAITING_FOR_PUBLICATION = 3,
  /// The server: requests are due, or under way.
  SESAME_WAITING_FOR_SERVER = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_waiting_for sesame_waiting_for;
#else
typedef uint32_t sesame_waiting_for;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What has become of an envelope.
enum sesame_mail_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// It was received before.
  SESAME_MAIL_OUTCOME_DUPLICATE = 1,
  /// It waits in the store until the app accepts a changed identity, its group is known, or its time has come.
  SESAME_MAIL_OUTCOME_HELD = 2,
  /// The store failed on it, and it may open later.
  SESAME_MAIL_OUTCOME_LATER = 3,
  /// It was opened.
  SESAME_MAIL_OUTCOME_OPENED = 4,
  /// It will never open.
  SESAME_MAIL_OUTCOME_REFUSED = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_mail_outcome sesame_mail_outcome;
#else
typedef uint32_t sesame_mail_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What happened.
enum sesame_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// Something that this version of the header has no name for.
  SESAME_EVENT_KIND_OTHER = 0,
  /// A newer signed device list of a user was taken. Sets `user`, `added`, `removed`.
  SESAME_EVENT_KIND_DEVICE_LIST_CHANGED = 1,
  /// Two signed lists of a user contradict each other, or the newer one could not be proved to follow the other for a day. Sends
  /// go only to devices on both, until `sesame_registry_resolve_fork` names one. Sets `user`, `known`, `other`, `known_hash`,
  /// `other_hash`.
  SESAME_EVENT_KIND_DEVICE_LIST_FORK = 2,
  /// The newest list of a user is older than 35 days. Sets `user`.
  SESAME_EVENT_KIND_DEVICE_LIST_OLD = 4,
  /// An older list than the known one was offered and refused. Sets `user`, `epoch`.
  SESAME_EVENT_KIND_DEVICE_LIST_ROLLBACK = 5,
  /// Messages of a device are missing: they are lost, withheld, withdrawn by their sender, or still to come. Sets `user`,
  /// `device`, `group`, `first`, `last`.
  SESAME_EVENT_KIND_GAP = 6,
  /// Users are members of a group now: `user` added them, or is the one who accepted an invitation. Sets `group`, `user`,
  /// `device`, `users`.
  SESAME_EVENT_KIND_GROUP_ADDED = 7,
  /// A device signed two operations under one number: it told different things to different members. Both count. Sets `group`,
  /// `user`, `device`, `known`, `other`.
  SESAME_EVENT_KIND_GROUP_EQUIVOCATION = 9,
  /// Our user is asked into a group, by somebody whom they do not know, or back after a leave: the group's `sesame_group_accept`
  /// or `sesame_group_decline` answers. Without an answer to somebody unknown it is gone after 30 days. Sets `group`, `user`,
  /// `device`.
  SESAME_EVENT_KIND_GROUP_INVITED = 10,
  /// Our user is a member of a group now: `user` made the group or added ours. Sets `group`, `forked_from`, `user`, `device`.
  SESAME_EVENT_KIND_GROUP_JOINED = 11,
  /// A member has left a group. Sets `group`, `user`, `device`.
  SESAME_EVENT_KIND_GROUP_LEFT = 12,
  /// Users are no members of a group after all: a device that its user has taken off the list had added them. Any member may add
  /// them again. Sets `group`, `users`.
  SESAME_EVENT_KIND_GROUP_REVOKED = 13,
  /// A group's name or other info was changed. Sets `group`, `user`, `device`, `operation`.
  SESAME_EVENT_KIND_GROUP_UPDATED = 14,
  /// What was held for a user was dropped for its age or its size. Sets `user`.
  SESAME_EVENT_KIND_HELD_DROPPED = 15,
  /// A prekey bundle that is older than 14 days was used: the device may be idle. Sets `user`, `device`.
  SESAME_EVENT_KIND_IDLE_DEVICE = 16,
  /// Another account key claims a user. Sends to the user wait, and what arrives is held, until the app accepts the key. Sets
  /// `user`, `pinned`, `claimed`, `was_verified`.
  SESAME_EVENT_KIND_IDENTITY_CHANGED = 17,
  /// The server refused a batch and showed no newer list. Sets `user`.
  SESAME_EVENT_KIND_SERVER_INCONSISTENT = 18,
  /// Another device has begun a session with this one. Sets `user`, `device`, `session_id`.
  SESAME_EVENT_KIND_SESSION_STARTED = 19,
  /// An envelope of a known device could not be opened: what it said is lost, unless the sender says it again. Sets `user`,
  /// `device`, `reason`.
  SESAME_EVENT_KIND_NOT_OPENED = 20,
  /// The server refused this device as a new one: its name is taken, or the token is not good. Sets `user`.
  SESAME_EVENT_KIND_REGISTRATION_REFUSED = 21,
  /// This device is off its user's list: nothing more goes out or comes in. Sets `epoch`.
  SESAME_EVENT_KIND_REMOVED_FROM_ACCOUNT = 22,
  /// A send is settled with every user: the server has taken it, or it was given up. Sets `send`, `content_id`, `group`,
  /// `reached`, `failed`, `skipped`.
  SESAME_EVENT_KIND_SEND_FINISHED = 23,
  /// The server's store was put back to an earlier state, and this device uploads its keys again.
  SESAME_EVENT_KIND_SERVER_RESTORED = 24,
  /// One of the user's devices has logged out and asks this one, the primary, to remove it. Sets `device`.
  SESAME_EVENT_KIND_DEVICE_WANTS_REMOVAL = 25,
  /// Dishonest members have filled a group: it takes nothing but leaves and retirements any more. The others go on in a fork.
  /// Sets `group`.
  SESAME_EVENT_KIND_GROUP_FULL = 26,
  /// Adds that did not know of each other have made more than 1,000 members: nothing but leaves is said there. `fork_without`
  /// goes on without those whom the adders made up. Sets `group`, `users`.
  SESAME_EVENT_KIND_GROUP_OVERFULL = 27,
  /// There is a list of our own user that the account key has signed and this device, which signs them, has not: its store was
  /// put back to an earlier state, or somebody else has the account key. Until `adopt_own_list` takes it or
  /// `sesame_registry_resolve_fork` rejects it, no list goes up. Sets `known`, `other`, `known_hash`, `other_hash`.
  SESAME_EVENT_KIND_OWN_LIST_AHEAD = 28,
  /// Rows of the store do not open: bytes have changed where they lie. What one of them held is lost, and nothing else. Told with
  /// each housekeeping that meets such rows. `forget` of the contact or group that a row belongs to is the way out (rules,
  /// section 9). Sets `rows`.
  SESAME_EVENT_KIND_STORE_DAMAGED = 29,
  /// The primary offers its part to this device: the app shows the digits, and calls `confirm_handover` if the user sees the same
  /// ones there. Sets `device`, `digits`, `handover`.
  SESAME_EVENT_KIND_HANDOVER_OFFERED = 30,
  /// Messages went out to a device again, because it could not open them. Sets `user`, `device`, `messages`.
  SESAME_EVENT_KIND_RESENT = 31,
  /// This device and another one have begun anew, because one of them could not open what the other one said: its store was put
  /// back or damaged, or its app said so. What was lost meanwhile is sent again, as far as it is kept. Sets `user`, `device`,
  /// `by_us`.
  SESAME_EVENT_KIND_SESSION_RESET = 32,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_event_kind sesame_event_kind;
#else
typedef uint32_t sesame_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// What a function of the app's store gives; any other number counts as a fault of the store. Nothing but `SESAME_STORE_OUTCOME_OK`
/// and `SESAME_STORE_OUTCOME_UNKNOWN` may have changed anything.
enum sesame_store_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /// It was done.
  SESAME_STORE_OUTCOME_OK = 0,
  /// Of a commit: the generation has moved on.
  SESAME_STORE_OUTCOME_CONFLICT = 1,
  /// Another process holds it.
  SESAME_STORE_OUTCOME_BUSY = 401,
  /// It failed to read or write.
  SESAME_STORE_OUTCOME_IO = 402,
  /// No space is left.
  SESAME_STORE_OUTCOME_FULL = 403,
  /// It cannot be written.
  SESAME_STORE_OUTCOME_READ_ONLY = 404,
  /// Of a commit: the store cannot say whether it landed; the generation will.
  SESAME_STORE_OUTCOME_UNKNOWN = 411,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum sesame_store_outcome sesame_store_outcome;
#else
typedef int32_t sesame_store_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// Bytes that somebody else owns. `data` may be NULL when `len` is 0. Text is UTF-8 and needs no zero byte at its end.
typedef struct sesame_slice {
  /// Where they begin.
  const uint8_t *data;
  /// How many they are.
  size_t len;
} sesame_slice;

/// A clock for tests.
typedef struct sesame_clock {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_clock;

/// What went wrong, in memory of the caller's: nothing in it is ever freed. Its size will not change.
typedef struct sesame_error {
  /// The same as the call gave.
  sesame_status status;
  /// Which argument it is about, as text; empty if it is about none.
  char field[36];
  /// Which item of a list it is about, from 0; -1 if it is about none.
  int64_t item;
  /// What happened, as static text in UTF-8 that holds neither secrets nor bytes of others.
  const char *reason;
  /// For an error of the store: its path with the system's cause, or what the app's own store said. For a call at the wrong time: what to do.
  /// Text in UTF-8; else empty.
  char detail[520];
  /// Zeros.
  uint64_t reserved[4];
} sesame_error;

/// Where a device lives.
typedef struct sesame_store {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_store;

/// A device of a user's: this device.
typedef struct sesame_device {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_device;

/// What a call gave: it owns every struct, list and slice of the view that came with it, until `sesame_result_free`.
typedef struct sesame_result {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_result;

/// Users, their devices, and whom to trust.
typedef struct sesame_registry {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_registry;

/// The session with one device: what is active now, whatever was before.
typedef struct sesame_session {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_session;

/// New values for a group's info; what is NULL stays.
typedef struct sesame_group_change {
  /// The size of this struct.
  size_t struct_size;
  /// At most 256 bytes of UTF-8.
  const struct sesame_slice *name;
  /// At most 2,048 bytes of UTF-8.
  const struct sesame_slice *description;
  /// Where a picture is, as the app says; at most 1,024 bytes.
  const struct sesame_slice *picture;
  /// After how many seconds messages should disappear; 0 for never.
  const uint32_t *timer;
  /// The app's own; at most 4,096 bytes.
  const struct sesame_slice *app_data;
} sesame_group_change;

/// One group.
typedef struct sesame_group {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_group;

/// A send on its way: the loop of requests brings it to its end, which `SendFinished`(crate::event::Event::SendFinished) tells.
typedef struct sesame_send {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The send's id, 16 bytes.
  struct sesame_slice id;
  /// The message's id, 16 bytes: it travels inside, the same in every copy.
  struct sesame_slice content_id;
} sesame_send;

/// One device of one user.
typedef struct sesame_address {
  /// The user, 1 to 64 bytes of UTF-8.
  struct sesame_slice user;
  /// The device.
  uint32_t device;
} sesame_address;

/// A group, as this device knows it.
typedef struct sesame_group_view {
  /// The size of this struct in the library.
  size_t struct_size;
  /// GroupID, 32 bytes.
  struct sesame_slice id;
  /// How its messages travel.
  sesame_group_kind kind;
  /// Member, invited, or left.
  sesame_standing standing;
  /// The members, rising by user.
  const struct sesame_slice *members;
  /// How many.
  size_t member_count;
  /// At most 256 bytes.
  struct sesame_slice name;
  /// At most 2,048 bytes.
  struct sesame_slice description;
  /// Where a picture is, as the app says; at most 1,024 bytes.
  struct sesame_slice picture;
  /// After how many seconds messages should disappear; 0 for never.
  uint32_t timer;
  /// The app's own; at most 4,096 bytes.
  struct sesame_slice app_data;
  /// Devices that had other operations when they were last heard.
  const struct sesame_address *diverged;
  /// How many.
  size_t diverged_count;
  /// Members whom this device knows under an account key that the group does not name. Nothing is sent to them there; direct messages
  /// and other groups are not touched.
  const struct sesame_slice *conflicts;
  /// How many.
  size_t conflict_count;
} sesame_group_view;

/// Groups.
typedef struct sesame_groups {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The groups.
  const struct sesame_group_view *const *items;
  /// How many.
  size_t count;
} sesame_groups;

/// A link that the primary has begun, before its app confirms it.
typedef struct sesame_pending_link {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The link's name, 16 bytes.
  struct sesame_slice id;
  /// 15 decimal digits. The app shows them, and goes on only if the user sees the same ones on the new device.
  struct sesame_slice digits;
  /// When the link can no longer be confirmed, in ms since 1970, by the new device's clock.
  uint64_t expires_at;
} sesame_pending_link;

/// A hand-over that the primary has offered.
typedef struct sesame_handover {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The name of the hand-over, the same on both devices, 16 bytes.
  struct sesame_slice id;
  /// The other device.
  uint32_t device;
  /// 15 decimal digits. The app shows them, and goes on only if the user sees the same ones on the other device.
  struct sesame_slice digits;
} sesame_handover;

/// A session, as this device knows it.
typedef struct sesame_session_view {
  /// The size of this struct in the library.
  size_t struct_size;
  /// SessionID, 32 bytes, equal at both ends.
  struct sesame_slice id;
  /// The session's place in the order.
  uint64_t generation;
  /// Whether no answer has come yet.
  bool initiating;
  /// Messages that this device has sent to that one, over all sessions.
  uint64_t sent;
  /// Messages accepted on this session.
  uint64_t received;
  /// Other sessions that are kept for late messages.
  size_t inactive;
} sesame_session_view;

/// One operation of a group.
typedef struct sesame_history_entry {
  /// The size of this struct in the library.
  size_t struct_size;
  /// OperationID, 32 bytes: the hash of what was signed.
  struct sesame_slice id;
  /// The authenticated author.
  struct sesame_slice user;
  /// The author's device.
  uint32_t device;
  /// What the operation did.
  sesame_act act;
  /// The users.
  const struct sesame_slice *users;
  /// How many.
  size_t user_count;
  /// The device.
  uint32_t retired;
  /// The new values; or NULL.
  const struct sesame_group_change *change;
  /// Whether the operation counts. It does not if its author had left, had lost the device, or never was a member.
  bool counts;
} sesame_history_entry;

/// All operations, in an order that is the same for all members.
typedef struct sesame_history {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The operations.
  const struct sesame_history_entry *const *items;
  /// How many.
  size_t count;
} sesame_history;

/// What one message to a group costs.
typedef struct sesame_cost {
  /// The size of this struct in the library.
  size_t struct_size;
  /// One for each device of each member, but for the sending one.
  size_t envelopes;
  /// Bytes of all envelopes on the wire.
  uint64_t bytes;
  /// Members whose device list is not known yet, so that their devices are not counted.
  const struct sesame_slice *unknown;
  /// How many.
  size_t unknown_count;
} sesame_cost;

/// A new device that waits for its primary's answer.
typedef struct sesame_linking {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_linking;

/// A header of a request.
typedef struct sesame_header {
  /// The size of this struct in the library.
  size_t struct_size;
  /// Its name.
  struct sesame_slice name;
  /// Its value.
  struct sesame_slice value;
} sesame_header;

/// One request to the server: a POST of `body` to `path`. Send it within a minute, and do not store it: the device gives it out
/// again.
typedef struct sesame_server_request {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The request's id, for `respond`, 16 bytes.
  struct sesame_slice id;
  /// What it asks.
  sesame_request_kind kind;
  /// The path of the URL.
  struct sesame_slice path;
  /// The headers, the content type among them.
  const struct sesame_header *const *headers;
  /// How many.
  size_t header_count;
  /// The body.
  struct sesame_slice body;
  /// The users that it is about, to look at.
  const struct sesame_slice *users;
  /// How many.
  size_t user_count;
} sesame_server_request;

/// What came of an answer.
typedef struct sesame_answered {
  /// The size of this struct in the library.
  size_t struct_size;
  /// Whether the request was waiting for an answer. A late or a repeated answer changes nothing.
  bool known;
  /// Items that are new in the inbox.
  const uint64_t *items;
  /// How many.
  size_t item_count;
  /// Sends that changed.
  const struct sesame_slice *sends;
  /// How many.
  size_t send_count;
  /// The number of the code that says why the requests pause, or 0.
  uint32_t problem;
} sesame_answered;

/// A user, as this device knows it.
typedef struct sesame_user_view {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user id.
  struct sesame_slice user;
  /// The pinned account key, 32 bytes.
  struct sesame_slice account_key;
  /// Another account key that waits for `sesame_registry_accept_identity`, 32 bytes; or absent.
  struct sesame_slice claimed_key;
  /// Whether the app compared safety numbers.
  bool verified;
  /// Whether two signed lists contradict each other.
  bool forked;
  /// Whether the server said that there is no such user.
  bool paused;
  /// The epoch of the newest list, or 0.
  uint64_t epoch;
  /// The hash of the newest list, 32 bytes; absent without one.
  struct sesame_slice list_hash;
  /// In a fork, the hash of the other list, 32 bytes; or absent.
  struct sesame_slice other_hash;
} sesame_user_view;

/// Users.
typedef struct sesame_users {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The users.
  const struct sesame_user_view *const *items;
  /// How many.
  size_t count;
} sesame_users;

/// A device, as this device knows it.
typedef struct sesame_device_view {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The DeviceID.
  uint32_t device;
  /// Active, no session, or stale.
  sesame_device_state state;
  /// The device's Ed25519 key, 32 bytes.
  struct sesame_slice signing_key;
  /// IK, 32 bytes.
  struct sesame_slice identity_key;
  /// The active session, 32 bytes; or absent.
  struct sesame_slice session_id;
} sesame_device_view;

/// Devices, rising by id.
typedef struct sesame_devices {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The devices.
  const struct sesame_device_view *const *items;
  /// How many.
  size_t count;
} sesame_devices;

/// A whole server in memory, for a first try and for tests.
typedef struct sesame_relay {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_relay;

/// What lies in a mailbox.
typedef struct sesame_mailbox {
  /// The size of this struct in the library.
  size_t struct_size;
  /// Its envelopes, oldest first.
  const struct sesame_slice *envelopes;
  /// How many.
  size_t envelope_count;
} sesame_mailbox;

/// One envelope, as the server sees it.
typedef struct sesame_seen_envelope {
  /// The size of this struct in the library.
  size_t struct_size;
  /// For which device.
  uint32_t device;
  /// How many bytes.
  size_t size;
  /// Whether it is an initiation message.
  bool initiation;
} sesame_seen_envelope;

/// One thing that the server saw.
typedef struct sesame_seen {
  /// The size of this struct in the library.
  size_t struct_size;
  /// What it was.
  sesame_seen_kind kind;
  /// The device.
  uint32_t device;
  /// The user of the device.
  struct sesame_slice user;
  /// How many bytes, of a publication.
  size_t size;
  /// For whom, of a batch.
  struct sesame_slice recipient;
  /// Its envelopes.
  const struct sesame_seen_envelope *const *envelopes;
  /// How many.
  size_t envelope_count;
  /// Devices that it skips.
  const uint32_t *skipped;
  /// How many.
  size_t skipped_count;
  /// Whether it was taken.
  bool accepted;
} sesame_seen;

/// Envelopes that wait for a device.
typedef struct sesame_waiting {
  /// The size of this struct in the library.
  size_t struct_size;
  /// For whom.
  struct sesame_slice user;
  /// For which device.
  uint32_t device;
  /// How many.
  size_t count;
} sesame_waiting;

/// All that the server holds and has seen.
typedef struct sesame_relay_view {
  /// The size of this struct in the library.
  size_t struct_size;
  /// What it saw, in order.
  const struct sesame_seen *const *seen;
  /// How many.
  size_t seen_count;
  /// Mailboxes.
  const struct sesame_waiting *const *waiting;
  /// How many.
  size_t waiting_count;
} sesame_relay_view;

/// How a device stands with its server.
typedef struct sesame_health {
  /// The size of this struct in the library.
  size_t struct_size;
  /// Whether the server has this device's prekeys, and the list that names it.
  bool registered;
  /// The number of the code that says why nothing goes on, or 0.
  uint32_t problem;
  /// The time until `next_request` has something to give, in ms; 0 when it has now.
  uint64_t due_in;
  /// The number of sends that are not finished.
  uint32_t open_sends;
  /// The number of items in the inbox.
  uint32_t inbox;
  /// The number of envelopes that the server still had at the last fetch.
  uint32_t mail_left;
  /// The server's clock less ours, in ms, as far as it has said.
  int64_t clock_offset;
} sesame_health;

/// A listed device that gets nothing.
typedef struct sesame_skipped {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The device.
  uint32_t device;
  /// The number of the code that says why.
  uint32_t reason;
} sesame_skipped;

/// How a send stands with one user.
typedef struct sesame_user_status {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user.
  struct sesame_slice user;
  /// What has become of it.
  sesame_outcome outcome;
  /// What it waits for.
  sesame_waiting_for waiting_for;
  /// The number of devices that it was sent to.
  uint32_t reached;
  /// Listed devices that got nothing, and why.
  const struct sesame_skipped *const *skipped;
  /// How many.
  size_t skipped_count;
  /// The number of the code that says why it failed or was cancelled, or 0.
  uint32_t reason;
} sesame_user_status;

/// How a send stands.
typedef struct sesame_send_status {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The send's id, 16 bytes.
  struct sesame_slice id;
  /// The message's id, 16 bytes.
  struct sesame_slice content_id;
  /// The group that it was sent to, 32 bytes; absent for a direct send.
  struct sesame_slice group;
  /// The app's bytes; empty for an act in a group.
  struct sesame_slice payload;
  /// Whether it is settled with every user. Copies for the sender's own devices do not count.
  bool finished;
  /// How it stands with each user, rising by user.
  const struct sesame_user_status *const *users;
  /// How many.
  size_t user_count;
} sesame_send_status;

/// Sends, oldest first.
typedef struct sesame_sends {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The sends.
  const struct sesame_send_status *const *items;
  /// How many.
  size_t count;
} sesame_sends;

/// One ciphertext for one device.
typedef struct sesame_outgoing {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The device that it is for.
  uint32_t device;
  /// The encoded envelope.
  struct sesame_slice envelope;
} sesame_outgoing;

/// One user's ciphertexts: all of them go to the server together, or none.
typedef struct sesame_batch {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user whose devices they are for.
  struct sesame_slice user;
  /// Whether it is for one device alone, so that the server does not compare it with the list.
  bool targeted;
  /// One for each device, rising by device.
  const struct sesame_outgoing *const *envelopes;
  /// How many.
  size_t envelope_count;
  /// Listed devices that get nothing, and why; the server counts them as named.
  const struct sesame_skipped *const *skips;
  /// How many.
  size_t skip_count;
} sesame_batch;

/// Batches, rising by user.
typedef struct sesame_batches {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The batches.
  const struct sesame_batch *const *items;
  /// How many.
  size_t count;
} sesame_batches;

/// The device that an envelope says it comes from.
typedef struct sesame_sender {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user.
  struct sesame_slice user;
  /// The user's device.
  uint32_t device;
  /// Whether the envelope's gate fits the keys that we know for this device. If not, anybody may have written this address on the
  /// envelope.
  bool authenticated;
} sesame_sender;

/// What has become of one envelope, and what to do with it.
typedef struct sesame_mail_result {
  /// The size of this struct in the library.
  size_t struct_size;
  /// What has become of it.
  sesame_mail_outcome outcome;
  /// What it said, in the inbox.
  const uint64_t *items;
  /// How many.
  size_t item_count;
  /// Whether it is to stay in the mailbox. Any other may be deleted there.
  bool keep;
  /// The device that it says it comes from, where it was refused; or NULL.
  const struct sesame_sender *sender;
  /// The number of the code that says why it was not opened, or why it is held, or 0. What is held until its group is known was
  /// opened.
  uint32_t reason;
} sesame_mail_result;

/// Results, in the order of the envelopes.
typedef struct sesame_mail_results {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The results.
  const struct sesame_mail_result *const *items;
  /// How many.
  size_t count;
} sesame_mail_results;

/// A message that was opened and authenticated.
typedef struct sesame_message {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The message's id, 16 bytes: the same in every copy and resend.
  struct sesame_slice content_id;
  /// The authenticated sender.
  struct sesame_slice user;
  /// The authenticated device.
  uint32_t device;
  /// The group that the message belongs to, 32 bytes; absent for a direct message.
  struct sesame_slice group;
  /// The session that the message came on, 32 bytes.
  struct sesame_slice session_id;
  /// The sender's clock, in ms since 1970.
  uint64_t sent_at;
  /// Counts what that device sent to this one, in the group or directly, from 1.
  uint64_t sequence;
  /// Whether it is a transcript: what another device of this user sent.
  bool is_transcript;
  /// The users whom it was sent to.
  const struct sesame_slice *recipients;
  /// How many.
  size_t recipient_count;
  /// The app's bytes.
  struct sesame_slice payload;
  /// The sending device is no longer on its user's list.
  bool from_removed_device;
  /// The message began a session without a one-time prekey, curve or KEM.
  bool no_one_time_key;
  /// The message came on a session that a newer one has replaced.
  bool older_session;
  /// The sender has left the group; nothing shows whether this was said before.
  bool from_former_member;
  /// The message was sent again because this device had asked for it: others may have come before it.
  bool resent;
} sesame_message;

/// A user for whom a send was given up or withdrawn.
typedef struct sesame_failed_user {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user.
  struct sesame_slice user;
  /// The number of the code that says why.
  uint32_t reason;
} sesame_failed_user;

/// A listed device that got nothing of a send.
typedef struct sesame_skipped_device {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The user.
  struct sesame_slice user;
  /// The device.
  uint32_t device;
  /// The number of the code that says why.
  uint32_t reason;
} sesame_skipped_device;

/// Something that the app should know. Its kind says which fields are set; the others are zero.
typedef struct sesame_event {
  /// The size of this struct in the library.
  size_t struct_size;
  /// Which variant it is.
  sesame_event_kind kind;
  /// The device.
  uint32_t device;
  /// The user.
  struct sesame_slice user;
  /// The group, 32 bytes.
  struct sesame_slice group;
  /// Users that it is about.
  const struct sesame_slice *users;
  /// How many.
  size_t user_count;
  /// The devices that are new on the list.
  const uint32_t *added;
  /// How many.
  size_t added_count;
  /// The devices that are no longer on the list.
  const uint32_t *removed;
  /// How many.
  size_t removed_count;
  /// The signed list that was known.
  struct sesame_slice known;
  /// The signed list that contradicts it.
  struct sesame_slice other;
  /// The epoch that was offered.
  uint64_t epoch;
  /// The first missing sequence number.
  uint64_t first;
  /// The last missing sequence number.
  uint64_t last;
  /// The session's name, equal at both ends, 32 bytes.
  struct sesame_slice session_id;
  /// The operation, 32 bytes.
  struct sesame_slice operation;
  /// The account key that was pinned, 32 bytes.
  struct sesame_slice pinned;
  /// The account key that claims the user, 32 bytes.
  struct sesame_slice claimed;
  /// Whether the app had verified the pinned key.
  bool was_verified;
  /// The number of the code that says why.
  uint32_t reason;
  /// The send, 16 bytes.
  struct sesame_slice send;
  /// The message's id, the same in every copy, 16 bytes.
  struct sesame_slice content_id;
  /// The number of users whom it reached.
  uint32_t reached;
  /// The users whom it did not reach.
  const struct sesame_failed_user *const *failed;
  /// How many.
  size_t failed_count;
  /// The devices that got nothing of it.
  const struct sesame_skipped_device *const *skipped;
  /// How many.
  size_t skipped_count;
  /// The group that it takes the place of, if it is a fork, 32 bytes; or absent.
  struct sesame_slice forked_from;
  /// The hash of the known list, 32 bytes.
  struct sesame_slice known_hash;
  /// The hash of the other list, 32 bytes.
  struct sesame_slice other_hash;
  /// How many rows there are.
  uint32_t rows;
  /// 15 decimal digits.
  struct sesame_slice digits;
  /// The hand-over, 16 bytes.
  struct sesame_slice handover;
  /// How many there are.
  uint32_t messages;
  /// Whether this device began.
  bool by_us;
} sesame_event;

/// An item of the inbox: something that was said, or something that happened. It waits until `sesame_device_ack`.
typedef struct sesame_inbox_item {
  /// The size of this struct in the library.
  size_t struct_size;
  /// For `sesame_device_ack`.
  uint64_t id;
  /// What was said, or NULL.
  const struct sesame_message *message;
  /// What happened, or NULL.
  const struct sesame_event *event;
} sesame_inbox_item;

/// Items of the inbox, oldest first.
typedef struct sesame_inbox {
  /// The size of this struct in the library.
  size_t struct_size;
  /// The items.
  const struct sesame_inbox_item *const *items;
  /// Their ids, for `sesame_device_ack`.
  const uint64_t *ids;
  /// How many, of each.
  size_t count;
} sesame_inbox;

/// Where a `load` of the app's store puts the rows that it finds; good until that `load` returns.
typedef struct sesame_rows {
  /// Names it; 0 names nothing.
  uint64_t token;
} sesame_rows;

/// What to load: the row under a key, or every row whose key begins so.
typedef struct sesame_query {
  /// The key, 1 to 64 bytes; or the prefix, at most 64 bytes, empty for all rows.
  struct sesame_slice key;
  /// Whether it is a prefix.
  bool is_prefix;
} sesame_query;

/// What the store is at: a commit brings it; zeros in a fresh store.
typedef struct sesame_generation {
  /// Compared as a whole.
  uint8_t bytes[16];
} sesame_generation;

/// A row to write or to delete.
typedef struct sesame_change {
  /// 1 to 64 bytes.
  struct sesame_slice key;
  /// What to write.
  struct sesame_slice row;
  /// Whether to delete the row instead; one that is not there is no error.
  bool is_delete;
} sesame_change;

/// A store of the app's own. It holds sealed rows under opaque keys; `sesame_store_check` says whether it keeps the contract.
///
/// The functions may be called from any thread that calls the library, one at a time for one device. They must return: no exception and no
/// longjmp may leave them. They must not call the library, but for `sesame_rows_add`: everything else gives
/// `SESAME_STATUS_REENTRANT`.
typedef struct sesame_store_functions {
  /// The size of this struct.
  size_t struct_size;
  /// Given to each function.
  void *context;
  /// Gives all rows that match any query to `sesame_rows_add`, in any order, and says at which generation they are. With `hold`, other
  /// writers wait until `commit` or `release`; loads without it may come in between. If it fails, nothing is held. Gives a `sesame_store_outcome`.
  int32_t (*load)(void *context,
                  const struct sesame_query *queries,
                  size_t query_count,
                  bool hold,
                  struct sesame_generation *generation,
                  struct sesame_rows rows);
  /// If the generation is still `expected`: applies all changes durably, all or none, and is at `next` from then on; else gives
  /// `SESAME_STORE_OUTCOME_CONFLICT`. Ends a hold whatever comes out. Gives a `sesame_store_outcome`.
  int32_t (*commit)(void *context,
                    const struct sesame_generation *expected,
                    const struct sesame_generation *next,
                    const struct sesame_change *changes,
                    size_t change_count);
  /// Ends a hold without a change.
  void (*release)(void *context);
  /// Called once, when the store's handle and every device, registry, session, group and linking over it are freed; or NULL.
  void (*destroy)(void *context);
} sesame_store_functions;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// The version of the library: major * 1,000,000 + minor * 1,000 + patch. A header and a library belong together when the major numbers,
/// and while they are 0 the minor numbers, are equal.
SESAME_API uint32_t sesame_version(void);

/// The version of the library, as static text in UTF-8 that nobody frees.
SESAME_API const char *sesame_version_string(void);

/// The name of a status without `SESAME_STATUS_`, as static text that nobody frees: "OK", "STORE_FULL". A number that is not known gives
/// "UNKNOWN".
SESAME_API const char *sesame_status_name(int32_t status);

/// What a status says, as static text in UTF-8 that nobody frees. A number that is not known gives "unknown status".
SESAME_API const char *sesame_status_text(int32_t status);

/// A slice of text that ends with a zero byte, without that byte; empty for NULL. Nothing is copied.
SESAME_API struct sesame_slice sesame_text(const char *text);

/// Overwrites `len` bytes at `data` with zeros, which no compiler leaves out: for the caller's own copies of keys and plaintexts.
/// `data` may be NULL when `len` is 0. It works in a store's function and in a forked child as well.
///
/// @return NULL_POINTER.
SESAME_API sesame_status sesame_wipe(void *data, size_t len);

/// A clock for tests of an app, which stands at `now`, in ms since 1970, until it is moved. Devices and relays that are made with it see its
/// time. Free it with `sesame_clock_free`.
///
/// @return none but the common ones.
SESAME_API
sesame_status sesame_clock_new(uint64_t now,
                               struct sesame_clock *clock,
                               struct sesame_error *error);

/// Frees the handle; what was made with the clock keeps it. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_clock_free(struct sesame_clock clock);

/// Time passes, in ms.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_clock_advance(struct sesame_clock clock, uint64_t by, struct sesame_error *error);

/// Makes a user's first device, its primary, with a new account key, in an empty store. `store_key` is 32 bytes that the app keeps in
/// its keychain; `user` is 1 to 64 bytes of UTF-8; `server` is the name of the server, 1 to 255 bytes of UTF-8, which requests are signed
/// for; `token` is what the server asks of a new user, or empty. `clock` is {0} for the system's. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when the store holds a device already; WRONG_KEY when it was sealed under another key; INVALID_ARGUMENT; the
/// store's.
SESAME_API
sesame_status sesame_device_create(struct sesame_store store,
                                   struct sesame_slice store_key,
                                   struct sesame_slice user,
                                   struct sesame_slice server,
                                   struct sesame_slice token,
                                   struct sesame_clock clock,
                                   struct sesame_device *device,
                                   struct sesame_error *error);

/// Opens the device in a store. `clock` is {0} for the system's. The store may be freed afterwards.
///
/// @return FOREIGN_STORE when no device is in it; WRONG_KEY; RECORD_CORRUPT; NEWER_FORMAT; INVALID_ARGUMENT; the store's.
SESAME_API
sesame_status sesame_device_open(struct sesame_store store,
                                 struct sesame_slice store_key,
                                 struct sesame_clock clock,
                                 struct sesame_device *device,
                                 struct sesame_error *error);

/// Frees the handle. The device's keys are wiped once its registries, sessions and groups are freed as well; `sesame_device_wipe` does
/// it at once. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_device_free(struct sesame_device device);

/// The user that this device belongs to, 1 to 64 bytes of UTF-8.
///
/// @return the device's.
SESAME_API
sesame_status sesame_device_user(struct sesame_device device,
                                 struct sesame_result *result,
                                 struct sesame_slice *user,
                                 struct sesame_error *error);

/// This device's id, unique within its user.
///
/// @return the device's.
SESAME_API sesame_status sesame_device_id(struct sesame_device device, uint32_t *id, struct sesame_error *error);

/// Users and their devices. Free it with `sesame_registry_free`.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_device_registry(struct sesame_device device, struct sesame_registry *registry, struct sesame_error *error);

/// The session with one device. Free it with `sesame_session_free`.
///
/// @return INVALID_ARGUMENT for a user that cannot be one; BAD_HANDLE.
SESAME_API
sesame_status sesame_device_session(struct sesame_device device,
                                    struct sesame_slice user,
                                    uint32_t with_device,
                                    struct sesame_session *session,
                                    struct sesame_error *error);

/// Makes a group of this user and `users`, who must be known: `sesame_registry_look_up` asks the server for those who are not.
/// `kind` is a `sesame_group_kind`. Free the group with `sesame_group_free`.
///
/// @return UNKNOWN_USER or IDENTITY_NOT_ACCEPTED, with the user's place; TOO_MANY beyond 1,000 members; UNKNOWN_GROUP_KIND;
/// INVALID_ARGUMENT for info outside its bounds; as `sesame_device_batch_encrypt`.
SESAME_API
sesame_status sesame_device_create_group(struct sesame_device device,
                                         uint32_t kind,
                                         const struct sesame_group_change *change,
                                         const struct sesame_slice *users,
                                         size_t user_count,
                                         struct sesame_group *group,
                                         struct sesame_result *result,
                                         const struct sesame_send **send,
                                         struct sesame_error *error);

/// The group with this id, 32 bytes. Free it with `sesame_group_free`.
///
/// @return UNKNOWN_GROUP; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_group(struct sesame_device device,
                                  struct sesame_slice id,
                                  struct sesame_group *group,
                                  struct sesame_error *error);

/// Every group that this device knows, those that its user has left included.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_device_groups(struct sesame_device device,
                                   struct sesame_result *result,
                                   const struct sesame_groups **groups,
                                   struct sesame_error *error);

/// On the primary: reads the code that a new device shows, text in UTF-8. Nothing is signed yet: show the digits, and call
/// `sesame_device_confirm_link` once the user has seen the same ones on the new device.
///
/// @return NOT_PRIMARY; LINK_MALFORMED, LINK_EXPIRED, LINK_USED or LINK_CLOCK for the code; TOO_MANY beyond 4 links at once;
/// TOO_MANY_OWN_DEVICES beyond 32; what is wrong with the keys in the code (2xx, 303); the device's; the store's.
SESAME_API
sesame_status sesame_device_link_device(struct sesame_device device,
                                        struct sesame_slice code,
                                        struct sesame_result *result,
                                        const struct sesame_pending_link **link,
                                        struct sesame_error *error);

/// The user has seen the same digits on both devices: the new device is put on the list. `link` is the link's id, 16 bytes; `linked` is the
/// new device's.
///
/// @return LINK_EXPIRED, also for a link that is not known; LINK_USED for one that was cancelled; LINK_MISMATCH when somebody else's hello
/// lies at the server; NOT_PRIMARY; TOO_MANY_OWN_DEVICES; KEY_REUSE; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_confirm_link(struct sesame_device device,
                                         struct sesame_slice link,
                                         uint32_t *linked,
                                         struct sesame_error *error);

/// Gives a link up, for example because the digits differ. Its code is never taken again. A link that is not known is no error.
///
/// @return LINK_USED when it was confirmed; INVALID_ARGUMENT; the device's; the store's.
SESAME_API sesame_status sesame_device_cancel_link(struct sesame_device device, struct sesame_slice link, struct sesame_error *error);

/// On the primary: offers its part, the account key, to another device on the list. Show the digits: the other device has them in the event
/// HANDOVER_OFFERED. The key goes out once the apps on both have called `sesame_device_confirm_handover`. The same call again gives the same
/// hand-over; a call for another device takes its place.
///
/// @return NOT_PRIMARY, also while the key is on its way to a device; UNKNOWN_DEVICE; INVALID_ARGUMENT for this device; OWN_LIST_NOT_ADOPTED; the
/// device's; the store's.
SESAME_API
sesame_status sesame_device_hand_over(struct sesame_device device,
                                      uint32_t to,
                                      struct sesame_result *result,
                                      const struct sesame_handover **handover,
                                      struct sesame_error *error);

/// The user has seen the same digits on both devices: each of the two apps says so. `handover` is the id of the hand-over, 16 bytes.
///
/// @return HANDOVER_ENDED for one that is not known, was cancelled, or is older than a day; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_confirm_handover(struct sesame_device device,
                                             struct sesame_slice handover,
                                             struct sesame_error *error);

/// Gives a hand-over up, on either device. The primary goes on as it was. A hand-over that is not known is no error.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_cancel_handover(struct sesame_device device,
                                            struct sesame_slice handover,
                                            struct sesame_error *error);

/// On the primary: takes the list of this hash, 32 bytes, for its own, which the event OWN_LIST_AHEAD was about, and signs the next one on top of it.
///
/// @return NOT_PRIMARY; INVALID_ARGUMENT when no such list waits; DEVICE_REMOVED when it does not name this device; the device's; the store's.
SESAME_API
sesame_status sesame_device_adopt_own_list(struct sesame_device device,
                                           struct sesame_slice hash,
                                           struct sesame_error *error);

/// On the primary: takes a device off the list.
///
/// @return NOT_PRIMARY; UNKNOWN_DEVICE; INVALID_ARGUMENT for the primary itself; OWN_LIST_NOT_ADOPTED; the device's; the store's.
SESAME_API sesame_status sesame_device_remove_device(struct sesame_device device, uint32_t removed, struct sesame_error *error);

/// Whether this device holds the account key: it links and removes devices.
///
/// @return the device's; the store's.
SESAME_API sesame_status sesame_device_is_primary(struct sesame_device device, bool *is_primary, struct sesame_error *error);

/// Wipes the keys from memory and lets go of the store; every later call over this device gives `SESAME_STATUS_CLOSED`. Doing it twice
/// does nothing.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_device_wipe(struct sesame_device device, struct sesame_error *error);

/// Frees the handle. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_group_free(struct sesame_group group);

/// GroupID, 32 bytes.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_group_id(struct sesame_group group, uint8_t (*id)[32], struct sesame_error *error);

/// Members, info, and how this user stands.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_group_get_view(struct sesame_group group,
                                    struct sesame_result *result,
                                    const struct sesame_group_view **view,
                                    struct sesame_error *error);

/// Adds users, at most 200 at once. Their account keys must be known: `sesame_registry_look_up` asks the server for those who are not known. Who
/// has left before is asked, and is a member again when they accept.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; EMPTY_BATCH; ALREADY_MEMBER, UNKNOWN_USER or IDENTITY_NOT_ACCEPTED, with the user's place; TOO_MANY;
/// TOO_MANY_OPERATIONS; the device's; the store's.
SESAME_API
sesame_status sesame_group_add(struct sesame_group group,
                               const struct sesame_slice *users,
                               size_t user_count,
                               struct sesame_result *result,
                               const struct sesame_send **send,
                               struct sesame_error *error);

/// Adds a member anew under the account key that this device knows, after the member's identity has changed and the app has accepted it: the
/// group shows such a member among its `conflicts`. The former identity stays named, and each member goes by the key that they know.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; UNKNOWN_USER; IDENTITY_NOT_ACCEPTED; INVALID_ARGUMENT if the user is no member under another key; TOO_MANY;
/// TOO_MANY_OPERATIONS; the device's; the store's.
SESAME_API
sesame_status sesame_group_readmit(struct sesame_group group,
                                   struct sesame_slice user,
                                   struct sesame_result *result,
                                   const struct sesame_send **send,
                                   struct sesame_error *error);

/// Changes name, description and the like; what is NULL stays.
///
/// @return NOT_A_MEMBER; GROUP_OVERFULL; INVALID_ARGUMENT for nothing, or for what is outside its bounds; TOO_MANY_OPERATIONS; the device's; the store's.
SESAME_API
sesame_status sesame_group_update_info(struct sesame_group group,
                                       const struct sesame_group_change *change,
                                       struct sesame_result *result,
                                       const struct sesame_send **send,
                                       struct sesame_error *error);

/// Changes the name, at most 256 bytes of UTF-8.
///
/// @return as `sesame_group_update_info`.
SESAME_API
sesame_status sesame_group_rename(struct sesame_group group,
                                  struct sesame_slice name,
                                  struct sesame_result *result,
                                  const struct sesame_send **send,
                                  struct sesame_error *error);

/// Leaves. The others send this user nothing more there once they know.
///
/// @return NOT_A_MEMBER; the device's; the store's.
SESAME_API
sesame_status sesame_group_leave(struct sesame_group group,
                                 struct sesame_result *result,
                                 const struct sesame_send **send,
                                 struct sesame_error *error);

/// Says yes to an invitation: by somebody whom our user does not know, or to come back after a leave. What was held for the
/// group is in the inbox then.
///
/// @return NOT_INVITED; the device's; the store's.
SESAME_API
sesame_status sesame_group_accept(struct sesame_group group,
                                  struct sesame_result *result,
                                  const struct sesame_send **send,
                                  struct sesame_error *error);

/// Stays away, after an invitation. Who asked learns of it.
///
/// @return NOT_INVITED; the device's; the store's.
SESAME_API
sesame_status sesame_group_decline(struct sesame_group group,
                                   struct sesame_result *result,
                                   const struct sesame_send **send,
                                   struct sesame_error *error);

/// Makes a new group of the members but these, with the same info. The old group stays as it is, and nothing is said to those left out.
/// Free the new one with `sesame_group_free`.
///
/// @return NOT_A_MEMBER; INVALID_ARGUMENT when a user is none of the other members; as `sesame_device_create_group`.
SESAME_API
sesame_status sesame_group_fork_without(struct sesame_group group,
                                        const struct sesame_slice *users,
                                        size_t user_count,
                                        struct sesame_group *fork,
                                        struct sesame_result *result,
                                        const struct sesame_send **send,
                                        struct sesame_error *error);

/// Sends to all members, and a transcript to the user's own other devices. `content_id` is 16 bytes of the app's own, or empty for one
/// that the library makes.
///
/// @return NOT_A_MEMBER; as `sesame_device_batch_encrypt`.
SESAME_API
sesame_status sesame_group_batch_encrypt(struct sesame_group group,
                                         struct sesame_slice payload,
                                         struct sesame_slice content_id,
                                         struct sesame_result *result,
                                         const struct sesame_send **send,
                                         struct sesame_error *error);

/// The group's active session with a device, or NULL when the next send opens one.
///
/// @return UNKNOWN_USER when no such device is known; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_group_session(struct sesame_group group,
                                   struct sesame_slice user,
                                   uint32_t device,
                                   struct sesame_result *result,
                                   const struct sesame_session_view **session,
                                   struct sesame_error *error);

/// Forgets a group that the user has left: its operations, its sessions, and what is held for it.
///
/// @return ALREADY_MEMBER while the user is a member; UNKNOWN_GROUP; the device's; the store's.
SESAME_API sesame_status sesame_group_forget(struct sesame_group group, struct sesame_error *error);

/// All operations, those that do not count included, in an order that is the same for all members.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_group_history(struct sesame_group group,
                                   struct sesame_result *result,
                                   const struct sesame_history **history,
                                   struct sesame_error *error);

/// What a message of `length` bytes will cost now.
///
/// @return PAYLOAD_TOO_LARGE; the device's; the store's.
SESAME_API
sesame_status sesame_group_cost(struct sesame_group group,
                                size_t length,
                                struct sesame_result *result,
                                const struct sesame_cost **cost,
                                struct sesame_error *error);

/// Begins to link a new device in an empty store. `server` is the name of the server, as the user's other devices have it; `clock` is {0} for
/// the system's. Free it with `sesame_linking_free`.
///
/// @return FOREIGN_STORE when the store holds a device already; WRONG_KEY; INVALID_ARGUMENT; the store's.
SESAME_API
sesame_status sesame_linking_begin(struct sesame_store store,
                                   struct sesame_slice store_key,
                                   struct sesame_slice server,
                                   struct sesame_clock clock,
                                   struct sesame_linking *linking,
                                   struct sesame_error *error);

/// Takes up a link that was begun before the app was closed. `clock` is {0} for the system's. Free it with `sesame_linking_free`.
///
/// @return FOREIGN_STORE when no link was begun; WRONG_KEY; RECORD_CORRUPT; INVALID_ARGUMENT; the store's.
SESAME_API
sesame_status sesame_linking_resume(struct sesame_store store,
                                    struct sesame_slice store_key,
                                    struct sesame_clock clock,
                                    struct sesame_linking *linking,
                                    struct sesame_error *error);

/// Frees the handle; a link that was begun stays in its store. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_linking_free(struct sesame_linking linking);

/// What to show as text or QR, to nobody but one's own primary; good for 10 minutes, once.
///
/// @return BAD_HANDLE.
SESAME_API
sesame_status sesame_linking_code(struct sesame_linking linking,
                                  struct sesame_result *result,
                                  struct sesame_slice *code,
                                  struct sesame_error *error);

/// The digits to show, 15 of them, once the primary has said hello: the user compares them with those on the primary. Absent before,
/// and once the device is there.
///
/// @return BAD_HANDLE; the store's.
SESAME_API
sesame_status sesame_linking_digits(struct sesame_linking linking,
                                    struct sesame_result *result,
                                    struct sesame_slice *digits,
                                    struct sesame_error *error);

/// The user has seen the same digits on both devices; only now is the primary's answer taken.
///
/// @return INVALID_ARGUMENT before a hello was heard; LINK_EXPIRED; CLOSED once the device is there; BAD_HANDLE; the store's.
SESAME_API sesame_status sesame_linking_confirm(struct sesame_linking linking, struct sesame_error *error);

/// Whether nothing more can come of this link: begin another one then. False once the device is there.
///
/// @return BAD_HANDLE; the store's.
SESAME_API sesame_status sesame_linking_expired(struct sesame_linking linking, bool *expired, struct sesame_error *error);

/// The next request to the server; see `sesame_device_next_request`. NULL while the app has to confirm, and once the device is there.
///
/// @return BAD_HANDLE; the store's.
SESAME_API
sesame_status sesame_linking_next_request(struct sesame_linking linking,
                                          struct sesame_result *result,
                                          const struct sesame_server_request **request,
                                          struct sesame_error *error);

/// Takes in the server's answer to a request; see `sesame_device_respond`. `problem` says why nothing can come of the link.
///
/// @return FOREIGN_REQUEST for the request of a device or of another link; INVALID_ARGUMENT; BAD_HANDLE; the store's.
SESAME_API
sesame_status sesame_linking_respond(struct sesame_linking linking,
                                     struct sesame_slice id,
                                     uint32_t status,
                                     struct sesame_slice body,
                                     struct sesame_result *result,
                                     const struct sesame_answered **answered,
                                     struct sesame_error *error);

/// Takes a request back that was not sent: it is given out again at once.
///
/// @return FOREIGN_REQUEST for the request of a device or of another link; INVALID_ARGUMENT; BAD_HANDLE.
SESAME_API sesame_status sesame_linking_release(struct sesame_linking linking, struct sesame_slice id, struct sesame_error *error);

/// Ends every pause: the network is there again.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_linking_retry_now(struct sesame_linking linking, struct sesame_error *error);

/// How long it is until `sesame_linking_next_request` has something to give, in ms: 0 when it has now. It is a day while the app has to
/// confirm, and when nothing more is asked: the device is there, or the link has expired or come to nothing.
///
/// @return BAD_HANDLE; the store's.
SESAME_API sesame_status sesame_linking_due_in(struct sesame_linking linking, uint64_t *due_in, struct sesame_error *error);

/// The device, once the primary's answer has come; it is given once. {0} before, and afterwards.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_linking_device(struct sesame_linking linking, struct sesame_device *device, struct sesame_error *error);

/// Frees the handle. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_registry_free(struct sesame_registry registry);

/// All users that are known, this one included.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_registry_users(struct sesame_registry registry,
                                    struct sesame_result *result,
                                    const struct sesame_users **users,
                                    struct sesame_error *error);

/// A user's devices, rising by id.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_registry_devices(struct sesame_registry registry,
                                      struct sesame_slice user,
                                      struct sesame_result *result,
                                      const struct sesame_devices **devices,
                                      struct sesame_error *error);

/// Asks the server for the device lists of these users, at most 100, so that they are known: the next requests do.
///
/// @return TOO_MANY; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_registry_look_up(struct sesame_registry registry,
                                      const struct sesame_slice *users,
                                      size_t user_count,
                                      struct sesame_error *error);

/// Forgets a user: pin, list, sessions, what is held and what is being sent. A later message begins anew.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT for our own user; ALREADY_MEMBER while both are members of a group; the device's; the store's.
SESAME_API sesame_status sesame_registry_forget(struct sesame_registry registry, struct sesame_slice user, struct sesame_error *error);

/// The app has made sure that a user's changed account key, 32 bytes, is the user's; what was held is opened and goes to the inbox. The
/// pinned key itself dismisses the claim.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when this key does not wait; the device's; the store's.
SESAME_API
sesame_status sesame_registry_accept_identity(struct sesame_registry registry,
                                              struct sesame_slice user,
                                              struct sesame_slice account_key,
                                              struct sesame_error *error);

/// The app has compared safety numbers.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_registry_mark_verified(struct sesame_registry registry,
                                            struct sesame_slice user,
                                            struct sesame_error *error);

/// The app decides a fork: the branch with the list of this hash, 32 bytes, is followed, and the other one raises nothing again.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT when there is no fork, or neither list has this hash; the device's; the store's.
SESAME_API
sesame_status sesame_registry_resolve_fork(struct sesame_registry registry,
                                           struct sesame_slice user,
                                           struct sesame_slice hash,
                                           struct sesame_error *error);

/// 60 digits that both users see alike if they hold each other's account keys.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_registry_safety_number(struct sesame_registry registry,
                                            struct sesame_slice user,
                                            struct sesame_result *result,
                                            struct sesame_slice *number,
                                            struct sesame_error *error);

/// The safety number as text for a QR code.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_registry_safety_code(struct sesame_registry registry,
                                          struct sesame_slice user,
                                          struct sesame_result *result,
                                          struct sesame_slice *code,
                                          struct sesame_error *error);

/// Whether a code that was read from the user's screen shows that both hold each other's account keys.
///
/// @return UNKNOWN_USER; INVALID_ARGUMENT for text that is no such code; the device's; the store's.
SESAME_API
sesame_status sesame_registry_compare_safety_code(struct sesame_registry registry,
                                                  struct sesame_slice user,
                                                  struct sesame_slice code,
                                                  bool *is_same,
                                                  struct sesame_error *error);

/// An empty server of this name, 1 to 255 bytes of UTF-8. `clock` is {0} for the system's. Free it with `sesame_relay_free`.
///
/// @return INVALID_ARGUMENT.
SESAME_API
sesame_status sesame_relay_new(struct sesame_slice server,
                               struct sesame_clock clock,
                               struct sesame_relay *relay,
                               struct sesame_error *error);

/// Frees the handle, and the server with it. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_relay_free(struct sesame_relay relay);

/// Does what a request asks, as an HTTP server would: its path, its headers and its body. `status` is the HTTP status of the answer.
///
/// @return INVALID_ARGUMENT for a path or a header that is no UTF-8; BAD_STRUCT; BAD_HANDLE. What is wrong with a request is in the answer.
SESAME_API
sesame_status sesame_relay_perform(struct sesame_relay relay,
                                   struct sesame_slice path,
                                   const struct sesame_header *const *headers,
                                   size_t header_count,
                                   struct sesame_slice body,
                                   struct sesame_result *result,
                                   uint32_t *status,
                                   struct sesame_slice *answer,
                                   struct sesame_error *error);

/// What a server does after its store was put back to an earlier state: it tells every device so, and they upload their keys again.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_relay_restored(struct sesame_relay relay, struct sesame_error *error);

/// A user's signed device list; absent for a user that the server does not know.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
SESAME_API
sesame_status sesame_relay_device_list(struct sesame_relay relay,
                                       struct sesame_slice user,
                                       struct sesame_result *result,
                                       struct sesame_slice *device_list,
                                       struct sesame_error *error);

/// The envelopes in a device's mailbox, oldest first, to look at in tests. They stay where they are.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
SESAME_API
sesame_status sesame_relay_mailbox(struct sesame_relay relay,
                                   struct sesame_slice user,
                                   uint32_t device,
                                   struct sesame_result *result,
                                   const struct sesame_mailbox **mailbox,
                                   struct sesame_error *error);

/// Loses the mailbox of a device, for tests: its envelopes are gone, and no sender hears of it.
///
/// @return INVALID_ARGUMENT; BAD_HANDLE.
SESAME_API
sesame_status sesame_relay_lose(struct sesame_relay relay,
                                struct sesame_slice user,
                                uint32_t device,
                                struct sesame_error *error);

/// All that the server holds and has seen.
///
/// @return BAD_HANDLE.
SESAME_API
sesame_status sesame_relay_get_view(struct sesame_relay relay,
                                    struct sesame_result *result,
                                    const struct sesame_relay_view **view,
                                    struct sesame_error *error);

/// The next request to the server, or NULL when nothing is due now: a POST of `body` to `path` with `headers`. Send it within a minute and
/// give the answer to `sesame_device_respond`; its work is in no other request until then. Several may be sent side by side.
///
/// ```c
/// while (sesame_device_next_request(device, &result, &request, &error) == SESAME_STATUS_OK && request != NULL) {
///   /* POST request->body with request->headers to request->path */
///   sesame_device_respond(device, request->id, status, body, &answer, &answered, &error);
///   sesame_result_free(answer);
///   sesame_result_free(result);
/// }
/// ```
///
/// That is the whole transport of an app. The loop always ends: a failure pauses it, and `sesame_device_due_in` says when to come back.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_device_next_request(struct sesame_device device,
                                         struct sesame_result *result,
                                         const struct sesame_server_request **request,
                                         struct sesame_error *error);

/// Takes in the server's answer to a request, which `id`, 16 bytes, names: the HTTP status, or 0 when none came, and the body. Whatever the
/// server says is no error.
///
/// @return FOREIGN_REQUEST when another device gave the request out; INVALID_ARGUMENT; the device's; the store's. The request stays lent
/// then.
SESAME_API
sesame_status sesame_device_respond(struct sesame_device device,
                                    struct sesame_slice id,
                                    uint32_t status,
                                    struct sesame_slice body,
                                    struct sesame_result *result,
                                    const struct sesame_answered **answered,
                                    struct sesame_error *error);

/// Takes a request back that was not sent: it is given out again at once.
///
/// @return INVALID_ARGUMENT; the device's.
SESAME_API sesame_status sesame_device_release(struct sesame_device device, struct sesame_slice id, struct sesame_error *error);

/// Ends every pause, and takes every request back: the network is there again.
///
/// @return the device's.
SESAME_API sesame_status sesame_device_retry_now(struct sesame_device device, struct sesame_error *error);

/// The next requests fetch the mailbox, up to so many envelopes. What they say is in the inbox afterwards.
///
/// @return the device's.
SESAME_API sesame_status sesame_device_request_mail(struct sesame_device device, uint32_t limit, struct sesame_error *error);

/// How long it is until `sesame_device_next_request` has something to give, in ms: 0 when it has now, a day at most.
///
/// @return the device's; the store's.
SESAME_API sesame_status sesame_device_due_in(struct sesame_device device, uint64_t *due_in, struct sesame_error *error);

/// How this device stands with its server.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_device_health(struct sesame_device device,
                                   struct sesame_result *result,
                                   const struct sesame_health **health,
                                   struct sesame_error *error);

/// Tells the server where it may knock when mail comes: at most 512 bytes that the app and its push service understand; empty: nowhere.
///
/// @return INVALID_ARGUMENT for a longer value; the device's; the store's.
SESAME_API sesame_status sesame_device_set_push(struct sesame_device device, struct sesame_slice value, struct sesame_error *error);

/// Sets for how many days this device keeps what it has sent, to send it again to a device that could not open it: 14 until this is called; 0 keeps
/// nothing. What is older goes at once. It is sealed like all else in the store.
///
/// @return INVALID_ARGUMENT for more than 14 days; the device's; the store's.
SESAME_API
sesame_status sesame_device_keep_sent(struct sesame_device device,
                                      uint32_t days,
                                      struct sesame_error *error);

/// Bounds the decoded rows of the store that this device keeps in memory from one call to the next, in bytes; 0 keeps none. Until this is
/// called it is 32 MiB. What is kept beyond the limit is wiped at once. The limit holds as long as the device is open, and is not stored. It
/// changes how fast calls are, and nothing that they give. A call may need more while it runs.
///
/// @return the device's.
SESAME_API
sesame_status sesame_device_set_memory_limit(struct sesame_device device,
                                             size_t limit,
                                             struct sesame_error *error);

/// Deletes the account at the server. The next request does; nothing else goes out after it. The store stays until the app deletes it.
///
/// @return NOT_PRIMARY; the device's; the store's.
SESAME_API sesame_status sesame_device_delete_account(struct sesame_device device, struct sesame_error *error);

/// This device logs out: it asks the user's primary to remove it, whose app gets `SESAME_EVENT_KIND_DEVICE_WANTS_REMOVAL` and calls
/// `sesame_device_remove_device`. Until then others go on to send to it. When the send's end is in the inbox, the store may be erased.
///
/// @return INVALID_ARGUMENT on the primary itself; DEVICE_REMOVED; the device's; the store's.
SESAME_API
sesame_status sesame_device_log_out(struct sesame_device device,
                                    struct sesame_result *result,
                                    const struct sesame_send **send,
                                    struct sesame_error *error);

/// Frees what a call gave, and wipes its bytes. All pointers and slices of its view are void from then on. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_result_free(struct sesame_result result);

/// Encrypts for every device of every recipient, and a transcript for the user's own other devices. `content_id` is 16 bytes of the app's
/// own, or empty for one that the library makes. At most 256 users and 65,536 bytes of payload. The send goes out by
/// `sesame_device_next_request`, and its end is an event in the inbox.
///
/// @return EMPTY_BATCH without a recipient; TOO_MANY; PAYLOAD_TOO_LARGE; CONTENT_ID_IN_USE; DEVICE_REMOVED when this device is not on its
/// own user's list; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_batch_encrypt(struct sesame_device device,
                                          const struct sesame_slice *recipients,
                                          size_t recipient_count,
                                          struct sesame_slice payload,
                                          struct sesame_slice content_id,
                                          struct sesame_result *result,
                                          const struct sesame_send **send,
                                          struct sesame_error *error);

/// How a send stands, by its id or by its content id, 16 bytes; NULL once the app has acked its end.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_send_status(struct sesame_device device,
                                        struct sesame_slice send,
                                        struct sesame_result *result,
                                        const struct sesame_send_status **status,
                                        struct sesame_error *error);

/// Every send whose end the app has not acked, oldest first.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_device_sends(struct sesame_device device,
                                  struct sesame_result *result,
                                  const struct sesame_sends **sends,
                                  struct sesame_error *error);

/// The batches of a send that the server may have now, to look at. They go to the server by `sesame_device_next_request`.
///
/// @return INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_batches(struct sesame_device device,
                                    struct sesame_slice send,
                                    struct sesame_result *result,
                                    const struct sesame_batches **batches,
                                    struct sesame_error *error);

/// Withdraws a send for these users, or for all when `users` is NULL. What is settled stays as it is. A batch that was given out already
/// may have been sent: its outcome says so.
///
/// @return UNKNOWN_SEND; UNKNOWN_USER for a user whom the send does not name; INVALID_ARGUMENT; the device's; the store's.
SESAME_API
sesame_status sesame_device_cancel(struct sesame_device device,
                                   struct sesame_slice send,
                                   const struct sesame_slice *users,
                                   size_t user_count,
                                   struct sesame_error *error);

/// Tries a send again for every user for whom it failed or was withdrawn.
///
/// @return UNKNOWN_SEND; INVALID_ARGUMENT; the device's; the store's.
SESAME_API sesame_status sesame_device_retry(struct sesame_device device, struct sesame_slice send, struct sesame_error *error);

/// Opens envelopes that came by another way than the loop of requests, in any order, and says of each what came of it: one bad envelope
/// hinders no other. What they say is in the inbox. `complete` says that these were the last ones in the mailbox.
///
/// @return TOO_MANY beyond 4,096 envelopes; the device's; the store's. What is wrong with one envelope is in its result.
SESAME_API
sesame_status sesame_device_batch_decrypt(struct sesame_device device,
                                          const struct sesame_slice *envelopes,
                                          size_t envelope_count,
                                          bool complete,
                                          struct sesame_result *result,
                                          const struct sesame_mail_results **results,
                                          struct sesame_error *error);

/// What was received or happened and was not acked, oldest first, after the item with the id `after` and at most `limit`.
///
/// @return the device's; the store's.
SESAME_API
sesame_status sesame_device_inbox(struct sesame_device device,
                                  uint64_t after,
                                  size_t limit,
                                  struct sesame_result *result,
                                  const struct sesame_inbox **inbox,
                                  struct sesame_error *error);

/// The app has these items safe; they are deleted here. An id that is not there is no error.
///
/// @return the device's; the store's.
SESAME_API sesame_status sesame_device_ack(struct sesame_device device, const uint64_t *ids, size_t id_count, struct sesame_error *error);

/// Frees the handle. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_session_free(struct sesame_session session);

/// The active session, or NULL when the next send begins one.
///
/// @return UNKNOWN_USER when no such device is known; the device's; the store's.
SESAME_API
sesame_status sesame_session_info(struct sesame_session session,
                                  struct sesame_result *result,
                                  const struct sesame_session_view **info,
                                  struct sesame_error *error);

/// Encrypts for this device alone, without a transcript.
///
/// @return as `sesame_device_batch_encrypt`.
SESAME_API
sesame_status sesame_session_encrypt(struct sesame_session session,
                                     struct sesame_slice payload,
                                     struct sesame_result *result,
                                     const struct sesame_send **send,
                                     struct sesame_error *error);

/// Begins anew with the device, for a conversation that does not work though nothing says why: the next message to it begins a session that
/// takes the place of all others, of groups as well. Nothing is lost by it.
///
/// @return UNKNOWN_USER; UNKNOWN_DEVICE for a device with which there was no session yet, or which was removed; IDENTITY_NOT_ACCEPTED;
/// INVALID_ARGUMENT for this device itself; the device's; the store's.
SESAME_API sesame_status sesame_session_reset(struct sesame_session session, struct sesame_error *error);

/// Puts a row that a `load` has found into its result; both slices are copied. Only from inside the `load` that `rows` was given to.
///
/// @return BAD_HANDLE after the `load` has returned.
SESAME_API sesame_status sesame_rows_add(struct sesame_rows rows, struct sesame_slice key, struct sesame_slice row);

/// Opens a SQLite file, or makes it. `path` is UTF-8. Several processes may share one. Free it with `sesame_store_free`.
///
/// @return STORE_IO or another of the 4xx when the file cannot be opened; INVALID_ARGUMENT.
SESAME_API sesame_status sesame_store_sqlite(struct sesame_slice path, struct sesame_store *store, struct sesame_error *error);

/// A store in memory, which lives as long as its handle or a device over it. Free it with `sesame_store_free`.
///
/// @return none but the common ones.
SESAME_API sesame_status sesame_store_memory(struct sesame_store *store, struct sesame_error *error);

/// A store of the app's own. The struct is copied; its context must live until `destroy`. Free the handle with `sesame_store_free`. When this
/// fails, `destroy` is not called.
///
/// @return NULL_POINTER for a function that is missing; BAD_STRUCT.
SESAME_API
sesame_status sesame_store_app(const struct sesame_store_functions *functions,
                               struct sesame_store *store,
                               struct sesame_error *error);

/// Deletes every row, in one commit, whoever's device the store holds and whatever its key is: to log out, or because the key is lost. It is
/// empty afterwards; a SQLite file stays, and what a disk keeps of deleted bytes is the system's. Devices over it give FOREIGN_STORE.
///
/// @return BAD_HANDLE; the store's.
SESAME_API
sesame_status sesame_store_erase(struct sesame_store store,
                                 struct sesame_error *error);

/// Frees the handle; devices over the store keep it. 0 is passed over.
///
/// @return BAD_HANDLE.
SESAME_API sesame_status sesame_store_free(struct sesame_store store);

/// Runs the conformance suite of the contract. `open` puts a fresh, empty store into `store`, which the suite frees, and gives
/// `SESAME_STATUS_OK`; it is called several times, and may call the library. `claim` is the first claim that does not hold, in words, or absent
/// when all do.
///
/// @return NULL_POINTER without `open`. A store that cannot be opened is a claim that does not hold.
SESAME_API
sesame_status sesame_store_check(int32_t (*open)(void *context, struct sesame_store *store),
                                 void *context,
                                 struct sesame_result *result,
                                 struct sesame_slice *claim,
                                 struct sesame_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SESAME_H */
