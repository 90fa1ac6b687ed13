/* Plays the story of tests/story/story.json; tests/story/README.md says what each step does and prints.
 *
 * usage: story SCRIPT FOLDER. It is linked with a library that was built with the feature `test-util`, and with cJSON. */
#include "scene.h"

/* The steps. */

/* No list has it. */
static const uint8_t no_hash_bytes[32] = {0};
static const sesame_slice no_hash = {no_hash_bytes, sizeof no_hash_bytes};

static sesame_status do_create(const cJSON *step) {
  sesame_relay relay;
  TRY(relay_named(step, &relay));
  host *it = new_host(step, relay);
  TRY(open_store(step, it));
  it->user = slice_of(step, "user");
  TRY(sesame_device_create(it->store, store_key(0x5a), it->user, sesame_text(SERVER), none, no_clock, &it->device, &error));
  TRY(join(it));
  return exchange(it);
}

static sesame_status linked(host *it, host *primary, sesame_linking linking) {
  sesame_slice code, digits;
  const sesame_pending_link *link;
  uint32_t id;
  TRY(sesame_linking_code(linking, result(), &code, &error));
  printf("  code ");
  print_h(code);
  putchar('\n');
  TRY(sesame_device_link_device(primary->device, code, result(), &link, &error));
  TRY(exchange(primary));
  TRY(exchange_by(it, &linking));
  TRY(sesame_linking_digits(linking, result(), &digits, &error));
  printf("  digits ");
  print_text(digits);
  if (digits.len != link->digits.len || memcmp(digits.data, link->digits.data, digits.len) != 0) {
    printf(" other ");
    print_text(link->digits);
  }
  putchar('\n');
  TRY(sesame_linking_confirm(linking, &error));
  TRY(sesame_device_confirm_link(primary->device, link->id, &id, &error));
  printf("  device %" PRIu32 "\n", id);
  TRY(exchange(primary));
  TRY(exchange_by(it, &linking));
  return sesame_linking_device(linking, &it->device, &error);
}

static sesame_status do_link(const cJSON *step) {
  host *primary = host_named(text_of(step, "primary")), *it = new_host(step, primary->relay);
  sesame_linking linking;
  TRY(open_store(step, it));
  it->user = primary->user;
  TRY(sesame_linking_begin(it->store, store_key(0x5a), sesame_text(SERVER), no_clock, &linking, &error));
  const sesame_status status = linked(it, primary, linking);
  sesame_linking_free(linking);
  TRY(status);
  scene.host_count++;
  TRY(sesame_device_id(it->device, &it->id, &error));
  return exchange(it);
}

static void say_outcome(sesame_status status) {
  if (status == SESAME_STATUS_OK) printf("  ok\n");
  else printf("  ! %d\n", (int)status);
}

static sesame_status do_link_wrong(const cJSON *step) {
  host *it = host_named(text_of(step, "device"));
  sesame_store store, other;
  sesame_linking linking, second;
  sesame_slice code, late;
  const sesame_pending_link *link, *again;
  bool expired;
  TRY(sesame_store_memory(&store, &error));
  TRY(sesame_store_memory(&other, &error));
  say_outcome(sesame_device_link_device(it->device, sesame_text("no code"), result(), &link, &error));
  TRY(sesame_linking_begin(store, store_key(0x5a), sesame_text(SERVER), no_clock, &linking, &error));
  TRY(sesame_linking_code(linking, result(), &code, &error));
  const sesame_slice less = {code.data, code.len - 1};
  say_outcome(sesame_device_link_device(it->device, less, result(), &link, &error));
  say_outcome(sesame_linking_confirm(linking, &error));
  sesame_status status = sesame_device_link_device(it->device, code, result(), &link, &error);
  if (status == SESAME_STATUS_OK) status = sesame_device_cancel_link(it->device, link->id, &error);
  if (status == SESAME_STATUS_OK) status = sesame_device_link_device(it->device, code, result(), &again, &error);
  say_outcome(status);
  TRY(sesame_linking_begin(other, store_key(0x5a), sesame_text(SERVER), no_clock, &second, &error));
  TRY(sesame_linking_code(second, result(), &late, &error));
  sesame_test_advance(660000);
  say_outcome(sesame_device_link_device(it->device, late, result(), &again, &error));
  TRY(sesame_linking_expired(second, &expired, &error));
  printf("  expired %s\n", yes(expired));
  sesame_linking_free(linking);
  sesame_linking_free(second);
  sesame_store_free(store);
  sesame_store_free(other);
  return SESAME_STATUS_OK;
}

