// Alice writes to Bob over a server in memory.
#include <iostream>
#include <sesame.hpp>

// A device in memory, or over sesame::store::sqlite.
static sesame::device create(std::string_view user) {
  return sesame::device::create(sesame::store::memory(), "32 bytes of your keychain's own.", user, "chat.example");
}

int main() {
  auto relay = sesame::relay::create("chat.example");
  auto alice = create("alice"), bob = create("bob");
  // `exchange` is the whole transport. An app gives it a function that POSTs request.body to request.path and returns a sesame::answer.
  bob.exchange(relay); // Bob's keys go up

  alice.batch_encrypt({"bob"}, "hello, Bob");
  alice.exchange(relay);

  bob.request_mail();
  bob.exchange(relay);
  auto inbox = bob.inbox();
  for (const auto &item : sesame::items(*inbox))
    if (item.message != nullptr)
      std::cout << sesame::text(item.message->user) << " says " << sesame::text(item.message->payload) << "\n";
  bob.ack(inbox);
}
