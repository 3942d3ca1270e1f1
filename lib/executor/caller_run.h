/* SPDX-License-Identifier: MIT */
/*
 * Tasks that their submitter runs, because the queue is full
 * (CF_QUEUE_CALLER_RUNS).
 *
 * If such a task submits to the full queue, the new task runs inside it, and so
 * on to some depth. Deeper tasks are put off: when the innermost task has
 * returned, the submit that runs it runs them, one after the other. So tasks
 * that each submit the next one need a bounded stack, however many they are. If
 * the thread waits for a task that was put off, the wait runs it: a task can
 * wait for what it has submitted.
 */
#ifndef CF_LIB_EXECUTOR_CALLER_RUN_H
#define CF_LIB_EXECUTOR_CALLER_RUN_H

#include "lib/base/thread.h"
#include "lib/executor/executor.h"

/* On the stack of the submit. Only its thread uses it. */
struct cf__caller_run {
    cf_executor *executor;
    uintptr_t id;            /* odd, and different for each */
    unsigned depth;          /* how many of this executor are outside of it */
    cf_future *first, *last; /* put off: pending, linked by next; each with the
                                handle that a queue would have */
    struct cf__caller_run *outer;
    uint16_t generation; /* of the process */
};

/* Runs a chain of pending tasks of ex that no other thread knows, from the
 * oldest to the newest, or puts it off. Drops the handles that a queue would
 * have. An error: the bound is closed, and nothing has been done. */
cf_err cf__caller_run(cf_executor *ex,
                      cf_future *oldest,
                      cf_future *newest,
                      size_t count);

/* For a task that was put off and then cancelled, or run by a wait: drops the
 * queue's handle. The statistics count it as having left the queue, but it
 * never was there. */
void cf__drop_put_off(cf_executor *ex, cf_future *f);

/* This thread is in a task of ex that its own submit runs. */
bool cf__caller_runs_here(const cf_executor *ex);

/* If f is pending, and this thread runs tasks of f's executor in a submit: runs
 * f here, and then f is done. The slow side of cf__caller_run_pending(). */
bool cf__caller_run_it(cf_future *f);

static inline bool
cf__caller_run_pending(cf_future *f)
{
    return __builtin_expect(cf__thread.caller_run != NULL, 0) &&
           cf__caller_run_it(f);
}

#endif
