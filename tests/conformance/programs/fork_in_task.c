/* SPDX-License-Identifier: MIT */
/*
 * CPython: test_thread_pool.test_process_fork_from_a_threadpool (3.15)
 *
 * Children forked inside tasks and in main(), which leave by _exit() and by
 * exit() with all its handlers: all of them end, with status 0.
 */
#include <cfutures/cfutures.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tasks.h"

/* Forks a child that ends at once, and waits for it. */
static bool
child_ends_well(bool with_handlers)
{
    pid_t child = fork();
    if (child == 0) {
        if (with_handlers)
            exit(0);
        _exit(0);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int
task_fork(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    bool with_handlers;
    memcpy(&with_handlers, arg, sizeof with_handlers);
    return child_ends_well(with_handlers) ? 0 : cf_fail(call, 1, "a bad child");
}

int
main(int argc, char **argv)
{
    cf_executor *ex = NULL;
    gate *g = gate_new();
    if (argc != 2 || cf_executor_open(argv[1], &ex) != CF_OK ||
        cf_submit(ex, task_hold, g, 0, NULL) != CF_OK)
        return EXIT_FAILURE;
    gate_await(g, 1);
    int well = 0;
    for (int i = 0; i < 2; i++) {
        bool with_handlers = i == 1;
        well += child_ends_well(with_handlers);
        cf_future *f = NULL;
        if (cf_submit(
                ex, task_fork, &with_handlers, sizeof with_handlers, &f) !=
            CF_OK)
            return EXIT_FAILURE;
        well += cf_future_result(f, CF_FOREVER, NULL) == CF_OK;
        cf_future_unref(f);
    }
    gate_open(g);
    cf_executor_destroy(ex);
    printf("%d children ended well\n", well);
    return EXIT_SUCCESS;
}
