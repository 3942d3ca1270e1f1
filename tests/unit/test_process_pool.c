/* SPDX-License-Identifier: MIT */
/* The process pool's check operation, and which thread has its lock. */
#include <cfutures/process_pool.h>
#include <criterion/criterion.h>
#include <signal.h>

#include "lib/executor/check.h"
#include "process_pool/collect.h"
#include "process_pool/end.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"

enum { TASKS = 300 };

static cf_executor *ex;
static struct cf__processes *pool;

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call;
    (void)arg;
    (void)size;
    return 0;
}

static void
open_pool(void)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    options.max_workers = 2;
    cr_assert(cf_process_pool_create(&options, &ex) == CF_OK);
    pool = cf__processes_of(ex);
}

Test(process_pool, is_whole_at_each_step, .init = open_pool, .timeout = 60)
{
    cf_future *f[TASKS];
    cf__executor_check(ex);
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf_submit(ex, task_nothing, NULL, 0, &f[i]) == CF_OK);
        cf__executor_check(ex);
    }
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf_future_wait(f[i], CF_FOREVER) == CF_OK);
        cf__executor_check(ex);
        cf_future_unref(f[i]);
    }
    cr_assert(cf_executor_shutdown(ex, 0, CF_FOREVER) == CF_OK);
    cf__executor_check(ex);
    cf_executor_destroy(ex);
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds; the manager, which
 * would not survive some, gets no lock in between. */
#define BROKEN(what)                                                           \
    Test(process_pool, broken_##what, .init = open_pool, .signal = SIGABRT)

/* Breaks it under the lock, so that no thread sees it half broken. */
#define BREAK(statement)                                                       \
    do {                                                                       \
        cf__processes_lock(pool);                                              \
        statement;                                                             \
        cf__processes_check_locked(pool);                                      \
    } while (0)

BROKEN(by_a_task_in_hand_of_no_lane)
{
    BREAK(pool->in_hand++);
}

BROKEN(by_a_lane_that_is_not_whole)
{
    BREAK(pool->lanes[1].next++);
}

BROKEN(by_orders_that_wait_to_be_published)
{
    struct cf__process_lane *lane = &pool->lanes[0];
    cf__lane_reset(lane);
    BREAK((lane->state = CF__LANE_STAFFED,
           lane->next++,
           lane->revoked++,
           pool->in_hand++));
}

BROKEN(by_a_count_below_0)
{
    BREAK(pool->waiting = -1);
}

BROKEN(by_callbacks_below_0)
{
    BREAK(pool->finishing = -1);
}

BROKEN(by_an_end_before_the_zygote_s)
{
    BREAK((atomic_store(&pool->refuse, CF_ESHUTDOWN), pool->ended = true));
}

BROKEN(by_an_end_for_which_no_call_asked)
{
    BREAK(pool->ending = true);
}

BROKEN(by_a_lane_that_does_not_exist)
{
    BREAK(atomic_store(&pool->wanting, CF__AWAKE + 2));
}

BROKEN(by_returned_tasks_without_room)
{
    BREAK(pool->returned.count = pool->returned.capacity + 1);
}

BROKEN(by_returned_tasks_in_the_wrong_order)
{
    static cf_future f;
    static struct cf__heap_task tasks[4] = {{&f, 0, 2}, {&f, 0, 1}};
    BREAK((pool->returned.tasks = tasks,
           pool->returned.count = 2,
           pool->returned.capacity = 4));
}

BROKEN(by_an_arena_that_is_not_whole)
{
    BREAK(pool->shared->parcels.runs.table[0].pages++);
}

BROKEN(by_a_queue_that_is_not_whole)
{
    BREAK(atomic_fetch_add(&pool->queue.ring_top, 1));
}

/* What needs the lock says so. */
#define WITHOUT_LOCK(name, call)                                               \
    Test(process_pool, name, .init = open_pool, .signal = SIGABRT)             \
    {                                                                          \
        call;                                                                  \
    }

WITHOUT_LOCK(serves_with_the_lock_only, cf__processes_serve_locked(pool))
WITHOUT_LOCK(dispatches_with_the_lock_only, cf__processes_dispatch(pool, 1))
WITHOUT_LOCK(collects_with_the_lock_only,
             cf__processes_collect(pool, &pool->lanes[0], 1))
WITHOUT_LOCK(takes_back_with_the_lock_only,
             cf__processes_take_back_many(pool, &pool->lanes[0], 1))
WITHOUT_LOCK(refuses_with_the_lock_only,
             cf__processes_refuse_locked(pool, CF_ESHUTDOWN))
WITHOUT_LOCK(unlocks_what_it_has_locked_only, cf__processes_unlock_alone(pool))

#endif
