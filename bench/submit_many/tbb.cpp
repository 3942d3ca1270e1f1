/* SPDX-License-Identifier: MIT */
/*
 * oneTBB: its nearest thing to a batch of tasks is a parallel_for() whose
 * ranges are one item long.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

struct batch {
    size_t max;
};

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(workers));
    body(data);
}

int
subject_blockable(int)
{
    return 0;
}

batch *
batch_create(size_t max)
{
    return new batch{max};
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    if (n > b->max)
        bench_die("%zu tasks in a batch for %zu", n, b->max);
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, n, 1),
        [args, results](const tbb::blocked_range<size_t> &range) {
            for (size_t i = range.begin(); i != range.end(); i++)
                results[i] = bench_task(args[i]);
        },
        tbb::simple_partitioner());
}

void
batch_collect(batch *)
{
}

void
batch_destroy(batch *b)
{
    delete b;
}
