/* SPDX-License-Identifier: MIT */
/*
 * This library from C++: a lambda for each task, its value in a cf::future.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <cfutures/cfutures.hpp>

#include <vector>

struct batch {
    std::vector<cf::future<uint64_t>> futures;
    uint64_t *results;
};

static cf::thread_pool *pool;

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    cf::thread_pool mine(workers);
    pool = &mine;
    body(data);
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = new batch;

    b->futures.reserve(max);
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t i = 0; i < n; i++)
        b->futures.push_back(
            pool->submit([arg = args[i]] { return bench_task(arg); }));
}

void
batch_collect(batch *b)
{
    for (size_t i = 0; i < b->futures.size(); i++)
        b->results[i] = b->futures[i].get();
    b->futures.clear();
}

void
batch_destroy(batch *b)
{
    delete b;
}
