/* SPDX-License-Identifier: MIT */
/* What the manager of a process pool is doing. */
#ifndef CF_TESTS_PROCESSES_MANAGER_H
#define CF_TESTS_PROCESSES_MANAGER_H

#include <sched.h>

#include "process_pool/lock.h"

/* The manager has fallen asleep so often. */
static inline unsigned
manager_sleeps(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    return (cf_load_relaxed(&pool->shared->board->sleeps) + 1) / 2;
}

/* Nothing is left to do: the manager of an idle pool has given free memory
 * back, and sleeps without a deadline. */
static inline void
await_manager_at_rest(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    for (bool rests = false; !rests; sched_yield()) {
        cf__processes_lock(pool);
        rests = pool->trim_at == 0 && pool->wakes_at == CF__NEVER &&
                cf_load_relaxed(&pool->shared->board->sleeps) % 2 == 1;
        cf__processes_unlock_alone(pool);
    }
}

#endif
