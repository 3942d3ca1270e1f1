/* SPDX-License-Identifier: MIT */
/*
 * n tasks of one thread that wait: memory of each, page tables and handles
 * included; and what that thread does meanwhile, which should be nothing.
 */
#include "loop_parked/parked.h"

#include "common/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SETTLE_MS 500 /* the loop may give memory back first */
#define IDLE_MS 1000

struct state {
    size_t n, bytes_before;
};

static size_t
used_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    size_t tables = 0;

    if (!file)
        bench_die("cannot open /proc/self/status");
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "VmPTE: %zu kB", &tables) == 1)
            break;
    }
    fclose(file);
    return bench_resident_bytes() + tables * 1024;
}

static void
sleep_ms(size_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0) {
        if (errno != EINTR)
            bench_die("nanosleep failed");
    }
}

/* How often threads other than this one went to sleep. */
static long
others_slept(void)
{
    struct rusage all, own;

    if (getrusage(RUSAGE_SELF, &all) != 0 ||
        getrusage(RUSAGE_THREAD, &own) != 0)
        bench_die("getrusage failed");
    return all.ru_nvcsw - own.ru_nvcsw;
}

static void
measure(void *data)
{
    const struct state *s = data;

    sleep_ms(SETTLE_MS);
    size_t bytes = used_bytes() - s->bytes_before;
    long slept = others_slept();
    sleep_ms(IDLE_MS);
    slept = others_slept() - slept;
    bench_metric("bytes_per_task", (double)bytes / (double)s->n);
    bench_metric("wake_ups_per_s", (double)slept * 1000 / IDLE_MS);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 100000);
    struct state s = {o.n, used_bytes()};

    parked_run(o.n, measure, &s);
    return 0;
}
