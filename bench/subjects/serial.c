/* SPDX-License-Identifier: MIT */
/*
 * No pool at all: a loop that calls the task. What the work itself costs.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <stdlib.h>

struct batch {
    size_t max;
};

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    (void)workers;
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
    for (size_t i = 0; i < n; i++)
        results[i] = bench_task(args[i]);
}

void
batch_collect(batch *b)
{
    (void)b;
}

void
batch_destroy(batch *b)
{
    free(b);
}
