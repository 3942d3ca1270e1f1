/* SPDX-License-Identifier: MIT */
/*
 * n tasks of 1 us with 8 tasks of 50 ms spread among them, all pending before
 * the first worker is free: a worker that takes several at once must let the
 * others steal what it cannot start. Wall time over that of bare threads which
 * had the same tasks dealt out evenly beforehand.
 */
#include "common/bench.h"
#include "common/gate.h"
#include "common/subject.h"
#include "common/work.h"

#include <stdlib.h>

#define LONG_TASKS 8

uint64_t
bench_task(uint64_t arg)
{
    return arg == GATE_ARG ? gate_task() : work_task(arg);
}

static double
run_round(
    batch *b, const uint64_t *args, uint64_t *results, size_t n, int workers)
{
    double ideal = work_ideal_ns(args, n, workers);

    for (size_t i = 0; i < n; i++)
        results[i] = 0;
    gate *g = gate_shut(workers);
    uint64_t start = bench_now_ns();
    batch_submit(b, args, results, n);
    if (subject_blockable(workers) > 0) /* nothing has begun until now */
        start = bench_now_ns();
    gate_open(g);
    batch_collect(b);
    double wall = (double)(bench_now_ns() - start);
    gate_destroy(g);
    for (size_t i = 0; i < n; i++) {
        if (results[i] != args[i] + 1)
            bench_die("task %zu did not run or gave a wrong result", i);
    }
    return wall / ideal;
}

static void
body(void *data)
{
    const bench_options *o = data;
    size_t between = o->n / LONG_TASKS;
    /* An odd distance: bare thread t of 2 or 4 gets each kind evenly. */
    size_t distance = between | 1;
    size_t n = distance * LONG_TASKS;
    uint64_t *args = bench_alloc(n, sizeof(*args));
    uint64_t *results = bench_alloc(n, sizeof(*results));
    double *ratios = bench_alloc((size_t)o->rounds, sizeof(*ratios));
    uint64_t short_steps = work_calibrate(1e3);
    uint64_t long_steps = work_calibrate(50e6);

    for (size_t i = 0; i < n; i++)
        args[i] = work_arg(i, i % distance == 0 ? long_steps : short_steps);
    batch *b = batch_create(n);
    run_round(b, args, results, n, o->workers); /* warms up */
    for (int i = 0; i < o->rounds; i++)
        ratios[i] = run_round(b, args, results, n, o->workers);
    batch_destroy(b);
    bench_metric("wall_over_ideal", bench_median(ratios, (size_t)o->rounds));
    free(ratios);
    free(results);
    free(args);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 20000);

    subject_run(options.workers, body, &options);
    return 0;
}
