/* How each thing is printed: the tables of tests/story/README.md. */
#ifndef STORY_LINES_H
#define STORY_LINES_H

#include <inttypes.h>
#include <sesame.h>
#include <stdio.h>

/* FNV-1a of 64 bits. */
static inline void print_h(sesame_slice bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes.len; i++) hash = (hash ^ bytes.data[i]) * 0x100000001b3u;
  printf("%016" PRIx64, hash);
}

/* The first four bytes of an id. */
static inline void print_s(sesame_slice id) {
  printf("%02x%02x%02x%02x", id.data[0], id.data[1], id.data[2], id.data[3]);
}

static inline void print_text(sesame_slice text) {
  if (text.len > 0) fwrite(text.data, 1, text.len, stdout);
}

/* The name of a value, from a list of the names of all that this runner knows. */
static inline const char *name_of(const char *const *names, size_t count, uint32_t value) {
  return value < count ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof *(names), (uint32_t)(value))

/* A word and an id after it, or nothing where it is absent. */
static inline void print_id(const char *word, sesame_slice id) {
  if (id.len == 0) return;
  printf(" %s ", word);
  print_s(id);
}

static inline void print_numbers(const char *word, const uint32_t *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) printf(i == 0 ? " %s %" PRIu32 : ",%.0s%" PRIu32, word, numbers[i]);
}

static inline void print_names(const char *word, const sesame_slice *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i == 0) printf(" %s ", word);
    if (i > 0) putchar(',');
    print_text(names[i]);
  }
}

static inline void print_flag(const char *word, bool flag) {
  if (flag) printf(" %s", word);
}

static inline const char *yes(bool flag) {
  return flag ? "yes" : "no";
}

static inline void print_event(const sesame_event *event) {
  static const char *const names[] = {
      "Other",         "DeviceListChanged", "DeviceListFork",  "DeviceListGap",      "DeviceListOld",
      "DeviceListRollback", "Gap",          "GroupAdded",      "GroupDiverged",      "GroupEquivocation",
      "GroupInvited",  "GroupJoined",       "GroupLeft",       "GroupRevoked",       "GroupUpdated",
      "HeldDropped",   "IdleDevice",        "IdentityChanged", "ServerInconsistent", "SessionStarted",
  };
  printf("event %s", NAME_OF(names, event->kind));
  if (event->user.len > 0) putchar(' ');
  print_text(event->user);
  if (event->device != 0) printf("/%" PRIu32, event->device);
  print_id("group", event->group);
  print_names("users", event->users, event->user_count);
  print_numbers("added", event->added, event->added_count);
  print_numbers("removed", event->removed, event->removed_count);
  if (event->kind == SESAME_EVENT_KIND_DEVICE_LIST_ROLLBACK) printf(" epoch %" PRIu64, event->epoch);
  if (event->kind == SESAME_EVENT_KIND_GAP) printf(" lost %" PRIu64 "-%" PRIu64, event->first, event->last);
  print_id("session", event->session_id);
  print_id("operation", event->operation);
  if (event->kind == SESAME_EVENT_KIND_DEVICE_LIST_FORK) {
    printf(" known ");
    print_h(event->known);
    printf(" other ");
    print_h(event->other);
  }
  print_id("pinned", event->pinned);
  print_id("claimed", event->claimed);
  if (event->kind == SESAME_EVENT_KIND_IDENTITY_CHANGED) printf(" verified %s", yes(event->was_verified));
  putchar('\n');
}

static inline void print_message(const sesame_message *message) {
  printf("message ");
  print_text(message->user);
  printf("/%" PRIu32 " number %" PRIu64 " at %" PRIu64, message->device, message->sequence, message->sent_at);
  print_id("content", message->content_id);
  print_id("session", message->session_id);
  print_id("group", message->group);
  print_names("to", message->recipients, message->recipient_count);
  print_flag("removed-device", message->from_removed_device);
  print_flag("no-one-time-key", message->no_one_time_key);
  print_flag("older-session", message->older_session);
  print_flag("former-member", message->from_former_member);
  printf(" \"");
  print_text(message->payload);
  printf("\"\n");
}

static inline void print_received(const sesame_received_list *list) {
  if (list->count == 0) printf("  nothing\n");
  for (size_t i = 0; i < list->count; i++) {
    const sesame_received *it = list->items[i];
    printf("  %zu: ", it->envelope);
    switch (it->kind) {
      case SESAME_RECEIVED_KIND_MESSAGE: print_message(it->message); break;
      case SESAME_RECEIVED_KIND_EVENT: print_event(it->event); break;
      case SESAME_RECEIVED_KIND_FAILURE: printf("failure %d %s\n", (int)it->status, it->confirm ? "confirm" : "keep"); break;
      default: printf("held\n");
    }
  }
}

static inline void print_need(const sesame_need *need) {
  switch (need->kind) {
    case SESAME_NEED_KIND_DEVICE_LIST: printf("    need device-list "); break;
    case SESAME_NEED_KIND_BUNDLE: printf("    need bundle "); break;
    case SESAME_NEED_KIND_IDENTITY_ACCEPTANCE: printf("    need identity-acceptance "); break;
    default: printf("    need publication");
  }
  print_text(need->user);
  if (need->kind == SESAME_NEED_KIND_BUNDLE) printf("/%" PRIu32, need->device);
  putchar('\n');
}

