/* SPDX-License-Identifier: MIT */
/*
 * Arguments, clocks, memory in use and output of the benchmark programs.
 */
#include "common/bench.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

void
bench_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static size_t
parse_count(const char *text, size_t max)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value == 0 || value > max)
        bench_die("'%s': not a number from 1 to %zu", text, max);
    return (size_t)value;
}

bench_options
bench_parse(int argc, char **argv, size_t n)
{
    bench_options options = {n, 2, 5};

    if (argc > 4)
        bench_die("usage: %s [n] [workers] [rounds]", argv[0]);
    if (argc > 1)
        options.n = parse_count(argv[1], SIZE_MAX / 1024);
    if (argc > 2)
        options.workers = (int)parse_count(argv[2], 1024);
    if (argc > 3)
        options.rounds = (int)parse_count(argv[3], 1000);
    return options;
}

void *
bench_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p)
        bench_die("no memory for %zu elements of %zu bytes", count, size);
    for (size_t i = 0; i < count * size; i += 4096)
        ((volatile char *)p)[i] = 0;
    return p;
}

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t) != 0)
        bench_die("clock_gettime failed");
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t
bench_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
bench_thread_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* smaps_rollup walks the page tables and is exact; the counters behind statm
 * lag by up to a few hundred pages. */
size_t
bench_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    size_t kib = 0;

    if (!file)
        bench_die("cannot open /proc/self/smaps_rollup");
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "Rss: %zu kB", &kib) == 1)
            break;
    }
    fclose(file);
    if (kib == 0)
        bench_die("no Rss line in /proc/self/smaps_rollup");
    return kib * 1024;
}

static long
page_faults_of(int who)
{
    struct rusage usage;

    if (getrusage(who, &usage) != 0)
        bench_die("getrusage failed");
    return usage.ru_minflt + usage.ru_majflt;
}

long
bench_page_faults(void)
{
    return page_faults_of(RUSAGE_SELF);
}

long
bench_page_faults_of_children(void)
{
    return page_faults_of(RUSAGE_CHILDREN);
}

int
bench_cpus(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        bench_die("sched_getaffinity failed");
    return CPU_COUNT(&set);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double
bench_percentile(double *values, size_t count, double fraction)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[(size_t)(fraction * (double)(count - 1) + 0.5)];
}

double
bench_median(double *values, size_t count)
{
    double high = bench_percentile(values, count, 0.5);

    if (count % 2 == 1)
        return high;
    return (values[count / 2 - 1] + values[count / 2]) / 2;
}

void
bench_metric(const char *name, double value)
{
    printf("%s %.6g\n", name, value);
}
