/* libsesame for C++17: handles that free themselves, views that are ranges, errors as you like them. Header only, over sesame.h.
 *
 * - Every class is move-only and frees what it holds. A result owns what its view leads to: keep it as long as you read.
 * - Every call takes, last, an optional `sesame_error *`. Without it a failure throws `sesame::exception`; with it nothing is
 *   thrown, the error says what happened, and what the call returns is empty. With -fno-exceptions a failure without it aborts.
 * - Bytes and text go in as anything that is a `std::string_view` or has data() and size() of bytes; nothing is copied on the way.
 */
#ifndef SESAME_HPP
#define SESAME_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "sesame.hpp needs C++17: compile with -std=c++17 (/std:c++17) or later, or use sesame.h"
#else

#include "sesame/store.hpp"
#include "sesame/values.hpp"

#include <array>
#include <chrono>
#include <cstring>

namespace sesame {

/* The library's version, to be compared with SESAME_VERSION_NUMBER. */
inline std::uint32_t version() noexcept { return sesame_version(); }
inline std::string_view version_text() noexcept { return sesame_version_string(); }
/* What a status says. */
inline std::string_view text(sesame_status status) noexcept { return sesame_status_text(status); }
inline std::string_view name(sesame_status status) noexcept { return sesame_status_name(status); }
/* What a code in a view says, such as `reason` and `problem`. */
inline std::string_view text(std::uint32_t code) noexcept { return sesame_status_text(static_cast<std::int32_t>(code)); }
inline std::string_view name(std::uint32_t code) noexcept { return sesame_status_name(static_cast<std::int32_t>(code)); }
/* Overwrites the app's own copy of a secret. */
inline void wipe(void *data, std::size_t size) noexcept { static_cast<void>(sesame_wipe(data, size)); }

/* What the transport of an app gives to `exchange`: the HTTP status and the body, or status 0 when no answer came. */
struct answer {
  std::uint32_t status = 0;
  std::string body;
};

/* What the server in memory answers. */
struct reply {
  std::uint32_t status = 0;
  blob body;
};

using send = result<sesame_send>;
using inbox = result<sesame_inbox>;
using server_request = result<sesame_server_request>;
using answered = result<sesame_answered>;

namespace detail {

/* Gives a request to `post`. When `post` throws, no answer has come, and the exception goes on. */
template <class Loop, class Post> auto ask(const Loop &loop, const sesame_server_request &request, Post &post) {
#if SESAME_EXCEPTIONS
  try {
    return post(request);
  } catch (...) {
    sesame_error ignored;
    static_cast<void>(loop.respond(request.id, 0, {}, &ignored));
    throw;
  }
#else
  static_cast<void>(loop);
  return post(request);
#endif
}

/* The loop: `post` answers each request, until nothing is due. */
template <class Loop, class Post> void exchange(const Loop &loop, Post &post, sesame_error *error) {
  while (auto request = loop.next_request(error)) {
    const auto got = ask(loop, *request, post);
    if (!loop.respond(request->id, got.status, got.body, error)) return;
  }
}

} // namespace detail

/* Every method below is one call of sesame.h, which says what it does. */
#define SESAME_CALL(out, function, ...)                                                                                            \
  detail::call call(error);                                                                                                         \
  call.check(function(__VA_ARGS__, call));                                                                                          \
  return out
/* The loop of requests, over a device or a linking. */
#define SESAME_LOOP(kind)                                                                                                           \
  sesame::server_request next_request(sesame_error *error = nullptr) const {                                                               \
    sesame::server_request out;                                                                                                            \
    SESAME_CALL(out, sesame_##kind##_next_request, raw(), out.owner(), out.out());                                                  \
  }                                                                                                                                 \
  sesame::answered respond(bytes id, std::uint32_t status, bytes body, sesame_error *error = nullptr) const {                       \
    sesame::answered out;                                                                                                           \
    SESAME_CALL(out, sesame_##kind##_respond, raw(), id, status, body, out.owner(), out.out());                                     \
  }                                                                                                                                 \
  void release(bytes id, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_##kind##_release, raw(), id); }          \
  void retry_now(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_##kind##_retry_now, raw()); }                    \
  std::chrono::milliseconds due_in(sesame_error *error = nullptr) const {                                                           \
    std::uint64_t out = 0;                                                                                                          \
    SESAME_CALL(std::chrono::milliseconds(out), sesame_##kind##_due_in, raw(), &out);                                               \
  }

/* A clock for tests of an app; without one, a call reads the system's. */
class clock : public detail::handle<sesame_clock, sesame_clock_free> {
public:
  static clock create(std::chrono::milliseconds now, sesame_error *error = nullptr) {
    clock out;
    SESAME_CALL(out, sesame_clock_new, static_cast<std::uint64_t>(now.count()), out.out());
  }
  void advance(std::chrono::milliseconds by, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_clock_advance, raw(), static_cast<std::uint64_t>(by.count()));
  }
};

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
  void reset(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_session_reset, raw()); }
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
  void look_up(const slices &users, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_look_up, raw(), users.items(), users.count());
  }
  void forget(bytes user, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_registry_forget, raw(), user); }
  void accept_identity(bytes user, bytes account_key, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_accept_identity, raw(), user, account_key);
  }
  void mark_verified(bytes user, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_mark_verified, raw(), user);
  }
  void resolve_fork(bytes user, bytes hash, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_registry_resolve_fork, raw(), user, hash);
  }
  blob safety_number(bytes user, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_registry_safety_number, raw(), user, out.owner(), out.out());
  }
  blob safety_code(bytes user, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_registry_safety_code, raw(), user, out.owner(), out.out());
  }
  bool compare_safety_code(bytes user, bytes code, sesame_error *error = nullptr) const {
    bool out = false;
    SESAME_CALL(out, sesame_registry_compare_safety_code, raw(), user, code, &out);
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
  send add(const slices &users, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_add, raw(), users.items(), users.count(), out.owner(), out.out());
  }
  send readmit(bytes user, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_readmit, raw(), user, out.owner(), out.out());
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
  std::pair<group, send> fork_without(const slices &users, sesame_error *error = nullptr) const {
    std::pair<group, send> out;
    SESAME_CALL(out, sesame_group_fork_without, raw(), users.items(), users.count(), out.first.out(), out.second.owner(),
                out.second.out());
  }
  send batch_encrypt(bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_group_batch_encrypt, raw(), payload, content_id, out.owner(), out.out());
  }
  result<sesame_session_view> session(bytes user, std::uint32_t device, sesame_error *error = nullptr) const {
    result<sesame_session_view> out;
    SESAME_CALL(out, sesame_group_session, raw(), user, device, out.owner(), out.out());
  }
  void forget(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_group_forget, raw()); }
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
  static device create(const store &store, bytes store_key, bytes user, bytes server, bytes token = {}, const clock &at = {},
                       sesame_error *error = nullptr) {
    device out;
    SESAME_CALL(out, sesame_device_create, store.raw(), store_key, user, server, token, at.raw(), out.out());
  }
  static device open(const store &store, bytes store_key, const clock &at = {}, sesame_error *error = nullptr) {
    device out;
    SESAME_CALL(out, sesame_device_open, store.raw(), store_key, at.raw(), out.out());
  }
  blob user(sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_device_user, raw(), out.owner(), out.out());
  }
  std::uint32_t id(sesame_error *error = nullptr) const {
    std::uint32_t out = 0;
    SESAME_CALL(out, sesame_device_id, raw(), &out);
  }
  bool is_primary(sesame_error *error = nullptr) const {
    bool out = false;
    SESAME_CALL(out, sesame_device_is_primary, raw(), &out);
  }
  result<sesame_health> health(sesame_error *error = nullptr) const {
    result<sesame_health> out;
    SESAME_CALL(out, sesame_device_health, raw(), out.owner(), out.out());
  }
  void wipe(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_wipe, raw()); }

  SESAME_LOOP(device)
  /* The whole transport of an app: sends every request that is due by `post`, which takes a `const sesame_server_request &` and returns an
   * `answer`. It always ends; `due_in` says when to come back. An exception out of `post` counts as no answer, and goes on. */
  template <class Post> void exchange(Post &&post, sesame_error *error = nullptr) const { detail::exchange(*this, post, error); }
  void request_mail(std::uint32_t limit = 10'000, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_request_mail, raw(), limit);
  }
  void set_push(bytes value, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_set_push, raw(), value); }
  void keep_sent(std::uint32_t days, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_keep_sent, raw(), days); }
  void set_memory_limit(std::size_t limit, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_set_memory_limit, raw(), limit);
  }
  void delete_account(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_delete_account, raw()); }
  send log_out(sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_log_out, raw(), out.owner(), out.out());
  }

  send batch_encrypt(const slices &recipients, bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    send out;
    SESAME_CALL(out, sesame_device_batch_encrypt, raw(), recipients.items(), recipients.count(), payload, content_id, out.owner(),
                out.out());
  }
  template <class To, class = std::enable_if_t<std::is_same_v<To, sesame::group>>>
  send batch_encrypt(const To &to, bytes payload, bytes content_id = {}, sesame_error *error = nullptr) const {
    return to.batch_encrypt(payload, content_id, error);
  }
  /* `id` is the send's, or its content id, here and below. Empty once the app has acked its end. */
  result<sesame_send_status> send_status(bytes id, sesame_error *error = nullptr) const {
    result<sesame_send_status> out;
    SESAME_CALL(out, sesame_device_send_status, raw(), id, out.owner(), out.out());
  }
  result<sesame_sends> sends(sesame_error *error = nullptr) const {
    result<sesame_sends> out;
    SESAME_CALL(out, sesame_device_sends, raw(), out.owner(), out.out());
  }
  result<sesame_batches> batches(bytes id, sesame_error *error = nullptr) const {
    result<sesame_batches> out;
    SESAME_CALL(out, sesame_device_batches, raw(), id, out.owner(), out.out());
  }
  void cancel(bytes id, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_cancel, raw(), id, nullptr, 0); }
  void cancel(bytes id, const slices &users, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_cancel, raw(), id, users.items(), users.count());
  }
  void retry(bytes id, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_retry, raw(), id); }

  /* An error would pass for `true`. */
  result<sesame_mail_results> batch_decrypt(const slices &envelopes, sesame_error *error) const {
    return batch_decrypt(envelopes, false, error);
  }
  result<sesame_mail_results> batch_decrypt(const slices &envelopes, bool complete = false, sesame_error *error = nullptr) const {
    result<sesame_mail_results> out;
    SESAME_CALL(out, sesame_device_batch_decrypt, raw(), envelopes.items(), envelopes.count(), complete, out.owner(), out.out());
  }
  sesame::inbox inbox(std::uint64_t after = 0, std::size_t limit = 256, sesame_error *error = nullptr) const {
    sesame::inbox out;
    SESAME_CALL(out, sesame_device_inbox, raw(), after, limit, out.owner(), out.out());
  }
  void ack(span<std::uint64_t> ids, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_ack, raw(), ids.items, ids.count);
  }
  /* Acks all that `inbox` gave; nothing, if that failed. */
  void ack(const sesame::inbox &all, sesame_error *error = nullptr) const {
    ack(all ? span<std::uint64_t>{all->ids, all->count} : span<std::uint64_t>{nullptr, 0}, error);
  }

  result<sesame_pending_link> link_device(bytes code, sesame_error *error = nullptr) const {
    result<sesame_pending_link> out;
    SESAME_CALL(out, sesame_device_link_device, raw(), code, out.owner(), out.out());
  }
  /* Gives the new device's id. */
  std::uint32_t confirm_link(bytes link, sesame_error *error = nullptr) const {
    std::uint32_t out = 0;
    SESAME_CALL(out, sesame_device_confirm_link, raw(), link, &out);
  }
  void cancel_link(bytes link, sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_device_cancel_link, raw(), link); }
  result<sesame_handover> hand_over(std::uint32_t to, sesame_error *error = nullptr) const {
    result<sesame_handover> out;
    SESAME_CALL(out, sesame_device_hand_over, raw(), to, out.owner(), out.out());
  }
  void confirm_handover(bytes handover, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_confirm_handover, raw(), handover);
  }
  void cancel_handover(bytes handover, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_cancel_handover, raw(), handover);
  }
  void adopt_own_list(bytes hash, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_adopt_own_list, raw(), hash);
  }
  void remove_device(std::uint32_t removed, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_device_remove_device, raw(), removed);
  }

  sesame::registry registry(sesame_error *error = nullptr) const {
    sesame::registry out;
    SESAME_CALL(out, sesame_device_registry, raw(), out.out());
  }
  sesame::session session(bytes user, std::uint32_t with_device, sesame_error *error = nullptr) const {
    sesame::session out;
    SESAME_CALL(out, sesame_device_session, raw(), user, with_device, out.out());
  }
  std::pair<sesame::group, send> create_group(const group_change &info, const slices &users,
                                              std::uint32_t kind = SESAME_GROUP_KIND_PAIRWISE, sesame_error *error = nullptr) const {
    std::pair<sesame::group, send> out;
    SESAME_CALL(out, sesame_device_create_group, raw(), kind, info.get(), users.items(), users.count(), out.first.out(),
                out.second.owner(), out.second.out());
  }
  sesame::group group(bytes id, sesame_error *error = nullptr) const {
    sesame::group out;
    SESAME_CALL(out, sesame_device_group, raw(), id, out.out());
  }
  result<sesame_groups> groups(sesame_error *error = nullptr) const {
    result<sesame_groups> out;
    SESAME_CALL(out, sesame_device_groups, raw(), out.owner(), out.out());
  }
};

