/* SPDX-License-Identifier: MIT */
/*
 * A program that is built with AddressSanitizer, and has an event loop. The
 * tool is told on which stack each task is: so it knows which frames are gone
 * after a longjmp(), keeps those of suspended tasks when it keeps variables
 * apart from the stack, and finds what a task does to its variables.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <setjmp.h>
#include <stdlib.h>

#include "tests/observers/child.h"

enum { TASKS = 50, ROUNDS = 20, DEPTH = 30, SIZE = 100 };

/* Leaves frames that never return.
 * NOLINTBEGIN(misc-no-recursion): a deep stack */
static __attribute__((noinline)) int
dive(jmp_buf *back, int depth)
{
    volatile char here[SIZE];
    here[depth] = 1;
    if (depth == 0)
        longjmp(*back, 1);
    return depth < 0 ? 0 : dive(back, depth - 1) + here[depth];
}
/* NOLINTEND(misc-no-recursion) */

static __attribute__((noinline)) void
jump(void)
{
    jmp_buf back;
    if (setjmp(back) == 0)
        (void)dive(&back, DEPTH);
}

/* Its variables are where they were, and as they were. */
static int
task_well(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned char mine[SIZE];
    int number;
    (void)arg_size;
    memcpy(&number, arg, sizeof number);
    memset(mine, number, sizeof mine);
    for (int i = 0; i < ROUNDS; i++) {
        (void)cf_yield(call);
        jump();
        unsigned char theirs[SIZE];
        memset(theirs, i, sizeof theirs);
        (void)cf_yield(call);
        for (int k = 0; k < SIZE; k++)
            if (mine[k] != number || theirs[k] != i)
                return 1;
    }
    return 0;
}

static int
task_overflow(cf_call *call, const void *arg, size_t arg_size)
{
    volatile unsigned char mine[SIZE];
    size_t at;
    (void)arg_size;
    memcpy(&at, arg, sizeof at);
    (void)cf_yield(call);
    mine[at] = 1;
    return mine[0];
}

static int
task_first(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *loop = cf_call_executor(call);
    cf_future *fs[TASKS];
    const size_t at = SIZE;
    int wrong = 0;
    (void)arg_size;
    if (*(const bool *)arg) {
        wrong += cf_submit(loop, task_overflow, &at, sizeof at, &fs[0]) ||
                 cf_future_result(fs[0], CF_FOREVER, NULL);
        return wrong;
    }
    for (int i = 0; i < TASKS; i++)
        if (cf_submit(loop, task_well, &i, sizeof i, &fs[i]))
            exit(1);
    for (int i = 0; i < TASKS; i++) {
        wrong += cf_future_result(fs[i], CF_FOREVER, NULL) != CF_OK;
        cf_future_unref(fs[i]);
    }
    return wrong;
}

static int
run(bool overflow)
{
    cf_future *f;
    if (cf_event_loop_run(NULL, task_first, &overflow, sizeof overflow, &f))
        return 1;
    int rc = cf_future_result(f, CF_FOREVER, NULL) != CF_OK;
    cf_future_unref(f);
    return rc;
}

int
main(int argc, char **argv)
{
    static const char *options[] = {"detect_stack_use_after_return=0",
                                    "detect_stack_use_after_return=1"};
    const char *found[] = {"stack-buffer-overflow", "task_overflow", NULL};
    static char said[1 << 16];
    if (argc > 1)
        return run(strcmp(argv[1], "overflow") == 0);
    for (int i = 0; i < 2; i++) {
        setenv("ASAN_OPTIONS", options[i], 1);
        int status = run_again("well", said, sizeof said);
        /* Of <ucontext.h>, where that switches, it has a warning. */
        if (status != 0 || strstr(said, "ERROR") || strstr(said, "no_return")) {
            fprintf(stderr, "status %x, it said:\n%s\n", status, said);
            return 1;
        }
        if (!ends("overflow", false, found))
            return 1;
    }
    return 0;
}
