/* SPDX-License-Identifier: MIT */
/*
 * This library from C++: a lambda for each task, its value in a cf::future.
 */
#include "common/bench.h"

#include <cfutures/cfutures.hpp>

#define BATCH_FUTURE cf::future<uint64_t>
#include "subjects/futures.hpp"

static cf::thread_pool *pool;

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    cf::thread_pool mine(workers);
    pool = &mine;
    body(data);
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t i = 0; i < n; i++)
        b->futures.push_back(
            pool->submit([arg = args[i]] { return bench_task(arg); }));
}
