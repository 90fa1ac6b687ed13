/* Plays the story of tests/story/story.json; tests/story/README.md says what each step does and prints.
 *
 * usage: story SCRIPT FOLDER. It is linked with a library that was built with the feature `test-util`, and with cJSON. */
#include "scene.h"

/* The steps. */

static sesame_status do_create(const cJSON *step) {
  sesame_relay relay;
  TRY(relay_named(step, &relay));
  host *it = new_host(step, relay);
  TRY(open_store(step, it));
  it->user = slice_of(step, "user");
  TRY(sesame_device_create(it->store, store_key(0x5a), it->user, &it->device, &error));
  TRY(join(it));
  return publish(it);
}

static sesame_status do_link(const cJSON *step) {
  host *primary = host_named(text_of(step, "primary")), *it = new_host(step, primary->relay);
  sesame_linking linking;
  sesame_slice code, answer;
  TRY(open_store(step, it));
  TRY(sesame_linking_begin(it->store, store_key(0x5a), &linking, &error));
  TRY(sesame_linking_code(linking, result(), &code, &error));
  printf("  code ");
  print_h(code);
  putchar('\n');
  const sesame_status confirmed = sesame_device_confirm_link(primary->device, code, result(), &answer, &error);
  if (confirmed == SESAME_STATUS_OK) {
    printf("  answer %zu ", answer.len);
    print_h(answer);
    putchar('\n');
  }
  const sesame_status completed =
      confirmed == SESAME_STATUS_OK ? sesame_linking_complete(linking, answer, &it->device, &error) : confirmed;
  sesame_linking_free(linking);
  TRY(completed);
  it->user = primary->user;
  TRY(join(it));
  TRY(publish(primary));
  return publish(it);
}

static sesame_status do_link_wrong(const cJSON *step) {
  host *it = host_named(text_of(step, "device"));
  sesame_store store;
  sesame_linking linking;
  sesame_device device;
  sesame_slice answer;
  TRY(sesame_store_memory(&store, &error));
  TRY(sesame_linking_begin(store, store_key(0x5a), &linking, &error));
  printf("  ! %d\n", (int)sesame_device_confirm_link(it->device, sesame_text("no code"), result(), &answer, &error));
  printf("  ! %d\n", (int)sesame_linking_complete(linking, sesame_text("no answer"), &device, &error));
  sesame_linking_free(linking);
  sesame_store_free(store);
  return SESAME_STATUS_OK;
}

static sesame_status do_reopen(host *it) {
  uint32_t id;
  TRY(sesame_device_wipe(it->device, &error));
  sesame_device_free(it->device);
  it->device.token = 0;
  TRY(sesame_device_open(it->store, store_key(0x5a), &it->device, &error));
  TRY(sesame_device_id(it->device, &id, &error));
  printf("  device %" PRIu32 "\n", id);
  return SESAME_STATUS_OK;
}

static sesame_status do_read(host *it) {
  const sesame_mails *mails;
  const sesame_received_list *list;
  uint64_t done[MANY];
  size_t done_count = 0;
  TRY(sesame_relay_fetch(it->relay, it->user, it->id, MANY, result(), &mails, &error));
  if (mails->count == 0) {
    printf("  nothing\n");
    return SESAME_STATUS_OK;
  }
  TRY(sesame_device_batch_decrypt(it->device, mails->envelopes, mails->count, result(), &list, &error));
  for (size_t i = 0; i < mails->count; i++) {
    bool keep = false;
    for (size_t r = 0; r < list->count; r++)
      keep |= list->items[r]->kind == SESAME_RECEIVED_KIND_FAILURE && list->items[r]->envelope == i && !list->items[r]->confirm;
    if (!keep) done[done_count++] = mails->ids[i];
  }
  TRY(sesame_relay_confirm(it->relay, it->user, it->id, done, done_count, &error));
  return take(it, list);
}

static sesame_status do_peek(host *it) {
  const sesame_mails *mails;
  const sesame_received_list *list;
  TRY(sesame_relay_fetch(it->relay, it->user, it->id, MANY, result(), &mails, &error));
  TRY(sesame_device_batch_decrypt(it->device, mails->envelopes, mails->count, result(), &list, &error));
  print_received(list);
  return SESAME_STATUS_OK;
}

