/* SPDX-License-Identifier: MIT */
/*
 * Searching, sleeping and waking. pool->lock guards the list of sleepers and
 * the threads' coming and going; activity is atomic, and a thread that pushes
 * reads it without the lock. README.md, "Sleeping and waking", has the
 * protocol, and the argument why no wake-up is lost. P1 to W3 are its steps.
 */
#include "thread_pool/idle.h"

#include "lib/base/forked.h"
#include "lib/base/spin.h"
#include "lib/executor/batch.h"
#include "lib/future/block.h"
#include "thread_pool/tasks.h"

#include <errno.h>

static void
remove_sleeper_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    struct cf__threads_worker **at = &pool->sleepers;
    cf__assert(w->asleep);
    while (*at != w)
        at = &(*at)->next_sleeper;
    *at = w->next_sleeper;
    w->asleep = false;
}

/* Makes a sleeper a searcher, on its behalf. The caller then unparks it, if it
 * is not the sleeper itself. */
static void
rouse_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf__assert(w->serving && !w->searching);
    remove_sleeper_locked(pool, w);
    w->searching = true;
    cf__threads_change(pool, CF__ONE_SEARCHING, CF__ONE_SLEEPING);
}

void
cf__threads_wake_one(struct cf__threads *pool)
{
    struct cf__threads_worker *w = NULL;
    int saved_errno = errno;
    cf__notice_fork(); /* a submit in a child that had no handler */
    pthread_mutex_lock(&pool->lock);
    /* If the task has been taken, it needs no new thread. */
    bool start = !pool->sleepers && cf__threads_has_work(pool);
    struct cf__activity activity =
        cf__threads_activity_relaxed(pool); /* a hint */
    /* A worker that is already searching will find later tasks. */
    if (cf__activity_searching(activity) == 0) {
        w = pool->sleepers;
        if (w)
            rouse_locked(pool, w);
        else if (cf__activity_startable(activity) && start)
            (void)cf__threads_start(pool); /* if it fails, fewer go on */
    }
    pthread_mutex_unlock(&pool->lock);
    if (w)
        cf__worker_unpark(&w->base);
    errno = saved_errno;
}

void
cf__threads_wake_all_locked(struct cf__threads *pool)
{
    while (pool->sleepers) {
        struct cf__threads_worker *w = pool->sleepers;
        rouse_locked(pool, w);
        cf__worker_unpark(&w->base);
    }
}

void
cf__threads_stop_searching(struct cf__threads *pool,
                           struct cf__threads_worker *w)
{
    cf__assert(w->searching);
    w->searching = false;
    /* S1 and S2 */
    struct cf__activity before = cf__threads_change(pool, 0, CF__ONE_SEARCHING);
    cf__fence_after_rmw();
    /* S3. Pushes may have relied on the last searcher. */
    if (cf__activity_searching(before) == 1 && cf__activity_can_grow(before) &&
        cf__threads_missed_work(pool))
        cf__threads_wake_one(pool);
}

void
cf__threads_pause_search(struct cf__threads *pool, struct cf__threads_worker *w)
{
    const uint64_t searching = w->searching ? CF__ONE_SEARCHING : 0;
    w->searching = false;
    w->in_initializer = true;
    /* Without the lock, which the thread that started it may still hold. */
    cf__threads_change(pool, CF__ONE_AWAY, searching);
    cf__fence_after_rmw();
    /* pairs with is_idle_locked */
    if (cf_load_relaxed(&pool->idle_waiters) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->changed); /* the pool may be idle now */
    pthread_mutex_unlock(&pool->lock);
}

void
cf__threads_resume_search(struct cf__threads *pool,
                          struct cf__threads_worker *w)
{
    cf__threads_change(pool, CF__ONE_SEARCHING, CF__ONE_AWAY);
    w->in_initializer = false;
    w->searching = true;
}

