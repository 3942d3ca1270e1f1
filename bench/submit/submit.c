/* SPDX-License-Identifier: MIT */
/*
 * n empty tasks from one outside thread: all are submitted, then all results
 * are read. Also the main program of submit_many, where the subject gets the
 * tasks in one call.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/subject.h"

#include <stdlib.h>

uint64_t
bench_task(uint64_t arg)
{
    return echo_task(arg);
}

static double
run_round(batch *b, uint64_t *args, uint64_t *results, size_t n, int round)
{
    echo_fill(args, n, round);
    uint64_t start = bench_now_ns();
    batch_submit(b, args, results, n);
    batch_collect(b);
    uint64_t end = bench_now_ns();
    echo_check(args, results, n);
    return (double)(end - start) / (double)n;
}

static void
body(void *data)
{
    const bench_options *o = data;
    uint64_t *args = bench_alloc(o->n, sizeof(*args));
    uint64_t *results = bench_alloc(o->n, sizeof(*results));
    double *ns = bench_alloc((size_t)o->rounds, sizeof(*ns));

    batch *b = batch_create(o->n);
    double cold = run_round(b, args, results, o->n, 0);
    for (int i = 0; i < o->rounds; i++)
        ns[i] = run_round(b, args, results, o->n, i + 1);
    batch_destroy(b);
    bench_metric("ns_per_task", bench_median(ns, (size_t)o->rounds));
    bench_metric("cold_ns_per_task", cold);
    free(ns);
    free(results);
    free(args);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 1000000);

    subject_run(options.workers, body, &options);
    return 0;
}
