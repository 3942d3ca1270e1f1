/* SPDX-License-Identifier: MIT */
/*
 * Sizes and counts that callers give: the one place where they are added up
 * and multiplied. A size that no object can have is CF_ETOOBIG, and is found
 * before anything is allocated, read or written.
 */
#ifndef CF_LIB_BASE_SIZE_H
#define CF_LIB_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the largest object, in bytes: pointers into it can still be
 * subtracted from each other. */
#define CF__SIZE_MAX ((size_t)PTRDIFF_MAX)

/* Stores extra + count * size; false: no object is so large. */
static inline bool
cf__size_add(size_t extra, size_t count, size_t size, size_t *out)
{
    return !__builtin_mul_overflow(count, size, out) &&
           !__builtin_add_overflow(extra, *out, out) && *out <= CF__SIZE_MAX;
}

/* There can be an array of count elements of size bytes each. */
static inline bool
cf__array_fits(size_t count, size_t size)
{
    size_t bytes;
    return cf__size_add(0, count, size, &bytes);
}

/*
 * false: so many bytes of memory cannot all be used at once, by the limits of
 * this process (RLIMIT_AS, RLIMIT_DATA) or on this machine.
 * To be asked before a loop allocates them piece by piece: where the system
 * promises more memory than it has, it kills processes instead of refusing.
 */
bool cf__machine_holds(size_t bytes);

#endif
