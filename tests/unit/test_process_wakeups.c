/* SPDX-License-Identifier: MIT */
/*
 * Looks of the process pool (process_pool/README.md, "Waking"): what comes
 * between a look and the sleep after it is found by the second look, or keeps
 * the sleeper awake. Each test puts one step of one side between two steps of
 * the other. The pool has no processes (bare_processes.h). Fences are tested by
 * process_fence_races.c.
 */
#include <criterion/criterion.h>
#include <semaphore.h>

#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"
#include "tests/unit/bare_processes.h"

static struct cf__processes *pool;
static struct cf__process_lane *lane;
static struct cf__board *board;

static void (*at_heavy_fence)(void);
static atomic_int waits;  /* calls that let a worker sleep */
static atomic_int sleeps; /* of these, how often nothing has woken it */
static bool rung_at_wait, asleep_at_wait;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
void __real_cf__fence_heavy(void);
void __wrap_cf__fence_heavy(void);
bool __wrap_cf__futex_wait_shared(void *word, uint32_t expected);

void
__wrap_cf__fence_heavy(void)
{
    __real_cf__fence_heavy();
    if (at_heavy_fence)
        at_heavy_fence();
}

bool
__wrap_cf__futex_wait_shared(void *word, uint32_t expected)
{
    atomic_fetch_add(&waits, 1);
    rung_at_wait = bare_is_rung(pool);
    asleep_at_wait = cf_load_relaxed(&lane->out->asleep);
    if (cf_load_relaxed((_Atomic uint32_t *)word) == expected)
        atomic_fetch_add(&sleeps, 1);
    return false;
}
/* NOLINTEND */

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

/* Lane 0 only. The manager sleeps, and has not been rung. */
static void
open_pool(void)
{
    pool = bare_open(1);
    lane = &pool->lanes[0];
    board = pool->shared->board;
    cf_store_relaxed(&board->sleeps, 1);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
}

static void
close_pool(void)
{
    bare_empty(pool);
    bare_close(pool);
}

#define WAKEUP_TEST(name)                                                      \
    Test(process_wakeups, name, .init = open_pool, .fini = close_pool)

/* --- a worker that falls asleep ------------------------------------------- */

static void (*at_look[2])(void); /* what comes after each of its looks */
static int looks;
static uint64_t position; /* of its next order */

static bool
must_rise(void *unused)
{
    (void)unused;
    bool rises = atomic_load(&sleeps) || looks > 2 ||
                 cf_load_acquire(&lane->in->published) != position ||
                 cf_load_acquire(&lane->in->quit);
    if (looks < 2 && at_look[looks])
        at_look[looks]();
    looks++;
    return rises;
}

static void
fall_asleep(void)
{
    struct cf__bells bells = bare_bells(pool);
    position = lane->next;
    cf__bells_sleep(&bells, must_rise, NULL);
}

