/* A fuzzer of call sequences: any call in any order, on handles that live, were freed or were never given, with good and bad arguments.
 *
 * Built alone it draws its own input: usage: sequences COUNT [SEED]. Built with -fsanitize=fuzzer -DFUZZER libFuzzer draws it.
 * What must hold: no report of a sanitizer, no status but known ones, and none of the library's own faults. */
#include "host.h"
#include "memory_store.h"

enum { SLOTS = 8, WORLD = 250 };

static struct {
  const uint8_t *at, *end;
} input;

static uint32_t draw(uint32_t below) {
  const uint8_t byte = input.at < input.end ? *input.at++ : 0;
  return below <= 1 ? 0 : byte % below;
}

static struct {
  sesame_relay relay;
  sesame_device devices[SLOTS];
  sesame_registry registries[SLOTS];
  sesame_session sessions[SLOTS];
  sesame_group groups[SLOTS];
  sesame_linking linkings[SLOTS];
  sesame_store stores[SLOTS];
  sesame_result results[SLOTS];
  const sesame_send *sends[SLOTS];
  sesame_slice envelope;
  uint8_t bytes[4096], group_id[32];
  unsigned age;
} w;

static const char *const USERS[] = {"alice", "bob", "jen", ""};

static unsigned long calls, succeeded;

static sesame_error *told; /* where the next call writes its error, or NULL */

static void known(sesame_status status) {
  if (told != NULL && told->status != status) {
    fprintf(stderr, "a call gave %d and told %d\n", (int)status, (int)told->status);
    abort();
  }
  told = NULL;
  calls++;
  succeeded += status == SESAME_STATUS_OK;
  if (strcmp(sesame_status_text((int32_t)status), "unknown status") == 0 || status >= SESAME_STATUS_INTERNAL) {
    fprintf(stderr, "a call gave %d\n", (int)status);
    abort();
  }
}

static sesame_slice user(void) { return sesame_text(USERS[draw(4)]); }

/* Bytes of some kind: few, many, none, an envelope that was changed, or a pointer that leads nowhere and says so. */
static sesame_slice some(void) {
  const uint32_t what = draw(10);
  sesame_slice slice = {w.bytes, draw(64)};
  switch (what) {
  case 0: slice.data = NULL; break;
  case 1: slice.len = SIZE_MAX - draw(32); break;
  case 2: slice.len = 1024 + 8 * (size_t)draw(255); break;
  case 3: slice.len = 16; break;
  case 4: slice.len = 32; break;
  case 5:
    if (w.envelope.len > 0 && w.envelope.len <= sizeof w.bytes) {
      memcpy(w.bytes, w.envelope.data, w.envelope.len);
      slice.len = w.envelope.len;
      w.bytes[draw(255) * 4 % slice.len] ^= (uint8_t)draw(255);
    }
    break;
  default: break;
  }
  return slice;
}

static sesame_slice id_of(uint32_t slot) {
  const sesame_slice none = {NULL, 0};
  return w.sends[slot] != NULL ? w.sends[slot]->id : none;
}

/* Frees what a slot holds, so that it may hold something else; sometimes it keeps the freed name, to be tried again. */
static void forget(uint32_t slot) {
  w.sends[slot] = NULL;
  w.envelope = (sesame_slice){NULL, 0};
  if (draw(8) != 0) {
    known(sesame_result_free(w.results[slot]));
    w.results[slot].token = 0;
  } else {
    known(sesame_result_free(w.results[slot]));
  }
}

