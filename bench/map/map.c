/* SPDX-License-Identifier: MIT */
/*
 * out[i] = f(in[i]) over n doubles, with a light and a heavy f, on all
 * workers: nanoseconds per item.
 */
#include "map/map.h"

#include "common/bench.h"

#include <stdlib.h>
#include <string.h>

typedef void map_all_fn(const double *in, double *out, size_t n);

typedef struct arrays {
    double *in;
    double *out;
    size_t n;
} arrays;

static double
run_round(const arrays *a, map_all_fn *all, map_fn *fn)
{
    /* No result is left from the round before: no f gives a NaN. */
    memset(a->out, 0xff, a->n * sizeof(*a->out));
    uint64_t start = bench_now_ns();
    all(a->in, a->out, a->n);
    double took = (double)(bench_now_ns() - start);
    for (size_t i = 0; i < a->n; i++) {
        if (a->out[i] != fn(a->in[i]))
            bench_die("item %zu was not done or came out wrong", i);
    }
    return took / (double)a->n;
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 10000000);
    size_t rounds = (size_t)o.rounds;
    double *light = bench_alloc(rounds, sizeof(*light));
    double *heavy = bench_alloc(rounds, sizeof(*heavy));
    arrays a = {bench_alloc(o.n, sizeof(double)),
                bench_alloc(o.n, sizeof(double)),
                o.n};

    for (size_t i = 0; i < o.n; i++)
        a.in[i] = (double)i / (double)o.n;
    map_open(o.workers);
    run_round(&a, map_all_light, map_light); /* warms up */
    run_round(&a, map_all_heavy, map_heavy);
    for (size_t i = 0; i < rounds; i++) {
        light[i] = run_round(&a, map_all_light, map_light);
        heavy[i] = run_round(&a, map_all_heavy, map_heavy);
    }
    bench_metric("light_ns_per_item", bench_median(light, rounds));
    bench_metric("heavy_ns_per_item", bench_median(heavy, rounds));
    map_more(a.in, a.out, a.n, o.rounds);
    map_close();
    free(a.out);
    free(a.in);
    free(heavy);
    free(light);
    return 0;
}
