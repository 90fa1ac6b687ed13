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

static inline void print_items(const sesame_inbox *inbox) {
  if (inbox->count == 0) printf("  nothing\n");
  for (size_t i = 0; i < inbox->count; i++) {
    printf("  %" PRIu64 ": ", inbox->items[i]->id);
    if (inbox->items[i]->message != NULL) print_message(inbox->items[i]->message);
    else print_event(inbox->items[i]->event);
  }
}

/* Numbers of 64 bits behind a word. */
static inline void print_ids(const char *word, const uint64_t *ids, size_t count) {
  for (size_t i = 0; i < count; i++) printf(i == 0 ? " %s %" PRIu64 : ",%.0s%" PRIu64, word, ids[i]);
}

static inline void print_code(const char *word, uint32_t code) {
  if (code != 0) printf(" %s %" PRIu32, word, code);
}

static inline void print_skips(const sesame_skipped *const *skips, size_t count) {
  for (size_t i = 0; i < count; i++) printf(i == 0 ? " skip %" PRIu32 ":%" PRIu32 : ",%" PRIu32 ":%" PRIu32, skips[i]->device, skips[i]->reason);
}

static inline void print_results(const sesame_mail_results *results) {
  static const char *const outcomes[] = {"", "duplicate", "held", "later", "opened", "refused"};
  for (size_t i = 0; i < results->count; i++) {
    const sesame_mail_result *it = results->items[i];
    printf("  %zu: %s", i, NAME_OF(outcomes, it->outcome));
    print_ids("items", it->items, it->item_count);
    print_flag("keep", it->keep);
    print_code("code", it->reason);
    if (it->sender != NULL) {
      printf(" from ");
      print_text(it->sender->user);
      printf("/%" PRIu32 " %s", it->sender->device, it->sender->authenticated ? "authenticated" : "claimed");
    }
    putchar('\n');
  }
}

static inline void print_send(const sesame_send *send) {
  printf("  send ");
  print_s(send->id);
  print_id("content", send->content_id);
  putchar('\n');
}

/* How a send stands, and each user of it; `gone` when the app has acked its end. */
static inline void print_status(const sesame_send_status *status) {
  static const char *const outcomes[] = {"", "cancelled", "failed", "sent", "waiting"};
  static const char *const awaited[] = {"", " for identity", "", " for publication", " for server"};
  if (status == NULL) {
    printf("  gone\n");
    return;
  }
  printf("  send ");
  print_s(status->id);
  print_id("content", status->content_id);
  print_id("group", status->group);
  printf(" %s %zu bytes\n", status->finished ? "finished" : "open", status->payload.len);
  for (size_t i = 0; i < status->user_count; i++) {
    const sesame_user_status *user = status->users[i];
    printf("    ");
    print_text(user->user);
    printf(" %s%s reached %" PRIu32, NAME_OF(outcomes, user->outcome), NAME_OF(awaited, user->waiting_for), user->reached);
    print_skips(user->skipped, user->skipped_count);
    print_code("code", user->reason);
    putchar('\n');
  }
}

static inline void print_batches(const sesame_batches *batches) {
  if (batches->count == 0) printf("  nothing\n");
  for (size_t b = 0; b < batches->count; b++) {
    const sesame_batch *batch = batches->items[b];
    printf("  batch ");
    print_text(batch->user);
    print_flag("targeted", batch->targeted);
    for (size_t i = 0; i < batch->envelope_count; i++) {
      printf(" %" PRIu32 ":%zu:", batch->envelopes[i]->device, batch->envelopes[i]->envelope.len);
      print_h(batch->envelopes[i]->envelope);
    }
    print_skips(batch->skips, batch->skip_count);
    putchar('\n');
  }
}

static inline void print_request(const sesame_server_request *request) {
  static const char *const kinds[] = {"", "bundles", "confirm", "delete", "link", "lists", "mail", "publication", "push", "submit"};
  printf("  request %s %zu ", NAME_OF(kinds, request->kind), request->body.len);
  print_h(request->body);
  print_names("users", request->users, request->user_count);
  putchar('\n');
}

/* What came of an answer. */
static inline void print_answered(uint32_t status, const sesame_answered *answered) {
  printf("    %" PRIu32, status);
  print_flag("unknown", !answered->known);
  print_code("problem", answered->problem);
  print_ids("items", answered->items, answered->item_count);
  for (size_t i = 0; i < answered->send_count; i++) {
    printf(i == 0 ? " sends " : ",");
    print_s(answered->sends[i]);
  }
  putchar('\n');
}

static inline void print_health(const sesame_health *health) {
  printf("  registered %s", yes(health->registered));
  print_code("problem", health->problem);
  printf(" due %" PRIu64 " open %" PRIu32 " inbox %" PRIu32 " left %" PRIu32 " offset %" PRId64 "\n", health->due_in, health->open_sends,
         health->inbox, health->mail_left, health->clock_offset);
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
  static const char *const states[] = {"", "active", "no-session", "stale", "own"};
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
