/* The demo's whole story in C: one message to every device, a stale view healed, a restart, and the group's life. */
#include "host.h"

static char said[4096];

static void expect(host *it, const char *text) {
  const size_t failed = host_read(it, said, sizeof said);
  if (failed != 0 || strcmp(said, text) != 0) {
    fprintf(stderr, "%s/%u read '%s', not '%s'; %zu failed\n", it->user, (unsigned)it->id, said, text, failed);
    exit(1);
  }
}

static void all_expect(host **them, size_t count, const char *text) {
  for (size_t i = 0; i < count; i++) expect(them[i], text);
}

/* What a device knows of a group: its name, then its members. */
static void describe(host *it, sesame_slice id, char *to, size_t room) {
  sesame_group group;
  sesame_result result;
  const sesame_group_view *view;
  CHECK(sesame_device_group(it->device, id, &group, &host_error));
  CHECK(sesame_group_get_view(group, &result, &view, &host_error));
  int at = snprintf(to, room, "%.*s:", (int)view->name.len, (const char *)view->name.data);
  for (size_t i = 0; i < view->member_count; i++)
    at += snprintf(to + at, room - (size_t)at, " %.*s", (int)view->members[i].len, (const char *)view->members[i].data);
  CHECK(sesame_result_free(result));
  CHECK(sesame_group_free(group));
}

static void knows(host *it, sesame_slice id, const char *text) {
  char is[512];
  describe(it, id, is, sizeof is);
  if (strcmp(is, text) != 0) {
    fprintf(stderr, "%s/%u knows '%s', not '%s'\n", it->user, (unsigned)it->id, is, text);
    exit(1);
  }
}

