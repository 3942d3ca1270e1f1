/* SPDX-License-Identifier: MIT */
/* Sleeps of 100 us on a loop that has nothing else to do: how late they end. */
#include "loop_sleep/sleep.h"

#include "common/bench.h"

#include <stdlib.h>

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 10000);
    double *late = bench_alloc(o.n, sizeof(*late));

    sleep_late(late, o.n / 10 + 1); /* warms up */
    sleep_late(late, o.n);
    bench_metric("earliest_ns", bench_percentile(late, o.n, 0));
    bench_metric("late_p50_ns", bench_percentile(late, o.n, 0.5));
    bench_metric("late_p99_ns", bench_percentile(late, o.n, 0.99));
    free(late);
    return 0;
}
