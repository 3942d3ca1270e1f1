/* SPDX-License-Identifier: MIT */
/*
 * A time limit around an operation that ends in time, as around most: what it
 * costs where 10,000 other limits are pending.
 */
#include "loop_scope/scope.h"

#include "common/bench.h"

#include <stdlib.h>

enum { PENDING = 10000 };

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 2000000);
    size_t rounds = (size_t)o.rounds;
    double *took = bench_alloc(rounds, sizeof(*took));

    scope_ns(PENDING, o.n); /* warms up */
    for (size_t i = 0; i < rounds; i++)
        took[i] = scope_ns(PENDING, o.n) / (double)o.n;
    bench_metric("ns_per_scope", bench_median(took, rounds));
    free(took);
    return 0;
}
