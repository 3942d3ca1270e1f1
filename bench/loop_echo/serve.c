/* SPDX-License-Identifier: MIT */
/*
 * Whether clients notice that the server awaits a task of a second in a thread
 * pool. 100 clients; the 99th percentile of their requests.
 *
 * Client and server share one CPU, also while the server awaits nothing; the
 * pool has the other one. So a task that computes takes no CPU from those two,
 * and what is left is what the wait itself costs.
 */
#include "loop_echo/serve.h"

#include "loop_echo/client.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CONNECTIONS = 100, SERVES = 0, COMPUTES = 1 };

static size_t cpus[2];

/* The first two that this process may run on. */
static bool
find_cpus(void)
{
    cpu_set_t all;
    int found = 0;

    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return false;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET(cpu, &all))
            cpus[found++] = cpu;
    return found == 2;
}

static void
go_to(size_t cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        bench_die("sched_setaffinity");
}

void
echo_go_to_pool(void)
{
    go_to(cpus[COMPUTES]);
}

void
echo_go_back(void)
{
    go_to(cpus[SERVES]);
}

int
echo_pool_cpu(void)
{
    return (int)cpus[COMPUTES];
}

void
echo_work(enum echo_load load)
{
    const struct timespec second = {.tv_sec = 1};
    static atomic_uint_fast64_t sum; /* so that the loop is not left out */
    uint64_t end = bench_now_ns() + 1000000000;

    if (load == ECHO_BLOCKED)
        nanosleep(&second, NULL);
    while (load == ECHO_COMPUTING && bench_now_ns() < end)
        for (int i = 0; i < 1000; i++)
            atomic_fetch_add_explicit(&sum, 1, memory_order_relaxed);
}

static double
p99_ns(enum echo_load load, size_t requests)
{
    struct client client;
    double *took = bench_alloc(requests, sizeof *took);

    client_open(&client, CONNECTIONS, load);
    client_converse(&client, requests / 4 + CONNECTIONS); /* warms up */
    client.took = took;
    client_converse(&client, requests);
    client_close(&client);
    double p99 = bench_percentile(took, requests, 0.99);
    free(took);
    return p99;
}

void
serve_measure(const bench_options *options)
{
    static const char *const names[] = {"alone", "blocked", "computing"};
    const size_t rounds = (size_t)options->rounds;
    double *p99[3], medians[3];
    char metric[64];

    if (!find_cpus())
        return;
    go_to(cpus[SERVES]);
    for (int load = 0; load < 3; load++)
        p99[load] = bench_alloc(rounds, sizeof(double));
    for (size_t round = 0; round < rounds; round++)
        for (int load = 0; load < 3; load++)
            p99[load][round] = p99_ns((enum echo_load)load, options->n);
    for (int load = 0; load < 3; load++) {
        medians[load] = bench_median(p99[load], rounds);
        snprintf(metric, sizeof metric, "p99_ns_%s", names[load]);
        bench_metric(metric, medians[load]);
        free(p99[load]);
    }
    for (int load = ECHO_BLOCKED; load <= ECHO_COMPUTING; load++) {
        snprintf(metric, sizeof metric, "%s_over_alone", names[load]);
        bench_metric(metric, medians[load] / medians[ECHO_ALONE]);
    }
}
