/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: a reduction with the static schedule, one partial sum per thread.
 */
#include "reduce/reduce.h"

reduce_fn *const reduce_fixed = NULL;

static int threads;

void
reduce_open(int workers)
{
    threads = workers;
}

void
reduce_close(void)
{
}

double
reduce_light(const double *in, size_t n)
{
    double sum = 0;
#pragma omp parallel for schedule(static) num_threads(threads)                 \
    reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += map_light(in[i]);
    return sum;
}

double
reduce_heavy(const double *in, size_t n)
{
    double sum = 0;
#pragma omp parallel for schedule(static) num_threads(threads)                 \
    reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += map_heavy(in[i]);
    return sum;
}
