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
    fprintf(stderr, "line %d: %s: %s [%d] %s\n", line, call, host_error.reason, (int)status, host_error.field);
    exit(1);
  }
}

static inline sesame_slice host_key(void) {
  return sesame_text("32 bytes that your keychain has.");
}

static inline sesame_slice host_user(const host *it) {
  return sesame_text(it->user);
}

/* Uploads all that is due. */
static inline void host_publish(host *it) {
  for (;;) {
    sesame_result result;
    const sesame_publication *upload;
    CHECK(sesame_device_publication(it->device, NULL, &result, &upload, &host_error));
    if (upload != NULL) {
      uint32_t left;
      CHECK(sesame_relay_publish(it->relay, host_user(it), it->id, upload->bytes, &left, &host_error));
      CHECK(sesame_device_published(it->device, upload->id, &host_error));
    }
    const int more = upload != NULL;
    CHECK(sesame_result_free(result));
    if (!more) return;
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

/* A user's first device, over a store that the host frees. */
static inline host host_create_over(sesame_relay relay, sesame_store store, const char *user) {
  sesame_device device;
  CHECK(sesame_device_create(store, host_key(), sesame_text(user), &device, &host_error));
  host it = host_of(relay, store, device);
  host_publish(&it);
  return it;
}

static inline host host_create(sesame_relay relay, const char *user) {
  sesame_store store;
  CHECK(sesame_store_memory(&store, &host_error));
  return host_create_over(relay, store, user);
}

/* A further device of a user's: it shows a code, and the primary answers. */
static inline host host_link(host *primary) {
  sesame_store store;
  sesame_linking linking;
  sesame_result shown, answered;
  sesame_slice code, answer;
  sesame_device device;
  CHECK(sesame_store_memory(&store, &host_error));
  CHECK(sesame_linking_begin(store, host_key(), &linking, &host_error));
  CHECK(sesame_linking_code(linking, &shown, &code, &host_error));
  CHECK(sesame_device_confirm_link(primary->device, code, &answered, &answer, &host_error));
  CHECK(sesame_linking_complete(linking, answer, &device, &host_error));
  CHECK(sesame_linking_free(linking));
  CHECK(sesame_result_free(shown));
  CHECK(sesame_result_free(answered));
  host_publish(primary);
  host it = host_of(primary->relay, store, device);
  host_publish(&it);
  return it;
}

/* Submits one user's batch, and tells the device what the server said. */
static inline void host_submit(host *it, sesame_slice send, const sesame_batch *batch) {
  sesame_result result, again;
  const sesame_submission *said;
  const sesame_send *now;
  CHECK(sesame_relay_submit(it->relay, host_user(it), it->id, batch, &result, &said, &host_error));
  switch (said->kind) {
  case SESAME_SUBMISSION_KIND_ACCEPTED:
    CHECK(sesame_device_accepted(it->device, send, batch->user, &host_error));
    break;
  case SESAME_SUBMISSION_KIND_STALE:
    CHECK(sesame_device_rejected(it->device, send, batch->user, said->device_list, &again, &now, &host_error));
    CHECK(sesame_result_free(again));
    break;
  default:
    CHECK(sesame_device_no_such_user(it->device, send, batch->user, &again, &now, &host_error));
    CHECK(sesame_result_free(again));
    break;
  }
  CHECK(sesame_result_free(result));
}

/* Brings everything in the outbox to its end. */
static inline void host_settle(host *it) {
  for (int round = 0; round < 50; round++) {
    sesame_result outbox, answered, applied;
    const sesame_sends *sends;
    const sesame_answers *answers;
    const sesame_applied *what;
    CHECK(sesame_device_outbox(it->device, &outbox, &sends, &host_error));
    const size_t count = sends->count;
    for (size_t i = 0; i < count; i++) {
      const sesame_send *send = sends->items[i];
      for (size_t j = 0; j < send->batch_count; j++) host_submit(it, send->id, send->batches[j]);
      CHECK(sesame_relay_answer(it->relay, send->needs, send->need_count, &answered, &answers, &host_error));
      CHECK(sesame_registry_apply(it->registry, answers, &applied, &what, &host_error));
      CHECK(sesame_result_free(answered));
      CHECK(sesame_result_free(applied));
    }
    CHECK(sesame_result_free(outbox));
    if (count == 0) return;
  }
  fprintf(stderr, "the outbox of %s/%u does not empty\n", it->user, (unsigned)it->id);
  exit(1);
}

/* Sends text to a user. */
static inline void host_send(host *it, const char *to, const char *text) {
  sesame_slice user = sesame_text(to), none = {0};
  sesame_result result;
  const sesame_send *send;
  CHECK(sesame_device_batch_encrypt(it->device, &user, 1, sesame_text(text), none, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_settle(it);
}

/* Makes a user known, so that it can be added to a group. */
static inline void host_meet(host *it, const char *user) {
  sesame_need need = {sizeof need, SESAME_NEED_KIND_DEVICE_LIST, 0, sesame_text(user)};
  const sesame_need *needs = &need;
  sesame_result answered, applied;
  const sesame_answers *answers;
  const sesame_applied *what;
  CHECK(sesame_relay_answer(it->relay, &needs, 1, &answered, &answers, &host_error));
  CHECK(sesame_registry_apply(it->registry, answers, &applied, &what, &host_error));
  CHECK(sesame_result_free(answered));
  CHECK(sesame_result_free(applied));
}

/* Opens the mailbox and acks what it said; puts the messages into `to`, each after a '|'. Gives how many envelopes failed. */
static inline size_t host_read(host *it, char *to, size_t room) {
  sesame_result fetched, opened;
  const sesame_mails *mails;
  const sesame_received_list *read;
  size_t failed = 0, at = 0;
  to[0] = 0;
  CHECK(sesame_relay_fetch(it->relay, host_user(it), it->id, 4096, &fetched, &mails, &host_error));
  if (mails->count > 0) {
    CHECK(sesame_device_batch_decrypt(it->device, mails->envelopes, mails->count, &opened, &read, &host_error));
    for (size_t i = 0; i < read->count; i++) {
      const sesame_received *item = read->items[i];
      if (item->kind == SESAME_RECEIVED_KIND_FAILURE) failed++;
      if (item->message != NULL && at + item->message->payload.len + 2 < room) {
        to[at++] = '|';
        memcpy(to + at, item->message->payload.data, item->message->payload.len);
        at += item->message->payload.len;
        to[at] = 0;
      }
    }
    CHECK(sesame_relay_confirm(it->relay, host_user(it), it->id, mails->ids, mails->count, &host_error));
    CHECK(sesame_device_ack(it->device, read->ids, read->id_count, &host_error));
    CHECK(sesame_result_free(opened));
  }
  CHECK(sesame_result_free(fetched));
  host_settle(it);
  return failed;
}

static inline void host_free(host *it) {
  CHECK(sesame_registry_free(it->registry));
  CHECK(sesame_device_free(it->device));
  CHECK(sesame_store_free(it->store));
}

#endif
