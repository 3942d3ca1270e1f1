/* SPDX-License-Identifier: MIT */
/*
 * The list of executors and the exit hook: see registry.h, and README.md, "The
 * end of the program". registry.lock guards the list. It is taken before every
 * other lock of the library. A fork's child follows the list without the lock:
 * lib/base/README.md, "Fork".
 */
#include "lib/executor/registry.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/contract.h"
#include "lib/base/fence.h"
#include "lib/base/forked.h"
#include "lib/base/stay_loaded.h"
#include "lib/executor/batch.h"
#include "lib/executor/deferred.h"
#include "lib/executor/executor.h"
#include "lib/future/callback.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t let_go; /* kept of an executor has become 0 */
    _Atomic(cf_executor *) first;
    bool exit_hook_set;
    bool forgot; /* a fork's child: the list had its parent's executors */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .let_go = PTHREAD_COND_INITIALIZER};

/* A worker that ends the program looks so often which pools are stalled. */
#define LOOK_NS CF__MS(10)

/* --- the end of the program ----------------------------------------------- */

/* Calls drain(ex), without the lock, for each executor for which is_next(ex)
 * says true under it. Tasks may make and destroy executors meanwhile, so each
 * time the search begins at the start of the list. */
static void
for_each(bool (*is_next)(cf_executor *ex), void (*drain)(cf_executor *ex))
{
    pthread_mutex_lock(&registry.lock);
    for (;;) {
        cf_executor *ex = cf_load_relaxed(&registry.first); /* locked */
        while (ex && !is_next(ex))
            ex = cf_load_relaxed(&ex->registry_next);
        if (!ex)
            break;
        ex->kept++;
        pthread_mutex_unlock(&registry.lock);
        drain(ex);
        pthread_mutex_lock(&registry.lock);
        if (--ex->kept == 0)
            pthread_cond_broadcast(&registry.let_go);
    }
    pthread_mutex_unlock(&registry.lock);
}

/* No thread will run what ex has queued. If that is cancelled, the threads that
 * wait for it go on. Once for each executor. */
static bool
is_given_up_locked(cf_executor *ex)
{
    bool given_up =
        !ex->given_up_at_exit && ex->ops->is_stalled && ex->ops->is_stalled(ex);
    ex->given_up_at_exit = ex->given_up_at_exit || given_up;
    return given_up;
}

static void
give_up(cf_executor *ex)
{
    (void)ex->ops->shutdown(ex, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0);
}

/* What is queued still completes, as in Python. If a worker ends the program,
 * in a task, then what waits for that task does not complete. */
static void
drain(cf_executor *ex)
{
    if (!ex->ops->shutdown)
        return;
    cf__batches_refuse(ex);
    cf__deferred_close(ex, false);
    const bool worker = cf__thread.worker != NULL;
    int64_t until = CF__NEVER;
    if (ex->ops->tasks_suspend) { /* a server would wait for ever */
        cf_store_relaxed(&ex->terminated, true); /* a hint to running tasks */
        ex->ops->interrupt(ex, NULL);
    }
    do {
        if (worker) {
            until = cf__now_ns() + LOOK_NS;
            for_each(is_given_up_locked, give_up);
        }
    } while (ex->ops->shutdown(ex, 0, until) == CF_ETIMEDOUT);
}

/* Once for each executor. */
static bool
is_undrained_locked(cf_executor *ex)
{
    bool undrained = !ex->drained_at_exit;
    ex->drained_at_exit = true;
    return undrained;
}

static bool
is_own_undrained_locked(cf_executor *ex)
{
    return cf__is_own_worker(ex) && is_undrained_locked(ex);
}

static void
drain_all(void)
{
    cf__notice_fork();
    int former = cf__cancel_disable(); /* no thread would go on with exit() */
    /* If a callback calls exit(), tasks may wait for what others do that are
     * due. */
    struct cf__due *due = cf__callbacks_pause();
    /* pairs with add: add finds the hook set, and this thread the executor; or
     * add sets the hook again */
    pthread_mutex_lock(&registry.lock);
    registry.exit_hook_set = false;
    pthread_mutex_unlock(&registry.lock);
    for_each(is_own_undrained_locked, drain);
    for_each(is_undrained_locked, drain);
    cf__callbacks_resume(due);
    cf__cancel_restore(former);
}

