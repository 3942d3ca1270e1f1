/* SPDX-License-Identifier: MIT */
/*
 * Tasks of a known length, and the bare threads that a pool is compared with.
 */
#include "common/work.h"

#include "common/bench.h"

#include <pthread.h>
#include <stdlib.h>

#define STEP_BITS 28
#define STEP_MASK ((UINT64_C(1) << STEP_BITS) - 1)

static _Thread_local uint64_t steps_here;

/* A chain of dependent steps that no compiler can shorten; never 0. */
static uint64_t
compute(uint64_t steps)
{
    uint64_t x = 88172645463325252u;

    for (uint64_t i = 0; i < steps; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

uint64_t
work_calibrate(double ns)
{
    static const uint64_t probe = 2000000;
    double best = 1e18;

    for (int i = 0; i < 9; i++) {
        uint64_t start = bench_now_ns();
        if (compute(probe) == 0)
            bench_die("the step generator is broken");
        double took = (double)(bench_now_ns() - start);
        if (took < best)
            best = took;
    }
    uint64_t steps = (uint64_t)(ns * (double)probe / best + 0.5);
    if (steps == 0 || steps > STEP_MASK)
        bench_die("%g ns is no length for a task", ns);
    return steps;
}

uint64_t
work_arg(size_t index, uint64_t steps)
{
    return (uint64_t)index << STEP_BITS | steps;
}

uint64_t
work_task(uint64_t arg)
{
    uint64_t steps = arg & STEP_MASK;

    steps_here += steps;
    return arg + (compute(steps) != 0);
}

uint64_t
work_steps_here(void)
{
    return steps_here;
}

typedef struct share {
    pthread_t thread;
    pthread_barrier_t *start;
    const uint64_t *args;
    size_t n;
    size_t first;
    size_t stride;
    uint64_t wrong;
} share;

static void *
run_share(void *data)
{
    share *s = data;

    pthread_barrier_wait(s->start);
    for (size_t i = s->first; i < s->n; i += s->stride)
        s->wrong += work_task(s->args[i]) != s->args[i] + 1;
    return NULL;
}

double
work_ideal_ns(const uint64_t *args, size_t n, int threads)
{
    share *shares = bench_alloc((size_t)threads, sizeof(*shares));
    pthread_barrier_t start;

    if (pthread_barrier_init(&start, NULL, (unsigned)threads + 1) != 0)
        bench_die("pthread_barrier_init failed");
    for (int t = 0; t < threads; t++) {
        shares[t].start = &start;
        shares[t].args = args;
        shares[t].n = n;
        shares[t].first = (size_t)t;
        shares[t].stride = (size_t)threads;
        if (pthread_create(&shares[t].thread, NULL, run_share, &shares[t]) != 0)
            bench_die("pthread_create failed");
    }
    pthread_barrier_wait(&start);
    uint64_t begin = bench_now_ns();
    for (int t = 0; t < threads; t++) {
        pthread_join(shares[t].thread, NULL);
        if (shares[t].wrong != 0)
            bench_die("wrong results on bare threads");
    }
    double took = (double)(bench_now_ns() - begin);
    pthread_barrier_destroy(&start);
    free(shares);
    return took;
}