static void group_send(host *it, sesame_slice id, const char *text) {
  sesame_group group;
  sesame_result result;
  const sesame_send *send;
  const sesame_slice none = {0};
  CHECK(sesame_device_group(it->device, id, &group, &host_error));
  CHECK(sesame_group_batch_encrypt(group, sesame_text(text), none, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  CHECK(sesame_group_free(group));
  host_exchange(it);
}

static void done(host *it, sesame_result result) {
  CHECK(sesame_result_free(result));
  host_exchange(it);
}

int main(void) {
  const sesame_relay relay = host_relay();
  host phone = host_create(relay, "alice"), bob = host_create(relay, "bob");
  host laptop = host_link(&phone), tablet = host_link(&bob);

  /* One message reaches every device of both, exactly once. */
  host_send(&phone, "bob", "to all of you");
  host *first[] = {&bob, &tablet, &laptop};
  all_expect(first, 3, "|to all of you");
  all_expect(first, 3, "");

  /* Bob's view of Alice is stale: she links a watch; the server refuses, and he sends again. */
  host_send(&bob, "alice", "before");
  host *alices[] = {&phone, &laptop};
  all_expect(alices, 2, "|before");
  host watch = host_link(&phone);
  host_send(&bob, "alice", "does the watch read this?");
  host *three[] = {&phone, &laptop, &watch};
  all_expect(three, 3, "|does the watch read this?");
  expect(&tablet, "|before|does the watch read this?");

  /* Closed and opened again. */
  CHECK(sesame_registry_free(watch.registry));
  CHECK(sesame_device_free(watch.device));
  sesame_device again;
  CHECK(sesame_device_open(watch.store, host_key(), host_clock, &again, &host_error));
  watch = host_of(relay, watch.store, again);
  host_send(&watch, "bob", "from my wrist");
  host *others[] = {&bob, &tablet, &phone, &laptop};
  all_expect(others, 4, "|from my wrist");

  /* A group: Alice and Bob; Alice adds Jen. */
  host jen = host_create(relay, "jen");
  host *everyone[] = {&phone, &laptop, &watch, &bob, &tablet, &jen};
  const sesame_slice bobs = sesame_text("bob"), jens = sesame_text("jen"), name = sesame_text("Trip"), none = {0};
  const sesame_group_change info = {sizeof info, &name, NULL, NULL, NULL, NULL};
  sesame_group trip, fork, hers;
  sesame_result result;
  const sesame_send *send;
  CHECK(sesame_device_create_group(phone.device, SESAME_GROUP_KIND_PAIRWISE, &info, &bobs, 1, &trip, &result, &send, &host_error));
  done(&phone, result);
  all_expect(everyone, 6, "");
  host_meet(&phone, "jen");
  CHECK(sesame_group_add(trip, &jens, 1, &result, &send, &host_error));
  done(&phone, result);
  all_expect(everyone, 6, "");
  uint8_t trip_id[32], fork_id[32];
  CHECK(sesame_group_id(trip, &trip_id, &host_error));
  const sesame_slice trips = {trip_id, 32}, forks = {fork_id, 32};
  /* Jen has never written to Alice, and is asked. */
  CHECK(sesame_device_group(jen.device, trips, &hers, &host_error));
  CHECK(sesame_group_accept(hers, &result, &send, &host_error));
  done(&jen, result);
  all_expect(everyone, 6, "");
  for (size_t i = 0; i < 6; i++) knows(everyone[i], trips, "Trip: alice bob jen");

  /* Jen writes, and every device reads it; she changes the title. */
  group_send(&jen, trips, "hello, group");
  all_expect(everyone, 5, "|hello, group");
  CHECK(sesame_group_rename(hers, sesame_text("Summer trip"), &result, &send, &host_error));
  done(&jen, result);
  all_expect(everyone, 6, "");
  for (size_t i = 0; i < 6; i++) knows(everyone[i], trips, "Summer trip: alice bob jen");

  /* Jen should go and will not leave: a fork without her; then Alice leaves the old group. */
  CHECK(sesame_group_fork_without(trip, &jens, 1, &fork, &result, &send, &host_error));
  done(&phone, result);
  CHECK(sesame_group_id(fork, &fork_id, &host_error));
  all_expect(everyone, 6, "");
  for (size_t i = 0; i < 5; i++) knows(everyone[i], forks, "Summer trip: alice bob");
  sesame_group strange;
  if (sesame_device_group(jen.device, forks, &strange, &host_error) != SESAME_STATUS_UNKNOWN_GROUP || strange.token != 0) return 1;
  CHECK(sesame_group_leave(trip, &result, &send, &host_error));
  done(&phone, result);
  all_expect(everyone, 6, "");
  for (size_t i = 3; i < 6; i++) knows(everyone[i], trips, "Summer trip: bob jen");
  if (sesame_group_batch_encrypt(trip, name, none, &result, &send, &host_error) != SESAME_STATUS_NOT_A_MEMBER) return 1;
  group_send(&jen, trips, "only Bob reads this");
  expect(&phone, "");
  expect(&laptop, "");
  expect(&bob, "|only Bob reads this");
  expect(&tablet, "|only Bob reads this");
  group_send(&bob, forks, "just us");
  for (size_t i = 0; i < 6; i++)
    if (everyone[i] != &bob) expect(everyone[i], everyone[i] == &jen ? "" : "|just us");

  /* The server saw nobody's group, and every mailbox is empty. */
  const sesame_relay_view *seen;
  CHECK(sesame_relay_get_view(relay, &result, &seen, &host_error));
  for (size_t i = 0; i < seen->waiting_count; i++)
    if (seen->waiting[i]->count != 0) return 1;
  printf("the story is told; the relay saw %zu things\n", seen->seen_count);
  CHECK(sesame_result_free(result));

  CHECK(sesame_group_free(trip));
  CHECK(sesame_group_free(fork));
  CHECK(sesame_group_free(hers));
  for (size_t i = 0; i < 6; i++) host_free(everyone[i]);
  CHECK(sesame_relay_free(relay));
  return 0;
}