static sesame_status do_steal(host *it, const cJSON *step) {
  const sesame_mails *mails;
  TRY(sesame_relay_fetch(it->relay, it->user, it->id, MANY, result(), &mails, &error));
  TRY(sesame_relay_confirm(it->relay, it->user, it->id, mails->ids, mails->count, &error));
  if (scene.mails_count == MAX_HOSTS || mails->count > MAX_MAILS) die("too many mails");
  named_mails *kept = &scene.mails[scene.mails_count++];
  kept->name = text_of(step, "as");
  kept->count = mails->count;
  for (size_t i = 0; i < mails->count; i++) {
    kept->mails[i].data = memory_copy(mails->envelopes[i]);
    kept->mails[i].len = mails->envelopes[i].len;
  }
  printf("  stolen %zu\n", mails->count);
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
  const sesame_received_list *list;
  const sesame_status status = sesame_device_batch_decrypt(it->device, empty, count, result(), &list, &error);
  free(empty);
  TRY(status);
  printf("  %zu results\n", list->count);
  return SESAME_STATUS_OK;
}

static sesame_status do_outbox(host *it) {
  const sesame_sends *sends;
  TRY(sesame_device_outbox(it->device, result(), &sends, &error));
  for (size_t i = 0; i < sends->count; i++) print_send(sends->items[i]);
  if (sends->count == 0) printf("  nothing\n");
  return SESAME_STATUS_OK;
}

static sesame_status do_abandon(host *it, const cJSON *step) {
  const sesame_sends *sends;
  TRY(sesame_device_outbox(it->device, result(), &sends, &error));
  for (size_t i = 0; i < sends->count; i++)
    TRY(sesame_device_abandon(it->device, sends->items[i]->id, slice_of(step, "user"), &error));
  return SESAME_STATUS_OK;
}

static sesame_status do_meet(host *it, const cJSON *step) {
  sesame_relay relay;
  sesame_slice users[16];
  sesame_need needs[16];
  const sesame_need *list[16];
  const sesame_answers *answers;
  TRY(relay_named(step, &relay));
  const size_t count = slices_of(step, "users", users);
  for (size_t i = 0; i < count; i++) {
    const sesame_need need = {sizeof need, SESAME_NEED_KIND_DEVICE_LIST, 0, users[i]};
    needs[i] = need;
    list[i] = &needs[i];
  }
  TRY(sesame_relay_answer(relay, list, count, result(), &answers, &error));
  return apply(it->device, answers);
}

static sesame_status do_apply_garbage(host *it) {
  const sesame_slice list = sesame_text("no list"), bundle = sesame_text("no bundle");
  sesame_answers answers;
  memset(&answers, 0, sizeof answers);
  answers.struct_size = sizeof answers;
  answers.device_lists = &list;
  answers.device_list_count = 1;
  answers.bundles = &bundle;
  answers.bundle_count = 1;
  return apply(it->device, &answers);
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
  sesame_slice users[16];
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
  sesame_slice users[16];
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
  const sesame_status status = same(what, "session")
                                   ? sesame_session_info(session, result(), &view, &error)
                                   : sesame_session_encrypt(session, slice_of(step, "text"), result(), &send, &error);
  sesame_session_free(session);
  TRY(status);
  if (send != NULL) return begin(it, send);
  print_session(view);
  return SESAME_STATUS_OK;
}

static sesame_status accept_identity(host *it, sesame_registry registry, const cJSON *step) {
  static const uint8_t zeros[32];
  const sesame_slice user = slice_of(step, "user");
  sesame_slice key = {zeros, sizeof zeros};
  const sesame_users *users;
  const sesame_received_list *list;
  TRY(sesame_registry_users(registry, result(), &users, &error));
  for (size_t i = 0; i < users->count; i++) {
    const sesame_user_view *view = users->items[i];
    if (view->user.len != user.len || memcmp(view->user.data, user.data, user.len) != 0) continue;
    const bool claimed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(step, "claimed"));
    if (!claimed) key = view->account_key;
    else if (view->claimed_key.len > 0) key = view->claimed_key;
  }
  TRY(sesame_registry_accept_identity(registry, user, key, result(), &list, &error));
  return take(it, list);
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
  if (same(what, "resolve_fork")) return sesame_registry_resolve_fork(registry, user, &error);
  return accept_identity(it, registry, step);
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
  if (same(what, "open_wrong_key")) return sesame_device_open(it->store, store_key(0x5b), &device, &error);
  if (same(what, "create_over")) return sesame_device_create(it->store, store_key(0x5a), it->user, &device, &error);
  TRY(sesame_store_memory(&empty, &error));
  const sesame_status status = sesame_device_open(empty, store_key(0x5a), &device, &error);
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