static void step(void) {
  const uint32_t op = draw(72), slot = draw(SLOTS), other = draw(SLOTS);
  sesame_error error, *e = draw(4) == 0 ? NULL : &error;
  error.status = (sesame_status)-1;
  told = (op >= 59 && op <= 62) || op >= 70 ? NULL : e; /* those take no error */
  const sesame_device device = w.devices[slot];
  const sesame_registry registry = w.registries[slot];
  const sesame_group group = w.groups[slot];
  sesame_result out = {0}, *r = draw(32) == 0 ? NULL : &out;
  const sesame_send *send = NULL;
  const void *view = NULL;
  sesame_slice text, to[3] = {user(), user(), user()};
  uint32_t number = draw(4);
  switch (op) {
  case 0: known(sesame_device_publication(device, draw(2) ? &number : NULL, r, (const sesame_publication **)&view, e)); break;
  case 1: known(sesame_device_published(device, some(), e)); break;
  case 2: known(sesame_device_registry(device, &w.registries[other], e)); break;
  case 3: known(sesame_device_session(device, user(), number, &w.sessions[other], e)); break;
  case 4: case 5: case 6: known(sesame_device_batch_encrypt(device, to, draw(4), some(), draw(2) ? some() : (sesame_slice){NULL, 0}, r, &send, e)); break;
  case 7: known(sesame_device_group(device, some(), &w.groups[other], e)); break;
  case 8: known(sesame_device_groups(device, r, (const sesame_groups **)&view, e)); break;
  case 9: known(sesame_device_accepted(device, draw(2) ? id_of(other) : some(), user(), e)); break;
  case 10: known(sesame_device_rejected(device, draw(2) ? id_of(other) : some(), user(), some(), r, &send, e)); break;
  case 11: known(sesame_device_no_such_user(device, id_of(other), user(), r, &send, e)); break;
  case 12: known(sesame_device_abandon(device, id_of(other), user(), e)); break;
  case 13: known(sesame_device_pending(device, id_of(other), r, &send, e)); break;
  case 14: known(sesame_device_outbox(device, r, (const sesame_sends **)&view, e)); break;
  case 15: case 16: case 17: {
    const sesame_slice envelopes[2] = {some(), w.envelope};
    known(sesame_device_batch_decrypt(device, envelopes, draw(3), r, (const sesame_received_list **)&view, e));
    break;
  }
  case 18: known(sesame_device_inbox(device, r, (const sesame_received_list **)&view, e)); break;
  case 19: {
    const uint64_t ids[2] = {number, number + 1};
    known(sesame_device_ack(device, draw(8) ? ids : NULL, 2, e));
    break;
  }
  case 20: known(sesame_device_tick(device, draw(2), r, (const sesame_events **)&view, e)); break;
  case 21: known(sesame_device_confirm_link(device, some(), r, &text, e)); break;
  case 22: known(sesame_device_remove_device(device, number, r, (const sesame_events **)&view, e)); break;
  case 23: known(sesame_device_reload(device, e)); break;
  case 24: if (draw(16) == 0) known(sesame_device_wipe(device, e)); break;
  case 25: known(sesame_device_id(device, draw(8) ? &number : NULL, e)); break;
  case 26: known(sesame_registry_users(registry, r, (const sesame_users **)&view, e)); break;
  case 27: known(sesame_registry_devices(registry, user(), r, (const sesame_devices **)&view, e)); break;
  case 28: {
    const sesame_slice given[2] = {some(), some()};
    struct { sesame_answers it; uint8_t newer[256]; } answers = {{draw(8) ? sizeof answers.it : draw(255), given, draw(3), given, draw(3), NULL, 0, to, draw(3)}, {0}};
    known(sesame_registry_apply(registry, draw(16) ? &answers.it : NULL, r, (const sesame_applied **)&view, e));
    break;
  }
  case 29: known(sesame_registry_accept_identity(registry, user(), some(), r, (const sesame_received_list **)&view, e)); break;
  case 30: known(sesame_registry_mark_verified(registry, user(), e)); break;
  case 31: known(sesame_registry_resolve_fork(registry, user(), e)); break;
  case 32: known(sesame_registry_safety_number(registry, user(), r, &text, e)); break;
  case 33: known(sesame_session_info(w.sessions[slot], r, (const sesame_session_view **)&view, e)); break;
  case 34: known(sesame_session_encrypt(w.sessions[slot], some(), r, &send, e)); break;
  case 35: {
    const sesame_slice name = some();
    const sesame_group_change change = {sizeof change, draw(2) ? &name : NULL, NULL, NULL, draw(2) ? &number : NULL, NULL};
    known(sesame_device_create_group(device, 1 + draw(3), &change, to, draw(3), &w.groups[other], r, &send, e));
    break;
  }
  case 36: known(sesame_group_get_view(group, r, (const sesame_group_view **)&view, e)); break;
  case 37: known(sesame_group_add(group, to, draw(4), r, &send, e)); break;
  case 38: known(sesame_group_rename(group, some(), r, &send, e)); break;
  case 39: known(sesame_group_leave(group, r, &send, e)); break;
  case 40: known(draw(2) ? sesame_group_accept(group, r, &send, e) : sesame_group_decline(group, r, &send, e)); break;
  case 41: known(sesame_group_fork_without(group, to, draw(3), &w.groups[other], r, &send, e)); break;
  case 42: known(sesame_group_batch_encrypt(group, some(), (sesame_slice){NULL, 0}, r, &send, e)); break;
  case 43: known(sesame_group_history(group, r, (const sesame_history **)&view, e)); break;
  case 44: known(sesame_group_cost(group, draw(255), r, (const sesame_cost **)&view, e)); break;
  case 45: known(sesame_group_session(group, user(), number, r, (const sesame_session_view **)&view, e)); break;
  case 46: known(sesame_group_id(group, draw(8) ? &w.group_id : NULL, e)); break;
  case 47: known(sesame_relay_device_list(w.relay, user(), r, &text, e)); break;
  case 48: known(sesame_relay_bundle(w.relay, user(), number, r, &text, e)); break;
  case 49: case 50: {
    const sesame_mails *mails = NULL;
    known(sesame_relay_fetch(w.relay, user(), 1, draw(4), r, &mails, e));
    if (mails != NULL && mails->count > 0) { /* kept in the slot, so that the envelope lives */
      forget(slot);
      w.results[slot] = out;
      w.envelope = mails->envelopes[0];
      return;
    }
    break;
  }
  case 51: case 52: {
    const sesame_send *pending = w.sends[other];
    for (size_t i = 0; pending != NULL && i < pending->batch_count; i++) {
      const sesame_submission *said;
      known(sesame_relay_submit(w.relay, user(), 1, pending->batches[i], r, &said, e));
      known(sesame_result_free(out));
      out.token = 0;
    }
    break;
  }
  case 53: {
    const sesame_send *pending = w.sends[other];
    const sesame_answers *answers = NULL;
    if (pending == NULL || r == NULL) break;
    known(sesame_relay_answer(w.relay, pending->needs, pending->need_count, r, &answers, e));
    sesame_result applied = {0};
    if (answers != NULL) known(sesame_registry_apply(registry, answers, &applied, (const sesame_applied **)&view, e));
    known(sesame_result_free(applied));
    break;
  }
  case 54: known(sesame_linking_begin(w.stores[slot], host_key(), &w.linkings[other], e)); break;
  case 55: known(sesame_linking_code(w.linkings[slot], r, &text, e)); break;
  case 56: known(sesame_linking_complete(w.linkings[slot], some(), &w.devices[other], e)); break;
  case 57: known(sesame_store_memory(&w.stores[other], e)); break;
  case 58: known(sesame_device_open(w.stores[slot], host_key(), &w.devices[other], e)); break;
  case 59: known(sesame_registry_free(registry)); break;
  case 60: known(sesame_session_free(w.sessions[slot])); break;
  case 61: known(sesame_group_free(group)); break;
  case 62: known(draw(2) ? sesame_linking_free(w.linkings[slot]) : sesame_store_free(w.stores[slot])); break;
  case 63: known(sesame_device_create(w.stores[slot], host_key(), user(), &w.devices[other], e)); break;
  case 64: known(sesame_device_user(device, r, &text, e)); break;
  case 65: known(sesame_linking_resume(w.stores[slot], host_key(), &w.linkings[other], e)); break;
  case 66: known(sesame_relay_publish(w.relay, user(), number, some(), draw(8) ? &number : NULL, e)); break;
  case 67: {
    const uint64_t ids[2] = {number, number + 1};
    known(sesame_relay_confirm(w.relay, user(), 1, draw(8) ? ids : NULL, draw(3), e));
    break;
  }
  case 68: {
    const sesame_slice data = some();
    struct { sesame_group_change it; uint8_t newer[256]; } change = {{draw(8) ? sizeof change.it : draw(255), NULL, NULL, NULL, draw(2) ? &number : NULL, draw(2) ? &data : NULL}, {0}};
    known(sesame_group_update_info(group, draw(16) ? &change.it : NULL, r, &send, e));
    break;
  }
  case 69: known(sesame_relay_get_view(w.relay, r, (const sesame_relay_view **)&view, e)); break;
  case 70: known(sesame_rows_add((sesame_rows){registry.token}, some(), some())); break;
  default: if (draw(4) == 0) known(sesame_device_free(device)); break;
  }
  told = NULL;
  if (send != NULL) {
    forget(other);
    w.results[other] = out;
    w.sends[other] = send;
  } else {
    known(sesame_result_free(out));
  }
}

