/* SPDX-License-Identifier: MIT */
/*
 * The process's hooks, for forks and for its end, cannot be set: the create
 * that needs them is CF_ENOMEM, and the next one tries again. This program's
 * pthread_atfork() and atexit() take the place of libc's.
 */
#include <cfutures/cfutures.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);            \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

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
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        in_child();
        cf_stats stats;
        _exit(cf_executor_stats(ex, &stats) != CF_EFORKED);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
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