static sesame_status act(const char *what, const cJSON *step) {
  if (same(what, "create")) return do_create(step);
  if (same(what, "link")) return do_link(step);
  if (same(what, "link_wrong")) return do_link_wrong(step);
  if (same(what, "seen")) return do_seen(step);
  if (same(what, "advance")) return sesame_test_advance((uint64_t)number_of(step, "days") * 24 * 60 * 60 * 1000), SESAME_STATUS_OK;

  host *it = host_named(text_of(step, "device"));
  const sesame_received_list *list;
  const sesame_events *events;
  if (same(what, "publish")) return publish(it);
  if (same(what, "settle")) return settle(it);
  if (same(what, "encrypt")) return encrypt(it, step, slice_of(step, "text"));
  if (same(what, "send")) {
    TRY(encrypt(it, step, slice_of(step, "text")));
    return settle(it);
  }
  if (same(what, "encrypt_long")) {
    const size_t length = (size_t)number_of(step, "number");
    uint8_t *bytes = malloc(length);
    if (bytes == NULL) die("no memory");
    memset(bytes, 'x', length);
    const sesame_slice payload = {bytes, length};
    const sesame_status status = encrypt(it, step, payload);
    free(bytes);
    return status;
  }
  if (same(what, "read")) return do_read(it);
  if (same(what, "peek")) return do_peek(it);
  if (same(what, "steal")) return do_steal(it, step);
  if (same(what, "deliver")) return do_deliver(it, step);
  if (same(what, "deliver_spoilt")) return do_deliver_spoilt(it, step);
  if (same(what, "decrypt_many")) return do_decrypt_many(it, step);
  if (same(what, "inbox")) {
    TRY(sesame_device_inbox(it->device, result(), &list, &error));
    print_received(list);
    return SESAME_STATUS_OK;
  }
  if (same(what, "outbox")) return do_outbox(it);
  if (same(what, "abandon")) return do_abandon(it, step);
  if (same(what, "reopen")) return do_reopen(it);
  if (same(what, "close")) return sesame_device_wipe(it->device, &error);
  if (is_one_of(what, "tick remove_device")) {
    TRY(same(what, "tick") ? sesame_device_tick(it->device, false, result(), &events, &error)
                           : sesame_device_remove_device(it->device, device_of(step), result(), &events, &error));
    print_events(events);
    return SESAME_STATUS_OK;
  }
  if (same(what, "meet")) return do_meet(it, step);
  if (same(what, "apply_garbage")) return do_apply_garbage(it);
  if (same(what, "group")) return do_group(it, step);
  if (same(what, "groups")) return do_groups(it);
  if (is_one_of(what, "session session_send")) return do_session(it, what, step);
  if (is_one_of(what, "users devices safety verify resolve_fork accept_identity")) return do_on_registry(it, what, step);
  if (is_one_of(what, "open_wrong_key create_over open_empty")) return do_open(it, what);
  if (same(what, "fail")) {
    *(same(text_of(step, "method"), "load") ? &it->load_fault : &it->commit_fault) = (int32_t)number_of(step, "with");
    return SESAME_STATUS_OK;
  }
  if (same(what, "spoil")) {
    for (size_t i = 0; i < it->rows.count; i++) it->rows.rows[i].row[it->rows.rows[i].row_len - 1] ^= 1;
    return SESAME_STATUS_OK;
  }
  if (is_one_of(what, "fork add rename leave accept decline say view history cost group_session")) return do_on_group(it, what, step);
  die("no such step");
  return SESAME_STATUS_OK;
}

static void end_scene(void) {
  for (size_t i = 0; i < scene.host_count; i++) {
    sesame_device_free(scene.hosts[i].device);
    sesame_store_free(scene.hosts[i].store);
    memory_clear(&scene.hosts[i].rows);
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
