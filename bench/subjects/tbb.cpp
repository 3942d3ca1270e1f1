/* SPDX-License-Identifier: MIT */
/*
 * oneTBB: task_group::run() and wait(). It has no future, so each task stores
 * its result. The submitting thread is one of the workers, as TBB counts. In
 * submit_many: a parallel_for() whose ranges are one item long, which is
 * oneTBB's nearest thing to a batch of tasks.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_group.h>

struct batch {
    tbb::task_group group;
};

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(workers));
    body(data);
}

int
subject_blockable(int workers)
{
    return workers - 1;
}

batch *
batch_create(size_t)
{
    return new batch;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
#ifdef BENCH_SUBMIT_MANY
    (void)b;
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, n, 1),
        [args, results](const tbb::blocked_range<size_t> &range) {
            for (size_t i = range.begin(); i != range.end(); i++)
                results[i] = bench_task(args[i]);
        },
        tbb::simple_partitioner());
#else
    for (size_t i = 0; i < n; i++) {
        uint64_t arg = args[i];
        uint64_t *result = &results[i];
        b->group.run([arg, result] { *result = bench_task(arg); });
    }
#endif
}

void
batch_collect(batch *b)
{
    b->group.wait();
}

void
batch_destroy(batch *b)
{
    delete b;
}
