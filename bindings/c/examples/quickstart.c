/* Alice writes to Bob over a server in memory. */
#include <sesame.h>
#include <stdio.h>
#include <stdlib.h>

static sesame_error e;
static void check(sesame_status status) {
  if (status == SESAME_STATUS_OK) return;
  fprintf(stderr, "%s [%d] %s %s\n", e.reason, (int)status, e.field, e.detail);
  exit(1);
}

/* A device in memory, or over sesame_store_sqlite. */
static sesame_device create(const char *user) {
  const sesame_slice key = sesame_text("32 bytes that your keychain has."), server = sesame_text("chat.example"), token = {0};
  sesame_store store; sesame_device device;
  check(sesame_store_memory(&store, &e));
  check(sesame_device_create(store, key, sesame_text(user), server, token, (sesame_clock){0}, &device, &e));
  return device;
}

/* The whole transport of an app, which POSTs to a server where this asks the relay. It always ends, whatever the server answers. */
static void exchange(sesame_device device, sesame_relay relay) {
  sesame_result r, r2, r3; const sesame_server_request *it; const sesame_answered *answered; uint32_t status; sesame_slice body;
  for (;; sesame_result_free(r), sesame_result_free(r2), sesame_result_free(r3)) {
    check(sesame_device_next_request(device, &r, &it, &e));
    if (it == NULL) return;
    check(sesame_relay_perform(relay, it->path, it->headers, it->header_count, it->body, &r2, &status, &body, &e));
    check(sesame_device_respond(device, it->id, status, body, &r3, &answered, &e));
  }
}

int main(void) {
  sesame_relay relay; sesame_result r; const sesame_send *send; const sesame_inbox *inbox; const sesame_message *it;
  check(sesame_relay_new(sesame_text("chat.example"), (sesame_clock){0}, &relay, &e));
  sesame_device alice = create("alice"), bob = create("bob");
  exchange(bob, relay); /* Bob's keys go up */

  const sesame_slice to = sesame_text("bob"), no_id = {0};
  check(sesame_device_batch_encrypt(alice, &to, 1, sesame_text("hello, Bob"), no_id, &r, &send, &e));
  exchange(alice, relay);

  check(sesame_device_request_mail(bob, 100, &e));
  exchange(bob, relay);
  check(sesame_device_inbox(bob, 0, 100, &r, &inbox, &e));
  for (size_t i = 0; i < inbox->count; i++)
    if ((it = inbox->items[i]->message) != NULL)
      printf("%.*s says %.*s\n", (int)it->user.len, it->user.data, (int)it->payload.len, it->payload.data);
  check(sesame_device_ack(bob, inbox->ids, inbox->count, &e));
  return 0; /* each handle has its _free; the process ends here */
}
