/* SPDX-License-Identifier: MIT */
/*
 * What the iterator over futures as they complete is made of; in lib/many/ only
 * the files as_completed*.c know.
 */
#ifndef CF_LIB_AS_COMPLETED_ITERATOR_H
#define CF_LIB_AS_COMPLETED_ITERATOR_H

#include "lib/base/forked.h"
#include "lib/base/worker.h"
#include "lib/future/awaited.h"
#include "lib/future/waiter.h"
#include "lib/many/as_completed.h"
#include "lib/many/future_set.h"

struct cf__node {
    struct cf__waiter waiter;   /* its next also links ready, taken and
                                   free_nodes */
    struct cf__awaited awaited; /* f is NULL: the node is free. Else it is in
                                   the ring of all that are not handed out */
    cf_as_completed *it;
};

struct cf__node_slab {
    struct cf__node_slab *next;
    size_t count;
    struct cf__node nodes[];
};

/* The mark that a user leaves in ready before it sleeps: 1, or in a task its
 * worker's address plus 1. Nodes and workers have even addresses. */
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
    /* Atomic. Writers: completers (push), the user (takes all, its mark). */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__waiter *) ready;
    atomic_int fd; /* -1: not asked for. Writer: the user */

    /* The user's. */
    _Alignas(CF_CACHE_LINE) struct cf__waiter *taken; /* oldest first */
    struct cf__waiter *free_nodes;
    struct cf__node_slab *slabs;
    struct cf__awaited *first;   /* of the ring, the oldest; NULL: none */
    struct cf__awaited *untried; /* in a task: those before it are not pending
                                    any more; NULL: none is */
    uintptr_t tried_by;          /* whose tasks have tried them */
    /* In a task: where the wait graph looks first. */
    struct cf__awaited *first_look;
    struct cf__future_set members;
    size_t remaining; /* not handed out */
    bool called;      /* the completer of the oldest that is ready may still be
                         waking the user's worker */
    cf_future *lent;
    uint16_t generation; /* of the process */
};

/* In a fork's child it is not: it yields what was ready, and is freed. The
 * nodes in the futures' lists, and the descriptor, are the parent's. */
static inline bool
cf__as_completed_is_ours(const cf_as_completed *it)
{
    return it->generation == cf__generation_now();
}

/* --- as_completed_fd.c ---------------------------------------------------- */

void cf__as_completed_signal_fd(int fd);

void cf__as_completed_clear_fd(cf_as_completed *it);

/* --- as_completed_ready.c ------------------------------------------------- */

/* Called by the completer, with the future's lock. */
void cf__as_completed_push(struct cf__waiter *waiter, cf_future *f);

/* Takes what is ready into taken; false: nothing is. */
static inline bool
cf__as_completed_take_ready(cf_as_completed *it)
{
    if (it->taken)
        return true;
    if (!cf_load_relaxed(&it->ready)) /* the exchange acquires */
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

/* Sleeps once on ready, in a task as worker, which else is NULL; false: the
 * deadline has passed. */
bool cf__as_completed_sleep(cf_as_completed *it,
                            struct cf__worker *worker,
                            int64_t deadline_ns);

/* --- as_completed_wait.c -------------------------------------------------- */

cf_err cf__as_completed_wait(cf_as_completed *it, int64_t deadline_ns);

#endif
