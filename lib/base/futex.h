/* SPDX-License-Identifier: MIT */
/* Sleeping on a 32-bit word of this process. */
#ifndef CF_LIB_BASE_FUTEX_H
#define CF_LIB_BASE_FUTEX_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* The low half of a 64-bit word, to sleep on. */
static inline void *
cf__low_half(_Atomic uint64_t *word)
{
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (char *)word + (big_endian ? 4 : 0);
}

/*
 * Sleeps while *word is expected, at most until deadline_ns (lib/base/clock.h).
 * Returns false if the deadline passed; true after a wake-up, a signal or for
 * no reason: check the condition again. Keeps errno.
 */
bool cf__futex_wait(void *word, uint32_t expected, int64_t deadline_ns);

/* Wakes up to count sleepers. The word may be gone: only its address counts.
 * Keeps errno. */
void cf__futex_wake(void *word, int count);

/* The same for a word that several processes share, without a deadline. true:
 * it slept, and was woken; not by a signal. */
bool cf__futex_wait_shared(void *word, uint32_t expected);
/* With one, as cf__futex_wait(). */
bool
cf__futex_wait_shared_until(void *word, uint32_t expected, int64_t deadline_ns);
void cf__futex_wake_shared(void *word, int count);

#endif
