/* SPDX-License-Identifier: MIT */
/*
 * Lines that will be written soon, and begin their way into this processor's
 * cache. A hint: any address will do, also one where there is no memory.
 */
#ifndef CF_LIB_BASE_PREFETCH_H
#define CF_LIB_BASE_PREFETCH_H

#include "lib/base/atomic.h"

/* So that the write does not wait for the line. Of x86, compilers take another
 * instruction unless they are told the processor: one that fetches the line for
 * reading. If another processor has read it meanwhile, the write then waits
 * none the less until that has dropped it. Processors that do not have this
 * instruction skip it. */
static inline void
cf__prefetch_to_write(const volatile void *p)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" ::"m"(*(const volatile char *)p));
#else
    __builtin_prefetch((const void *)p, 1);
#endif
}

#endif
