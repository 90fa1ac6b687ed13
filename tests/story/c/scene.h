/* What a scene has made so far, what a step says, and what several steps do. */
#ifndef STORY_SCENE_H
#define STORY_SCENE_H

#include "calls.h"
#include "lines.h"
#include "memory_store.h"
#include <cjson/cJSON.h>

/* The seed and the clock of a library for tests. */
extern void sesame_test_outside(uint64_t seed, uint64_t now_ms);
extern void sesame_test_advance(uint64_t ms);

enum { MAX_HOSTS = 16, MAX_MAILS = 64, MAX_USERS = 300, MANY = 1000 };

/* What lies between a device and its relay: an answer to every request of the next exchange, or to each after the first of a kind. */
typedef struct trouble {
  bool is_on;
  int64_t status; /* -1: `respond` is not called */
  const char *body;
} trouble;

typedef struct replay {
  const char *kind; /* NULL for none */
  uint32_t status;
  sesame_slice body; /* its own copy; NULL before the first request of the kind */
} replay;

/* What an app keeps around a device, and the app's own store with what it should fail with. */
typedef struct host {
  const char *name;
  sesame_relay relay;
  sesame_store store;
  sesame_device device;
  sesame_slice user;
  uint32_t id;
  memory_store rows;
  int32_t load_fault, commit_fault;
  trouble trouble;
  replay replay;
  uint8_t last_send[16];
} host;

typedef struct named_relay {
  const char *name;
  sesame_relay relay;
} named_relay;

typedef struct named_group {
  const char *name;
  uint8_t id[32];
} named_group;

typedef struct named_mails {
  const char *name;
  sesame_slice mails[MAX_MAILS];
  size_t count;
} named_mails;

/* What a scene has made so far. */
static struct {
  host hosts[MAX_HOSTS];
  named_relay relays[MAX_HOSTS];
  named_group groups[MAX_HOSTS];
  named_mails mails[MAX_HOSTS];
  size_t host_count, relay_count, group_count, mails_count;
} scene;

#define SERVER "relay.example"

static const char *folder;
static int scene_number;
static const sesame_slice none;
static const sesame_clock no_clock;

/* What a step says. */

static const char *text_of(const cJSON *step, const char *field) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(step, field);
  return cJSON_IsString(value) ? value->valuestring : NULL;
}

static sesame_slice slice_of(const cJSON *step, const char *field) {
  return sesame_text(text_of(step, field));
}

static int64_t number_of(const cJSON *step, const char *field) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(step, field);
  return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

static uint32_t device_of(const cJSON *step) {
  return (uint32_t)number_of(step, "number");
}

static size_t slices_of(const cJSON *step, const char *field, sesame_slice to[MAX_USERS]) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(step, field), *item;
  size_t count = 0;
  cJSON_ArrayForEach(item, list) {
    if (count == MAX_USERS) die("a longer list than this runner takes");
    to[count++] = sesame_text(item->valuestring);
  }
  return count;
}

/* What is named. */

static bool same(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

static host *host_named(const char *name) {
  for (size_t i = scene.host_count; i-- > 0;)
    if (same(scene.hosts[i].name, name)) return &scene.hosts[i];
  die("no such device");
  return NULL;
}

static host *new_host(const cJSON *step, sesame_relay relay) {
  if (scene.host_count == MAX_HOSTS) die("too many devices");
  host *it = &scene.hosts[scene.host_count];
  memset(it, 0, sizeof *it);
  it->name = text_of(step, "device");
  it->relay = relay;
  return it;
}

static named_group *group_named(const char *name) {
  for (size_t i = scene.group_count; i-- > 0;)
    if (same(scene.groups[i].name, name)) return &scene.groups[i];
  die("no such group");
  return NULL;
}

static named_mails *mails_named(const char *name) {
  for (size_t i = scene.mails_count; i-- > 0;)
    if (same(scene.mails[i].name, name)) return &scene.mails[i];
  die("no such mails");
  return NULL;
}

static sesame_status relay_named(const cJSON *step, sesame_relay *relay) {
  const char *name = text_of(step, "relay") != NULL ? text_of(step, "relay") : "";
  for (size_t i = 0; i < scene.relay_count; i++)
    if (same(scene.relays[i].name, name)) return *relay = scene.relays[i].relay, SESAME_STATUS_OK;
  if (scene.relay_count == MAX_HOSTS) die("too many relays");
  TRY(sesame_relay_new(sesame_text(SERVER), no_clock, relay, &error));
  scene.relays[scene.relay_count].name = name;
  scene.relays[scene.relay_count++].relay = *relay;
  return SESAME_STATUS_OK;
}

/* The app's own store. */

static int32_t app_load(void *context, const sesame_query *queries, size_t count, bool hold, sesame_generation *generation,
                        sesame_rows rows) {
  host *it = context;
  if (it->load_fault != 0) return it->load_fault;
  return memory_load(&it->rows, queries, count, hold, generation, rows);
}

static int32_t app_commit(void *context, const sesame_generation *expected, const sesame_generation *next,
                          const sesame_change *changes, size_t count) {
  host *it = context;
  if (it->commit_fault != 0) return it->commit_fault;
  return memory_commit(&it->rows, expected, next, changes, count);
}

static void app_release(void *context) {
  (void)context;
}

static sesame_status open_store(const cJSON *step, host *it) {
  const char *kind = text_of(step, "store");
  if (kind != NULL && same(kind, "sqlite")) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%d-%s.db", folder, scene_number, it->name);
    return sesame_store_sqlite(sesame_text(path), &it->store, &error);
  }
  if (kind != NULL && same(kind, "app")) {
    const sesame_store_functions own = {sizeof own, it, app_load, app_commit, app_release, NULL};
    return sesame_store_app(&own, &it->store, &error);
  }
  return sesame_store_memory(&it->store, &error);
}

