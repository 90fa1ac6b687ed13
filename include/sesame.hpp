/* libsesame for C++17: handles that free themselves, views that are ranges, errors as you like them. Header only, over sesame.h.
 *
 * - Every class is move-only and frees what it holds. A result owns what its view leads to: keep it as long as you read.
 * - Every call takes, last, an optional `sesame_error *`. Without it a failure throws `sesame::exception`; with it nothing is
 *   thrown, the error says what happened, and what the call returns is empty. With -fno-exceptions a failure without it aborts.
 * - Bytes and text go in as anything that is a `std::string_view` or has data() and size() of bytes; nothing is copied on the way.
 */
#ifndef SESAME_HPP
#define SESAME_HPP

#include "sesame.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sesame {

/* Bytes that somebody else owns; the same in memory as a sesame_slice, so that a list of them is one for C. */
struct bytes : sesame_slice {
  constexpr bytes() noexcept : sesame_slice{nullptr, 0} {}
  constexpr bytes(const sesame_slice &slice) noexcept : sesame_slice(slice) {}
  constexpr bytes(const std::uint8_t *from, std::size_t count) noexcept : sesame_slice{from, count} {}
  constexpr bytes(std::nullptr_t) noexcept : bytes() {}
  bytes(const char *text) noexcept : bytes(text == nullptr ? std::string_view() : std::string_view(text)) {}
  bytes(const std::string &text) noexcept : bytes(std::string_view(text)) {}
  bytes(std::string_view text) noexcept : sesame_slice{reinterpret_cast<const std::uint8_t *>(text.data()), text.size()} {}
  template <class Container, class = decltype(static_cast<const std::uint8_t *>(std::declval<const Container &>().data()))>
  bytes(const Container &container) noexcept : sesame_slice{container.data(), container.size()} {}

  const std::uint8_t *begin() const noexcept { return data; }
  const std::uint8_t *end() const noexcept { return data + len; }
  std::size_t size() const noexcept { return len; }
  bool absent() const noexcept { return data == nullptr; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data), len}; }
  friend bool operator==(const bytes &a, const bytes &b) noexcept { return a.text() == b.text(); }
  friend bool operator!=(const bytes &a, const bytes &b) noexcept { return !(a == b); }
};
static_assert(sizeof(bytes) == sizeof(sesame_slice), "a list of bytes is a list of slices");

/* Slices and users, as a call takes them: from braces, or from a pointer and a count. */
struct slices {
  const sesame_slice *items = nullptr;
  std::size_t count = 0;
  slices() noexcept = default;
  slices(const sesame_slice *from, std::size_t number) noexcept : items(from), count(number) {}
  slices(std::initializer_list<bytes> list) noexcept : items(list.begin()), count(list.size()) {}
};

/* Values side by side. */
template <class T> struct span {
  const T *items;
  std::size_t count;
  const T *begin() const noexcept { return items; }
  const T *end() const noexcept { return items + count; }
  std::size_t size() const noexcept { return count; }
  const T &operator[](std::size_t at) const noexcept { return items[at]; }
};

/* The items of a list, each behind a pointer. */
template <class T> struct list {
  struct iterator {
    const T *const *at;
    const T &operator*() const noexcept { return **at; }
    const T *operator->() const noexcept { return *at; }
    iterator &operator++() noexcept { return ++at, *this; }
    bool operator!=(const iterator &other) const noexcept { return at != other.at; }
  };
  const T *const *items;
  std::size_t count;
  iterator begin() const noexcept { return {items}; }
  iterator end() const noexcept { return {items + count}; }
  std::size_t size() const noexcept { return count; }
  const T &operator[](std::size_t at) const noexcept { return *items[at]; }
};

