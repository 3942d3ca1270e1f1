/* SPDX-License-Identifier: MIT */
/*
 * This library: one cf_submit() per task, one future each. In submit_many:
 * one cf_submit_many() for the whole batch.
 */
#include "common/bench.h"
#include "common/executor.h"
#include "common/subject.h"

#include <cfutures/cfutures.h>

#include <stdlib.h>
#include <string.h>

struct batch {
    cf_future **futures;
    uint64_t *results;
    size_t n;
};

static cf_executor *pool;

static int
run_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    uint64_t result = bench_task(*(const uint64_t *)arg);
    return cf_return(call, &result, sizeof(result));
}

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    pool = bench_open_executor(workers);
    body(data);
    cf_executor_destroy(pool);
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    b->futures = bench_alloc(max, sizeof(cf_future *));
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    b->n = n;
#ifdef BENCH_SUBMIT_MANY
    cf_err err =
        cf_submit_many(pool, run_task, args, sizeof(*args), n, b->futures);
    if (err != CF_OK)
        bench_die("cf_submit_many: %s", cf_strerror(err));
#else
    for (size_t i = 0; i < n; i++) {
        cf_err err = cf_submit(
            pool, run_task, &args[i], sizeof(args[i]), &b->futures[i]);
        if (err != CF_OK)
            bench_die("cf_submit: %s", cf_strerror(err));
    }
#endif
}

void
batch_collect(batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        cf_bytes result;
        cf_err err = cf_future_result(b->futures[i], CF_FOREVER, &result);
        if (err != CF_OK || result.size != sizeof(uint64_t))
            bench_die("task %zu: %s", i, cf_strerror(err));
        memcpy(&b->results[i], result.data, sizeof(uint64_t));
        cf_future_unref(b->futures[i]);
    }
}

void
batch_destroy(batch *b)
{
    free(b->futures);
    free(b);
}
