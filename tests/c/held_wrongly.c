/* Ways to hold the face wrongly: the call, the mistake, and what the user sees of it. No row is silence, a crash or a loop without an end.
 * `held_wrongly table` prints the rows. Wrong handles, pointers and structs are in misuse.c. */
#include "host.h"

static int rows, failures, is_table;
static sesame_error e;
static sesame_relay relay;
static host alice, bob;
static uint8_t large[SESAME_MAX_PAYLOAD + 1];

static void row_at(int line, const char *call, const char *mistake, sesame_status is, int32_t should) {
  rows++;
  if (is_table) printf("%s | %s | %s %s\n", call, mistake, sesame_status_name(should), should == 0 ? "" : e.field);
  if ((int32_t)is != should) {
    failures++;
    fprintf(stderr, "line %d: %s: %s gave %ld, not %ld (%s)\n", line, call, mistake, (long)is, (long)should, e.reason);
  }
}

static void sees_at(int line, const char *what, long is, long should) {
  rows++;
  if (is_table) printf("  %s\n", what);
  if (is != should) {
    failures++;
    fprintf(stderr, "line %d: %s: %ld, not %ld\n", line, what, is, should);
  }
}

#define ROW(call, mistake, done, status) row_at(__LINE__, call, mistake, done, SESAME_STATUS_##status)
#define SEES(what, is, should) sees_at(__LINE__, what, (long)(is), (long)(should))

static const sesame_slice none = {NULL, 0};

static sesame_slice slice(const void *data, size_t len) {
  const sesame_slice made = {data, len};
  return made;
}

/* The number of requests that are due now; each is taken back, so that it is due again. */
static size_t due_now(sesame_device device) {
  sesame_result results[16];
  const sesame_server_request *requests[16];
  size_t count = 0;
  while (count < 16 && sesame_device_next_request(device, &results[count], &requests[count], &e) == SESAME_STATUS_OK && requests[count] != NULL) count++;
  for (size_t i = 0; i < count; i++) {
    CHECK(sesame_device_release(device, requests[i]->id, &host_error));
    CHECK(sesame_result_free(results[i]));
  }
  return count;
}

