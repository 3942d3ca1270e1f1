/* SPDX-License-Identifier: MIT */
/*
 * The sum of f(in[i]) over n doubles, with a light and a heavy f, and over few:
 * nanoseconds per item, microseconds per sum of the few.
 */
#include "reduce/reduce.h"

#include "common/bench.h"

#include <math.h>
#include <stdlib.h>

enum { FEW = 10000, REPEATS = 100 };

static double
serial_sum(const double *in, size_t n, map_fn *fn)
{
    double result = 0;
    for (size_t i = 0; i < n; i++)
        result += fn(in[i]);
    return result;
}

static double
timed(const double *in, size_t n, reduce_fn *fn, int repeats, double expected)
{
    uint64_t start = bench_now_ns();

    for (int i = 0; i < repeats; i++) {
        double result = fn(in, n);
        if (!(fabs(result - expected) <= 1e-9 * fabs(expected)))
            bench_die("the sum is %.17g, not %.17g", result, expected);
    }
    return (double)(bench_now_ns() - start) / repeats;
}

/* The median, in ns, of so many rounds, the first of which warms up. */
static double
median_of(const double *in,
          size_t n,
          reduce_fn *fn,
          int repeats,
          double expected,
          size_t rounds)
{
    double *took = bench_alloc(rounds, sizeof(*took));

    (void)timed(in, n, fn, repeats, expected);
    for (size_t i = 0; i < rounds; i++)
        took[i] = timed(in, n, fn, repeats, expected);
    double result = bench_median(took, rounds);
    free(took);
    return result;
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 10000000);
    size_t rounds = (size_t)o.rounds;
    double *in = bench_alloc(o.n, sizeof(*in)), n = (double)o.n;
    size_t few = o.n < FEW ? o.n : FEW;

    for (size_t i = 0; i < o.n; i++)
        in[i] = (double)i / n;
    double light = serial_sum(in, o.n, map_light);
    double heavy = serial_sum(in, o.n, map_heavy);
    double small = serial_sum(in, few, map_light);
    reduce_open(o.workers);
    bench_metric("light_ns_per_item",
                 median_of(in, o.n, reduce_light, 1, light, rounds) / n);
    bench_metric("heavy_ns_per_item",
                 median_of(in, o.n, reduce_heavy, 1, heavy, rounds) / n);
    bench_metric("small_us",
                 median_of(in, few, reduce_light, REPEATS, small, rounds) /
                     1000);
    if (reduce_fixed) {
        bench_metric("fixed_light_ns_per_item",
                     median_of(in, o.n, reduce_fixed, 1, light, rounds) / n);
        bench_metric("fixed_small_us",
                     median_of(in, few, reduce_fixed, REPEATS, small, rounds) /
                         1000);
    }
    reduce_close();
    free(in);
    return 0;
}
