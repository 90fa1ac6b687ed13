/* A fuzzer of call sequences: any call in any order, on handles that live, were freed or were never given, with good and bad arguments; and the
 * loop of requests, whose server answers well, badly, late, twice or not at all.
 *
 * Built alone it draws its own input: usage: sequences COUNT [SEED]. Built with -fsanitize=fuzzer -DFUZZER libFuzzer draws it.
 * What must hold: no report of a sanitizer, no status but known ones, none of the library's own faults, and no loop without an end. */
#include "host.h"
#include "memory_store.h"

enum { SLOTS = 8, WORLD = 250, MOST = 400 };

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
  const sesame_server_request *requests[SLOTS];
  const sesame_pending_link *links[SLOTS];
  sesame_slice envelope, code;
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
  return w.sends[slot] != NULL ? w.sends[slot]->id : host_none;
}

static sesame_slice request_id_of(uint32_t slot) {
  return w.requests[slot] != NULL ? w.requests[slot]->id : host_none;
}

/* Frees what a slot holds, so that it may hold something else; sometimes it keeps the freed name, to be tried again. */
static void forget(uint32_t slot) {
  w.sends[slot] = NULL;
  w.requests[slot] = NULL;
  w.links[slot] = NULL;
  w.envelope = w.code = host_none; /* they may lie in this result */
  if (draw(8) != 0) {
    known(sesame_result_free(w.results[slot]));
    w.results[slot].token = 0;
  } else {
    known(sesame_result_free(w.results[slot]));
  }
}

/* Keeps what a call gave in a slot, so that later calls may name it. */
static void keep(uint32_t slot, sesame_result result) {
  forget(slot);
  w.results[slot] = result;
}

/* What a server says to a request: mostly what a good one does. */
static uint32_t answer(const sesame_server_request *request, sesame_result *result, sesame_slice *body) {
  static const uint32_t statuses[] = {0, 200, 302, 400, 401, 403, 409, 413, 429, 503, 70000};
  uint32_t status = 0;
  const uint32_t what = draw(12);
  *body = host_none;
  result->token = 0;
  if (what > 3) known(sesame_relay_perform(w.relay, request->path, request->headers, request->header_count, request->body, result, &status, body, NULL));
  if (what == 0) status = statuses[draw(sizeof statuses / sizeof *statuses)];
  if (what == 1) status = 200, *body = some();
  if (what == 4 && body->len > 0) body->len = draw(255) % body->len; /* cut */
  if (what == 5 && body->len > 0 && body->len <= sizeof w.bytes) { /* changed */
    memcpy(w.bytes, body->data, body->len);
    w.bytes[draw(255) * 4 % body->len] ^= (uint8_t)draw(255);
    body->data = w.bytes;
  }
  return status;
}

/* The first program's loop over such a server, by a host that may forget to answer. It must end. */
static void loop(sesame_device device) {
  for (int count = 0;; count++) {
    sesame_result asked, performed, heard;
    const sesame_server_request *request;
    const sesame_answered *answered;
    sesame_slice body;
    known(sesame_device_next_request(device, &asked, &request, NULL));
    if (request == NULL) return;
    if (count > MOST) {
      fprintf(stderr, "the loop does not end\n");
      abort();
    }
    if (draw(16) != 0) {
      const uint32_t status = answer(request, &performed, &body);
      known(sesame_device_respond(device, request->id, status, body, &heard, &answered, NULL));
      known(sesame_result_free(heard));
      if (draw(16) == 0) {
        known(sesame_device_respond(device, request->id, status, body, &heard, &answered, NULL));
        known(sesame_result_free(heard));
      }
      known(sesame_result_free(performed));
    }
    known(sesame_result_free(asked));
  }
}

enum { OPERATIONS = 84, FREES = 78 };