static void answering(void) {
  sesame_result asked, heard, performed;
  const sesame_server_request *request, *again;
  const sesame_answered *answered;
  sesame_slice body;
  uint32_t status;
  uint64_t due;
  const sesame_device a = alice.device;
  CHECK(sesame_device_request_mail(a, 1, &host_error));
  CHECK(sesame_device_next_request(a, &asked, &request, &host_error));
  const sesame_slice id = request->id;

  ROW("respond", "an id of 15 bytes", sesame_device_respond(a, slice(id.data, 15), 200, none, &heard, &answered, &e), INVALID_ARGUMENT);
  ROW("respond", "an id of 17 bytes", sesame_device_respond(a, slice(large, 17), 200, none, &heard, &answered, &e), INVALID_ARGUMENT);
  ROW("respond", "no id", sesame_device_respond(a, none, 200, none, &heard, &answered, &e), INVALID_ARGUMENT);
  ROW("respond", "an id that nobody gave", sesame_device_respond(a, slice(large, 16), 200, none, &heard, &answered, &e), FOREIGN_REQUEST);
  ROW("respond", "the id of another device's request", sesame_device_respond(bob.device, id, 200, none, &heard, &answered, &e), FOREIGN_REQUEST);
  ROW("respond", "a status of 70000", sesame_device_respond(a, id, 70000, none, &heard, &answered, &e), INVALID_ARGUMENT);
  SEES("the error names the status", strcmp(e.field, "status"), 0);
  ROW("respond", "a status of UINT32_MAX", sesame_device_respond(a, id, UINT32_MAX, none, &heard, &answered, &e), INVALID_ARGUMENT);
  ROW("respond", "a body without memory", sesame_device_respond(a, id, 200, slice(NULL, 5), &heard, &answered, &e), NULL_POINTER);
  ROW("respond", "a body of SIZE_MAX bytes", sesame_device_respond(a, id, 200, slice(large, SIZE_MAX), &heard, &answered, &e), INVALID_ARGUMENT);
  ROW("respond", "no place for what came of it", sesame_device_respond(a, id, 200, none, &heard, NULL, &e), NULL_POINTER);
  ROW("next_request", "asked again before the answer", sesame_device_next_request(a, &heard, &again, &e), OK);
  SEES("the request is lent: nothing is due", again == NULL, 1);
  ROW("release", "another device's request", sesame_device_release(bob.device, id, &e), FOREIGN_REQUEST);
  SEES("it stays with the other", due_now(a), 0);
  ROW("due_in", "asked before the answer", sesame_device_due_in(a, &due, &e), OK);
  SEES("it comes again within a minute", due > 0 && due <= 60000, 1);
  CHECK(sesame_relay_perform(relay, request->path, request->headers, request->header_count, request->body, &performed, &status, &body, &host_error));
  ROW("respond", "the right answer after all these", sesame_device_respond(a, id, status, body, &heard, &answered, &e), OK);
  SEES("it was waited for", answered->known && answered->problem == 0, 1);
  CHECK(sesame_result_free(heard));
  ROW("respond", "the same answer twice", sesame_device_respond(a, id, status, body, &heard, &answered, &e), OK);
  SEES("the second one is not known", answered->known, 0);
  CHECK(sesame_result_free(heard));
  ROW("release", "a request that was answered", sesame_device_release(a, id, &e), OK);
  ROW("release", "an id of 3 bytes", sesame_device_release(a, slice(large, 3), &e), INVALID_ARGUMENT);
  CHECK(sesame_result_free(performed));
  CHECK(sesame_result_free(asked));

  /* A host that forgets. */
  CHECK(sesame_device_request_mail(a, 1, &host_error));
  CHECK(sesame_device_next_request(a, &asked, &request, &host_error));
  SEES("next_request: a request is forgotten, and its loop ends", due_now(a), 0);
  CHECK(sesame_clock_advance(host_clock, 61000, &host_error));
  SEES("next_request: it is given out again after a minute", due_now(a), 1);
  ROW("respond", "an answer after the minute", sesame_device_respond(a, request->id, 200, none, &heard, &answered, &e), OK);
  SEES("the late answer is not known", answered->known, 0);
  CHECK(sesame_result_free(heard));
  CHECK(sesame_result_free(asked));
  host_exchange(&alice);

  /* Answers that are none. */
  static const struct {
    const char *name;
    uint32_t status, problem;
    size_t len;
  } odd[] = {{"status 0", 0, SESAME_STATUS_SERVER_UNREACHABLE, 0},  {"status 1", 1, SESAME_STATUS_SERVER_ANSWER, 0},
             {"status 65535", 65535, SESAME_STATUS_SERVER_ANSWER, 0}, {"200 without a body", 200, SESAME_STATUS_SERVER_ANSWER, 0},
             {"200 with 64 KiB of zeros", 200, SESAME_STATUS_SERVER_ANSWER, 65536}, {"a 302", 302, SESAME_STATUS_SERVER_ANSWER, 0},
             {"a 404", 404, SESAME_STATUS_SERVER_ANSWER, 0}, {"a 503", 503, SESAME_STATUS_SERVER_BUSY, 0}};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    CHECK(sesame_device_request_mail(a, 1, &host_error));
    CHECK(sesame_device_retry_now(a, &host_error));
    CHECK(sesame_device_next_request(a, &asked, &request, &host_error));
    memset(large, 0, sizeof large);
    ROW("respond", odd[i].name, sesame_device_respond(a, request->id, odd[i].status, slice(large, odd[i].len), &heard, &answered, &e), OK);
    SEES("the problem has a number", answered->problem, odd[i].problem);
    SEES("the loop ends", due_now(a), 0);
    CHECK(sesame_result_free(heard));
    CHECK(sesame_result_free(asked));
  }
  uint8_t *huge = calloc(1, 64u << 20);
  if (huge == NULL) exit(2);
  CHECK(sesame_device_retry_now(a, &host_error));
  CHECK(sesame_device_next_request(a, &asked, &request, &host_error));
  ROW("respond", "200 with 64 MiB", sesame_device_respond(a, request->id, 200, slice(huge, 64u << 20), &heard, &answered, &e), OK);
  SEES("the problem has a number", answered->problem, SESAME_STATUS_SERVER_ANSWER);
  CHECK(sesame_result_free(heard));
  CHECK(sesame_result_free(asked));
  free(huge);
  CHECK(sesame_device_retry_now(a, &host_error));
  host_exchange(&alice);

  ROW("request_mail", "a limit of 0", sesame_device_request_mail(a, 0, &e), OK);
  host_exchange(&alice);
  ROW("request_mail", "a limit of UINT32_MAX", sesame_device_request_mail(a, UINT32_MAX, &e), OK);
  host_exchange(&alice);
  SEES("it ends all the same", due_now(a), 0);
  ROW("retry_now", "nothing to try", sesame_device_retry_now(a, &e), OK);
  SEES("nothing is due", due_now(a), 0);
}