static sesame_status do_answer_twice(host *it) {
  const sesame_server_request *request;
  const sesame_answered *answered;
  uint32_t status;
  sesame_slice body;
  TRY(sesame_device_request_mail(it->device, 1, &error));
  TRY(sesame_device_next_request(it->device, result(), &request, &error));
  if (request == NULL) die("nothing to answer twice");
  print_request(request);
  TRY(perform(it, request, &status, &body));
  for (int i = 0; i < 2; i++) {
    TRY(sesame_device_respond(it->device, request->id, status, body, result(), &answered, &error));
    print_answered(status, answered);
  }
  return SESAME_STATUS_OK;
}

static sesame_status do_foreign(host *it, const cJSON *step) {
  const host *of = host_named(text_of(step, "of"));
  const sesame_server_request *request;
  const sesame_answered *answered;
  TRY(sesame_device_request_mail(of->device, 1, &error));
  TRY(sesame_device_next_request(of->device, result(), &request, &error));
  if (request == NULL) die("no request of the other device");
  say_outcome(sesame_device_respond(it->device, request->id, 200, none, result(), &answered, &error));
  return sesame_device_release(of->device, request->id, &error);
}

static sesame_status do_trouble(host *it, const cJSON *step) {
  const char *body = text_of(step, "body");
  it->trouble = (trouble){true, number_of(step, "status"), body != NULL ? body : ""};
  return SESAME_STATUS_OK;
}

static sesame_status do_replay(host *it, const cJSON *step) {
  free((void *)(uintptr_t)it->replay.body.data);
  it->replay = (replay){text_of(step, "kind"), 0, {NULL, 0}};
  return SESAME_STATUS_OK;
}

static sesame_status do_reopen(host *it) {
  uint32_t id;
  TRY(sesame_device_wipe(it->device, &error));
  sesame_device_free(it->device);
  it->device.token = 0;
  TRY(sesame_device_open(it->store, store_key(0x5a), no_clock, &it->device, &error));
  TRY(sesame_device_id(it->device, &id, &error));
  printf("  device %" PRIu32 "\n", id);
  return SESAME_STATUS_OK;
}

static sesame_status do_steal(host *it, const cJSON *step) {
  const sesame_mailbox *mailbox;
  TRY(sesame_relay_mailbox(it->relay, it->user, it->id, result(), &mailbox, &error));
  TRY(sesame_relay_lose(it->relay, it->user, it->id, &error));
  if (scene.mails_count == MAX_HOSTS || mailbox->envelope_count > MAX_MAILS) die("too many mails");
  named_mails *kept = &scene.mails[scene.mails_count++];
  kept->name = text_of(step, "as");
  kept->count = mailbox->envelope_count;
  for (size_t i = 0; i < kept->count; i++) kept->mails[i] = copy_of(mailbox->envelopes[i]);
  printf("  stolen %zu\n", kept->count);
  return SESAME_STATUS_OK;
}

static sesame_status do_deliver(host *it, const cJSON *step) {
  const named_mails *kept = mails_named(text_of(step, "mails"));
  const bool reversed = same(text_of(step, "order"), "reversed");
  sesame_slice envelopes[MAX_MAILS];
  for (size_t i = 0; i < kept->count; i++) envelopes[i] = kept->mails[reversed ? kept->count - 1 - i : i];
  return decrypt_and_take(it, envelopes, kept->count);
}

static sesame_status do_deliver_spoilt(host *it, const cJSON *step) {
  const sesame_slice whole = mails_named(text_of(step, "mails"))->mails[0];
  const int64_t at = number_of(step, "at"), cut = number_of(step, "cut");
  if (at >= (int64_t)whole.len || cut > (int64_t)whole.len) die("no such byte");
  uint8_t *bytes = memory_copy(whole);
  if (at >= 0) bytes[at] ^= 1;
  const sesame_slice envelope = {bytes, cut > 0 ? (size_t)cut : whole.len};
  const sesame_status status = decrypt_and_take(it, &envelope, 1);
  free(bytes);
  return status;
}

