/* SPDX-License-Identifier: MIT */
/*
 * A lock of one byte, for short times: no user code is called and nothing waited
 * for under it. The system may stop its holder all the same, so who waits soon
 * yields.
 */
#ifndef CF_LIB_BYTE_LOCK_H
#define CF_LIB_BYTE_LOCK_H

#include "lib/atomic.h"

/* Waits for a lock that was taken, until this thread has it. */
void cf__byte_lock_wait(atomic_uchar *lock);

/* An atomic read-modify-write, for cf__fence_after_rmw(). */
static inline void
cf__byte_lock(atomic_uchar *lock)
{
    /* pairs with unlock: what it guards, as the last holder left it */
    if (__builtin_expect(cf_exchange_acquire(lock, 1), 0))
        cf__byte_lock_wait(lock);
}

static inline void
cf__byte_unlock(atomic_uchar *lock)
{
    cf_store_release(lock, 0); /* pairs with lock */
}

#endif
