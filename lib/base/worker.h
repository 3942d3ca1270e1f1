/* SPDX-License-Identifier: MIT */
/*
 * The common part of a worker: it runs tasks of one executor, and can sleep
 * inside a task. It is a thread, or a coroutine: then it has a stack of its
 * own, and sleeps by giving its thread to another coroutine (suspend).
 */
#ifndef CF_LIB_BASE_WORKER_H
#define CF_LIB_BASE_WORKER_H

#include <cfutures/base.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "lib/base/thread.h"
#include "lib/base/wake_cost.h"

struct cf__awaited; /* lib/future/awaited.h */
struct cf__links;
struct cf__worker;

/* How a worker that is a coroutine waits. */
struct cf__suspend_ops {
    /* What cf__worker_park() and cf__worker_unpark() do. Any thread may call
     * unpark, also under a future's lock: it takes no lock, and does not
     * wait. */
    bool (*park)(struct cf__worker *self, int64_t deadline_ns);
    void (*unpark)(struct cf__worker *worker);

    /* A short way to wait for f, which is not done: without a deadline, in no
     * scope and no callback. true: f is done. false: it is not open for f, or
     * something else has ended the wait; the caller waits as ever. */
    bool (*join)(struct cf__worker *self, cf_future *f);

    /* Waits for f as cf__park_on() does (lib/executor/wait_in_task.h), but as
     * the sole waiter of f. false: it cannot be that. */
    bool (*park_on)(struct cf__worker *self,
                    cf_future *f,
                    int64_t deadline_ns,
                    bool *in_time);

    /* f is done, and worker was its sole waiter. Any thread calls it. It takes
     * no lock and does not wait. The worker may be gone afterwards, and with it
     * its executor. */
    void (*deliver)(struct cf__worker *worker, cf_future *f);

    /* f may be done before self would be parked and woken again: spins for a
     * moment, if the thread has nothing else to do. true: f is done. */
    bool (*look_on)(struct cf__worker *self, const cf_future *f);

    /* Lets the other coroutines that are ready run first. */
    void (*yield)(struct cf__worker *self);

    /* What cf__wait_graph_enter() and cf__wait_graph_leave() do. */
    bool (*enter)(struct cf__worker *self,
                  struct cf__awaited *awaited,
                  bool forever);
    bool (*leave)(struct cf__worker *self);
};

struct cf__worker {
    cf_executor *executor;
    int index;
    /* Of a coroutine: by which its backend knows it, and links it. Set before
     * the first task: other threads read them. */
    uint32_t number;
    struct cf__links *links;
    void *data; /* what the initializer left for the tasks */

    /* NULL: a thread. Set before the first task. */
    const struct cf__suspend_ops *suspend;

    /* Set before the first task. Called in the worker's thread when callbacks
     * or destructors are about to run there, which may take long. NULL: the
     * executor need not know. */
    void (*callbacks_begin)(struct cf__worker *self);

    /* Atomic. 1: there is a reason to wake up. Any thread sets it (release) and
     * wakes the worker; the worker clears it and sleeps on it. If the worker is
     * a coroutine, its backend explains further values. */
    _Atomic uint32_t parker;
    _Atomic int64_t unparked_at; /* when a thread last did that */

    /* What follows is not in the first cache line, which a completer reads.
     * Guarded by the wait graph's lock (lib/executor/wait_graph.c). */
    bool stuck;    /* while it waits: found by cf__wait_graph_enter() */
    bool held_up;  /* ... found by cf__wait_graph_held_up() */
    bool firm;     /* ... others of a circle are ended before it; set by it */
    bool hopeless; /* its wait is to end: a firm one closed the circle */
    struct cf__worker *graph_next;
    struct cf__awaited *awaited; /* what the worker is blocked on */
};

/* true: the tasks of ex run in the calling thread only, and it is in none of
 * them: while it waits, none runs. ex is compared, and may be gone. */
static inline bool
cf__holds_up(const cf_executor *ex)
{
    return __builtin_expect(cf__thread.root_of != NULL, 0) &&
           cf__thread.root_of == ex &&
           !(cf__thread.worker && cf__thread.worker->executor == ex);
}

/* true: the calling thread is a worker of ex. */
static inline bool
cf__is_own_worker(const cf_executor *ex)
{
    return cf__thread.worker && cf__thread.worker->executor == ex;
}

static inline void
cf__worker_unpark(struct cf__worker *worker)
{
    if (__builtin_expect(worker->suspend != NULL, 0)) {
        worker->suspend->unpark(worker);
        return;
    }
    cf_store_relaxed(&worker->unparked_at, cf__now_ns()); /* a hint */
    /* pairs with park: the worker sees why it was woken */
    if (cf_exchange_acq_rel(&worker->parker, 1) == 0)
        cf__futex_wake(&worker->parker, 1);
}

/* The thread is going to run code of the user inside of a call: a callback, or
 * a destructor. If it is a worker, other threads may count on it to find work,
 * and the code may take long: callbacks_begin() sees to a successor. Give the
 * result to cf__cancel_restore(). */
static inline int
cf__user_code_begin(void)
{
    struct cf__worker *worker = cf__thread.worker;
    if (worker && worker->callbacks_begin)
        worker->callbacks_begin(worker);
    return cf__cancel_disable();
}

/* Sleeps until the worker is unparked; false: the deadline has passed. May also
 * return true for no reason: the caller looks for what it waits for. */
static inline bool
cf__worker_park(struct cf__worker *worker, int64_t deadline_ns)
{
    if (__builtin_expect(worker->suspend != NULL, 0))
        return worker->suspend->park(worker, deadline_ns);
    /* pairs with unpark */
    if (cf_exchange_acquire(&worker->parker, 0) == 1)
        return true;
    do {
        if (!cf__futex_wait(&worker->parker, 0, deadline_ns))
            return false;
        /* pairs with unpark */
    } while (cf_exchange_acquire(&worker->parker, 0) == 0);
    cf__wake_cost_learn(cf__now_ns() - cf_load_relaxed(&worker->unparked_at));
    return true;
}

#endif
