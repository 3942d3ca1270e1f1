/* SPDX-License-Identifier: MIT */
/*
 * CPython: test_shutdown.test_hang_gh83386 (which hangs there for processes)
 *
 * shutdown without waiting, and then exit(): neither hangs nor loses work.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/tasks.h"

enum { TASKS = 100 };

static gate *exiting;
static atomic_int *ran;

static void
begin_to_exit(void)
{
    gate_open(exiting);
}

static int
task_count_and_report(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    if (atomic_fetch_add(ran, 1) + 1 == TASKS)
        printf("%d tasks ran\n", TASKS);
    return 0;
}

int
main(int argc, char **argv)
{
    exiting = gate_new();
    ran = counter_new();
    cf_executor *ex = NULL;
    if (argc != 2 || cf_executor_open(argv[1], &ex) != CF_OK ||
        cf_submit(ex, task_hold, exiting, 0, NULL) != CF_OK ||
        cf_submit(ex, task_hold, exiting, 0, NULL) != CF_OK ||
        atexit(begin_to_exit) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_count_and_report, NULL, 0, NULL) != CF_OK)
            return EXIT_FAILURE;
    if (cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0) != CF_OK)
        return EXIT_FAILURE;
    exit(EXIT_SUCCESS);
}
