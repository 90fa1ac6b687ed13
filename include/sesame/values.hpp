/* What goes into a call of sesame.hpp and what comes out of it: bytes, lists, results, errors. */
#ifndef SESAME_VALUES_HPP
#define SESAME_VALUES_HPP

#include "../sesame.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_ranges)
#include <ranges>
#endif

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define SESAME_EXCEPTIONS 1
#else
#define SESAME_EXCEPTIONS 0
#endif

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
  const std::uint8_t *end() const noexcept { return len == 0 ? data : data + len; }
  std::size_t size() const noexcept { return len; }
  bool absent() const noexcept { return data == nullptr; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char *>(data), len}; }
  friend bool operator==(const bytes &a, const bytes &b) noexcept { return a.text() == b.text(); }
  friend bool operator!=(const bytes &a, const bytes &b) noexcept { return !(a == b); }
};
static_assert(sizeof(bytes) == sizeof(sesame_slice), "a list of bytes is a list of slices");

/* Text of a slice. */
inline std::string_view text(const sesame_slice &slice) noexcept { return bytes(slice).text(); }

/* Users or envelopes, as a call takes them: from braces, from any container of text or bytes, or from a pointer and a count. */
class slices {
public:
  slices() noexcept = default;
  slices(const sesame_slice *from, std::size_t number) noexcept : from_(from), count_(number) {}
  slices(std::initializer_list<bytes> list) noexcept : from_(list.begin()), count_(list.size()) {}
  template <class Container, class Item = decltype(*std::begin(std::declval<const Container &>())),
            class = std::enable_if_t<std::is_convertible_v<Item, bytes> && std::is_reference_v<Item>>>
  slices(const Container &container) : owned_(std::begin(container), std::end(container)), count_(owned_.size()) {}

  const sesame_slice *items() const noexcept { return owned_.empty() ? from_ : owned_.data(); }
  std::size_t count() const noexcept { return count_; }

private:
  std::vector<bytes> owned_;
  const sesame_slice *from_ = nullptr;
  std::size_t count_ = 0;
};

/* Values side by side. */
template <class T> struct span {
  const T *items = nullptr;
  std::size_t count = 0;
  const T *begin() const noexcept { return items; }
  const T *end() const noexcept { return count == 0 ? items : items + count; }
  std::size_t size() const noexcept { return count; }
  bool empty() const noexcept { return count == 0; }
  const T &operator[](std::size_t at) const noexcept { return items[at]; }
};

/* The items of a list, each behind a pointer: a forward range, which owns nothing. */
template <class T> struct list {
  class iterator {
  public:
    using iterator_category = std::forward_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = T;
    using pointer = const T *;
    using reference = const T &;
    iterator() noexcept = default;
    explicit iterator(const T *const *at) noexcept : at_(at) {}
    reference operator*() const noexcept { return **at_; }
    pointer operator->() const noexcept { return *at_; }
    iterator &operator++() noexcept { return ++at_, *this; }
    iterator operator++(int) noexcept { return iterator(at_++); }
    friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.at_ == b.at_; }
    friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a.at_ != b.at_; }

  private:
    const T *const *at_ = nullptr;
  };
  const T *const *items = nullptr;
  std::size_t count = 0;
  iterator begin() const noexcept { return iterator(items); }
  iterator end() const noexcept { return iterator(count == 0 ? items : items + count); }
  std::size_t size() const noexcept { return count; }
  bool empty() const noexcept { return count == 0; }
  const T &operator[](std::size_t at) const noexcept { return *items[at]; }
};