static void step(void) {
  const uint32_t op = draw(OPERATIONS), slot = draw(SLOTS), other = draw(SLOTS);
  sesame_error error, *e = draw(4) == 0 ? NULL : &error;
  error.status = (sesame_status)-1;
  told = op >= FREES || op < 8 ? NULL : e; /* those take no error */
  const sesame_device device = w.devices[slot];
  const sesame_registry registry = w.registries[slot];
  const sesame_group group = w.groups[slot];
  const sesame_linking linking = w.linkings[slot];
  sesame_result out = {0}, *r = draw(32) == 0 ? NULL : &out;
  const sesame_send *send = NULL;
  const sesame_server_request *request = NULL;
  const sesame_answered *answered = NULL;
  const void *view = NULL;
  sesame_slice text = host_none, to[3] = {user(), user(), user()};
  uint32_t number = draw(4);
  uint64_t large;
  bool flag;
  switch (op) {
  case 0: case 1: case 2: case 3: case 4: case 5: loop(device); return;
  case 6: known(sesame_clock_advance(host_clock, 1000 * (uint64_t)draw(255), NULL)); return;
  case 7: known(sesame_clock_advance(host_clock, 3600000 * (uint64_t)draw(255), NULL)); return;
  case 8: known(draw(2) ? sesame_device_set_push(device, some(), e) : sesame_device_set_memory_limit(device, 4096 * number, e)); break;
  case 9: known(sesame_device_registry(device, &w.registries[other], e)); break;
  case 10: known(sesame_device_session(device, user(), number, &w.sessions[other], e)); break;
  case 11: case 12: case 13: known(sesame_device_batch_encrypt(device, to, draw(4), some(), draw(2) ? some() : host_none, r, &send, e)); break;
  case 14: known(sesame_device_group(device, some(), &w.groups[other], e)); break;
  case 15: known(sesame_device_groups(device, r, (const sesame_groups **)&view, e)); break;
  case 16: known(sesame_device_next_request(device, r, &request, e)); break;
  case 17: {
    sesame_slice body = host_none;
    sesame_result performed = {0};
    sesame_error *mine = told;
    told = NULL;
    const uint32_t status = w.requests[other] != NULL ? answer(w.requests[other], &performed, &body) : draw(255);
    told = mine;
    known(sesame_device_respond(device, draw(8) ? request_id_of(other) : some(), status, body, r, &answered, e));
    known(sesame_result_free(performed));
    break;
  }
  case 18: known(sesame_device_release(device, draw(2) ? request_id_of(other) : some(), e)); break;
  case 19: known(sesame_device_retry_now(device, e)); break;
  case 20: known(sesame_device_request_mail(device, draw(2) ? number : UINT32_MAX, e)); break;
  case 21: known(sesame_device_due_in(device, draw(8) ? &large : NULL, e)); break;
  case 22: known(sesame_device_health(device, r, (const sesame_health **)&view, e)); break;
  case 23: known(sesame_device_send_status(device, draw(2) ? id_of(other) : some(), r, (const sesame_send_status **)&view, e)); break;
  case 24: known(sesame_device_sends(device, r, (const sesame_sends **)&view, e)); break;
  case 25: known(sesame_device_batches(device, draw(2) ? id_of(other) : some(), r, (const sesame_batches **)&view, e)); break;
  case 26: known(sesame_device_cancel(device, draw(2) ? id_of(other) : some(), draw(2) ? to : NULL, draw(3), e)); break;
  case 27: known(sesame_device_retry(device, draw(2) ? id_of(other) : some(), e)); break;
  case 28: case 29: {
    const sesame_slice envelopes[2] = {some(), w.envelope};
    known(sesame_device_batch_decrypt(device, envelopes, draw(3), draw(2), r, (const sesame_mail_results **)&view, e));
    break;
  }
  case 30: known(sesame_device_inbox(device, draw(2) ? 0 : number, draw(2) ? 256 : number, r, (const sesame_inbox **)&view, e)); break;
  case 31: case 32: {
    const uint64_t ids[2] = {number, number + 1};
    known(sesame_device_ack(device, draw(8) ? ids : NULL, 2, e));
    break;
  }
  case 33: known(sesame_device_link_device(device, draw(4) ? w.code : some(), r, (const sesame_pending_link **)&view, e)); break;
  case 34: known(sesame_device_confirm_link(device, w.links[other] != NULL ? w.links[other]->id : some(), draw(8) ? &number : NULL, e)); break;
  case 35: known(sesame_device_cancel_link(device, w.links[other] != NULL ? w.links[other]->id : some(), e)); break;
  case 36:
    if (draw(2)) known(sesame_device_remove_device(device, number, e));
    else if (draw(2)) known(sesame_device_hand_over(device, number, r, (const sesame_handover **)&view, e));
    else if (draw(2)) known(sesame_device_confirm_handover(device, some(), e));
    else known(sesame_device_cancel_handover(device, some(), e));
    break;
  case 37: known(sesame_device_is_primary(device, draw(8) ? &flag : NULL, e)); break;
  case 38:
    if (draw(16) == 0) known(sesame_device_wipe(device, e));
    else if (draw(16) == 0) known(sesame_device_delete_account(device, e));
    else told = NULL;
    break;
  case 39: known(sesame_device_id(device, draw(8) ? &number : NULL, e)); break;
  case 40: known(sesame_registry_users(registry, r, (const sesame_users **)&view, e)); break;
  case 41: known(sesame_registry_devices(registry, user(), r, (const sesame_devices **)&view, e)); break;
  case 42: known(sesame_registry_look_up(registry, to, draw(4), e)); break;
  case 43: known(sesame_registry_accept_identity(registry, user(), some(), e)); break;
  case 44: known(sesame_registry_mark_verified(registry, user(), e)); break;
  case 45: known(sesame_registry_resolve_fork(registry, user(), some(), e)); break;
  case 46: known(sesame_registry_safety_number(registry, user(), r, &text, e)); break;
  case 47: known(sesame_registry_safety_code(registry, user(), r, &text, e)); break;
  case 48: known(sesame_registry_compare_safety_code(registry, user(), some(), draw(8) ? &flag : NULL, e)); break;
  case 49:
    if (draw(8) == 0) known(sesame_registry_forget(registry, user(), e));
    else told = NULL;
    break;
  case 50: known(sesame_session_info(w.sessions[slot], r, (const sesame_session_view **)&view, e)); break;
  case 51: known(sesame_session_encrypt(w.sessions[slot], some(), r, &send, e)); break;
  case 52: {
    const sesame_slice name = some();
    const sesame_group_change change = {sizeof change, draw(2) ? &name : NULL, NULL, NULL, draw(2) ? &number : NULL, NULL};
    known(sesame_device_create_group(device, 1 + draw(3), &change, to, draw(3), &w.groups[other], r, &send, e));
    break;
  }
  case 53: known(sesame_group_get_view(group, r, (const sesame_group_view **)&view, e)); break;
  case 54: known(sesame_group_add(group, to, draw(4), r, &send, e)); break;
  case 55: known(sesame_group_rename(group, some(), r, &send, e)); break;
  case 56: known(sesame_group_leave(group, r, &send, e)); break;
  case 57: known(draw(2) ? sesame_group_accept(group, r, &send, e) : sesame_group_decline(group, r, &send, e)); break;
  case 58: known(sesame_group_fork_without(group, to, draw(3), &w.groups[other], r, &send, e)); break;
  case 59: known(sesame_group_batch_encrypt(group, some(), host_none, r, &send, e)); break;
  case 60: known(sesame_group_history(group, r, (const sesame_history **)&view, e)); break;
  case 61: known(sesame_group_cost(group, draw(255), r, (const sesame_cost **)&view, e)); break;
  case 62: known(sesame_group_session(group, user(), number, r, (const sesame_session_view **)&view, e)); break;
  case 63: known(sesame_group_id(group, draw(8) ? &w.group_id : NULL, e)); break;
  case 64: known(sesame_group_forget(group, e)); break;
  case 65: {
    const sesame_slice data = some();
    struct { sesame_group_change it; uint8_t newer[256]; } change = {{draw(8) ? sizeof change.it : draw(255), NULL, NULL, NULL, draw(2) ? &number : NULL, draw(2) ? &data : NULL}, {0}};
    known(sesame_group_update_info(group, draw(16) ? &change.it : NULL, r, &send, e));
    break;
  }
  case 66: known(sesame_linking_begin(w.stores[slot], host_key(), draw(8) ? host_server() : some(), host_clock, &w.linkings[other], e)); break;
  case 67: known(sesame_linking_code(linking, r, &text, e)); break;
  case 68: known(sesame_linking_digits(linking, r, &text, e)); break;
  case 69: known(draw(2) ? sesame_linking_confirm(linking, e) : sesame_linking_retry_now(linking, e)); break;
  case 70: known(sesame_linking_expired(linking, draw(8) ? &flag : NULL, e)); break;
  case 71: {
    known(sesame_linking_next_request(linking, r, &request, e));
    if (request == NULL) break;
    sesame_result performed, heard;
    sesame_slice body;
    const uint32_t status = answer(request, &performed, &body);
    known(draw(8) ? sesame_linking_respond(linking, request->id, status, body, &heard, &answered, NULL) : sesame_linking_release(linking, request->id, NULL));
    if (answered != NULL) known(sesame_result_free(heard));
    known(sesame_result_free(performed));
    request = NULL;
    break;
  }
  case 72: known(draw(2) ? sesame_linking_due_in(linking, &large, e) : sesame_linking_device(linking, &w.devices[other], e)); break;
  case 73: known(draw(2) ? sesame_linking_resume(w.stores[slot], host_key(), host_clock, &w.linkings[other], e) : sesame_store_memory(&w.stores[other], e)); break;
  case 74: known(sesame_device_open(w.stores[slot], host_key(), host_clock, &w.devices[other], e)); break;
  case 75: known(sesame_device_create(w.stores[slot], host_key(), user(), draw(8) ? host_server() : some(), draw(4) ? host_none : some(), host_clock, &w.devices[other], e)); break;
  case 76: known(draw(2) ? sesame_device_user(device, r, &text, e) : sesame_relay_device_list(w.relay, user(), r, &text, e)); break;
  case 77: known(draw(16) ? sesame_relay_get_view(w.relay, r, (const sesame_relay_view **)&view, e) : sesame_relay_restored(w.relay, e)); break;
  case 78: known(sesame_registry_free(registry)); break;
  case 79: known(sesame_session_free(w.sessions[slot])); break;
  case 80: known(sesame_group_free(group)); break;
  case 81: known(draw(2) ? sesame_linking_free(linking) : sesame_store_free(w.stores[slot])); break;
  case 82: known(sesame_rows_add((sesame_rows){registry.token}, some(), some())); break;
  default: if (draw(4) == 0) known(sesame_device_free(device)); break;
  }
  told = NULL;
  /* What a later call may name stays. */
  if (send != NULL) keep(other, out), w.sends[other] = send;
  else if (request != NULL) keep(other, out), w.requests[other] = request;
  else if (op == 33 && view != NULL) keep(other, out), w.links[other] = view;
  else if (op == 67 && text.data != NULL) keep(other, out), w.code = text;
  else if (op == 25 && view != NULL && ((const sesame_batches *)view)->count > 0 && ((const sesame_batches *)view)->items[0]->envelope_count > 0)
    keep(other, out), w.envelope = ((const sesame_batches *)view)->items[0]->envelopes[0]->envelope;
  else known(sesame_result_free(out));
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
  if (host_clock.token == 0) CHECK(sesame_clock_new(1790000000000, &host_clock, &host_error));
  w.relay = host_relay();
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
