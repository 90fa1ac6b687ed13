// A store of the app's own in C++, over a std::map.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sesame.hpp>
#include <string>
#include <vector>

using namespace std::string_view_literals;

namespace {

class map_store {
public:
  // The store belongs to the handle, and goes with it.
  static sesame::store open() {
    auto mine = std::make_unique<map_store>();
    const sesame_store_functions functions = {sizeof functions, mine.get(), load, commit, release, destroy};
    auto store = sesame::store::app(functions);
    static_cast<void>(mine.release());
    return store;
  }

private:
  using bytes = std::vector<std::uint8_t>;
  static bytes copy(sesame_slice slice) { return {slice.data, slice.data + slice.len}; }

  static std::int32_t load(void *context, const sesame_query *queries, std::size_t count, bool, sesame_generation *generation,
                           sesame_rows rows) {
    auto &it = *static_cast<map_store *>(context);
    try { // nothing may be thrown through C
      for (const auto *query = queries; query != queries + count; query++) {
        const auto key = copy(query->key);
        for (auto at = it.rows_.lower_bound(key); at != it.rows_.end(); at++) {
          const bool fits = query->is_prefix ? at->first.size() >= key.size() && std::equal(key.begin(), key.end(), at->first.begin())
                                             : at->first == key;
          if (!fits) break;
          static_cast<void>(sesame_rows_add(rows, sesame::bytes(at->first), sesame::bytes(at->second)));
        }
      }
      *generation = it.generation_;
      return SESAME_STORE_OUTCOME_OK;
    } catch (const std::exception &) {
      return SESAME_STORE_OUTCOME_IO;
    }
  }

  static std::int32_t commit(void *context, const sesame_generation *expected, const sesame_generation *next, const sesame_change *changes,
                             std::size_t count) {
    auto &it = *static_cast<map_store *>(context);
    if (std::memcmp(&it.generation_, expected, sizeof *expected) != 0) return SESAME_STORE_OUTCOME_CONFLICT;
    try {
      auto rows = it.rows_; // changed whole or not at all
      for (const auto *change = changes; change != changes + count; change++) {
        if (change->is_delete)
          rows.erase(copy(change->key));
        else
          rows[copy(change->key)] = copy(change->row);
      }
      it.rows_.swap(rows);
      it.generation_ = *next;
      return SESAME_STORE_OUTCOME_OK;
    } catch (const std::exception &) {
      return SESAME_STORE_OUTCOME_FULL;
    }
  }

  static void release(void *) {}
  static void destroy(void *context) { delete static_cast<map_store *>(context); }

  sesame_generation generation_{};
  std::map<bytes, bytes> rows_;
};

} // namespace

int main() {
  if (auto claim = sesame::check_store(map_store::open); !claim.absent()) {
    std::cout << "the store does not keep: " << claim.text() << "\n";
    return 1;
  }
  auto device = sesame::device::create(map_store::open(), "32 bytes of your keychain's own."sv, "alice");
  std::cout << device.user().text() << "/" << device.id() << " lives in a std::map\n";
}
