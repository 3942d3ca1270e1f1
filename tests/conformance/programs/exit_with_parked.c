/* SPDX-License-Identifier: MIT */
/*
 * CPython: test_asyncio.test_runners, which cancels what is left.
 *
 * main() returns while tasks of an event loop are parked for ever, in different
 * waits. They are told to stop, their waits end, and so does the program.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASKS = 100 };

static atomic_int begun, ended;

static void
report(void)
{
    printf("%d waits ended\n", atomic_load(&ended));
}

static int
task_wait(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int number = atomic_fetch_add(&begun, 1);
    cf_err err = number % 2 ? cf_sleep(call, CF_FOREVER)
                            : cf_future_wait((cf_future *)arg, CF_FOREVER);
    atomic_fetch_add(&ended, err == CF_EINTERRUPTED);
    return 0;
}

int
main(int argc, char **argv)
{
    cf_executor *ex = NULL;
    cf_future *never = NULL;
    if (argc != 2 || atexit(report) != 0 || /* before the library's handler */
        cf_executor_open(argv[1], &ex) != CF_OK ||
        cf_future_create(&never) != CF_OK)
        return EXIT_FAILURE;
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(ex, task_wait, never, 0, NULL) != CF_OK)
            return EXIT_FAILURE;
    while (atomic_load(&begun) < TASKS)
        (void)cf_sleep(NULL, 1000000);
    return EXIT_SUCCESS;
}
