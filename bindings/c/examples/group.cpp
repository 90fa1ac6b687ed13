// A group in C++: made, renamed, and left.
#include <iostream>
#include <sesame.hpp>

namespace {

sesame::device create(std::string_view user, const sesame::relay &relay) {
  auto device = sesame::device::create(sesame::store::memory(), "32 bytes of your keychain's own.", user, "chat.example");
  device.exchange(relay);
  return device;
}

void read(const sesame::device &device, const sesame::relay &relay) {
  device.request_mail();
  device.exchange(relay);
  auto inbox = device.inbox();
  for (const auto &item : sesame::items(*inbox))
    if (item.message != nullptr) std::cout << device.user().text() << " reads " << sesame::text(item.message->payload) << "\n";
  device.ack(inbox);
}

} // namespace

int main() {
  const auto relay = sesame::relay::create("chat.example");
  const auto alice = create("alice", relay), bob = create("bob", relay);

  // Who is to be a member must be known first.
  alice.registry().look_up({"bob"});
  alice.exchange(relay);
  sesame::group_change info;
  auto [trip, made] = alice.create_group(info.name("Trip").timer(3600), {"bob"});
  alice.batch_encrypt(trip, "hello, group");
  alice.exchange(relay);
  read(bob, relay);
  // Bob has never written to Alice, and is asked. What was said meanwhile is in his inbox once he has said yes.
  bob.group(trip.id()).accept();
  bob.exchange(relay);
  read(bob, relay);

  bob.group(trip.id()).rename("Summer trip");
  bob.exchange(relay);
  read(alice, relay);
  auto view = trip.view();
  std::cout << "alice sees '" << sesame::text(view->name) << "':";
  for (const auto &member : sesame::members(*view)) std::cout << " " << sesame::text(member);
  std::cout << "\n";

  // Every send has an outcome for each user. Once it is finished, an item of the inbox says so as well.
  auto said = trip.batch_encrypt("bye");
  alice.exchange(relay);
  auto status = alice.send_status(said->id);
  for (const auto &user : sesame::users(*status))
    if (user.outcome == SESAME_OUTCOME_SENT) std::cout << "the server has taken it for " << sesame::text(user.user) << "\n";

  trip.leave();
  alice.exchange(relay);
  try {
    trip.batch_encrypt("?");
  } catch (const sesame::exception &error) {
    std::cout << "after that: " << error.what() << "\n";
  }
  sesame_error error;
  trip.batch_encrypt("?", {}, &error);
  return error.status == SESAME_STATUS_NOT_A_MEMBER ? 0 : 1;
}
