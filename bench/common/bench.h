/* SPDX-License-Identifier: MIT */
/*
 * What every benchmark program needs: arguments, clocks, memory in use, and
 * the output lines that bench/run reads. Also for the peers written in C++.
 */
#ifndef BENCH_COMMON_BENCH_H
#define BENCH_COMMON_BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* program [n] [workers] [rounds] */
typedef struct bench_options {
    size_t n;    /* tasks, items, or whatever the workload counts */
    int workers; /* threads of the subject's pool */
    int rounds;  /* measured rounds, after one round that warms up */
} bench_options;

/* Reads the arguments; what is missing is n, 2 workers, 5 rounds. Dies on
 * anything that is not a positive number. */
bench_options bench_parse(int argc, char **argv, size_t n);

/* Prints a sentence and ends the program with status 1: a benchmark whose
 * tasks did not all run, or gave a wrong result, has no figures. */
__attribute__((noreturn, format(printf, 1, 2))) void
bench_die(const char *format, ...);

/* Zeroed memory, or death. Its pages are there already: what a program needs
 * for itself is no subject's page fault. */
void *bench_alloc(size_t count, size_t size);

/* Nanoseconds: the monotonic clock, and CPU time of the calling thread. */
uint64_t bench_now_ns(void);
uint64_t bench_thread_cpu_ns(void);

/* Bytes of this process that are in memory now. */
size_t bench_resident_bytes(void);

/* Page faults so far: of this process, and of children that have ended. */
long bench_page_faults(void);
long bench_page_faults_of_children(void);

/* CPUs that this process may run on. */
int bench_cpus(void);

/* Both sort values. fraction 0.5 is the median, 0.99 the 99th percentile. */
double bench_percentile(double *values, size_t count, double fraction);
double bench_median(double *values, size_t count);

/* Prints "name value", the program's result. */
void bench_metric(const char *name, double value);

#ifdef __cplusplus
}
#endif

#endif
