/* SPDX-License-Identifier: MIT */
/*
 * CPython: test_shutdown.test_submit_after_interpreter_shutdown
 *
 * A handler of atexit() that runs after the library's own is refused.
 */
#include <cfutures/cfutures.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/tasks.h"

static cf_executor *ex;

static void
submit_late(void)
{
    puts(cf_err_name(cf_submit(ex, task_nothing, NULL, 0, NULL)));
}

int
main(int argc, char **argv)
{
    if (atexit(submit_late) != 0 || argc != 2 ||
        cf_executor_open(argv[1], &ex) != CF_OK)
        return EXIT_FAILURE;
    if (cf_submit(ex, task_nothing, NULL, 0, NULL) != CF_OK)
        return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