static void sending(void) {
  sesame_result r, again;
  const sesame_send *send, *same;
  const sesame_send_status *status;
  const sesame_batches *batches;
  const sesame_device a = alice.device;
  const sesame_slice to = sesame_text("bob"), jen = sesame_text("jen"), text = sesame_text("hello"), id = slice("content of 16 by", 16);
  static sesame_slice crowd[SESAME_MAX_DIRECT_USERS + 1];
  static char names[SESAME_MAX_DIRECT_USERS + 1][8];
  for (size_t i = 0; i <= SESAME_MAX_DIRECT_USERS; i++) {
    snprintf(names[i], sizeof names[i], "u%zu", i);
    crowd[i] = sesame_text(names[i]);
  }
  ROW("batch_encrypt", "no recipient", sesame_device_batch_encrypt(a, NULL, 0, text, none, &r, &send, &e), EMPTY_BATCH);
  ROW("batch_encrypt", "257 users", sesame_device_batch_encrypt(a, crowd, SESAME_MAX_DIRECT_USERS + 1, text, none, &r, &send, &e), TOO_MANY);
  ROW("batch_encrypt", "65,537 bytes", sesame_device_batch_encrypt(a, &to, 1, slice(large, sizeof large), none, &r, &send, &e), PAYLOAD_TOO_LARGE);
  ROW("batch_encrypt", "a content id of 15 bytes", sesame_device_batch_encrypt(a, &to, 1, text, slice(large, 15), &r, &send, &e), INVALID_ARGUMENT);
  ROW("batch_encrypt", "a user of 65 bytes", sesame_device_batch_encrypt(a, &(sesame_slice){large, 65}, 1, text, none, &r, &send, &e), INVALID_ARGUMENT);
  ROW("batch_encrypt", "a user without a name", sesame_device_batch_encrypt(a, &none, 1, text, none, &r, &send, &e), INVALID_ARGUMENT);
  ROW("batch_encrypt", "a user that is no UTF-8", sesame_device_batch_encrypt(a, &(sesame_slice){(const uint8_t *)"\xff", 1}, 1, text, none, &r, &send, &e), INVALID_ARGUMENT);
  SEES("nothing of all that is sent", due_now(a), 0);
  ROW("batch_encrypt", "a message", sesame_device_batch_encrypt(a, &to, 1, text, id, &r, &send, &e), OK);
  ROW("batch_encrypt", "the same again, after a crash", sesame_device_batch_encrypt(a, &to, 1, text, id, &again, &same, &e), OK);
  SEES("it is the same send", memcmp(send->id.data, same->id.data, 16), 0);
  CHECK(sesame_result_free(again));
  ROW("batch_encrypt", "another text under the same content id", sesame_device_batch_encrypt(a, &to, 1, sesame_text("no"), id, &again, &same, &e), CONTENT_ID_IN_USE);
  ROW("batch_encrypt", "another user under the same content id", sesame_device_batch_encrypt(a, &jen, 1, text, id, &again, &same, &e), CONTENT_ID_IN_USE);
  ROW("send_status", "an id of 3 bytes", sesame_device_send_status(a, slice(large, 3), &again, &status, &e), INVALID_ARGUMENT);
  ROW("send_status", "a send that is not there", sesame_device_send_status(a, slice(large, 16), &again, &status, &e), OK);
  SEES("there is none", status == NULL, 1);
  CHECK(sesame_result_free(again));
  ROW("batches", "a send that is not there", sesame_device_batches(a, slice(large, 16), &again, &batches, &e), OK);
  SEES("it has no batch", batches == NULL || batches->count == 0, 1);
  CHECK(sesame_result_free(again));
  ROW("cancel", "a send that is not there", sesame_device_cancel(a, slice(large, 16), NULL, 0, &e), UNKNOWN_SEND);
  ROW("cancel", "an id of 3 bytes", sesame_device_cancel(a, slice(large, 3), NULL, 0, &e), INVALID_ARGUMENT);
  ROW("cancel", "a user whom the send does not name", sesame_device_cancel(a, send->id, &jen, 1, &e), UNKNOWN_USER);
  ROW("cancel", "users without memory", sesame_device_cancel(a, send->id, NULL, 1, &e), NULL_POINTER);
  ROW("retry", "a send that is not there", sesame_device_retry(a, slice(large, 16), &e), UNKNOWN_SEND);
  ROW("retry", "a send that is open", sesame_device_retry(a, send->id, &e), OK);
  ROW("cancel", "before it was given out", sesame_device_cancel(a, send->id, NULL, 0, &e), OK);
  ROW("cancel", "twice", sesame_device_cancel(a, send->id, NULL, 0, &e), OK);
  ROW("send_status", "a cancelled send, by its content id", sesame_device_send_status(a, id, &again, &status, &e), OK);
  SEES("it was cancelled", status->finished && status->users[0]->outcome == SESAME_OUTCOME_CANCELLED && status->users[0]->reason == SESAME_STATUS_CANCELLED, 1);
  CHECK(sesame_result_free(again));
  ROW("retry", "a cancelled send", sesame_device_retry(a, send->id, &e), OK);
  host_exchange(&alice);
  ROW("send_status", "after the loop", sesame_device_send_status(a, send->id, &again, &status, &e), OK);
  SEES("it is sent", status->finished && status->users[0]->outcome == SESAME_OUTCOME_SENT, 1);
  CHECK(sesame_result_free(again));
  ROW("cancel", "what is sent", sesame_device_cancel(a, send->id, NULL, 0, &e), OK);
  ROW("send_status", "after that", sesame_device_send_status(a, send->id, &again, &status, &e), OK);
  SEES("it stays sent", status->users[0]->outcome, SESAME_OUTCOME_SENT);
  CHECK(sesame_result_free(again));
  CHECK(sesame_result_free(r));

  const sesame_slice nobody = sesame_text("nobody"), twice[2] = {to, to};
  ROW("batch_encrypt", "a user who does not exist", sesame_device_batch_encrypt(a, &nobody, 1, text, none, &r, &send, &e), OK);
  host_exchange(&alice);
  ROW("send_status", "after the loop", sesame_device_send_status(a, send->id, &again, &status, &e), OK);
  SEES("it has failed, and says why", status->finished && status->users[0]->outcome == SESAME_OUTCOME_FAILED && status->users[0]->reason == SESAME_STATUS_UNKNOWN_USER, 1);
  CHECK(sesame_result_free(again));
  CHECK(sesame_result_free(r));
  ROW("batch_encrypt", "a user twice", sesame_device_batch_encrypt(a, twice, 2, text, none, &r, &send, &e), OK);
  host_exchange(&alice);
  ROW("send_status", "after the loop", sesame_device_send_status(a, send->id, &again, &status, &e), OK);
  SEES("it names the user once", status->user_count, 1);
  CHECK(sesame_result_free(again));
  CHECK(sesame_result_free(r));
}

