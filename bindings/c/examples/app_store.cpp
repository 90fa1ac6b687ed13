// A store of the app's own in C++, over a std::map.
#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <sesame.hpp>
#include <string>

namespace {

// What a function throws becomes an error of the call that came to it.
class map_store : public sesame::app_store {
public:
  sesame_store_outcome load(sesame::span<sesame_query> queries, bool, sesame_generation &generation, sesame::rows &found) override {
    for (const auto &query : queries) {
      const std::string key(sesame::text(query.key));
      for (auto at = rows_.lower_bound(key); at != rows_.end(); at++) {
        const bool fits = query.is_prefix ? at->first.compare(0, key.size(), key) == 0 : at->first == key;
        if (!fits) break;
        found.add(at->first, at->second);
      }
    }
    generation = generation_;
    return SESAME_STORE_OUTCOME_OK;
  }

  sesame_store_outcome commit(const sesame_generation &expected, const sesame_generation &next,
                              sesame::span<sesame_change> changes) override {
    if (std::memcmp(&generation_, &expected, sizeof expected) != 0) return SESAME_STORE_OUTCOME_CONFLICT;
    auto rows = rows_; // changed whole or not at all
    for (const auto &change : changes) {
      if (change.is_delete)
        rows.erase(std::string(sesame::text(change.key)));
      else
        rows[std::string(sesame::text(change.key))] = sesame::text(change.row);
    }
    rows_.swap(rows);
    generation_ = next;
    return SESAME_STORE_OUTCOME_OK;
  }

private:
  sesame_generation generation_{};
  std::map<std::string, std::string> rows_;
};

} // namespace

int main() {
  // The library's suite tries every promise of a store.
  const auto claim = sesame::check_store([] { return sesame::store::app(std::make_unique<map_store>()); });
  if (!claim.absent()) {
    std::cout << "the store does not keep: " << claim.text() << "\n";
    return 1;
  }
  const auto store = sesame::store::app(std::make_unique<map_store>());
  const auto device = sesame::device::create(store, "32 bytes of your keychain's own.", "alice", "chat.example");
  std::cout << device.user().text() << "/" << device.id() << " lives in a std::map\n";
}
