/* SPDX-License-Identifier: MIT */
/*
 * CF_DEBUG=1, and the shared library: the report says where the first future of
 * each kind that is left was made.
 */
#define _GNU_SOURCE /* NOLINT: a name of glibc */
#include <cfutures/cfutures.h>

#include <stdlib.h>

#include "tests/observers/child.h"

/* The program exports these, so that they have names. */
cf_future *submit_early(cf_executor *ex);
cf_future *submit_first(cf_executor *ex);
cf_future *submit_second(cf_executor *ex);
cf_future *submit_three(cf_executor *ex);
cf_future *promise_something(void);
int task_nothing(cf_call *call, const void *arg, size_t arg_size);
int task_other(cf_call *call, const void *arg, size_t arg_size);

int
task_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

int
task_other(cf_call *call, const void *arg, size_t arg_size)
{
    return task_nothing(call, arg, arg_size);
}

/* A call at its end would be a jump: then another function would be named. */
static cf_future *
checked(cf_err err, cf_future *f)
{
    if (err)
        exit(1);
    return f;
}

__attribute__((noinline)) cf_future *
submit_early(cf_executor *ex)
{
    cf_future *f = NULL;
    cf_err err = cf_submit(ex, task_nothing, NULL, 0, &f);
    return checked(err, f);
}

__attribute__((noinline)) cf_future *
submit_first(cf_executor *ex)
{
    cf_future *f = NULL;
    cf_err err = cf_submit(ex, task_nothing, NULL, 0, &f);
    return checked(err, f);
}

__attribute__((noinline)) cf_future *
submit_second(cf_executor *ex)
{
    cf_future *f = NULL;
    cf_task task = CF_TASK(.fn = task_nothing);
    cf_err err = cf_submit_task(ex, &task, &f);
    return checked(err, f);
}

/* One of three is left. */
__attribute__((noinline)) cf_future *
submit_three(cf_executor *ex)
{
    cf_future *fs[3] = {NULL};
    const char bytes[3] = {0};
    cf_err err = cf_submit_many(ex, task_other, bytes, 1, 3, fs);
    cf_future_unref(fs[0]);
    cf_future_unref(fs[2]);
    return checked(err, fs[1]);
}

__attribute__((noinline)) cf_future *
promise_something(void)
{
    cf_future *f = NULL;
    cf_err err = cf_future_create(&f);
    return checked(err, f);
}

static int
leave(const char *spec)
{
    cf_executor *ex;
    if (cf_executor_open(spec, &ex))
        return 1;
    cf_future *early = submit_early(ex);
    (void)submit_first(ex);
    (void)submit_second(ex);
    (void)submit_three(ex);
    (void)promise_something();
    cf_future_unref(early);
    cf_executor_destroy(ex);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *said[] = {
        "  2 of task_nothing(), the first from submit_first+0x",
        "  1 of task_other(), from submit_three+0x",
        "  1 of cf_future_create(), from promise_something+0x",
        " (again)\n", /* as this program is called */
        NULL};
    if (argc > 1)
        return leave(argv[1]);
    setenv("CF_DEBUG", "1", 1);
    return !ends("threads:2", true, said) || !ends("inline", true, said);
}