static sesame_slice store_key(uint8_t byte) {
  static uint8_t key[32];
  memset(key, byte, sizeof key);
  const sesame_slice slice = {key, sizeof key};
  return slice;
}

/* The loop. */

static const char *const KINDS[] = {"", "bundles", "confirm", "delete", "link", "lists", "mail", "publication", "push", "submit"};

static sesame_slice copy_of(sesame_slice bytes) {
  const sesame_slice copy = {memory_copy(bytes), bytes.len};
  return copy;
}

/* What the server says to a request, or what stands in its place. */
static sesame_status perform(host *it, const sesame_server_request *request, uint32_t *status, sesame_slice *body) {
  const bool is_replayed = it->replay.kind != NULL && same(NAME_OF(KINDS, request->kind), it->replay.kind);
  if (it->trouble.is_on) {
    *status = (uint32_t)it->trouble.status;
    *body = sesame_text(it->trouble.body);
    return SESAME_STATUS_OK;
  }
  if (is_replayed && it->replay.body.data != NULL) {
    *status = it->replay.status;
    *body = it->replay.body;
    return SESAME_STATUS_OK;
  }
  TRY(sesame_relay_perform(it->relay, request->path, request->headers, request->header_count, request->body, result(), status, body, &error));
  if (is_replayed) {
    it->replay.status = *status;
    it->replay.body = copy_of(*body);
  }
  return SESAME_STATUS_OK;
}

/* The whole loop, of a device or of a linking. */
static sesame_status exchange_by(host *it, const sesame_linking *linking) {
  for (;;) {
    const size_t begun = result_count;
    const sesame_server_request *request;
    const sesame_answered *answered;
    uint32_t status;
    sesame_slice body;
    TRY(linking != NULL ? sesame_linking_next_request(*linking, result(), &request, &error)
                        : sesame_device_next_request(it->device, result(), &request, &error));
    if (request == NULL) break;
    print_request(request);
    if (it->trouble.is_on && it->trouble.status == -1) {
      printf("    unanswered\n");
      continue;
    }
    TRY(perform(it, request, &status, &body));
    TRY(linking != NULL ? sesame_linking_respond(*linking, request->id, status, body, result(), &answered, &error)
                        : sesame_device_respond(it->device, request->id, status, body, result(), &answered, &error));
    print_answered(status, answered);
    free_results_from(begun);
  }
  it->trouble.is_on = false;
  return SESAME_STATUS_OK;
}

static sesame_status exchange(host *it) {
  const sesame_status status = exchange_by(it, NULL);
  it->trouble.is_on = false;
  return status;
}

/* What several steps do. */

static sesame_status join(host *it) {
  TRY(sesame_device_id(it->device, &it->id, &error));
  scene.host_count++;
  printf("  device %" PRIu32 "\n", it->id);
  return SESAME_STATUS_OK;
}

static sesame_slice last_send(const host *it) {
  const sesame_slice id = {it->last_send, sizeof it->last_send};
  return id;
}

static void show_send(host *it, const sesame_send *send) {
  print_send(send);
  memcpy(it->last_send, send->id.data, sizeof it->last_send);
}

/* How the last send stands. */
static sesame_status standing(host *it) {
  const sesame_send_status *status;
  TRY(sesame_device_send_status(it->device, last_send(it), result(), &status, &error));
  print_status(status);
  return SESAME_STATUS_OK;
}

/* What a step that sends does once the call has succeeded. */
static sesame_status begin(host *it, const sesame_send *send) {
  show_send(it, send);
  TRY(exchange(it));
  return standing(it);
}

/* Prints what is in the inbox. */
static sesame_status show_inbox(host *it, bool is_acked) {
  const sesame_inbox *inbox;
  TRY(sesame_device_inbox(it->device, 0, MANY, result(), &inbox, &error));
  print_items(inbox);
  return is_acked ? sesame_device_ack(it->device, inbox->ids, inbox->count, &error) : SESAME_STATUS_OK;
}

static sesame_status read_mail(host *it, bool is_acked) {
  TRY(sesame_device_request_mail(it->device, MANY, &error));
  TRY(exchange(it));
  return show_inbox(it, is_acked);
}

static sesame_status decrypt_and_take(host *it, const sesame_slice *envelopes, size_t count) {
  const sesame_mail_results *results;
  TRY(sesame_device_batch_decrypt(it->device, envelopes, count, false, result(), &results, &error));
  print_results(results);
  return show_inbox(it, true);
}

static sesame_status encrypt_to(host *it, const cJSON *step, const sesame_slice *to, size_t count, sesame_slice payload) {
  const sesame_send *send;
  TRY(sesame_device_batch_encrypt(it->device, to, count, payload, slice_of(step, "content"), result(), &send, &error));
  show_send(it, send);
  return SESAME_STATUS_OK;
}

static sesame_status encrypt(host *it, const cJSON *step, sesame_slice payload) {
  sesame_slice to[MAX_USERS];
  const size_t count = slices_of(step, "to", to);
  return encrypt_to(it, step, to, count, payload);
}

#endif
