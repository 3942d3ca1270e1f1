/* SPDX-License-Identifier: MIT */
/* The memory of pools that have ended, and how a pool becomes that:
 * retired.h. */
#include "process_pool/retired.h"

#include "lib/base/cond.h"
#include "lib/executor/inline.h"
#include "lib/future/failure.h"
#include "process_pool/lock.h"

#include <stdlib.h>

/* Pools that have ended: each memory is used for a later pool. The list is
 * whole at every moment, so a fork's child can take it over, and the lock with
 * it. */
static struct {
    struct cf__lock lock;
    _Atomic(struct cf__processes *) first;
} retired;

struct cf__processes *
cf__processes_obtain(void)
{
    cf__lock(&retired.lock);
    struct cf__processes *pool = cf_load_relaxed(&retired.first); /* locked */
    if (pool)
        cf_store_relaxed(&retired.first, pool->retired_next);
    cf__unlock(&retired.lock);
    if (pool && pool->base.generation == cf__generation)
        return pool;
    if (!pool) {
        pool = aligned_alloc(CF_CACHE_LINE, sizeof *pool);
        if (!pool)
            return NULL;
        memset(pool, 0, sizeof *pool);
    }
    /* New, or its parent's, where its lock may have been held at the fork. */
    cf__processes_lock_init(pool);
    cf__cond_init(&pool->changed);
    pool->base.generation = cf__generation;
    return pool;
}

static void
retire(struct cf__processes *pool)
{
    cf__lock(&retired.lock);
    pool->retired_next = cf_load_relaxed(&retired.first); /* locked */
    /* pairs with a load in a fork's child */
    cf_store_release(&retired.first, pool);
    cf__unlock(&retired.lock);
}

void
cf__processes_dismantle(struct cf__processes *pool)
{
    cf__processes_lock(pool);
    pool->open = false;
    cf__processes_unlock_alone(pool);
    cf__zygote_close(&pool->zygote);
    cf__zygote_reap(&pool->zygote); /* if the pool was never made */
    if (pool->setup.nested)
        cf__inline_free_in_worker(pool->setup.nested);
    if (pool->shared)
        cf__shared_release(pool->shared);
    cf__roster_fini(&pool->setup.roster);
    cf__queue_fini(&pool->queue);
    cf__task_heap_fini(&pool->returned);
    cf__failure_free(pool->broken);
    free(pool->lanes);
    pool->lanes = NULL;
    retire(pool);
}

void
cf__processes_free(struct cf__processes *pool)
{
    cf__executor_fini(&pool->base);
    cf__processes_dismantle(pool);
}