static sesame_status do_decrypt_many(host *it, const cJSON *step) {
  const size_t count = (size_t)number_of(step, "number");
  sesame_slice *empty = calloc(count + 1, sizeof *empty);
  const sesame_mail_results *list;
  const sesame_status status = sesame_device_batch_decrypt(it->device, empty, count, false, result(), &list, &error);
  free(empty);
  TRY(status);
  printf("  %zu results\n", list->count);
  return SESAME_STATUS_OK;
}

/* The same payload many times, or many users. */
static sesame_status do_encrypt_long(host *it, const cJSON *step) {
  const size_t length = (size_t)number_of(step, "number");
  uint8_t *bytes = malloc(length + 1);
  if (bytes == NULL) die("no memory");
  memset(bytes, 'x', length);
  const sesame_slice payload = {bytes, length};
  const sesame_status status = encrypt(it, step, payload);
  free(bytes);
  return status;
}

static sesame_status do_encrypt_crowd(host *it, const cJSON *step) {
  static char names[MAX_USERS][8];
  sesame_slice to[MAX_USERS];
  const size_t count = (size_t)number_of(step, "number");
  if (count > MAX_USERS) die("a larger crowd than this runner takes");
  for (size_t i = 0; i < count; i++) {
    snprintf(names[i], sizeof names[i], "u%zu", i);
    to[i] = sesame_text(names[i]);
  }
  return encrypt_to(it, step, to, count, slice_of(step, "text"));
}

static sesame_status do_status(host *it) {
  const sesame_sends *sends;
  TRY(sesame_device_sends(it->device, result(), &sends, &error));
  for (size_t i = 0; i < sends->count; i++) print_status(sends->items[i]);
  if (sends->count == 0) printf("  nothing\n");
  return SESAME_STATUS_OK;
}

static sesame_status do_cancel(host *it, const cJSON *step) {
  sesame_slice users[MAX_USERS];
  const size_t count = slices_of(step, "users", users);
  TRY(sesame_device_cancel(it->device, last_send(it), count > 0 ? users : NULL, count, &error));
  return standing(it);
}

static sesame_status do_health(host *it) {
  const sesame_health *health;
  TRY(sesame_device_health(it->device, result(), &health, &error));
  print_health(health);
  return SESAME_STATUS_OK;
}

static sesame_status new_group(host *it, const cJSON *step, sesame_group group, const sesame_send *send) {
  if (scene.group_count == MAX_HOSTS) die("too many groups");
  named_group *made = &scene.groups[scene.group_count++];
  made->name = text_of(step, "as");
  TRY(sesame_group_id(group, &made->id, &error));
  sesame_group_free(group);
  const sesame_slice id = {made->id, sizeof made->id};
  printf("  group ");
  print_s(id);
  putchar('\n');
  return begin(it, send);
}

static sesame_status do_group(host *it, const cJSON *step) {
  sesame_slice users[MAX_USERS];
  const sesame_slice name = slice_of(step, "name");
  const size_t count = slices_of(step, "users", users);
  sesame_group_change change;
  sesame_group group;
  const sesame_send *send;
  memset(&change, 0, sizeof change);
  change.struct_size = sizeof change;
  change.name = &name;
  TRY(sesame_device_create_group(it->device, SESAME_GROUP_KIND_PAIRWISE, &change, users, count, &group, result(), &send, &error));
  return new_group(it, step, group, send);
}

