/* SPDX-License-Identifier: MIT */
/*
 * The end of a pool: shutdown, terminate, destroy, a broken pool, and fork; and
 * waiting until a pool is idle. pool->lock guards which threads have left;
 * callbacks of tasks that are cancelled or failed run without it. README.md,
 * "Threads that end" and "Idle".
 */
#include "thread_pool/end.h"

#include "lib/base/cancel.h"
#include "lib/base/cond.h"
#include "lib/executor/pending.h"
#include "lib/executor/server.h"
#include "lib/executor/wait_graph.h"
#include "lib/future/failure.h"
#include "thread_pool/frame.h"
#include "thread_pool/tasks.h"

#include <stdlib.h>

/* A worker that waits for threads looks so often whether one waits for it. */
enum { LOOK_NS = CF__MS(10) };

/* Refuses submits from now on, for this reason. A former reason stands, but
 * CF_EBROKEN replaces it. */
static void
refuse_locked(struct cf__threads *pool, cf_err why)
{
    if (cf_load_relaxed(&pool->refuse) == CF_OK || why == CF_EBROKEN) {
        /* pairs with next_task and end_thread: publishes pool->broken */
        cf_store_release(&pool->refuse, (int)why);
        if (pool->base.bound)
            cf__bound_close(pool->base.bound, why);
    }
    cf__queue_close(&pool->queue);
}

/* No task is there, nor withdrawn by a sweep. */
static bool
is_empty(struct cf__threads *pool)
{
    if (cf__threads_has_work(pool))
        return false;
    bool empty = true;
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    for (int i = 0; i < slots && empty; i++) {
        struct cf__threads_worker *w = pool->workers[i];
        cf__lock(&w->sweeping);
        empty = cf__deque_empty(&w->deque);
        cf__unlock(&w->sweeping);
    }
    return empty;
}

void
cf__threads_empty(struct cf__threads *pool, const cf_error *why)
{
    for (;;) {
        cf_future *f = cf__threads_take_any(pool);
        if (!f && is_empty(pool))
            return;
        if (!f) {
            cf__queue_await_refill(&pool->queue);
            continue;
        }
        cf__future_turn_away(f, why);
    }
}

void
cf__threads_break(struct cf__threads *pool, const cf_error *record)
{
    pthread_mutex_lock(&pool->lock);
    if (!pool->broken) {
        pool->broken = record;
        record = NULL;
    }
    refuse_locked(pool, CF_EBROKEN);
    cf__threads_wake_all_locked(pool);
    pthread_mutex_unlock(&pool->lock);
    cf__failure_free(record);
    cf__threads_empty(pool, pool->broken);
}

static void
refuse_submits(struct cf__threads *pool)
{
    pthread_mutex_lock(&pool->lock);
    refuse_locked(pool, CF_ESHUTDOWN);
    pthread_mutex_unlock(&pool->lock);
}

static void
wake_all(struct cf__threads *pool)
{
    pthread_mutex_lock(&pool->lock);
    cf__threads_wake_all_locked(pool);
    pthread_mutex_unlock(&pool->lock);
}

/* Gives up the lock meanwhile: the destructors of the thread's thread-specific
 * data may take it. */
static void
join_one_locked(struct cf__threads *pool, pthread_t thread)
{
    pthread_mutex_unlock(&pool->lock);
    cf__join(thread);
    pthread_mutex_lock(&pool->lock);
}

/* Joins the threads that have left. Gives up the lock meanwhile. */
static void
join_locked(struct cf__threads *pool)
{
    while (pool->former_threads) {
        struct cf__former_thread *former = pool->former_threads;
        pthread_t thread = former->thread;
        pool->former_threads = former->next;
        free(former);
        join_one_locked(pool, thread);
    }
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    for (int i = 0; i < slots; i++) {
        struct cf__threads_worker *w = pool->workers[i];
        if (!w->to_join)
            continue;
        w->to_join = false;
        join_one_locked(pool, w->thread);
    }
}

/* How many threads the calling one can wait for. Workers that are in shutdown
 * themselves do not wait for each other, and no thread waits for workers that
 * wait for it. */
static int
awaited_locked(struct cf__threads *pool)
{
    int others = pool->alive;
    if (cf__is_own_worker(&pool->base))
        others -= pool->shutting_down ? pool->shutting_down : 1;
    return others > 0 ? others - cf__wait_graph_held_up(&pool->base) : 0;
}

/* --- waiting, as a cancellation point ------------------------------------- */

/* What a wait undoes if its thread is cancelled. */
static void
unlock(void *data)
{
    struct cf__threads *pool = data;
    pthread_mutex_unlock(&pool->lock);
}

static void
stop_shutting_down(void *data)
{
    struct cf__threads *pool = data;
    pool->shutting_down--;
    unlock(pool);
}

static void
count_idle_waiter_locked(struct cf__threads *pool, int more)
{
    cf_store_relaxed(&pool->idle_waiters,
                     cf_load_relaxed(&pool->idle_waiters) + more);
}

static void
stop_waiting_for_idle(void *data)
{
    struct cf__threads *pool = data;
    count_idle_waiter_locked(pool, -1);
    unlock(pool);
}

/* Waits for a change. false: the deadline has passed. A worker returns after
 * LOOK_NS, since no thread tells it when one more worker waits for it. */
static bool
wait_locked(struct cf__threads *pool, int64_t deadline_ns, void (*undo)(void *))
{
    int64_t soon = cf__thread.worker ? cf__now_ns() + LOOK_NS : CF__NEVER;
    int64_t until = cf__sooner(soon, deadline_ns);
    return cf__sleep_locked(&pool->changed, &pool->lock, until, undo, pool) ||
           until != deadline_ns;
}

