/* SPDX-License-Identifier: MIT */
/*
 * No pool: a loop.
 */
#include "reduce/reduce.h"

reduce_fn *const reduce_fixed = NULL;

void
reduce_open(int workers)
{
    (void)workers;
}

void
reduce_close(void)
{
}

double
reduce_light(const double *in, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += map_light(in[i]);
    return sum;
}

double
reduce_heavy(const double *in, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += map_heavy(in[i]);
    return sum;
}
