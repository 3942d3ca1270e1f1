/* SPDX-License-Identifier: MIT */
/*
 * The manager: a thread of the program that looks after the pool when no other
 * thread does. It hears of workers that end, kills those that must end, calls
 * user code for tasks that have ended, and brings the pool to its end. If it
 * waits in a user's callback, it does all that from there.
 */
#include "process_pool/pool.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/base/helper_thread.h"
#include "lib/executor/argument.h"
#include "lib/executor/pending.h"
#include "lib/future/life.h"
#include "lib/future/waiter.h"
#include "process_pool/alarm.h"
#include "process_pool/bury.h"
#include "process_pool/end.h"
#include "process_pool/retired.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"

#include <signal.h>
#include <sys/mman.h>

enum {
    NESTED_MAX = 32, /* callbacks that wait, in each other */
    SERVE_NS =
        CF__MS(1) /* in a callback, how often it looks at what the callback
                          waits for, at least */
};

/* --- the zygote ---------------------------------------------------------- */

static void
zygote_is_gone_locked(struct cf__processes *pool)
{
    cf_error why = CF_ERROR_INIT;
    why.message = "the process that starts workers has ended";
    if (!pool->zygote_stopped)
        cf__processes_break_locked(pool, &why);
    pool->zygote_gone = true;
    cf__zygote_reap(&pool->zygote);
    cf__roster_kill(&pool->setup.roster, pool->base.max_workers);
    struct cf__zygote_report end = {CF__WORKER_ENDED, 0, 0, SIGKILL, 0};
    for (; end.lane < pool->base.max_workers; end.lane++)
        if (pool->lanes[end.lane].state == CF__LANE_STAFFED)
            cf__processes_bury(pool, &end);
}

static void
hear_zygote_locked(struct cf__processes *pool)
{
    struct cf__zygote_report report;
    int heard = 0;
    while (!pool->zygote_gone &&
           (heard = cf__zygote_receive(&pool->zygote, &report)) > 0) {
        if (report.news == CF__WORKER_ENDED) {
            cf__processes_bury(pool, &report);
        } else if (report.news == CF__SPAWN_FAILED) {
            cf__processes_spawn_failed(pool, report.lane, report.status);
        }
    }
    if (!pool->zygote_gone && heard < 0)
        zygote_is_gone_locked(pool);
}

/* --- user code ----------------------------------------------------------- */

/* Takes the next deferred future. If too many callbacks wait in each other,
 * takes only one that calls no user code. NULL: none. */
static cf_future *
next_deferred_locked(struct cf__processes *pool)
{
    cf_future *before = NULL, *f = pool->deferred;
    while (f && pool->nested_callbacks > NESTED_MAX &&
           (cf__waiters_have_callbacks(f) ||
            (f->attributes && f->attributes->arg_free))) {
        before = f;
        f = cf_load_relaxed(&f->next); /* under the lock */
    }
    if (!f)
        return NULL;
    cf_future *next = cf_load_relaxed(&f->next);
    if (before)
        cf_store_relaxed(&before->next, next);
    else
        pool->deferred = next;
    if (f == pool->deferred_last)
        pool->deferred_last = before;
    return f;
}

/* Ends the deferred futures, each without the lock. */
static void
run_deferred_locked(struct cf__processes *pool)
{
    for (cf_future *f; (f = next_deferred_locked(pool)) != NULL;) {
        uint64_t flags = cf_load_relaxed(&f->base); /* under the lock */
        pool->finishing++;
        if (cf_load_relaxed(&pool->wanting) >= CF__AWAKE)
            /* the lane of that worker no longer counts as AWAKE */
            cf_store_relaxed(&pool->again, 1);
        cf__processes_unlock_serving(pool);
        cf__future_release_arg(f);
        (void)cf__future_finish(f, flags, 0, true);
        cf__processes_lock(pool);
        pool->finishing--;
        pthread_cond_broadcast(&pool->changed);
    }
}

/* Fails everything that is queued; the reason is why the pool broke. */
static void
fail_queued_locked(struct cf__processes *pool)
{
    cf_future *f = cf__processes_take_all(pool);
    if (!f)
        return;
    pool->finishing++;
    cf__processes_unlock_serving(pool);
    for (cf_future *next; f; f = next) {
        next = cf_load_relaxed(&f->next); /* ours */
        cf__future_turn_away(f, pool->broken);
    }
    cf__processes_lock(pool);
    pool->finishing--;
    pthread_cond_broadcast(&pool->changed);
}

/* --- the loop ------------------------------------------------------------ */

/* If nothing can come any more: tells the workers, and after them the zygote,
 * to end. */
static void
see_to_end_locked(struct cf__processes *pool)
{
    if (pool->ended || !cf_load_relaxed(&pool->refuse) ||
        !cf__processes_is_idle_locked(pool))
        return;
    pool->ending = true;
    bool any_staffed = false;
    int64_t late = cf__processes_after_grace(pool, cf__now_ns());
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->state != CF__LANE_STAFFED)
            continue;
        /* it may be stopped, or never look at its lane again */
        if (!lane->quitting)
            cf__processes_kill_later(
                pool, lane, CF__ANY_POSITION, SIGTERM, late);
        cf__lane_quit(lane);
        any_staffed = true;
    }
    if (!any_staffed && !pool->zygote_gone && !pool->zygote_stopped) {
        pool->zygote_stopped = true;
        cf__zygote_stop(&pool->zygote);
    }
    if (pool->zygote_gone) {
        pool->ended = true;
        pthread_cond_broadcast(&pool->changed);
    }
}

