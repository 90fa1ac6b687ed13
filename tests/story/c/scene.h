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

enum { MAX_HOSTS = 16, MAX_MAILS = 64, ROUNDS = 8, MANY = 1000 };

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

static const char *folder;
static int scene_number;
static const sesame_slice none;

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

static size_t slices_of(const cJSON *step, const char *field, sesame_slice to[16]) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(step, field), *item;
  size_t count = 0;
  cJSON_ArrayForEach(item, list) {
    if (count == 16) die("a longer list than this runner takes");
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
  TRY(sesame_relay_new(relay, &error));
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

/* What several steps do. */

static sesame_status join(host *it) {
  TRY(sesame_device_id(it->device, &it->id, &error));
  scene.host_count++;
  printf("  device %" PRIu32 "\n", it->id);
  return SESAME_STATUS_OK;
}

static sesame_status publish(host *it) {
  for (;;) {
    const sesame_publication *upload;
    uint32_t left;
    TRY(sesame_device_publication(it->device, NULL, result(), &upload, &error));
    if (upload == NULL) return SESAME_STATUS_OK;
    TRY(sesame_relay_publish(it->relay, it->user, it->id, upload->bytes, &left, &error));
    printf("  publishes %zu ", upload->bytes.len);
    print_h(upload->bytes);
    printf(" left %" PRIu32 "\n", left);
    TRY(sesame_device_published(it->device, upload->id, &error));
  }
}

/* One batch to the server, and its answer to the device. */
static sesame_status submit(host *it, const sesame_send *send, const sesame_batch *batch) {
  const sesame_submission *said;
  const sesame_send *again;
  TRY(sesame_relay_submit(it->relay, it->user, it->id, batch, result(), &said, &error));
  printf("  ");
  print_text(batch->user);
  switch (said->kind) {
    case SESAME_SUBMISSION_KIND_ACCEPTED:
      printf(" accepted\n");
      return sesame_device_accepted(it->device, send->id, batch->user, &error);
    case SESAME_SUBMISSION_KIND_STALE:
      printf(" stale");
      print_numbers("missing", said->missing, said->missing_count);
      print_numbers("gone", said->gone, said->gone_count);
      putchar('\n');
      return sesame_device_rejected(it->device, send->id, batch->user, said->device_list, result(), &again, &error);
    default:
      printf(" unknown\n");
      return sesame_device_no_such_user(it->device, send->id, batch->user, result(), &again, &error);
  }
}

static sesame_status apply(sesame_device device, const sesame_answers *answers) {
  sesame_registry registry;
  const sesame_applied *applied;
  TRY(sesame_device_registry(device, &registry, &error));
  const sesame_status status = sesame_registry_apply(registry, answers, result(), &applied, &error);
  if (status == SESAME_STATUS_OK) print_applied(applied);
  sesame_registry_free(registry);
  return status;
}

/* One send's batches and needs; whether anything happened. */
static sesame_status go_round(host *it, const sesame_send *send, bool *progress) {
  const sesame_answers *answers;
  bool must_publish = false;
  for (size_t i = 0; i < send->batch_count; i++) TRY(submit(it, send, send->batches[i]));
  *progress |= send->batch_count > 0;
  for (size_t i = 0; i < send->need_count; i++) must_publish |= send->needs[i]->kind == SESAME_NEED_KIND_PUBLICATION;
  if (must_publish) TRY(publish(it));
  TRY(sesame_relay_answer(it->relay, send->needs, send->need_count, result(), &answers, &error));
  const size_t found =
      answers->device_list_count + answers->bundle_count + answers->without_bundle_count + answers->unknown_user_count;
  if (found > 0) TRY(apply(it->device, answers));
  *progress |= must_publish || found > 0;
  return SESAME_STATUS_OK;
}

static sesame_status settle(host *it) {
  const sesame_sends *sends;
  bool progress = true;
  for (int round = 0; round < ROUNDS && progress; round++) {
    progress = false;
    TRY(sesame_device_outbox(it->device, result(), &sends, &error));
    for (size_t i = 0; i < sends->count; i++) {
      print_send(sends->items[i]);
      TRY(go_round(it, sends->items[i], &progress));
    }
  }
  TRY(sesame_device_outbox(it->device, result(), &sends, &error));
  if (sends->count > 0) printf("  unsettled %zu\n", sends->count);
  else printf("  settled\n");
  return SESAME_STATUS_OK;
}

static sesame_status begin(host *it, const sesame_send *send) {
  print_send(send);
  return settle(it);
}

static sesame_status take(host *it, const sesame_received_list *list) {
  print_received(list);
  return sesame_device_ack(it->device, list->ids, list->id_count, &error);
}

static sesame_status decrypt_and_take(host *it, const sesame_slice *envelopes, size_t count) {
  const sesame_received_list *list;
  TRY(sesame_device_batch_decrypt(it->device, envelopes, count, result(), &list, &error));
  return take(it, list);
}

static sesame_status encrypt(host *it, const cJSON *step, sesame_slice payload) {
  sesame_slice to[16];
  const size_t count = slices_of(step, "to", to);
  const sesame_send *send;
  TRY(sesame_device_batch_encrypt(it->device, to, count, payload, none, result(), &send, &error));
  print_send(send);
  return SESAME_STATUS_OK;
}

#endif
