// Alice writes to Bob over a server in memory.
#include <iostream>
#include <sesame.hpp>

using namespace std::string_view_literals;

// A device in memory (or sesame::store::sqlite); it uploads its signed list and its prekeys.
static sesame::device join(const sesame::relay &relay, std::string_view user) {
  auto device = sesame::device::create(sesame::store::memory(), "32 bytes of your keychain's own."sv, user);
  while (auto upload = device.publication()) {
    relay.publish(user, device.id(), upload->bytes);
    device.published(upload->id);
  }
  return device;
}

int main() {
  auto relay = sesame::relay::create();
  auto alice = join(relay, "alice"), bob = join(relay, "bob");

  // One call encrypts for every device. What it needs comes from the server, until nothing is pending.
  for (auto send = alice.batch_encrypt({"bob"}, "hello, Bob"); send; send = alice.pending(send->id)) {
    for (const auto &batch : sesame::batches(*send)) {
      if (relay.submit("alice", 1, batch)->kind == SESAME_SUBMISSION_KIND_ACCEPTED)
        alice.accepted(send->id, batch.user);
    }
    alice.registry().apply(*relay.answer(sesame::needs(*send)));
  }

  // One call opens a mailbox. What it says waits in Bob's inbox until he acks it.
  auto mails = relay.fetch("bob", 1);
  auto read = bob.batch_decrypt({mails->envelopes, mails->count});
  relay.confirm("bob", 1, {mails->ids, mails->count});
  for (const auto &item : sesame::items(*read))
    if (item.message != nullptr)
      std::cout << sesame::bytes(item.message->user).text() << " says " << sesame::bytes(item.message->payload).text() << "\n";
  bob.ack(read);
}
