/* SPDX-License-Identifier: MIT */
/*
 * n empty tasks, once, in a process that has done nothing before: what a
 * program pays that has no second round. From the start of main() to the last
 * result, with the making of the pool. The program's own arrays are there
 * already; what they cost is left out. bench/run starts a process for each
 * round.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/subject.h"

#include <stdlib.h>

/* What the process has used so far. */
typedef struct usage {
    uint64_t ns;
    long faults;
    size_t resident;
} usage;

static bench_options options;
static usage spent; /* by the subject */

uint64_t
bench_task(uint64_t arg)
{
    return echo_task(arg);
}

/* Resident memory is read outside of the clock and of the faults: before they
 * start, and after they stop. */
static usage
start_counting(void)
{
    usage now;

    now.resident = bench_resident_bytes();
    now.faults = bench_page_faults();
    now.ns = bench_now_ns();
    return now;
}

static void
stop_counting(usage since)
{
    spent.ns += bench_now_ns() - since.ns;
    spent.faults += bench_page_faults() - since.faults;
    spent.resident += bench_resident_bytes() - since.resident;
}

static void
body(void *data)
{
    stop_counting(*(usage *)data);
    size_t n = options.n;
    uint64_t *args = bench_alloc(n, sizeof(*args));
    uint64_t *results = bench_alloc(n, sizeof(*results));
    batch *b = batch_create(n);

    echo_fill(args, n, 0);
    usage start = start_counting();
    batch_submit(b, args, results, n);
    batch_collect(b);
    stop_counting(start);
    echo_check(args, results, n);
    batch_destroy(b);
    free(results);
    free(args);
}

int
main(int argc, char **argv)
{
    usage start = start_counting();

    options = bench_parse(argc, argv, 1000000);
    subject_run(options.workers, body, &start);
    bench_metric("ns_per_task", (double)spent.ns / (double)options.n);
    bench_metric("page_faults",
                 (double)(spent.faults + bench_page_faults_of_children()));
    bench_metric("growth_kib", (double)spent.resident / 1024);
    return 0;
}