static void receiving(void) {
  sesame_result r;
  const sesame_inbox *inbox;
  const sesame_mail_results *results;
  const sesame_device b = bob.device;
  static sesame_slice many[SESAME_MAX_BATCH + 1];
  const uint64_t ids[2] = {UINT64_MAX, 0};
  const sesame_slice junk[2] = {sesame_text("not an envelope"), none};
  ROW("batch_decrypt", "4,097 envelopes", sesame_device_batch_decrypt(b, many, SESAME_MAX_BATCH + 1, false, &r, &results, &e), TOO_MANY);
  ROW("batch_decrypt", "4,097 envelopes without memory", sesame_device_batch_decrypt(b, NULL, SESAME_MAX_BATCH + 1, false, &r, &results, &e), NULL_POINTER);
  ROW("batch_decrypt", "what is no envelope", sesame_device_batch_decrypt(b, junk, 2, false, &r, &results, &e), OK);
  SEES("each has its result", results->count == 2 && results->items[0]->outcome == SESAME_MAIL_OUTCOME_REFUSED && !results->items[0]->keep, 1);
  CHECK(sesame_result_free(r));
  ROW("batch_decrypt", "an empty mailbox", sesame_device_batch_decrypt(b, NULL, 0, true, &r, &results, &e), OK);
  CHECK(sesame_result_free(r));
  ROW("inbox", "a limit of 0", sesame_device_inbox(b, 0, 0, &r, &inbox, &e), OK);
  CHECK(sesame_result_free(r));
  ROW("inbox", "a limit of SIZE_MAX", sesame_device_inbox(b, 0, SIZE_MAX, &r, &inbox, &e), OK);
  CHECK(sesame_result_free(r));
  ROW("inbox", "after the last of all", sesame_device_inbox(b, UINT64_MAX, 10, &r, &inbox, &e), OK);
  SEES("it is empty", inbox->count, 0);
  CHECK(sesame_result_free(r));
  ROW("ack", "ids that are not there", sesame_device_ack(b, ids, 2, &e), OK);
  ROW("ack", "ids without memory", sesame_device_ack(b, NULL, 2, &e), NULL_POINTER);
  ROW("ack", "nothing", sesame_device_ack(b, NULL, 0, &e), OK);
}

