/* SPDX-License-Identifier: MIT */
/*
 * For calls on streams, listeners and datagrams: which task calls, and how it
 * waits for a callback of libuv's (io.h). The loop's thread.
 */
#ifndef CF_EVENT_LOOP_IO_WAITER_H
#define CF_EVENT_LOOP_IO_WAITER_H

#include "event_loop/io.h"

/* A task in a wait; on its stack. The object that it waits for points to it
 * until the task has left. */
struct cf__io_waiter {
    struct cf__coroutine *self;
    bool done;
};

/*
 * For a call on an object of the loop: the coroutine that calls.
 * CF_OK; CF_ENOTSUP: this is no task of the loop; CF_EFORKED.
 */
static inline cf_err
cf__io_enter(const struct cf__evloop *loop, struct cf__coroutine **self)
{
    struct cf__worker *worker = cf__thread.worker;
    if (cf__executor_forked(&loop->base))
        return CF_EFORKED;
    if (!cf__is_own_worker(&loop->base) || !worker->suspend)
        return CF_ENOTSUP;
    *self = cf__coroutine_of(worker);
    return CF_OK;
}

/* Ends its wait. NULL: no task waits. */
static inline void
cf__io_finish(struct cf__io_waiter *waiter)
{
    if (!waiter || waiter->done)
        return;
    waiter->done = true;
    cf__io_wake(waiter->self);
}

#endif
