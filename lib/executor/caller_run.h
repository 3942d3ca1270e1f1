/* SPDX-License-Identifier: MIT */
/*
 * Tasks that a full queue made their submitter run (CF_QUEUE_CALLER_RUNS).
 *
 * If such a task submits to the full queue, the new one runs inside it, and so
 * on to some depth. From there on the new ones are put off: the innermost task's
 * submit runs them, one after the other, when that task has returned. So a chain
 * of any length needs a bounded stack. Whoever waits for one that was put off
 * runs it, so that a task can wait for what it has submitted.
 */
#ifndef CF_LIB_EXECUTOR_CALLER_RUN_H
#define CF_LIB_EXECUTOR_CALLER_RUN_H

#include "lib/base/thread.h"
#include "lib/executor/executor.h"

/* On the stack of the submit; the thread's own. */
struct cf__caller_run {
    cf_executor *executor;
    uintptr_t id;            /* odd, and another one for each */
    unsigned depth;          /* so many of this executor are outside of it */
    cf_future *first, *last; /* put off: pending, linked by next; each with the
                                handle that a queue would hold */
    struct cf__caller_run *outer;
    uint16_t generation; /* of the process */
};

/* Runs a chain of pending tasks of ex that nobody else knows, oldest to newest,
 * or puts it off; drops the handles that the queue would hold. An error: the
 * bound is closed, and nothing has been done. */
cf_err cf__caller_run(cf_executor *ex,
                      cf_future *oldest,
                      cf_future *newest,
                      size_t count);

/* Runs f here if it is pending and of an executor for which this thread runs
 * tasks; then it is done. The slow side of cf__caller_run_pending(). */
bool cf__caller_run_it(cf_future *f);

static inline bool
cf__caller_run_pending(cf_future *f)
{
    return __builtin_expect(cf__thread.caller_run != NULL, 0) &&
           cf__caller_run_it(f);
}

#endif