static inline void print_send(const sesame_send *send) {
  printf("  send ");
  print_s(send->id);
  print_id("content", send->content_id);
  putchar('\n');
  for (size_t b = 0; b < send->batch_count; b++) {
    const sesame_batch *batch = send->batches[b];
    printf("    batch ");
    print_text(batch->user);
    print_flag("targeted", batch->targeted != 0);
    for (size_t i = 0; i < batch->envelope_count; i++) {
      printf(" %" PRIu32 ":%zu:", batch->envelopes[i]->device, batch->envelopes[i]->envelope.len);
      print_h(batch->envelopes[i]->envelope);
    }
    print_flag("skip", batch->skip_count > 0);
    for (size_t i = 0; i < batch->skip_count; i++) printf(" %" PRIu32 ":%" PRIu32, batch->skips[i]->device, batch->skips[i]->reason);
    putchar('\n');
  }
  for (size_t i = 0; i < send->need_count; i++) print_need(send->needs[i]);
  for (size_t i = 0; i < send->failed_count; i++) {
    printf("    failed ");
    print_text(send->failed[i]->user);
    printf(" %d\n", (int)send->failed[i]->reason);
  }
  for (size_t i = 0; i < send->event_count; i++) {
    printf("    ");
    print_event(send->events[i]);
  }
}

static inline void print_applied(const sesame_applied *applied) {
  for (size_t i = 0; i < applied->event_count; i++) {
    printf("  ");
    print_event(applied->events[i]);
  }
  for (size_t i = 0; i < applied->refusal_count; i++) {
    printf("  refused ");
    print_text(applied->refusals[i]->field);
    printf(" %zu %d\n", applied->refusals[i]->item, (int)applied->refusals[i]->reason);
  }
}

static inline void print_events(const sesame_events *events) {
  if (events->count == 0) printf("  nothing\n");
  for (size_t i = 0; i < events->count; i++) {
    printf("  ");
    print_event(events->items[i]);
  }
}

static inline void print_group(const sesame_group_view *view) {
  static const char *const standings[] = {"", "left", "invited", "member"};
  printf("  group ");
  print_s(view->id);
  printf(" standing %s", NAME_OF(standings, view->standing));
  print_names("members", view->members, view->member_count);
  printf(" name \"");
  print_text(view->name);
  putchar('"');
  for (size_t i = 0; i < view->diverged_count; i++) {
    printf(i == 0 ? " diverged " : ",");
    print_text(view->diverged[i].user);
    printf("/%" PRIu32, view->diverged[i].device);
  }
  putchar('\n');
}

static inline void print_history(const sesame_history *history) {
  static const char *const acts[] = {"", "accepted", "added", "created", "declined", "left", "retired", "updated"};
  for (size_t i = 0; i < history->count; i++) {
    const sesame_history_entry *entry = history->items[i];
    printf("  ");
    print_s(entry->id);
    putchar(' ');
    print_text(entry->user);
    printf("/%" PRIu32, entry->device);
    if (entry->act == SESAME_ACT_ADDED) print_names("added", entry->users, entry->user_count);
    else printf(" %s", NAME_OF(acts, entry->act));
    if (entry->act == SESAME_ACT_RETIRED) printf(" %" PRIu32, entry->retired);
    printf(entry->counts ? " counts\n" : " void\n");
  }
}

static inline void print_session(const sesame_session_view *view) {
  if (view == NULL) {
    printf("  no session\n");
    return;
  }
  printf("  session ");
  print_s(view->id);
  printf(" generation %" PRIu64 " initiating %s sent %" PRIu64 " received %" PRIu64 " inactive %zu\n", view->generation,
         yes(view->initiating), view->sent, view->received, view->inactive);
}

static inline void print_user(const sesame_user_view *view) {
  printf("  user ");
  print_text(view->user);
  print_id("key", view->account_key);
  print_id("claimed", view->claimed_key);
  print_flag("verified", view->verified);
  printf(" epoch %" PRIu64, view->epoch);
  print_flag("forked", view->forked);
  print_flag("paused", view->paused);
  putchar('\n');
}

static inline void print_device(const sesame_device_view *view) {
  static const char *const states[] = {"", "active", "no-session", "stale"};
  printf("  device %" PRIu32, view->device);
  print_id("signing", view->signing_key);
  print_id("identity", view->identity_key);
  printf(" %s", NAME_OF(states, view->state));
  print_id("session", view->session_id);
  putchar('\n');
}

static inline void print_seen(const sesame_seen *seen) {
  switch (seen->kind) {
    case SESAME_SEEN_KIND_BUNDLE_FETCHED: printf("  bundle "); break;
    case SESAME_SEEN_KIND_PUBLISHED: printf("  published "); break;
    default: printf("  ");
  }
  print_text(seen->user);
  printf("/%" PRIu32, seen->device);
  if (seen->kind == SESAME_SEEN_KIND_PUBLISHED) printf(" %zu", seen->size);
  if (seen->kind == SESAME_SEEN_KIND_SUBMITTED) {
    printf(" -> ");
    print_text(seen->recipient);
    for (size_t i = 0; i < seen->envelope_count; i++) {
      const sesame_seen_envelope *one = seen->envelopes[i];
      printf(" %" PRIu32 ":%zu%s", one->device, one->size, one->initiation ? ":initiation" : "");
    }
    print_numbers("skipped", seen->skipped, seen->skipped_count);
    printf(seen->accepted ? " accepted" : " refused");
  }
  putchar('\n');
}

#endif
