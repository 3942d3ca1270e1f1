/* SPDX-License-Identifier: MIT */
/*
 * One task at a time, from the submit to its result in hand: n times back to
 * back, and n / 7 times after the submitting thread has been busy with
 * something else for 100 us, long enough for an idle worker to sleep.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/subject.h"

#include <stdlib.h>

#define GAP_NS 100000

uint64_t
bench_task(uint64_t arg)
{
    return echo_task(arg);
}

static void
busy_for(uint64_t ns)
{
    uint64_t end = bench_now_ns() + ns;

    while (bench_now_ns() < end)
        ;
}

static double
one_task(batch *b, uint64_t arg)
{
    uint64_t result = 0;
    uint64_t start = bench_now_ns();

    batch_submit(b, &arg, &result, 1);
    batch_collect(b);
    uint64_t end = bench_now_ns();
    echo_check(&arg, &result, 1);
    return (double)(end - start);
}

static void
body(void *data)
{
    const bench_options *o = data;
    size_t gaps = o->n / 7 + 1;
    double *hot = bench_alloc(o->n, sizeof(*hot));
    double *idle = bench_alloc(gaps, sizeof(*idle));
    batch *b = batch_create(1);

    for (size_t i = 0; i < o->n / 10; i++)
        one_task(b, i); /* warms up */
    for (size_t i = 0; i < o->n; i++)
        hot[i] = one_task(b, i);
    for (size_t i = 0; i < gaps; i++) {
        busy_for(GAP_NS);
        idle[i] = one_task(b, i);
    }
    batch_destroy(b);
    bench_metric("hot_p50_ns", bench_percentile(hot, o->n, 0.5));
    bench_metric("hot_p99_ns", bench_percentile(hot, o->n, 0.99));
    bench_metric("idle_p50_ns", bench_percentile(idle, gaps, 0.5));
    bench_metric("idle_p99_ns", bench_percentile(idle, gaps, 0.99));
    free(idle);
    free(hot);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 21000);

    subject_run(options.workers, body, &options);
    return 0;
}
