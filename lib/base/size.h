/* SPDX-License-Identifier: MIT */
/*
 * Sizes and counts that callers give: the one place that adds and multiplies
 * them. If no object can have a size, the call returns CF_ETOOBIG before it
 * allocates, reads or writes anything.
 */
#ifndef CF_LIB_BASE_SIZE_H
#define CF_LIB_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the largest object, in bytes: two pointers into it can still be
 * subtracted. */
#define CF__SIZE_MAX ((size_t)PTRDIFF_MAX)

/* *out = extra + count * size; false: no object is so large. */
static inline bool
cf__size_add(size_t extra, size_t count, size_t size, size_t *out)
{
    return !__builtin_mul_overflow(count, size, out) &&
           !__builtin_add_overflow(extra, *out, out) && *out <= CF__SIZE_MAX;
}

/* true: there can be an array of count elements of size bytes each. */
static inline bool
cf__array_fits(size_t count, size_t size)
{
    size_t bytes;
    return cf__size_add(0, count, size, &bytes);
}

/*
 * false: so many bytes of memory cannot all be used at once, by the limits of
 * this process (RLIMIT_AS, RLIMIT_DATA) or on this machine. A loop that
 * allocates them piece by piece asks first: a system that promises more memory
 * than it has kills processes instead of refusing.
 */
bool cf__machine_holds(size_t bytes);

#endif
