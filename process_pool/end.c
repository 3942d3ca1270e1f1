/* SPDX-License-Identifier: MIT */
/*
 * The ends of a pool: shutdown, terminate, destroy; breaking; waiting until it
 * is idle; and what a fork's child keeps of it. Callbacks of cancelled tasks
 * run in the caller's thread, without the lock.
 */
#include "process_pool/end.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/fence.h"
#include "lib/executor/pending.h"
#include "lib/future/failure.h"
#include "process_pool/alarm.h"
#include "process_pool/lock.h"
#include "process_pool/retired.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"

#include <signal.h>
#include <unistd.h>

void
cf__processes_refuse_locked(struct cf__processes *pool, cf_err why)
{
    cf__assert(cf__processes_is_locked(pool));
    if (cf_load_relaxed(&pool->refuse) == CF_OK || why == CF_EBROKEN) {
        cf_store_relaxed(&pool->refuse, (int)why);
        if (pool->base.bound)
            cf__bound_close(pool->base.bound, why);
    }
    cf__queue_close(&pool->queue);
    cf__processes_ring(pool);
}

void
cf__processes_break_locked(struct cf__processes *pool, const cf_error *why)
{
    cf__assert(cf__processes_is_locked(pool));
    if (pool->broken)
        return;
    cf_error error = *why;
    error.kind = CF_EBROKEN;
    pool->broken = cf__failure_new(&error);
    cf__processes_refuse_locked(pool, CF_EBROKEN);
    /* Tasks that have begun may finish; the manager fails the others. */
}

/* Cancels all tasks that have not been started. Lets the lock go meanwhile. */
static void
cancel_all_locked(struct cf__processes *pool)
{
    cf_future *f = cf__processes_take_all(pool);
    cf__processes_unlock_serving(pool);
    for (cf_future *next; f; f = next) {
        next = cf_load_relaxed(&f->next); /* ours */
        cf__future_turn_away(f, NULL);
    }
    cf__processes_lock(pool);
}

/* What a wait undoes if its thread is cancelled. */
static void
unlock(void *data)
{
    cf__processes_note_lock(data); /* the wait got it again */
    cf__processes_unlock_serving(data);
}

static void
stop_waiting_locked(struct cf__processes *pool)
{
    /* in a fork's child the board is its parent's */
    if (--pool->waiting == 0 && pool->open)
        cf_store_relaxed(&pool->shared->board->notify_all, 0); /* a hint */
}

static void
stop_waiting(void *data)
{
    stop_waiting_locked(data);
    unlock(data);
}

/* Sleeps without the lock until a change; otherwise as wait_locked. */
static bool
sleep_locked(struct cf__processes *pool,
             int64_t deadline_ns,
             void (*undo)(void *pool))
{
    cf__processes_note_unlock(pool);
    bool in_time = cf__cond_wait_or_end(
        &pool->changed, &pool->lock, deadline_ns, undo, pool);
    cf__processes_note_lock(pool);
    return in_time;
}

/* Waits for a change; false: the deadline has passed. A cancellation point:
 * undo is what it does if the thread is cancelled. */
static bool
wait_locked(struct cf__processes *pool,
            int64_t deadline_ns,
            void (*undo)(void *pool))
{
    struct cf__server *server = cf__thread.server;
    if (server) { /* the change may come from this thread itself */
        cf__processes_unlock_serving(pool);
        server->serve(server, deadline_ns);
        cf__processes_lock(pool);
        cf__processes_serve_locked(pool); /* as below */
        return cf__now_ns() < deadline_ns;
    }
    /* Another thread may leave a service to this one, which has the lock and
     * goes to sleep with it. So the manager serves, once the lock is free. It
     * may be in user code: so this thread looks, too, after a heartbeat. */
    cf__processes_ring(pool);
    int64_t soon = cf__now_ns() + CF__HEARTBEAT_NS;
    if (deadline_ns <= soon)
        return sleep_locked(pool, deadline_ns, undo);
    if (!sleep_locked(pool, soon, undo))
        cf__processes_serve_locked(pool);
    return true;
}

static void
join_locked(struct cf__processes *pool)
{
    if (!pool->joinable || cf__processes_on_manager(pool))
        return;
    pool->joinable = false;
    cf__processes_unlock_alone(pool);
    cf__join(pool->manager);
    cf__processes_lock(pool);
}

