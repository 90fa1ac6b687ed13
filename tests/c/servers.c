/* Bad servers: the first program's loop ends with each of them, every time it is begun, and says what became of the message.
 *
 * Alice writes to Bob while her server misbehaves. For some time of a clock for tests she comes back whenever `due_in` says. Then the server is
 * a good one again.
 *
 * usage: servers [HOURS], 48 unless it is said. */
#include "host.h"

/* Requests in one run of the loop: more than that is a loop without an end. */
enum { MOST = 60, HOUR = 3600000, DAY = 24 * HOUR };

/* One answer of a server. */
typedef struct reply {
  uint32_t status;
  size_t len;
  uint8_t bytes[8192];
} reply;

static sesame_relay honest, other;
static host alice, bob;
static int rows, failures;
static uint64_t hours = 48;

static void put(reply *to, const void *bytes, size_t len) {
  if (to->len + len > sizeof to->bytes) exit(2);
  memcpy(to->bytes + to->len, bytes, len);
  to->len += len;
}

static void put_number(reply *to, uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    const uint8_t byte = (uint8_t)(number >> shift);
    put(to, &byte, 1);
  }
}

static void plain(reply *to, uint32_t status, const char *body) {
  to->status = status;
  to->len = 0;
  put(to, body, strlen(body));
}

/* What a good server says. */
static void perform(sesame_relay relay, const sesame_server_request *request, reply *to) {
  sesame_result result;
  sesame_slice body;
  CHECK(sesame_relay_perform(relay, request->path, request->headers, request->header_count, request->body, &result, &to->status, &body,
                             &host_error));
  to->len = 0;
  if (body.len > 0) put(to, body.data, body.len);
  CHECK(sesame_result_free(result));
}

/* Says of every batch that the list has changed, and shows the list that `of` has of the batch's user. */
static void stale(sesame_relay of, const sesame_server_request *request, reply *to) {
  if (request->kind != SESAME_REQUEST_KIND_SUBMIT) {
    perform(honest, request, to);
    return;
  }
  reply results = {0, 0, {0}};
  for (size_t i = 0; i < request->user_count; i++) {
    sesame_result result;
    sesame_slice list;
    CHECK(sesame_relay_device_list(of, request->users[i], &result, &list, &host_error));
    put_number(&results, 3, 1);
    put_number(&results, list.len, 2);
    if (list.len > 0) put(&results, list.data, list.len);
    put_number(&results, 0, 3); /* missing, gone, changed: none */
    CHECK(sesame_result_free(result));
  }
  to->status = 200;
  to->len = 0;
  put_number(to, results.len, 4);
  put(to, results.bytes, results.len);
}

static void good(const sesame_server_request *request, reply *to) { perform(honest, request, to); }
static void stale_for_ever(const sesame_server_request *request, reply *to) { stale(honest, request, to); }
static void identity_changed(const sesame_server_request *request, reply *to) { stale(other, request, to); }
static void busy(const sesame_server_request *request, reply *to) { (void)request, plain(to, 503, ""); }
static void too_many(const sesame_server_request *request, reply *to) { (void)request, plain(to, 429, ""); }
static void broken(const sesame_server_request *request, reply *to) { (void)request, plain(to, 500, "oops"); }
static void unauthorized(const sesame_server_request *request, reply *to) { (void)request, plain(to, 401, ""); }
static void malformed(const sesame_server_request *request, reply *to) { (void)request, plain(to, 400, ""); }
static void too_large(const sesame_server_request *request, reply *to) { (void)request, plain(to, 413, ""); }
static void forbidden(const sesame_server_request *request, reply *to) { (void)request, plain(to, 403, ""); }
static void not_found(const sesame_server_request *request, reply *to) { (void)request, plain(to, 404, ""); }
static void silence(const sesame_server_request *request, reply *to) { (void)request, plain(to, 0, ""); }
static void empty(const sesame_server_request *request, reply *to) { (void)request, plain(to, 200, ""); }
static void moved(const sesame_server_request *request, reply *to) { (void)request, plain(to, 302, ""); }
static void strange(const sesame_server_request *request, reply *to) { (void)request, plain(to, 65535, ""); }

static void portal(const sesame_server_request *request, reply *to) {
  (void)request;
  plain(to, 200, "<!DOCTYPE html><html><body>Please accept the terms of the hotel's network.</body></html>");
}

static uint32_t noise(void) {
  static uint32_t state = 1;
  return state = state * 1664525u + 1013904223u, state >> 8;
}

static void garbage(const sesame_server_request *request, reply *to) {
  (void)request;
  plain(to, 200, "");
  for (uint32_t left = noise() % 300; left > 0; left--) put_number(to, noise() & 255, 1);
}

/* A good answer with one byte changed. */
static void spoilt(const sesame_server_request *request, reply *to) {
  perform(honest, request, to);
  if (to->len > 0) to->bytes[noise() % to->len] ^= (uint8_t)(1 + noise() % 255);
}

