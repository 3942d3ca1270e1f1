/* SPDX-License-Identifier: MIT */
/*
 * An echo server, and what a request costs it: CPU time of its process. The
 * client is this process. It has 1, 100 and 1000 connections, each with one
 * request under way.
 */
#include "loop_echo/client.h"
#include "loop_echo/serve.h"

#include "common/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec now;

    if (clock_getcpuclockid(pid, &clock) != 0 ||
        clock_gettime(clock, &now) != 0)
        bench_die("no CPU time of the server");
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static void
measure(const bench_options *o, int connections)
{
    struct client client;
    double *rounds = bench_alloc((size_t)o->rounds, sizeof *rounds);
    char name[32];
    /* One connection takes a turn of both processes for each. */
    size_t requests = connections == 1 ? o->n / 4 + 1 : o->n;

    client_open(&client, connections, ECHO_ALONE);
    client_converse(&client, requests / 2 + (size_t)connections); /* warms up */
    for (int i = 0; i < o->rounds; i++) {
        double start = cpu_ns(client.server);

        client_converse(&client, requests);
        rounds[i] = (cpu_ns(client.server) - start) / (double)requests;
    }
    client_close(&client);
    snprintf(name, sizeof name, "cpu_ns_%d", connections);
    bench_metric(name, bench_median(rounds, (size_t)o->rounds));
    free(rounds);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 60000);

    echo_allow_descriptors();
    measure(&options, 1);
    measure(&options, 100);
    measure(&options, 1000);
    if (echo_can_await)
        serve_measure(&options);
    return 0;
}