/* A new device on its way. */
class linking : public detail::handle<sesame_linking, sesame_linking_free> {
public:
  static linking begin(const store &store, bytes store_key, bytes server, const clock &at = {}, sesame_error *error = nullptr) {
    linking out;
    SESAME_CALL(out, sesame_linking_begin, store.raw(), store_key, server, at.raw(), out.out());
  }
  static linking resume(const store &store, bytes store_key, const clock &at = {}, sesame_error *error = nullptr) {
    linking out;
    SESAME_CALL(out, sesame_linking_resume, store.raw(), store_key, at.raw(), out.out());
  }
  blob code(sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_linking_code, raw(), out.owner(), out.out());
  }
  /* Absent before the primary has said hello. */
  blob digits(sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_linking_digits, raw(), out.owner(), out.out());
  }
  void confirm(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_linking_confirm, raw()); }
  bool expired(sesame_error *error = nullptr) const {
    bool out = false;
    SESAME_CALL(out, sesame_linking_expired, raw(), &out);
  }
  SESAME_LOOP(linking)
  /* As `device::exchange`. */
  template <class Post> void exchange(Post &&post, sesame_error *error = nullptr) const { detail::exchange(*this, post, error); }
  /* The device, once: empty before the primary's answer has come, and afterwards. */
  sesame::device device(sesame_error *error = nullptr) const {
    sesame::device out;
    SESAME_CALL(out, sesame_linking_device, raw(), out.out());
  }
};