inline list<sesame_batch> batches(const sesame_send &send) { return {send.batches, send.batch_count}; }
inline list<sesame_need> needs(const sesame_send &send) { return {send.needs, send.need_count}; }
inline list<sesame_outgoing> envelopes(const sesame_batch &batch) { return {batch.envelopes, batch.envelope_count}; }
inline list<sesame_received> items(const sesame_received_list &all) { return {all.items, all.count}; }
inline list<sesame_send> items(const sesame_sends &all) { return {all.items, all.count}; }
inline list<sesame_event> items(const sesame_events &all) { return {all.items, all.count}; }
inline list<sesame_user_view> items(const sesame_users &all) { return {all.items, all.count}; }
inline list<sesame_device_view> items(const sesame_devices &all) { return {all.items, all.count}; }
inline list<sesame_group_view> items(const sesame_groups &all) { return {all.items, all.count}; }
inline list<sesame_history_entry> items(const sesame_history &all) { return {all.items, all.count}; }
inline list<sesame_mail> items(const sesame_mails &all) { return {all.items, all.count}; }
inline span<sesame_slice> members(const sesame_group_view &group) { return {group.members, group.member_count}; }

/* What a call that was given no sesame_error throws. Its text has the name, the number, the reason, and the detail if there is one. */
class exception : public std::runtime_error {
public:
  explicit exception(const sesame_error &error) : std::runtime_error(said(error)), error_(error) {}
  sesame_status status() const noexcept { return error_.status; }
  /* The number of the status, the same in every language. */
  std::int32_t code() const noexcept { return static_cast<std::int32_t>(error_.status); }
  /* The name of the status: "STORE_FULL". */
  std::string_view name() const noexcept { return sesame_status_name(code()); }
  std::string_view reason() const noexcept { return error_.reason; }
  /* For an error of the store: its path with the system's cause, or what the app's own store said. */
  std::string_view detail() const noexcept { return error_.detail; }
  std::string_view field() const noexcept { return error_.field; }
  /* Which item of a list, or -1. */
  std::int64_t item() const noexcept { return error_.item; }

private:
  static std::string said(const sesame_error &error) {
    const auto code = static_cast<std::int32_t>(error.status);
    std::string text = std::string(sesame_status_name(code)) + " (" + std::to_string(code) + "): " + error.reason;
    return error.detail[0] == 0 ? text : text + ": " + error.detail;
  }

  sesame_error error_;
};

