/* SPDX-License-Identifier: MIT */
/*
 * fib(n) on one worker and on all of them, in turns: nanoseconds per submit,
 * and what the other workers gain.
 */
#include "forkjoin/forkjoin.h"

#include "common/bench.h"

#include <stdlib.h>

typedef struct expected {
    uint64_t fib;
    uint64_t submits; /* one for each call with an argument above 1 */
} expected;

static expected
expect(size_t n)
{
    expected last = {0, 0};
    expected now = {1, 0};

    for (size_t i = 1; i < n; i++) {
        expected next = {now.fib + last.fib, now.submits + last.submits + 1};
        last = now;
        now = next;
    }
    return now;
}

static double
run_round(int workers, size_t n, expected e)
{
    uint64_t start = bench_now_ns();
    uint64_t fib = forkjoin_fib(workers, (unsigned)n);
    double took = (double)(bench_now_ns() - start);

    if (fib != e.fib)
        bench_die("fib(%zu) came out wrong", n);
    return took / (double)e.submits;
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 32);
    size_t rounds = (size_t)o.rounds;
    double *one = bench_alloc(rounds, sizeof(*one));
    double *all = bench_alloc(rounds, sizeof(*all));

    if (o.n < 2 || o.n > 60)
        bench_die("fib(%zu) is out of range: 2 to 60", o.n);
    expected e = expect(o.n);
    forkjoin_open(o.workers);
    run_round(1, o.n, e); /* warms up */
    run_round(o.workers, o.n, e);
    for (size_t i = 0; i < rounds; i++) {
        one[i] = run_round(1, o.n, e);
        all[i] = run_round(o.workers, o.n, e);
    }
    forkjoin_close();
    double one_median = bench_median(one, rounds);
    double all_median = bench_median(all, rounds);
    bench_metric("ns_per_submit_1", one_median);
    bench_metric("ns_per_submit_all", all_median);
    bench_metric("speedup", one_median / all_median);
    free(all);
    free(one);
    return 0;
}
