/* SPDX-License-Identifier: MIT */
/*
 * Atomic operations with the memory order in the name, so that a search finds
 * every acquire of the program. Only the combinations that are in use.
 */
#ifndef CF_LIB_BASE_ATOMIC_H
#define CF_LIB_BASE_ATOMIC_H

#include <stdatomic.h>

/* Bytes. Two threads must not often write to the same cache line. */
#define CF_CACHE_LINE 64

#define cf_load_relaxed(p) atomic_load_explicit(p, memory_order_relaxed)
#define cf_load_acquire(p) atomic_load_explicit(p, memory_order_acquire)
#define cf_load_seq_cst(p) atomic_load_explicit(p, memory_order_seq_cst)

#define cf_store_relaxed(p, v) atomic_store_explicit(p, v, memory_order_relaxed)
#define cf_store_release(p, v) atomic_store_explicit(p, v, memory_order_release)
#define cf_store_seq_cst(p, v) atomic_store_explicit(p, v, memory_order_seq_cst)

#define cf_exchange_acquire(p, v)                                              \
    atomic_exchange_explicit(p, v, memory_order_acquire)
#define cf_exchange_acq_rel(p, v)                                              \
    atomic_exchange_explicit(p, v, memory_order_acq_rel)

#define cf_fetch_add_relaxed(p, v)                                             \
    atomic_fetch_add_explicit(p, v, memory_order_relaxed)
#define cf_fetch_add_seq_cst(p, v)                                             \
    atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define cf_fetch_sub_acq_rel(p, v)                                             \
    atomic_fetch_sub_explicit(p, v, memory_order_acq_rel)
#define cf_fetch_or_acq_rel(p, v)                                              \
    atomic_fetch_or_explicit(p, v, memory_order_acq_rel)
#define cf_fetch_or_seq_cst(p, v)                                              \
    atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define cf_fetch_and_acq_rel(p, v)                                             \
    atomic_fetch_and_explicit(p, v, memory_order_acq_rel)

/* Compare and swap. On failure *e becomes the value that was found. */
#define cf_cas_acq_rel(p, e, v)                                                \
    atomic_compare_exchange_strong_explicit(                                   \
        p, e, v, memory_order_acq_rel, memory_order_acquire)
#define cf_cas_weak_acq_rel(p, e, v)                                           \
    atomic_compare_exchange_weak_explicit(                                     \
        p, e, v, memory_order_acq_rel, memory_order_acquire)
#define cf_cas_seq_cst(p, e, v)                                                \
    atomic_compare_exchange_strong_explicit(                                   \
        p, e, v, memory_order_seq_cst, memory_order_seq_cst)

/* Adds 1 to a counter that only this thread writes; any thread may read it. */
#define cf_bump(p) cf_store_relaxed(p, cf_load_relaxed(p) + 1)
#define cf_bump_release(p) cf_store_release(p, cf_load_relaxed(p) + 1)

#if defined(__SANITIZE_THREAD__)
#define CF_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CF_TSAN 1
#endif
#endif

/* Tells the processor that the thread is in a spin loop. */
static inline void
cf_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif
