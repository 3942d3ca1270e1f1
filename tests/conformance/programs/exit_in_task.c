/* SPDX-License-Identifier: MIT */
/*
 * A task of a thread pool that calls exit() ends the program, with its status:
 * the library waits for the other workers, not for the one that exits.
 */
#include <cfutures/cfutures.h>
#include <stdio.h>
#include <stdlib.h>

static int
task_exit(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    puts("exiting");
    exit(3);
}

int
main(int argc, char **argv)
{
    cf_executor *ex = NULL;
    cf_future *f = NULL;
    if (argc != 2 || cf_executor_open(argv[1], &ex) != CF_OK ||
        cf_submit(ex, task_exit, NULL, 0, &f) != CF_OK)
        return EXIT_FAILURE;
    (void)cf_future_wait(f, CF_FOREVER);
    return EXIT_FAILURE;
}
