/* SPDX-License-Identifier: MIT */
/*
 * cf_executor_release(): an executor is destroyed by a thread that is started
 * for it. No locks: the executor is that thread's from its start on.
 */
#include "lib/base/helper_thread.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/executor.h"
#include "lib/executor/registry.h"

static void *
run(void *executor)
{
    cf_executor *ex = executor;
    cf__helper_thread_enter(&ex->origin, "cf_release");
    cf_executor_destroy(ex);
    return NULL;
}

cf_err
cf_executor_release(cf_executor *ex)
{
    if (!ex)
        return CF_OK;
    cf__registry_expect(
        ex, false, "cf_executor_release(): the executor has been destroyed");
    if (cf__caller_runs_here(ex)) /* the submit goes on with ex afterwards */
        return CF_EDEADLK;
    /* From then on submits are refused. */
    cf_err err = cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0);
    return err ? err : cf__helper_thread_start(&ex->origin, NULL, run, ex);
}
