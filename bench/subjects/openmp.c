/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: one task construct per task inside one parallel region, taskwait at
 * the end. The submitting thread is one of the workers; beyond some backlog
 * the runtime runs a task in the submitter instead of queueing it. In
 * submit_many: a taskloop of one iteration per task.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <stdlib.h>

/* clang warns of conversions in the code that it makes of a taskloop. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wsign-conversion"
#endif

struct batch {
    size_t max;
};

void
subject_run(int workers, void (*body)(void *data), void *data)
{
#pragma omp parallel num_threads(workers)
#pragma omp single
    body(data);
}

int
subject_blockable(int workers)
{
    (void)workers;
    return 0;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    b->max = max;
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    if (n > b->max)
        bench_die("%zu tasks in a batch for %zu", n, b->max);
#ifdef BENCH_SUBMIT_MANY
#pragma omp taskloop grainsize(1) default(none) firstprivate(args, results, n)
    for (size_t i = 0; i < n; i++)
        results[i] = bench_task(args[i]);
#else
    for (size_t i = 0; i < n; i++) {
        uint64_t arg = args[i];
        uint64_t *result = &results[i];
#pragma omp task default(none) firstprivate(arg, result)
        *result = bench_task(arg);
    }
#endif
}

void
batch_collect(batch *b)
{
    (void)b;
#pragma omp taskwait
}

void
batch_destroy(batch *b)
{
    free(b);
}
