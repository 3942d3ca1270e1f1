/* SPDX-License-Identifier: MIT */
/*
 * A batch in which tasks do the worst they can. In a process pool each of them
 * costs its own future and nothing else: the others go on, and so does the
 * program.
 */
#include <cfutures/cfutures.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20, LIMIT = 64 * MIB };

static int
works(cf_call *call, const void *arg, size_t arg_size)
{
    const int answer = 42;
    (void)arg, (void)arg_size;
    return cf_return(call, &answer, sizeof(answer));
}

static int
fails(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg, (void)arg_size;
    return cf_fail(call, ENOENT, "no such record");
}

static int
writes_anywhere(cf_call *call, const void *arg, size_t arg_size)
{
    int *volatile wild = (int *)(uintptr_t)0xdead0;
    (void)call, (void)arg, (void)arg_size;
    return *wild = 1;
}

static int
too_deep(volatile int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    return depth == INT_MAX ? 0 : too_deep(depth + 1) + frame[0];
}

static int
overflows_stack(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return too_deep(0);
}

static int
exits(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    exit(3);
}

static int
hangs(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return pause();
}

/* Beyond the pool's memory_limit, malloc() gives NULL. */
static int
leaks(cf_call *call, const void *arg, size_t arg_size)
{
    static char *volatile last;
    (void)arg, (void)arg_size;
    while ((last = malloc(MIB)) != NULL)
        memset(last, 1, MIB);
    return cf_fail(call, ENOMEM, "no more memory");
}

static const struct {
    const char *name;
    cf_task_fn *fn;
    int64_t timeout_ns;
} jobs[] = {
    {"works", works, 0},
    {"fails", fails, 0},
    {"writes anywhere", writes_anywhere, 0},
    {"overflows its stack", overflows_stack, 0},
    {"exits", exits, 0},
    {"hangs", hangs, CF_MS(200)},
    {"leaks", leaks, 0},
    {"works again", works, 0},
};

enum { JOBS = sizeof(jobs) / sizeof(jobs[0]) };

/* Waits for a task and prints what became of it. */
static void
report(cf_future *future)
{
    cf_bytes result;
    cf_err err = cf_future_result(future, CF_FOREVER, &result);
    const cf_error *error = cf_future_error(future);
    if (err == CF_OK)
        printf("%d\n", *(const int *)result.data);
    else if (error != NULL && error->signal != 0)
        printf("%s: %s\n", cf_err_name(err), strsignal(error->signal));
    else if (error != NULL && error->exit_status != 0)
        printf("%s: status %d\n", cf_err_name(err), error->exit_status);
    else
        printf("%s: %s\n", cf_err_name(err), cf_future_message(future));
}

int
main(void)
{
    cf_executor *pool = NULL;
    cf_future *futures[JOBS] = {NULL};
    cf_err err = cf_process_pool_create(
        &CF_PROCESS_POOL_OPTIONS(.memory_limit = LIMIT), &pool);
    for (int i = 0; i < JOBS && err == CF_OK; i++) {
        err = cf_submit_task(
            pool,
            &CF_TASK(.fn = jobs[i].fn, .timeout_ns = jobs[i].timeout_ns),
            &futures[i]);
    }
    for (int i = 0; i < JOBS && err == CF_OK; i++) {
        printf("%-20s ", jobs[i].name);
        report(futures[i]);
    }
    for (int i = 0; i < JOBS; i++)
        cf_future_unref(futures[i]);
    cf_executor_destroy(pool);
    if (err != CF_OK)
        fprintf(stderr, "crash: %s\n", cf_strerror(err));
    return err != CF_OK;
}
