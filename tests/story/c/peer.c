/* One device that is told what to do over standard input: tests/story/README.md, "Peers". */
#include "calls.h"
#include "lines.h"
#include <string.h>

enum { MAX_WORDS = 256, MAX_LINE = 4 * 1024 * 1024 };

static sesame_store store;
static sesame_device device;

static sesame_slice key(void) {
  static uint8_t bytes[32];
  memset(bytes, 0x5a, sizeof bytes);
  const sesame_slice slice = {bytes, sizeof bytes};
  return slice;
}

static void say_hex(sesame_slice bytes) {
  for (size_t i = 0; i < bytes.len; i++) printf("%02x", bytes.data[i]);
}

static int nibble(int c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Hexadecimal digits to bytes, in place. */
static sesame_slice unhex(char *word) {
  const sesame_slice bytes = {(uint8_t *)word, strlen(word) / 2};
  for (size_t i = 0; i < bytes.len; i++) word[i] = (char)(nibble(word[2 * i]) << 4 | nibble(word[2 * i + 1]));
  return bytes;
}

static sesame_status say_id(void) {
  uint32_t id;
  TRY(sesame_device_id(device, &id, &error));
  printf("ok %" PRIu32, id);
  return SESAME_STATUS_OK;
}

static sesame_status publication(void) {
  const sesame_publication *upload;
  TRY(sesame_device_publication(device, NULL, result(), &upload, &error));
  printf("ok");
  if (upload == NULL) return SESAME_STATUS_OK;
  putchar(' ');
  say_hex(upload->id);
  putchar(' ');
  say_hex(upload->bytes);
  return SESAME_STATUS_OK;
}

static sesame_status encrypt(char *users, char *payload) {
  sesame_slice to[16];
  size_t count = 0;
  const sesame_slice none = {NULL, 0};
  const sesame_send *send;
  for (char *user = strtok(users, ","); user != NULL; user = strtok(NULL, ",")) {
    if (count == sizeof to / sizeof *to) die("too many users");
    to[count++] = sesame_text(user);
  }
  TRY(sesame_device_batch_encrypt(device, to, count, unhex(payload), none, result(), &send, &error));
  printf("ok");
  return SESAME_STATUS_OK;
}

static sesame_status outbox(void) {
  const sesame_sends *sends;
  TRY(sesame_device_outbox(device, result(), &sends, &error));
  printf("ok");
  for (size_t s = 0; s < sends->count; s++) {
    const sesame_send *send = sends->items[s];
    for (size_t b = 0; b < send->batch_count; b++) {
      const sesame_batch *batch = send->batches[b];
      if (batch->skip_count > 0 || batch->targeted != 0) die("a batch that no peer makes");
      printf(" batch:");
      say_hex(send->id);
      putchar(':');
      print_text(batch->user);
      for (size_t i = 0; i < batch->envelope_count; i++) {
        printf(i == 0 ? ":%" PRIu32 "=" : ",%" PRIu32 "=", batch->envelopes[i]->device);
        say_hex(batch->envelopes[i]->envelope);
      }
      if (batch->envelope_count == 0) putchar(':');
    }
    for (size_t n = 0; n < send->need_count; n++) {
      const sesame_need *need = send->needs[n];
      printf(need->kind == SESAME_NEED_KIND_BUNDLE ? " bundle:" : " list:");
      print_text(need->user);
      if (need->kind == SESAME_NEED_KIND_BUNDLE) printf(":%" PRIu32, need->device);
    }
  }
  return SESAME_STATUS_OK;
}

static sesame_status apply(char **words, size_t count) {
  sesame_slice lists[MAX_WORDS], bundles[MAX_WORDS];
  sesame_answers answers;
  sesame_registry registry;
  const sesame_applied *applied;
  memset(&answers, 0, sizeof answers);
  answers.struct_size = sizeof answers;
  answers.device_lists = lists;
  answers.bundles = bundles;
  for (size_t i = 0; i < count; i++) {
    char *bytes = strchr(words[i], ':');
    if (bytes++ == NULL) die("an answer without bytes");
    if (words[i][0] == 'l') lists[answers.device_list_count++] = unhex(bytes);
    else bundles[answers.bundle_count++] = unhex(bytes);
  }
  TRY(sesame_device_registry(device, &registry, &error));
  const sesame_status status = sesame_registry_apply(registry, &answers, result(), &applied, &error);
  sesame_registry_free(registry);
  TRY(status);
  printf("ok");
  for (size_t i = 0; i < applied->refusal_count; i++) printf(" %d", (int)applied->refusals[i]->reason);
  return SESAME_STATUS_OK;
}

static sesame_status decrypt(char **words, size_t count) {
  sesame_slice envelopes[MAX_WORDS];
  const sesame_received_list *list;
  for (size_t i = 0; i < count; i++) envelopes[i] = unhex(words[i]);
  TRY(sesame_device_batch_decrypt(device, envelopes, count, result(), &list, &error));
  TRY(sesame_device_ack(device, list->ids, list->id_count, &error));
  printf("ok");
  for (size_t i = 0; i < list->count; i++) {
    const sesame_received *it = list->items[i];
    if (it->kind == SESAME_RECEIVED_KIND_FAILURE) printf(" failure:%d", (int)it->status);
    if (it->kind == SESAME_RECEIVED_KIND_DUPLICATE) printf(" duplicate");
    if (it->kind == SESAME_RECEIVED_KIND_HELD) printf(" held");
    if (it->kind != SESAME_RECEIVED_KIND_MESSAGE) continue;
    putchar(' ');
    print_text(it->message->user);
    putchar(':');
    say_hex(it->message->payload);
  }
  return SESAME_STATUS_OK;
}

static sesame_status answer(const char *verb, char **words, size_t count) {
  const size_t needs = strcmp(verb, "create") == 0 || strcmp(verb, "encrypt") == 0 || strcmp(verb, "accepted") == 0 ? 2
                       : strcmp(verb, "open") == 0 || strcmp(verb, "published") == 0                                ? 1
                                                                                                                     : 0;
  if (count < needs) die("a word is missing");
  if (strcmp(verb, "create") == 0) {
    TRY(sesame_store_sqlite(sesame_text(words[1]), &store, &error));
    TRY(sesame_device_create(store, key(), sesame_text(words[0]), &device, &error));
    return say_id();
  }
  if (strcmp(verb, "open") == 0) {
    TRY(sesame_store_sqlite(sesame_text(words[0]), &store, &error));
    TRY(sesame_device_open(store, key(), &device, &error));
    return say_id();
  }
  if (strcmp(verb, "publication") == 0) return publication();
  if (strcmp(verb, "encrypt") == 0) return encrypt(words[0], words[1]);
  if (strcmp(verb, "outbox") == 0) return outbox();
  if (strcmp(verb, "apply") == 0) return apply(words, count);
  if (strcmp(verb, "decrypt") == 0) return decrypt(words, count);
  if (strcmp(verb, "published") == 0) TRY(sesame_device_published(device, unhex(words[0]), &error));
  else if (strcmp(verb, "accepted") == 0) TRY(sesame_device_accepted(device, unhex(words[0]), sesame_text(words[1]), &error));
  else if (strcmp(verb, "close") == 0) {
    TRY(sesame_device_wipe(device, &error));
    TRY(sesame_device_free(device));
    TRY(sesame_store_free(store));
  } else return SESAME_STATUS_INVALID_ARGUMENT;
  printf("ok");
  return SESAME_STATUS_OK;
}

int main(void) {
  char *line = malloc(MAX_LINE), *words[MAX_WORDS];
  while (line != NULL && fgets(line, MAX_LINE, stdin) != NULL) {
    size_t count = 0;
    if (strchr(line, '\n') == NULL) die("too long a line");
    for (char *word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n")) {
      if (count == MAX_WORDS) die("too many words");
      words[count++] = word;
    }
    if (count == 0) continue;
    const sesame_status status = answer(words[0], words + 1, count - 1);
    if (status != SESAME_STATUS_OK) printf("error %d", (int)status);
    putchar('\n');
    fflush(stdout);
    free_results();
  }
  free(line);
  return 0;
}