inline list<sesame_inbox_item> items(const sesame_inbox &all) { return {all.items, all.count}; }
inline list<sesame_send_status> items(const sesame_sends &all) { return {all.items, all.count}; }
inline list<sesame_batch> items(const sesame_batches &all) { return {all.items, all.count}; }
inline list<sesame_mail_result> items(const sesame_mail_results &all) { return {all.items, all.count}; }
inline list<sesame_user_view> items(const sesame_users &all) { return {all.items, all.count}; }
inline list<sesame_device_view> items(const sesame_devices &all) { return {all.items, all.count}; }
inline list<sesame_group_view> items(const sesame_groups &all) { return {all.items, all.count}; }
inline list<sesame_history_entry> items(const sesame_history &all) { return {all.items, all.count}; }
inline span<sesame_slice> envelopes(const sesame_mailbox &mailbox) { return {mailbox.envelopes, mailbox.envelope_count}; }
inline list<sesame_header> headers(const sesame_server_request &request) { return {request.headers, request.header_count}; }
inline list<sesame_user_status> users(const sesame_send_status &status) { return {status.users, status.user_count}; }
inline list<sesame_skipped> skipped(const sesame_user_status &status) { return {status.skipped, status.skipped_count}; }
inline list<sesame_outgoing> envelopes(const sesame_batch &batch) { return {batch.envelopes, batch.envelope_count}; }
inline list<sesame_skipped> skips(const sesame_batch &batch) { return {batch.skips, batch.skip_count}; }
inline list<sesame_failed_user> failed(const sesame_event &event) { return {event.failed, event.failed_count}; }
inline list<sesame_skipped_device> skipped(const sesame_event &event) { return {event.skipped, event.skipped_count}; }
inline span<sesame_slice> users(const sesame_server_request &request) { return {request.users, request.user_count}; }
inline span<sesame_slice> users(const sesame_event &event) { return {event.users, event.user_count}; }
inline span<sesame_slice> recipients(const sesame_message &message) { return {message.recipients, message.recipient_count}; }
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
  /* Which argument it is about, or empty. */
  std::string_view field() const noexcept { return error_.field; }
  /* Which item of a list, or -1. */
  std::int64_t item() const noexcept { return error_.item; }

private:
  static std::string said(const sesame_error &error) {
    const auto code = static_cast<std::int32_t>(error.status);
    std::string text = std::string(sesame_status_name(code)) + " (" + std::to_string(code) + "): " + error.reason;
    if (error.field[0] != 0) text += std::string(" (") + error.field + ")";
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
    if (status == SESAME_STATUS_OK || out_ != nullptr) return;
#if SESAME_EXCEPTIONS
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
    handle old(std::move(*this));
    raw_ = std::exchange(other.raw_, Raw{0});
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

/* What a call gave: a pointer into memory of its own, which lives as long as this does. It is named before it is walked through, and
 * `items(*device.inbox())` does not compile:
 * `auto inbox = device.inbox(); for (const auto &item : sesame::items(*inbox)) ...` */
template <class View> class result {
public:
  result() noexcept = default;
  result(result &&other) noexcept : owner_(std::move(other.owner_)), view_(std::exchange(other.view_, nullptr)) {}
  result &operator=(result &&other) noexcept {
    owner_ = std::move(other.owner_);
    view_ = std::exchange(other.view_, nullptr);
    return *this;
  }
  const View *operator->() const noexcept { return view_; }
  const View &operator*() const & noexcept { return *view_; }
  const View &operator*() const && = delete;
  const View *get() const & noexcept { return view_; }
  const View *get() const && = delete;
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
    view_ = std::exchange(other.view_, sesame_slice{nullptr, 0});
    return *this;
  }
  bytes view() const & noexcept { return view_; }
  bytes view() const && = delete;
  operator bytes() const noexcept { return view_; }
  std::string_view text() const & noexcept { return bytes(view_).text(); }
  /* A copy, for what is about to be freed. */
  std::string text() const && { return std::string(bytes(view_).text()); }
  bool absent() const noexcept { return view_.data == nullptr; }
  sesame_result *owner() noexcept { return owner_.out(); }
  sesame_slice *out() noexcept { return &view_; }

private:
  detail::owner owner_;
  sesame_slice view_{nullptr, 0};
};

} // namespace sesame

#if defined(__cpp_lib_ranges)
template <class T> inline constexpr bool std::ranges::enable_borrowed_range<sesame::list<T>> = true;
template <class T> inline constexpr bool std::ranges::enable_view<sesame::list<T>> = true;
static_assert(std::ranges::forward_range<sesame::list<sesame_inbox_item>> && std::ranges::view<sesame::list<sesame_inbox_item>>);
template <class T> inline constexpr bool std::ranges::enable_borrowed_range<sesame::span<T>> = true;
static_assert(std::ranges::contiguous_range<sesame::span<sesame_slice>>);
#endif

#endif /* SESAME_VALUES_HPP */