static sesame_status on_group(host *it, sesame_group group, const char *what, const cJSON *step) {
  sesame_slice users[MAX_USERS];
  const size_t count = slices_of(step, "users", users);
  const sesame_send *send;
  if (same(what, "view")) {
    const sesame_group_view *view;
    TRY(sesame_group_get_view(group, result(), &view, &error));
    print_group(view);
    return SESAME_STATUS_OK;
  }
  if (same(what, "history")) {
    const sesame_history *history;
    TRY(sesame_group_history(group, result(), &history, &error));
    print_history(history);
    return SESAME_STATUS_OK;
  }
  if (same(what, "cost")) {
    const sesame_cost *cost;
    TRY(sesame_group_cost(group, (size_t)number_of(step, "number"), result(), &cost, &error));
    printf("  %zu envelopes %" PRIu64 " bytes", cost->envelopes, cost->bytes);
    print_names("unknown", cost->unknown, cost->unknown_count);
    putchar('\n');
    return SESAME_STATUS_OK;
  }
  if (same(what, "group_session")) {
    const sesame_session_view *view;
    TRY(sesame_group_session(group, slice_of(step, "user"), device_of(step), result(), &view, &error));
    print_session(view);
    return SESAME_STATUS_OK;
  }
  if (same(what, "forget_group")) return sesame_group_forget(group, &error);
  if (same(what, "fork")) {
    sesame_group fork;
    TRY(sesame_group_fork_without(group, users, count, &fork, result(), &send, &error));
    return new_group(it, step, fork, send);
  }
  if (same(what, "add")) TRY(sesame_group_add(group, users, count, result(), &send, &error));
  else if (same(what, "rename")) TRY(sesame_group_rename(group, slice_of(step, "name"), result(), &send, &error));
  else if (same(what, "leave")) TRY(sesame_group_leave(group, result(), &send, &error));
  else if (same(what, "accept")) TRY(sesame_group_accept(group, result(), &send, &error));
  else if (same(what, "decline")) TRY(sesame_group_decline(group, result(), &send, &error));
  else TRY(sesame_group_batch_encrypt(group, slice_of(step, "text"), none, result(), &send, &error));
  return begin(it, send);
}

static sesame_status do_on_group(host *it, const char *what, const cJSON *step) {
  const sesame_slice id = {group_named(text_of(step, "group"))->id, 32};
  sesame_group group;
  TRY(sesame_device_group(it->device, id, &group, &error));
  const sesame_status status = on_group(it, group, what, step);
  sesame_group_free(group);
  return status;
}

static sesame_status do_groups(host *it) {
  const sesame_groups *groups;
  TRY(sesame_device_groups(it->device, result(), &groups, &error));
  for (size_t i = 0; i < groups->count; i++) print_group(groups->items[i]);
  if (groups->count == 0) printf("  nothing\n");
  return SESAME_STATUS_OK;
}

static sesame_status do_session(host *it, const char *what, const cJSON *step) {
  sesame_session session;
  TRY(sesame_device_session(it->device, slice_of(step, "user"), device_of(step), &session, &error));
  const sesame_session_view *view = NULL;
  const sesame_send *send = NULL;
  if (same(what, "session_reset")) {
    const sesame_status status = sesame_session_reset(session, &error);
    sesame_session_free(session);
    return status == SESAME_STATUS_OK ? exchange(it) : status;
  }
  const sesame_status status = same(what, "session")
                                   ? sesame_session_info(session, result(), &view, &error)
                                   : sesame_session_encrypt(session, slice_of(step, "text"), result(), &send, &error);
  sesame_session_free(session);
  TRY(status);
  if (send != NULL) return begin(it, send);
  print_session(view);
  return SESAME_STATUS_OK;
}

static sesame_status accept_identity(sesame_registry registry, const cJSON *step) {
  static const uint8_t zeros[32];
  const sesame_slice user = slice_of(step, "user");
  sesame_slice key = {zeros, sizeof zeros};
  const sesame_users *users;
  TRY(sesame_registry_users(registry, result(), &users, &error));
  for (size_t i = 0; i < users->count; i++) {
    const sesame_user_view *view = users->items[i];
    if (view->user.len != user.len || memcmp(view->user.data, user.data, user.len) != 0) continue;
    const bool claimed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(step, "claimed"));
    if (!claimed) key = view->account_key;
    else if (view->claimed_key.len > 0) key = view->claimed_key;
  }
  return sesame_registry_accept_identity(registry, user, key, &error);
}

