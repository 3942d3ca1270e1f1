/* SPDX-License-Identifier: MIT */
/*
 * CPython: test_shutdown.test_interpreter_shutdown
 *
 * main() returns with a full queue and no shutdown: what is queued still runs.
 * The only worker holds until exit() has begun, so all of it is queued then.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/tasks.h"

enum { TASKS = 1000 };

static gate *exiting;
static atomic_int *ran;

static void
begin_to_exit(void)
{
    gate_open(exiting);
}

static int
task_report(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    printf("%d tasks ran\n", atomic_load(ran));
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
        atexit(begin_to_exit) != 0)
        return EXIT_FAILURE;
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_count, ran, 0, NULL) != CF_OK)
            return EXIT_FAILURE;
    if (cf_submit(ex, task_report, NULL, 0, NULL) != CF_OK)
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
