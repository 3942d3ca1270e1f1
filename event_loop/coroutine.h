/* SPDX-License-Identifier: MIT */
/* What a coroutine is: see loop.h, and README.md for the words. */
#ifndef CF_EVENT_LOOP_COROUTINE_H
#define CF_EVENT_LOOP_COROUTINE_H

#include "event_loop/context.h"
#include "event_loop/timer_heap.h"
#include "lib/base/worker.h"
#include "lib/executor/call.h"

struct cf__evloop;

/*
 * A coroutine, at the top of its stack. It is made once and runs one task after
 * the other. Other threads touch nothing of it but the first cache line of
 * base: all else is the loop's thread's.
 */
struct cf__coroutine {
    struct cf__worker base; /* the executor is the loop. parker 1: another
                               thread has unparked it, and it is in woken */

    bool parked;     /* it is suspended in a wait, and in no list but woken */
    bool notified;   /* it was unparked while it was not parked */
    bool timed_out;  /* its deadline was what woke it */
    cf_future *sole; /* whose sole waiter it is; NULL: that has come, or there
                        is none */
    struct cf__coroutine *link;   /* in the one list that it is in: ready, a
                                   turn's batch, free */
    struct cf__on_stack on_stack; /* while it does not run */
    struct cf__context context;

    struct cf_call call;
    /* The task that it runs; NULL: none, or that is done. Atomic. Writer: the
     * loop's thread. Reader: the watchdog. */
    _Atomic(cf_future *) f;
    struct cf__coroutine *joiner; /* parked until f is done; or NULL */
    struct cf__coroutine *next_active, *prev_active; /* it has a task */

    bool trimmed; /* it is free, and its stack's memory has been given back */

    struct cf__loop_timer timer; /* while it is parked with a deadline */

    /* While it waits (base.awaited): */
    bool forever;  /* without a deadline */
    bool hopeless; /* it was woken because that could never end */
    bool possible; /* found by a search: its wait can end */
    bool chooses;  /* it is in the list of choosers */
    bool outside;  /* for a task of another executor */
    struct cf__coroutine *next_chooser, *prev_chooser; /* it waits for the first
                                                          of several */
};

/* A coroutine that is in a shutdown of its own loop; on its stack. */
struct cf__ender {
    struct cf__coroutine *coroutine;
    struct cf__ender *next;
};

/* A switch to self, which may be NULL, comes soon, and reads this. */
static inline void
cf__coroutine_prefetch(const struct cf__coroutine *self)
{
    if (!self)
        return;
    __builtin_prefetch(&self->link);
    __builtin_prefetch(&self->context);
    __builtin_prefetch(&self->context.former);
}

static inline struct cf__coroutine *
cf__coroutine_of(struct cf__worker *worker)
{
    return (struct cf__coroutine *)worker;
}

/* When cf__coroutine_trim() is due, as more stacks were used at once than are
 * kept; or CF__NEVER. */
int64_t cf__coroutine_trim_at(struct cf__evloop *loop);

/* Gives memory of free stacks back, but for some, and those that were used
 * since that became due: these are on top of the list. */
void cf__coroutine_trim(struct cf__evloop *loop);

#endif
