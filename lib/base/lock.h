/* SPDX-License-Identifier: MIT */
/*
 * A lock of four bytes, for short times: its holder runs no code of the user
 * and waits for nothing. README.md, "The lock", has the protocol.
 *
 * To lock is one locked instruction. To unlock is a plain store, a load and a
 * branch. A thread that finds the lock held spins for a bounded time and then
 * sleeps, so that a real-time thread leaves the processor to the holder.
 *
 * The holder's mark is the generation of its process. If fork() copied the lock
 * while another thread held it, the copy has the mark of another process, and
 * the child takes the lock over. So what the lock guards must be usable at
 * whichever instruction its holder stopped.
 */
#ifndef CF_LIB_BASE_LOCK_H
#define CF_LIB_BASE_LOCK_H

#include "lib/base/assert.h"
#include "lib/base/atomic.h"
#include "lib/base/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct cf__lock {
    /* Atomic. 0: free; else cf__generation of the holder's process. */
    _Alignas(4) _Atomic uint16_t holder;
    /* Atomic. 1: a thread may sleep on the four bytes. A thread that is going
     * to sleep sets it; the unlocker that wakes a thread clears it. */
    _Atomic uint16_t sleepers;
};

/* Waits for a lock that another thread has, until this thread has it. */
void cf__lock_wait(struct cf__lock *lock);

/* After an unlock: wakes one thread that sleeps. */
void cf__lock_wake(struct cf__lock *lock);

/* The first step of cf__lock(), an atomic read-modify-write. false: another
 * thread has the lock, and cf__lock_wait() comes next. */
static inline bool
cf__lock_begin(struct cf__lock *lock)
{
    uint16_t mine = cf__generation;
    /* pairs with unlock: what the lock guards is as its last holder left it */
    return __builtin_expect(cf_exchange_acquire(&lock->holder, mine) != mine,
                            1);
}

/* Begins with an atomic read-modify-write, for cf__fence_after_rmw(). */
static inline void
cf__lock(struct cf__lock *lock)
{
    if (!cf__lock_begin(lock))
        cf__lock_wait(lock);
}

/* true: a thread of this process has the lock. */
static inline bool
cf__lock_is_held(struct cf__lock *lock)
{
    /* pairs with unlock: if the lock is free, sees what the holder wrote */
    return cf_load_acquire(&lock->holder) == cf__generation;
}

static inline bool
cf__lock_try(struct cf__lock *lock)
{
    uint16_t mine = cf__generation;
    /* Pairs with unlock. Looks first, to leave the cache line to the holder. */
    return cf_load_relaxed(&lock->holder) != mine &&
           cf_exchange_acquire(&lock->holder, mine) != mine;
}

/* The first step of cf__unlock(). true: a thread may sleep, and cf__lock_wake()
 * comes next. The lock's memory must outlive both. */
static inline bool
cf__unlock_begin(struct cf__lock *lock)
{
    cf__assert(cf_load_relaxed(&lock->holder) == cf__generation);
    cf_store_release(&lock->holder, 0); /* pairs with lock */
    /* The light half of the sleeper's heavy fence: this thread sees the
     * sleeper, or the sleeper sees the store. If the kernel has no membarrier,
     * the sleeper wakes by itself (lock.c). */
    atomic_signal_fence(memory_order_seq_cst);
    return __builtin_expect(cf_load_relaxed(&lock->sleepers) != 0, 0);
}

static inline void
cf__unlock(struct cf__lock *lock)
{
    if (cf__unlock_begin(lock))
        cf__lock_wake(lock);
}

/* A lock that is free, for a struct that no thread knows yet. */
#define CF__LOCK_FREE ((struct cf__lock){0, 0})

/* For a lock that no thread uses: it is new, or this is a child of a fork. */
static inline void
cf__lock_init(struct cf__lock *lock)
{
    atomic_init(&lock->holder, 0);
    atomic_init(&lock->sleepers, 0);
}

#endif
