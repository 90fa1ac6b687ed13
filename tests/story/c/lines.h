/* How each thing is printed: the tables of tests/story/README.md. */
#ifndef STORY_LINES_H
#define STORY_LINES_H

#include "events.h"

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
      case SESAME_RECEIVED_KIND_DUPLICATE: printf("duplicate\n"); break;
      case SESAME_RECEIVED_KIND_FAILURE:
        printf("failure %d %s from ", (int)it->status, it->confirm ? "confirm" : "keep");
        if (it->sender == NULL) {
          printf("nobody\n");
          break;
        }
        print_text(it->sender->user);
        printf("/%u %s\n", (unsigned)it->sender->device, it->authenticated ? "authenticated" : "claimed");
        break;
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