namespace detail {

/* One call: where its error goes, and what happens then. */
class call {
public:
  explicit call(sesame_error *out) noexcept : out_(out) {}
  operator sesame_error *() noexcept { return out_ != nullptr ? out_ : &local_; }
  void check(sesame_status status) const {
    if (status == SESAME_STATUS_OK || out_ != nullptr) {
      return;
    }
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    throw exception(local_);
#else
    std::abort();
#endif
  }

private:
  sesame_error *out_;
  sesame_error local_{};
};

template <class Raw, sesame_status (*Free)(Raw)> class handle {
public:
  handle() noexcept = default;
  explicit handle(Raw raw) noexcept : raw_(raw) {}
  handle(handle &&other) noexcept : raw_(std::exchange(other.raw_, Raw{0})) {}
  handle &operator=(handle &&other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  handle(const handle &) = delete;
  handle &operator=(const handle &) = delete;
  ~handle() { static_cast<void>(Free(raw_)); }

  /* The C handle, still owned by this. */
  Raw raw() const noexcept { return raw_; }
  explicit operator bool() const noexcept { return raw_.token != 0; }
  Raw *out() noexcept { return &raw_; }

private:
  Raw raw_{0};
};

using owner = handle<sesame_result, sesame_result_free>;

} // namespace detail

/* What a call gave: a pointer into memory of its own, which lives as long as this does. Name it before you walk through it:
 * `auto outbox = device.outbox(); for (const auto &send : sesame::items(*outbox)) ...` */
template <class View> class result {
public:
  result() noexcept = default;
  result(result &&other) noexcept : owner_(std::move(other.owner_)), view_(std::exchange(other.view_, nullptr)) {}
  result &operator=(result &&other) noexcept {
    owner_ = std::move(other.owner_);
    std::swap(view_, other.view_);
    return *this;
  }
  const View *operator->() const noexcept { return view_; }
  const View &operator*() const noexcept { return *view_; }
  const View *get() const noexcept { return view_; }
  explicit operator bool() const noexcept { return view_ != nullptr; }
  sesame_result *owner() noexcept { return owner_.out(); }
  const View **out() noexcept { return &view_; }

private:
  detail::owner owner_;
  const View *view_ = nullptr;
};

/* Bytes that a call gave; they live as long as this does. */
class blob {
public:
  blob() noexcept = default;
  blob(blob &&other) noexcept : owner_(std::move(other.owner_)), view_(std::exchange(other.view_, sesame_slice{nullptr, 0})) {}
  blob &operator=(blob &&other) noexcept {
    owner_ = std::move(other.owner_);
    std::swap(view_, other.view_);
    return *this;
  }
  bytes view() const noexcept { return view_; }
  operator bytes() const noexcept { return view_; }
  std::string_view text() const noexcept { return bytes(view_).text(); }
  bool absent() const noexcept { return view_.data == nullptr; }
  sesame_result *owner() noexcept { return owner_.out(); }
  sesame_slice *out() noexcept { return &view_; }

private:
  detail::owner owner_;
  sesame_slice view_{nullptr, 0};
};

using send = result<sesame_send>;
using received = result<sesame_received_list>;
using events = result<sesame_events>;

/* Where a device lives. */
class store : public detail::handle<sesame_store, sesame_store_free> {
public:
  static store sqlite(bytes path, sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_sqlite(path, to, e); }, error);
  }
  static store memory(sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_memory(to, e); }, error);
  }
  static store app(const sesame_store_functions &functions, sesame_error *error = nullptr) {
    return make([&](sesame_store *to, sesame_error *e) { return sesame_store_app(&functions, to, e); }, error);
  }

private:
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
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    try {
#endif
      store opened = (*static_cast<Open *>(context))();
      std::swap(*to, *opened.out());
      return SESAME_STATUS_OK;
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    } catch (...) {
      return SESAME_STATUS_STORE_IO;
    }
#endif
  };
  call.check(sesame_store_check(give, &open, out.owner(), out.out(), call));
  return out;
}

/* The library's version, to be compared with SESAME_VERSION_NUMBER. */
inline std::uint32_t version() noexcept { return sesame_version(); }
inline std::string_view version_text() noexcept { return sesame_version_string(); }
/* What a status says. */
inline std::string_view text(sesame_status status) noexcept { return sesame_status_text(status); }
inline std::string_view name(sesame_status status) noexcept { return sesame_status_name(status); }
/* Overwrites the app's own copy of a secret. */
inline void wipe(void *data, std::size_t size) noexcept { static_cast<void>(sesame_wipe(data, size)); }

/* Every method below is one call of sesame.h, which says what it does. */
#define SESAME_CALL(out, function, ...)                                                                                            \
  detail::call call(error);                                                                                                         \
  call.check(function(__VA_ARGS__, call));                                                                                          \
  return out

class session : public detail::handle<sesame_session, sesame_session_free> {
public:
  result<sesame_session_view> info(sesame_error *error = nullptr) const {
    result<sesame_session_view> out;
    SESAME_CALL(out, sesame_session_info, raw(), out.owner(), out.out());
  }
  send encrypt(bytes payload, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_session_encrypt, raw(), payload, out.owner(), out.out());
  }
};

