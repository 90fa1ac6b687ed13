/* What a C programmer may do wrong, case by case: each gives its status, and the library goes on. */
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include "memory_store.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int cases, failures;

static void expect_at(int line, const char *name, long is, long should) {
  cases++;
  if (is != should) {
    failures++;
    fprintf(stderr, "line %d: %s gave %ld, not %ld\n", line, name, is, should);
  }
}

#define EXPECT(name, call, status) expect_at(__LINE__, name, (long)(call), (long)(status))

enum {
  OK = SESAME_STATUS_OK,
  ARGUMENT = SESAME_STATUS_INVALID_ARGUMENT,
  HANDLE = SESAME_STATUS_BAD_HANDLE,
  NULLED = SESAME_STATUS_NULL_POINTER,
  LAYOUT = SESAME_STATUS_BAD_STRUCT
};

static host alice, bob;
static sesame_relay relay;
static sesame_group trip;
static sesame_error e;
static const sesame_slice none = {NULL, 0};

static sesame_slice slice(const void *data, size_t len) {
  const sesame_slice made = {data, len};
  return made;
}

/* Every kind of handle where a device is meant, and every other place for a wrong one. */
static void handles(void) {
  sesame_result r;
  const sesame_sends *sends;
  const sesame_device zero = {0}, one = {1}, all = {UINT64_MAX}, foreign = {alice.registry.token}, random = {0x1234567890abcdefULL};
  EXPECT("a device that was never given", sesame_device_sends(zero, &r, &sends, &e), HANDLE);
  EXPECT("a device of 1", sesame_device_sends(one, &r, &sends, &e), HANDLE);
  EXPECT("a device of all ones", sesame_device_sends(all, &r, &sends, &e), HANDLE);
  EXPECT("a random device", sesame_device_sends(random, &r, &sends, &e), HANDLE);
  EXPECT("a registry as a device", sesame_device_sends(foreign, &r, &sends, &e), HANDLE);
  EXPECT("the error says which", strcmp(e.field, "device"), 0);
  EXPECT("the outputs are zeroed", sends == NULL && r.token == 0, 1);
  EXPECT("freeing a registry as a device", sesame_device_free(foreign), HANDLE);
  const sesame_registry of_device = {alice.device.token};
  const sesame_users *users;
  EXPECT("a device as a registry", sesame_registry_users(of_device, &r, &users, &e), HANDLE);
  const sesame_session of_group = {trip.token};
  const sesame_session_view *info;
  EXPECT("a group as a session", sesame_session_info(of_group, &r, &info, &e), HANDLE);
  const sesame_group of_relay = {relay.token};
  const sesame_group_view *view;
  EXPECT("a relay as a group", sesame_group_get_view(of_relay, &r, &view, &e), HANDLE);
  const sesame_relay of_store = {alice.store.token};
  const sesame_relay_view *seen;
  EXPECT("a store as a relay", sesame_relay_get_view(of_store, &r, &seen, &e), HANDLE);
  const sesame_store of_result = {relay.token};
  sesame_device made;
  EXPECT("a relay as a store", sesame_device_create(of_result, host_key(), sesame_text("x"), host_server(), none, host_clock, &made, &e), HANDLE);
  const sesame_linking of_nothing = {relay.token};
  sesame_slice code;
  EXPECT("a relay as a linking", sesame_linking_code(of_nothing, &r, &code, &e), HANDLE);
  const sesame_rows stray = {alice.device.token};
  EXPECT("a device as rows", sesame_rows_add(stray, none, none), HANDLE);
  const sesame_result not_a_result = {alice.device.token};
  EXPECT("a device as a result", sesame_result_free(not_a_result), HANDLE);

  EXPECT("freeing nothing", sesame_device_free(zero), OK);
  const sesame_result nothing = {0};
  EXPECT("freeing no result", sesame_result_free(nothing), OK);
  EXPECT("the sends", sesame_device_sends(alice.device, &r, &sends, &e), OK);
  EXPECT("freeing a result", sesame_result_free(r), OK);
  EXPECT("freeing a result twice", sesame_result_free(r), HANDLE);
  sesame_session session;
  EXPECT("a session", sesame_device_session(alice.device, sesame_text("bob"), 1, &session, &e), OK);
  EXPECT("freeing a session", sesame_session_free(session), OK);
  EXPECT("freeing a session twice", sesame_session_free(session), HANDLE);
  EXPECT("a freed session", sesame_session_info(session, &r, &info, &e), HANDLE);
  sesame_session next;
  EXPECT("another session", sesame_device_session(alice.device, sesame_text("bob"), 1, &next, &e), OK);
  EXPECT("the freed one is still freed, whatever took its place", sesame_session_info(session, &r, &info, &e), HANDLE);
  EXPECT("freeing the other", sesame_session_free(next), OK);
  sesame_store store;
  sesame_device device;
  sesame_registry registry;
  EXPECT("a store", sesame_store_memory(&store, &e), OK);
  EXPECT("a device", sesame_device_create(store, host_key(), sesame_text("carol"), host_server(), none, host_clock, &device, &e), OK);
  EXPECT("its registry", sesame_device_registry(device, &registry, &e), OK);
  EXPECT("freeing the store", sesame_store_free(store), OK);
  EXPECT("freeing the device", sesame_device_free(device), OK);
  EXPECT("freeing the device twice", sesame_device_free(device), HANDLE);
  EXPECT("a freed store", sesame_device_open(store, host_key(), host_clock, &device, &e), HANDLE);
  EXPECT("a registry outlives them", sesame_registry_users(registry, &r, &users, &e), OK);
  EXPECT("freeing its result", sesame_result_free(r), OK);
  EXPECT("freeing the registry", sesame_registry_free(registry), OK);
}

