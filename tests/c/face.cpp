// The C++ header at work: the loop, lists as ranges, errors, and a store that throws.
#include <cstring>
#include <iostream>
#include <map>
#include <sesame.hpp>
#include <string>
#include <vector>
#if defined(__cpp_lib_ranges)
#include <algorithm>
#endif

namespace {

int passed = 0, failed = 0;

void holds(bool is, const char *what, int line) {
  ++(is ? passed : failed);
  if (!is) std::cerr << "line " << line << ": " << what << "\n";
}
#define HOLDS(what) holds((what), #what, __LINE__)

constexpr std::string_view KEY = "32 bytes of your keychain's own.", SERVER = "chat.example";

// What a call throws, as its code; 0 when it throws nothing of the library's.
template <class Call> int thrown(Call call) {
  try {
    call();
  } catch (const sesame::exception &error) {
    return error.code();
  }
  return 0;
}

struct network_is_down : std::exception {};

// A store that throws what it is told to.
class moody : public sesame::app_store {
public:
  enum mood { good, memory_is_out, says_so, throws_a_number } is = good;
  int released = 0;
  static int destroyed;
  ~moody() override { destroyed++; }

  sesame_store_outcome load(sesame::span<sesame_query> queries, bool, sesame_generation &generation, sesame::rows &found) override {
    speak();
    for (const auto &query : queries)
      for (const auto &[key, row] : rows_)
        if (query.is_prefix ? key.compare(0, query.key.len, sesame::text(query.key)) == 0 : key == sesame::text(query.key)) found.add(key, row);
    generation = generation_;
    return SESAME_STORE_OUTCOME_OK;
  }
  sesame_store_outcome commit(const sesame_generation &expected, const sesame_generation &next,
                              sesame::span<sesame_change> changes) override {
    speak();
    if (std::memcmp(&generation_, &expected, sizeof expected) != 0) return SESAME_STORE_OUTCOME_CONFLICT;
    for (const auto &change : changes) {
      if (change.is_delete)
        rows_.erase(std::string(sesame::text(change.key)));
      else
        rows_[std::string(sesame::text(change.key))] = sesame::text(change.row);
    }
    generation_ = next;
    return SESAME_STORE_OUTCOME_OK;
  }
  void release() override { released++; }

private:
  void speak() const {
    if (is == memory_is_out) throw std::bad_alloc();
    if (is == says_so) throw std::runtime_error("the disk is on fire");
    if (is == throws_a_number) throw 7;
  }
  sesame_generation generation_{};
  std::map<std::string, std::string> rows_;
};
int moody::destroyed = 0;

void a_store_that_throws() {
  auto own = std::make_unique<moody>();
  auto &it = *own;
  {
    const auto store = sesame::store::app(std::move(own));
    const auto device = sesame::device::create(store, KEY, "alice", SERVER);
    it.is = moody::memory_is_out;
    HOLDS(thrown([&] { device.set_push("here"); }) == SESAME_STATUS_STORE_FULL);
    it.is = moody::says_so;
    HOLDS(thrown([&] { device.set_push("here"); }) == SESAME_STATUS_STORE_IO);
    try {
      std::rethrow_exception(it.thrown());
    } catch (const std::runtime_error &error) {
      HOLDS(error.what() == std::string("the disk is on fire"));
    }
    it.is = moody::throws_a_number;
    HOLDS(thrown([&] { device.set_push("here"); }) == SESAME_STATUS_STORE_IO);
    it.is = moody::good;
    device.set_memory_limit(0);
    HOLDS(thrown([&] { device.set_push("here"); }) == 0);
    HOLDS(moody::destroyed == 0);
  }
  HOLDS(moody::destroyed == 1);
}

void errors() {
  const auto store = sesame::store::memory();
  try {
    sesame::device::create(store, "too short", "alice", SERVER);
    HOLDS(false);
  } catch (const sesame::exception &error) {
    HOLDS(error.code() == 101 && error.name() == "INVALID_ARGUMENT" && error.field() == "store_key");
    HOLDS(std::string(error.what()).find("INVALID_ARGUMENT (101)") == 0);
  }
  try {
    sesame::store::sqlite("/nowhere/at/all.db");
    HOLDS(false);
  } catch (const sesame::exception &error) {
    HOLDS(error.name() == "STORE_PATH_MISSING" && error.detail().find("/nowhere/at") == 0);
  }
  sesame_error error;
  HOLDS(!sesame::device::open(store, KEY, {}, &error) && error.status == SESAME_STATUS_FOREIGN_STORE);
  const auto device = sesame::device::create(store, KEY, "alice", SERVER);
  HOLDS(thrown([&] { device.batch_encrypt({}, "to nobody"); }) == SESAME_STATUS_EMPTY_BATCH);
  HOLDS(!device.batch_encrypt({}, "to nobody", {}, &error) && error.status == SESAME_STATUS_EMPTY_BATCH);
}

void the_loop() {
  const auto relay = sesame::relay::create(SERVER);
  const auto create = [&](std::string_view user) {
    auto device = sesame::device::create(sesame::store::memory(), KEY, user, SERVER);
    device.exchange(relay);
    return device;
  };
  const auto alice = create("alice"), bob = create("bob"), jen = create("jen");
  const std::vector<std::string> both = {"bob", "jen"};
  auto send = alice.batch_encrypt(both, "hello, both");

  // A transport that throws: the loop ends, the request is not lost, and what was thrown arrives.
  int tries = 0;
  bool caught = false;
  try {
    alice.exchange([&](const sesame_server_request &) -> sesame::answer {
      tries++;
      throw network_is_down();
    });
  } catch (const network_is_down &) {
    caught = true;
  }
  HOLDS(caught && tries == 1 && alice.due_in().count() > 0 && alice.health()->problem == SESAME_STATUS_SERVER_UNREACHABLE);
  alice.retry_now();
  // A transport of the app's own, with bodies in a std::string.
  alice.exchange([&](const sesame_server_request &request) {
    auto reply = relay.perform(request);
    return sesame::answer{reply.status, std::string(reply.body.text())};
  });
  auto status = alice.send_status(send->id);
  HOLDS(status && status->finished && sesame::users(*status).size() == 2);
  for (const auto &user : sesame::users(*status)) HOLDS(user.outcome == SESAME_OUTCOME_SENT);

  for (const auto *device : {&bob, &jen}) {
    device->request_mail();
    device->exchange(relay);
    auto inbox = device->inbox();
    int messages = 0;
    for (const auto &item : sesame::items(*inbox))
      messages += item.message != nullptr && sesame::text(item.message->payload) == "hello, both";
    HOLDS(messages == 1);
#if defined(__cpp_lib_ranges)
    HOLDS(std::ranges::count_if(sesame::items(*inbox), [](const auto &item) { return item.message != nullptr; }) == 1);
#endif
    device->ack(inbox);
    HOLDS(device->inbox()->count == 0);
  }
  HOLDS(thrown([&] { bob.respond(std::string_view("0123456789abcdef"), 200, {}); }) == SESAME_STATUS_FOREIGN_REQUEST);
  sesame_error error;
  bob.batch_decrypt({}, &error);
  HOLDS(error.status == SESAME_STATUS_OK);
}

void a_new_device() {
  const auto relay = sesame::relay::create(SERVER);
  const auto store = sesame::store::memory();
  const auto phone = sesame::device::create(sesame::store::memory(), KEY, "alice", SERVER);
  phone.exchange(relay);
  const auto linking = sesame::linking::begin(store, KEY, SERVER);
  auto link = phone.link_device(linking.code());
  phone.exchange(relay);
  linking.exchange(relay);
  HOLDS(linking.digits().text() == sesame::text(link->digits));
  linking.confirm();
  HOLDS(phone.confirm_link(link->id) == 2);
  HOLDS(!linking.device());
  phone.exchange(relay);
  linking.exchange(relay);
  const auto laptop = linking.device();
  HOLDS(laptop && laptop.id() == 2 && !laptop.is_primary() && phone.is_primary());
}

void a_clock() {
  const auto clock = sesame::clock::create(std::chrono::milliseconds(1790000000000));
  const auto relay = sesame::relay::create(SERVER, clock);
  const auto device = sesame::device::create(sesame::store::memory(), KEY, "alice", SERVER, {}, clock);
  device.exchange([](const sesame_server_request &) { return sesame::answer{503, {}}; });
  const auto due = device.due_in();
  HOLDS(due.count() > 0);
  clock.advance(due);
  device.exchange(relay);
  HOLDS(device.health()->registered);
}

} // namespace

int main() {
  a_store_that_throws();
  errors();
  the_loop();
  a_new_device();
  a_clock();
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
