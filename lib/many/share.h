/* SPDX-License-Identifier: MIT */
/*
 * The units that a runner of a joint loop has before it, in one word: the
 * runner takes them from the front, and others, who have none left, from the
 * back. So the word stays in its runner's cache until another runner needs
 * work.
 *
 * The word only says which units are left: nothing else is published by it, so
 * its loads and stores are relaxed. README.md, "Joint loops". No locks.
 */
#ifndef CF_LIB_MANY_SHARE_H
#define CF_LIB_MANY_SHARE_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CF__SHARE_END_MAX INT32_MAX /* twice as many fit */

/* Units first .. end - 1; all zero: none. */
struct cf__units {
    uint32_t first, end;
};

struct cf__share {
    /* Atomic. first * 2^32 + end. Its runner moves first up, and gives itself
     * new units when there are none; others move end down. */
    _Atomic uint64_t word;
};

static inline struct cf__units
cf__share_units(uint64_t word)
{
    return (struct cf__units){(uint32_t)(word >> 32), (uint32_t)word};
}

static inline uint32_t
cf__units_count(struct cf__units u)
{
    return u.end - u.first;
}

/* By its runner, when nothing is left in it. */
static inline void
cf__share_fill(struct cf__share *share, struct cf__units u)
{
    cf_store_relaxed(&share->word, (uint64_t)u.first << 32 | u.end);
}

static inline struct cf__units
cf__share_look(struct cf__share *share)
{
    return cf__share_units(cf_load_relaxed(&share->word));
}

/* By its runner: takes count units from the front, or what is left. false:
 * nothing is. */
static inline bool
cf__share_take(struct cf__share *share, uint32_t count, struct cf__units *out)
{
    uint64_t word = cf_load_relaxed(&share->word), rest;
    do {
        struct cf__units u = cf__share_units(word);
        if (u.first == u.end)
            return false;
        if (count < cf__units_count(u))
            u.end = u.first + count;
        *out = u;
        rest = (uint64_t)u.end << 32 | (uint32_t)word;
    } while (!cf_cas_weak_acq_rel(&share->word, &word, rest));
    return true;
}

/* By another thread: takes the latter half of what is left, and of an odd unit
 * that one, too. false: there are fewer than least units. */
static inline bool
cf__share_halve(struct cf__share *share, uint32_t least, struct cf__units *out)
{
    uint64_t word = cf_load_relaxed(&share->word), rest;
    do {
        struct cf__units u = cf__share_units(word);
        uint32_t count = cf__units_count(u);
        if (count == 0 || count < least)
            return false;
        u.first += count / 2;
        *out = u;
        rest = (word & ~(uint64_t)UINT32_MAX) | u.first;
    } while (!cf_cas_weak_acq_rel(&share->word, &word, rest));
    return true;
}

#endif
