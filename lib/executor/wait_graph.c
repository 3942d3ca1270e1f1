/* SPDX-License-Identifier: MIT */
/*
 * Finding cycles of waits, under one lock, graph_lock.
 *
 * A worker's stack is one chain: a task on it ends only after all tasks that
 * were begun above it. So a future that runs on a worker waits for what the
 * worker is blocked on. Each worker enters what it is going to sleep on and
 * then searches from there, under the lock: of the waits that make up a cycle,
 * the last one finds the cycle. While a thread has the lock, what is in the
 * graph cannot change, and the futures in it are alive, because their waiters
 * have handles.
 *
 * The lock is taken only before a sleep, which costs a thousand times more.
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

/* f, for which worker waits, cannot be done before a stuck worker goes on.
 * Futures of another pool, and promises, are not followed. */
static bool
stuck_locked(const cf_future *f, const struct cf__worker *worker)
{
    if (f->executor != worker->executor)
        return false;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    return cf__state(word) == CF_RUNNING && runner_is_stuck_locked(f);
}

/*
 * All futures that worker waits for are stuck. The look begins with the one
 * that was not stuck the last time: so most looks are at one future, however
 * many there are. A look passes over a task only if it is on a worker that
 * waits, and there are as many of these as frames on the stacks.
 */
static bool
blocked_locked(struct cf__worker *worker)
{
    struct cf__awaited *at = worker->awaited;
    if (worker->hopeless) /* its wait is about to end */
        return false;
    do {
        if (!stuck_locked(at->f, worker)) {
            worker->awaited = at;
            return false;
        }
        at = at->next;
    } while (at != worker->awaited);
    return true;
}

/* First marks all workers that wait as stuck. Then clears the mark of those
 * that are not, until it finds no more. true: origin is stuck. */
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

static bool
is_join(const struct cf__worker *w)
{
    return w->awaited->f->owned & CF__JOB;
}

/* The last wait that is not firm, on the way from self, which closes a circle,
 * back to self; else the last one that is no join. NULL: there is none. A wait
 * for one of several futures may lead around a circle beside that: then the way
 * ends after as many steps as there are waits. */
static struct cf__worker *
find_other_locked(struct cf__worker *self)
{
    struct cf__worker *last = NULL, *last_firm = NULL, *at = self;
    for (struct cf__worker *step = waiting; step; step = step->graph_next) {
        const cf_future *f = at->awaited->f;
        at = f->executor->ops->worker_of(f);
        if (at == self)
            break;
        if (!at->firm)
            last = at;
        else if (!is_join(at))
            last_firm = at;
    }
    return last ? last : last_firm;
}

/* self closes a circle by a wait that is firm. So another wait of the circle
 * ends. false: there is none. A join is never refused: a circle of joins cannot
 * be (README.md, "Jobs"). */
static bool
end_other_locked(struct cf__worker *self)
{
    struct cf__worker *other = find_other_locked(self);
    cf__contract(other || !is_join(self),
                 "cf_join(): jobs wait for each other");
    if (!other)
        return false;
    other->hopeless = true;
    cf__worker_unpark(other);
    return true;
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
    if (hopeless && self->firm)
        hopeless = !end_other_locked(self);
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
    bool hopeless = self->hopeless;
    self->hopeless = false;
    pthread_mutex_unlock(&graph_lock);
    return hopeless;
}

/* --- the workers that wait for the calling one ---------------------------- */

/* f runs on origin, or on a worker that has been found to be held up. Compares
 * f->executor only, and does not follow it: if f is done by now, its executor
 * may be gone. */
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

/* All futures that w waits for are held up. */
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

/* In a fork's child: no worker waits. */
static void
forget(void)
{
    pthread_mutex_init(&graph_lock, NULL);
    for (; waiting; waiting = waiting->graph_next)
        waiting->stuck = false;
}

CF__FORK_STEPS(CF__FORK_WAIT_GRAPH, .in_child = forget);
