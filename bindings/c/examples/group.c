/* A group: Alice makes it, adds Jen, changes its name, and goes on without Jen in a fork, because nobody can remove anybody. */
#include "host.h"

static void show(host *it, sesame_slice id) {
  sesame_group group;
  sesame_result result;
  const sesame_group_view *view;
  CHECK(sesame_device_group(it->device, id, &group, &host_error));
  CHECK(sesame_group_get_view(group, &result, &view, &host_error));
  printf("%s sees '%.*s':", it->user, (int)view->name.len, (const char *)view->name.data);
  for (size_t i = 0; i < view->member_count; i++) printf(" %.*s", (int)view->members[i].len, (const char *)view->members[i].data);
  printf("\n");
  CHECK(sesame_result_free(result));
  CHECK(sesame_group_free(group));
}

/* Who has never written to Alice is asked whether to be in her group. */
static void accept_invitation(host *it, sesame_group of_alice) {
  uint8_t id[32];
  char read[512];
  sesame_group group;
  sesame_result result;
  const sesame_send *send;
  host_read(it, read, sizeof read);
  CHECK(sesame_group_id(of_alice, &id, &host_error));
  CHECK(sesame_device_group(it->device, (sesame_slice){id, sizeof id}, &group, &host_error));
  CHECK(sesame_group_accept(group, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(it);
  CHECK(sesame_group_free(group));
}

int main(void) {
  const sesame_relay relay = host_relay();
  host alice = host_create(relay, "alice"), bob = host_create(relay, "bob"), jen = host_create(relay, "jen");
  char read[512];

  /* Who is to be a member must be known first. */
  host_meet(&alice, "bob");
  host_meet(&alice, "jen");
  sesame_slice bobs = sesame_text("bob"), jens = sesame_text("jen"), name = sesame_text("Trip"), none = {0};
  sesame_group_change info = {sizeof info, &name, NULL, NULL, NULL, NULL};
  sesame_group trip, fork;
  sesame_result result;
  const sesame_send *send;
  CHECK(sesame_device_create_group(alice.device, SESAME_GROUP_KIND_PAIRWISE, &info, &bobs, 1, &trip, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  accept_invitation(&bob, trip);
  CHECK(sesame_group_add(trip, &jens, 1, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  host_read(&bob, read, sizeof read);
  accept_invitation(&jen, trip);
  host_read(&alice, read, sizeof read);

  /* A message to the group is a send like any other. */
  CHECK(sesame_group_batch_encrypt(trip, sesame_text("hello, all"), none, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  host_read(&bob, read, sizeof read);
  printf("bob reads %s\n", read + 1);
  host_read(&jen, read, sizeof read);
  printf("jen reads %s\n", read + 1);

  CHECK(sesame_group_rename(trip, sesame_text("Summer trip"), &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  host_read(&jen, read, sizeof read);
  uint8_t id[32], fork_id[32];
  CHECK(sesame_group_id(trip, &id, &host_error));
  sesame_slice trips = {id, sizeof id}, forks = {fork_id, sizeof fork_id};
  show(&jen, trips);

  CHECK(sesame_group_fork_without(trip, &jens, 1, &fork, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  CHECK(sesame_group_leave(trip, &result, &send, &host_error));
  CHECK(sesame_result_free(result));
  host_exchange(&alice);
  host_read(&bob, read, sizeof read);
  CHECK(sesame_group_id(fork, &fork_id, &host_error));
  show(&bob, forks);
  show(&bob, trips);

  CHECK(sesame_group_free(trip));
  CHECK(sesame_group_free(fork));
  host_free(&alice);
  host_free(&bob);
  host_free(&jen);
  CHECK(sesame_relay_free(relay));
  return 0;
}
