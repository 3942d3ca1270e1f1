/* SPDX-License-Identifier: MIT */
/*
 * CF_DEBUG=1: futures that are left are counted at the end, a use of one that
 * is gone ends the program with a sentence, a call that returns CF_EINVAL says
 * why, and a callback that takes long is named once. CF_DEBUG=abort: a call
 * that returns CF_EINVAL ends the program. Without CF_DEBUG nothing is said.
 */
#include <cfutures/cfutures.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "tests/observers/child.h"
#include "tests/observers/task.h"

enum { BETWEEN = 1000 };

static cf_future *
submit(cf_executor *ex, const char *name)
{
    cf_future *f;
    if (cf_submit_task(ex, &CF_TASK(.fn = task_nothing, .name = name), &f) ||
        cf_future_wait(f, CF_FOREVER))
        exit(1);
    return f;
}

static void
leave_some(cf_executor *ex)
{
    cf_future *promise;
    for (int i = 0; i < 5; i++) {
        cf_future *f = submit(ex, "decode");
        if (i > 1)
            cf_future_unref(f);
    }
    if (cf_future_create(&promise))
        exit(1);
    cf_future_unref(submit(ex, NULL));
}

/* Others come and go between the end of a future and its use. */
static void
use_late(cf_executor *ex)
{
    cf_future *late = submit(ex, "decode");
    cf_future_unref(late);
    for (int i = 0; i < BETWEEN; i++)
        cf_future_unref(submit(ex, NULL));
    (void)cf_future_wait(late, CF_FOREVER);
}

static int
task_returns_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_return(call, NULL, 3) == CF_EINVAL ? 0 : 1;
}

/* Each call is CF_EINVAL, and leaves errno as it was. */
static void
misuse(cf_executor *ex)
{
    const cf_thread_pool_options zero = {.max_workers = 2};
    cf_task task = CF_TASK(.fn = task_nothing, .arg = ex, .arg_size = 8);
    cf_executor *none = NULL;
    cf_future *f = NULL;
    int wrong = 0;
    errno = 42;
    wrong += cf_submit(ex, NULL, NULL, 0, &f) != CF_EINVAL;
    task.arg_free = free;
    wrong += cf_submit_task(ex, &task, &f) != CF_EINVAL;
    task.size = 0;
    wrong += cf_submit_task(ex, &task, &f) != CF_EINVAL;
    wrong += cf_thread_pool_create(&zero, &none) != CF_EINVAL;
    wrong += cf_executor_shutdown(ex, 8, 0) != CF_EINVAL;
    wrong += cf_executor_wait_idle(ex, -2) != CF_EINVAL;
    wrong += cf_future_set_result(f, NULL, 0) != CF_EINVAL;
    wrong += cf_executor_open("threads:many", &none) != CF_EINVAL;
    if (wrong || errno != 42 || f || none)
        exit(1);
    if (cf_submit(ex, task_returns_nothing, NULL, 0, &f) ||
        cf_future_result(f, CF_FOREVER, NULL))
        exit(1);
    cf_future_unref(f);
}

/* Takes 150 ms of its thread. */
static void
dawdle(cf_future *f, void *calls)
{
    const struct timespec t = {0, 150000000};
    (void)f;
    ++*(int *)calls;
    (void)nanosleep(&t, NULL);
}

static void
call_slowly(cf_executor *ex)
{
    int calls = 0;
    for (int i = 0; i < 2; i++) { /* is called at once, and in a worker */
        cf_future *f = i ? NULL : submit(ex, NULL);
        if ((i && cf_submit(ex, task_nothing, NULL, 0, &f)) ||
            cf_future_on_done(f, dawdle, &calls) ||
            cf_executor_wait_idle(ex, CF_FOREVER))
            exit(1);
        cf_future_unref(f);
    }
    if (calls != 2)
        exit(1);
}

static int
run(const char *what)
{
    cf_executor *ex;
    if (cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 2), &ex))
        return 1;
    if (strcmp(what, "left") == 0)
        leave_some(ex);
    else if (strcmp(what, "late") == 0)
        use_late(ex);
    else if (strcmp(what, "misuse") == 0)
        misuse(ex);
    else if (strcmp(what, "slow") == 0)
        call_slowly(ex);
    else
        for (int i = 0; i < BETWEEN; i++)
            cf_future_unref(submit(ex, "decode"));
    cf_executor_destroy(ex);
    return 0;
}

int
main(int argc, char **argv)
{
    static char said[4096];
    const char *left[] = {"cf_future_unref() was not called for: 3\n",
                          "  2 of task 'decode'\n",
                          "  1 of cf_future_create()\n",
                          NULL};
    const char *late[] = {"cf_future_wait(): the future is gone", NULL};
    const char *why[] = {
        "CF_DEBUG: CF_EINVAL: cf_submit: fn is NULL\n",
        "cf_task: arg_free is set, but arg_size bytes are copied",
        "size is not that of a struct: CF_TASK()",
        "cf_executor_shutdown: flags has an unknown bit\n",
        "cf_executor_wait_idle: the timeout is below -1",
        "cf_future_set_result: f is NULL\n",
        "cf_executor_open: spec is none of cf_executor_specs()\n",
        "cf_return: data is NULL, but size is not 0\n",
        NULL};
    const char *first[] = {"cf_submit: fn is NULL\n", NULL};
    if (argc > 1)
        return run(argv[1]);
    unsetenv("CF_DEBUG");
    if (run_again("left", said, sizeof said) != 0 || said[0] ||
        run_again("misuse", said, sizeof said) != 0 || said[0] ||
        run_again("slow", said, sizeof said) != 0 || said[0]) {
        fprintf(stderr, "without CF_DEBUG it says: %s\n", said);
        return 1;
    }
    setenv("CF_DEBUG", "1", 1);
    if (run_again("well", said, sizeof said) != 0 || said[0]) {
        fprintf(stderr, "nothing is left, but it says: %s\n", said);
        return 1;
    }
    const char *slow = "libcfutures: CF_DEBUG: a callback took ";
    if (run_again("slow", said, sizeof said) != 0 ||
        strncmp(said, slow, strlen(slow)) != 0 ||
        strchr(said, '\n') != strrchr(said, '\n')) {
        fprintf(stderr, "a callback is slow, and it says: %s\n", said);
        return 1;
    }
    if (!ends("left", true, left) || !ends("late", false, late) ||
        !ends("misuse", true, why))
        return 1;
    setenv("CF_DEBUG", "abort", 1);
    return !ends("left", true, left) || !ends("misuse", false, first);
}