/* false: no memory; a later add tries again. If two threads set the hook, it
 * runs twice, which does no harm. */
static bool
set_exit_hook(void)
{
    bool set = atexit(drain_all) == 0;
    pthread_mutex_lock(&registry.lock);
    registry.exit_hook_set = registry.exit_hook_set || set;
    pthread_mutex_unlock(&registry.lock);
    return set;
}

/* --- the list ------------------------------------------------------------- */

static bool
is_exit_hook_set(void)
{
    pthread_mutex_lock(&registry.lock);
    bool set = registry.exit_hook_set;
    pthread_mutex_unlock(&registry.lock);
    return set;
}

/* All but the exit hook. */
static bool
set_other_hooks(void)
{
    (void)cf__stay_loaded();
    cf__fence_init();
    return cf__fork_set_hooks();
}

cf_err
cf__registry_set_hooks(void)
{
    return set_other_hooks() && (is_exit_hook_set() || set_exit_hook())
               ? CF_OK
               : CF_ENOMEM;
}

cf_err
cf__registry_add(cf_executor *ex)
{
    if (!set_other_hooks())
        return CF_ENOMEM;
    ex->generation = cf__generation_now();
    pthread_mutex_lock(&registry.lock);
    cf_executor *next = cf_load_relaxed(&registry.first); /* locked */
    cf_store_relaxed(&ex->registry_next, next);
    ex->registry_prev = NULL;
    if (next)
        next->registry_prev = ex;
    /* A fork's child finds the executor whole, or does not find it. */
    cf_store_release(&registry.first, ex);
    bool hooked = registry.exit_hook_set;
    pthread_mutex_unlock(&registry.lock);
    if (hooked || set_exit_hook())
        return CF_OK;
    cf__registry_remove(ex);
    return CF_ENOMEM;
}

void
cf__registry_remove(cf_executor *ex)
{
    if (cf__executor_forked(ex))
        return; /* it is in no list of this process */
    pthread_mutex_lock(&registry.lock);
    /* Its workers are gone, so a drain that keeps it lets go of it soon. */
    while (ex->kept)
        (void)cf__cond_wait(&registry.let_go, &registry.lock, CF__NEVER);
    cf_executor *next = cf_load_relaxed(&ex->registry_next); /* locked */
    _Atomic(cf_executor *) *link =
        ex->registry_prev ? &ex->registry_prev->registry_next : &registry.first;
    /* A fork's child finds the executor whole, or does not find it: it is taken
     * apart after the unlock. */
    cf_store_release(link, next);
    if (next)
        next->registry_prev = ex->registry_prev;
    pthread_mutex_unlock(&registry.lock);
}

void
cf__registry_expect(cf_executor *ex, bool destroy, const char *sentence)
{
    cf__notice_fork();
    pthread_mutex_lock(&registry.lock);
    cf_executor *at = cf_load_relaxed(&registry.first); /* locked */
    while (at && at != ex)
        at = cf_load_relaxed(&at->registry_next);
    bool holds = at && !(destroy && at->destroying);
    if (at && destroy && at->ops->destroy) /* else it is not destroyed */
        at->destroying = true;
    bool may_be_forgotten = !at && registry.forgot;
    pthread_mutex_unlock(&registry.lock);
    if (may_be_forgotten)
        holds = cf__executor_forked(ex);
    cf__contract(holds, sentence);
}

/* In a fork's child: the parent's executors forget their workers. The child has
 * no executor. */
static void
forget(void)
{
    pthread_mutex_init(&registry.lock, NULL);
    pthread_cond_init(&registry.let_go, NULL);
    registry.forgot = true;
    /* there is one thread */
    cf_executor *ex = cf_load_relaxed(&registry.first);
    cf_store_relaxed(&registry.first, NULL);
    for (; ex; ex = cf_load_relaxed(&ex->registry_next))
        ex->ops->after_fork(ex);
}

CF__FORK_STEPS(CF__FORK_EXECUTORS, .in_child = forget);