class registry : public detail::handle<sesame_registry, sesame_registry_free> {
public:
  result<sesame_users> users(sesame_error *error = nullptr) const {
    result<sesame_users> out;
    SESAME_CALL(out, sesame_registry_users, raw(), out.owner(), out.out());
  }
  result<sesame_devices> devices(bytes user, sesame_error *error = nullptr) const {
    result<sesame_devices> out;
    SESAME_CALL(out, sesame_registry_devices, raw(), user, out.owner(), out.out());
  }
  result<sesame_applied> apply(const sesame_answers &answers, sesame_error *error = nullptr) const {
    result<sesame_applied> out;
    SESAME_CALL(out, sesame_registry_apply, raw(), &answers, out.owner(), out.out());
  }
  received accept_identity(bytes user, bytes account_key, sesame_error *error = nullptr) const {
    received out;
    SESAME_CALL(out, sesame_registry_accept_identity, raw(), user, account_key, out.owner(), out.out());
  }
  void mark_verified(bytes user, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_mark_verified, raw(), user);
  }
  void resolve_fork(bytes user, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_resolve_fork, raw(), user);
  }
  blob safety_number(bytes user, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_registry_safety_number, raw(), user, out.owner(), out.out());
  }
};

/* New values for a group's info; what is not set stays. */
class group_change {
public:
  group_change &name(bytes to) { return set(name_, to, raw_.name); }
  group_change &description(bytes to) { return set(description_, to, raw_.description); }
  group_change &picture(bytes to) { return set(picture_, to, raw_.picture); }
  group_change &app_data(bytes to) { return set(app_data_, to, raw_.app_data); }
  group_change &timer(std::uint32_t to) {
    timer_ = to;
    raw_.timer = &timer_;
    return *this;
  }
  const sesame_group_change *get() const noexcept { return &raw_; }
  group_change() noexcept { raw_.struct_size = sizeof raw_; }
  group_change(const group_change &) = delete;
  group_change &operator=(const group_change &) = delete;

private:
  group_change &set(sesame_slice &place, bytes to, const sesame_slice *&field) {
    place = to;
    field = &place;
    return *this;
  }
  sesame_slice name_{}, description_{}, picture_{}, app_data_{};
  std::uint32_t timer_ = 0;
  sesame_group_change raw_{};
};

class group : public detail::handle<sesame_group, sesame_group_free> {
public:
  std::array<std::uint8_t, 32> id(sesame_error *error = nullptr) const {
    std::uint8_t raw_id[32] = {};
    std::array<std::uint8_t, 32> out{};
    detail::call call(error);
    call.check(sesame_group_id(raw(), &raw_id, call));
    std::memcpy(out.data(), raw_id, sizeof raw_id);
    return out;
  }
  result<sesame_group_view> view(sesame_error *error = nullptr) const {
    result<sesame_group_view> out;
    SESAME_CALL(out, sesame_group_get_view, raw(), out.owner(), out.out());
  }
  send add(slices users, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_add, raw(), users.items, users.count, out.owner(), out.out());
  }
  send update_info(const group_change &change, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_update_info, raw(), change.get(), out.owner(), out.out());
  }
  send rename(bytes name, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_rename, raw(), name, out.owner(), out.out());
  }
  send leave(sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_leave, raw(), out.owner(), out.out());
  }
  send accept(sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_accept, raw(), out.owner(), out.out());
  }
  send decline(sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_decline, raw(), out.owner(), out.out());
  }
  std::pair<group, send> fork_without(slices users, sesame_error *error = nullptr) const {
    std::pair<group, send> out;
    SESAME_CALL(out, sesame_group_fork_without, raw(), users.items, users.count, out.first.out(), out.second.owner(), out.second.out());
  }
  send batch_encrypt(bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_batch_encrypt, raw(), payload, content_id, out.owner(), out.out());
  }
  result<sesame_session_view> session(bytes user, std::uint32_t device, sesame_error *error = nullptr) const {
    result<sesame_session_view> out;
    SESAME_CALL(out, sesame_group_session, raw(), user, device, out.owner(), out.out());
  }
  result<sesame_history> history(sesame_error *error = nullptr) const {
    result<sesame_history> out;
    SESAME_CALL(out, sesame_group_history, raw(), out.owner(), out.out());
  }
  result<sesame_cost> cost(std::size_t length, sesame_error *error = nullptr) const {
    result<sesame_cost> out;
    SESAME_CALL(out, sesame_group_cost, raw(), length, out.owner(), out.out());
  }
};