/* A good answer without its end. */
static void cut(const sesame_server_request *request, reply *to) {
  perform(honest, request, to);
  to->len = to->len > 0 ? noise() % to->len : 0;
}

/* The answer to the request before. */
static void late(const sesame_server_request *request, reply *to) {
  static reply before = {503, 0, {0}};
  const reply now = before;
  perform(honest, request, &before);
  *to = now;
}

typedef void server(const sesame_server_request *request, reply *to);

/* The first program's loop. Gives how many requests it sent. Without a server the host never calls `respond`. */
static int exchange(host *it, server *serve) {
  static reply got;
  for (int count = 0; count < MOST; count++) {
    sesame_result asked, heard;
    const sesame_server_request *request;
    const sesame_answered *answered;
    CHECK(sesame_device_next_request(it->device, &asked, &request, &host_error));
    if (request == NULL) return count;
    if (serve != NULL) {
      serve(request, &got);
      const sesame_slice body = {got.bytes, got.len};
      CHECK(sesame_device_respond(it->device, request->id, got.status, body, &heard, &answered, &host_error));
      CHECK(sesame_result_free(heard));
    }
    CHECK(sesame_result_free(asked));
  }
  return MOST;
}

/* How a send to one user stands, and why; an outcome of 0 when the send is gone. */
typedef struct standing {
  sesame_outcome outcome;
  sesame_waiting_for waiting_for;
  uint32_t reason;
} standing;

static standing stands(sesame_slice send) {
  standing it = {0, 0, 0};
  sesame_result result;
  const sesame_send_status *status;
  CHECK(sesame_device_send_status(alice.device, send, &result, &status, &host_error));
  for (size_t i = 0; status != NULL && i < status->user_count; i++) {
    const sesame_user_status *user = status->users[i];
    it = (standing){user->outcome, user->waiting_for, user->reason};
  }
  CHECK(sesame_result_free(result));
  return it;
}

/* Whether the item that ends a send is in Alice's inbox. */
static int is_told(sesame_slice send) {
  int told = 0;
  sesame_result result;
  const sesame_inbox *inbox;
  CHECK(sesame_device_inbox(alice.device, 0, 256, &result, &inbox, &host_error));
  for (size_t i = 0; i < inbox->count; i++) {
    const sesame_event *event = inbox->items[i]->event;
    if (event != NULL && event->kind == SESAME_EVENT_KIND_SEND_FINISHED && event->send.len == send.len)
      told = told || memcmp(event->send.data, send.data, send.len) == 0;
  }
  CHECK(sesame_result_free(result));
  return told;
}

/* A bad server, and what the app sees of it: how the send stands in the end, and why; an outcome of 0 may be any. */
typedef struct row {
  const char *name;
  server *serve;
  const char *to;
  int is_first; /* whether Alice has never written to Bob before */
  sesame_outcome outcome;
  uint32_t reason;
} row;

static void fail(const row *it, const char *what, long is, long should) {
  failures++;
  fprintf(stderr, "%s, %s: %s: %ld, not %ld\n", it->name, it->is_first ? "first contact" : "later", what, is, should);
}

