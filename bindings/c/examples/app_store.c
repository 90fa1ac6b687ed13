/* A device over a store of the app's own, which the library's own suite has checked. */
#include "host.h"
#include "memory_store.h"

static memory_store stores[16];

/* Gives the suite fresh, empty stores. */
static int32_t fresh(void *context, sesame_store *store) {
  size_t *next = context;
  const sesame_store_functions functions = memory_functions(&stores[(*next)++]);
  return sesame_store_app(&functions, store, NULL);
}

int main(void) {
  size_t opened = 0;
  sesame_result result;
  sesame_slice claim;
  CHECK(sesame_store_check(fresh, &opened, &result, &claim, &host_error));
  if (claim.data != NULL) {
    printf("the store does not keep: %.*s\n", (int)claim.len, (const char *)claim.data);
    return 1;
  }
  CHECK(sesame_result_free(result));
  printf("the suite has opened %zu stores and found nothing wrong\n", opened);

  memory_store mine = {0};
  const sesame_store_functions functions = memory_functions(&mine);
  const sesame_relay relay = host_relay();
  sesame_store store;
  CHECK(sesame_store_app(&functions, &store, &host_error));
  host alice = host_create_over(relay, store, "alice"), bob = host_create(relay, "bob");
  char read[64];
  host_send(&bob, "alice", "hello, store");
  host_read(&alice, read, sizeof read);
  printf("alice reads %s from %zu rows\n", read + 1, mine.count);

  /* Closed and opened again, as after a crash. */
  CHECK(sesame_registry_free(alice.registry));
  CHECK(sesame_device_free(alice.device));
  sesame_device again;
  CHECK(sesame_device_open(store, host_key(), host_clock, &again, &host_error));
  alice = host_of(relay, store, again);
  host_send(&bob, "alice", "and on");
  host_read(&alice, read, sizeof read);
  printf("alice reads %s\n", read + 1);
  host_free(&alice);
  host_free(&bob);
  CHECK(sesame_relay_free(relay));
  for (size_t i = 0; i < opened; i++) memory_clear(&stores[i]);
  const int destroyed = mine.destroyed;
  memory_clear(&mine);
  return destroyed ? 0 : 1;
}