static void linking(void) {
  sesame_result r, shown, asked, heard;
  const sesame_pending_link *link, *second;
  const sesame_server_request *request;
  const sesame_answered *answered;
  sesame_slice code, digits;
  sesame_store store;
  sesame_linking it;
  sesame_device device;
  uint32_t id;
  bool expired;
  const sesame_device a = alice.device;
  CHECK(sesame_store_memory(&store, &host_error));
  ROW("linking_begin", "a server without a name", sesame_linking_begin(store, host_key(), none, host_clock, &it, &e), INVALID_ARGUMENT);
  ROW("linking_begin", "a store that has a device", sesame_linking_begin(alice.store, host_key(), host_server(), host_clock, &it, &e), FOREIGN_STORE);
  ROW("linking_resume", "a store without a link", sesame_linking_resume(store, host_key(), host_clock, &it, &e), FOREIGN_STORE);
  CHECK(sesame_linking_begin(store, host_key(), host_server(), host_clock, &it, &host_error));
  CHECK(sesame_linking_code(it, &shown, &code, &host_error));
  ROW("link_device", "an empty code", sesame_device_link_device(a, none, &r, &link, &e), LINK_MALFORMED);
  ROW("link_device", "text that is no code", sesame_device_link_device(a, sesame_text("no code"), &r, &link, &e), LINK_MALFORMED);
  ROW("link_device", "bytes that are no text", sesame_device_link_device(a, slice("\xff\xfe", 2), &r, &link, &e), INVALID_ARGUMENT);
  ROW("link_device", "64 KiB", sesame_device_link_device(a, slice(large, 65536), &r, &link, &e), LINK_MALFORMED);
  ROW("link_device", "a code without its last sign", sesame_device_link_device(a, slice(code.data, code.len - 1), &r, &link, &e), LINK_MALFORMED);
  ROW("linking_digits", "before the primary's hello", sesame_linking_digits(it, &r, &digits, &e), OK);
  SEES("there are none", digits.data == NULL, 1);
  CHECK(sesame_result_free(r));
  ROW("linking_confirm", "before the primary's hello", sesame_linking_confirm(it, &e), INVALID_ARGUMENT);
  ROW("linking_device", "before the answer", sesame_linking_device(it, &device, &e), OK);
  SEES("there is none", device.token, 0);
  ROW("confirm_link", "a link that was never begun", sesame_device_confirm_link(a, slice(large, 16), &id, &e), LINK_EXPIRED);
  ROW("confirm_link", "an id of 3 bytes", sesame_device_confirm_link(a, slice(large, 3), &id, &e), INVALID_ARGUMENT);
  ROW("cancel_link", "a link that was never begun", sesame_device_cancel_link(a, slice(large, 16), &e), OK);
  ROW("linking_next_request", "nobody has read the code yet", sesame_linking_next_request(it, &asked, &request, &e), OK);
  if (request != NULL) {
    ROW("linking_respond", "a status of 70000", sesame_linking_respond(it, request->id, 70000, none, &heard, &answered, &e), INVALID_ARGUMENT);
    ROW("linking_respond", "an id that nobody gave", sesame_linking_respond(it, slice(large, 16), 200, none, &heard, &answered, &e), FOREIGN_REQUEST);
    ROW("linking_release", "an id that nobody gave", sesame_linking_release(it, slice(large, 16), &e), FOREIGN_REQUEST);
    ROW("linking_respond", "a portal's page", sesame_linking_respond(it, request->id, 200, sesame_text("<html>"), &heard, &answered, &e), OK);
    SEES("the problem has a number", answered->problem, SESAME_STATUS_SERVER_ANSWER);
    CHECK(sesame_result_free(heard));
    ROW("linking_respond", "the same request again", sesame_linking_respond(it, request->id, 200, none, &heard, &answered, &e), OK);
    SEES("it is not known", answered->known, 0);
    CHECK(sesame_result_free(heard));
  }
  CHECK(sesame_result_free(asked));
  ROW("link_device", "a code", sesame_device_link_device(a, code, &r, &link, &e), OK);
  ROW("cancel_link", "the digits differ", sesame_device_cancel_link(a, link->id, &e), OK);
  ROW("confirm_link", "a link that was cancelled", sesame_device_confirm_link(a, link->id, &id, &e), LINK_USED);
  ROW("link_device", "its code again", sesame_device_link_device(a, code, &heard, &second, &e), LINK_USED);
  CHECK(sesame_result_free(r));
  CHECK(sesame_result_free(shown));
  CHECK(sesame_linking_free(it));
  CHECK(sesame_store_free(store));
  host_exchange(&alice);

  CHECK(sesame_store_memory(&store, &host_error));
  CHECK(sesame_linking_begin(store, host_key(), host_server(), host_clock, &it, &host_error));
  CHECK(sesame_linking_code(it, &shown, &code, &host_error));
  CHECK(sesame_clock_advance(host_clock, 660000, &host_error));
  ROW("link_device", "a code of eleven minutes ago", sesame_device_link_device(a, code, &r, &link, &e), LINK_EXPIRED);
  ROW("linking_expired", "after eleven minutes", sesame_linking_expired(it, &expired, &e), OK);
  SEES("it has expired", expired, 1);
  ROW("device_create", "a store in which a link was begun", sesame_device_create(store, host_key(), sesame_text("x"), host_server(), none, host_clock, &device, &e), FOREIGN_STORE);
  CHECK(sesame_result_free(shown));
  CHECK(sesame_linking_free(it));
  CHECK(sesame_store_free(store));
  host_exchange(&alice);
}

