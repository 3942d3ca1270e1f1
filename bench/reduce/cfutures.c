/* SPDX-License-Identifier: MIT */
/*
 * This library: cf_parallel_reduce(), which gives the same bits each time.
 */
#include "reduce/reduce.h"

#include "common/executor.h"

reduce_fn *const reduce_fixed = NULL;

static cf_executor *pool;

void
reduce_open(int workers)
{
    pool = bench_open_threads(workers);
}

void
reduce_close(void)
{
    cf_executor_destroy(pool);
}

static int
fold_light(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    const double *in = data;
    double sum = *(double *)partial;

    (void)call;
    for (size_t i = begin; i < end; i++)
        sum += map_light(in[i]);
    *(double *)partial = sum;
    return 0;
}

static int
fold_heavy(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    const double *in = data;
    double sum = *(double *)partial;

    (void)call;
    for (size_t i = begin; i < end; i++)
        sum += map_heavy(in[i]);
    *(double *)partial = sum;
    return 0;
}

static void
add(void *partial, void *next, void *data)
{
    (void)data;
    *(double *)partial += *(const double *)next;
}

static double
reduce(cf_fold_fn *fold, const double *in, size_t n)
{
    const double zero = 0;
    double sum;

    bench_check(
        cf_parallel_reduce(
            pool, 0, n, 0, fold, add, &zero, sizeof(zero), (void *)in, &sum),
        "cf_parallel_reduce");
    return sum;
}

double
reduce_light(const double *in, size_t n)
{
    return reduce(fold_light, in, n);
}

double
reduce_heavy(const double *in, size_t n)
{
    return reduce(fold_heavy, in, n);
}
