/* SPDX-License-Identifier: MIT */
/*
 * On the busy path a task costs no system call, neither in the program nor in
 * the worker: one set of calls serves many tasks. The test counts them by
 * standing in front of the C library. A tracer would make calls so slow that
 * the pool rightly does other things. Calls that libc makes itself (for a
 * contended lock) are not seen.
 */
#define _GNU_SOURCE
#include <cfutures/cfutures.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/tasks.h"

enum { TASKS = 200000, MOST = TASKS / 5, ROUNDS = 3 };

/* --- counting, in all processes ------------------------------------------ */

static atomic_int *calls;

/* Counts, and finds the C library's function. ISO C has no cast from an object
 * pointer to a function pointer. */
static void
count_call(void *cache, const char *name)
{
    if (calls != NULL)
        atomic_fetch_add_explicit(calls, 1, memory_order_relaxed);
    void *symbol;
    memcpy(&symbol, cache, sizeof symbol);
    if (symbol == NULL) {
        symbol = dlsym(RTLD_NEXT, name);
        memcpy(cache, &symbol, sizeof symbol);
    }
}

#define COUNTED(type, name, parameters, arguments)                             \
    type name parameters                                                       \
    {                                                                          \
        static type(*next) parameters;                                         \
        count_call(&next, #name);                                              \
        return next arguments;                                                 \
    }

COUNTED(ssize_t, write, (int fd, const void *p, size_t size), (fd, p, size))
COUNTED(ssize_t, read, (int fd, void *p, size_t size), (fd, p, size))
COUNTED(ssize_t,
        send,
        (int fd, const void *p, size_t size, int flags),
        (fd, p, size, flags))
COUNTED(ssize_t,
        recv,
        (int fd, void *p, size_t size, int flags),
        (fd, p, size, flags))
COUNTED(int,
        ppoll,
        (struct pollfd * polled,
         nfds_t count,
         const struct timespec *limit,
         const sigset_t *mask),
        (polled, count, limit, mask))
COUNTED(int, sched_yield, (void), ())

long
syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list args;
    count_call(&next, "syscall");
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* --- the busy path ------------------------------------------------------- */

static void
fail(const char *what)
{
    fprintf(stderr, "system_calls: %s\n", what);
    exit(EXIT_FAILURE);
}

/* All tasks are submitted while one is held, and then run in one go. Returns
 * how many calls there were. */
static int
run(void)
{
    gate *g = gate_new();
    atomic_int *ran = counter_new();
    cf_executor *ex = NULL;
    cf_future *held = NULL;
    cf_future *last = NULL;
    if (cf_executor_open("processes:1", &ex) != CF_OK)
        fail("no pool");
    occupy(ex, g, 1, &held);
    int before = atomic_load(calls);
    for (int i = 1; i < TASKS; i++)
        if (cf_submit(ex, task_count, ran, 0, NULL) != CF_OK)
            fail("no submit");
    if (cf_submit(ex, task_count, ran, 0, &last) != CF_OK)
        fail("no submit");
    gate_open(g);
    if (cf_future_result(last, CF_FOREVER, NULL) != CF_OK ||
        atomic_load(ran) != TASKS)
        fail("not all tasks ran");
    int made = atomic_load(calls) - before;
    cf_future_unref(held);
    cf_future_unref(last);
    cf_executor_destroy(ex);
    return made;
}

int
main(void)
{
    calls = counter_new();
    int best = TASKS * 10;
    for (int i = 0; i < ROUNDS && best > MOST; i++) {
        int made = run();
        printf("%d tasks: %d calls\n", TASKS, made);
        best = made < best ? made : best;
    }
    if (best == 0)
        fail("nothing has been counted");
    if (best > MOST)
        fail("too many");
    return EXIT_SUCCESS;
}