static void play(const row *it) {
  char said[64];
  uint64_t due = 0, passed = 0;
  rows++;
  CHECK(sesame_clock_new(1790000000000, &host_clock, &host_error));
  CHECK(sesame_relay_new(host_server(), host_clock, &honest, &host_error));
  CHECK(sesame_relay_new(host_server(), host_clock, &other, &host_error));
  alice = host_create(honest, "alice");
  bob = host_create(honest, "bob");
  host stranger = host_create(other, "bob");
  if (!it->is_first) {
    host_send(&alice, "bob", "hi");
    host_read(&alice, said, sizeof said);
  }
  const sesame_slice to = sesame_text(it->to);
  sesame_result result;
  const sesame_send *send;
  CHECK(sesame_device_batch_encrypt(alice.device, &to, 1, sesame_text("hello"), host_none, &result, &send, &host_error));
  const sesame_slice id = send->id;

  /* The loop ends at once, and whenever the app comes back. */
  for (int visit = 0; passed < hours * HOUR; visit++) {
    const int count = exchange(&alice, it->serve);
    if (count >= MOST) fail(it, "requests in one loop", count, MOST - 1);
    CHECK(sesame_device_due_in(alice.device, &due, &host_error));
    if (due == 0) fail(it, "due_in after a loop that ended", 0, 1);
    if (due > DAY) fail(it, "due_in", (long)due, DAY);
    if (visit > 3000) {
      fail(it, "visits", visit, 3000);
      break;
    }
    const uint64_t step = due == 0 ? 1000 : due;
    CHECK(sesame_clock_advance(host_clock, step, &host_error));
    passed += step;
  }
  standing now = stands(id);
  if (it->outcome != 0 && now.outcome != it->outcome) fail(it, "outcome", now.outcome, it->outcome);
  if (it->outcome != 0 && now.reason != it->reason) fail(it, "reason", (long)now.reason, (long)it->reason);
  if (is_told(id) != (now.outcome == SESAME_OUTCOME_FAILED || now.outcome == SESAME_OUTCOME_SENT)) fail(it, "the end is told", is_told(id), -1);

  /* With a good server it heals: what waits goes out, and what failed does after a retry. */
  if (strcmp(it->to, "bob") == 0) {
    if (now.waiting_for == SESAME_WAITING_FOR_IDENTITY) {
      /* The claim was the server's own; the key that is pinned is Bob's. */
      sesame_result known;
      const sesame_users *users;
      CHECK(sesame_registry_users(alice.registry, &known, &users, &host_error));
      for (size_t i = 0; i < users->count; i++)
        if (users->items[i]->claimed_key.data != NULL)
          CHECK(sesame_registry_accept_identity(alice.registry, users->items[i]->user, users->items[i]->account_key, &host_error));
      CHECK(sesame_result_free(known));
    }
    if (now.outcome == SESAME_OUTCOME_FAILED) CHECK(sesame_device_retry(alice.device, id, &host_error));
    CHECK(sesame_device_retry_now(alice.device, &host_error));
    for (int visit = 0; visit < 50 && stands(id).outcome != SESAME_OUTCOME_SENT; visit++) {
      if (exchange(&alice, good) >= MOST) fail(it, "requests to a good server", MOST, MOST - 1);
      CHECK(sesame_device_due_in(alice.device, &due, &host_error));
      CHECK(sesame_clock_advance(host_clock, due, &host_error));
    }
    if (stands(id).outcome != SESAME_OUTCOME_SENT) fail(it, "outcome at a good server", stands(id).outcome, SESAME_OUTCOME_SENT);
    host_read(&bob, said, sizeof said);
    if (strstr(said, "|hello") == NULL) fail(it, "Bob has read it", 0, 1);
  }
  CHECK(sesame_result_free(result));
  host_free(&alice);
  host_free(&bob);
  host_free(&stranger);
  CHECK(sesame_relay_free(honest));
  CHECK(sesame_relay_free(other));
  CHECK(sesame_clock_free(host_clock));
}

int main(int count, char **arguments) {
  if (count > 1) hours = strtoull(arguments[1], NULL, 10);
  static const struct {
    const char *name;
    server *serve;
    sesame_outcome outcome;
    uint32_t reason;
  } servers[] = {
      {"stale for ever", stale_for_ever, SESAME_OUTCOME_FAILED, SESAME_STATUS_TOO_MANY_ROUNDS},
      {"identity changed", identity_changed, SESAME_OUTCOME_WAITING, 0},
      {"503 for ever", busy, SESAME_OUTCOME_WAITING, 0},
      {"a portal's page", portal, SESAME_OUTCOME_WAITING, 0},
      {"garbage", garbage, SESAME_OUTCOME_WAITING, 0},
      {"nothing at all", silence, SESAME_OUTCOME_WAITING, 0},
      {"a host that forgets respond", NULL, SESAME_OUTCOME_WAITING, 0},
      {"401 for ever", unauthorized, SESAME_OUTCOME_WAITING, 0},
      {"429 for ever", too_many, SESAME_OUTCOME_WAITING, 0},
      {"500 for ever", broken, SESAME_OUTCOME_WAITING, 0},
      {"400 for ever", malformed, SESAME_OUTCOME_FAILED, SESAME_STATUS_SERVER_ANSWER},
      {"413 for ever", too_large, SESAME_OUTCOME_FAILED, SESAME_STATUS_TOO_LARGE},
      {"403 for ever", forbidden, SESAME_OUTCOME_WAITING, 0},
      {"404 for ever", not_found, SESAME_OUTCOME_WAITING, 0},
      {"302 for ever", moved, SESAME_OUTCOME_WAITING, 0},
      {"200 without a body", empty, SESAME_OUTCOME_WAITING, 0},
      {"a status that is none", strange, SESAME_OUTCOME_WAITING, 0},
      {"answers with a byte changed", spoilt, 0, 0},
      {"answers without their end", cut, 0, 0},
      {"answers that come one request late", late, 0, 0},
  };
  for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
    for (int is_first = 0; is_first < 2; is_first++) {
      const row it = {servers[i].name, servers[i].serve, "bob", is_first, servers[i].outcome, servers[i].reason};
      play(&it);
    }
  }
  const row nobody = {"no such user", good, "nobody", 1, SESAME_OUTCOME_FAILED, SESAME_STATUS_UNKNOWN_USER};
  play(&nobody);
  printf("%d passed, %d failed\n", rows - failures, failures);
  return failures == 0 ? 0 : 1;
}
