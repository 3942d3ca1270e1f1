/* SPDX-License-Identifier: MIT */
/*
 * The list of waiters: see waiter.h and README.md. The future's lock is held
 * for a few instructions (lock.h).
 */
#include "lib/future/waiter.h"

#include "lib/base/assert.h"
#include "lib/base/generation.h"
#include "lib/base/observer.h"
#include "lib/future/sole.h"
#include "lib/future/waiter_lock.h"

#include <stdlib.h>

/* A bit of f->waiters: it points to the oldest callback, which has the
 * waiters. */
#define HAS_CALLBACKS ((uintptr_t)1)

static struct cf__callback *
oldest_callback(uintptr_t list)
{
    return list & HAS_CALLBACKS ? (struct cf__callback *)(list & ~HAS_CALLBACKS)
                                : NULL;
}

/* In a fork's child, the first call that comes makes the list the child's. It
 * forgets the waiters and does not read them: they are the parent's, and some
 * are on stacks of threads that are not here. */
static void
adopt_locked(cf_future *f)
{
    uintptr_t list = cf_load_relaxed(&f->waiters); /* locked */
    if (__builtin_expect(f->list_generation == cf__generation, 1) || !list)
        return;
    struct cf__callback *oldest = oldest_callback(list);
    if (oldest) {
        oldest->waiters = NULL;
        /* The parent may have added one and not yet noted it as the newest. */
        struct cf__callback *at = oldest;
        while (at) {
            oldest->newest = at;
            at = cf_load_relaxed(&at->next); /* one thread: no partner */
        }
    } else {
        cf_store_relaxed(&f->waiters, 0);
    }
    f->list_generation = cf__generation;
}

/* Sets CF__WAITERS in the word, and sends a sole waiter away. false: f is
 * done. */
static bool
mark_locked(cf_future *f)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    for (;;) {
        if (__builtin_expect((word & CF__SOLE) != 0, 0) && !cf__is_done(word))
            word = cf__sole_evict_locked(f);
        if (cf__is_done(word))
            return false;
        if (word & CF__WAITERS)
            return true;
        /* pairs with finish: it sees the bit, or we see it done */
        if (cf_cas_weak_acq_rel(&f->word, &word, word | CF__WAITERS))
            return true;
    }
}

/* Locks the list, with CF__WAITERS in the word. false: f is done, and the list
 * is not locked. */
static bool
open_list(cf_future *f)
{
    cf__waiters_lock(f);
    if (!mark_locked(f)) {
        cf__unlock(&f->lock);
        return false;
    }
    adopt_locked(f);
    return true;
}

/* Stores the first element of a list. A child that is forked at any moment
 * finds that what it points to is whole. */
static void
begin_list_locked(cf_future *f, uintptr_t list)
{
    f->list_generation = cf__generation;
    cf_store_release(&f->waiters, list); /* pairs with fork */
}

/* From now on, first is the first waiter. */
static void
set_first_locked(cf_future *f, struct cf__waiter *first)
{
    struct cf__callback *oldest =
        oldest_callback(cf_load_relaxed(&f->waiters)); /* locked */
    if (oldest)
        oldest->waiters = first;
    else
        begin_list_locked(f, (uintptr_t)first);
}

static struct cf__waiter *
first_locked(const cf_future *f)
{
    uintptr_t list = cf_load_relaxed(&f->waiters); /* locked */
    struct cf__callback *oldest = oldest_callback(list);
    return oldest ? oldest->waiters : (struct cf__waiter *)list;
}

bool
cf__waiters_any(const cf_future *f)
{
    return f->list_generation == cf__generation && first_locked(f);
}

#ifdef CF_ASSERTIONS

enum { CHECKED = 64 }; /* waiters, callbacks: a list may be long */

