/* SPDX-License-Identifier: MIT */
/*
 * The C++ standard library: std::async(), one thread and one std::future per
 * task. There is no pool, so the number of workers means nothing here.
 */
#include "common/bench.h"

#include <future>

#define BATCH_FUTURE std::future<uint64_t>
#include "subjects/futures.hpp"

void
subject_run(int, void (*body)(void *data), void *data)
{
    body(data);
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t i = 0; i < n; i++)
        b->futures.push_back(
            std::async(std::launch::async, bench_task, args[i]));
}
