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

/* Whether two stores hold the same. */
static int same(memory_store *a, memory_store *b) {
  if (a->count != b->count || memcmp(&a->generation, &b->generation, sizeof a->generation) != 0) return 0;
  for (size_t i = 0; i < a->count; i++) {
    const sesame_slice key = {a->rows[i].key, a->rows[i].key_len};
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

/* Feeds a case in and gives the code. */
static int play(sesame_device device, const char *surface, sesame_slice data) {
  sesame_result result = {0};
  int code = 0;
  if (strcmp(surface, "envelope") == 0 || strcmp(surface, "group") == 0) {
    const sesame_received_list *read;
    code = (int)sesame_device_batch_decrypt(device, &data, 1, &result, &read, &host_error);
    if (code == 0) code = read->count == 1 && read->items[0]->status != SESAME_STATUS_OK ? (int)read->items[0]->status : -1;
  } else if (strcmp(surface, "linking-code") == 0) {
    sesame_slice answer;
    code = (int)sesame_device_confirm_link(device, data, &result, &answer, &host_error);
  } else if (strcmp(surface, "bundle") == 0 || strcmp(surface, "device-list") == 0) {
    sesame_answers answers = {sizeof answers, NULL, 0, NULL, 0, NULL, 0, NULL, 0};
    const sesame_applied *applied;
    sesame_registry registry;
    if (surface[0] == 'b') {
      answers.bundles = &data;
      answers.bundle_count = 1;
    } else {
      answers.device_lists = &data;
      answers.device_list_count = 1;
    }
    CHECK(sesame_device_registry(device, &registry, &host_error));
    code = (int)sesame_registry_apply(registry, &answers, &result, &applied, &host_error);
    if (code == 0) code = applied->refusal_count == 1 ? (int)applied->refusals[0]->reason : -1;
    CHECK(sesame_registry_free(registry));
  }
  CHECK(sesame_result_free(result));
  return code;
}

int main(int argc, char **argv) {
  int failed = 0;
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
    int code = (int)sesame_device_open(handle, store_key, &device, &host_error);
    if (code == 0) code = play(device, surface, data);
    CHECK(sesame_device_free(device));
    CHECK(sesame_store_free(handle));
    if (code != atoi(expected) || (strcmp(surface, "bundle") != 0 && !same(&store, &before))) {
      fprintf(stderr, "%s: gave %d, not %s, or changed the store\n", argv[i], code, expected);
      failed++;
    }
    memory_clear(&store);
    memory_clear(&before);
    free(bytes);
    free(text);
  }
  printf("%d passed, %d failed\n", argc - 2 - failed, failed);
  return failed == 0 ? 0 : 1;
}
