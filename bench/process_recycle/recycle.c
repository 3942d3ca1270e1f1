/* SPDX-License-Identifier: MIT */
/*
 * n tasks, each in a worker process of its own: tasks per second, first in a
 * small program and then in one that has filled 1 GiB of memory since the pool
 * was made. In pages of 4 KiB, as memory of many small blocks usually is: with
 * huge pages fork() has less to copy.
 */
#include "process_recycle/recycle.h"

#include "common/bench.h"
#include "common/echo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BALLAST = 1 << 30 }; /* bytes */

uint64_t
recycle_task(uint64_t arg)
{
    return echo_task(arg);
}

static double
run_round(uint64_t *args, uint64_t *results, size_t n, int round)
{
    echo_fill(args, n, round);
    uint64_t start = bench_now_ns();
    recycle_run(args, results, n);
    double took = (double)(bench_now_ns() - start);
    echo_check(args, results, n);
    return (double)n * 1e9 / took;
}

static void
measure(const bench_options *o, const char *name)
{
    uint64_t *args = bench_alloc(o->n, sizeof(*args));
    uint64_t *results = bench_alloc(o->n, sizeof(*results));
    double *per_s = bench_alloc((size_t)o->rounds, sizeof(*per_s));

    run_round(args, results, o->n, 0); /* warms up */
    for (int i = 0; i < o->rounds; i++)
        per_s[i] = run_round(args, results, o->n, i + 1);
    bench_metric(name, bench_median(per_s, (size_t)o->rounds));
    free(per_s);
    free(results);
    free(args);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 1000);

    recycle_open(o.workers, o.n);
    measure(&o, "plain");
    void *ballast = mmap(NULL,
                         BALLAST,
                         PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS,
                         -1,
                         0);
    if (ballast == MAP_FAILED)
        bench_die("no memory for the ballast");
    (void)madvise(ballast, BALLAST, MADV_NOHUGEPAGE); /* if there are any */
    memset(ballast, 1, BALLAST);
    measure(&o, "with_1gib");
    munmap(ballast, BALLAST);
    recycle_close();
    return 0;
}
