/* SPDX-License-Identifier: MIT */
/*
 * No pool: a loop.
 */
#include "map/map.h"

void
map_open(int workers)
{
    (void)workers;
}

void
map_close(void)
{
}

void
map_all_light(const double *in, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = map_light(in[i]);
}

void
map_all_heavy(const double *in, double *out, size_t n)
{
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
