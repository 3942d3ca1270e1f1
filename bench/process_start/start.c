/* SPDX-License-Identifier: MIT */
/*
 * The life of a pool that runs one task: made, used and destroyed, n times.
 */
#include "process_start/start.h"

#include "common/bench.h"
#include "common/echo.h"

#include <stdlib.h>

uint64_t
start_task(uint64_t arg)
{
    return echo_task(arg);
}

static double
timed_start(int workers, uint64_t arg)
{
    uint64_t start = bench_now_ns();
    uint64_t result = start_once(workers, arg);
    double took = (double)(bench_now_ns() - start);

    echo_check(&arg, &result, 1);
    return took / 1e3;
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 500);
    double *us = bench_alloc(o.n, sizeof(*us));

    for (size_t i = 0; i < o.n / 10 + 1; i++)
        timed_start(o.workers, i); /* warms up */
    for (size_t i = 0; i < o.n; i++)
        us[i] = timed_start(o.workers, i);
    bench_metric("start_us", bench_median(us, o.n));
    free(us);
    return 0;
}