/* A world of three users who know each other. Handles of an older one stay in the slots: they must be known for freed. */
static void begin(void) {
  static host them[3];
  if (w.age++ % WORLD != 0) return;
  for (uint32_t i = 0; i < SLOTS; i++) {
    forget(i);
    sesame_device_free(w.devices[i]);
    sesame_registry_free(w.registries[i]);
    sesame_session_free(w.sessions[i]);
    sesame_group_free(w.groups[i]);
    sesame_linking_free(w.linkings[i]);
    sesame_store_free(w.stores[i]);
  }
  if (w.relay.token != 0) CHECK(sesame_relay_free(w.relay));
  CHECK(sesame_relay_new(&w.relay, &host_error));
  for (int i = 0; i < 3; i++) {
    them[i] = host_create(w.relay, USERS[i]);
    w.devices[i] = them[i].device;
    w.registries[i] = them[i].registry;
    w.stores[i] = them[i].store;
  }
  host_send(&them[0], "bob", "hi");
  host_send(&them[1], "jen", "hi");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin();
  input.at = data;
  input.end = data + size;
  while (input.at < input.end) step();
  return 0;
}

#ifndef FUZZER
int main(int argc, char **argv) {
  const long count = argc > 1 ? atol(argv[1]) : 1000;
  uint64_t state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9e3779b97f4a7c15ULL;
  for (long i = 0; i < count; i++) {
    uint8_t bytes[96];
    for (size_t at = 0; at < sizeof bytes; at++) { /* xorshift64* */
      state ^= state >> 12;
      state ^= state << 25;
      state ^= state >> 27;
      bytes[at] = (uint8_t)((state * 0x2545f4914f6cdd1dULL) >> 56);
    }
    LLVMFuzzerTestOneInput(bytes, sizeof bytes);
  }
  printf("%ld sequences of %lu calls, of which %lu succeeded\n", count, calls, succeeded);
  return 0;
}
#endif
