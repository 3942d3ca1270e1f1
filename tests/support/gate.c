/* SPDX-License-Identifier: MIT */
/*
 * A gate is a counter and a flag under one mutex; see gate.h.
 */
#define _GNU_SOURCE
#include "tests/support/gate.h"

#include <sched.h>
#include <stdio.h>

void
gate_arrive(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->arrived++;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

void
gate_pass(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->arrived++;
    pthread_cond_broadcast(&g->changed);
    while (!g->open)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

void
gate_await(gate *g, int count)
{
    pthread_mutex_lock(&g->lock);
    while (g->arrived < count)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

void
gate_open(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

int
gate_arrived(gate *g)
{
    pthread_mutex_lock(&g->lock);
    int arrived = g->arrived;
    pthread_mutex_unlock(&g->lock);
    return arrived;
}

void
await_asleep(pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    for (;;) {
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return; /* it has ended: it will not sleep any more */
        char state = '?';
        /* pid (comm) state: the name of a test thread has no ')'. */
        int fields = fscanf(file, "%*d (%*[^)]) %c", &state);
        fclose(file);
        if (fields == 1 && state == 'S')
            return;
        sched_yield();
    }
}
