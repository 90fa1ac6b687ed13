/* Where a device lives: SQLite, memory, or a store of the app's own. */
#ifndef SESAME_STORE_HPP
#define SESAME_STORE_HPP

#include "values.hpp"

#include <memory>
#if SESAME_EXCEPTIONS
#include <exception>
#include <new>
#endif

namespace sesame {

/* Where a `load` of the app's store puts the rows that it finds. */
class rows {
public:
  explicit rows(sesame_rows raw) noexcept : raw_(raw) {}
  void add(bytes key, bytes row) noexcept { refused_ = refused_ || sesame_rows_add(raw_, key, row) != SESAME_STATUS_OK; }
  /* Whether a row was not taken. */
  bool refused() const noexcept { return refused_; }

private:
  sesame_rows raw_;
  bool refused_ = false;
};

/* A store of the app's own: `sesame_store_functions` in sesame.h says what each function must do. What a function throws is caught: the
 * call of the library fails with a store error, STORE_FULL for std::bad_alloc and STORE_IO for the rest, and `thrown` keeps it. */
class app_store {
public:
  virtual ~app_store() = default;
  virtual sesame_store_outcome load(span<sesame_query> queries, bool hold, sesame_generation &generation, rows &found) = 0;
  virtual sesame_store_outcome commit(const sesame_generation &expected, const sesame_generation &next, span<sesame_change> changes) = 0;
  virtual void release() {}
#if SESAME_EXCEPTIONS
  /* What `load`, `commit` or `release` threw last. */
  std::exception_ptr thrown() const noexcept { return thrown_; }
#endif

private:
  friend class store;
  template <class Function> static std::int32_t guard(void *context, Function function) noexcept {
#if SESAME_EXCEPTIONS
    auto &self = *static_cast<app_store *>(context);
    try {
      return static_cast<std::int32_t>(function(self));
    } catch (const std::bad_alloc &) {
      self.thrown_ = std::current_exception();
      return SESAME_STORE_OUTCOME_FULL;
    } catch (...) {
      self.thrown_ = std::current_exception();
      return SESAME_STORE_OUTCOME_IO;
    }
#else
    return static_cast<std::int32_t>(function(*static_cast<app_store *>(context)));
#endif
  }
#if SESAME_EXCEPTIONS
  std::exception_ptr thrown_;
#endif
};

/* Where a device lives. */
class store : public detail::handle<sesame_store, sesame_store_free> {
public:
  static store sqlite(bytes path, sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_sqlite(path, to, e); }, error);
  }
  static store memory(sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_memory(to, e); }, error);
  }
  /* Takes the app's own store over; it is deleted with the last handle over it. */
  static store app(std::unique_ptr<app_store> own, sesame_error *error = nullptr) {
    const sesame_store_functions functions = {sizeof functions, own.get(), load, commit, release, destroy};
    auto made = app(functions, error);
    if (made) static_cast<void>(own.release());
    return made;
  }
  /* A table of C functions: nothing may be thrown out of them. */
  static store app(const sesame_store_functions &functions, sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_app(&functions, to, e); }, error);
  }
  /* Deletes every row: an empty store is left. */
  void erase(sesame_error *error = nullptr) const {
    detail::call call(error);
    call.check(sesame_store_erase(raw(), call));
  }

private:
  static std::int32_t load(void *context, const sesame_query *queries, std::size_t count, bool hold, sesame_generation *generation,
                           sesame_rows to) noexcept {
    return app_store::guard(context, [&](app_store &it) {
      rows found(to);
      const auto outcome = it.load({queries, count}, hold, *generation, found);
      return found.refused() ? SESAME_STORE_OUTCOME_IO : outcome;
    });
  }
  static std::int32_t commit(void *context, const sesame_generation *expected, const sesame_generation *next,
                             const sesame_change *changes, std::size_t count) noexcept {
    return app_store::guard(context, [&](app_store &it) { return it.commit(*expected, *next, {changes, count}); });
  }
  static void release(void *context) noexcept {
    static_cast<void>(app_store::guard(context, [](app_store &it) { return it.release(), SESAME_STORE_OUTCOME_OK; }));
  }
  static void destroy(void *context) noexcept { delete static_cast<app_store *>(context); }

  template <class Make> static store make(Make made, sesame_error *error) {
    store store;
    detail::call call(error);
    call.check(made(store.out(), call));
    return store;
  }
};

/* Runs the library's suite against stores of the app's own: `open` gives a fresh, empty one each time. What comes back is the first claim
 * that does not hold, in words, or absent. Whatever `open` throws counts as a store that could not be opened. */
template <class Open> blob check_store(Open open, sesame_error *error = nullptr) {
  blob out;
  detail::call call(error);
  const auto give = [](void *context, sesame_store *to) -> std::int32_t {
#if SESAME_EXCEPTIONS
    try {
#endif
      store opened = (*static_cast<Open *>(context))();
      std::swap(*to, *opened.out());
      return SESAME_STATUS_OK;
#if SESAME_EXCEPTIONS
    } catch (...) {
      return SESAME_STATUS_STORE_IO;
    }
#endif
  };
  call.check(sesame_store_check(give, &open, out.owner(), out.out(), call));
  return out;
}

} // namespace sesame

#endif /* SESAME_STORE_HPP */