static void
order(void)
{
    cf__processes_lock(pool);
    (void)bare_hand(pool, bare_task(pool, task_nothing), 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
}

static void
quit(void)
{
    cf__lane_quit(lane);
}

static void
set_backlog(void)
{
    cf_store_seq_cst(&board->backlog, 1);
}

WAKEUP_TEST(a_worker_sleeps_if_nothing_comes)
{
    fall_asleep();
    cr_assert(waits == 1 && sleeps == 1 && asleep_at_wait && !rung_at_wait);
}

WAKEUP_TEST(a_worker_that_was_woken_no_longer_says_that_it_sleeps)
{
    fall_asleep();
    cr_assert_not(cf_load_relaxed(&lane->out->asleep));
}

WAKEUP_TEST(an_order_between_look_and_sleep_is_found)
{
    at_look[0] = order;
    fall_asleep();
    cr_assert(waits == 0);
}

WAKEUP_TEST(an_order_after_the_second_look_keeps_the_worker_awake)
{
    at_look[1] = order;
    fall_asleep();
    cr_assert(waits == 1 && sleeps == 0);
}

WAKEUP_TEST(a_quit_between_look_and_sleep_is_found)
{
    at_look[0] = quit;
    fall_asleep();
    cr_assert(waits == 0);
}

WAKEUP_TEST(a_quit_after_the_second_look_keeps_the_worker_awake)
{
    at_look[1] = quit;
    fall_asleep();
    cr_assert(waits == 1 && sleeps == 0);
}

WAKEUP_TEST(a_worker_that_sees_a_backlog_rings_before_it_sleeps)
{
    at_look[1] = set_backlog; /* by a submit that saw it awake */
    fall_asleep();
    cr_assert(rung_at_wait);
}

static bool
rings(struct cf__bells *bells)
{
    cf__bells_ring(bells);
    bool rung = bare_is_rung(pool);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    return rung;
}

WAKEUP_TEST(a_worker_rings_once_for_each_sleep_of_the_manager)
{
    struct cf__bells bells = bare_bells(pool);
    bool right = true;
    for (uint32_t sleep = 1; sleep < 6; sleep++) {
        cf_store_relaxed(&board->sleeps, sleep);
        right = right && rings(&bells) == (sleep % 2 == 1) && !rings(&bells);
    }
    cr_assert(right);
}

/* --- a submit ------------------------------------------------------------- */

static cf_future *
submit(void)
{
    cf_future *f = bare_task(pool, task_nothing);
    cr_assert(pool->base.ops->submit(&pool->base, f, f, 1) == CF_OK);
    return f;
}

static bool
submit_is_handed_out(uint32_t wanting, bool asleep)
{
    cf_store_relaxed(&pool->wanting, wanting);
    cf_store_relaxed(&lane->out->asleep, asleep);
    (void)submit();
    return cf__lane_in_hand(lane) == 1;
}

WAKEUP_TEST(a_submit_attends_if_a_worker_sleeps)
{
    cr_assert(submit_is_handed_out(CF__EAGER, true));
    cr_assert(bare_is_rung(pool), "the manager looks after a busy pool");
}

WAKEUP_TEST(a_submit_attends_if_the_awake_worker_has_fallen_asleep)
{
    cr_assert(submit_is_handed_out(CF__AWAKE, true));
}

WAKEUP_TEST(a_submit_leaves_its_task_to_an_awake_worker_by_the_backlog)
{
    cr_assert_not(submit_is_handed_out(CF__AWAKE, false));
    cr_assert(cf_load_relaxed(&board->backlog));
}

WAKEUP_TEST(a_thread_that_waits_for_a_task_that_was_left_attends)
{
    cf_store_relaxed(&pool->wanting, CF__AWAKE);
    pool->base.ops->remote->expect(submit());
    cr_assert(cf__lane_in_hand(lane) == 1);
}

WAKEUP_TEST(a_thread_that_waits_for_a_task_that_has_ended_collects_it)
{
    cf__processes_lock(pool);
    cf_future *f = bare_task(pool, task_nothing);
    cf_future_ref(f);
    uint64_t p = bare_hand(pool, f, 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
    bare_end(pool, p); /* and the worker has seen no NOTIFY */
    pool->base.ops->remote->expect(f);
    cr_assert(lane->oldest == p + 1); /* cf_future_done() would look, too */
    cf_future_unref(f);
}

/* --- a dispatch ----------------------------------------------------------- */

static int pushes; /* that are still to come */

/* As in test_late_stores.c: the heavy fence makes a push visible. The next push
 * has begun. */
static void
end_push(void)
{
    struct cf__queue *q = &pool->queue;
    cf__unlock(&q->inbox.lock);
    cr_assert(cf__queue_push(q, bare_task(pool, task_nothing), 1) == CF_OK);
    if (--pushes)
        cf__lock(&q->inbox.lock);
}

/* Two pushes, of which each is found by the last look of a round. */
static void
dispatch_with_late_pushes(void)
{
    pool = bare_open(2);
    board = pool->shared->board;
    pushes = 2;
    at_heavy_fence = end_push;
    cf__processes_lock(pool);
    cf__lock(&pool->queue.inbox.lock);
    cf__processes_dispatch(pool, cf__now_ns());
}

static void
unlock_and_leave(void)
{
    cf__processes_unlock_serving(pool);
    bare_leave(pool);
}

Test(process_wakeups, what_a_dispatch_finds_last_is_a_backlog)
{
    dispatch_with_late_pushes();
    cr_assert(pushes == 0 && cf__queue_has_work(&pool->queue) &&
              cf_load_relaxed(&pool->wanting) >= CF__AWAKE &&
              cf_load_relaxed(&board->backlog));
    unlock_and_leave();
}

Test(process_wakeups, what_a_dispatch_finds_last_is_served)
{
    dispatch_with_late_pushes();
    unlock_and_leave();
    cr_assert(!cf__queue_has_work(&pool->queue) &&
              cf__lane_in_hand(&pool->lanes[1]) == 1 &&
              !cf_load_relaxed(&board->backlog));
}
