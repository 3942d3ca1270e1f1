/* SPDX-License-Identifier: MIT */
/*
 * Options structs grow at the end; their first field says how much of one the
 * caller knows.
 */
#ifndef CF_LIB_BASE_OPTIONS_H
#define CF_LIB_BASE_OPTIONS_H

#include <cfutures/error.h>

enum { CF__OPTIONS_MAX = 4096 }; /* bytes: no struct will be larger */

/*
 * Copies a caller's struct to known (known_size bytes): what the caller does
 * not know becomes zero. NULL is all zero. CF_EINVAL if the caller's size
 * cannot be that of a struct: it is 0, or above CF__OPTIONS_MAX, or no multiple
 * of its own alignment; then nothing but the size is read. CF_ETOOBIG if the
 * struct has fields unknown here that are not zero.
 */
cf_err cf__options_import(void *known, size_t known_size, const void *options);

/*
 * A prefix for the names of a pool's workers: what the user has given, cut to
 * fit, or the stem with a number of its own from *count.
 */
void cf__options_prefix(char *to,
                        size_t size,
                        const char *given,
                        const char *stem,
                        _Atomic unsigned *count);

#endif
