/* SPDX-License-Identifier: MIT */
/*
 * Options structs of callers with other headers. A struct grows at its end, and
 * its first field says which size the caller knows.
 */
#ifndef CF_LIB_BASE_OPTIONS_H
#define CF_LIB_BASE_OPTIONS_H

#include <cfutures/error.h>

#include "lib/base/export.h"

enum { CF__OPTIONS_MAX = 4096 }; /* bytes: no struct will be larger */

/*
 * Copies a caller's struct to known (known_size bytes). Fields that the caller
 * does not know become zero; NULL is all zero.
 *
 * CF_EINVAL if the caller's size cannot be that of a struct: it is too small
 * for the size itself, or above CF__OPTIONS_MAX, or not a multiple of the
 * size's alignment. Then nothing but the size is read. CF_ETOOBIG if a field
 * that is unknown here is not zero.
 */
CF__EXPORT cf_err cf__options_import(void *known,
                                     size_t known_size,
                                     const void *options);

/*
 * Writes a prefix for the names of a pool's workers to `to` (size bytes): what
 * the user has given, cut to fit; or, if given is NULL, the stem with the next
 * number from *count.
 */
CF__EXPORT void cf__options_prefix(char *to,
                                   size_t size,
                                   const char *given,
                                   const char *stem,
                                   _Atomic unsigned *count);

#endif