/* If the pool has been idle for a while, gives free memory back to the
 * system. */
static void
trim_if_due_locked(struct cf__processes *pool, int64_t now)
{
    if (!pool->trim_at || now < pool->trim_at)
        return;
    pool->trim_at = 0;
    if (pool->in_hand)
        return; /* the next end of a task sets it again */
    for (int i = 0; i < pool->base.max_workers; i++) { /* outboxes are empty */
        struct cf__lane_out *out = pool->lanes[i].out;
        uint64_t used = cf_load_relaxed(&out->outbox_used); /* a hint */
        if (used == 0)
            continue;
        if (used > pool->shared->outbox_size)
            used = pool->shared->outbox_size;
        /* the worker sleeps, or will soon */
        cf_store_relaxed(&out->outbox_used, 0);
        (void)madvise(
            cf__shared_outbox(pool->shared, i), (size_t)used, MADV_REMOVE);
    }
    cf__processes_unlock_serving(pool);
    (void)cf__arena_trim(&pool->shared->parcels);
    (void)cf__arena_trim(&pool->shared->commons);
    (void)cf__arena_trim(&pool->shared->vault);
    cf__block_trim();
    cf__processes_lock(pool);
}

/* Does everything that there is to do now. */
static void
work_locked(struct cf__processes *pool)
{
    hear_zygote_locked(pool);
    cf__processes_serve_locked(pool);
    int64_t now = cf__now_ns();
    for (int i = 0; i < pool->base.max_workers; i++)
        cf__processes_send_due_signal(pool, &pool->lanes[i], now);
    if (pool->broken)
        fail_queued_locked(pool);
    run_deferred_locked(pool);
    trim_if_due_locked(pool, now);
    see_to_end_locked(pool);
}

/* When to look again if the bell is not rung. An idle pool has such a time too,
 * if another thread has served meanwhile: so a thread that makes the pool busy
 * need not ring. */
static int64_t
next_look_locked(struct cf__processes *pool, int64_t now)
{
    int64_t at = pool->look_at;
    if (pool->trim_at)
        at = cf__sooner(at, pool->trim_at);
    bool busy = pool->helped || !cf__processes_is_idle_locked(pool) ||
                cf__zygote_is_silent(&pool->zygote) ||
                (pool->zygote_stopped && !pool->zygote_gone) ||
                cf_load_relaxed(&pool->wanting) >= CF__AWAKE;
    if (busy)
        at = cf__sooner(at, now + CF__HEARTBEAT_NS);
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].kill_at)
            at = cf__sooner(at, pool->lanes[i].kill_at);
    return at;
}

/* Sleeps without the lock, until the bell rings. */
static void
sleep_until_locked(struct cf__processes *pool, int64_t at)
{
    pool->helped = false;
    pool->wakes_at = at;
    cf__processes_unlock_serving(pool);
    cf__bell_await(pool->shared->bell, &pool->zygote.post->pulse, at);
    cf__processes_lock(pool);
}

/* Wakes all workers with something in hand, in case one sleeps and says that it
 * does not. */
static void
beat_locked(const struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++)
        if (cf__lane_in_hand(&pool->lanes[i]))
            cf__lane_nudge(&pool->lanes[i], true);
}

/* Works; then, if there is nothing more to do, sleeps until deadline_ns at
 * most. */
static void
step_locked(struct cf__processes *pool, int64_t deadline_ns)
{
    _Atomic uint32_t *sleeps = &pool->shared->board->sleeps;
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    work_locked(pool);
    if (pool->ended)
        return;
    /* pairs with cf__bells_ring: the worker sees the manager asleep, or the
     * service sees what the worker did */
    cf_bump(sleeps);
    cf__fence_full();
    cf__processes_serve_locked(pool);
    int64_t now = cf__now_ns();
    int64_t at = cf__sooner(next_look_locked(pool, now), deadline_ns);
    if ((!pool->deferred || pool->nested_callbacks > NESTED_MAX) && at > now)
        sleep_until_locked(pool, at);
    cf_bump(sleeps);
    if (cf__now_ns() >= now + CF__HEARTBEAT_NS)
        beat_locked(pool);
}

static void
serve_in_callback(struct cf__server *server, int64_t deadline_ns)
{
    struct cf__processes *pool = cf__processes_of(server->executor);
    int64_t soon = cf__now_ns() + SERVE_NS;
    cf__processes_lock(pool);
    pool->nested_callbacks++;
    step_locked(pool, cf__sooner(deadline_ns, soon));
    pool->nested_callbacks--;
    cf__processes_unlock_serving(pool);
}

static void *
manager_main(void *arg)
{
    struct cf__processes *pool = arg;
    cf__helper_thread_enter(&pool->base.origin, "cf_manager");
    cf__thread.server = &pool->server;
    cf__zygote_attach(&pool->zygote);
    cf__processes_lock(pool);
    while (!pool->ended)
        step_locked(pool, CF__NEVER);
    bool orphan = pool->orphan;
    cf__processes_unlock_serving(pool);
    cf__thread.server = NULL;
    if (orphan)
        cf__processes_free(pool);
    return NULL;
}

cf_err
cf__processes_start_manager(struct cf__processes *pool)
{
    pool->server = (struct cf__server){&pool->base, serve_in_callback};
    cf_err err = cf__helper_thread_start(
        &pool->base.origin, &pool->manager, manager_main, pool);
    pool->joinable = err == CF_OK;
    return err;
}