cf_err
cf__threads_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns)
{
    struct cf__threads *pool = cf__threads_of(ex);
    bool own = cf__is_own_worker(ex);
    refuse_submits(pool);
    if (flags & CF_SHUTDOWN_CANCEL)
        cf__threads_empty(pool, NULL);
    if (cf__executor_forked(ex))
        return CF_EFORKED; /* a callback has forked */
    wake_all(pool);
    if (flags & CF_SHUTDOWN_NOWAIT)
        return CF_OK;
    cf_err err = CF_OK;
    pthread_mutex_lock(&pool->lock);
    pool->shutting_down += own;
    pthread_cond_broadcast(&pool->changed);
    while (awaited_locked(pool) > 0 && !err) {
        bool in_time =
            wait_locked(pool, deadline_ns, own ? stop_shutting_down : unlock);
        if (cf__executor_forked(ex))
            err = CF_EFORKED; /* a callback that ran here meanwhile has */
        else if (!in_time && awaited_locked(pool) > 0)
            err = CF_ETIMEDOUT;
    }
    pool->shutting_down -= own;
    if (!err)
        join_locked(pool);
    pthread_mutex_unlock(&pool->lock);
    return err;
}

cf_executor_phase
cf__threads_phase(cf_executor *ex)
{
    struct cf__threads *pool = cf__threads_of(ex);
    pthread_mutex_lock(&pool->lock);
    int refuses = cf_load_relaxed(&pool->refuse); /* locked */
    bool over = pool->alive == 0;
    pthread_mutex_unlock(&pool->lock);
    return cf__phase(refuses, over);
}

bool
cf__threads_is_stalled(cf_executor *ex)
{
    struct cf__threads *pool = cf__threads_of(ex);
    pthread_mutex_lock(&pool->lock);
    bool stalled = pool->alive > 0 && awaited_locked(pool) == 0;
    pthread_mutex_unlock(&pool->lock);
    return stalled;
}

cf_err
cf__threads_terminate(cf_executor *ex, int signo)
{
    struct cf__threads *pool = cf__threads_of(ex);
    (void)signo; /* threads cannot be killed */
    refuse_submits(pool);
    /* Before callbacks. A worker whose task ends by this cancels what it takes
     * from now on, in next_task(). */
    ex->ops->interrupt(ex, NULL);
    cf__threads_empty(pool, NULL);
    if (cf__executor_forked(ex))
        return CF_EFORKED; /* a callback has forked */
    wake_all(pool);
    return CF_OK;
}

/* A worker that is awake may have a task; one that sleeps or is away has none.
 * No worker falls asleep or wakes up without the lock: one that sleeps after
 * the look for work slept during it. One that is in its initializer after the
 * look has had no task yet. */
static bool
is_idle_locked(struct cf__threads *pool)
{
    if (cf__threads_has_work(pool))
        return false;
    /* The look for work is older than the counts. pairs with
     * cf__threads_pause_search: it sees the waiter, or is counted here. */
    cf__fence_full();
    struct cf__activity activity = cf__threads_activity_seq_cst(pool);
    return cf__activity_sleeping(activity) + cf__activity_away(activity) ==
           pool->serving;
}

cf_err
cf__threads_wait_idle(cf_executor *ex, int64_t deadline_ns)
{
    struct cf__threads *pool = cf__threads_of(ex);
    bool in_time = true, idle;
    pthread_mutex_lock(&pool->lock);
    count_idle_waiter_locked(pool, 1);
    /* One look decides: a worker comes out of its initializer without the lock,
     * so that a second look may find it searching. */
    while (!(idle = is_idle_locked(pool)) && in_time &&
           !cf__executor_forked(ex))
        in_time = wait_locked(pool, deadline_ns, stop_waiting_for_idle);
    count_idle_waiter_locked(pool, -1);
    pthread_mutex_unlock(&pool->lock);
    if (cf__executor_forked(ex))
        return CF_EFORKED; /* a callback that ran here meanwhile has */
    return idle ? CF_OK : CF_ETIMEDOUT;
}

void
cf__threads_free(struct cf__threads *pool)
{
    int slots = cf_load_relaxed(&pool->slots); /* this is the only thread */
    cf__executor_fini(&pool->base);
    for (int i = 0; i < slots; i++) {
        struct cf__threads_worker *w = pool->workers[i];
        cf__threads_free_frames(w);
        cf__deque_fini(&w->deque);
        free(w);
    }
    cf__queue_fini(&pool->queue);
    cf__failure_free(pool->broken);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

void
cf__threads_destroy(cf_executor *ex)
{
    struct cf__threads *pool = cf__threads_of(ex);
    pthread_mutex_lock(&pool->lock);
    pool->orphan = pool->alive > 0; /* the caller is a worker of the pool */
    bool orphan = pool->orphan;
    join_locked(pool);
    pthread_mutex_unlock(&pool->lock);
    if (!orphan)
        cf__threads_free(pool);
}

void
cf__threads_after_fork(cf_executor *ex)
{
    struct cf__threads *pool = cf__threads_of(ex);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    cf_store_relaxed(&pool->refuse, CF_EFORKED); /* one thread */
    cf__queue_after_fork(&pool->queue);
    int slots = cf_load_relaxed(&pool->slots);
    for (int i = 0; i < slots; i++) {
        cf__deque_after_fork(&pool->workers[i]->deque);
        cf__lock_init(&pool->workers[i]->sweeping);
        pool->workers[i]->asleep = false;
    }
    pool->sleepers = NULL;
    pool->orphan = false; /* its memory stays */
    if (ex->bound)
        cf__bound_after_fork(ex->bound);
    cf__timers_after_fork(ex->timers);
}