/* This device compares the code that a device of the user shows. */
static sesame_status compare(sesame_registry registry, const host *it, const cJSON *step) {
  const char *with = text_of(step, "with");
  sesame_slice code = sesame_text("no code");
  sesame_registry theirs;
  bool is_same;
  if (with != NULL && with[0] != 0) {
    TRY(sesame_device_registry(host_named(with)->device, &theirs, &error));
    const sesame_status status = sesame_registry_safety_code(theirs, it->user, result(), &code, &error);
    sesame_registry_free(theirs);
    TRY(status);
  }
  printf("  code ");
  print_h(code);
  putchar('\n');
  TRY(sesame_registry_compare_safety_code(registry, slice_of(step, "user"), code, &is_same, &error));
  printf("  same %s\n", yes(is_same));
  return SESAME_STATUS_OK;
}

static sesame_status on_registry(host *it, sesame_registry registry, const char *what, const cJSON *step) {
  const sesame_slice user = slice_of(step, "user");
  if (same(what, "users")) {
    const sesame_users *users;
    TRY(sesame_registry_users(registry, result(), &users, &error));
    for (size_t i = 0; i < users->count; i++) print_user(users->items[i]);
    return SESAME_STATUS_OK;
  }
  if (same(what, "devices")) {
    const sesame_devices *devices;
    TRY(sesame_registry_devices(registry, user, result(), &devices, &error));
    for (size_t i = 0; i < devices->count; i++) print_device(devices->items[i]);
    return SESAME_STATUS_OK;
  }
  if (same(what, "safety")) {
    sesame_slice number;
    TRY(sesame_registry_safety_number(registry, user, result(), &number, &error));
    printf("  safety ");
    print_text(number);
    putchar('\n');
    return SESAME_STATUS_OK;
  }
  if (same(what, "verify")) return sesame_registry_mark_verified(registry, user, &error);
  if (same(what, "resolve_fork")) return sesame_registry_resolve_fork(registry, user, no_hash, &error);
  if (same(what, "forget")) return sesame_registry_forget(registry, user, &error);
  if (same(what, "compare")) return compare(registry, it, step);
  if (same(what, "look_up")) {
    sesame_slice users[MAX_USERS];
    const size_t count = slices_of(step, "users", users);
    TRY(sesame_registry_look_up(registry, users, count, &error));
    return exchange(it);
  }
  return accept_identity(registry, step);
}

static sesame_status do_on_registry(host *it, const char *what, const cJSON *step) {
  sesame_registry registry;
  TRY(sesame_device_registry(it->device, &registry, &error));
  const sesame_status status = on_registry(it, registry, what, step);
  sesame_registry_free(registry);
  return status;
}

static sesame_status do_open(host *it, const char *what) {
  sesame_device device;
  sesame_store empty;
  if (same(what, "open_wrong_key")) return sesame_device_open(it->store, store_key(0x5b), no_clock, &device, &error);
  if (same(what, "create_over")) return sesame_device_create(it->store, store_key(0x5a), it->user, sesame_text(SERVER), none, no_clock, &device, &error);
  TRY(sesame_store_memory(&empty, &error));
  const sesame_status status = sesame_device_open(empty, store_key(0x5a), no_clock, &device, &error);
  sesame_store_free(empty);
  return status;
}

static sesame_status do_seen(const cJSON *step) {
  sesame_relay relay;
  const sesame_relay_view *view;
  TRY(relay_named(step, &relay));
  TRY(sesame_relay_get_view(relay, result(), &view, &error));
  for (size_t i = 0; i < view->seen_count; i++) print_seen(view->seen[i]);
  for (size_t i = 0; i < view->waiting_count; i++) {
    if (view->waiting[i]->count == 0) continue;
    printf("  waiting ");
    print_text(view->waiting[i]->user);
    printf("/%" PRIu32 " %zu\n", view->waiting[i]->device, view->waiting[i]->count);
  }
  return SESAME_STATUS_OK;
}

static bool is_one_of(const char *what, const char *list) {
  const size_t length = strlen(what);
  for (const char *at = list; (at = strstr(at, what)) != NULL; at += length)
    if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == 0)) return true;
  return false;
}

