/* SPDX-License-Identifier: MIT */
/* Sleeping on a word of 32 bits. */
#ifndef CF_LIB_BASE_FUTEX_H
#define CF_LIB_BASE_FUTEX_H

#include "lib/base/atomic.h"
#include "lib/base/export.h"

#include <stdbool.h>
#include <stdint.h>

/* The low half of a word of 64 bits, for the functions below. */
static inline void *
cf__low_half(_Atomic uint64_t *word)
{
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (char *)word + (big_endian ? 4 : 0);
}

/*
 * Sleeps while *word is expected, at most until deadline_ns (clock.h). false:
 * the deadline has passed. true: after a wake-up, a signal or for no reason;
 * the caller checks its condition again. Keeps errno. The word is of this
 * process.
 */
CF__EXPORT bool
cf__futex_wait(void *word, uint32_t expected, int64_t deadline_ns);

/* Wakes up to count sleepers. The word's memory may have been freed: only its
 * address counts. Keeps errno. */
CF__EXPORT void cf__futex_wake(void *word, int count);

/* Sleeps for so long, where no thread can wake this one. Keeps errno. */
void cf__nap(int64_t duration_ns);

/* The same for a word that several processes share, without a deadline. true:
 * the thread slept and was woken, not by a signal. */
bool cf__futex_wait_shared(void *word, uint32_t expected);
/* With a deadline; returns what cf__futex_wait() does. */
bool
cf__futex_wait_shared_until(void *word, uint32_t expected, int64_t deadline_ns);
void cf__futex_wake_shared(void *word, int count);

#endif
