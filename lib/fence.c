/* SPDX-License-Identifier: MIT */
/* The cold side of the asymmetric fence: see fence.h. */
#include "lib/fence.h"

#include <sys/syscall.h>
#include <unistd.h>

/* linux/membarrier.h, which old headers lack. */
enum {
    MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4
};

bool cf__fence_asymmetric;
atomic_int cf__fence_dummy;

void
cf__fence_init(void)
{
#if defined(SYS_membarrier) && !defined(CF_TSAN)
    cf__fence_asymmetric =
        syscall(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) ==
        0;
#endif
}

void
cf__fence_heavy(void)
{
    cf__fence_full();
#ifdef SYS_membarrier
    /* Cannot fail once registered; a fork keeps the registration. */
    if (cf__fence_asymmetric)
        (void)syscall(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0);
#endif
}
