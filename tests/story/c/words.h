/* The words that lines are made of: the tables of tests/story/README.md. */
#ifndef STORY_WORDS_H
#define STORY_WORDS_H

#include <inttypes.h>
#include <sesame.h>
#include <stdio.h>

/* FNV-1a of 64 bits. */
static inline void print_h(sesame_slice bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes.len; i++) hash = (hash ^ bytes.data[i]) * 0x100000001b3u;
  printf("%016" PRIx64, hash);
}

/* The last four bytes of an id. */
static inline void print_s(sesame_slice id) {
  const uint8_t *last = id.data + id.len - 4;
  printf("%02x%02x%02x%02x", last[0], last[1], last[2], last[3]);
}

static inline void print_text(sesame_slice text) {
  if (text.len > 0) fwrite(text.data, 1, text.len, stdout);
}

/* The name of a value, from a list of the names of all that this runner knows. */
static inline const char *name_of(const char *const *names, size_t count, uint32_t value) {
  return value < count ? names[value] : "?";
}

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof *(names), (uint32_t)(value))

/* A word and an id after it, or nothing where it is absent. */
static inline void print_id(const char *word, sesame_slice id) {
  if (id.len == 0) return;
  printf(" %s ", word);
  print_s(id);
}

static inline void print_numbers(const char *word, const uint32_t *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) printf(i == 0 ? " %s %" PRIu32 : ",%.0s%" PRIu32, word, numbers[i]);
}

static inline void print_names(const char *word, const sesame_slice *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (i == 0) printf(" %s ", word);
    if (i > 0) putchar(',');
    print_text(names[i]);
  }
}

static inline void print_flag(const char *word, bool flag) {
  if (flag) printf(" %s", word);
}

static inline const char *yes(bool flag) {
  return flag ? "yes" : "no";
}

/* A user with a space before it, and the device where one is named. */
static inline void print_who(sesame_slice user, uint32_t device) {
  putchar(' ');
  print_text(user);
  if (device != 0) printf("/%" PRIu32, device);
}

/* A word and a hash of bytes after it. */
static inline void print_hash(const char *word, sesame_slice bytes) {
  printf(" %s ", word);
  print_h(bytes);
}

#endif
