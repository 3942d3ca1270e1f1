/* SPDX-License-Identifier: MIT */
/*
 * A C library whose clone() makes no threads (musl): a process of its own
 * watches for the program's end. It ends with the pool, and with the program.
 */
#include <cfutures/cfutures.h>
#include <cfutures/process_pool.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/shared.h"
#include "tests/support/tasks.h"

/* The linker takes them for the C library's: NOLINTBEGIN */
int __wrap_clone(int (*fn)(void *), void *stack, int flags, void *data, ...);
int __wrap___clone(int (*fn)(void *), void *stack, int flags, void *data, ...);

int
__wrap_clone(int (*fn)(void *), void *stack, int flags, void *data, ...)
{
    (void)fn;
    (void)stack;
    (void)flags;
    (void)data;
    errno = EINVAL;
    return -1;
}

int
__wrap___clone(int (*fn)(void *), void *stack, int flags, void *data, ...)
{
    return __wrap_clone(fn, stack, flags, data);
}
/* NOLINTEND */

static char prefix[12];

static cf_executor *
used_pool(void)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    cf_future *f = NULL;
    options.max_workers = 1;
    options.name_prefix = prefix;
    CHECK(cf_process_pool_create(&options, &ex) == CF_OK);
    CHECK(cf_submit(ex, task_nothing, NULL, 0, &f) == CF_OK);
    CHECK(cf_future_wait(f, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
    return ex;
}

int
main(void)
{
    gate *ready = gate_new();
    alarm(20);
    snprintf(prefix, sizeof prefix, "a%d", (int)getpid());
    cf_executor_destroy(used_pool());
    (void)process_await_found(prefix, 0); /* the zygote ends after its pool */
    pid_t program = fork_child();
    if (program == 0) {
        (void)used_pool();
        gate_arrive(ready);
        for (;;)
            pause();
    }
    gate_await(ready, 1);
    CHECK(process_find(prefix, NULL, 0) > 2); /* the one aside, too */
    CHECK(kill(program, SIGKILL) == 0);
    (void)status_of(program);
    (void)process_await_found(prefix, 0);
    return 0;
}
