/* SPDX-License-Identifier: MIT */
/*
 * A task that makes empty tasks on its own thread: nanoseconds from the submit
 * to the result, one after the other, and a thousand at a time.
 */
#include "loop_spawn/spawn.h"

#include "common/bench.h"

#include <stdlib.h>

enum { MANY = 1000 };

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 1000000);
    size_t rounds = (size_t)o.rounds;
    double *one = bench_alloc(rounds, sizeof(*one));
    double *many = bench_alloc(rounds, sizeof(*many));

    if (o.n % MANY != 0)
        bench_die("%zu is no multiple of %d", o.n, MANY);
    spawn_ns(1, o.n); /* warms up */
    spawn_ns(MANY, o.n);
    for (size_t i = 0; i < rounds; i++) {
        one[i] = spawn_ns(1, o.n) / (double)o.n;
        many[i] = spawn_ns(MANY, o.n) / (double)o.n;
    }
    bench_metric("ns_per_task_1", bench_median(one, rounds));
    bench_metric("ns_per_task_1000", bench_median(many, rounds));
    free(many);
    free(one);
    return 0;
}
