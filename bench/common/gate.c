/* SPDX-License-Identifier: MIT */
/*
 * Blocking tasks: each says that it runs, then waits for the gate. They are
 * submitted one by one, because a worker that takes several tasks at once
 * would sit on the second one.
 */
#include "common/gate.h"

#include "common/bench.h"
#include "common/subject.h"

#include <semaphore.h>
#include <stdlib.h>

struct gate {
    int count;
    batch **batches;   /* one blocking task each */
    uint64_t *results; /* GATE_ARG when it has ended */
};

/* Shared with the tasks, which get no more than GATE_ARG. */
static sem_t entered;
static sem_t opened;

uint64_t
gate_task(void)
{
    sem_post(&entered);
    while (sem_wait(&opened) != 0)
        ;
    return GATE_ARG;
}

gate *
gate_shut(int workers)
{
    static const uint64_t arg = GATE_ARG;
    gate *g = bench_alloc(1, sizeof(*g));

    g->count = subject_blockable(workers);
    g->batches = bench_alloc((size_t)g->count + 1, sizeof(batch *));
    g->results = bench_alloc((size_t)g->count + 1, sizeof(uint64_t));
    if (sem_init(&entered, 0, 0) != 0 || sem_init(&opened, 0, 0) != 0)
        bench_die("sem_init failed");
    for (int i = 0; i < g->count; i++) {
        g->batches[i] = batch_create(1);
        batch_submit(g->batches[i], &arg, &g->results[i], 1);
        while (sem_wait(&entered) != 0)
            ;
    }
    return g;
}

void
gate_open(gate *g)
{
    for (int i = 0; i < g->count; i++)
        sem_post(&opened);
}

void
gate_destroy(gate *g)
{
    for (int i = 0; i < g->count; i++) {
        batch_collect(g->batches[i]);
        if (g->results[i] != GATE_ARG)
            bench_die("blocking task %d did not run to its end", i);
        batch_destroy(g->batches[i]);
    }
    free(g->batches);
    free(g->results);
    free(g);
}