/* A whole server in memory. */
class relay : public detail::handle<sesame_relay, sesame_relay_free> {
public:
  static relay create(bytes server, const clock &at = {}, sesame_error *error = nullptr) {
    relay out;
    SESAME_CALL(out, sesame_relay_new, server, at.raw(), out.out());
  }
  reply perform(const sesame_server_request &asked, sesame_error *error = nullptr) const {
    reply out;
    SESAME_CALL(out, sesame_relay_perform, raw(), asked.path, asked.headers, asked.header_count, asked.body, out.body.owner(),
                &out.status, out.body.out());
  }
  /* For `exchange`. */
  reply operator()(const sesame_server_request &asked) const { return perform(asked); }
  void restored(sesame_error *error = nullptr) const { SESAME_CALL(void(), sesame_relay_restored, raw()); }
  blob device_list(bytes user, sesame_error *error = nullptr) const {
    blob out;
    SESAME_CALL(out, sesame_relay_device_list, raw(), user, out.owner(), out.out());
  }
  result<sesame_mailbox> mailbox(bytes user, std::uint32_t device, sesame_error *error = nullptr) const {
    result<sesame_mailbox> out;
    SESAME_CALL(out, sesame_relay_mailbox, raw(), user, device, out.owner(), out.out());
  }
  void lose(bytes user, std::uint32_t device, sesame_error *error = nullptr) const {
    SESAME_CALL(void(), sesame_relay_lose, raw(), user, device);
  }
  result<sesame_relay_view> view(sesame_error *error = nullptr) const {
    result<sesame_relay_view> out;
    SESAME_CALL(out, sesame_relay_get_view, raw(), out.owner(), out.out());
  }
};

#undef SESAME_LOOP
#undef SESAME_CALL

} // namespace sesame

#endif /* C++17 */

#endif /* SESAME_HPP */
