/* SPDX-License-Identifier: MIT */
/*
 * What a pool costs that has worked and now has nothing to do: CPU time of
 * its threads over n milliseconds.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/subject.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TASKS 1000
#define SETTLE_MS 100 /* for workers to find out that there is no more work */

uint64_t
bench_task(uint64_t arg)
{
    return echo_task(arg);
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

/* What the scheduler says that a thread has run, in nanoseconds. */
static uint64_t
thread_ran_ns(const char *thread)
{
    char path[300];
    unsigned long long ran = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0; /* it has ended */
    if (fscanf(file, "%llu", &ran) != 1)
        bench_die("%s: not a number", path);
    fclose(file);
    return ran;
}

/* CPU time of all threads but the first, which is the caller. Not the clock
 * of the process: that one runs while it is read. */
static uint64_t
others_ran_ns(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;
    uint64_t sum = 0;

    if (!threads)
        bench_die("cannot read /proc/self/task");
    while ((entry = readdir(threads))) {
        if (entry->d_name[0] == '.')
            continue;
        uint64_t ran = thread_ran_ns(entry->d_name);
        if (atoi(entry->d_name) != getpid())
            sum += ran;
        else if (ran == 0)
            bench_die("this kernel keeps no schedstat: all would look idle");
    }
    closedir(threads);
    return sum;
}

static void
body(void *data)
{
    const bench_options *o = data;
    static uint64_t args[TASKS];
    static uint64_t results[TASKS];
    batch *b = batch_create(TASKS);

    echo_fill(args, TASKS, 0);
    batch_submit(b, args, results, TASKS);
    batch_collect(b);
    echo_check(args, results, TASKS);
    sleep_ms(SETTLE_MS);
    uint64_t before = others_ran_ns();
    sleep_ms(o->n);
    uint64_t after = others_ran_ns();
    batch_destroy(b);
    /* A thread that ended takes its past with it. */
    if (after < before)
        bench_die("a thread of the pool ended while it was idle");
    bench_metric("cpu_us_per_s", (double)(after - before) / (double)o->n);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 5000);

    subject_run(options.workers, body, &options);
    return 0;
}
