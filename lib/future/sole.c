/* SPDX-License-Identifier: MIT */
/*
 * The sole waiter: see sole.h and README.md. The future's lock guards
 * evictions and retractions, not deliveries.
 */
#include "lib/future/sole.h"

#include "lib/base/assert.h"
#include "lib/base/forked.h"
#include "lib/future/waiter_lock.h"

#define PAUSE_NS CF__US(20)
enum { LOOKS_BEFORE_PAUSE = 100 };

bool
cf__sole_publish(cf_future *f, struct cf__worker *worker)
{
    /* In a child of a fork, it must be clear whose waiter this is. */
    if (!f->executor || f->generation != cf__generation)
        return false;
    /* If a deferred task is cancelled, no handle is left for the delivery. */
    const uint64_t none = CF__WAITERS | CF__SOLE | CF__REMOTE | CF__WAITING;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    do {
        if (cf__is_done(word) || word & none)
            return false;
    } while (!cf_cas_weak_acq_rel(&f->word, &word, word | CF__SOLE));
    /* pairs with await_sole: the worker is whole */
    cf_store_release(&f->waiters, (uintptr_t)worker | CF__SOLE_TAG);
    return true;
}

/* The caller's swap has taken CF__SOLE away, or has made f done. The waiter is
 * there, or its thread is about to store it. */
static struct cf__worker *
await_sole(cf_future *f)
{
    uintptr_t sole;
    /* pairs with publish */
    for (int looks = 1; !((sole = cf_load_acquire(&f->waiters)) & CF__SOLE_TAG);
         looks++) {
        if (looks % LOOKS_BEFORE_PAUSE == 0)
            cf__nap(PAUSE_NS); /* that thread may have less priority */
        cf_relax();
    }
    return (struct cf__worker *)(sole & ~CF__SOLE_TAG);
}

void
cf__sole_deliver(cf_future *f)
{
    struct cf__worker *worker = await_sole(f);
    worker->suspend->deliver(worker, f);
}

/* Of f's word, CF__SOLE becomes CF__WAITERS. false: f has no sole waiter, or is
 * done. word: the present one. */
static bool
depose_locked(cf_future *f, uint64_t *word)
{
    do {
        if (cf__is_done(*word) || !(*word & CF__SOLE))
            return false;
        /* pairs with finish: it finds the one bit or the other */
    } while (!cf_cas_weak_acq_rel(
        &f->word, word, (*word & ~CF__SOLE) | CF__WAITERS));
    *word = (*word & ~CF__SOLE) | CF__WAITERS;
    return true;
}

uint64_t
cf__sole_evict_locked(cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    if (!depose_locked(f, &word))
        return word;
    /* NULL: it is the parent's, and this is a child of a fork. */
    struct cf__worker *worker =
        f->generation == cf__generation ? await_sole(f) : NULL;
    cf_store_relaxed(&f->waiters, 0); /* locked: an empty list */
    if (worker)
        cf__worker_unpark(worker);
    return word;
}

bool
cf__sole_retract(cf_future *f)
{
    cf__waiters_lock(f);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    bool own = depose_locked(f, &word);
    if (own)
        cf_store_relaxed(&f->waiters, 0); /* locked: an empty list */
    bool delivered = word & CF__SOLE;     /* else it was evicted before */
    cf__unlock(&f->lock);
    return !delivered;
}