typedef struct waiting {
  size_t sends;
} waiting;

/* The sends that are not acked. */
static waiting waiting_at(sesame_device device) {
  waiting seen = {0};
  sesame_result result;
  const sesame_sends *sends;
  if (sesame_device_sends(device, &result, &sends, NULL) == SESAME_STATUS_OK) seen.sends = sends->count;
  sesame_result_free(result);
  return seen;
}

/* Every function on a handle that was never given. */
static void of_nothing(void) {
  static const uint8_t bytes[32] = {1};
  static uint8_t group_id[32];
  const sesame_slice to = sesame_text("bob"), id16 = {bytes, 16}, id32 = {bytes, 32};
  const uint64_t ids[1] = {1};
  const sesame_group_change change = {sizeof change, &to, NULL, NULL, NULL, NULL};
  struct {
    sesame_device device;
    sesame_registry registry;
    sesame_session session;
    sesame_group group;
    sesame_linking linking;
  } made;
  sesame_result r;
  sesame_slice text;
  uint32_t number;
  uint64_t due;
  bool flag;
  const void *view;
  EXPECT("sesame_clock_advance of nothing", sesame_clock_advance((sesame_clock){0}, 2, &e), HANDLE);
  EXPECT("sesame_device_create of nothing", sesame_device_create((sesame_store){0}, host_key(), to, host_server(), none, host_clock, &made.device, &e), HANDLE);
  EXPECT("sesame_device_open of nothing", sesame_device_open((sesame_store){0}, host_key(), host_clock, &made.device, &e), HANDLE);
  EXPECT("sesame_device_user of nothing", sesame_device_user((sesame_device){0}, &r, &text, &e), HANDLE);
  EXPECT("sesame_device_id of nothing", sesame_device_id((sesame_device){0}, &number, &e), HANDLE);
  EXPECT("sesame_device_registry of nothing", sesame_device_registry((sesame_device){0}, &made.registry, &e), HANDLE);
  EXPECT("sesame_device_session of nothing", sesame_device_session((sesame_device){0}, to, 2, &made.session, &e), HANDLE);
  EXPECT("sesame_device_create_group of nothing", sesame_device_create_group((sesame_device){0}, 2, &change, &to, 1, &made.group, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_device_group of nothing", sesame_device_group((sesame_device){0}, id32, &made.group, &e), HANDLE);
  EXPECT("sesame_device_groups of nothing", sesame_device_groups((sesame_device){0}, &r, (const sesame_groups **)&view, &e), HANDLE);
  EXPECT("sesame_device_link_device of nothing", sesame_device_link_device((sesame_device){0}, none, &r, (const sesame_pending_link **)&view, &e), HANDLE);
  EXPECT("sesame_device_confirm_link of nothing", sesame_device_confirm_link((sesame_device){0}, id16, &number, &e), HANDLE);
  EXPECT("sesame_device_cancel_link of nothing", sesame_device_cancel_link((sesame_device){0}, id16, &e), HANDLE);
  EXPECT("sesame_device_hand_over of nothing", sesame_device_hand_over((sesame_device){0}, 2, &r, (const sesame_handover **)&view, &e), HANDLE);
  EXPECT("sesame_device_confirm_handover of nothing", sesame_device_confirm_handover((sesame_device){0}, id16, &e), HANDLE);
  EXPECT("sesame_device_cancel_handover of nothing", sesame_device_cancel_handover((sesame_device){0}, id16, &e), HANDLE);
  EXPECT("sesame_device_remove_device of nothing", sesame_device_remove_device((sesame_device){0}, 2, &e), HANDLE);
  EXPECT("sesame_device_is_primary of nothing", sesame_device_is_primary((sesame_device){0}, &flag, &e), HANDLE);
  EXPECT("sesame_device_wipe of nothing", sesame_device_wipe((sesame_device){0}, &e), HANDLE);
  EXPECT("sesame_group_id of nothing", sesame_group_id((sesame_group){0}, &group_id, &e), HANDLE);
  EXPECT("sesame_group_get_view of nothing", sesame_group_get_view((sesame_group){0}, &r, (const sesame_group_view **)&view, &e), HANDLE);
  EXPECT("sesame_group_add of nothing", sesame_group_add((sesame_group){0}, &to, 1, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_readmit of nothing", sesame_group_readmit((sesame_group){0}, to, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_update_info of nothing", sesame_group_update_info((sesame_group){0}, &change, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_rename of nothing", sesame_group_rename((sesame_group){0}, none, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_leave of nothing", sesame_group_leave((sesame_group){0}, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_accept of nothing", sesame_group_accept((sesame_group){0}, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_decline of nothing", sesame_group_decline((sesame_group){0}, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_fork_without of nothing", sesame_group_fork_without((sesame_group){0}, &to, 1, &made.group, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_batch_encrypt of nothing", sesame_group_batch_encrypt((sesame_group){0}, none, none, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_group_session of nothing", sesame_group_session((sesame_group){0}, to, 2, &r, (const sesame_session_view **)&view, &e), HANDLE);
  EXPECT("sesame_group_forget of nothing", sesame_group_forget((sesame_group){0}, &e), HANDLE);
  EXPECT("sesame_group_history of nothing", sesame_group_history((sesame_group){0}, &r, (const sesame_history **)&view, &e), HANDLE);
  EXPECT("sesame_group_cost of nothing", sesame_group_cost((sesame_group){0}, 1, &r, (const sesame_cost **)&view, &e), HANDLE);
  EXPECT("sesame_linking_begin of nothing", sesame_linking_begin((sesame_store){0}, host_key(), host_server(), host_clock, &made.linking, &e), HANDLE);
  EXPECT("sesame_linking_resume of nothing", sesame_linking_resume((sesame_store){0}, host_key(), host_clock, &made.linking, &e), HANDLE);
  EXPECT("sesame_linking_code of nothing", sesame_linking_code((sesame_linking){0}, &r, &text, &e), HANDLE);
  EXPECT("sesame_linking_digits of nothing", sesame_linking_digits((sesame_linking){0}, &r, &text, &e), HANDLE);
  EXPECT("sesame_linking_confirm of nothing", sesame_linking_confirm((sesame_linking){0}, &e), HANDLE);
  EXPECT("sesame_linking_expired of nothing", sesame_linking_expired((sesame_linking){0}, &flag, &e), HANDLE);
  EXPECT("sesame_linking_next_request of nothing", sesame_linking_next_request((sesame_linking){0}, &r, (const sesame_server_request **)&view, &e), HANDLE);
  EXPECT("sesame_linking_respond of nothing", sesame_linking_respond((sesame_linking){0}, id16, 2, none, &r, (const sesame_answered **)&view, &e), HANDLE);
  EXPECT("sesame_linking_release of nothing", sesame_linking_release((sesame_linking){0}, id16, &e), HANDLE);
  EXPECT("sesame_linking_retry_now of nothing", sesame_linking_retry_now((sesame_linking){0}, &e), HANDLE);
  EXPECT("sesame_linking_due_in of nothing", sesame_linking_due_in((sesame_linking){0}, &due, &e), HANDLE);
  EXPECT("sesame_linking_device of nothing", sesame_linking_device((sesame_linking){0}, &made.device, &e), HANDLE);
  EXPECT("sesame_registry_users of nothing", sesame_registry_users((sesame_registry){0}, &r, (const sesame_users **)&view, &e), HANDLE);
  EXPECT("sesame_registry_devices of nothing", sesame_registry_devices((sesame_registry){0}, to, &r, (const sesame_devices **)&view, &e), HANDLE);
  EXPECT("sesame_registry_look_up of nothing", sesame_registry_look_up((sesame_registry){0}, &to, 1, &e), HANDLE);
  EXPECT("sesame_registry_forget of nothing", sesame_registry_forget((sesame_registry){0}, to, &e), HANDLE);
  EXPECT("sesame_registry_accept_identity of nothing", sesame_registry_accept_identity((sesame_registry){0}, to, id32, &e), HANDLE);
  EXPECT("sesame_registry_mark_verified of nothing", sesame_registry_mark_verified((sesame_registry){0}, to, &e), HANDLE);
  EXPECT("sesame_registry_resolve_fork of nothing", sesame_registry_resolve_fork((sesame_registry){0}, to, id32, &e), HANDLE);
  EXPECT("sesame_registry_safety_number of nothing", sesame_registry_safety_number((sesame_registry){0}, to, &r, &text, &e), HANDLE);
  EXPECT("sesame_registry_safety_code of nothing", sesame_registry_safety_code((sesame_registry){0}, to, &r, &text, &e), HANDLE);
  EXPECT("sesame_registry_compare_safety_code of nothing", sesame_registry_compare_safety_code((sesame_registry){0}, to, none, &flag, &e), HANDLE);
  EXPECT("sesame_relay_perform of nothing", sesame_relay_perform((sesame_relay){0}, to, NULL, 0, none, &r, &number, &text, &e), HANDLE);
  EXPECT("sesame_relay_restored of nothing", sesame_relay_restored((sesame_relay){0}, &e), HANDLE);
  EXPECT("sesame_relay_device_list of nothing", sesame_relay_device_list((sesame_relay){0}, to, &r, &text, &e), HANDLE);
  EXPECT("sesame_relay_mailbox of nothing", sesame_relay_mailbox((sesame_relay){0}, to, 2, &r, (const sesame_mailbox **)&view, &e), HANDLE);
  EXPECT("sesame_relay_lose of nothing", sesame_relay_lose((sesame_relay){0}, to, 2, &e), HANDLE);
  EXPECT("sesame_relay_get_view of nothing", sesame_relay_get_view((sesame_relay){0}, &r, (const sesame_relay_view **)&view, &e), HANDLE);
  EXPECT("sesame_device_next_request of nothing", sesame_device_next_request((sesame_device){0}, &r, (const sesame_server_request **)&view, &e), HANDLE);
  EXPECT("sesame_device_respond of nothing", sesame_device_respond((sesame_device){0}, id16, 2, none, &r, (const sesame_answered **)&view, &e), HANDLE);
  EXPECT("sesame_device_release of nothing", sesame_device_release((sesame_device){0}, id16, &e), HANDLE);
  EXPECT("sesame_device_retry_now of nothing", sesame_device_retry_now((sesame_device){0}, &e), HANDLE);
  EXPECT("sesame_device_request_mail of nothing", sesame_device_request_mail((sesame_device){0}, 2, &e), HANDLE);
  EXPECT("sesame_device_due_in of nothing", sesame_device_due_in((sesame_device){0}, &due, &e), HANDLE);
  EXPECT("sesame_device_health of nothing", sesame_device_health((sesame_device){0}, &r, (const sesame_health **)&view, &e), HANDLE);
  EXPECT("sesame_device_set_push of nothing", sesame_device_set_push((sesame_device){0}, none, &e), HANDLE);
  EXPECT("sesame_device_set_memory_limit of nothing", sesame_device_set_memory_limit((sesame_device){0}, 0, &e), HANDLE);
  EXPECT("sesame_device_delete_account of nothing", sesame_device_delete_account((sesame_device){0}, &e), HANDLE);
  EXPECT("sesame_device_log_out of nothing", sesame_device_log_out((sesame_device){0}, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_store_erase of nothing", sesame_store_erase((sesame_store){0}, &e), HANDLE);
  EXPECT("sesame_device_batch_encrypt of nothing", sesame_device_batch_encrypt((sesame_device){0}, &to, 1, none, none, &r, (const sesame_send **)&view, &e), HANDLE);
  EXPECT("sesame_device_send_status of nothing", sesame_device_send_status((sesame_device){0}, id16, &r, (const sesame_send_status **)&view, &e), HANDLE);
  EXPECT("sesame_device_sends of nothing", sesame_device_sends((sesame_device){0}, &r, (const sesame_sends **)&view, &e), HANDLE);
  EXPECT("sesame_device_batches of nothing", sesame_device_batches((sesame_device){0}, id16, &r, (const sesame_batches **)&view, &e), HANDLE);
  EXPECT("sesame_device_cancel of nothing", sesame_device_cancel((sesame_device){0}, id16, &to, 1, &e), HANDLE);
  EXPECT("sesame_device_retry of nothing", sesame_device_retry((sesame_device){0}, id16, &e), HANDLE);
  EXPECT("sesame_device_batch_decrypt of nothing", sesame_device_batch_decrypt((sesame_device){0}, &to, 1, false, &r, (const sesame_mail_results **)&view, &e), HANDLE);
  EXPECT("sesame_device_inbox of nothing", sesame_device_inbox((sesame_device){0}, 2, 1, &r, (const sesame_inbox **)&view, &e), HANDLE);
  EXPECT("sesame_device_ack of nothing", sesame_device_ack((sesame_device){0}, ids, 1, &e), HANDLE);
  EXPECT("sesame_session_info of nothing", sesame_session_info((sesame_session){0}, &r, (const sesame_session_view **)&view, &e), HANDLE);
  EXPECT("sesame_session_encrypt of nothing", sesame_session_encrypt((sesame_session){0}, none, &r, (const sesame_send **)&view, &e), HANDLE);
}

static void pointers(void) {
  sesame_result r;
  const sesame_send *send;
  const sesame_slice to = sesame_text("bob"), lost = {NULL, 5};
  const sesame_device d = alice.device;
  EXPECT("no place for the result", sesame_device_batch_encrypt(d, &to, 1, none, none, NULL, &send, &e), NULLED);
  EXPECT("the error says which", strcmp(e.field, "result"), 0);
  EXPECT("no place for the view", sesame_device_batch_encrypt(d, &to, 1, none, none, &r, NULL, &e), NULLED);
  EXPECT("no place for the error, and none is needed", sesame_device_batch_encrypt(d, NULL, 1, none, none, &r, &send, NULL), NULLED);
  const waiting before = waiting_at(d);
  EXPECT("recipients without memory", sesame_device_batch_encrypt(d, NULL, 1, none, none, &r, &send, &e), NULLED);
  EXPECT("no recipients", sesame_device_batch_encrypt(d, NULL, 0, none, none, &r, &send, &e), SESAME_STATUS_EMPTY_BATCH);
  EXPECT("a payload without memory", sesame_device_batch_encrypt(d, &to, 1, lost, none, &r, &send, &e), NULLED);
  EXPECT("a recipient without memory", sesame_device_batch_encrypt(d, &lost, 1, none, none, &r, &send, &e), NULLED);
  EXPECT("its number is said", e.item, 0);
  EXPECT("a crooked error", sesame_device_batch_encrypt(d, &to, 1, none, none, &r, &send, (sesame_error *)(void *)((char *)&e + 1)), LAYOUT);
  EXPECT("nothing was done then", waiting_at(d).sends, before.sends);
  EXPECT("and nothing given", r.token == 0 && send == NULL, 1);
  send = (const sesame_send *)(const void *)&e;
  EXPECT("one place that is missing", sesame_device_batch_encrypt(d, &to, 1, none, none, NULL, &send, &e), NULLED);
  EXPECT("leaves the others zeroed", send == NULL, 1);
  EXPECT("a crooked list", sesame_device_batch_encrypt(d, (const sesame_slice *)(const void *)((const char *)&to + 1), 1, none, none, &r, &send, &e), LAYOUT);
  EXPECT("a crooked place", sesame_device_batch_encrypt(d, &to, 1, none, none, (sesame_result *)(void *)((char *)&r + 1), &send, &e), LAYOUT);
  EXPECT("no place for an id", sesame_device_id(d, NULL, &e), NULLED);
  EXPECT("no place for a group's id", sesame_group_id(trip, NULL, &e), NULLED);
  EXPECT("wiping nothing", sesame_wipe(NULL, 0), OK);
  EXPECT("wiping NULL", sesame_wipe(NULL, 1), NULLED);
  uint8_t secret[4] = {1, 2, 3, 4};
  EXPECT("wiping", sesame_wipe(secret, 3), OK);
  EXPECT("wipes what it was told", secret[0] | secret[1] | secret[2], 0);
  EXPECT("and no more", secret[3], 4);
  EXPECT("text of NULL", sesame_text(NULL).len, 0);
  sesame_device made;
  EXPECT("a key without memory", sesame_device_create(alice.store, lost, to, host_server(), none, host_clock, &made, &e), NULLED);
  EXPECT("a clock without a place", sesame_clock_new(1, NULL, &e), NULLED);
  EXPECT("a relay without a place", sesame_relay_new(host_server(), host_clock, NULL, &e), NULLED);
}

static void lengths(void) {
  sesame_result r;
  const sesame_send *send;
  const sesame_mail_results *read;
  const sesame_device d = alice.device;
  static uint8_t large[98304];
  const sesame_slice to = sesame_text("bob"), endless = slice(large, SIZE_MAX), half = slice(large, (size_t)PTRDIFF_MAX + 1),
                     wraps = slice((const void *)(UINTPTR_MAX - 15), 64);
  EXPECT("a payload of SIZE_MAX", sesame_device_batch_encrypt(d, &to, 1, endless, none, &r, &send, &e), ARGUMENT);
  EXPECT("a payload beyond PTRDIFF_MAX", sesame_device_batch_encrypt(d, &to, 1, half, none, &r, &send, &e), ARGUMENT);
  EXPECT("a payload that wraps around", sesame_device_batch_encrypt(d, &to, 1, wraps, none, &r, &send, &e), ARGUMENT);
  EXPECT("SIZE_MAX recipients", sesame_device_batch_encrypt(d, &to, SIZE_MAX, none, none, &r, &send, &e), ARGUMENT);
  EXPECT("SIZE_MAX / 16 recipients", sesame_device_batch_encrypt(d, &to, SIZE_MAX / 16, none, none, &r, &send, &e), ARGUMENT);
  EXPECT("a payload of 65,537 bytes", sesame_device_batch_encrypt(d, &to, 1, slice(large, SESAME_MAX_PAYLOAD + 1), none, &r, &send, &e), SESAME_STATUS_PAYLOAD_TOO_LARGE);
  EXPECT("a content id of 15 bytes", sesame_device_batch_encrypt(d, &to, 1, none, slice(large, 15), &r, &send, &e), ARGUMENT);
  EXPECT("a content id of 17 bytes", sesame_device_batch_encrypt(d, &to, 1, none, slice(large, 17), &r, &send, &e), ARGUMENT);
  EXPECT("no envelopes: the mailbox was empty", sesame_device_batch_decrypt(d, NULL, 0, false, &r, &read, &e), OK);
  static sesame_slice many[4097];
  EXPECT("4,097 envelopes", sesame_device_batch_decrypt(d, many, 4097, false, &r, &read, &e), SESAME_STATUS_TOO_MANY);
  EXPECT("empty envelopes are opened one by one", sesame_device_batch_decrypt(d, many, 3, false, &r, &read, &e), OK);
  EXPECT("each with its reason", read->count == 3 && read->items[2]->outcome == SESAME_MAIL_OUTCOME_REFUSED && read->items[2]->reason == SESAME_STATUS_TRUNCATED, 1);
  EXPECT("freeing them", sesame_result_free(r), OK);
  EXPECT("a group id of 31 bytes", sesame_device_group(d, slice(large, 31), &trip, &e), ARGUMENT);
  EXPECT("an unknown group", sesame_device_group(d, slice(large, 32), &trip, &e), SESAME_STATUS_UNKNOWN_GROUP);
  EXPECT("its place is zeroed", trip.token, 0);
  sesame_device made;
  for (size_t length = 0; length < 65; length += 16)
    if (length != 32) EXPECT("a store key that has not 32 bytes", sesame_device_create(alice.store, slice(large, length), to, host_server(), none, host_clock, &made, &e), ARGUMENT);
  EXPECT("a user without a name", sesame_device_create(alice.store, host_key(), none, host_server(), none, host_clock, &made, &e), ARGUMENT);
  memset(large, 'x', 65);
  EXPECT("a user of 65 bytes", sesame_device_create(alice.store, host_key(), slice(large, 65), host_server(), none, host_clock, &made, &e), ARGUMENT);
  EXPECT("a user that is no UTF-8", sesame_device_create(alice.store, host_key(), slice("\xff\xfe", 2), host_server(), none, host_clock, &made, &e), ARGUMENT);
  EXPECT("a store that has a device", sesame_device_create(alice.store, host_key(), to, host_server(), none, host_clock, &made, &e), SESAME_STATUS_FOREIGN_STORE);
  sesame_store store;
  EXPECT("a path that is no UTF-8", sesame_store_sqlite(slice("\xff", 1), &store, &e), ARGUMENT);
  EXPECT("a path to nowhere", sesame_store_sqlite(sesame_text("/nowhere/at/all.db"), &store, &e) / 100, 4);
  EXPECT("a path with a zero byte", sesame_store_sqlite(slice("a\0b", 3), &store, &e) != OK, 1);
  EXPECT("an account key of 31 bytes", sesame_registry_accept_identity(alice.registry, to, slice(large, 31), &e), ARGUMENT);
}

static void structs(void) {
  sesame_result r;
  uint32_t status;
  sesame_slice answer;
  const sesame_slice path = sesame_text("/v1/mail");
  struct {
    sesame_header known;
    uint64_t added;
  } newer = {{sizeof newer, sesame_text("Sesame-Auth"), none}, 0};
  sesame_header mine = {sizeof mine, sesame_text("Sesame-Auth"), none};
  const sesame_header *headers[1] = {&mine}, *newest[1] = {&newer.known}, *missing[1] = {NULL};
  EXPECT("a header", sesame_relay_perform(relay, path, headers, 1, none, &r, &status, &answer, &e), OK);
  EXPECT("freeing what came of it", sesame_result_free(r), OK);
  mine.struct_size = 0;
  EXPECT("a struct without a size", sesame_relay_perform(relay, path, headers, 1, none, &r, &status, &answer, &e), LAYOUT);
  mine.struct_size = sizeof mine - 1;
  EXPECT("a struct that is too small", sesame_relay_perform(relay, path, headers, 1, none, &r, &status, &answer, &e), LAYOUT);
  mine.struct_size = SIZE_MAX;
  EXPECT("a struct that is huge", sesame_relay_perform(relay, path, headers, 1, none, &r, &status, &answer, &e), LAYOUT);
  EXPECT("a count without a list", sesame_relay_perform(relay, path, NULL, 1, none, &r, &status, &answer, &e), NULLED);
  EXPECT("a list with nothing in it", sesame_relay_perform(relay, path, missing, 1, none, &r, &status, &answer, &e), NULLED);
  EXPECT("a newer struct that says nothing new", sesame_relay_perform(relay, path, newest, 1, none, &r, &status, &answer, &e), OK);
  EXPECT("freeing what came of it", sesame_result_free(r), OK);
  newer.added = 1;
  EXPECT("a newer struct that says something", sesame_relay_perform(relay, path, newest, 1, none, &r, &status, &answer, &e), LAYOUT);
  sesame_group_change change = {sizeof change, NULL, NULL, NULL, NULL, NULL};
  sesame_group group;
  const sesame_send *send;
  const sesame_slice to = sesame_text("bob");
  EXPECT("a group of kind 999", sesame_device_create_group(alice.device, 999, &change, &to, 1, &group, &r, &send, &e), SESAME_STATUS_UNKNOWN_GROUP_KIND);
  EXPECT("a group of kind 258", sesame_device_create_group(alice.device, 258, &change, &to, 1, &group, &r, &send, &e), SESAME_STATUS_UNKNOWN_GROUP_KIND);
  const sesame_slice bad = {(const uint8_t *)"\xff", 1};
  change.name = &bad;
  EXPECT("a name that is no UTF-8", sesame_device_create_group(alice.device, 2, &change, &to, 1, &group, &r, &send, &e), ARGUMENT);
  change.struct_size = 4;
  EXPECT("a change that is too small", sesame_device_create_group(alice.device, 2, &change, &to, 1, &group, &r, &send, &e), LAYOUT);
  EXPECT("no change at all", sesame_device_create_group(alice.device, 2, NULL, &to, 1, &group, &r, &send, &e), NULLED);
  EXPECT("a status that is not known has a text", strcmp(sesame_status_text(999), "unknown status"), 0);
  EXPECT("a status has a name", strcmp(sesame_status_name(SESAME_STATUS_STORE_FULL), "STORE_FULL"), 0);
  EXPECT("a status that is not known has a name", strcmp(sesame_status_name(999), "UNKNOWN"), 0);
  EXPECT("the header is the library's", sesame_version(), SESAME_VERSION_NUMBER);
}

/* A store of the app's that does what it is told to. */
typedef struct odd {
  memory_store rows;
  int32_t load_gives, commit_gives;
  int stranger, reenter, zeroed, wiped;
  size_t asked;
  sesame_rows kept;
  int32_t seen[4];
} odd;

static int32_t odd_load(void *context, const sesame_query *queries, size_t count, bool hold, sesame_generation *generation, sesame_rows rows) {
  odd *it = context;
  it->kept = rows;
  it->asked += count;
  if (it->reenter) {
    sesame_result r;
    const sesame_sends *sends;
    sesame_store store;
    it->seen[0] = (int32_t)sesame_device_sends(alice.device, &r, &sends, NULL);
    it->seen[1] = (int32_t)sesame_device_sends(bob.device, &r, &sends, NULL);
    it->seen[2] = (int32_t)sesame_store_memory(&store, NULL);
    it->seen[3] = (int32_t)sesame_device_free(bob.device);
    memset(&r, 0xaa, sizeof r);
    it->zeroed = sesame_device_sends(alice.device, &r, &sends, NULL) == SESAME_STATUS_REENTRANT && r.token == 0 && sends == NULL;
    uint8_t secret[2] = {1, 2};
    it->wiped = sesame_wipe(secret, 2) == SESAME_STATUS_OK && secret[0] == 0 && secret[1] == 0;
  }
  if (it->load_gives != 0) return it->load_gives;
  if (it->stranger) {
    static const uint8_t key[] = "what nobody asked for";
    const sesame_slice row = {key, sizeof key};
    if (sesame_rows_add(rows, row, row) != SESAME_STATUS_OK) return SESAME_STORE_OUTCOME_IO;
  }
  return memory_load(&it->rows, queries, count, hold, generation, rows);
}

static int32_t odd_commit(void *context, const sesame_generation *expected, const sesame_generation *next, const sesame_change *changes, size_t count) {
  odd *it = context;
  return it->commit_gives != 0 ? it->commit_gives : memory_commit(&it->rows, expected, next, changes, count);
}

static void odd_destroy(void *context) { ((odd *)context)->rows.destroyed++; }

/* What a call asks the store for. */
static size_t asks(odd *it, sesame_registry registry) {
  sesame_result r;
  const sesame_devices *devices;
  it->asked = 0;
  EXPECT("the devices", sesame_registry_devices(registry, sesame_text("odd"), &r, &devices, &e), OK);
  EXPECT("freeing them", sesame_result_free(r), OK);
  return it->asked;
}

static void memory_limits(odd *it, sesame_device device) {
  sesame_registry registry;
  EXPECT("a registry", sesame_device_registry(device, &registry, &e), OK);
  asks(it, registry);
  const size_t kept = asks(it, registry);
  EXPECT("a limit of nothing", sesame_device_set_memory_limit(device, 0, &e), OK);
  const size_t nothing = asks(it, registry);
  EXPECT("rows are read again", nothing > kept, 1);
  EXPECT("the limit holds", asks(it, registry), nothing);
  EXPECT("a limit of everything", sesame_device_set_memory_limit(device, SIZE_MAX, &e), OK);
  asks(it, registry);
  EXPECT("rows are kept again", asks(it, registry), kept);
  EXPECT("freeing the registry", sesame_registry_free(registry), OK);
}

static void callbacks(void) {
  odd it;
  memset(&it, 0, sizeof it);
  sesame_store_functions functions = {sizeof functions, &it, odd_load, odd_commit, memory_release, odd_destroy};
  sesame_store store;
  sesame_device device;
  const sesame_slice push = sesame_text("knock here");
  functions.load = NULL;
  EXPECT("a store without load", sesame_store_app(&functions, &store, &e), NULLED);
  functions.load = odd_load;
  functions.commit = NULL;
  EXPECT("a store without commit", sesame_store_app(&functions, &store, &e), NULLED);
  functions.commit = odd_commit;
  functions.release = NULL;
  EXPECT("a store without release", sesame_store_app(&functions, &store, &e), NULLED);
  functions.release = memory_release;
  functions.struct_size = 1;
  EXPECT("a store of another size", sesame_store_app(&functions, &store, &e), LAYOUT);
  functions.struct_size = sizeof functions;
  EXPECT("no store at all", sesame_store_app(NULL, &store, &e), NULLED);
  EXPECT("a store that was refused is not destroyed", it.rows.destroyed, 0);
  EXPECT("a store", sesame_store_app(&functions, &store, &e), OK);
  EXPECT("a device over it", sesame_device_create(store, host_key(), sesame_text("odd"), host_server(), none, host_clock, &device, &e), OK);
  const size_t rows = it.rows.count;
  static const struct {
    int32_t gives, status;
  } outcomes[] = {{SESAME_STORE_OUTCOME_BUSY, 401}, {SESAME_STORE_OUTCOME_IO, 402},  {SESAME_STORE_OUTCOME_FULL, 403},
                  {SESAME_STORE_OUTCOME_READ_ONLY, 404}, {-1, 412}, {999, 412}, {104, 412}, {INT32_MIN, 412}};
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
    it.load_gives = outcomes[i].gives;
    EXPECT("a load that fails", sesame_device_set_push(device, push, &e), outcomes[i].status);
    it.load_gives = 0;
    it.commit_gives = outcomes[i].gives;
    EXPECT("a commit that fails", sesame_device_set_push(device, push, &e), outcomes[i].status);
    it.commit_gives = 0;
  }
  it.load_gives = SESAME_STORE_OUTCOME_CONFLICT;
  EXPECT("a load that conflicts", sesame_device_set_push(device, push, &e), 412);
  it.load_gives = 0;
  it.commit_gives = SESAME_STORE_OUTCOME_CONFLICT;
  EXPECT("a commit that conflicts for ever", sesame_device_set_push(device, push, &e), 401);
  it.commit_gives = SESAME_STORE_OUTCOME_UNKNOWN;
  EXPECT("a commit that did not land and cannot say so", sesame_device_set_push(device, push, &e), 402);
  it.commit_gives = 0;
  it.stranger = 1;
  EXPECT("a load that gives what nobody asked for", sesame_device_set_push(device, push, &e), 412);
  it.stranger = 0;
  EXPECT("nothing has changed by all that", it.rows.count, rows);
  it.reenter = 1;
  EXPECT("a load that calls the library", sesame_device_set_push(device, push, &e), OK);
  it.reenter = 0;
  for (int i = 0; i < 4; i++) EXPECT("every call from inside is refused", it.seen[i], SESAME_STATUS_REENTRANT);
  EXPECT("its outputs are zeroed", it.zeroed, 1);
  EXPECT("and a secret may be wiped there", it.wiped, 1);
  EXPECT("rows after their load", sesame_rows_add(it.kept, none, none), HANDLE);
  memory_limits(&it, device);
  EXPECT("a device whose keys are wiped", sesame_device_wipe(device, &e), OK);
  EXPECT("is closed", sesame_device_set_push(device, push, &e), SESAME_STATUS_CLOSED);
  EXPECT("and has no memory to limit", sesame_device_set_memory_limit(device, 0, &e), SESAME_STATUS_CLOSED);
  EXPECT("twice does nothing", sesame_device_wipe(device, &e), OK);
  EXPECT("freeing the store", sesame_store_free(store), OK);
  EXPECT("the closed device has let go of it", it.rows.destroyed, 1);
  EXPECT("freeing the device", sesame_device_free(device), OK);
  EXPECT("the store was destroyed once", it.rows.destroyed, 1);
  memory_clear(&it.rows);
}

/* Suites for stores that do not keep the contract. */
static int32_t opens_nothing(void *context, sesame_store *store) {
  (void)context;
  (void)store;
  return SESAME_STATUS_STORE_IO;
}

static int32_t opens_a_forgetful_one(void *context, sesame_store *store) {
  odd *it = context;
  memory_clear(&it->rows);
  const sesame_store_functions functions = {sizeof functions, it, odd_load, odd_commit, memory_release, NULL};
  return sesame_store_app(&functions, store, NULL);
}

static void suites(void) {
  odd it;
  sesame_result r;
  sesame_slice claim;
  memset(&it, 0, sizeof it);
  EXPECT("a suite without stores", sesame_store_check(NULL, NULL, &r, &claim, &e), NULLED);
  EXPECT("a suite whose stores do not open", sesame_store_check(opens_nothing, NULL, &r, &claim, &e), OK);
  EXPECT("says so", claim.len > 0, 1);
  EXPECT("freeing what it says", sesame_result_free(r), OK);
  EXPECT("a suite for a whole store", sesame_store_check(opens_a_forgetful_one, &it, &r, &claim, &e), OK);
  EXPECT("finds nothing", claim.data == NULL, 1);
  EXPECT("freeing nothing", sesame_result_free(r), OK);
  it.stranger = 1;
  EXPECT("a suite for one that gives what nobody asked for", sesame_store_check(opens_a_forgetful_one, &it, &r, &claim, &e), OK);
  EXPECT("finds it", claim.len > 0, 1);
  EXPECT("freeing what it found", sesame_result_free(r), OK);
  it.stranger = 0;
  it.commit_gives = SESAME_STORE_OUTCOME_FULL;
  EXPECT("a suite for one that keeps nothing", sesame_store_check(opens_a_forgetful_one, &it, &r, &claim, &e), OK);
  EXPECT("finds it too", claim.len > 0, 1);
  EXPECT("freeing what it found", sesame_result_free(r), OK);
  memory_clear(&it.rows);
}

/* Eight threads on one device, one of which frees what the others use. */
static void *work(void *context) {
  const sesame_slice to = sesame_text("bob");
  long *bad = context;
  for (int i = 0; i < 25; i++) {
    sesame_result r;
    sesame_session session;
    const sesame_send *send;
    const sesame_session_view *info;
    sesame_error mine;
    if (sesame_device_batch_encrypt(alice.device, &to, 1, to, none, &r, &send, &mine) != OK) ++*bad;
    if (sesame_result_free(r) != OK) ++*bad;
    if (sesame_device_session(alice.device, to, 1, &session, &mine) != OK) ++*bad;
    if (sesame_session_info(session, &r, &info, &mine) != OK || sesame_result_free(r) != OK) ++*bad;
    if (sesame_session_free(session) != OK || sesame_session_free(session) != (sesame_status)HANDLE) ++*bad;
  }
  return NULL;
}

static void *use_until_freed(void *context) {
  const sesame_device *device = context;
  sesame_status status = SESAME_STATUS_OK;
  for (int i = 0; status == SESAME_STATUS_OK && i < 1000000; i++) {
    uint32_t id;
    status = sesame_device_id(*device, &id, NULL);
  }
  return (void *)(intptr_t)status;
}

static void threads(void) {
  pthread_t thread[8];
  long bad[8] = {0}, all = 0;
  static char said[4096];
  host_exchange(&alice);
  host_read(&alice, said, sizeof said);
  for (int i = 0; i < 8; i++) pthread_create(&thread[i], NULL, work, &bad[i]);
  for (int i = 0; i < 8; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < 8; i++) all += bad[i];
  EXPECT("eight threads on one device", all, 0);
  sesame_result r;
  const sesame_sends *sends;
  EXPECT("the sends", sesame_device_sends(alice.device, &r, &sends, &e), OK);
  EXPECT("has every send of every thread", sends->count, 200);
  EXPECT("freeing it", sesame_result_free(r), OK);
  host_exchange(&alice);
  EXPECT("all are opened", host_read(&bob, said, sizeof said), 0);
  EXPECT("and read", strlen(said), 200 * 4);
  sesame_store store;
  sesame_device device;
  CHECK(sesame_store_memory(&store, &host_error));
  CHECK(sesame_device_create(store, host_key(), sesame_text("short-lived"), host_server(), none, host_clock, &device, &host_error));
  for (int i = 0; i < 8; i++) pthread_create(&thread[i], NULL, use_until_freed, &device);
  EXPECT("freed while eight threads use it", sesame_device_free(device), OK);
  for (int i = 0; i < 8; i++) {
    void *status;
    pthread_join(thread[i], &status);
    EXPECT("each thread is told", (intptr_t)status, HANDLE);
  }
  EXPECT("freeing its store", sesame_store_free(store), OK);
}

static void forks(void) {
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    sesame_result r = {7};
    const sesame_sends *sends = NULL;
    uint8_t secret[2] = {1, 2};
    const int refused = sesame_device_sends(alice.device, &r, &sends, NULL) == SESAME_STATUS_FORKED && r.token == 0;
    const int wiped = sesame_wipe(secret, 2) == SESAME_STATUS_OK && (secret[0] | secret[1]) == 0;
    _exit(refused && wiped ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT("a call in the child of a fork", status, 0);
  sesame_result r;
  const sesame_sends *sends;
  EXPECT("the parent goes on", sesame_device_sends(alice.device, &r, &sends, &e), OK);
  EXPECT("freeing it", sesame_result_free(r), OK);
}

int main(void) {
  relay = host_relay();
  alice = host_create(relay, "alice");
  bob = host_create(relay, "bob");
  host_send(&alice, "bob", "hi");
  char said[64];
  host_read(&bob, said, sizeof said);
  const sesame_slice name = sesame_text("Trip"), to = sesame_text("bob");
  const sesame_group_change info = {sizeof info, &name, NULL, NULL, NULL, NULL};
  sesame_result r;
  const sesame_send *send;
  CHECK(sesame_device_create_group(alice.device, SESAME_GROUP_KIND_PAIRWISE, &info, &to, 1, &trip, &r, &send, &host_error));
  CHECK(sesame_result_free(r));
  const sesame_group made = trip;
  handles();
  of_nothing();
  pointers();
  structs();
  lengths();
  CHECK(sesame_group_free(made));
  callbacks();
  suites();
  threads();
  forks();
  host_free(&alice);
  host_free(&bob);
  CHECK(sesame_relay_free(relay));
  printf("%d passed, %d failed\n", cases - failures, failures);
  return failures == 0 ? 0 : 1;
}
