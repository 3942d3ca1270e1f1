/* SPDX-License-Identifier: MIT */
/*
 * submit with tasks that do something: n of 1 us, and of longer ones fewer.
 * Efficiency is the ideal wall time over the real one. The ideal is measured
 * in the same round: the same tasks on as many bare threads, plus what the
 * submitting thread needed for the submits themselves, shared by the CPUs.
 */
#include "common/bench.h"
#include "common/subject.h"
#include "common/work.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct job {
    const bench_options *options;
    uint64_t *args;
    uint64_t *results;
    size_t n;
    uint64_t steps; /* per task */
    batch *b;
} job;

typedef struct outcome {
    double efficiency;
    double ns_per_task; /* wall */
} outcome;

uint64_t
bench_task(uint64_t arg)
{
    return work_task(arg);
}

/* Adds the submitting thread's own time to what bare threads needed. */
static double
with_submits(double bare_ns, double own_ns, int workers)
{
    int cpus = bench_cpus();

    if (subject_blockable(workers) < workers || cpus <= workers) {
        int sharing = cpus < workers ? cpus : workers;
        return bare_ns + own_ns / sharing;
    }
    return own_ns > bare_ns ? own_ns : bare_ns; /* on a CPU of its own */
}

static outcome
run_round(const job *j)
{
    int workers = j->options->workers;
    double bare_ns = work_ideal_ns(j->args, j->n, workers);

    for (size_t i = 0; i < j->n; i++)
        j->results[i] = 0;
    uint64_t cpu = bench_thread_cpu_ns();
    uint64_t steps = work_steps_here();
    uint64_t start = bench_now_ns();
    batch_submit(j->b, j->args, j->results, j->n);
    double own_ns = (double)(bench_thread_cpu_ns() - cpu);
    /* Tasks that a submit ran itself are no part of the submit's own time. */
    double inline_tasks =
        (double)(work_steps_here() - steps) / (double)j->steps;
    batch_collect(j->b);
    double wall = (double)(bench_now_ns() - start);

    for (size_t i = 0; i < j->n; i++) {
        if (j->results[i] != j->args[i] + 1)
            bench_die("task %zu did not run or gave a wrong result", i);
    }
    own_ns -= inline_tasks * bare_ns * workers / (double)j->n;
    if (own_ns < 0)
        own_ns = 0;
    return (outcome){with_submits(bare_ns, own_ns, workers) / wall,
                     wall / (double)j->n};
}

static void
run_grain(const bench_options *o, int us, size_t n)
{
    job j = {.options = o, .n = n, .steps = work_calibrate(us * 1000.0)};
    double *efficiency = bench_alloc((size_t)o->rounds, sizeof(*efficiency));
    double *ns = bench_alloc((size_t)o->rounds, sizeof(*ns));
    char name[32];

    j.args = bench_alloc(n, sizeof(*j.args));
    j.results = bench_alloc(n, sizeof(*j.results));
    j.b = batch_create(n);
    for (size_t i = 0; i < n; i++)
        j.args[i] = work_arg(i, j.steps);
    run_round(&j); /* warms up */
    for (int i = 0; i < o->rounds; i++) {
        outcome out = run_round(&j);
        efficiency[i] = out.efficiency;
        ns[i] = out.ns_per_task;
    }
    snprintf(name, sizeof(name), "efficiency_%dus", us);
    bench_metric(name, bench_median(efficiency, (size_t)o->rounds));
    snprintf(name, sizeof(name), "ns_per_task_%dus", us);
    bench_metric(name, bench_median(ns, (size_t)o->rounds));
    batch_destroy(j.b);
    free(j.results);
    free(j.args);
    free(ns);
    free(efficiency);
}

static void
body(void *data)
{
    const bench_options *o = data;

    run_grain(o, 1, o->n);
    run_grain(o, 10, o->n / 4 + 1);
    run_grain(o, 100, o->n / 40 + 1);
    run_grain(o, 1000, o->n / 400 + 1);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 200000);

    subject_run(options.workers, body, &options);
    return 0;
}
