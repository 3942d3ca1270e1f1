/* SPDX-License-Identifier: MIT */
/*
 * The process pool's lock and service, its submit and its statistics, and the
 * table of its operations.
 */
#include "process_pool/pool.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"

enum {
    ATTEND_EVERY = 16, /* submits or so, if no lane must be seen to at once */
    ROUNDS_MAX = 8     /* services in a row for others */
};

/* --- the lock ------------------------------------------------------------ */

/* Some lane has a task: not only positions that were taken back, to which its
 * worker has still to come. */
static bool
has_tasks_out(const struct cf__processes *pool)
{
    if (pool->in_hand == 0)
        return false;
    for (int i = 0; i < pool->base.max_workers; i++)
        if (cf__lane_tasks(&pool->lanes[i]) > 0)
            return true;
    return false;
}

/* What has begun now may need the manager before that would look. */
static void
set_alarm(struct cf__processes *pool, int64_t now)
{
    int64_t at = pool->look_at;
    if (has_tasks_out(pool) && now + CF__HEARTBEAT_NS < at)
        at = now + CF__HEARTBEAT_NS;
    if (at >= pool->wakes_at)
        return;
    pool->wakes_at = at;
    cf__processes_ring(pool);
}

/* Drops what has been cancelled meanwhile. Under the lock: so a dispatch finds
 * whatever is queued. */
static void
tidy(struct cf__processes *pool)
{
    uint64_t canceled = cf_exchange_acq_rel(&pool->tidy, 0);
    cf__queue_tidy(&pool->queue, canceled);
    cf_future *f = cf__returned_sweep(&pool->returned);
    for (cf_future *next; f; f = next) {
        next = cf_load_relaxed(&f->next); /* ours */
        cf_future_unref(f);
    }
}

void
cf__processes_service_locked(struct cf__processes *pool)
{
    if (!pool->open)
        return;
    int64_t now = cf__now_ns();
    pool->look_at = CF__NEVER;
    pool->helped = pool->helped || !cf__processes_on_manager(pool);
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].state == CF__LANE_SERVED)
            cf__processes_collect_locked(pool, &pool->lanes[i], now);
    if (__builtin_expect(cf_load_relaxed(&pool->tidy) != 0, 0)) /* a hint */
        tidy(pool);
    if (!pool->broken)
        cf__processes_dispatch_locked(pool, now);
    set_alarm(pool, now);
    bool refuses = cf_load_relaxed(&pool->refuse) && !pool->ending;
    if ((pool->waiting || refuses) && cf__processes_idle_locked(pool)) {
        pthread_cond_broadcast(&pool->changed);
        cf__processes_ring(pool); /* for the end */
    }
}

void
cf__processes_unlock(struct cf__processes *pool)
{
    for (int rounds = 0;; rounds++) {
        if (cf_load_relaxed(&pool->again)) { /* a hint; see the fence */
            cf_store_relaxed(&pool->again, 0);
            cf__processes_service_locked(pool);
        }
        if (rounds == ROUNDS_MAX) /* the manager shall go on with it */
            cf__processes_ring(pool);
        pthread_mutex_unlock(&pool->lock);
        /* pairs with attend: we see its wish, or it gets the lock */
        cf__fence_full();
        if (!cf_load_relaxed(&pool->again) || rounds == ROUNDS_MAX ||
            pthread_mutex_trylock(&pool->lock) != 0)
            return;
    }
}

void
cf__processes_attend(struct cf__processes *pool)
{
    cf_store_relaxed(&pool->again, 1);
    cf__fence_full(); /* pairs with unlock's */
    if (pthread_mutex_trylock(&pool->lock) == 0)
        cf__processes_unlock(pool);
}

bool
cf__processes_idle_locked(struct cf__processes *pool)
{
    /* The manager may ask in a callback. */
    bool finishing = pool->finishing > 0 && !cf__processes_on_manager(pool);
    return !has_tasks_out(pool) && !pool->deferred && !finishing &&
           !pool->recalling && !cf__processes_has_work_locked(pool);
}

/* --- operations ---------------------------------------------------------- */

