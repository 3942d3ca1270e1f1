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
    int64_t deadline_ns;
};

/*
 * Runs the loop. *failed (may be NULL) gets a handle on the failed range with
 * the lowest begin. CF_ETIMEDOUT after the deadline; every range that was
 * begun has ended when this returns.
 */
cf_err cf__loop_run(const struct cf__loop *loop, cf_future **failed);

#endif
