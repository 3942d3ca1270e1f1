/* SPDX-License-Identifier: MIT */
/*
 * n empty tasks in all, from 1, 2, 4 and 8 outside threads at the same time;
 * each submits its share and reads its results. The threads live through all
 * rounds, so that whatever a subject keeps per thread stays warm.
 */
#include "common/bench.h"
#include "common/echo.h"
#include "common/subject.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_SUBMITTERS 8

typedef struct submitter {
    pthread_t thread;
    pthread_barrier_t *edge; /* of a round: with main, at start and end */
    size_t n;
    int rounds; /* the warm-up included */
} submitter;

uint64_t
bench_task(uint64_t arg)
{
    return echo_task(arg);
}

static void *
submitter_main(void *data)
{
    const submitter *s = data;
    uint64_t *args = bench_alloc(s->n, sizeof(*args));
    uint64_t *results = bench_alloc(s->n, sizeof(*results));
    batch *b = batch_create(s->n);

    for (int round = 0; round < s->rounds; round++) {
        echo_fill(args, s->n, round);
        pthread_barrier_wait(s->edge);
        batch_submit(b, args, results, s->n);
        batch_collect(b);
        pthread_barrier_wait(s->edge);
        echo_check(args, results, s->n);
    }
    batch_destroy(b);
    free(results);
    free(args);
    return NULL;
}

/* Returns nanoseconds per task, the median of the rounds. */
static double
run_submitters(const bench_options *o, int count)
{
    submitter submitters[MOST_SUBMITTERS];
    pthread_barrier_t edge;
    double *ns = bench_alloc((size_t)o->rounds, sizeof(*ns));
    size_t each = o->n / (size_t)count;

    if (each == 0)
        bench_die("%zu tasks are too few for %d threads", o->n, count);
    if (pthread_barrier_init(&edge, NULL, (unsigned)count + 1) != 0)
        bench_die("pthread_barrier_init failed");
    for (int i = 0; i < count; i++) {
        submitters[i] =
            (submitter){.edge = &edge, .n = each, .rounds = o->rounds + 1};
        if (pthread_create(
                &submitters[i].thread, NULL, submitter_main, &submitters[i]) !=
            0)
            bench_die("pthread_create failed");
    }
    for (int round = 0; round <= o->rounds; round++) {
        pthread_barrier_wait(&edge);
        uint64_t start = bench_now_ns();
        pthread_barrier_wait(&edge);
        double took = (double)(bench_now_ns() - start);
        if (round > 0)
            ns[round - 1] = took / (double)(each * (size_t)count);
    }
    for (int i = 0; i < count; i++)
        pthread_join(submitters[i].thread, NULL);
    pthread_barrier_destroy(&edge);
    double median = bench_median(ns, (size_t)o->rounds);
    free(ns);
    return median;
}

static void
body(void *data)
{
    const bench_options *o = data;
    double first = 0;
    double last = 0;

    for (int count = 1; count <= MOST_SUBMITTERS; count *= 2) {
        char name[32];
        last = run_submitters(o, count);
        if (count == 1)
            first = last;
        snprintf(name, sizeof(name), "ns_per_task_%d", count);
        bench_metric(name, last);
    }
    bench_metric("slowdown_8", last / first);
}

int
main(int argc, char **argv)
{
    bench_options options = bench_parse(argc, argv, 1000000);

    subject_run(options.workers, body, &options);
    return 0;
}