void
cf__threads_abandon_search(struct cf__threads *pool,
                           struct cf__threads_worker *w)
{
    if (w->in_initializer)
        cf__threads_change(pool, 0, CF__ONE_AWAY);
    w->in_initializer = false;
}

void
cf__threads_search_early_if_idle(struct cf__threads *pool,
                                 struct cf__threads_worker *w)
{
    if (cf__threads_has_work(pool))
        return;
    cf__threads_change(pool, CF__ONE_SEARCHING, 0);
    w->searching = true;
}

void
cf__threads_callbacks_begin(struct cf__worker *worker)
{
    struct cf__threads_worker *w = cf__threads_worker_of(worker);
    if (w->searching)
        cf__threads_stop_searching(cf__threads_of(worker->executor), w);
}

/* Counts the worker as searching, unless enough others search. */
static bool
begin_searching(struct cf__threads *pool, struct cf__threads_worker *w)
{
    if (w->searching)
        return true;
    struct cf__activity activity =
        cf__threads_activity_relaxed(pool); /* a hint */
    if (cf__activity_searching(activity) >= pool->searchers_max)
        return false;
    cf__threads_change(pool, CF__ONE_SEARCHING, 0);
    w->searching = true;
    return true;
}

/* Looks for work for a while. false: there was none. */
static bool
search(struct cf__threads *pool)
{
    struct cf__search so_far = {0};
    const int64_t limit_ns = cf__search_ns();
    while (!cf__threads_has_work(pool))
        if (!cf__search_on(&so_far, limit_ns))
            return false;
    cf__search_learn(&so_far);
    return true;
}

/* W1 */
static void
fall_asleep_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf__assert(w->serving && !w->asleep);
    w->asleep = true;
    w->next_sleeper = pool->sleepers;
    pool->sleepers = w;
    cf__threads_change(
        pool, CF__ONE_SLEEPING, w->searching ? CF__ONE_SEARCHING : 0);
    w->searching = false;
    if (cf_load_relaxed(&pool->idle_waiters)) /* changes under the lock */
        pthread_cond_broadcast(&pool->changed);
}

/* The worker takes no more tasks, and is in none of the counts. */
static void
stop_serving_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf__assert(w->serving && pool->serving > 0);
    pool->serving--;
    w->serving = false;
    cf__threads_change(pool,
                       0,
                       (w->asleep ? CF__ONE_SLEEPING : 0) +
                           (w->searching ? CF__ONE_SEARCHING : 0));
    if (w->asleep)
        remove_sleeper_locked(pool, w);
    w->searching = false;
}

/* Closes the queue if it is empty and stays so. A batch that has pushed some
 * of its tasks finds it open: no task of it is lost if no thread can be
 * started. */
static bool
close_queue_locked(struct cf__threads *pool)
{
    return !cf__batches_under_way(&pool->base) &&
           cf__queue_close_if_empty(&pool->queue);
}

/* The same, but the last serving worker closes the queue first, so that the
 * next submit starts a worker. false: there is work after all, and the worker
 * goes on. */
static bool
try_stop_serving_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    if (pool->serving == 1 && cf_load_relaxed(&pool->refuse) == CF_OK &&
        !close_queue_locked(pool)) {
        if (w->asleep)
            rouse_locked(pool, w);
        return false;
    }
    stop_serving_locked(pool, w);
    return true;
}

