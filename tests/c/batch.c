/* What a message costs through C, by the size of its batch: `cargo xtask bench` runs this beside the same program in Rust
 * (`ffi/benches/batch.rs`). `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both through the loop and
 * without the relay; `inbox` reads what they said, the sender and the payload of each; `envelopes` is `sesame_device_batch_decrypt` of so many
 * envelopes with a look at each result; `ack` ends so many items. What frees a result is measured as well. Prints a line each: what, how many
 * items, microseconds of this thread an item (the median of the rounds). */
#define _POSIX_C_SOURCE 200809L
#include "host.h"
#include <time.h>

enum { PEERS = 250, ROUNDS = 60 };
static const char TEXT[] = "a message of about a hundred bytes, as people write them all day long, in the group or to each other";

/* The processor time of this thread, in microseconds. */
static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) {
  const double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static void print(const char *what, int items, double *times, size_t count) {
  qsort(times, count, sizeof *times, compare);
  printf("%s %d %.3f\n", what, items, times[count / 2] / items);
  fflush(stdout);
}

static host peers[PEERS];
static sesame_slice users[PEERS];
static const int send_sizes[] = {1, 100, PEERS}, mail_sizes[] = {1, 100, 1000};

static int rounds_of(int items) {
  return items == 1 ? ROUNDS : items == 100 ? 11 : 5;
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
    CHECK(sesame_result_free(heard));
    if (request->kind != SESAME_REQUEST_KIND_CONFIRM) ours += now() - begun;
    CHECK(sesame_result_free(performed));
    begun = now();
    CHECK(sesame_result_free(asked));
    ours += now() - begun;
  }
}

/* One send to its end. */
static double send_all(host *it, const sesame_slice *to, size_t count) {
  sesame_result result;
  const sesame_send *send;
  const double begun = now();
  CHECK(sesame_device_batch_encrypt(it->device, to, count, sesame_text(TEXT), host_none, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  const double encrypted = now() - begun;
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

/* Reads the inbox as an app does; gives the bytes of the senders' names and of the payloads. */
static size_t look(const host *it, uint64_t *ids) {
  sesame_result result;
  const sesame_inbox *inbox;
  size_t bytes = 0;
  CHECK(sesame_device_inbox(it->device, 0, SIZE_MAX, &result, &inbox, &host_error));
  for (size_t i = 0; i < inbox->count; i++) {
    const sesame_message *message = inbox->items[i]->message;
    ids[i] = inbox->items[i]->id;
    if (message != NULL) bytes += message->user.len + message->payload.len;
  }
  CHECK(sesame_result_free(result));
  return bytes;
}

/* How many of these envelopes were opened. */
static int open_all(const host *it, const sesame_slice *envelopes, size_t count) {
  sesame_result result;
  const sesame_mail_results *results;
  int opened = 0;
  CHECK(sesame_device_batch_decrypt(it->device, envelopes, count, false, &result, &results, &host_error));
  for (size_t i = 0; i < results->count; i++) opened += results->items[i]->outcome == SESAME_MAIL_OUTCOME_OPENED;
  CHECK(sesame_result_free(result));
  return opened;
}

/* Puts so many messages into the reader's mailbox. */
static void write_all(host *writer, host *reader, int items) {
  const sesame_slice to = host_user(reader);
  for (int i = 0; i < items; i++) send_all(writer, &to, 1);
  ack(writer);
}

static void print_of(const char *what, const char *kind, int items, double *times, size_t count) {
  char name[32];
  snprintf(name, sizeof name, "%s%s", what, kind);
  print(name, items, times, count);
}

/* What batches of each size cost a writer and a reader; `kind` says what both live in. */
static void measure(const char *kind, host *writer, host *reader) {
  static double loops[ROUNDS], looks[ROUNDS], opens[ROUNDS], acks[ROUNDS];
  static uint64_t ids[1000];
  for (int size = 0; size < 3; size++) {
    const int items = send_sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      loops[round] = send_all(writer, users, (size_t)items);
      if (ack(writer) != 1) exit(1); /* its end */
    }
    print_of("encrypt", kind, items, loops, (size_t)rounds);
  }
  for (int size = 0; size < (kind[0] == 0 ? 3 : 2); size++) {
    const int items = mail_sizes[size], rounds = rounds_of(items);
    for (int round = 0; round < rounds; round++) {
      sesame_result waiting;
      const sesame_mailbox *mails;
      write_all(writer, reader, items);
      CHECK(sesame_device_request_mail(reader->device, 10000, &host_error));
      loops[round] = exchange(reader);
      double begun = now();
      const size_t bytes = look(reader, ids);
      looks[round] = now() - begun;
      if (bytes != (size_t)items * (strlen(writer->user) + strlen(TEXT))) exit(1);
      begun = now();
      CHECK(sesame_device_ack(reader->device, ids, (size_t)items, &host_error));
      acks[round] = now() - begun;
      write_all(writer, reader, items);
      CHECK(sesame_relay_mailbox(reader->relay, host_user(reader), reader->id, &waiting, &mails, &host_error));
      begun = now();
      const int opened = open_all(reader, mails->envelopes, mails->envelope_count);
      opens[round] = now() - begun;
      if (opened != items) exit(1);
      CHECK(sesame_result_free(waiting));
      CHECK(sesame_relay_lose(reader->relay, host_user(reader), reader->id, &host_error));
      exchange(reader);
      if (ack(reader) != items) exit(1);
    }
    print_of("decrypt", kind, items, loops, (size_t)rounds);
    print_of("inbox", kind, items, looks, (size_t)rounds);
    print_of("envelopes", kind, items, opens, (size_t)rounds);
    print_of("ack", kind, items, acks, (size_t)rounds);
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
  static double calls[20];
  for (int i = 0; i < 20; i++) {
    uint32_t id;
    const double begun = now();
    for (int call = 0; call < 1000; call++) CHECK(sesame_device_id(peers[0].device, &id, &host_error));
    calls[i] = (now() - begun) / 1000;
  }
  print("call", 1, calls, 20);
  for (int i = 0; i < PEERS; i++) host_free(&peers[i]);
  CHECK(sesame_relay_free(relay));
  return 0;
}
