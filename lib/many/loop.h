/* SPDX-License-Identifier: MIT */
/*
 * A loop, cut into ranges, each of which is a task. cf_parallel_for(),
 * cf_parallel_reduce() and cf_map_array() use it. README.md, "Loops", has the
 * protocol.
 */
#ifndef CF_LIB_LOOP_H
#define CF_LIB_LOOP_H

#include <cfutures/map.h>

#include "lib/executor/call.h"
#include "lib/future/failure.h"

struct cf__loop {
    cf_executor *ex;
    size_t begin, end;
    size_t grain; /* most iterations in one call of fn; 0: no limit */
    cf_range_fn *fn;
    void *data;
    size_t data_size; /* not 0: fn gets a copy of so many bytes at data, in
                         memory that all workers share; the loop writes it back
                         at the end. 0: fn gets data itself */
    int64_t deadline_ns;
    size_t unit;    /* so many iterations are never cut: a multiple of grain. 0:
                       grain, or one */
    bool owns_data; /* data is memory of cf_shared_alloc(), which the loop frees
                       in any case, once no range uses it */
    /* Called when all ranges have succeeded, before data is freed. NULL:
     * nothing. */
    void (*succeeded)(const struct cf__loop *loop);
};

/*
 * Runs the loop. failed may be NULL; *failed gets a handle on the failed range
 * with the lowest begin, or NULL. CF_ETIMEDOUT: the deadline has passed. When
 * this returns, every range that was begun has ended, except with CF_EDEADLK:
 * then a range waits for the caller's task, and what it uses is never freed.
 */
cf_err cf__loop_run(const struct cf__loop *loop, cf_future **failed);

/* Waits for all tasks of a loop. After the first failure or the deadline, those
 * that have not begun never do, and those that have are asked to stop. If there
 * is no memory for that, a failure is noticed at the end. CF_ETIMEDOUT,
 * CF_EINTERRUPTED; CF_EDEADLK, CF_EFORKED: not all have ended. */
cf_err
cf__loop_await(cf_future *const *futures, size_t count, int64_t deadline_ns);

/* A call of the user's body has returned rc, and so does this. Other such calls
 * may follow in the same task. */
static inline int
cf__loop_call_returned(cf_call *call, int rc)
{
    cf__call_returned(call, rc);
    if (rc)
        return rc;
    if (call->result_size || call->heap)
        (void)cf_return(call, NULL, 0); /* a loop's tasks have no result */
    if (call->failure) {                /* cf_fail(), but it succeeded */
        cf__failure_free(call->failure);
        call->failure = NULL;
    }
    return 0;
}

#endif
