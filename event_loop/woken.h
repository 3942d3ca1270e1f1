/* SPDX-License-Identifier: MIT */
/*
 * What other threads tell the loop's thread, in one word: a list of coroutines
 * that they have unparked, or whose futures they have delivered, the last one
 * first; or, if the list is empty, whether the thread sleeps. So a push tells
 * in the same step whether the pusher has to wake the thread. README.md,
 * "Sleeping and waking".
 *
 * What links the entries lies close together, eight coroutines in a cache line,
 * and apart from what it links: else the walk along the list would wait for a
 * line of another processor at each entry.
 */
#ifndef CF_EVENT_LOOP_WOKEN_H
#define CF_EVENT_LOOP_WOKEN_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* The marks: the loop's thread sleeps, or is about to. No entry is as small. */
enum {
    CF__ASLEEP = 2,          /* on the word itself */
    CF__ASLEEP_IN_ENGINE = 4 /* in libuv */
};

/* An entry is the number of a coroutine, from 1 on, above these bits. */
enum {
    CF__DELIVERED = 1, /* the future has come whose sole waiter it is; else it
                          was unparked */
    CF__LAST = 2,      /* there is no entry below */
    CF__ENTRY_SHIFT = 3,
    CF__NUMBER_MAX = (1 << (32 - CF__ENTRY_SHIFT)) - 1
};

/* Of one coroutine: the entries below those that it is in the list with; both
 * at once at most. Writer: who pushes the entry; then the loop's thread. */
struct cf__links {
    uint32_t below[2]; /* by CF__DELIVERED */
};

struct cf__woken {
    _Atomic uint32_t word;
};

static inline uint32_t
cf__woken_entry(uint32_t number, uint32_t kind)
{
    return number << CF__ENTRY_SHIFT | kind;
}

static inline uint32_t
cf__woken_number(uint32_t entry)
{
    return entry >> CF__ENTRY_SHIFT;
}

static inline bool
cf__is_woken_mark(uint32_t word)
{
    return word == CF__ASLEEP || word == CF__ASLEEP_IN_ENGINE;
}

/* There is an entry. The loop's thread. */
static inline bool
cf__woken_any(const struct cf__woken *woken)
{
    return cf_load_relaxed(&woken->word) > CF__ASLEEP_IN_ENGINE;
}

/* Puts an entry without CF__LAST into the list; links: its coroutine's. Returns
 * the mark that was there, or 0. If it is not 0, the caller wakes the loop's
 * thread. */
static inline uint32_t
cf__woken_push(struct cf__woken *woken, uint32_t entry, struct cf__links *links)
{
    uint32_t former = cf_load_relaxed(&woken->word); /* the swap checks it */
    uint32_t pushed;
    do {
        pushed = entry;
        if (former > CF__ASLEEP_IN_ENGINE)
            links->below[entry & CF__DELIVERED] = former;
        else
            pushed |= CF__LAST; /* the links stay where they are */
        /* pairs with take: the links, and what came before */
    } while (!cf_cas_weak_acq_rel(&woken->word, &former, pushed));
    return cf__is_woken_mark(former) ? former : 0;
}

/* Takes a mark away, and returns it; 0: there is none. As for a push. */
static inline uint32_t
cf__woken_unmark(struct cf__woken *woken)
{
    uint32_t former = cf_load_relaxed(&woken->word); /* the swap checks it */
    return cf__is_woken_mark(former) && cf_cas_acq_rel(&woken->word, &former, 0)
               ? former
               : 0;
}

/* The loop's thread is about to sleep. false: there is an entry. */
static inline bool
cf__woken_mark(struct cf__woken *woken, uint32_t mark)
{
    uint32_t none = 0;
    return cf_cas_acq_rel(&woken->word, &none, mark);
}

/* Takes the list. The loop's thread, while there is no mark. */
static inline uint32_t
cf__woken_take(struct cf__woken *woken)
{
    return cf_exchange_acquire(&woken->word, 0); /* pairs with push */
}

#endif
