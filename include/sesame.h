#ifndef SESAME_H
#define SESAME_H

/* Generated from ffi/src/capi by `cargo xtask header`. Do not edit. */

/* libsesame, the C face.
 *
 * Text that a function returns is static, ends with a zero byte, and is never freed by the caller.
 * Every function may be called from any thread.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, as static text in UTF-8 that nobody frees.
 */
const char *sesame_version(void);

/**
 * What a status number says, as static text in UTF-8 that nobody frees. 0 is success; a number that is not known gives "unknown status".
 */
const char *sesame_status_text(uint16_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SESAME_H */
