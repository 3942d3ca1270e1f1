/* SPDX-License-Identifier: MIT */
/*
 * A callback after a task's timeout, in the timer's thread, destroys the
 * executor while the program ends: neither waits for the other for ever.
 */
#include <cfutures/cfutures.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/tasks.h"

static cf_executor *ex;
static gate *exiting;

static void
begin_to_exit(void)
{
    gate_open(exiting);
}

/* After the library: before the future of a callback that still runs is taken
 * for a leak. */
static void
leave(void)
{
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static void
destroy_at_exit(cf_future *f, void *data)
{
    (void)f;
    gate_pass(data);
    cf_executor_destroy(ex);
}

int
main(int argc, char **argv)
{
    gate *g = gate_new();
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    exiting = gate_new();
    task.fn = task_until_canceled;
    task.arg = g;
    task.timeout_ns = CF_MS(5);
    if (argc != 2 || atexit(leave) != 0 ||
        cf_executor_open(argv[1], &ex) != CF_OK ||
        cf_submit_task(ex, &task, &f) != CF_OK ||
        cf_future_on_done(f, destroy_at_exit, exiting) != CF_OK ||
        atexit(begin_to_exit) != 0)
        return EXIT_FAILURE;
    cf_future_unref(f);
    gate_await(exiting, 1); /* the callback has begun */
    puts("the program ends");
    return EXIT_SUCCESS;
}
