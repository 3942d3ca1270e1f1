/* SPDX-License-Identifier: MIT */
/*
 * The end of a loop: shutdown, terminate, destroy, fork; and waiting until it
 * is idle. loop->lock guards which threads have left.
 */
#include "event_loop/embed.h"
#include "event_loop/loop.h"

#include "lib/base/cancel.h"
#include "lib/base/cond.h"
#include "lib/base/futex.h"
#include "lib/executor/server.h"

#define LOOK_NS CF__MS(10)

static void
unlock(void *data)
{
    struct cf__evloop *loop = data;
    pthread_mutex_unlock(&loop->lock);
}

static bool
wait_locked(struct cf__evloop *loop, int64_t deadline_ns)
{
    return cf__sleep_locked(
        &loop->changed, &loop->lock, deadline_ns, unlock, loop);
}

/* In a task of the loop: until the others have ended. Those that wait for this
 * one, or end the loop in the same way, do not count. */
static cf_err
await_others(struct cf__evloop *loop, int64_t deadline_ns)
{
    struct cf__coroutine *self = cf__coroutine_of(cf__thread.worker);
    struct cf__ender ender = {self, loop->enders};
    size_t enders = 1;
    bool in_time = true, alone;
    loop->enders = &ender;
    for (;;) {
        enders = 0;
        for (struct cf__ender *at = loop->enders; at; at = at->next)
            enders++;
        alone = !cf__evloop_has_tasks(loop) &&
                loop->active_count <= enders + cf__evloop_held_up(loop);
        if (alone || !in_time || cf__executor_forked(&loop->base))
            break;
        /* Nothing tells when another one begins to wait for this one. */
        int64_t until = cf__sooner(deadline_ns, cf__now_ns() + LOOK_NS);
        in_time = cf__worker_park(&self->base, until) || until != deadline_ns;
    }
    struct cf__ender **at = &loop->enders;
    while (*at && *at != &ender)
        at = &(*at)->next;
    *at = ender.next;
    return alone ? CF_OK : CF_ETIMEDOUT;
}

static cf_err
await_thread(struct cf__evloop *loop, int64_t deadline_ns)
{
    cf_err err = CF_OK;
    bool join = false;
    pthread_mutex_lock(&loop->lock);
    while (loop->begun && !loop->ended && !err) {
        bool in_time = wait_locked(loop, deadline_ns);
        if (cf__executor_forked(&loop->base))
            err = CF_EFORKED; /* by a callback that ran here meanwhile */
        else if (!in_time && !loop->ended)
            err = CF_ETIMEDOUT;
    }
    if (!err) {
        join = loop->to_join;
        loop->to_join = false;
    }
    pthread_t thread = loop->thread;
    pthread_mutex_unlock(&loop->lock);
    if (join)
        cf__join(thread);
    return err;
}

cf_err
cf__evloop_shutdown(cf_executor *ex, unsigned flags, int64_t deadline_ns)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    if (flags & CF_SHUTDOWN_CANCEL)
        cf_store_release(&loop->cancels_pending, true); /* pairs with take */
    cf__evloop_refuse(loop, CF_ESHUTDOWN);
    if (flags & CF_SHUTDOWN_CANCEL)
        cf__evloop_empty(loop, NULL);
    if (cf__executor_forked(ex))
        return CF_EFORKED; /* by a callback */
    cf__evloop_wake(loop);
    if (flags & CF_SHUTDOWN_NOWAIT)
        return CF_OK;
    if (cf__is_own_worker(ex))
        return await_others(loop, deadline_ns);
    if (loop->inside && cf__evloop_is_here(loop))
        return cf__embed_await(loop, deadline_ns);
    return await_thread(loop, deadline_ns);
}

cf_executor_phase
cf__evloop_phase(cf_executor *ex)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    pthread_mutex_lock(&loop->lock);
    int refuses = cf_load_relaxed(&loop->refuse); /* locked */
    bool over = !loop->begun || loop->ended;
    pthread_mutex_unlock(&loop->lock);
    return cf__phase(refuses, over);
}

cf_err
cf__evloop_terminate(cf_executor *ex, int signo)
{
    (void)signo; /* a coroutine cannot be killed */
    ex->ops->interrupt(ex, NULL);
    return cf__evloop_shutdown(ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0);
}

cf_err
cf__evloop_wait_idle(cf_executor *ex, int64_t deadline_ns)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    cf_err err = CF_OK;
    if (loop->inside && cf__evloop_is_here(loop))
        return CF_EDEADLK; /* this thread runs it */
    pthread_mutex_lock(&loop->lock);
    unsigned ticket = cf_load_relaxed(&loop->asked) + 1; /* locked */
    cf_store_release(&loop->asked, ticket);              /* pairs with answer */
    cf__evloop_wake(loop);
    while (loop->begun && !loop->ended && (int)(loop->answered - ticket) < 0 &&
           !err) {
        bool in_time = wait_locked(loop, deadline_ns);
        if (cf__executor_forked(ex))
            err = CF_EFORKED; /* by a callback that ran here meanwhile */
        else if (!in_time && !loop->ended && (int)(loop->answered - ticket) < 0)
            err = CF_ETIMEDOUT;
    }
    pthread_mutex_unlock(&loop->lock);
    return err;
}

void
cf__evloop_destroy(cf_executor *ex)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    pthread_mutex_lock(&loop->lock);
    loop->orphan = loop->begun && !loop->ended; /* in a task: its thread does */
    bool orphan = loop->orphan;
    pthread_mutex_unlock(&loop->lock);
    if (!orphan)
        cf__evloop_free(loop);
}

void
cf__evloop_after_fork(cf_executor *ex)
{
    struct cf__evloop *loop = cf__evloop_of(ex);
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->changed, NULL);
    cf_store_relaxed(&loop->refuse, CF_EFORKED); /* one thread */
    cf__queue_after_fork(&loop->queue);
    if (ex->bound)
        cf__bound_after_fork(ex->bound);
    cf__timers_after_fork(ex->timers);
    cf__watchdog_after_fork(&loop->watchdog);
    loop->orphan = false;             /* its memory stays */
    loop->batch = loop->ready = NULL; /* the parent's */
    loop->own = NULL;
    /* The task that forks is alone in the child: from now on it waits as a
     * thread does. */
    if (cf__is_own_worker(ex)) {
        cf__thread.worker->suspend = NULL;
        cf__coroutine_of(cf__thread.worker)->joiner = NULL;
        cf__sigpipe_restore(&loop->sigpipe);
    }
}
