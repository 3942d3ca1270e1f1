/* SPDX-License-Identifier: MIT */
/*
 * A loop cut into ranges, each a task: what cf_parallel_for() and
 * cf_map_array() share.
 */
#ifndef CF_LIB_LOOP_H
#define CF_LIB_LOOP_H

#include <cfutures/map.h>

struct cf__loop {
    cf_executor *ex;
    size_t begin, end;
    size_t grain; /* most iterations in one call of fn; 0: no limit */
    cf_range_fn *fn;
    void *data;
    size_t data_size; /* bytes at data that the loop shall keep in a copy of
                         its own, for fn and written back at the end; 0: data
                         is the caller's */
    int64_t deadline_ns;
};

/*
 * Runs the loop. *failed (may be NULL) gets a handle on the failed range with
 * the lowest begin. CF_ETIMEDOUT after the deadline. Every range that was
 * begun has ended when this returns, but with CF_EDEADLK: then one waits for
 * the caller's task, and what it uses is never freed.
 */
cf_err cf__loop_run(const struct cf__loop *loop, cf_future **failed);

#endif
