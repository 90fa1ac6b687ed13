/* The bad-input corpus from C: each file gives the code that it names, and changes nothing in the store.
 *
 * usage: bad_inputs FOLDER FILE... The stores come as text, `stores/NAME.rows`: the generation, then a row a line. */
#include "host.h"
#include "memory_store.h"

static int nibble(int c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static size_t unhex(const char *from, size_t len, uint8_t *to) {
  for (size_t i = 0; i + 1 < len; i += 2) to[i / 2] = (uint8_t)(nibble(from[i]) << 4 | nibble(from[i + 1]));
  return len / 2;
}

static char *slurp(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) exit(2);
  text[size] = 0;
  fclose(file);
  return text;
}

static void put(memory_store *store, sesame_slice key, sesame_slice row) {
  const sesame_change change = {key, row, false};
  const sesame_generation at = store->generation;
  if (memory_commit(store, &at, &at, &change, 1) != SESAME_STORE_OUTCOME_OK) exit(2);
}

static void fill(memory_store *store, const char *folder, const char *name) {
  char path[1024];
  snprintf(path, sizeof path, "%s/stores/%s.rows", folder, name);
  char *text = slurp(path), *line = strtok(text, "\n");
  unhex(line, strlen(line), store->generation.bytes);
  while ((line = strtok(NULL, "\n")) != NULL) {
    const char *space = strchr(line, ' ');
    uint8_t *bytes = malloc(strlen(line) / 2 + 1);
    if (space == NULL || bytes == NULL) exit(2);
    const size_t key = unhex(line, (size_t)(space - line), bytes), row = unhex(space + 1, strlen(space + 1), bytes + key);
    const sesame_slice k = {bytes, key}, r = {bytes + key, row};
    put(store, k, r);
    free(bytes);
  }
  free(text);
}

/* The first byte of the keys of the inbox's items, of its numbers, and of the device's clock, which moves with what is told
 * (core/src/store/key.rs). */
enum { COUNTERS = 21, ITEM = 18, CLOCK = 34, HEALING = 39 };

static int is_of_the_inbox(uint8_t kind) { return kind == COUNTERS || kind == ITEM || kind == CLOCK || kind == HEALING; }

/* Whether a device is to be asked for what did not open. */
static int is_owed(const memory_store *it) {
  for (size_t i = 0; i < it->count; i++)
    if (it->rows[i].key[0] == HEALING) return 1;
  return 0;
}

/* Rows without the inbox and its numbers: the app is told what it has lost. */
static size_t untold(const memory_store *it) {
  size_t count = 0;
  for (size_t i = 0; i < it->count; i++) count += !is_of_the_inbox(it->rows[i].key[0]);
  return count;
}

/* Whether two stores hold the same; of a store whose app was told something, but for the inbox. */
static int same(memory_store *a, memory_store *b, int is_told) {
  if (!is_told && (a->count != b->count || memcmp(&a->generation, &b->generation, sizeof a->generation) != 0)) return 0;
  if (untold(a) != untold(b)) return 0;
  for (size_t i = 0; i < a->count; i++) {
    const sesame_slice key = {a->rows[i].key, a->rows[i].key_len};
    if (is_told && is_of_the_inbox(key.data[0])) continue;
    const memory_row *other = memory_find(b, key);
    if (other == NULL || other->row_len != a->rows[i].row_len || memcmp(other->row, a->rows[i].row, other->row_len) != 0) return 0;
  }
  return 1;
}

static const char *field(const char *head, const char *name, char *to) {
  const char *at = strstr(head, name);
  to[0] = 0;
  if (at != NULL) sscanf(at + strlen(name), "%255s", to);
  return to;
}

/* The clock at which the cases are played, as in Rust. */
static const uint64_t NOW = 1790000000000;

static void put_number(uint8_t *to, size_t *at, uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) to[(*at)++] = (uint8_t)(number >> shift);
}

