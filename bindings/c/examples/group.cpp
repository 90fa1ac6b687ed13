// A group in C++: made, renamed, and left.
#include <iostream>
#include <sesame.hpp>
#include <string>

using namespace std::string_view_literals;

namespace {

struct host {
  const sesame::relay &relay;
  std::string user;
  sesame::device device;

  host(const sesame::relay &server, std::string name)
      : relay(server), user(std::move(name)), device(sesame::device::create(sesame::store::memory(), "32 bytes of your keychain's own."sv, user)) {
    while (auto upload = device.publication()) {
      relay.publish(user, 1, upload->bytes);
      device.published(upload->id);
    }
  }

  void settle() const {
    for (auto outbox = device.outbox(); outbox->count > 0; outbox = device.outbox()) {
      for (const auto &send : sesame::items(*outbox)) {
        for (const auto &batch : sesame::batches(send)) {
          auto said = relay.submit(user, 1, batch);
          if (said->kind == SESAME_SUBMISSION_KIND_ACCEPTED)
            device.accepted(send.id, batch.user);
          else
            device.rejected(send.id, batch.user, said->device_list);
        }
        device.registry().apply(*relay.answer(sesame::needs(send)));
      }
    }
  }

  void meet(std::string_view who) const {
    const sesame_need need = {sizeof need, SESAME_NEED_KIND_DEVICE_LIST, 0, sesame::bytes(who)};
    const sesame_need *needs = &need;
    device.registry().apply(*relay.answer({&needs, 1}));
  }

  void read() const {
    auto mails = relay.fetch(user, 1);
    if (mails->count == 0) return;
    auto read = device.batch_decrypt({mails->envelopes, mails->count});
    relay.confirm(user, 1, {mails->ids, mails->count});
    for (const auto &item : sesame::items(*read))
      if (item.message != nullptr) std::cout << user << " reads " << sesame::bytes(item.message->payload).text() << "\n";
    device.ack(read);
    settle();
  }
};

} // namespace

int main() {
  auto relay = sesame::relay::create();
  host alice(relay, "alice"), bob(relay, "bob");
  alice.meet("bob");
  sesame::group_change info;
  auto [trip, told] = alice.device.create_group(info.name("Trip").timer(3600), {"bob"});
  alice.settle();
  bob.read();
  alice.device.batch_encrypt(trip, "hello, group");
  alice.settle();
  bob.read();
  const auto id = trip.id();
  bob.device.group(id).rename("Summer trip");
  bob.settle();
  alice.read();
  auto view = trip.view();
  std::cout << "alice sees '" << sesame::bytes(view->name).text() << "':";
  for (const auto &member : sesame::members(*view)) std::cout << " " << sesame::bytes(member).text();
  std::cout << "\n";
  trip.leave();
  alice.settle();
  try {
    trip.batch_encrypt("?");
  } catch (const sesame::exception &error) {
    std::cout << "after that: " << error.what() << "\n";
  }
  sesame_error said;
  trip.batch_encrypt("?", {}, &said);
  return said.status == SESAME_STATUS_NOT_A_MEMBER ? 0 : 1;
}
