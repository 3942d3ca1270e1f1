/* SPDX-License-Identifier: MIT */
/*
 * This library: cf_parallel_for() over ranges. Besides, cf_map_array() with a
 * call of the task function per item, on one worker: what it costs more than
 * a loop in the same round.
 */
#include "map/map.h"

#include "common/executor.h"

#include <stdlib.h>
#include <string.h>

typedef struct loop {
    const double *in;
    double *out;
} loop;

static cf_executor *all;
static cf_executor *one;

void
map_open(int workers)
{
    all = bench_open_threads(workers);
    one = bench_open_threads(1);
}

void
map_close(void)
{
    cf_executor_destroy(one);
    cf_executor_destroy(all);
}

static int
light_range(cf_call *call, size_t begin, size_t end, void *data)
{
    const loop *l = data;

    (void)call;
    for (size_t i = begin; i < end; i++)
        l->out[i] = map_light(l->in[i]);
    return 0;
}

static int
heavy_range(cf_call *call, size_t begin, size_t end, void *data)
{
    const loop *l = data;

    (void)call;
    for (size_t i = begin; i < end; i++)
        l->out[i] = map_heavy(l->in[i]);
    return 0;
}

void
map_all_light(const double *in, double *out, size_t n)
{
    loop l = {in, out};

    bench_check(cf_parallel_for(all, 0, n, 0, light_range, &l, NULL),
                "cf_parallel_for");
}

void
map_all_heavy(const double *in, double *out, size_t n)
{
    loop l = {in, out};

    bench_check(cf_parallel_for(all, 0, n, 0, heavy_range, &l, NULL),
                "cf_parallel_for");
}

static int
light_item(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    double result = map_light(*(const double *)arg);
    return cf_return(call, &result, sizeof(result));
}

static double
timed_loop(const double *in, double *out, size_t n)
{
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < n; i++)
        out[i] = map_light(in[i]);
    return (double)(bench_now_ns() - start) / (double)n;
}

static double
timed_map_array(const double *in, double *out, size_t n)
{
    memset(out, 0xff, n * sizeof(*out));
    uint64_t start = bench_now_ns();
    bench_check(
        cf_map_array(
            one, light_item, in, sizeof(*in), n, out, sizeof(*out), NULL),
        "cf_map_array");
    double took = (double)(bench_now_ns() - start);
    for (size_t i = 0; i < n; i++) {
        if (out[i] != map_light(in[i]))
            bench_die("item %zu was not done or came out wrong", i);
    }
    return took / (double)n;
}

void
map_more(const double *in, double *out, size_t n, int rounds)
{
    double *more = bench_alloc((size_t)rounds, sizeof(*more));

    timed_map_array(in, out, n); /* warms up */
    for (int i = 0; i < rounds; i++) {
        double serial = timed_loop(in, out, n);
        more[i] = timed_map_array(in, out, n) - serial;
    }
    bench_metric("map_array_overhead_ns", bench_median(more, (size_t)rounds));
    free(more);
}