/* Answers a request for lists or bundles: `bad` for Alice, or for her second device; nothing for anybody else. Gives the body's length. */
static size_t answer(const sesame_server_request *request, sesame_slice bad, uint8_t *to) {
  size_t at = 4, count = request->user_count, read = 2;
  const int is_bundles = request->kind == SESAME_REQUEST_KIND_BUNDLES;
  if (is_bundles) count = 1;
  for (size_t i = 0; i < count || (is_bundles && read < request->body.len); i++) {
    int is_alices = !is_bundles && request->users[i].len == 5 && memcmp(request->users[i].data, "alice", 5) == 0;
    if (is_bundles) { /* {user opaque (u8), device u32} */
      const uint8_t *device = request->body.data + read, *id = device + 1 + device[0];
      is_alices = device[0] == 5 && memcmp(device + 1, "alice", 5) == 0 && id[3] == 2;
      read += 5u + device[0];
    }
    put_number(to, &at, is_alices, 1);
    if (!is_alices) continue;
    put_number(to, &at, bad.len, 2);
    memcpy(to + at, bad.data, bad.len);
    at += bad.len;
  }
  size_t start = 0;
  put_number(to, &start, at - 4, 4);
  return at;
}

/* How many sessions and devices of Alice a device knows, and the epoch of her list. */
static uint64_t known(sesame_device device) {
  sesame_registry registry;
  sesame_result result;
  const sesame_users *users;
  const sesame_devices *devices;
  uint64_t seen = 0;
  CHECK(sesame_device_registry(device, &registry, &host_error));
  CHECK(sesame_registry_users(registry, &result, &users, &host_error));
  for (size_t i = 0; i < users->count; i++) seen = 100 * seen + users->items[i]->epoch;
  CHECK(sesame_result_free(result));
  if (sesame_registry_devices(registry, sesame_text("alice"), &result, &devices, NULL) == SESAME_STATUS_OK)
    for (size_t i = 0; i < devices->count; i++) seen = 100 * seen + devices->items[i]->device + (devices->items[i]->session_id.data != NULL ? 50 : 0);
  CHECK(sesame_result_free(result));
  CHECK(sesame_registry_free(registry));
  return seen;
}

/* A bad list or bundle comes in by the loop, whose requests a host answers. It must be asked for, the loop must end, and nothing may follow
 * from it. Gives 0 if all that holds. */
static int serve(sesame_device device, sesame_request_kind kind, sesame_slice bad) {
  static uint8_t body[70000];
  sesame_registry registry;
  sesame_result result, heard;
  const sesame_answered *answered;
  const sesame_server_request *request;
  const sesame_slice alice = sesame_text("alice");
  const uint64_t before = known(device);
  int is_asked = 0;
  if (bad.len > 65535) return 0;
  CHECK(sesame_device_registry(device, &registry, &host_error));
  CHECK(sesame_registry_look_up(registry, &alice, 1, &host_error));
  CHECK(sesame_registry_free(registry));
  for (int round = 0; round < 20; round++) {
    CHECK(sesame_device_next_request(device, &result, &request, &host_error));
    if (request == NULL) return is_asked && known(device) == before ? 0 : -1;
    size_t len = 0;
    if (request->kind == SESAME_REQUEST_KIND_PUBLICATION) { /* 100 prekeys, none wanted, generation 1 */
      put_number(body, &len, 100, 4);
      put_number(body, &len, 0, 4);
      put_number(body, &len, 1, 8);
    } else if (request->kind == kind) {
      len = answer(request, bad, body);
      is_asked = 1;
    } else if (request->kind == SESAME_REQUEST_KIND_LISTS) {
      len = answer(request, bad, body);
    }
    const sesame_slice given = {body, len};
    CHECK(sesame_device_respond(device, request->id, 200, given, &heard, &answered, &host_error));
    CHECK(sesame_result_free(heard));
    CHECK(sesame_result_free(result));
  }
  return -1;
}

