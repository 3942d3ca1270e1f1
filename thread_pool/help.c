/* SPDX-License-Identifier: MIT */
/*
 * Waits inside tasks: running the awaited task here, or what descends from it
 * (leapfrogging). README.md, "Waiting inside a task". pool->lock guards who
 * watches whom.
 */
#include "thread_pool/pool.h"

#include "lib/base/fence.h"

bool
cf__threads_run_pending(struct cf__worker *self, cf_future *f)
{
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    if (!cf__threads_can_nest(w))
        return false;
    enum cf__pop pop = cf__deque_pop_if(&w->deque, f, self->index);
    /* Elsewhere in a queue: whoever takes that entry finds it stale. */
    if (pop == CF__POP_NOT_CLAIMED && !cf__future_claim_word(f, self->index))
        return false;
    if (self->executor->bound)
        cf__bound_release(self->executor->bound, 1);
    /* Without the entry's handle one of its own: if the task ends the thread, a
     * cleanup handler of the waiting task may drop the one it waits with. */
    if (pop != CF__POP_CLAIMED_ENTRY)
        (void)cf_future_ref(f);
    cf__threads_run(w, f);
    return true;
}

/* The worker that runs f, if that is another one of this pool. */
static struct cf__threads_worker *
runner_of(struct cf__worker *self, uint64_t word)
{
    int index = cf__runner(word);
    if (cf__state(word) != CF_RUNNING || index < 0 || index == self->index)
        return NULL;
    return cf__threads_of(self->executor)->workers[index];
}

bool
cf__threads_help(struct cf__worker *self, cf_future *f)
{
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    /* pairs with the claim: the runner is in the word */
    struct cf__threads_worker *runner =
        runner_of(self, cf_load_acquire(&f->word));
    if (!runner || cf__deque_empty(&runner->deque) || !cf__threads_can_nest(w))
        return false;
    uint32_t base = cf_load_acquire(&f->base); /* pairs with run */
    if (base == 0)
        return false;
    cf_future *g = cf__deque_steal(&runner->deque, base, f);
    if (!g)
        return false;
    if (cf__future_claim(g, self->index))
        cf__threads_run(w, g);
    else
        cf__future_drop_stale(g);
    return true;
}

static void
unwatch_locked(struct cf__threads_worker *w)
{
    if (!w->watching)
        return;
    /* The count is read after a fence by its owner; the lock orders us. */
    cf_fetch_add_relaxed(&w->watching->watchers, -1);
    w->watching = NULL;
}

void
cf__threads_watch(struct cf__worker *self, cf_future *f)
{
    struct cf__threads *pool = cf__threads_of(self->executor);
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    struct cf__threads_worker *runner =
        runner_of(self, cf_load_acquire(&f->word)); /* pairs with the claim */
    if (!runner)
        return;
    pthread_mutex_lock(&pool->lock);
    unwatch_locked(w);
    w->watching = runner;
    cf_fetch_add_relaxed(&runner->watchers, 1);
    pthread_mutex_unlock(&pool->lock);
    /* A push that saw no watcher is seen here, or the other way round. */
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
            unwatch_locked(watcher); /* once: it looks around now */
            cf__worker_unpark(&watcher->base);
        }
    }
    pthread_mutex_unlock(&pool->lock);
}
