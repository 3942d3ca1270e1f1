/* SPDX-License-Identifier: MIT */
/*
 * Store-load fences, which cost as much as an atomic read-modify-write, moved
 * to where they are rare.
 *
 * cf__fence_light() on the hot side and cf__fence_heavy() on the cold side
 * together order like two sequentially consistent fences: of two threads that
 * each store, fence and load the other's variable, at least one sees the
 * other's store. The heavy side is membarrier(2), which makes every running
 * thread of the process pass a full barrier; where the kernel has none, the
 * light side is a real fence.
 */
#ifndef CF_LIB_BASE_FENCE_H
#define CF_LIB_BASE_FENCE_H

#include "lib/base/atomic.h"

#include <stdbool.h>

/* Set once, by cf__fence_init(). */
extern bool cf__fence_asymmetric __attribute__((visibility("hidden")));

/* ThreadSanitizer does not know fences: there, an operation on this. */
extern atomic_int cf__fence_dummy;

/* Before the first use of what is here, in every thread. Only the first call does
 * something. */
void cf__fence_init(void);

/* If the kernel refuses, it takes a millisecond. */
void cf__fence_heavy(void);

static inline void
cf__fence_full(void)
{
#ifdef CF_TSAN
    cf_fetch_add_seq_cst(&cf__fence_dummy, 0);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void
cf__fence_light(void)
{
    if (cf__fence_asymmetric)
        atomic_signal_fence(memory_order_seq_cst);
    else
        cf__fence_full();
}

/*
 * A full fence after an atomic read-modify-write: free on x86, where every
 * locked instruction is one (Linux: smp_mb__after_atomic). It stands where that
 * is: for what was stored since then, it is none.
 */
static inline void
cf__fence_after_rmw(void)
{
#if defined(__x86_64__) || defined(__i386__)
    atomic_signal_fence(memory_order_seq_cst);
#else
    cf__fence_full();
#endif
}

#endif