class device : public detail::handle<sesame_device, sesame_device_free> {
public:
  static device create(const store &store, bytes store_key, bytes user, sesame_error *error = nullptr) {
    device out;
    SESAME_CALL(out, sesame_device_create, store.raw(), store_key, user, out.out());
  }
  static device open(const store &store, bytes store_key, sesame_error *error = nullptr) {
    device out;
    SESAME_CALL(out, sesame_device_open, store.raw(), store_key, out.out());
  }
  blob user(sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_device_user, raw(), out.owner(), out.out());
  }
  std::uint32_t id(sesame_error *error = nullptr) const {
    std::uint32_t out = 0;
    SESAME_CALL(out, sesame_device_id, raw(), &out);
  }
  result<sesame_publication> publication(const std::uint32_t *left = nullptr, sesame_error *error = nullptr) const {
    result<sesame_publication> out;
    SESAME_CALL(out, sesame_device_publication, raw(), left, out.owner(), out.out());
  }
  void published(bytes publication, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_published, raw(), publication);
  }
  sesame::registry registry(sesame_error *error = nullptr) const {
    sesame::registry out;
    SESAME_CALL(out, sesame_device_registry, raw(), out.out());
  }
  sesame::session session(bytes user, std::uint32_t with_device, sesame_error *error = nullptr) const {
    sesame::session out;
    SESAME_CALL(out, sesame_device_session, raw(), user, with_device, out.out());
  }
  send batch_encrypt(slices recipients, bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_batch_encrypt, raw(), recipients.items, recipients.count, payload, content_id, out.owner(), out.out());
  }
  send batch_encrypt(const sesame::group &to, bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    return to.batch_encrypt(payload, content_id, error);
  }
  std::pair<sesame::group, send> create_group(const group_change &info, slices users, sesame_group_kind kind = SESAME_GROUP_KIND_PAIRWISE,
                                              sesame_error *error = nullptr) const {
    std::pair<sesame::group, send> out;
    SESAME_CALL(out, sesame_device_create_group, raw(), kind, info.get(), users.items, users.count, out.first.out(), out.second.owner(),
                out.second.out());
  }
  sesame::group group(bytes id, sesame_error *error = nullptr) const {
    sesame::group out;
    SESAME_CALL(out, sesame_device_group, raw(), id, out.out());
  }
  result<sesame_groups> groups(sesame_error *error = nullptr) const {
    result<sesame_groups> out;
    SESAME_CALL(out, sesame_device_groups, raw(), out.owner(), out.out());
  }
  void accepted(bytes id, bytes user, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_accepted, raw(), id, user);
  }
  send rejected(bytes id, bytes user, bytes device_list, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_rejected, raw(), id, user, device_list, out.owner(), out.out());
  }
  send no_such_user(bytes id, bytes user, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_no_such_user, raw(), id, user, out.owner(), out.out());
  }
  void abandon(bytes id, bytes user, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_abandon, raw(), id, user);
  }
  send pending(bytes id, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_pending, raw(), id, out.owner(), out.out());
  }
  result<sesame_sends> outbox(sesame_error *error = nullptr) const {
    result<sesame_sends> out;
    SESAME_CALL(out, sesame_device_outbox, raw(), out.owner(), out.out());
  }
  received batch_decrypt(slices envelopes, sesame_error *error = nullptr) const {
    received out;
    SESAME_CALL(out, sesame_device_batch_decrypt, raw(), envelopes.items, envelopes.count, out.owner(), out.out());
  }
  received inbox(sesame_error *error = nullptr) const {
    received out;
    SESAME_CALL(out, sesame_device_inbox, raw(), out.owner(), out.out());
  }
  void ack(span<std::uint64_t> ids, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_ack, raw(), ids.items, ids.count);
  }
  /* Acks all that a batch_decrypt or the inbox gave; nothing, if that failed. */
  void ack(const received &all, sesame_error *error = nullptr) const {
    ack(all ? span<std::uint64_t>{all->ids, all->id_count} : span<std::uint64_t>{nullptr, 0}, error);
  }
  /* An error would pass for `true`. */
  events tick(sesame_error *error) const { return tick(false, error); }
  events tick(bool mailbox_empty = false, sesame_error *error = nullptr) const {
    events out;
    SESAME_CALL(out, sesame_device_tick, raw(), mailbox_empty, out.owner(), out.out());
  }
  blob confirm_link(bytes code, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_device_confirm_link, raw(), code, out.owner(), out.out());
  }
  events remove_device(std::uint32_t removed, sesame_error *error = nullptr) const {
    events out;
    SESAME_CALL(out, sesame_device_remove_device, raw(), removed, out.owner(), out.out());
  }
  void reload(sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_reload, raw());
  }
  void wipe(sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_wipe, raw());
  }
};

