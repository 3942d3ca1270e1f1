/* SPDX-License-Identifier: MIT */
/*
 * This library: the task's future fails with CF_EWORKERDIED and says by which
 * signal which process died. The pool replaces the worker.
 */
#include "process_kill/kill.h"
#include "process_kill/victim.h"

#include "common/executor.h"

static cf_executor *pool;
static victim *shared;

static int
block(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    victim_wait_for_end(*(victim *const *)arg);
    return 0;
}

void
kill_open(int workers)
{
    pool = bench_open_executor(workers);
    shared = cf_shared_alloc(pool, sizeof(*shared));
    if (shared == NULL)
        bench_die("cf_shared_alloc failed");
}

void
kill_close(void)
{
    cf_shared_free(pool, shared);
    cf_executor_destroy(pool);
}

uint64_t
kill_once(void)
{
    cf_future *future;

    atomic_store(&shared->pid, 0);
    bench_check(cf_submit(pool, block, &shared, sizeof(shared), &future),
                "cf_submit");
    pid_t pid = victim_find(shared);
    uint64_t start = bench_now_ns();
    if (kill(pid, SIGKILL) != 0)
        bench_die("the worker cannot be killed");
    bench_check(cf_future_wait(future, CF_FOREVER), "cf_future_wait");
    uint64_t end = bench_now_ns();
    const cf_error *error = cf_future_error(future);
    if (error == NULL || error->kind != CF_EWORKERDIED || error->pid != pid ||
        error->signal != SIGKILL)
        bench_die("the task did not fail as a killed one");
    cf_future_unref(future);
    return end - start;
}
