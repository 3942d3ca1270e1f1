/* SPDX-License-Identifier: MIT */
/* What lib/ asks of tasks that are in other processes:
 * lib/executor/remote.h. */
#include "process_pool/pool.h"

#include "lib/base/clock.h"
#include "process_pool/alarm.h"
#include "process_pool/service.h"

#include <signal.h>

static struct cf__processes *
pool_of(const cf_future *f)
{
    return cf__processes_of(f->executor);
}

/* The lane that has f in hand, and f's position there; NULL: none has it. */
static struct cf__process_lane *
lane_of_locked(struct cf__processes *pool,
               const cf_future *f,
               uint64_t *position)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with the claim */
    if (cf__state(word) != CF_RUNNING)
        return NULL;
    struct cf__process_lane *lane = cf__process_lane_of(pool, word);
    *position = lane ? cf__lane_find(lane, f) : UINT64_MAX;
    return *position != UINT64_MAX ? lane : NULL;
}

/* For a thread that will ask again: a service by the lock's holder will do. */
static void
try_to_serve(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    if (cf__executor_forked(ex) || !cf__processes_try_lock(pool))
        return;
    cf__processes_serve_locked(pool);
    cf__processes_unlock_serving(pool);
}

static bool
started(const cf_future *f)
{
    struct cf__processes *pool = pool_of(f);
    uint64_t position;
    if (cf__executor_forked(&pool->base))
        return true;
    cf__processes_lock(pool);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with the claim */
    struct cf__process_lane *lane = lane_of_locked(pool, f, &position);
    bool untaken = cf__state(word) == CF_PENDING ||
                   (lane && cf__lane_is_untaken(lane, position));
    cf__processes_unlock_serving(pool);
    return !untaken;
}

static bool
recall(cf_future *f)
{
    struct cf__processes *pool = pool_of(f);
    uint64_t position;
    if (cf__executor_forked(&pool->base))
        return false;
    cf__processes_lock(pool);
    struct cf__process_lane *lane = lane_of_locked(pool, f, &position);
    bool recalled = lane && cf__lane_revoke(lane, position);
    pool->recalling += recalled;
    cf__processes_unlock_serving(pool);
    return recalled;
}

static void
let_go(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    pool->recalling--;
    cf__processes_serve_locked(pool); /* the pool may be idle now */
    cf__processes_unlock_serving(pool);
}

/* Asks the task to stop, if it runs. Stops its worker at that time, unless the
 * task has ended by then. Returns the worker's process id, or 0. */
static pid_t
stop_by(struct cf__processes *pool, cf_future *f, int64_t at)
{
    uint64_t position;
    pid_t pid = 0;
    cf__processes_lock(pool);
    struct cf__process_lane *lane = lane_of_locked(pool, f, &position);
    if (lane) {
        pid = cf_load_relaxed(&lane->out->pid); /* for people to read */
        cf_fetch_or_seq_cst(&cf__lane_order(lane, position)->flags,
                            CF__ORDER_STOP | CF__ORDER_NOTIFY); /* a hint */
        cf__processes_kill_later(pool, lane, position, SIGTERM, at);
    }
    cf__processes_unlock_serving(pool);
    return pid;
}

static void
interrupt(cf_future *f)
{
    struct cf__processes *pool = pool_of(f);
    (void)stop_by(pool, f, cf__processes_after_grace(pool, cf__now_ns()));
}

static pid_t
stop(cf_future *f)
{
    return stop_by(pool_of(f), f, cf__now_ns());
}

static void
expect(cf_future *f)
{
    struct cf__processes *pool = pool_of(f);
    uint64_t position;
    if (cf__executor_forked(&pool->base))
        return;
    /* Dispatch will see that f is waited for, when it hands f out
     * (flags_of). */
    if (cf__state(cf_load_acquire(&f->word)) == CF_PENDING) {
        if (cf_load_relaxed(&pool->wanting) != CF__CONTENT)
            cf__processes_attend(pool);
        return;
    }
    cf__processes_lock(pool);
    struct cf__process_lane *lane = lane_of_locked(pool, f, &position);
    if (lane) {
        cf__lane_expect(lane, position);
        cf__processes_serve_locked(pool);
    }
    cf__processes_unlock_serving(pool);
}

/* When f, the task at a position, began. The worker writes that before it takes
 * the task, which may write there later: so the first value that is read
 * stands. */
static int64_t
begun_at_locked(const struct cf__process_lane *lane,
                uint64_t position,
                const cf_future *f,
                int64_t now)
{
    uint64_t begun = cf_load_relaxed(&cf__lane_outcome(lane, position)->offset);
    if (!f->attributes->begun_at)
        f->attributes->begun_at = begun < (uint64_t)now ? (int64_t)begun : now;
    return f->attributes->begun_at;
}

static bool
outran(cf_future *f)
{
    struct cf__processes *pool = pool_of(f);
    const int64_t timeout_ns = f->attributes->timeout_ns;
    uint64_t position;
    cf__processes_lock(pool);
    cf__processes_serve_locked(pool);
    int64_t now = cf__now_ns();
    struct cf__process_lane *lane = lane_of_locked(pool, f, &position);
    /* f has not begun; or it is over, and there is no timer */
    int64_t begun = now;
    if (lane && !cf__lane_is_untaken(lane, position))
        begun = begun_at_locked(lane, position, f, now);
    /* In its submitter, because the queue was full, it ran from the start. */
    uint64_t word = cf_load_relaxed(&f->word);
    bool in_caller = cf__state(word) == CF_RUNNING && cf__runner(word) < 0;
    bool late = in_caller || timeout_ns <= now - begun;
    int64_t at = cf__deadline_from(begun, timeout_ns);
    if (!late)
        cf__timers_again(pool->base.timers, f, at);
    cf__processes_unlock_serving(pool);
    return late;
}

static void *
arg_alloc(cf_executor *ex, size_t size)
{
    return cf__arena_alloc_to_fill(&cf__processes_of(ex)->shared->parcels,
                                   size);
}

static void
arg_free(cf_executor *ex, void *arg)
{
    cf__arena_free(&cf__processes_of(ex)->shared->parcels, arg);
}

const struct cf__remote_ops cf__processes_remote_ops = {
    .attend = try_to_serve,
    .started = started,
    .recall = recall,
    .let_go = let_go,
    .interrupt = interrupt,
    .expect = expect,
    .outran = outran,
    .stop = stop,
    .arg_alloc = arg_alloc,
    .arg_free = arg_free,
};
