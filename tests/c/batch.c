/* What a message costs through C, by the size of its batch: `cargo xtask bench` runs this beside the same program in Rust
 * (`ffi/benches/batch.rs`). `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both as the library's own
 * time, without the relay. Prints a line each: what, how many items, microseconds an item (the median of the rounds). */
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include <time.h>

enum { PEERS = 250, ROUNDS = 7 };
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
static const int sizes[] = {1, 100, 250};

static int rounds_of(int items) {
  return items == 1 ? ROUNDS * 20 : ROUNDS;
}

/* Runs the loop; gives what the library itself took. What follows from mail, its confirmation, is not what is measured. */
static double exchange(host *it) {
  double ours = 0;
  for (;;) {
    sesame_result asked, performed, heard;
    const sesame_server_request *request;
    const sesame_answered *answered;
    sesame_slice body;
    uint32_t status;
    double begun = now();
    CHECK(sesame_device_next_request(it->device, &asked, &request, &host_error));
    ours += now() - begun;
    if (request == NULL) return ours;
    CHECK(sesame_relay_perform(it->relay, request->path, request->headers, request->header_count, request->body, &performed, &status,
                               &body, &host_error));
    if (status != 200) exit(1);
    begun = now();
    CHECK(sesame_device_respond(it->device, request->id, status, body, &heard, &answered, &host_error));
    if (request->kind != SESAME_REQUEST_KIND_CONFIRM) ours += now() - begun;
    CHECK(sesame_result_free(heard));
    CHECK(sesame_result_free(performed));
    CHECK(sesame_result_free(asked));
  }
}

/* One send to its end. */
static double send_all(host *it, const sesame_slice *to, size_t count) {
  sesame_result result;
  const sesame_send *send;
  const double begun = now();
  CHECK(sesame_device_batch_encrypt(it->device, to, count, sesame_text(TEXT), host_none, &result, &send, &host_error));
  const double encrypted = now() - begun;
  CHECK(sesame_result_free(result));
  return encrypted + exchange(it);
}

/* Acks the inbox; gives how many items were in it. */
static int ack(host *it) {
  sesame_result result;
  const sesame_inbox *inbox;
  CHECK(sesame_device_inbox(it->device, 0, SIZE_MAX, &result, &inbox, &host_error));
  const int count = (int)inbox->count;
  CHECK(sesame_device_ack(it->device, inbox->ids, inbox->count, &host_error));
  CHECK(sesame_result_free(result));
  return count;
}

/* What batches of each size cost a writer and a reader; `kind` says what both live in. */
static void measure(const char *kind, host *writer, host *reader) {
  static double times[ROUNDS * 20];
  char what[32];
  snprintf(what, sizeof what, "encrypt%s", kind);
  for (int size = 0; size < 3; size++) {
    const int items = sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      times[round] = send_all(writer, users, (size_t)items);
      if (ack(writer) != 1) exit(1); /* its end */
    }
    print(what, items, times, (size_t)rounds);
  }
  snprintf(what, sizeof what, "decrypt%s", kind);
  const sesame_slice to = host_user(reader);
  for (int size = 0; size < 3; size++) {
    const int items = sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < items; i++) send_all(writer, &to, 1);
      ack(writer);
      CHECK(sesame_device_request_mail(reader->device, 10000, &host_error));
      times[round] = exchange(reader);
      if (ack(reader) != items) exit(1);
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
  if (count != 2) return 2;
  const sesame_relay relay = host_relay();
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
    send_all(&writer, users, PEERS);
    host_send(&writer, reader.user, "hi");
    for (int i = 0; i <= PEERS; i++) {
      host *peer = i < PEERS ? &peers[i] : &reader;
      host_read(peer, said, sizeof said);
      host_send(peer, writer.user, "hi");
      host_read(peer, said, sizeof said);
    }
    host_read(&writer, said, sizeof said);
    measure(kind == 0 ? "" : "-sqlite", &writer, &reader);
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