static sesame_status act_on_sends(host *it, const char *what, const cJSON *step) {
  if (same(what, "encrypt")) return encrypt(it, step, slice_of(step, "text"));
  if (same(what, "send")) {
    TRY(encrypt(it, step, slice_of(step, "text")));
    TRY(exchange(it));
    return standing(it);
  }
  if (same(what, "encrypt_long")) return do_encrypt_long(it, step);
  if (same(what, "encrypt_crowd")) return do_encrypt_crowd(it, step);
  if (same(what, "batches")) {
    const sesame_batches *batches;
    TRY(sesame_device_batches(it->device, last_send(it), result(), &batches, &error));
    print_batches(batches);
    return SESAME_STATUS_OK;
  }
  if (same(what, "status")) return do_status(it);
  if (same(what, "cancel")) return do_cancel(it, step);
  TRY(sesame_device_retry(it->device, last_send(it), &error));
  return standing(it);
}

static sesame_status act_on_mail(host *it, const char *what, const cJSON *step) {
  if (same(what, "read")) return read_mail(it, true);
  if (same(what, "peek")) return read_mail(it, false);
  if (same(what, "inbox")) return show_inbox(it, false);
  if (same(what, "steal")) return do_steal(it, step);
  if (same(what, "deliver")) return do_deliver(it, step);
  if (same(what, "deliver_spoilt")) return do_deliver_spoilt(it, step);
  return do_decrypt_many(it, step);
}

static sesame_status act_on_the_loop(host *it, const char *what, const cJSON *step) {
  if (same(what, "exchange")) return exchange(it);
  if (same(what, "request_mail")) return sesame_device_request_mail(it->device, device_of(step), &error);
  if (same(what, "answer_twice")) return do_answer_twice(it);
  if (same(what, "foreign")) return do_foreign(it, step);
  if (same(what, "trouble")) return do_trouble(it, step);
  if (same(what, "replay")) return do_replay(it, step);
  if (same(what, "retry_now")) return sesame_device_retry_now(it->device, &error);
  if (same(what, "move")) return relay_named(step, &it->relay);
  return do_health(it);
}

static sesame_status do_log_out(host *it) {
  const sesame_send *send;
  TRY(sesame_device_log_out(it->device, result(), &send, &error));
  show_send(it, send);
  return SESAME_STATUS_OK;
}

/* The last hand-over of the scene that was begun. */
static uint8_t handover_id[16];

static sesame_status do_hand_over(host *it, const cJSON *step) {
  const sesame_handover *view;
  TRY(sesame_device_hand_over(it->device, device_of(step), result(), &view, &error));
  printf("  handover ");
  print_s(view->id);
  printf(" digits ");
  print_text(view->digits);
  printf("\n");
  memcpy(handover_id, view->id.data, sizeof handover_id);
  return SESAME_STATUS_OK;
}

static sesame_status act_on_the_device(host *it, const char *what, const cJSON *step) {
  if (same(what, "reopen")) return do_reopen(it);
  if (same(what, "close")) return sesame_device_wipe(it->device, &error);
  if (same(what, "primary")) {
    bool is_primary;
    TRY(sesame_device_is_primary(it->device, &is_primary, &error));
    printf("  primary %s\n", yes(is_primary));
    return SESAME_STATUS_OK;
  }
  if (same(what, "adopt_own_list")) return sesame_device_adopt_own_list(it->device, no_hash, &error);
  const sesame_slice handover = {handover_id, sizeof handover_id};
  if (same(what, "hand_over")) return do_hand_over(it, step);
  if (same(what, "confirm_handover")) return sesame_device_confirm_handover(it->device, handover, &error);
  if (same(what, "cancel_handover")) return sesame_device_cancel_handover(it->device, handover, &error);
  if (same(what, "remove_device")) return sesame_device_remove_device(it->device, device_of(step), &error);
  if (same(what, "log_out")) return do_log_out(it);
  if (same(what, "set_push")) return sesame_device_set_push(it->device, slice_of(step, "text"), &error);
  if (same(what, "keep_sent")) return sesame_device_keep_sent(it->device, (uint32_t)number_of(step, "number"), &error);
  return sesame_device_delete_account(it->device, &error);
}

static sesame_status act_on_the_store(host *it, const char *what, const cJSON *step) {
  if (is_one_of(what, "open_wrong_key create_over open_empty")) return do_open(it, what);
  if (same(what, "erase")) return sesame_store_erase(it->store, &error);
  if (same(what, "fail")) {
    *(same(text_of(step, "method"), "load") ? &it->load_fault : &it->commit_fault) = (int32_t)number_of(step, "with");
    return SESAME_STATUS_OK;
  }
  for (size_t i = 0; i < it->rows.count; i++) it->rows.rows[i].row[it->rows.rows[i].row_len - 1] ^= 1;
  return SESAME_STATUS_OK;
}

