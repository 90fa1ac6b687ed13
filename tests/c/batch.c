/* What a message costs through C, by the size of its batch: `cargo xtask bench` runs this beside the same program in Rust
 * (`ffi/benches/batch.rs`). Prints a line each: what, how many items in one call, microseconds an item (the median of the rounds). */
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include <time.h>

enum { PEERS = 1000, ROUNDS = 7 };
static const char TEXT[] = "a message of about a hundred bytes, as people write them all day long, in the group or to each other";

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
  const double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static void print(const char *what, int items, double *times, size_t count) {
  qsort(times, count, sizeof *times, compare);
  printf("%s %d %.3f\n", what, items, times[count / 2] / items);
}

static host peers[PEERS];
static sesame_slice users[PEERS];
static const int sizes[] = {1, 100, 1000};

static int rounds_of(int items) {
  return items == 1 ? ROUNDS * 20 : ROUNDS;
}

/* What batches of each size cost a writer and a reader; `kind` says what both live in. */
static void measure(const char *kind, sesame_relay relay, host *writer, host *reader) {
  static double times[ROUNDS * 20];
  const sesame_slice none = {NULL, 0};
  char what[32];
  sesame_result result;
  const sesame_send *send;
  snprintf(what, sizeof what, "encrypt%s", kind);
  for (int size = 0; size < 3; size++) {
    const int items = sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      const double begun = now();
      CHECK(sesame_device_batch_encrypt(writer->device, users, (size_t)items, sesame_text(TEXT), none, &result, &send, &host_error));
      times[round] = now() - begun;
      if (send->batch_count != (size_t)items + 1) exit(1); /* our own user has one as well, of no device but this one */
      CHECK(sesame_result_free(result));
      host_settle(writer);
    }
    print(what, items, times, (size_t)rounds);
  }
  snprintf(what, sizeof what, "decrypt%s", kind);
  for (int size = 0; size < 3; size++) {
    const int items = sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      const sesame_mails *mails;
      const sesame_received_list *read;
      sesame_result opened;
      for (int i = 0; i < items; i++) host_send(writer, reader->user, TEXT);
      CHECK(sesame_relay_fetch(relay, host_user(reader), reader->id, (size_t)items, &result, &mails, &host_error));
      CHECK(sesame_relay_confirm(relay, host_user(reader), reader->id, mails->ids, mails->count, &host_error));
      const double begun = now();
      CHECK(sesame_device_batch_decrypt(reader->device, mails->envelopes, mails->count, &opened, &read, &host_error));
      times[round] = now() - begun;
      int messages = 0;
      for (size_t i = 0; i < read->count; i++) messages += read->items[i]->kind == SESAME_RECEIVED_KIND_MESSAGE;
      if (messages != items) exit(1);
      CHECK(sesame_device_ack(reader->device, read->ids, read->id_count, &host_error));
      CHECK(sesame_result_free(opened));
      CHECK(sesame_result_free(result));
    }
    print(what, items, times, (size_t)rounds);
  }
}

/* A device in memory, or in a file of the folder. */
static host create(sesame_relay relay, const char *folder, const char *name) {
  char user[64], path[1024];
  sesame_store store;
  if (folder == NULL) return host_create(relay, name);
  snprintf(user, sizeof user, "%s-sqlite", name);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  CHECK(sesame_store_sqlite(sesame_text(path), &store, &host_error));
  return host_create_over(relay, store, user);
}

/* usage: batch FOLDER, an empty one for SQLite's files */
int main(int count, char **arguments) {
  static char said[PEERS * 8];
  const sesame_slice none = {NULL, 0};
  sesame_relay relay;
  sesame_result result;
  const sesame_send *send;
  if (count != 2) return 2;
  CHECK(sesame_relay_new(&relay, &host_error));
  for (int i = 0; i < PEERS; i++) {
    char name[32];
    snprintf(name, sizeof name, "peer-%d", i);
    peers[i] = host_create(relay, name);
    users[i] = host_user(&peers[i]);
  }
  for (int kind = 0; kind < 2; kind++) {
    const char *folder = kind == 0 ? NULL : arguments[1];
    host writer = create(relay, folder, "writer"), reader = create(relay, folder, "reader");
    /* Sessions begin, and are answered: what is measured is what most messages are. */
    CHECK(sesame_device_batch_encrypt(writer.device, users, PEERS, sesame_text("hi"), none, &result, &send, &host_error));
    CHECK(sesame_result_free(result));
    host_settle(&writer);
    host_send(&writer, reader.user, "hi");
    for (int i = 0; i <= PEERS; i++) {
      host *peer = i < PEERS ? &peers[i] : &reader;
      host_read(peer, said, sizeof said);
      host_send(peer, writer.user, "hi");
    }
    host_read(&writer, said, sizeof said);
    measure(kind == 0 ? "" : "-sqlite", relay, &writer, &reader);
    host_free(&writer);
    host_free(&reader);
  }
  static double calls[2000];
  for (int i = 0; i < 2000; i++) {
    uint32_t id;
    const double begun = now();
    CHECK(sesame_device_id(peers[0].device, &id, &host_error));
    calls[i] = now() - begun;
  }
  print("call", 1, calls, 2000);
  for (int i = 0; i < PEERS; i++) host_free(&peers[i]);
  CHECK(sesame_relay_free(relay));
  return 0;
}