static void
check_locked(const cf_future *f)
{
    if (f->list_generation != cf__generation)
        return;
    const struct cf__waiter *waiter = first_locked(f);
    const struct cf__waiter *prev = NULL;
    for (int i = 0; waiter && i < CHECKED; i++) {
        cf__assert(waiter->prev == prev);
        prev = waiter;
        waiter = waiter->next;
    }
    const struct cf__callback *oldest =
        oldest_callback(cf_load_relaxed(&f->waiters)); /* locked */
    const struct cf__callback *at = oldest;
    for (int i = 0; at && i < CHECKED; i++) {
        const struct cf__callback *next = cf_load_relaxed(&at->next);
        cf__assert(next || at == oldest->newest);
        at = next;
    }
}

#endif

static void
unlock(cf_future *f)
{
    cf__check(check_locked(f));
    cf__unlock(&f->lock);
}

bool
cf__waiter_add(cf_future *f, struct cf__waiter *waiter)
{
    waiter->prev = waiter;
    if (!open_list(f))
        return false;
    struct cf__waiter *next = first_locked(f);
    waiter->next = next;
    waiter->prev = NULL;
    if (next)
        next->prev = waiter;
    set_first_locked(f, waiter);
    unlock(f);
    return true;
}

void
cf__waiter_remove(cf_future *f, struct cf__waiter *waiter)
{
    cf__waiters_lock(f);
    if (waiter->prev != waiter) {
        if (waiter->next)
            waiter->next->prev = waiter->prev;
        if (waiter->prev)
            waiter->prev->next = waiter->next;
        else
            set_first_locked(f, waiter->next);
        waiter->prev = waiter;
    }
    unlock(f);
}

void
cf__waiters_sync(cf_future *f)
{
    cf__waiters_lock(f);
    unlock(f);
}

bool
cf__waiters_hold(cf_future *f)
{
    return open_list(f);
}

void
cf__waiters_release(cf_future *f)
{
    cf__unlock(&f->lock);
}

bool
cf__waiters_add_callback(cf_future *f, struct cf__callback *callback)
{
    cf__observer_release(f); /* what the callback's data points to */
    if (!open_list(f))
        return false;
    uintptr_t list = cf_load_relaxed(&f->waiters); /* locked */
    struct cf__callback *oldest = oldest_callback(list);
    cf_store_relaxed(&callback->next, NULL); /* published below */
    if (oldest) {
        cf_store_release(&oldest->newest->next, callback); /* pairs with fork */
        oldest->newest = callback;
    } else {
        callback->newest = callback;
        callback->waiters = (struct cf__waiter *)list;
        begin_list_locked(f, (uintptr_t)callback | HAS_CALLBACKS);
    }
    unlock(f);
    return true;
}

bool
cf__waiters_have_callbacks(cf_future *f)
{
    /* Relaxed: the pointer is not followed. */
    return cf_load_relaxed(&f->waiters) & HAS_CALLBACKS;
}

struct cf__callback *
cf__waiters_tell(cf_future *f)
{
    cf__waiters_lock(f);
    adopt_locked(f);
    struct cf__callback *callbacks =
        oldest_callback(cf_load_relaxed(&f->waiters)); /* locked */
    struct cf__waiter *waiter = first_locked(f);
    /* pairs with fork: a child finds all of the list, or nothing */
    cf_store_release(&f->waiters, 0);
    for (struct cf__waiter *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->prev = waiter;
        /* after this, waiter may be gone */
        struct cf__callback *due = waiter->notify(waiter, f);
        if (due) {
            cf_store_relaxed(&due->next, callbacks); /* this thread's */
            callbacks = due;
        }
    }
    unlock(f);
    return callbacks;
}

void
cf__waiters_free_callbacks(cf_future *f)
{
    /* Iterators hold a handle of f. So in the process that made the list, only
     * callbacks are left. */
    struct cf__callback *at =
        oldest_callback(cf_load_relaxed(&f->waiters)); /* no handle is left */
    for (struct cf__callback *next; at; at = next) {
        next = cf_load_relaxed(&at->next);
        free(at);
    }
}
