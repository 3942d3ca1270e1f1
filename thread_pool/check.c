/* SPDX-License-Identifier: MIT */
/*
 * Looks whether a pool is whole, in builds that have assertions
 * (lib/base/assert.h). All of it is under pool->lock, but for the queue.
 */
#include "thread_pool/activity.h"

#ifdef CF_ASSERTIONS

/* How many workers watch w. */
static int
count_watchers(struct cf__threads *pool, const struct cf__threads_worker *w)
{
    int watchers = 0;
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    for (int i = 0; i < slots; i++)
        watchers += pool->workers[i]->watching == w;
    return watchers;
}

static void
check_worker(struct cf__threads *pool, struct cf__threads_worker *w, int index)
{
    cf__assert(w->base.executor == &pool->base && w->base.index == index);
    cf__assert(w->alive || !w->serving);
    cf__assert(w->serving || !w->asleep);
    cf__assert(!w->alive || !w->to_join);
    /* changes under the lock */
    cf__assert(cf_load_relaxed(&w->watchers) == count_watchers(pool, w));
    cf__lock(&w->sweeping);
    cf__deque_check(&w->deque);
    cf__unlock(&w->sweeping);
}

/* Returns how many there are. */
static int
check_sleepers(struct cf__threads *pool)
{
    int sleeping = 0;
    for (struct cf__threads_worker *w = pool->sleepers; w;
         w = w->next_sleeper) {
        cf__assert(w->asleep && !w->searching);
        cf__assert(sleeping < pool->base.max_workers); /* no circle */
        sleeping++;
    }
    return sleeping;
}

static void
check_counts(struct cf__threads *pool, int sleeping)
{
    int max_workers = pool->base.max_workers;
    struct cf__activity at = cf__threads_activity_relaxed(pool);
    cf__activity_check(at, max_workers);
    cf__assert(cf__activity_sleeping(at) == sleeping);
    cf__assert(cf__activity_searching(at) + cf__activity_away(at) + sleeping <=
               pool->serving);
    /* 0: a start has failed, and no thread has left since. */
    cf__assert(cf__activity_startable(at) == 0 ||
               cf__activity_startable(at) == max_workers - pool->alive);
    cf__assert(pool->shutting_down >= 0 && pool->shutting_down <= pool->alive);
    /* changes under the lock */
    cf__assert(cf_load_relaxed(&pool->idle_waiters) >= 0);
    cf__assert(cf_load_relaxed(&pool->refuse) != CF_EBROKEN || pool->broken);
}

static void
check_pool(struct cf__threads *pool)
{
    int alive = 0, serving = 0, asleep = 0;
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    cf__assert(slots <= pool->base.max_workers);
    for (int i = 0; i < slots; i++) {
        struct cf__threads_worker *w = pool->workers[i];
        check_worker(pool, w, i);
        alive += w->alive;
        serving += w->serving;
        asleep += w->asleep;
    }
    cf__assert(alive == pool->alive);
    cf__assert(serving == pool->serving);
    cf__assert(asleep == check_sleepers(pool));
    check_counts(pool, asleep);
}

#endif

void
cf__threads_check(cf_executor *ex)
{
#ifdef CF_ASSERTIONS
    struct cf__threads *pool = cf__threads_of(ex);
    pthread_mutex_lock(&pool->lock);
    check_pool(pool);
    pthread_mutex_unlock(&pool->lock);
    cf__queue_check(&pool->queue);
#else
    (void)ex;
#endif
}
