/* What both programs do around each call: a failure ends the step, and what calls gave is freed at its end. */
#ifndef STORY_CALLS_H
#define STORY_CALLS_H

#include <sesame.h>
#include <stdio.h>
#include <stdlib.h>

static sesame_error error;

/* Ends the function with the status of a call that fails. */
#define TRY(call)                                    \
  do {                                               \
    const sesame_status status_ = (call);            \
    if (status_ != SESAME_STATUS_OK) return status_; \
  } while (0)

/* Ends the program: the script, or who speaks to it, asks for what it does not do. */
static void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(2);
}

/* What the calls of one step gave. */
static sesame_result results[4096];
static size_t result_count;

static sesame_result *result(void) {
  if (result_count == sizeof results / sizeof *results) die("a step of too many calls");
  results[result_count].token = 0;
  return &results[result_count++];
}

static void free_results_from(size_t begun) {
  while (result_count > begun) sesame_result_free(results[--result_count]);
}

static void free_results(void) {
  free_results_from(0);
}

#endif
