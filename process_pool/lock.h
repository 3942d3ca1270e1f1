/* SPDX-License-Identifier: MIT */
/*
 * The lock of a pool. Where assertions run (lib/base/assert.h), the pool notes
 * which thread has it.
 */
#ifndef CF_PROCESS_POOL_LOCK_H
#define CF_PROCESS_POOL_LOCK_H

#include "lib/base/assert.h"
#include "process_pool/pool.h"

/* The calling thread has the lock. Without assertions: not known, so true. */
static inline bool
cf__processes_is_locked(struct cf__processes *pool)
{
#ifdef CF_ASSERTIONS
    return cf_load_relaxed(&pool->lock_owner) == (uintptr_t)&cf__thread;
#else
    (void)pool;
    return true;
#endif
}

/* Notes that the calling thread has got the lock, which a wait gave back. */
static inline void
cf__processes_note_lock(struct cf__processes *pool)
{
#ifdef CF_ASSERTIONS
    cf_store_relaxed(&pool->lock_owner, (uintptr_t)&cf__thread);
#else
    (void)pool;
#endif
}

/* Notes that the calling thread is about to let the lock go. */
static inline void
cf__processes_note_unlock(struct cf__processes *pool)
{
#ifdef CF_ASSERTIONS
    cf__assert(cf__processes_is_locked(pool));
    cf_store_relaxed(&pool->lock_owner, 0);
#else
    (void)pool;
#endif
}

/* For a lock that no thread uses: new, or a fork's child has only one. */
static inline void
cf__processes_lock_init(struct cf__processes *pool)
{
    pthread_mutex_init(&pool->lock, NULL); /* cannot fail on Linux */
#ifdef CF_ASSERTIONS
    cf_store_relaxed(&pool->lock_owner, 0);
#endif
}

static inline void
cf__processes_lock(struct cf__processes *pool)
{
    pthread_mutex_lock(&pool->lock);
    cf__processes_note_lock(pool);
}

static inline bool
cf__processes_try_lock(struct cf__processes *pool)
{
    if (pthread_mutex_trylock(&pool->lock) != 0)
        return false;
    cf__processes_note_lock(pool);
    return true;
}

/* Unlocks and does no more: a service that another thread has asked for
 * meanwhile is not done. For where the pool is made, ended or freed. Elsewhere:
 * cf__processes_unlock_serving(), in service.h. */
static inline void
cf__processes_unlock_alone(struct cf__processes *pool)
{
    cf__processes_note_unlock(pool);
    pthread_mutex_unlock(&pool->lock);
}

#endif
