// What the C++ header refuses to compile. Without CASE, or with CASE 0, this file compiles; with each other one it must not.
#include <sesame.hpp>

#include <string>
#include <vector>

#ifndef CASE
#define CASE 0
#endif

void refused(sesame::device &device, sesame::group &group, sesame::store &store) {
#if CASE == 0
  device.batch_encrypt({}, "nobody is meant: EMPTY_BATCH, not another overload");
  device.batch_encrypt(group, "a group");
  device.batch_encrypt(std::vector<std::string>{"bob", "jen"}, "a container of text");
  auto inbox = device.inbox();
  for (const auto &item : sesame::items(*inbox)) static_cast<void>(item.id);
#elif CASE == 1 // the items would outlive the result that owns them
  for (const auto &item : sesame::items(*device.inbox())) static_cast<void>(item.id);
#elif CASE == 2 // so would the bytes
  auto view = device.user().view();
#elif CASE == 3 // a text is not a list of users
  device.batch_encrypt("bob", "hello");
#elif CASE == 4
  device.batch_encrypt(std::string("bob"), "hello");
#elif CASE == 5 // two owners of one device
  sesame::device copy = device;
#elif CASE == 6 // a handle of another kind
  sesame::device::open(group, "key");
#elif CASE == 7
  device.batch_encrypt(store, "hello");
#elif CASE == 8 // an error would pass for a flag or a number
  sesame_error error;
  device.inbox(&error);
#elif CASE == 9 // a number is not a user
  device.registry().devices(7);
#elif CASE == 10 // `exchange` needs a transport
  device.exchange(store);
#elif CASE == 11 // a store that forgets a function
  struct forgetful : sesame::app_store {
    sesame_store_outcome load(sesame::span<sesame_query>, bool, sesame_generation &, sesame::rows &) override { return SESAME_STORE_OUTCOME_OK; }
  };
  sesame::store::app(std::make_unique<forgetful>());
#endif
  static_cast<void>(device), static_cast<void>(group), static_cast<void>(store);
}