class linking : public detail::handle<sesame_linking, sesame_linking_free> {
public:
  static linking begin(const store &store, bytes store_key, sesame_error *error = nullptr) {
    linking out;
    SESAME_CALL(out, sesame_linking_begin, store.raw(), store_key, out.out());
  }
  static linking resume(const store &store, bytes store_key, sesame_error *error = nullptr) {
    linking out;
    SESAME_CALL(out, sesame_linking_resume, store.raw(), store_key, out.out());
  }
  blob code(sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_linking_code, raw(), out.owner(), out.out());
  }
  device complete(bytes answer, sesame_error *error = nullptr) const {
    device out;
    SESAME_CALL(out, sesame_linking_complete, raw(), answer, out.out());
  }
};

/* A whole server in memory. */
class relay : public detail::handle<sesame_relay, sesame_relay_free> {
public:
  static relay create(sesame_error *error = nullptr) {
    relay out;
    SESAME_CALL(out, sesame_relay_new, out.out());
  }
  std::uint32_t publish(bytes user, std::uint32_t device, bytes publication, sesame_error *error = nullptr) const {
    std::uint32_t out = 0;
    SESAME_CALL(out, sesame_relay_publish, raw(), user, device, publication, &out);
  }
  blob device_list(bytes user, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_relay_device_list, raw(), user, out.owner(), out.out());
  }
  blob bundle(bytes user, std::uint32_t device, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_relay_bundle, raw(), user, device, out.owner(), out.out());
  }
  result<sesame_answers> answer(const list<sesame_need> &needs, sesame_error *error = nullptr) const {
    result<sesame_answers> out;
    SESAME_CALL(out, sesame_relay_answer, raw(), needs.items, needs.count, out.owner(), out.out());
  }
  result<sesame_submission> submit(bytes user, std::uint32_t device, const sesame_batch &batch, sesame_error *error = nullptr) const {
    result<sesame_submission> out;
    SESAME_CALL(out, sesame_relay_submit, raw(), user, device, &batch, out.owner(), out.out());
  }
  result<sesame_mails> fetch(bytes user, std::uint32_t device, std::size_t limit = 4096, sesame_error *error = nullptr) const {
    result<sesame_mails> out;
    SESAME_CALL(out, sesame_relay_fetch, raw(), user, device, limit, out.owner(), out.out());
  }
  void confirm(bytes user, std::uint32_t device, span<std::uint64_t> ids, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_relay_confirm, raw(), user, device, ids.items, ids.count);
  }
  result<sesame_relay_view> view(sesame_error *error = nullptr) const {
    result<sesame_relay_view> out;
    SESAME_CALL(out, sesame_relay_get_view, raw(), out.owner(), out.out());
  }
};

#undef SESAME_CALL

} // namespace sesame

#endif /* SESAME_HPP */
