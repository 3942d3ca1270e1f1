/* SPDX-License-Identifier: MIT */
/*
 * cf_map_array() with the heavy function of the workload map, over n doubles
 * in memory of cf_shared_alloc(): nanoseconds per item, and how much faster
 * that is than a loop in the program itself in the same round.
 */
#include "common/executor.h"
#include "map/map.h"

#include <stdlib.h>
#include <string.h>

typedef struct arrays {
    cf_executor *pool;
    double *in, *out;
    size_t n;
} arrays;

static int
heavy_item(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    double result = map_heavy(*(const double *)arg);
    return cf_return(call, &result, sizeof(result));
}

static double *
shared_doubles(cf_executor *pool, size_t n)
{
    double *p = cf_shared_alloc(pool, n * sizeof(*p));

    if (p == NULL)
        bench_die("no shared memory for %zu doubles", n);
    return p;
}

static double
timed_map(const arrays *a)
{
    /* No result is left from the round before: none is a NaN. */
    memset(a->out, 0xff, a->n * sizeof(*a->out));
    uint64_t start = bench_now_ns();
    bench_check(cf_map_array(a->pool,
                             heavy_item,
                             a->in,
                             sizeof(*a->in),
                             a->n,
                             a->out,
                             sizeof(*a->out),
                             NULL),
                "cf_map_array");
    double took = (double)(bench_now_ns() - start);
    for (size_t i = 0; i < a->n; i++) {
        if (a->out[i] != map_heavy(a->in[i]))
            bench_die("item %zu was not done or came out wrong", i);
    }
    return took / (double)a->n;
}

static double
timed_loop(const arrays *a)
{
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < a->n; i++)
        a->out[i] = map_heavy(a->in[i]);
    return (double)(bench_now_ns() - start) / (double)a->n;
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 10000000);
    size_t rounds = (size_t)o.rounds;
    double *ns = bench_alloc(rounds, sizeof(*ns));
    double *speedup = bench_alloc(rounds, sizeof(*speedup));
    arrays a = {.pool = bench_open_executor(o.workers), .n = o.n};

    a.in = shared_doubles(a.pool, o.n);
    a.out = shared_doubles(a.pool, o.n);
    for (size_t i = 0; i < o.n; i++)
        a.in[i] = (double)i / (double)o.n;
    timed_map(&a); /* warms up */
    for (size_t i = 0; i < rounds; i++) {
        ns[i] = timed_map(&a);
        speedup[i] = timed_loop(&a) / ns[i];
    }
    bench_metric("ns_per_item", bench_median(ns, rounds));
    bench_metric("speedup", bench_median(speedup, rounds));
    cf_shared_free(a.pool, a.out);
    cf_shared_free(a.pool, a.in);
    cf_executor_destroy(a.pool);
    free(speedup);
    free(ns);
    return 0;
}
