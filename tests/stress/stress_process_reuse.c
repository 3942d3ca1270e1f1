/* SPDX-License-Identifier: MIT */
/*
 * One task after the other needs one worker process, whatever the manager is
 * doing when the next one comes. Attacks occupy_idle() of
 * process_pool/dispatch.c: a push comes between its look at the idle workers
 * and its look at the lanes without a worker.
 */
#include "common.h"

#include "tests/support/tasks.h"

/* The manager's services after a task's end take some microseconds. */
enum { TASKS = 1000, PAUSE_NS = 20000 };

static uint64_t tasks;

static void
one_round(uint64_t round)
{
    struct random r = random_stream(round);
    cf_executor *ex = stress_process_pool(2 + (int)random_below(&r, 3));
    cf_stats stats;
    for (int i = 0; i < TASKS; i++) {
        CHECK_EQ(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_OK);
        CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
        random_delay(&r, PAUSE_NS);
    }
    CHECK_EQ(cf_executor_stats(ex, &stats), CF_OK);
    CHECK_EQ(stats.workers, 1);
    tasks += TASKS;
    stress_pool_destroy(ex);
    stress_alive();
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN)
        return STRESS_SKIPPED; /* forks with threads */
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++)
        one_round(round);
    return stress_end("%llu tasks", (unsigned long long)tasks);
}
