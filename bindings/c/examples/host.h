/* An app around one device: it moves bytes between the library and a server, here the relay in memory. */
#ifndef HOST_H
#define HOST_H

#include <sesame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct host {
  sesame_relay relay;
  sesame_device device;
  sesame_registry registry;
  sesame_store store;
  char user[65];
  uint32_t id;
} host;

static sesame_error host_error;

#define CHECK(call) host_check((call), #call, __LINE__)

static inline void host_check(sesame_status status, const char *call, int line) {
  if (status != SESAME_STATUS_OK) {
    fprintf(stderr, "line %d: %s: %s [%d] %s %s\n", line, call, host_error.reason, (int)status, host_error.field, host_error.detail);
    exit(1);
  }
}

static const sesame_slice host_none = {NULL, 0};
/* {0} is the system's clock; a test may put another one here. */
static sesame_clock host_clock;

static inline sesame_slice host_key(void) {
  return sesame_text("32 bytes that your keychain has.");
}

/* The name of the server, which requests are signed for. */
static inline sesame_slice host_server(void) {
  return sesame_text("chat.example");
}

static inline sesame_slice host_user(const host *it) {
  return sesame_text(it->user);
}

static inline sesame_relay host_relay(void) {
  sesame_relay relay;
  CHECK(sesame_relay_new(host_server(), host_clock, &relay, &host_error));
  return relay;
}

/* Sends every request that is due, and takes in the answers. An app POSTs request->body to request->path instead. */
static inline void host_exchange(host *it) {
  for (;;) {
    sesame_result asked, performed, heard;
    const sesame_server_request *request;
    const sesame_answered *answered;
    sesame_slice body;
    uint32_t status;
    CHECK(sesame_device_next_request(it->device, &asked, &request, &host_error));
    if (request == NULL) return;
    CHECK(sesame_relay_perform(it->relay, request->path, request->headers, request->header_count, request->body, &performed, &status,
                               &body, &host_error));
    CHECK(sesame_device_respond(it->device, request->id, status, body, &heard, &answered, &host_error));
    CHECK(sesame_result_free(heard));
    CHECK(sesame_result_free(performed));
    CHECK(sesame_result_free(asked));
  }
}

/* Takes up a device that was created, linked or opened. */
static inline host host_of(sesame_relay relay, sesame_store store, sesame_device device) {
  host it = {relay, device, {0}, store, {0}, 0};
  sesame_result result;
  sesame_slice user;
  CHECK(sesame_device_user(device, &result, &user, &host_error));
  memcpy(it.user, user.data, user.len);
  CHECK(sesame_result_free(result));
  CHECK(sesame_device_id(device, &it.id, &host_error));
  CHECK(sesame_device_registry(device, &it.registry, &host_error));
  return it;
}

/* A user's first device, over a store that the host frees. It uploads its keys. */
static inline host host_create_over(sesame_relay relay, sesame_store store, const char *user) {
  sesame_device device;
  CHECK(sesame_device_create(store, host_key(), sesame_text(user), host_server(), host_none, host_clock, &device, &host_error));
  host it = host_of(relay, store, device);
  host_exchange(&it);
  return it;
}

static inline host host_create(sesame_relay relay, const char *user) {
  sesame_store store;
  CHECK(sesame_store_memory(&store, &host_error));
  return host_create_over(relay, store, user);
}

/* As `host_exchange`, for a new device that is not on its user's list yet. */
static inline void host_exchange_linking(sesame_relay relay, sesame_linking linking) {
  for (;;) {
    sesame_result asked, performed, heard;
    const sesame_server_request *request;
    const sesame_answered *answered;
    sesame_slice body;
    uint32_t status;
    CHECK(sesame_linking_next_request(linking, &asked, &request, &host_error));
    if (request == NULL) return;
    CHECK(sesame_relay_perform(relay, request->path, request->headers, request->header_count, request->body, &performed, &status, &body,
                               &host_error));
    CHECK(sesame_linking_respond(linking, request->id, status, body, &heard, &answered, &host_error));
    CHECK(sesame_result_free(heard));
    CHECK(sesame_result_free(performed));
    CHECK(sesame_result_free(asked));
  }
}

