/* SPDX-License-Identifier: MIT */
/*
 * A pair of store-load fences, of which only the rare one costs something. An
 * ordinary one costs as much as an atomic read-modify-write.
 *
 * cf__fence_light() is for the hot side, cf__fence_heavy() for the cold side.
 * Together they order like two sequentially consistent fences. If each of two
 * threads stores, passes its fence and loads the other's variable, then at
 * least one of them sees the other's store.
 *
 * The heavy fence is membarrier(2): every running thread of the process passes
 * a full barrier. Where the kernel has no membarrier, the light fence is an
 * ordinary one.
 */
#ifndef CF_LIB_BASE_FENCE_H
#define CF_LIB_BASE_FENCE_H

#include "lib/base/atomic.h"
#include "lib/base/export.h"

#include <stdbool.h>

/* true: the heavy fence is a membarrier. Set once, by cf__fence_init(). */
extern bool cf__fence_asymmetric __attribute__((visibility("hidden")));

/* ThreadSanitizer does not know fences. There a fence is an operation on this
 * variable. */
CF__EXPORT extern atomic_int cf__fence_dummy;

/* Must have been called, in any thread, before what is here is used. Only the
 * first call does something. */
void cf__fence_init(void);

/* If the kernel refuses the membarrier, the call sleeps instead (fence.c). */
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
 * Makes the atomic read-modify-write before it a full fence. On x86 it is free,
 * as every locked instruction is a fence there (Linux: smp_mb__after_atomic).
 * The fence is where the read-modify-write is: it does not order what the
 * thread has stored since.
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
