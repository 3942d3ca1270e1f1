/* SPDX-License-Identifier: MIT */
/*
 * Finding cycles of waits.
 *
 * A worker's stack is one chain: a task that runs on it ends only after all
 * that was begun above it, so a future that runs on a worker waits for
 * whatever the worker is blocked on. Each worker enters what it is about to
 * sleep on and searches from there, under one lock: of the waits that make up a
 * cycle, the last one finds it. What is in the graph cannot
 * change while the lock is held, and the futures in it are alive: their
 * waiters hold them.
 *
 * Only taken before sleeping, which costs a thousand times more.
 */
#include "lib/wait_graph.h"

#include "lib/executor.h"

#include <pthread.h>

static pthread_mutex_t graph_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned search; /* guarded by graph_lock */

static bool blocked_locked(struct cf__worker *worker,
                           const struct cf__worker *origin);

/* f cannot be done before origin wakes up. The recursion is as deep as there
 * are blocked workers at most: each is visited once. */
static bool /* NOLINTNEXTLINE(misc-no-recursion): bounded, see above */
stuck_locked(const cf_future *f, const struct cf__worker *origin)
{
    /* Of another pool, or completed by hand: not followed. */
    if (f->executor != origin->executor)
        return false;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    int runner = cf__runner(word);
    if (cf__state(word) != CF_RUNNING || runner < 0)
        return false;
    struct cf__worker *worker =
        origin->executor->ops->worker_at(origin->executor, runner);
    return worker && (worker == origin || blocked_locked(worker, origin));
}

/* All that worker waits for (any), or something of it (all), is stuck. */
static bool /* NOLINTNEXTLINE(misc-no-recursion): bounded, see above */
blocked_locked(struct cf__worker *worker, const struct cf__worker *origin)
{
    if (worker->awaited_count == 0)
        return false;
    if (worker->visited == search)
        return worker->found_blocked;
    worker->visited = search;
    bool blocked = worker->any_will_do;
    worker->found_blocked = false; /* until it is known */
    for (size_t i = 0; i < worker->awaited_count; i++) {
        if (stuck_locked(worker->awaited[i], origin) != worker->any_will_do) {
            blocked = !worker->any_will_do;
            break;
        }
    }
    worker->found_blocked = blocked;
    return blocked;
}

static void
note_locked(struct cf__worker *self,
            cf_future *const *futures,
            size_t count,
            bool any)
{
    self->awaited = futures;
    self->awaited_count = count;
    self->any_will_do = any;
}

bool
cf__wait_graph_enter(struct cf__worker *self,
                     cf_future *const *futures,
                     size_t count,
                     bool any,
                     bool forever)
{
    pthread_mutex_lock(&graph_lock);
    search++;
    note_locked(self, futures, count, any);
    bool hopeless = blocked_locked(self, self);
    if (hopeless || !forever)
        note_locked(self, NULL, 0, false);
    pthread_mutex_unlock(&graph_lock);
    return hopeless;
}

void
cf__wait_graph_leave(struct cf__worker *self)
{
    pthread_mutex_lock(&graph_lock);
    note_locked(self, NULL, 0, false);
    pthread_mutex_unlock(&graph_lock);
}

void
cf__wait_graph_after_fork(void)
{
    pthread_mutex_init(&graph_lock, NULL);
}
