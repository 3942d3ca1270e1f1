/* SPDX-License-Identifier: MIT */
/*
 * The list of executors, the exit hook and the fork hooks: see registry.h.
 * registry.lock guards the list; it is taken before every other lock of the
 * library, and held across fork().
 */
#include "lib/registry.h"

#include "lib/block.h"
#include "lib/executor.h"
#include "lib/fence.h"
#include "lib/wait_graph.h"

#include <pthread.h>
#include <stdlib.h>

uint16_t cf__generation = 1;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t drained;
    cf_executor *first;
    const cf_executor *draining; /* by drain_all(): it must not go */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER,
              .drained = PTHREAD_COND_INITIALIZER};

static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;
static bool hooks_set;

/* main has returned: what is queued still completes, as in Python. Tasks may
 * make and destroy executors meanwhile, so the list is read anew each time. */
static void
drain_all(void)
{
    pthread_mutex_lock(&registry.lock);
    for (cf_executor *ex = registry.first; ex; ex = registry.first) {
        while (ex && (ex->drained_at_exit || cf_load_relaxed(&ex->forked)))
            ex = ex->registry_next;
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

static void
before_fork(void)
{
    pthread_mutex_lock(&registry.lock);
    cf__block_lock();
}

static void
after_fork_in_parent(void)
{
    cf__block_unlock();
    pthread_mutex_unlock(&registry.lock);
}

static void
after_fork_in_child(void)
{
    cf__generation += 2; /* odd */
    registry.draining = NULL;
    pthread_cond_init(&registry.drained, NULL);
    /* This thread serves no pool any more. */
    cf__thread.worker = NULL;
    cf__thread.server = NULL;
    for (cf_executor *ex = registry.first; ex; ex = ex->registry_next) {
        cf_store_relaxed(&ex->forked, true); /* one thread */
        ex->ops->after_fork(ex);
    }
    cf__wait_graph_after_fork();
    cf__block_unlock();
    pthread_mutex_unlock(&registry.lock);
}

static void
set_hooks(void)
{
    cf__fence_init();
    hooks_set = pthread_atfork(before_fork,
                               after_fork_in_parent,
                               after_fork_in_child) == 0 &&
                atexit(drain_all) == 0;
}

cf_err
cf__registry_add(cf_executor *ex)
{
    pthread_once(&hooks_once, set_hooks);
    if (!hooks_set)
        return CF_ENOMEM;
    pthread_mutex_lock(&registry.lock);
    ex->registry_next = registry.first;
    ex->registry_prev = NULL;
    if (registry.first)
        registry.first->registry_prev = ex;
    registry.first = ex;
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
    if (ex->registry_prev)
        ex->registry_prev->registry_next = ex->registry_next;
    else
        registry.first = ex->registry_next;
    if (ex->registry_next)
        ex->registry_next->registry_prev = ex->registry_prev;
    pthread_mutex_unlock(&registry.lock);
}