bool
cf__threads_leave_locked(struct cf__threads *pool,
                         struct cf__threads_worker *w,
                         bool died)
{
    pool->restarts += died;
    /* A worker whose finalizer has ended the thread has stopped before. If
     * there is work, the queue stays open after the last one. */
    if (died && w->serving && !try_stop_serving_locked(pool, w))
        stop_serving_locked(pool, w);
    cf__assert(w->alive && !w->serving && !w->asleep && !w->searching);
    w->alive = false;
    pool->alive--;
    /* From now on workers that could not be started are tried again, too. */
    cf__threads_set_startable_locked(pool,
                                     pool->base.max_workers - pool->alive);
    cf__fence_after_rmw();
    /* A push may have relied on this worker. */
    bool work = cf__threads_missed_work_anywhere(pool);
    /* A submit may have opened the queue since the last worker stopped
     * serving. */
    if (!work && pool->alive == 0 && cf_load_relaxed(&pool->refuse) == CF_OK)
        work = !close_queue_locked(pool);
    struct cf__activity activity =
        cf__threads_activity_relaxed(pool); /* a hint */
    /* A worker that is searching will find the work. */
    if (!work || cf__activity_searching(activity) > 0 ||
        cf_load_relaxed(&pool->refuse) == CF_EBROKEN)
        return false;
    if (!pool->sleepers)
        return true;
    struct cf__threads_worker *successor = pool->sleepers;
    rouse_locked(pool, successor);
    cf__worker_unpark(&successor->base);
    return false;
}

/* Why a sleep has ended. */
enum slept { WOKEN, TRIM_DUE, TIMED_OUT };

/* Sleeps until the worker is woken, or the deadline passes, or memory of a
 * burst is to be given back. That is due when nothing has come for
 * CF__TRIM_NS. */
static enum slept
sleep_until_woken(struct cf__threads_worker *w,
                  int64_t deadline_ns,
                  bool may_trim)
{
    if (may_trim && cf__block_may_trim()) {
        int64_t until = cf__sooner(cf__now_ns() + CF__TRIM_NS, deadline_ns);
        return cf__worker_park(&w->base, until) ? WOKEN : TRIM_DUE;
    }
    bool keeps = cf__block_keep(&w->base);
    bool in_time = cf__worker_park(&w->base, deadline_ns);
    if (keeps)
        cf__block_stop_keeping(&w->base);
    return in_time ? WOKEN : TIMED_OUT;
}

/* A sleeper gives memory back, which takes long: so it is away meanwhile, and
 * others come for what is submitted. Gives up the lock for that time. */
static void
trim_locked(struct cf__threads *pool, struct cf__threads_worker *w)
{
    remove_sleeper_locked(pool, w);
    cf__threads_change(pool, CF__ONE_AWAY, CF__ONE_SLEEPING);
    pthread_mutex_unlock(&pool->lock);
    cf__block_trim();
    pthread_mutex_lock(&pool->lock);
    cf__threads_resume_search(pool, w);
}

bool
cf__threads_wait_for_work(struct cf__threads *pool,
                          struct cf__threads_worker *w)
{
    if (begin_searching(pool, w) && search(pool))
        return true;
    int64_t deadline_ns = cf__deadline_or_never(pool->options.idle_timeout_ns);
    enum slept slept = WOKEN;
    bool stay = true;
    pthread_mutex_lock(&pool->lock);
    do {
        if (slept == TRIM_DUE)
            trim_locked(pool, w);
        if (cf_load_relaxed(&pool->refuse) != CF_OK) {
            /* No thread would wake it any more: it goes on looking, or
             * stops. */
            stay =
                cf__threads_has_work(pool) || !try_stop_serving_locked(pool, w);
            break;
        }
        fall_asleep_locked(pool, w);
        pthread_mutex_unlock(&pool->lock);
        cf__fence_full(); /* W2: either the push sees this sleeper, or W3 it */
        bool may_trim = slept != TRIM_DUE; /* once is enough */
        /* W3 */
        slept = cf__threads_missed_work_anywhere(pool)
                    ? WOKEN
                    : sleep_until_woken(w, deadline_ns, may_trim);
        pthread_mutex_lock(&pool->lock);
        if (!w->asleep)
            break;
        /* No other thread has roused it: it does that itself. */
        if (slept == WOKEN || cf__threads_has_work(pool)) {
            rouse_locked(pool, w);
            break;
        }
        if (slept == TIMED_OUT)
            stay = !try_stop_serving_locked(pool, w);
    } while (slept == TRIM_DUE);
    pthread_mutex_unlock(&pool->lock);
    return stay;
}
