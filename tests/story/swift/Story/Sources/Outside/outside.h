/* The seed and the clock of a library that was built with the feature `test-util`. */
#include <stdint.h>

void sesame_test_outside(uint64_t seed, uint64_t now_ms);
void sesame_test_advance(uint64_t ms);
