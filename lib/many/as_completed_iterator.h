/* SPDX-License-Identifier: MIT */
/*
 * What the iterator over completed futures is made of. Only the files
 * as_completed*.c include this. README.md has the protocol.
 */
#ifndef CF_LIB_AS_COMPLETED_ITERATOR_H
#define CF_LIB_AS_COMPLETED_ITERATOR_H

#include "lib/base/forked.h"
#include "lib/base/worker.h"
#include "lib/future/awaited.h"
#include "lib/future/waiter.h"
#include "lib/many/as_completed.h"
#include "lib/many/future_set.h"

/* Stands for one future in an iterator, from the add until it is handed out. */
struct cf__node {
    /* In the future's list until the future is done. Afterwards `next` links
     * the node in ready, taken or free_nodes. */
    struct cf__waiter waiter;
    /* In the ring of all futures that are not handed out. If its f is NULL, the
     * node is free. */
    struct cf__awaited awaited;
    cf_as_completed *it;
};

/* Nodes that were allocated together. */
struct cf__node_slab {
    struct cf__node_slab *next;
    size_t count;
    struct cf__node nodes[];
};

/* The mark that the user leaves in ready before it sleeps: 1, or in a task the
 * address of its worker plus 1. Nodes and workers have even addresses. */
static inline struct cf__waiter *
cf__sleeper_mark(const struct cf__worker *worker)
{
    return (struct cf__waiter *)((uintptr_t)worker | 1);
}

static inline bool
cf__is_sleeper_mark(const struct cf__waiter *waiter)
{
    return (uintptr_t)waiter & 1;
}

struct cf_as_completed {
    /* Atomic: the newest node that was pushed, NULL, or the mark of a sleeper.
     * Writers: completers (push), the user (takes all, its mark). */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__waiter *) ready;
    atomic_int fd; /* -1: the user has not asked for it. Writer: the user */

    /* The user's. */
    _Alignas(CF_CACHE_LINE) struct cf__waiter *taken; /* oldest first */
    struct cf__waiter *free_nodes;
    struct cf__node_slab *slabs;
    struct cf__awaited *first; /* the oldest of the ring; NULL: it is empty */
    /* In a task: the next of the ring that the task tries to run. Those before
     * it have been tried. NULL: all have. */
    struct cf__awaited *untried;
    uintptr_t tried_by; /* the trier() that tried them */
    bool deferred;      /* one that was tried is deferred: nothing tells when it
                           can be run */
    /* In a task: where the wait graph looks first. */
    struct cf__awaited *first_look;
    struct cf__future_set members; /* the futures of the ring */
    size_t remaining;              /* how many futures are in the ring */
    bool called; /* the completer of the oldest node that is ready or taken may
                    still be waking the user's worker */
    cf_future *lent;     /* handed out by the last call, or NULL */
    uint16_t generation; /* of the process that made the iterator */
};

/* false: this process is a fork's child. There the iterator hands out what was
 * ready at the fork, and can be freed. The nodes in the futures' lists, and the
 * descriptor, are the parent's. */
static inline bool
cf__as_completed_is_ours(const cf_as_completed *it)
{
    return it->generation == cf__generation_now();
}

/* --- as_completed_check.c ------------------------------------------------- */

/* Asserts that the iterator is whole (lib/base/assert.h). Looks at the
 * first nodes of each kind only. The user, while completers push. Does nothing
 * in a fork's child. */
#ifdef CF_ASSERTIONS
void cf__as_completed_check(cf_as_completed *it);
#else
static inline void
cf__as_completed_check(cf_as_completed *it)
{
    (void)it;
}
#endif

/* --- as_completed_fd.c ---------------------------------------------------- */

/* Makes the descriptor readable. Keeps errno. */
void cf__as_completed_signal_fd(int fd);

/* If there is a descriptor, makes it say what is true now: readable if the next
 * cf_as_completed_next() will not block. */
void cf__as_completed_clear_fd(cf_as_completed *it);

/* --- as_completed_ready.c ------------------------------------------------- */

/* The waiter's notify(): f is done, and the completer has its lock. Pushes the
 * node onto ready. Returns NULL. */
struct cf__callback *cf__as_completed_push(struct cf__waiter *waiter,
                                           cf_future *f);

/* Makes sure that taken has a node, from ready if need be; false: there is
 * none. */
static inline bool
cf__as_completed_take_ready(cf_as_completed *it)
{
    if (it->taken)
        return true;
    if (!cf_load_relaxed(&it->ready)) /* a hint; the exchange acquires */
        return false;
    /* pairs with cf__as_completed_push */
    struct cf__waiter *newest = cf_exchange_acquire(&it->ready, NULL);
    if (cf__is_sleeper_mark(newest))
        return false;
    for (struct cf__waiter *next; newest; newest = next) {
        next = newest->next;
        newest->next = it->taken;
        it->taken = newest;
    }
    return true;
}

/* Sleeps until a node is pushed, or for no reason; false: the deadline has
 * passed. worker: in a task, the one that sleeps; else NULL. */
bool cf__as_completed_sleep(cf_as_completed *it,
                            struct cf__worker *worker,
                            int64_t deadline_ns);

/* --- as_completed_wait.c -------------------------------------------------- */

/* Waits until taken has a node. CF_ETIMEDOUT, CF_EDEADLK, CF_EINTERRUPTED,
 * CF_EFORKED. */
cf_err cf__as_completed_wait(cf_as_completed *it, int64_t deadline_ns);

#endif