/* A further device of a user's: it shows a code, the primary reads it, and the user compares the digits on both. */
static inline host host_link(host *primary) {
  sesame_store store;
  sesame_linking linking;
  sesame_result shown, pending, compared;
  const sesame_pending_link *link;
  sesame_slice code, digits;
  sesame_device device;
  uint32_t id;
  CHECK(sesame_store_memory(&store, &host_error));
  CHECK(sesame_linking_begin(store, host_key(), host_server(), host_clock, &linking, &host_error));
  CHECK(sesame_linking_code(linking, &shown, &code, &host_error));
  CHECK(sesame_device_link_device(primary->device, code, &pending, &link, &host_error));
  host_exchange(primary); /* says hello */
  host_exchange_linking(primary->relay, linking);
  CHECK(sesame_linking_digits(linking, &compared, &digits, &host_error));
  if (digits.len != link->digits.len || memcmp(digits.data, link->digits.data, digits.len) != 0) {
    fprintf(stderr, "the digits differ\n");
    exit(1);
  }
  CHECK(sesame_linking_confirm(linking, &host_error));
  CHECK(sesame_device_confirm_link(primary->device, link->id, &id, &host_error));
  host_exchange(primary); /* uploads the list that names the new device, then the answer */
  host_exchange_linking(primary->relay, linking);
  CHECK(sesame_linking_device(linking, &device, &host_error));
  CHECK(sesame_result_free(shown));
  CHECK(sesame_result_free(pending));
  CHECK(sesame_result_free(compared));
  CHECK(sesame_linking_free(linking));
  host it = host_of(primary->relay, store, device);
  host_exchange(&it);
  return it;
}

/* Sends text to a user. */
static inline void host_send(host *it, const char *to, const char *text) {
  sesame_slice user = sesame_text(to);
  sesame_result result;
  const sesame_send *send;
  CHECK(sesame_device_batch_encrypt(it->device, &user, 1, sesame_text(text), host_none, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(it);
}

/* Makes a user known, so that it can be added to a group. */
static inline void host_meet(host *it, const char *name) {
  const sesame_slice user = sesame_text(name);
  CHECK(sesame_registry_look_up(it->registry, &user, 1, &host_error));
  host_exchange(it);
}

/* Fetches the mailbox, reads the inbox and acks it; puts the messages into `to`, each after a '|'. Gives how many envelopes of known
 * devices were not opened. */
static inline size_t host_read(host *it, char *to, size_t room) {
  size_t failed = 0, at = 0, count;
  to[0] = 0;
  CHECK(sesame_device_request_mail(it->device, 10000, &host_error));
  host_exchange(it);
  do {
    sesame_result result;
    const sesame_inbox *inbox;
    CHECK(sesame_device_inbox(it->device, 0, 256, &result, &inbox, &host_error));
    count = inbox->count;
    for (size_t i = 0; i < count; i++) {
      const sesame_message *message = inbox->items[i]->message;
      const sesame_event *event = inbox->items[i]->event;
      if (event != NULL && event->kind == SESAME_EVENT_KIND_NOT_OPENED) failed++;
      if (message != NULL && at + message->payload.len + 2 < room) {
        to[at++] = '|';
        memcpy(to + at, message->payload.data, message->payload.len);
        at += message->payload.len;
        to[at] = 0;
      }
    }
    CHECK(sesame_device_ack(it->device, inbox->ids, count, &host_error));
    CHECK(sesame_result_free(result));
  } while (count > 0);
  return failed;
}

static inline void host_free(host *it) {
  CHECK(sesame_registry_free(it->registry));
  CHECK(sesame_device_free(it->device));
  CHECK(sesame_store_free(it->store));
}

#endif