static void own_devices(void) {
  sesame_device device;
  sesame_store store;
  bool is_primary;
  sesame_result r;
  const sesame_handover *handover;
  const sesame_device a = alice.device;
  memset(large, 'x', sizeof large);
  CHECK(sesame_store_memory(&store, &host_error));
  ROW("device_create", "a key of 31 bytes", sesame_device_create(store, slice(large, 31), sesame_text("x"), host_server(), none, host_clock, &device, &e), INVALID_ARGUMENT);
  ROW("device_create", "a server without a name", sesame_device_create(store, host_key(), sesame_text("x"), none, none, host_clock, &device, &e), INVALID_ARGUMENT);
  ROW("device_create", "a server's name of 256 bytes", sesame_device_create(store, host_key(), sesame_text("x"), slice(large, 256), none, host_clock, &device, &e), INVALID_ARGUMENT);
  ROW("device_create", "a token of 1,025 bytes", sesame_device_create(store, host_key(), sesame_text("x"), host_server(), slice(large, 1025), host_clock, &device, &e), INVALID_ARGUMENT);
  ROW("device_create", "over a device", sesame_device_create(alice.store, host_key(), sesame_text("x"), host_server(), none, host_clock, &device, &e), FOREIGN_STORE);
  ROW("device_open", "an empty store", sesame_device_open(store, host_key(), host_clock, &device, &e), FOREIGN_STORE);
  ROW("device_open", "another key", sesame_device_open(alice.store, slice(large, 32), host_clock, &device, &e), WRONG_KEY);
  ROW("device_open", "a freed clock", sesame_device_open(alice.store, host_key(), (sesame_clock){7}, &device, &e), BAD_HANDLE);
  ROW("hand_over", "to itself", sesame_device_hand_over(a, 1, &r, &handover, &e), INVALID_ARGUMENT);
  ROW("hand_over", "a device that is not there", sesame_device_hand_over(a, 99, &r, &handover, &e), UNKNOWN_DEVICE);
  ROW("confirm_handover", "one that nobody offered", sesame_device_confirm_handover(a, slice(large, 16), &e), HANDOVER_ENDED);
  ROW("cancel_handover", "15 bytes", sesame_device_cancel_handover(a, slice(large, 15), &e), INVALID_ARGUMENT);
  ROW("remove_device", "a device that is not there", sesame_device_remove_device(a, 99, &e), UNKNOWN_DEVICE);
  ROW("remove_device", "the primary itself", sesame_device_remove_device(a, 1, &e), INVALID_ARGUMENT);
  ROW("set_push", "513 bytes", sesame_device_set_push(a, slice(large, 513), &e), INVALID_ARGUMENT);
  ROW("is_primary", "no place for the answer", sesame_device_is_primary(a, NULL, &e), NULL_POINTER);
  ROW("is_primary", "the first device", sesame_device_is_primary(a, &is_primary, &e), OK);
  CHECK(sesame_store_free(store));

  /* A second device of Bob's, which is removed. */
  host tablet = host_link(&bob);
  ROW("remove_device", "not on the primary", sesame_device_remove_device(tablet.device, 1, &e), NOT_PRIMARY);
  ROW("delete_account", "not on the primary", sesame_device_delete_account(tablet.device, &e), NOT_PRIMARY);
  const sesame_send *departure;
  ROW("log_out", "on the primary", sesame_device_log_out(bob.device, &r, &departure, &e), INVALID_ARGUMENT);
  CHECK(sesame_device_remove_device(bob.device, tablet.id, &host_error));
  host_exchange(&bob);
  char said[64];
  host_read(&tablet, said, sizeof said);
  const sesame_slice to = sesame_text("alice");
  const sesame_send *send;
  const sesame_health *health;
  ROW("health", "a device that was removed", sesame_device_health(tablet.device, &r, &health, &e), OK);
  SEES("it says so", health->problem, SESAME_STATUS_REMOVED_FROM_ACCOUNT);
  CHECK(sesame_result_free(r));
  ROW("batch_encrypt", "on a device that was removed", sesame_device_batch_encrypt(tablet.device, &to, 1, to, none, &r, &send, &e), DEVICE_REMOVED);
  ROW("remove_device", "twice", sesame_device_remove_device(bob.device, tablet.id, &e), UNKNOWN_DEVICE);
  SEES("next_request: nothing is due on it any more", due_now(tablet.device), 0);
  host_free(&tablet);
}

static void people(void) {
  sesame_result r;
  sesame_slice text;
  const sesame_devices *devices;
  bool is_same;
  const sesame_registry known = alice.registry;
  static sesame_slice crowd[101];
  const sesame_slice to = sesame_text("bob"), own = sesame_text("alice"), nobody = sesame_text("nobody-known");
  for (size_t i = 0; i < 101; i++) crowd[i] = to;
  ROW("registry_devices", "a user who is not known", sesame_registry_devices(known, nobody, &r, &devices, &e), UNKNOWN_USER);
  ROW("registry_look_up", "101 users", sesame_registry_look_up(known, crowd, 101, &e), TOO_MANY);
  ROW("registry_look_up", "users without memory", sesame_registry_look_up(known, NULL, 1, &e), NULL_POINTER);
  ROW("registry_forget", "our own user", sesame_registry_forget(known, own, &e), INVALID_ARGUMENT);
  ROW("registry_forget", "a user who is not known", sesame_registry_forget(known, nobody, &e), UNKNOWN_USER);
  ROW("accept_identity", "a key that does not wait", sesame_registry_accept_identity(known, to, slice(large, 32), &e), INVALID_ARGUMENT);
  ROW("accept_identity", "a key of 31 bytes", sesame_registry_accept_identity(known, to, slice(large, 31), &e), INVALID_ARGUMENT);
  ROW("accept_identity", "a user who is not known", sesame_registry_accept_identity(known, nobody, slice(large, 32), &e), UNKNOWN_USER);
  ROW("mark_verified", "a user who is not known", sesame_registry_mark_verified(known, nobody, &e), UNKNOWN_USER);
  ROW("resolve_fork", "no fork", sesame_registry_resolve_fork(known, to, slice(large, 32), &e), INVALID_ARGUMENT);
  ROW("resolve_fork", "a hash of 31 bytes", sesame_registry_resolve_fork(known, to, slice(large, 31), &e), INVALID_ARGUMENT);
  ROW("resolve_fork", "a user who is not known", sesame_registry_resolve_fork(known, nobody, slice(large, 32), &e), UNKNOWN_USER);
  ROW("safety_number", "a user who is not known", sesame_registry_safety_number(known, nobody, &r, &text, &e), UNKNOWN_USER);
  ROW("safety_code", "a user who is not known", sesame_registry_safety_code(known, nobody, &r, &text, &e), UNKNOWN_USER);
  ROW("compare_safety_code", "text that is no code", sesame_registry_compare_safety_code(known, to, sesame_text("no code"), &is_same, &e), INVALID_ARGUMENT);
}

