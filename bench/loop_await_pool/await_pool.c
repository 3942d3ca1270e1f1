/* SPDX-License-Identifier: MIT */
/*
 * A loop that awaits tasks of a thread pool: one at a time, back to back and
 * after 100 us, long enough for an idle worker to sleep; and a thousand at
 * once.
 */
#include "loop_await_pool/await_pool.h"

#include "common/bench.h"

#include <stdlib.h>

enum { MANY = 1000, GAP_NS = 100000 };

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 21000);
    size_t gaps = o.n / 7 + 1;
    size_t rounds = o.n / MANY + 1;
    double *hot = bench_alloc(o.n, sizeof(*hot));
    double *idle = bench_alloc(gaps, sizeof(*idle));
    double *many = bench_alloc(rounds, sizeof(*many));

    await_open(o.workers);
    await_one_by_one(hot, o.n / 10 + 1, 0); /* warms up */
    await_one_by_one(hot, o.n, 0);
    await_one_by_one(idle, gaps, GAP_NS);
    await_many(many, rounds, MANY);
    await_close();
    bench_metric("hot_p50_ns", bench_percentile(hot, o.n, 0.5));
    bench_metric("hot_p99_ns", bench_percentile(hot, o.n, 0.99));
    bench_metric("idle_p50_ns", bench_percentile(idle, gaps, 0.5));
    bench_metric("idle_p99_ns", bench_percentile(idle, gaps, 0.99));
    bench_metric("many_ns_per_task", bench_median(many, rounds) / MANY);
    free(many);
    free(idle);
    free(hot);
    return 0;
}
