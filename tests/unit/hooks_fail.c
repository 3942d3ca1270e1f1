/* SPDX-License-Identifier: MIT */
/*
 * The process's hooks, for forks and for its end, cannot be set: the create
 * that needs them is CF_ENOMEM, and the next one tries again. This program's
 * pthread_atfork() and atexit() take the place of libc's.
 */
#include <cfutures/cfutures.h>

#include "tests/support/program.h"
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static bool atfork_works, atexit_works;
static void (*in_child)(void);
static void (*at_exit)(void);

int
pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)prepare;
    (void)parent;
    if (!atfork_works)
        return 12; /* ENOMEM */
    in_child = child;
    return 0;
}

int /* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
atexit(void (*fn)(void))
{
    if (!atexit_works)
        return -1;
    at_exit = fn;
    return 0;
}

/* A child is told: its handler is the one that was set. */
static void
fork_once(cf_executor *ex)
{
    pid_t child = fork_child();
    if (child == 0) {
        in_child();
        cf_stats stats;
        _exit(cf_executor_stats(ex, &stats) != CF_EFORKED);
    }
    expect_success(child);
}

int
main(void)
{
    cf_executor *ex = NULL;
    CHECK(cf_thread_pool_create(NULL, &ex) == CF_ENOMEM && !ex);
    atfork_works = true;
    CHECK(cf_thread_pool_create(NULL, &ex) == CF_ENOMEM && !ex);
    CHECK(cf_inline_create(&ex) == CF_ENOMEM && !ex);
    CHECK(cf_process_pool_create(NULL, &ex) == CF_ENOMEM && !ex);
    atexit_works = true;
    CHECK(cf_thread_pool_create(NULL, &ex) == CF_OK);
    CHECK(in_child && at_exit);
    fork_once(ex);
    cf_executor_destroy(ex);
    return EXIT_SUCCESS;
}
