/* SPDX-License-Identifier: MIT */
/*
 * Pools with a bounded queue, for tests of what a submit to a full one does.
 */
#ifndef CF_TESTS_BOUNDED_H
#define CF_TESTS_BOUNDED_H

#include "tests/conformance/conformance.h"

/* A pool of one worker that holds, with a bounded queue. */
typedef struct bounded {
    cf_executor *ex;
    gate *g;
    cf_future *held;
} bounded;

static inline void
bounded_begin(bounded *b, size_t capacity, cf_queue_policy policy)
{
    *b = (bounded){.g = gate_new()};
    b->ex = test_pool((test_options){
        .max_workers = 1, .queue_capacity = capacity, .queue_policy = policy});
    occupy(b->ex, b->g, 1, &b->held);
}

static inline void
bounded_end(bounded *b)
{
    gate_open(b->g);
    cf_executor_destroy(b->ex);
    cf_future_unref(b->held);
}

static inline uint64_t
queued(cf_executor *ex)
{
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    return stats.queued;
}

#endif
