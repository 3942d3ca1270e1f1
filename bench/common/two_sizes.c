/* SPDX-License-Identifier: MIT */
/* See two_sizes.h. */
#include "common/two_sizes.h"

#include <stdio.h>
#include <stdlib.h>

void
two_sizes_measure(const bench_options *options,
                  const char *name,
                  size_t few,
                  two_sizes_fn *fn)
{
    const size_t sizes[2] = {few, TWO_SIZES_MANY};
    const size_t n = options->n, rounds = (size_t)options->rounds;
    double *took[2];
    char metric[64];

    for (int i = 0; i < 2; i++) {
        if (n % sizes[i] != 0)
            bench_die("%zu is no multiple of %zu", n, sizes[i]);
        took[i] = bench_alloc(rounds, sizeof(double));
        fn(sizes[i], n); /* warms up */
    }
    for (size_t round = 0; round < rounds; round++)
        for (int i = 0; i < 2; i++)
            took[i][round] = fn(sizes[i], n) / (double)n;
    for (int i = 0; i < 2; i++) {
        snprintf(metric, sizeof metric, "%s_%zu", name, sizes[i]);
        bench_metric(metric, bench_median(took[i], rounds));
        free(took[i]);
    }
}