static void groups(void) {
  sesame_result r;
  sesame_group group, fork;
  const sesame_send *send;
  const sesame_cost *cost;
  const sesame_device a = alice.device;
  const sesame_slice to = sesame_text("bob"), nobody = sesame_text("nobody-known"), own = sesame_text("alice"), name = sesame_text("Trip"), bad = slice("\xff", 1);
  sesame_group_change info = {sizeof info, &name, NULL, NULL, NULL, NULL}, nothing = {sizeof nothing, NULL, NULL, NULL, NULL, NULL};
  static sesame_slice crowd[201];
  for (size_t i = 0; i < 201; i++) crowd[i] = nobody;
  ROW("create_group", "a user who is not known", sesame_device_create_group(a, 2, &info, &nobody, 1, &group, &r, &send, &e), UNKNOWN_USER);
  SEES("the error has the user's place", e.item, 0);
  ROW("create_group", "a kind that is none", sesame_device_create_group(a, 9, &info, &to, 1, &group, &r, &send, &e), UNKNOWN_GROUP_KIND);
  ROW("create_group", "a group of oneself", sesame_device_create_group(a, 2, &info, &own, 1, &group, &r, &send, &e), OK);
  CHECK(sesame_result_free(r));
  CHECK(sesame_group_free(group));
  ROW("create_group", "a group", sesame_device_create_group(a, 2, &info, &to, 1, &group, &r, &send, &e), OK);
  CHECK(sesame_result_free(r));
  host_exchange(&alice);
  ROW("group_add", "who is a member", sesame_group_add(group, &to, 1, &r, &send, &e), ALREADY_MEMBER);
  ROW("group_add", "nobody", sesame_group_add(group, NULL, 0, &r, &send, &e), EMPTY_BATCH);
  ROW("group_add", "201 users", sesame_group_add(group, crowd, 201, &r, &send, &e), TOO_MANY);
  ROW("group_readmit", "a user who is not known", sesame_group_readmit(group, nobody, &r, &send, &e), UNKNOWN_USER);
  ROW("group_readmit", "who is a member as known", sesame_group_readmit(group, to, &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_readmit", "a name that is no UTF-8", sesame_group_readmit(group, bad, &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_add", "a user who is not known", sesame_group_add(group, &nobody, 1, &r, &send, &e), UNKNOWN_USER);
  ROW("group_update_info", "nothing to change", sesame_group_update_info(group, &nothing, &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_rename", "a name that is no UTF-8", sesame_group_rename(group, bad, &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_rename", "a name of 257 bytes", sesame_group_rename(group, slice(large, 257), &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_accept", "without an invitation", sesame_group_accept(group, &r, &send, &e), NOT_INVITED);
  ROW("group_decline", "without an invitation", sesame_group_decline(group, &r, &send, &e), NOT_INVITED);
  ROW("group_forget", "while a member", sesame_group_forget(group, &e), ALREADY_MEMBER);
  ROW("registry_forget", "who shares a group with us", sesame_registry_forget(alice.registry, to, &e), ALREADY_MEMBER);
  ROW("group_fork_without", "who is no member", sesame_group_fork_without(group, &nobody, 1, &fork, &r, &send, &e), INVALID_ARGUMENT);
  ROW("group_batch_encrypt", "65,537 bytes", sesame_group_batch_encrypt(group, slice(large, sizeof large), none, &r, &send, &e), PAYLOAD_TOO_LARGE);
  ROW("group_cost", "SIZE_MAX bytes", sesame_group_cost(group, SIZE_MAX, &r, &cost, &e), PAYLOAD_TOO_LARGE);
  ROW("group_leave", "once", sesame_group_leave(group, &r, &send, &e), OK);
  CHECK(sesame_result_free(r));
  host_exchange(&alice);
  ROW("group_leave", "twice", sesame_group_leave(group, &r, &send, &e), NOT_A_MEMBER);
  ROW("group_batch_encrypt", "after a leave", sesame_group_batch_encrypt(group, to, none, &r, &send, &e), NOT_A_MEMBER);
  ROW("group_rename", "after a leave", sesame_group_rename(group, to, &r, &send, &e), NOT_A_MEMBER);
  ROW("group_forget", "after a leave", sesame_group_forget(group, &e), OK);
  ROW("group_forget", "twice", sesame_group_forget(group, &e), UNKNOWN_GROUP);
  CHECK(sesame_group_free(group));
}

/* The server in memory says what is wrong with a request in its answer. */
static void servers(void) {
  sesame_result r;
  sesame_relay other;
  sesame_slice body;
  uint32_t status;
  ROW("relay_new", "a server without a name", sesame_relay_new(none, host_clock, &other, &e), INVALID_ARGUMENT);
  ROW("relay_new", "a freed clock", sesame_relay_new(host_server(), (sesame_clock){7}, &other, &e), BAD_HANDLE);
  ROW("relay_perform", "a path that is none", sesame_relay_perform(relay, sesame_text("/"), NULL, 0, none, &r, &status, &body, &e), OK);
  SEES("the status is 400", status, 400);
  CHECK(sesame_result_free(r));
  ROW("relay_perform", "a path that is no UTF-8", sesame_relay_perform(relay, slice("\xff", 1), NULL, 0, none, &r, &status, &body, &e), INVALID_ARGUMENT);
  ROW("relay_perform", "no signature", sesame_relay_perform(relay, sesame_text("/v1/mail"), NULL, 0, none, &r, &status, &body, &e), OK);
  SEES("the status is 401", status, 401);
  CHECK(sesame_result_free(r));
  ROW("relay_perform", "no place for the status", sesame_relay_perform(relay, sesame_text("/v1/mail"), NULL, 0, none, &r, NULL, &body, &e), NULL_POINTER);

  /* A device whose server has another name than the relay. */
  CHECK(sesame_relay_new(sesame_text("other.example"), host_clock, &other, &host_error));
  host lost = alice;
  lost.relay = other;
  CHECK(sesame_device_request_mail(lost.device, 1, &host_error));
  host_exchange(&lost);
  const sesame_health *health;
  ROW("health", "a server of another name", sesame_device_health(alice.device, &r, &health, &e), OK);
  SEES("it says that the signature is not accepted", health->problem == 0 ? 0 : 1, 1);
  CHECK(sesame_result_free(r));
  CHECK(sesame_relay_free(other));
  CHECK(sesame_device_retry_now(alice.device, &host_error));
  host_exchange(&alice);
}

/* A device that is closed or freed, with requests under way. */
static void ends(void) {
  sesame_result asked, heard;
  const sesame_server_request *request, *again;
  const sesame_answered *answered;
  uint64_t due;
  host brief = host_create(relay, "brief");
  CHECK(sesame_device_request_mail(brief.device, 1, &host_error));
  CHECK(sesame_device_next_request(brief.device, &asked, &request, &host_error));
  ROW("wipe", "with a request under way", sesame_device_wipe(brief.device, &e), OK);
  ROW("respond", "a closed device", sesame_device_respond(brief.device, request->id, 200, none, &heard, &answered, &e), CLOSED);
  ROW("next_request", "a closed device", sesame_device_next_request(brief.device, &heard, &again, &e), CLOSED);
  ROW("due_in", "a closed device", sesame_device_due_in(brief.device, &due, &e), CLOSED);
  ROW("release", "a closed device", sesame_device_release(brief.device, request->id, &e), CLOSED);
  ROW("request_mail", "a closed device", sesame_device_request_mail(brief.device, 1, &e), CLOSED);
  ROW("wipe", "twice", sesame_device_wipe(brief.device, &e), OK);
  host_free(&brief);
  ROW("respond", "a freed device", sesame_device_respond(brief.device, request->id, 200, none, &heard, &answered, &e), BAD_HANDLE);
  ROW("next_request", "a freed device", sesame_device_next_request(brief.device, &heard, &again, &e), BAD_HANDLE);
  SEES("a request outlives its device", request->id.len, 16);
  CHECK(sesame_result_free(asked));
  ROW("result_free", "twice", sesame_result_free(asked), BAD_HANDLE);
}

int main(int count, char **arguments) {
  char said[4096];
  is_table = count > 1 && strcmp(arguments[1], "table") == 0;
  CHECK(sesame_clock_new(1790000000000, &host_clock, &host_error));
  CHECK(sesame_relay_new(host_server(), host_clock, &relay, &host_error));
  alice = host_create(relay, "alice");
  bob = host_create(relay, "bob");
  host_send(&alice, "bob", "hi");
  host_read(&bob, said, sizeof said);
  answering();
  sending();
  host_read(&bob, said, sizeof said);
  receiving();
  people();
  groups();
  servers();
  own_devices();
  linking();
  ends();
  host_free(&alice);
  host_free(&bob);
  CHECK(sesame_relay_free(relay));
  CHECK(sesame_clock_free(host_clock));
  printf("%d passed, %d failed\n", rows - failures, failures);
  return failures == 0 ? 0 : 1;
}
