/* SPDX-License-Identifier: MIT */
/*
 * Starting a worker's thread. The caller of any function here holds pool->lock.
 * README.md, "Threads that start".
 */
#include "thread_pool/pool.h"

#include "thread_pool/activity.h"
#include "thread_pool/frame.h"

#include <errno.h>
#include <stdlib.h>

/* A worker without a thread, used before or new. NULL: no memory. */
static struct cf__threads_worker *
new_worker(struct cf__threads *pool)
{
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    for (int i = 0; i < slots; i++)
        if (!pool->workers[i]->alive)
            return pool->workers[i];
    struct cf__threads_worker *w =
        aligned_alloc(CF_CACHE_LINE, sizeof *w); /* a multiple of the first */
    if (!w)
        return NULL;
    memset(w, 0, sizeof *w);
    w->base.executor = &pool->base;
    w->base.index = slots;
    w->frame = &w->bottom;
    if (!cf__threads_can_nest(w) || !cf__deque_init(&w->deque)) {
        free(w->bottom.above);
        free(w);
        return NULL;
    }
    pool->workers[slots] = w;
    /* pairs with the thieves' loads: publishes the worker */
    cf_store_release(&pool->slots, slots + 1);
    return w;
}

/* Joins those that have exited by now. */
static void
reap_former_threads(struct cf__threads *pool)
{
    struct cf__former_thread **at = &pool->former_threads;
    while (*at) {
        struct cf__former_thread *former = *at;
        if (pthread_tryjoin_np(former->thread, NULL) != 0) {
            at = &former->next;
            continue;
        }
        *at = former->next;
        free(former);
    }
}

/* Of the thread that w had before. It may be in destructors of the program's
 * thread-specific data, which may need the lock. So it is not joined here; nor
 * is it detached: see lib/base/origin.h. false: no memory. */
static bool
part_from_thread(struct cf__threads *pool, struct cf__threads_worker *w)
{
    if (!w->to_join)
        return true;
    reap_former_threads(pool);
    if (pthread_tryjoin_np(w->thread, NULL) != 0) {
        struct cf__former_thread *former = malloc(sizeof *former);
        if (!former)
            return false;
        *former = (struct cf__former_thread){w->thread, pool->former_threads};
        pool->former_threads = former;
    }
    w->to_join = false;
    return true;
}

cf_err
cf__threads_start(struct cf__threads *pool)
{
    cf_err err = CF_ENOMEM;
    struct cf__threads_worker *w = new_worker(pool);
    if (w && part_from_thread(pool, w)) {
        cf__assert(!w->serving && !w->asleep && !w->searching);
        w->alive = true;
        w->searching = true;
        pool->alive++;
        pool->serving++;
        w->serving = true;
        /* If none counts as startable, a start has failed before; but now no
         * other thread may be there to go on. */
        int startable =
            cf__activity_startable(cf__threads_activity_relaxed(pool));
        uint64_t counted = startable > 0 ? CF__ONE_STARTABLE : 0;
        cf__threads_change(pool, CF__ONE_SEARCHING, counted);
        int error = cf__origin_start(&pool->base.origin,
                                     &w->thread,
                                     pool->options.stack_size,
                                     cf__threads_worker_main,
                                     w);
        if (!error)
            return CF_OK;
        w->alive = false;
        w->searching = false;
        pool->alive--;
        pool->serving--;
        w->serving = false;
        cf__threads_change(pool, counted, CF__ONE_SEARCHING);
        errno = error;
        err = CF_ESYS;
    }
    /* No other start is tried for each task: until a worker leaves, those that
     * are there have to do. */
    if (pool->alive)
        cf__threads_set_startable_locked(pool, 0);
    return err;
}
