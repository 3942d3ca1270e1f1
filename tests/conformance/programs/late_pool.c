/* SPDX-License-Identifier: MIT */
/*
 * Executors that are made when the library's own exit handler has run, in
 * handlers that were registered before it and in a destructor, are drained like
 * all others.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/tasks.h"

enum { TASKS = 5 };

static const char *spec;
static atomic_int *ran;

static void
leave_work(void)
{
    cf_executor *ex = NULL;
    if (cf_executor_open(spec, &ex) != CF_OK)
        _Exit(EXIT_FAILURE);
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_count, ran, 0, NULL) != CF_OK)
            _Exit(EXIT_FAILURE);
}

static void
say(void)
{
    printf("%d tasks ran\n", atomic_load(ran));
    fflush(stdout);
}

/* Destructors come after all handlers. The first one in here is the last. */
static void
leave_work_and_say(void)
{
    atexit(say);
    leave_work();
}

__attribute__((destructor)) static void
leave_work_at_the_very_end(void)
{
    if (spec)
        leave_work_and_say();
}

int
main(int argc, char **argv)
{
    cf_executor *ex = NULL;
    if (argc != 2 || atexit(leave_work) != 0 || atexit(leave_work) != 0)
        return EXIT_FAILURE;
    spec = argv[1];
    ran = counter_new();
    if (cf_executor_open(spec, &ex) != CF_OK || atexit(leave_work) != 0)
        return EXIT_FAILURE;
    cf_executor_destroy(ex);
    return EXIT_SUCCESS;
}
