/* SPDX-License-Identifier: MIT */
/*
 * A lock of four bytes, for short times: its holder calls no user code and
 * waits for nothing. README.md, "The lock", has the protocol.
 *
 * To lock is one locked instruction; to unlock is a plain store and a look. A
 * thread that finds the lock held spins for a bounded time and then sleeps: a
 * real-time thread leaves the processor to the holder.
 *
 * The holder's mark is the generation of its process. A lock that was copied
 * by fork() while another thread held it has a mark of another process; the
 * child takes it over. So what the lock guards must be usable whatever the
 * instruction at which its holder stopped.
 */
#ifndef CF_LIB_BASE_LOCK_H
#define CF_LIB_BASE_LOCK_H

#include "lib/base/atomic.h"
#include "lib/base/generation.h"

#include <stdbool.h>
#include <stdint.h>

struct cf__lock {
    /* Atomic. 0: free; else cf__generation of the holder's process. */
    _Alignas(4) _Atomic uint16_t holder;
    /* Atomic. 1: a thread may sleep on the four bytes. Set by a thread that is
     * going to sleep, cleared by the unlocker that wakes one. */
    _Atomic uint16_t sleepers;
};

/* Waits for a lock that was taken, until this thread has it. */
void cf__lock_wait(struct cf__lock *lock);

/* Wakes a thread that sleeps, after an unlock. */
void cf__lock_wake(struct cf__lock *lock);

/* An atomic read-modify-write, for cf__fence_after_rmw(). */
static inline void
cf__lock(struct cf__lock *lock)
{
    uint16_t mine = cf__generation;
    /* pairs with unlock: what it guards, as the last holder left it */
    if (__builtin_expect(cf_exchange_acquire(&lock->holder, mine) == mine, 0))
        cf__lock_wait(lock);
}

/* A thread of this process has the lock. */
static inline bool
cf__lock_is_held(struct cf__lock *lock)
{
    /* pairs with unlock: what the holder wrote, if it has gone */
    return cf_load_acquire(&lock->holder) == cf__generation;
}

static inline bool
cf__lock_try(struct cf__lock *lock)
{
    uint16_t mine = cf__generation;
    /* pairs with unlock; looks first, so as not to take the cache line from
     * the holder */
    return cf_load_relaxed(&lock->holder) != mine &&
           cf_exchange_acquire(&lock->holder, mine) != mine;
}

/* The lock's memory must outlive the call. */
static inline void
cf__unlock(struct cf__lock *lock)
{
    cf_store_release(&lock->holder, 0); /* pairs with lock */
    /* The light half of the sleeper's heavy fence, which lasts longer where the
     * kernel has none: this thread sees the sleeper, or the sleeper sees the
     * store. */
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(cf_load_relaxed(&lock->sleepers), 0))
        cf__lock_wake(lock);
}

/* For a lock that no thread uses: new, or a fork's child has only one. */
static inline void
cf__lock_init(struct cf__lock *lock)
{
    atomic_init(&lock->holder, 0);
    atomic_init(&lock->sleepers, 0);
}

#endif
