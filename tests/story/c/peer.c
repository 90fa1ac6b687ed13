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

/* Bytes as a word of a line: `-` for none. */
static void say_word(sesame_slice bytes) {
  putchar(' ');
  if (bytes.len == 0) putchar('-');
  else say_hex(bytes);
}

static sesame_slice word(char *from) {
  const sesame_slice empty = {NULL, 0};
  return strcmp(from, "-") == 0 ? empty : unhex(from);
}

static sesame_status say_id(void) {
  uint32_t id;
  TRY(sesame_device_id(device, &id, &error));
  printf("ok %" PRIu32, id);
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
  TRY(sesame_device_batch_encrypt(device, to, count, word(payload), none, result(), &send, &error));
  printf("ok");
  return SESAME_STATUS_OK;
}

static sesame_status next(void) {
  const sesame_server_request *request;
  sesame_slice auth = sesame_text("-");
  TRY(sesame_device_next_request(device, result(), &request, &error));
  printf("ok");
  if (request == NULL) return SESAME_STATUS_OK;
  for (size_t i = 0; i < request->header_count; i++) {
    const sesame_slice name = request->headers[i]->name;
    if (name.len == 11 && memcmp(name.data, "Sesame-Auth", 11) == 0) auth = request->headers[i]->value;
  }
  say_word(request->id);
  putchar(' ');
  print_text(request->path);
  putchar(' ');
  print_text(auth);
  say_word(request->body);
  return SESAME_STATUS_OK;
}

static sesame_status respond(char *id, const char *status, char *body) {
  const sesame_answered *answered;
  TRY(sesame_device_respond(device, unhex(id), (uint32_t)strtoul(status, NULL, 10), word(body), result(), &answered, &error));
  printf("ok");
  if (answered->problem != 0) printf(" %" PRIu32, answered->problem);
  return SESAME_STATUS_OK;
}

static sesame_status inbox(void) {
  const sesame_inbox *all;
  TRY(sesame_device_inbox(device, 0, SIZE_MAX, result(), &all, &error));
  printf("ok");
  for (size_t i = 0; i < all->count; i++) {
    const sesame_message *message = all->items[i]->message;
    const sesame_event *event = all->items[i]->event;
    if (message != NULL) {
      putchar(' ');
      print_text(message->user);
      putchar(':');
      say_hex(message->payload);
    } else if (event->kind == SESAME_EVENT_KIND_NOT_OPENED) {
      printf(" not-opened:%" PRIu32, event->reason);
    } else if (event->kind == SESAME_EVENT_KIND_SEND_FINISHED && event->failed_count > 0) {
      printf(" failed:%" PRIu32, event->failed[0]->reason);
    }
  }
  return sesame_device_ack(device, all->ids, all->count, &error);
}

/* How many words a call needs. */
static size_t words_of(const char *verb) {
  if (strcmp(verb, "create") == 0 || strcmp(verb, "respond") == 0) return 3;
  if (strcmp(verb, "encrypt") == 0) return 2;
  return strcmp(verb, "open") == 0 || strcmp(verb, "mail") == 0 ? 1 : 0;
}

static sesame_status answer(const char *verb, char **words, size_t count) {
  const sesame_slice none = {NULL, 0};
  const sesame_clock no_clock = {0};
  if (count < words_of(verb)) die("a word is missing");
  if (strcmp(verb, "create") == 0) {
    TRY(sesame_store_sqlite(sesame_text(words[2]), &store, &error));
    TRY(sesame_device_create(store, key(), sesame_text(words[0]), sesame_text(words[1]), none, no_clock, &device, &error));
    return say_id();
  }
  if (strcmp(verb, "open") == 0) {
    TRY(sesame_store_sqlite(sesame_text(words[0]), &store, &error));
    TRY(sesame_device_open(store, key(), no_clock, &device, &error));
    return say_id();
  }
  if (strcmp(verb, "encrypt") == 0) return encrypt(words[0], words[1]);
  if (strcmp(verb, "next") == 0) return next();
  if (strcmp(verb, "respond") == 0) return respond(words[0], words[1], words[2]);
  if (strcmp(verb, "inbox") == 0) return inbox();
  if (strcmp(verb, "mail") == 0) TRY(sesame_device_request_mail(device, (uint32_t)strtoul(words[0], NULL, 10), &error));
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
