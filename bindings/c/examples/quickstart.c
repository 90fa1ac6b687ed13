/* Alice writes to Bob over a server in memory. */
#include <sesame.h>
#include <stdio.h>
#include <stdlib.h>

static sesame_error e;
static void check(sesame_status status) {
  if (status == SESAME_STATUS_OK) return;
  fprintf(stderr, "%s [%d] %s\n", e.reason, (int)status, e.field);
  exit(1);
}

/* A device in memory (or sesame_store_sqlite); it uploads its signed list and its prekeys. */
static sesame_device join(sesame_relay relay, sesame_slice user) {
  sesame_slice key = {(const uint8_t *)"32 bytes that your keychain holds", 32};
  sesame_device device; sesame_store store; sesame_result r; const sesame_publication *upload; uint32_t left;
  check(sesame_store_memory(&store, &e));
  check(sesame_device_create(store, key, user, &device, &e));
  for (;; check(sesame_result_free(r))) {
    check(sesame_device_publication(device, NULL, &r, &upload, &e));
    if (upload == NULL) return device;
    check(sesame_relay_publish(relay, user, 1, upload->bytes, &left, &e));
    check(sesame_device_published(device, upload->id, &e));
  }
}

int main(void) {
  sesame_relay relay; sesame_registry registry; sesame_result r, r2;
  check(sesame_relay_new(&relay, &e));
  sesame_slice a = sesame_text("alice"), b = sesame_text("bob"), none = {0}; sesame_device alice = join(relay, a), bob = join(relay, b);
  check(sesame_device_registry(alice, &registry, &e));

  /* One call encrypts for every device. What it needs comes from the server, until nothing is pending. */
  const sesame_send *send; const sesame_answers *answers; const sesame_applied *applied; const sesame_submission *said;
  check(sesame_device_batch_encrypt(alice, &b, 1, sesame_text("hello, Bob"), none, &r, &send, &e));
  while (send != NULL) {
    for (size_t i = 0; i < send->batch_count; i++) {
      check(sesame_relay_submit(relay, a, 1, send->batches[i], &r2, &said, &e));
      if (said->kind != SESAME_SUBMISSION_KIND_ACCEPTED) exit(1); /* stale: call sesame_device_rejected */
      check(sesame_device_accepted(alice, send->id, send->batches[i]->user, &e));
      check(sesame_result_free(r2));
    }
    check(sesame_relay_answer(relay, send->needs, send->need_count, &r2, &answers, &e));
    sesame_result r3, before = r;
    check(sesame_registry_apply(registry, answers, &r3, &applied, &e));
    check(sesame_device_pending(alice, send->id, &r, &send, &e));
    sesame_result_free(before), sesame_result_free(r2), sesame_result_free(r3);
  }

  /* One call opens a mailbox. What it says waits in Bob's inbox until he acks it. */
  const sesame_mails *mails; const sesame_received_list *read; const sesame_message *it;
  check(sesame_relay_fetch(relay, b, 1, 100, &r, &mails, &e));
  check(sesame_device_batch_decrypt(bob, mails->envelopes, mails->count, &r2, &read, &e));
  check(sesame_relay_confirm(relay, b, 1, mails->ids, mails->count, &e));
  for (size_t i = 0; i < read->count; i++)
    if ((it = read->items[i]->message) != NULL)
      printf("%.*s says %.*s\n", (int)it->user.len, it->user.data, (int)it->payload.len, it->payload.data);
  check(sesame_device_ack(bob, read->ids, read->id_count, &e));
  return 0; /* each handle has its _free; the process ends here */
}
