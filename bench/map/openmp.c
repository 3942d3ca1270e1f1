/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: parallel for with the static schedule, which cuts the loop into one
 * piece per thread.
 */
#include "map/map.h"

static int threads;

void
map_open(int workers)
{
    threads = workers;
}

void
map_close(void)
{
}

void
map_all_light(const double *in, double *out, size_t n)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t i = 0; i < n; i++)
        out[i] = map_light(in[i]);
}

void
map_all_heavy(const double *in, double *out, size_t n)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t i = 0; i < n; i++)
        out[i] = map_heavy(in[i]);
}

void
map_more(const double *in, double *out, size_t n, int rounds)
{
    (void)in;
    (void)out;
    (void)n;
    (void)rounds;
}