static sesame_status act(const char *what, const cJSON *step) {
  if (same(what, "create")) return do_create(step);
  if (same(what, "link")) return do_link(step);
  if (same(what, "link_wrong")) return do_link_wrong(step);
  if (same(what, "seen")) return do_seen(step);
  if (same(what, "advance")) {
    const uint64_t seconds = (uint64_t)number_of(step, "days") * 86400 + (uint64_t)number_of(step, "seconds");
    return sesame_test_advance(seconds * 1000), SESAME_STATUS_OK;
  }
  if (same(what, "restored")) {
    sesame_relay relay;
    TRY(relay_named(step, &relay));
    return sesame_relay_restored(relay, &error);
  }
  host *it = host_named(text_of(step, "device"));
  if (is_one_of(what, "encrypt send encrypt_long encrypt_crowd batches status cancel retry")) return act_on_sends(it, what, step);
  if (is_one_of(what, "read peek inbox steal deliver deliver_spoilt decrypt_many")) return act_on_mail(it, what, step);
  if (is_one_of(what, "exchange request_mail answer_twice foreign trouble replay retry_now move health")) return act_on_the_loop(it, what, step);
  if (is_one_of(what, "reopen close primary adopt_own_list hand_over confirm_handover cancel_handover remove_device keep_sent set_push log_out delete_account")) return act_on_the_device(it, what, step);
  if (same(what, "group")) return do_group(it, step);
  if (same(what, "groups")) return do_groups(it);
  if (is_one_of(what, "session session_send session_reset")) return do_session(it, what, step);
  if (is_one_of(what, "users devices safety compare verify resolve_fork forget look_up accept_identity")) return do_on_registry(it, what, step);
  if (is_one_of(what, "open_wrong_key create_over open_empty erase fail spoil")) return act_on_the_store(it, what, step);
  if (is_one_of(what, "fork add rename leave accept decline say forget_group view history cost group_session")) return do_on_group(it, what, step);
  die("no such step");
  return SESAME_STATUS_OK;
}

static void end_scene(void) {
  memset(handover_id, 0, sizeof handover_id);
  for (size_t i = 0; i < scene.host_count; i++) {
    sesame_device_free(scene.hosts[i].device);
    sesame_store_free(scene.hosts[i].store);
    memory_clear(&scene.hosts[i].rows);
    free((void *)(uintptr_t)scene.hosts[i].replay.body.data);
  }
  for (size_t i = 0; i < scene.relay_count; i++) sesame_relay_free(scene.relays[i].relay);
  for (size_t i = 0; i < scene.mails_count; i++)
    for (size_t m = 0; m < scene.mails[i].count; m++) free((void *)(uintptr_t)scene.mails[i].mails[m].data);
  memset(&scene, 0, sizeof scene);
}

static char *slurp(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) die("no script");
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) die("the script cannot be read");
  text[size] = 0;
  fclose(file);
  return text;
}

int main(int count, char **arguments) {
  if (count != 3) die("usage: story SCRIPT FOLDER");
  char *text = slurp(arguments[1]);
  folder = arguments[2];
  cJSON *script = cJSON_Parse(text);
  if (script == NULL) die("the script is no JSON");
  const cJSON *told, *step;
  cJSON_ArrayForEach(told, cJSON_GetObjectItemCaseSensitive(script, "scenes")) {
    sesame_test_outside((uint64_t)(number_of(script, "seed") + scene_number), (uint64_t)number_of(script, "now"));
    printf("# scene %s\n", text_of(told, "name"));
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(told, "steps")) {
      const char *what = text_of(step, "do"), *device = text_of(step, "device");
      printf(device == NULL ? "> %s\n" : "> %s %s\n", what, device);
      const sesame_status status = act(what, step);
      if (status != SESAME_STATUS_OK) printf("  ! %d\n", (int)status);
      free_results();
    }
    end_scene();
    scene_number++;
  }
  cJSON_Delete(script);
  free(text);
  return 0;
}
