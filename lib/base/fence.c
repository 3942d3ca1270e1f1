/* SPDX-License-Identifier: MIT */
/* The cold side of the asymmetric fence: see fence.h. */
#include "lib/base/fence.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* linux/membarrier.h, which old headers lack. */
enum {
    MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3,
    MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4
};

enum { NAP_NS = CF__MS(1) };

bool cf__fence_asymmetric;
atomic_int cf__fence_dummy;

static void
set_asymmetric(void)
{
#if defined(SYS_membarrier) && !defined(CF_TSAN)
    int saved_errno = errno;
    cf__fence_asymmetric =
        syscall(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) ==
        0;
    errno = saved_errno;
#endif
}

void
cf__fence_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_asymmetric);
}

#ifdef SYS_membarrier
/* Sleeps for far longer than a processor keeps a store to itself. Afterwards
 * this thread sees what others stored before, and they see what it stored. */
static void
nap(void)
{
    const int saved_errno = errno, former = cf__cancel_disable();
    struct timespec left = {0, NAP_NS};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
    cf__cancel_restore(former);
    errno = saved_errno;
}
#endif

void
cf__fence_heavy(void)
{
    cf__fence_full();
#ifdef SYS_membarrier
    /* The process has registered, and a fork keeps that. The call may fail all
     * the same: for lack of memory, or by a filter of system calls. */
    if (cf__fence_asymmetric &&
        syscall(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) != 0)
        nap();
#endif
}
