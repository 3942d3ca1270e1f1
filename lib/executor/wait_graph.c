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
#include "lib/executor/wait_graph.h"

#include "lib/base/forked.h"
#include "lib/executor/executor.h"

#include <pthread.h>

static pthread_mutex_t graph_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cf__worker *waiting; /* linked by graph_next */

static bool
runner_is_stuck_locked(const cf_future *f)
{
    const struct cf__executor_ops *ops = f->executor->ops;
    const struct cf__worker *runner = ops->worker_of ? ops->worker_of(f) : NULL;
    return runner && runner->stuck;
}

/* f, for which worker waits, cannot be done before one that is stuck goes on.
 * Futures of another pool, or completed by hand, are not followed. */
static bool
stuck_locked(const cf_future *f, const struct cf__worker *worker)
{
    if (f->executor != worker->executor)
        return false;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    return cf__state(word) == CF_RUNNING && runner_is_stuck_locked(f);
}

/*
 * All that worker waits for is stuck. Begins with the one that was not when it
 * was last looked at: so most looks are at one future, however many there are.
 * Only tasks that run on workers that wait are passed over, and those are as many
 * as there are frames on the stacks.
 */
static bool
blocked_locked(struct cf__worker *worker)
{
    struct cf__awaited *at = worker->awaited;
    do {
        if (!stuck_locked(at->f, worker)) {
            worker->awaited = at;
            return false;
        }
        at = at->next;
    } while (at != worker->awaited);
    return true;
}

/* Takes all who wait for stuck, then frees those who are not, until that frees
 * nobody more. */
static bool
hopeless_locked(const struct cf__worker *origin)
{
    for (struct cf__worker *w = waiting; w; w = w->graph_next)
        w->stuck = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (struct cf__worker *w = waiting; w; w = w->graph_next) {
            if (w->stuck && !blocked_locked(w)) {
                w->stuck = false;
                changed = true;
            }
        }
    }
    return origin->stuck;
}

static void
leave_locked(struct cf__worker *self)
{
    struct cf__worker **at = &waiting;
    while (*at && *at != self)
        at = &(*at)->graph_next;
    if (*at)
        *at = self->graph_next;
    self->stuck = false;
}

bool
cf__wait_graph_enter(struct cf__worker *self,
                     struct cf__awaited *awaited,
                     bool forever)
{
    if (self->suspend)
        return self->suspend->enter(self, awaited, forever);
    pthread_mutex_lock(&graph_lock);
    self->awaited = awaited;
    self->graph_next = waiting;
    waiting = self;
    bool hopeless = hopeless_locked(self);
    if (hopeless || !forever)
        leave_locked(self);
    pthread_mutex_unlock(&graph_lock);
    return hopeless;
}

bool
cf__wait_graph_leave(struct cf__worker *self)
{
    if (self->suspend)
        return self->suspend->leave(self);
    pthread_mutex_lock(&graph_lock);
    leave_locked(self);
    pthread_mutex_unlock(&graph_lock);
    return false;
}

/* --- who waits for this worker --------------------------------------------- */

/* A worker that is blocked and has been found, or the origin. Compares the
 * executor only: f's may be gone if f is done by now. */
static bool
is_held_up_locked(const cf_future *f, const struct cf__worker *origin)
{
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    int runner = cf__runner(word);
    if (cf__state(word) != CF_RUNNING || runner < 0)
        return false;
    if (f->attributes && f->attributes->timeout_ns)
        return false; /* the timer ends it */
    if (origin->executor == f->executor && origin->index == runner)
        return true;
    for (const struct cf__worker *w = waiting; w; w = w->graph_next)
        if (w->executor == f->executor && w->index == runner)
            return w->held_up;
    return false;
}

/* All that w waits for is held up. */
static bool
waits_for_locked(const struct cf__worker *w, const struct cf__worker *origin)
{
    const struct cf__awaited *at = w->awaited;
    do {
        if (!is_held_up_locked(at->f, origin))
            return false;
        at = at->next;
    } while (at != w->awaited);
    return true;
}

int
cf__wait_graph_held_up(const cf_executor *ex)
{
    const struct cf__worker *origin = cf__thread.worker;
    int count = 0;
    if (!origin)
        return 0;
    pthread_mutex_lock(&graph_lock);
    for (struct cf__worker *w = waiting; w; w = w->graph_next)
        w->held_up = false;
    for (bool changed = true; changed;) {
        changed = false;
        for (struct cf__worker *w = waiting; w; w = w->graph_next) {
            if (!w->held_up && waits_for_locked(w, origin)) {
                w->held_up = changed = true;
                count += w->executor == ex;
            }
        }
    }
    pthread_mutex_unlock(&graph_lock);
    return count;
}

/* In a fork's child: nobody waits. */
static void
forget(void)
{
    pthread_mutex_init(&graph_lock, NULL);
    for (; waiting; waiting = waiting->graph_next)
        waiting->stuck = false;
}

CF__FORK_STEPS(CF__FORK_WAIT_GRAPH, .in_child = forget);
