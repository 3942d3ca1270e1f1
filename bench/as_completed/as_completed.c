/* SPDX-License-Identifier: MIT */
/*
 * n empty tasks, and n / 100 of them: nanoseconds per task until all have
 * come out in the order in which they finished, each exactly once.
 */
#include "as_completed/as_completed.h"

#include "common/bench.h"
#include "common/echo.h"

#include <stdio.h>
#include <stdlib.h>

/* Dies unless came is a permutation of the results of args. */
static void
check_each_once(const uint64_t *args, const uint64_t *came, size_t n)
{
    uint8_t *seen = bench_alloc(n, 1);

    for (size_t i = 0; i < n; i++) {
        size_t index = (size_t)(echo_task(came[i]) >> 16);
        if (index >= n || came[i] != echo_task(args[index]))
            bench_die("something came out that is no task's result");
        if (seen[index]++)
            bench_die("task %zu came out twice", index);
    }
    free(seen);
}

static void
run_size(const char *size, size_t n, int rounds)
{
    uint64_t *args = bench_alloc(n, sizeof(*args));
    uint64_t *came = bench_alloc(n, sizeof(*came));
    double *total = bench_alloc((size_t)rounds, sizeof(*total));
    double *drain = bench_alloc((size_t)rounds, sizeof(*drain));
    char name[32];

    for (int round = 0; round <= rounds; round++) {
        echo_fill(args, n, round);
        as_completed_times t = as_completed_round(args, came, n);
        check_each_once(args, came, n);
        if (round > 0) { /* the first one warms up */
            total[round - 1] = t.total_ns / (double)n;
            drain[round - 1] = t.drain_ns / (double)n;
        }
    }
    if (drain[0] >= 0) {
        snprintf(name, sizeof(name), "%s_drain_ns", size);
        bench_metric(name, bench_median(drain, (size_t)rounds));
    }
    snprintf(name, sizeof(name), "%s_total_ns", size);
    bench_metric(name, bench_median(total, (size_t)rounds));
    free(drain);
    free(total);
    free(came);
    free(args);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 1000000);

    as_completed_open(o.workers);
    run_size("large", o.n, o.rounds);
    run_size("small", o.n / 100 + 1, o.rounds * 10);
    as_completed_close();
    return 0;
}
