/* SPDX-License-Identifier: MIT */
/*
 * For gdb.sh: tasks of an event loop that wait in different ways, and one that
 * runs and calls all_parked() when the others do.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <stdio.h>
#include <stdlib.h>

#define ASSERT_OK(call)                                                        \
    do {                                                                       \
        if ((call) != CF_OK) {                                                 \
            printf("%d: %s failed\n", __LINE__, #call);                        \
            return 1;                                                          \
        }                                                                      \
    } while (0)

static bool leaves_core;

void all_parked(void);

/* A breakpoint goes here. With an argument the program leaves a core. */
__attribute__((noinline)) void
all_parked(void)
{
    if (leaves_core)
        abort();
}

/* The frames that gdb should find. */
__attribute__((noinline)) static int
sleep_deeper(cf_call *call, int depth)
{
    return depth ? sleep_deeper(call, depth - 1)
                 : (int)cf_sleep(call, INT64_C(3600000000000));
}

static int
sleepy_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return sleep_deeper(call, 3);
}

static int
awaiting_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_wait((cf_future *)arg, CF_FOREVER);
}

static int
choosing_task(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_wait(
        (cf_future *const *)arg, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn, const void *arg, const char *name)
{
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = fn;
    task.arg = (void *)arg;
    task.name = name;
    return cf_submit_task(ex, &task, &f) == CF_OK ? f : NULL;
}

static int
running_task(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    static cf_future *fs[2];
    (void)arg;
    (void)arg_size;
    ASSERT_OK(cf_future_create(&fs[0]));
    cf_future *sleeper = submit(ex, sleepy_task, NULL, "night watch");
    fs[1] = sleeper;
    cf_future *waits[] = {sleeper,
                          submit(ex, awaiting_task, fs[0], NULL),
                          submit(ex, awaiting_task, sleeper, "patient"),
                          submit(ex, choosing_task, fs, "chooser")};
    ASSERT_OK(cf_yield(call)); /* they run until they are parked */
    all_parked();
    for (int i = 0; i < 4; i++)
        cf_future_unref(waits[i]);
    cf_future_unref(fs[0]);
    return 0;
}

int
main(int argc, char **argv)
{
    (void)argv;
    leaves_core = argc > 1;
    ASSERT_OK(cf_event_loop_run(NULL, running_task, NULL, 0, NULL));
    return 0;
}
