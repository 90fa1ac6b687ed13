/* A store of the app's own, in memory: the whole contract in a hundred lines, for an app to begin with. */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include <sesame.h>
#include <stdlib.h>
#include <string.h>

typedef struct memory_row {
  uint8_t *key, *row;
  size_t key_len, row_len;
} memory_row;

typedef struct memory_store {
  sesame_generation generation;
  memory_row *rows;
  size_t count, room;
  int destroyed;
} memory_store;

static inline memory_row *memory_find(memory_store *it, sesame_slice key) {
  for (size_t i = 0; i < it->count; i++)
    if (it->rows[i].key_len == key.len && memcmp(it->rows[i].key, key.data, key.len) == 0) return &it->rows[i];
  return NULL;
}

static inline uint8_t *memory_copy(sesame_slice bytes) {
  uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
  if (copy == NULL) abort();
  if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
  return copy;
}

static inline int32_t memory_load(void *context, const sesame_query *queries, size_t count, bool hold, sesame_generation *generation,
                                  sesame_rows rows) {
  memory_store *it = context;
  (void)hold; /* one process, and calls over one device come one at a time: who loses a race runs again */
  for (size_t q = 0; q < count; q++) {
    for (size_t i = 0; i < it->count; i++) {
      const memory_row *row = &it->rows[i];
      const sesame_slice key = queries[q].key;
      const bool fits = queries[q].is_prefix ? row->key_len >= key.len : row->key_len == key.len;
      if (!fits || (key.len > 0 && memcmp(row->key, key.data, key.len) != 0)) continue;
      const sesame_slice found = {row->key, row->key_len}, value = {row->row, row->row_len};
      if (sesame_rows_add(rows, found, value) != SESAME_STATUS_OK) return SESAME_STORE_OUTCOME_IO;
    }
  }
  *generation = it->generation;
  return SESAME_STORE_OUTCOME_OK;
}

/* All or nothing. A store on a disk does this in a transaction; this one gives up the process when memory is out half way. */
static inline int32_t memory_commit(void *context, const sesame_generation *expected, const sesame_generation *next,
                                    const sesame_change *changes, size_t count) {
  memory_store *it = context;
  if (memcmp(&it->generation, expected, sizeof *expected) != 0) return SESAME_STORE_OUTCOME_CONFLICT;
  if (it->count + count > it->room) {
    memory_row *more = realloc(it->rows, 2 * (it->count + count) * sizeof *more);
    if (more == NULL) return SESAME_STORE_OUTCOME_FULL;
    it->rows = more;
    it->room = 2 * (it->count + count);
  }
  for (size_t i = 0; i < count; i++) {
    memory_row *row = memory_find(it, changes[i].key);
    if (changes[i].is_delete) {
      if (row == NULL) continue;
      free(row->key);
      free(row->row);
      *row = it->rows[--it->count];
      continue;
    }
    if (row == NULL) {
      row = &it->rows[it->count++];
      row->key = memory_copy(changes[i].key);
      row->key_len = changes[i].key.len;
    } else {
      free(row->row);
    }
    row->row = memory_copy(changes[i].row);
    row->row_len = changes[i].row.len;
  }
  it->generation = *next;
  return SESAME_STORE_OUTCOME_OK;
}

static inline void memory_release(void *context) { (void)context; }

static inline void memory_clear(memory_store *it) {
  for (size_t i = 0; i < it->count; i++) {
    free(it->rows[i].key);
    free(it->rows[i].row);
  }
  free(it->rows);
  memset(it, 0, sizeof *it);
}

static inline void memory_destroy(void *context) { ((memory_store *)context)->destroyed = 1; }

static inline sesame_store_functions memory_functions(memory_store *it) {
  const sesame_store_functions functions = {sizeof functions, it, memory_load, memory_commit, memory_release, memory_destroy};
  return functions;
}

#endif
