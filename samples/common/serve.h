/* SPDX-License-Identifier: MIT */
/*
 * A server: a task for each connection, all in one event loop.
 */
#ifndef COMMON_SERVE_H
#define COMMON_SERVE_H

#include <cfutures/cfutures.h>
#include <cfutures/stream.h>

/* What the task of a connection gets. */
struct guest {
    void *server;
    cf_stream *stream; /* the task's, which closes it */
};

struct service {
    const char *program; /* for what goes to standard error */
    const char *address; /* to listen on */
    void *server;        /* what all tasks share */
    cf_task_fn *fn;      /* the task of a connection. arg: a struct guest */
    /* Called when it listens: submits further tasks to the group. NULL: there
     * are none. */
    cf_err (*begin)(cf_group *group, void *server);
};

/* Serves until Ctrl-C; then tells all tasks to stop, and waits for them. Prints
 * "listening on ADDRESS" first. false, after a sentence on standard error: it
 * could not. */
bool serve(const struct service *service);

#endif
