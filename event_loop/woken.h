/* SPDX-License-Identifier: MIT */
/*
 * What other threads tell the loop's thread, in one word: a list of coroutines
 * that they have unparked and of futures that they have delivered, the last one
 * first; or, if the list is empty, whether the thread sleeps. So a push tells
 * in the same step whether the pusher has to wake the thread. README.md,
 * "Sleeping and waking".
 */
#ifndef CF_EVENT_LOOP_WOKEN_H
#define CF_EVENT_LOOP_WOKEN_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* The marks: the loop's thread sleeps, or is about to. They are no addresses,
 * nor the low halves of any. */
enum {
    CF__ASLEEP = 2,          /* on the word itself */
    CF__ASLEEP_IN_ENGINE = 4 /* in libuv */
};

/* An entry is the address of a coroutine; or of a future, with this bit. */
#define CF__DELIVERED UINT64_C(1)

struct cf__woken {
    _Atomic uint64_t word;
};

static inline bool
cf__is_woken_mark(uint64_t word)
{
    return word == CF__ASLEEP || word == CF__ASLEEP_IN_ENGINE;
}

/* There is an entry. The loop's thread. */
static inline bool
cf__woken_any(const struct cf__woken *woken)
{
    return cf_load_relaxed(&woken->word) > CF__ASLEEP_IN_ENGINE;
}

/* Puts entry into the list; the next one goes to *link. Returns the mark that
 * was there, or 0. If it is not 0, the caller wakes the loop's thread. */
static inline unsigned
cf__woken_push(struct cf__woken *woken, uint64_t entry, uint64_t *link)
{
    uint64_t former = cf_load_relaxed(&woken->word); /* the swap checks it */
    do {
        *link = cf__is_woken_mark(former) ? 0 : former;
        /* pairs with take: the link, and what came before */
    } while (!cf_cas_weak_acq_rel(&woken->word, &former, entry));
    return cf__is_woken_mark(former) ? (unsigned)former : 0;
}

/* Takes a mark away, and returns it; 0: there is none. As for a push. */
static inline unsigned
cf__woken_unmark(struct cf__woken *woken)
{
    uint64_t former = cf_load_relaxed(&woken->word); /* the swap checks it */
    return cf__is_woken_mark(former) && cf_cas_acq_rel(&woken->word, &former, 0)
               ? (unsigned)former
               : 0;
}

/* The loop's thread is about to sleep. false: there is an entry. */
static inline bool
cf__woken_mark(struct cf__woken *woken, unsigned mark)
{
    uint64_t none = 0;
    return cf_cas_acq_rel(&woken->word, &none, mark);
}

/* Takes the list. The loop's thread, while there is no mark. */
static inline uint64_t
cf__woken_take(struct cf__woken *woken)
{
    return cf_exchange_acquire(&woken->word, 0); /* pairs with push */
}

#endif
