/* SPDX-License-Identifier: MIT */
/*
 * Watchers: workers that sleep in a wait inside a task until the runner of the
 * awaited task pushes. pool->lock guards which worker watches which. README.md,
 * "Waiting inside a task", has the protocol.
 */
#include "thread_pool/watch.h"

#include "lib/base/fence.h"

static void
unwatch_locked(struct cf__threads_worker *w)
{
    if (!w->watching)
        return;
    /* The watched worker reads the count after a fence; the lock orders its
     * writers. */
    cf_fetch_add_relaxed(&w->watching->watchers, -1);
    w->watching = NULL;
}

void
cf__threads_watch(struct cf__worker *self, cf_future *f)
{
    struct cf__threads *pool = cf__threads_of(self->executor);
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    struct cf__threads_worker *runner = cf__threads_runner_of(
        self, cf_load_acquire(&f->word)); /* pairs with the claim */
    if (!runner)
        return;
    pthread_mutex_lock(&pool->lock);
    unwatch_locked(w);
    w->watching = runner;
    cf_fetch_add_relaxed(&runner->watchers, 1);
    pthread_mutex_unlock(&pool->lock);
    /* Either the runner's push sees this watcher, or the look sees the push. */
    cf__fence_heavy();
    uint32_t base = cf_load_acquire(&f->base); /* pairs with run */
    if (base && cf__deque_reaches(&runner->deque, base))
        cf__worker_unpark(self);
}

void
cf__threads_unwatch(struct cf__worker *self)
{
    struct cf__threads *pool = cf__threads_of(self->executor);
    pthread_mutex_lock(&pool->lock);
    unwatch_locked(cf__threads_worker_of(self));
    pthread_mutex_unlock(&pool->lock);
}

void
cf__threads_notify_watchers(struct cf__threads *pool,
                            struct cf__threads_worker *w)
{
    pthread_mutex_lock(&pool->lock);
    int slots = cf_load_relaxed(&pool->slots); /* changes under the lock */
    for (int i = 0; i < slots && cf_load_relaxed(&w->watchers) > 0; i++) {
        struct cf__threads_worker *watcher = pool->workers[i];
        if (watcher->watching == w) {
            unwatch_locked(watcher); /* one call is enough: it looks now */
            cf__worker_unpark(&watcher->base);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}
