/* SPDX-License-Identifier: MIT */
/*
 * The C++ standard library: std::async(), one thread and one std::future per
 * task. There is no pool, so the number of workers means nothing here.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <future>
#include <vector>

struct batch {
    std::vector<std::future<uint64_t>> futures;
    uint64_t *results;
};

void
subject_run(int, void (*body)(void *data), void *data)
{
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
            std::async(std::launch::async, bench_task, args[i]));
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
