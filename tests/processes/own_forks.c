/* SPDX-License-Identifier: MIT */
/*
 * The library forks to make a process pool and its workers, and the program's
 * fork handlers run then. If a handler makes a process pool there, it is
 * refused, instead of calling itself for ever. If it makes one when the program
 * forks, it is not.
 */
#include <cfutures/cfutures.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/shared.h"
#include "tests/support/tasks.h"

static atomic_int *made, *refused; /* by any process */

static void
use(cf_executor *ex)
{
    cf_future *f = NULL;
    CHECK(cf_submit(ex, task_nothing, NULL, 0, &f) == CF_OK);
    CHECK(cf_future_wait(f, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static void
handler(void)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    options.max_workers = 1;
    alarm(30);
    cf_err err = cf_process_pool_create(&options, &ex);
    if (err == CF_ENOTSUP) {
        atomic_fetch_add(refused, 1);
        return;
    }
    CHECK(err == CF_OK);
    use(ex);
    atomic_fetch_add(made, 1);
}

int
main(void)
{
    cf_executor *ex = NULL;
    made = counter_new();
    refused = counter_new();
    CHECK(pthread_atfork(handler, handler, handler) == 0);
    CHECK(cf_executor_open("processes:1", &ex) == CF_OK);
    use(ex);
    CHECK(atomic_load(made) == 0);
    CHECK(atomic_load(refused) > 0);
    pid_t child = fork_child();
    if (child == 0)
        _exit(0);
    expect_success(child);
    CHECK(atomic_load(made) == 3);
    return EXIT_SUCCESS;
}
