/* SPDX-License-Identifier: MIT */
/*
 * What is to be fetched, by hosts: which comes next so that no host has more
 * than some connections. The submitter decides; so the limit is the same on
 * every executor, and no task waits for another one.
 */
#ifndef FETCH_QUEUE_H
#define FETCH_QUEUE_H

#include "../common/output.h"

#include <stdbool.h>
#include <stddef.h>

struct job {
    const char *url;
    char *host;      /* and its port */
    char *path;      /* where it goes to */
    size_t group;    /* in queue.hosts */
    bool is_running; /* output is open */
    struct output output;
};

/* The jobs next .. end - 1 wait. */
struct host {
    size_t next, end, running;
};

struct queue {
    struct job *jobs; /* those of a host are neighbours */
    size_t count, room;
    struct host *hosts;
    size_t host_count;
    size_t *waiting; /* hosts that have jobs left, in turn */
    size_t waiting_count, turn;
    size_t per_host; /* so many run at once */
};

/* The name of its file is what a URL ends in, in the folder. false: no memory.
 * Either way queue_fini() follows. */
bool queue_add(struct queue *queue, const char *url, const char *folder);

/* After the last one. false: no memory. */
bool queue_begin(struct queue *queue);

/* A job that may run now, and counts as running; hosts take turns. NULL: every
 * host that has one is busy, or there is none. */
struct job *queue_next(struct queue *queue);

/* It does not run any more. */
void queue_done(struct queue *queue, const struct job *job);

void queue_fini(struct queue *queue);

#endif