/* Feeds a case in and gives the code, and whether the app is told of it. */
static int play(sesame_device device, const char *surface, sesame_slice data, int *is_told) {
  sesame_result result = {0};
  int code = 0;
  if (strcmp(surface, "envelope") == 0 || strcmp(surface, "group") == 0) {
    const sesame_mail_results *read;
    code = (int)sesame_device_batch_decrypt(device, &data, 1, false, &result, &read, &host_error);
    if (code == 0 && read->count != 1) return -1;
    if (code == 0) {
      *is_told = read->items[0]->item_count > 0;
      code = read->items[0]->outcome == SESAME_MAIL_OUTCOME_DUPLICATE ? (int)SESAME_STATUS_DUPLICATE : (int)read->items[0]->reason;
    }
  } else if (strcmp(surface, "linking-code") == 0) {
    const sesame_pending_link *link;
    code = (int)sesame_device_link_device(device, data, &result, &link, &host_error);
  }
  CHECK(sesame_result_free(result));
  return code;
}

int main(int argc, char **argv) {
  int failed = 0;
  sesame_clock clock;
  CHECK(sesame_clock_new(NOW, &clock, &host_error));
  for (int i = 2; i < argc; i++) {
    char surface[256], expected[256], row[256];
    char *text = slurp(argv[i]), *body = strstr(text, "\n\n");
    if (body == NULL) return 2;
    body[0] = 0;
    body += 2;
    /* The hex is broken into lines. */
    size_t kept = 0;
    for (const char *at = body; *at != 0; at++)
      if (*at != '\n') body[kept++] = *at;
    body[kept] = 0;
    const size_t room = strlen(body) / 2 + 64;
    uint8_t *bytes = malloc(room);
    if (bytes == NULL) return 2;
    const sesame_slice data = {bytes, unhex(body, strlen(body), bytes)};
    field(text, "surface: ", surface);
    field(text, "expect: ", expected);
    int is_told = 0;
    const int of_bob = surface[0] == 'b' || surface[0] == 'd';
    memory_store store = {0}, before = {0};
    fill(&store, argv[1], of_bob ? "bob" : "alice");
    fill(&before, argv[1], of_bob ? "bob" : "alice");
    if (strcmp(surface, "record") == 0) {
      field(text, "key: ", row);
      uint8_t key_bytes[128];
      const sesame_slice key = {key_bytes, unhex(row, strlen(row), key_bytes)};
      put(&store, key, data);
      put(&before, key, data);
    }
    const sesame_store_functions functions = memory_functions(&store);
    sesame_store handle;
    sesame_device device;
    uint8_t key[32];
    memset(key, 0x5a, sizeof key);
    const sesame_slice store_key = {key, sizeof key};
    CHECK(sesame_store_app(&functions, &handle, &host_error));
    int code = (int)sesame_device_open(handle, store_key, clock, &device, &host_error);
    if (code == 0 && strcmp(surface, "bundle") == 0) code = serve(device, SESAME_REQUEST_KIND_BUNDLES, data);
    else if (code == 0 && strcmp(surface, "device-list") == 0) code = serve(device, SESAME_REQUEST_KIND_LISTS, data);
    else if (code == 0) code = play(device, surface, data, &is_told);
    CHECK(sesame_device_free(device));
    CHECK(sesame_store_free(handle));
    /* What a server says of users gives no code: it leads to nothing. */
    const int code_wanted = of_bob ? 0 : atoi(expected);
    if (code != code_wanted || (!of_bob && !same(&store, &before, is_told || is_owed(&store)))) {
      fprintf(stderr, "%s: gave %d, not %d, or changed the store\n", argv[i], code, code_wanted);
      failed++;
    }
    memory_clear(&store);
    memory_clear(&before);
    free(bytes);
    free(text);
  }
  CHECK(sesame_clock_free(clock));
  printf("%d passed, %d failed\n", argc - 2 - failed, failed);
  return failed == 0 ? 0 : 1;
}