/* After a push: it is not to be seen to now. If a worker is awake
 * and has nothing to do, it rings before it sleeps, if it sees the backlog. */
static bool
may_wait(struct cf__processes *pool)
{
    cf__fence_full(); /* pairs with dispatch's */
    uint32_t wanting = cf_load_relaxed(&pool->wanting);
    if (wanting < CF__AWAKE)
        return wanting == CF__CONTENT;
    _Atomic uint32_t *backlog = &pool->shared->board->backlog;
    /* pairs with cf__packer_sleep: README.md, "The backlog" */
    if (!cf_load_seq_cst(backlog))
        cf_store_seq_cst(backlog, 1);
    return !cf_load_seq_cst(&pool->lanes[wanting - CF__AWAKE].out->asleep);
}

static cf_err
pool_submit(cf_executor *ex, cf_future *oldest, cf_future *newest, size_t count)
{
    struct cf__processes *pool = cf__processes_of(ex);
    if (__builtin_expect(cf__executor_forked(ex), 0))
        return CF_EFORKED; /* no handler has closed the queue */
    /* After the push the tasks may be gone. */
    bool at_once = count >= ATTEND_EVERY || cf__priority(oldest) != 0;
    cf_err err = cf__queue_push(&pool->queue, oldest, newest, count);
    if (__builtin_expect(err, 0)) /* refuse is set before the close */
        return err == CF_ESHUTDOWN ? cf_load_relaxed(&pool->refuse) : err;
    bool turn = cf__queue_pushed(&pool->queue) % ATTEND_EVERY < count;
    if (at_once || turn || !may_wait(pool))
        cf__processes_attend(pool);
    return CF_OK;
}

/* For the next service. The caller is in the middle of a cancel, whose end the
 * holder of the lock may wait for: so it takes no lock. */
static void
pool_tidy(cf_executor *ex, uint64_t canceled)
{
    cf_store_relaxed(&cf__processes_of(ex)->tidy, canceled); /* a hint */
}

static void
pool_stats(cf_executor *ex, cf_stats *out)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    cf__processes_service_locked(pool);
    out->canceled = cf_load_acquire(&ex->canceled); /* before submitted */
    uint64_t taken_back = cf_load_acquire(&ex->taken_back); /* likewise */
    for (int i = 0; i < ex->max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        out->done += lane->done;
        out->failed += lane->failed;
        if (lane->state != CF__LANE_SERVED)
            continue;
        out->workers++;
        if (cf__lane_tasks(lane) == 0)
            out->idle++;
        else if (cf__lane_has_begun(lane))
            out->running++;
    }
    uint64_t left = out->done + out->running + out->canceled + taken_back;
    uint64_t submitted = cf__queue_count(&pool->queue);
    out->queued = submitted > left ? submitted - left : 0;
    out->restarts = pool->restarts;
    cf__processes_unlock(pool);
}

static void *
pool_shared_alloc(cf_executor *ex, size_t size)
{
    return cf__executor_forked(ex)
               ? NULL
               : cf__arena_alloc_zeroed(&cf__processes_of(ex)->shared->commons,
                                        size);
}

static void
pool_shared_free(cf_executor *ex, void *p)
{
    if (!cf__executor_forked(ex))
        (void)cf__arena_free(&cf__processes_of(ex)->shared->commons, p);
}

static bool
pool_is_shared(cf_executor *ex, const void *p, size_t size)
{
    return cf__arena_contains(&cf__processes_of(ex)->shared->commons, p, size);
}

const struct cf__executor_ops cf__processes_ops = {
    .name = "process_pool",
    .submit = pool_submit,
    .tidy = pool_tidy,
    .wait_idle = cf__processes_wait_idle,
    .shutdown = cf__processes_shutdown,
    .terminate = cf__processes_terminate,
    .stats = pool_stats,
    .destroy = cf__processes_destroy,
    .after_fork = cf__processes_after_fork,
    .remote = &cf__processes_remote_ops,
    .shared_alloc = pool_shared_alloc,
    .shared_free = pool_shared_free,
    .is_shared = pool_is_shared,
};