/* The pool has ended, and its manager is in no callback: a callback could wait
 * for the thread that joins the manager. But the calling thread's own callback
 * does not count. */
static bool
is_over_locked(const struct cf__processes *pool)
{
    return pool->ended &&
           (pool->finishing <= 0 || cf__processes_on_manager(pool));
}

cf_err
cf__processes_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf_err err = CF_OK;
    cf__processes_lock(pool);
    cf__processes_refuse_locked(pool, CF_ESHUTDOWN);
    if (flags & CF_SHUTDOWN_CANCEL)
        cancel_all_locked(pool);
    cf__processes_ring(pool);
    while (!(flags & CF_SHUTDOWN_NOWAIT) && !is_over_locked(pool) && !err)
        if (!wait_locked(pool, deadline_ns, unlock) && !is_over_locked(pool))
            err = CF_ETIMEDOUT;
    if (is_over_locked(pool) && !(flags & CF_SHUTDOWN_NOWAIT))
        join_locked(pool);
    cf__processes_unlock_serving(pool);
    return cf__executor_forked(ex) ? CF_EFORKED : err; /* by a callback */
}

cf_executor_phase
cf__processes_phase(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    int refuses = cf_load_relaxed(&pool->refuse); /* locked */
    bool over = pool->ended;
    cf__processes_unlock_serving(pool);
    return cf__phase(refuses, over);
}

static bool
any_staffed_locked(const struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].state == CF__LANE_STAFFED)
            return true;
    return false;
}

cf_err
cf__processes_terminate(cf_executor *ex, int signo)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    cf__processes_refuse_locked(pool, CF_ESHUTDOWN);
    cancel_all_locked(pool);
    for (int i = 0; i < pool->base.max_workers; i++)
        cf__processes_kill_later(
            pool, &pool->lanes[i], CF__ANY_POSITION, signo, cf__now_ns());
    while (!pool->ended && any_staffed_locked(pool))
        (void)wait_locked(pool, CF__NEVER, unlock);
    cf__processes_unlock_serving(pool);
    return cf__executor_forked(ex) ? CF_EFORKED : CF_OK; /* by a callback */
}

cf_err
cf__processes_wait_idle(cf_executor *ex, int64_t deadline_ns)
{
    struct cf__processes *pool = cf__processes_of(ex);
    bool in_time = true, idle;
    cf__processes_lock(pool);
    pool->waiting++;
    /* pairs with run_next in worker.c: the worker sees it and rings, or the
     * service sees that the task has ended */
    cf_store_relaxed(&pool->shared->board->notify_all, 1);
    cf__fence_full();
    cf__processes_serve_locked(pool);
    while (!(idle = cf__processes_is_idle_locked(pool)) && !pool->ended &&
           in_time)
        in_time = wait_locked(pool, deadline_ns, stop_waiting);
    stop_waiting_locked(pool);
    cf__processes_unlock_serving(pool);
    if (cf__executor_forked(ex))
        return CF_EFORKED; /* by a callback */
    return idle ? CF_OK : CF_ETIMEDOUT;
}

void
cf__processes_destroy(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    join_locked(pool);
    pool->orphan = pool->joinable; /* in a callback of its own manager */
    bool orphan = pool->orphan;
    if (orphan)
        pthread_detach(pool->manager);
    cf__processes_unlock_serving(pool);
    if (!orphan)
        cf__processes_free(pool);
}

void
cf__processes_after_fork(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock_init(pool);
    pthread_cond_init(&pool->changed, NULL);
    cf_store_relaxed(&pool->refuse, CF_EFORKED); /* there is one thread */
    cf__queue_after_fork(&pool->queue);
    cf__zygote_abandon(&pool->zygote); /* the child may fork again */
    /* A callback in this thread returns to the pool, and must find it ended. */
    pool->open = false;
    pool->ended = true;
    pool->joinable = pool->orphan = false;
    pool->finishing = 0; /* those threads are the parent's */
    pool->deferred = NULL;
    pool->trim_at = 0;
    if (ex->bound)
        cf__bound_after_fork(ex->bound);
    cf__timers_after_fork(ex->timers);
}
