/* SPDX-License-Identifier: MIT */
/* The lock of a pool, and the service that its holder does. */
#ifndef CF_PROCESS_POOL_SERVICE_H
#define CF_PROCESS_POOL_SERVICE_H

#include "process_pool/pool.h"

static inline void
cf__processes_lock(struct cf__processes *pool)
{
    pthread_mutex_lock(&pool->lock);
}

/* Serves who asked meanwhile. */
void cf__processes_unlock(struct cf__processes *pool);

/* Collects what has ended and hands out what is queued. Runs no user code, and
 * waits for nobody. */
void cf__processes_service_locked(struct cf__processes *pool);

/* A service, by this thread or by the one that has the lock. */
void cf__processes_attend(struct cf__processes *pool);

/* Nothing is queued or runs. */
bool cf__processes_idle_locked(struct cf__processes *pool);

#endif
