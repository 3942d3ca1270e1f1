/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that do nothing but let the others run: nanoseconds from one to
 * the next, among 2 and among 1000.
 */
#include "loop_switch/switch.h"

#include "common/bench.h"

#include <stdlib.h>

enum { MANY = 1000 };

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 5000000);
    size_t rounds = (size_t)o.rounds;
    double *two = bench_alloc(rounds, sizeof(*two));
    double *many = bench_alloc(rounds, sizeof(*many));

    switch_ns(2, o.n); /* warms up */
    switch_ns(MANY, o.n);
    for (size_t i = 0; i < rounds; i++) {
        two[i] = switch_ns(2, o.n) / (double)o.n;
        many[i] = switch_ns(MANY, o.n) / (double)o.n;
    }
    bench_metric("ns_per_switch_2", bench_median(two, rounds));
    bench_metric("ns_per_switch_1000", bench_median(many, rounds));
    free(many);
    free(two);
    return 0;
}
