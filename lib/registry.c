/* SPDX-License-Identifier: MIT */
/*
 * The list of executors and the exit hook: see registry.h. registry.lock guards
 * the list; it is taken before every other lock of the library. A fork's child
 * follows the list without it: lib/README.md, "Fork".
 */
#include "lib/registry.h"

#include "lib/executor.h"
#include "lib/fence.h"
#include "lib/stay_loaded.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t drained;
    _Atomic(cf_executor *) first;
    const cf_executor *draining; /* by drain_all(): it must not go */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .drained = PTHREAD_COND_INITIALIZER};

static atomic_bool exit_hook_set;

/* main has returned: what is queued still completes, as in Python. Tasks may
 * make and destroy executors meanwhile, so the list is read anew each time. */
static void
drain_all(void)
{
    cf__notice_fork();
    pthread_mutex_lock(&registry.lock);
    for (;;) {
        cf_executor *ex = cf_load_relaxed(&registry.first); /* locked */
        while (ex && ex->drained_at_exit)
            ex = cf_load_relaxed(&ex->registry_next);
        if (!ex)
            break;
        ex->drained_at_exit = true;
        registry.draining = ex;
        pthread_mutex_unlock(&registry.lock);
        if (ex->ops->shutdown)
            (void)ex->ops->shutdown(ex, 0, CF__NEVER);
        pthread_mutex_lock(&registry.lock);
        registry.draining = NULL;
        pthread_cond_broadcast(&registry.drained);
    }
    pthread_mutex_unlock(&registry.lock);
}

/* false: no memory; to be tried again. Twice, by two threads, does no harm. */
static bool
set_exit_hook(void)
{
    if (!cf_load_relaxed(&exit_hook_set) && atexit(drain_all) == 0)
        cf_store_relaxed(&exit_hook_set, true);
    return cf_load_relaxed(&exit_hook_set);
}

cf_err
cf__registry_add(cf_executor *ex)
{
    (void)cf__stay_loaded();
    cf__fence_init();
    if (!cf__fork_set_hooks() || !set_exit_hook())
        return CF_ENOMEM;
    ex->generation = cf__generation_now();
    pthread_mutex_lock(&registry.lock);
    cf_executor *next = cf_load_relaxed(&registry.first); /* locked */
    cf_store_relaxed(&ex->registry_next, next);
    ex->registry_prev = NULL;
    if (next)
        next->registry_prev = ex;
    /* A fork's child finds the executor whole, or not at all. */
    cf_store_release(&registry.first, ex);
    pthread_mutex_unlock(&registry.lock);
    return CF_OK;
}

void
cf__registry_remove(cf_executor *ex)
{
    pthread_mutex_lock(&registry.lock);
    /* Its workers are gone, so the drain is about to let go of it. */
    while (registry.draining == ex)
        pthread_cond_wait(&registry.drained, &registry.lock);
    cf_executor *next = cf_load_relaxed(&ex->registry_next); /* locked */
    _Atomic(cf_executor *) *link =
        ex->registry_prev ? &ex->registry_prev->registry_next : &registry.first;
    /* A fork's child finds the executor whole, or not at all: what undoes it
     * comes behind the unlock. */
    cf_store_release(link, next);
    if (next)
        next->registry_prev = ex->registry_prev;
    pthread_mutex_unlock(&registry.lock);
}

void
cf__registry_after_fork(void)
{
    pthread_mutex_init(&registry.lock, NULL);
    pthread_cond_init(&registry.drained, NULL);
    registry.draining = NULL;
    /* one thread */
    cf_executor *ex = cf_load_relaxed(&registry.first);
    cf_store_relaxed(&registry.first, NULL);
    for (; ex; ex = cf_load_relaxed(&ex->registry_next))
        ex->ops->after_fork(ex);
}
