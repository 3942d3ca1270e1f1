/* SPDX-License-Identifier: MIT */
/* Where the kernel says on which processor a worker runs: see rseq.h. */
#include "process_pool/worker/rseq.h"

#include <errno.h> /* says which C library this is */

#ifdef __has_builtin
#if defined(__GLIBC__) && __has_include(<sys/rseq.h>) &&                       \
    __has_builtin(__builtin_thread_pointer)
#define HAS_RSEQ
#endif
#endif

#ifdef HAS_RSEQ
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AREA_SIZE = 32 }; /* bytes that the kernel accepts from every program */

/* The program may run with a C library that does not have them yet. */
#pragma weak __rseq_size
#pragma weak __rseq_offset

void
cf__rseq_renew(void)
{
    if (!&__rseq_size || !&__rseq_offset || __rseq_size == 0)
        return; /* the C library has not registered it */
    volatile struct rseq *area =
        (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
#if defined(RSEQ_SIG) && defined(SYS_rseq)
    if (syscall(SYS_rseq, area, AREA_SIZE, 0, RSEQ_SIG) == 0 || errno == EBUSY)
        return;
#endif
    area->cpu_id = (uint32_t)RSEQ_CPU_ID_UNINITIALIZED; /* sched_getcpu() asks
                                                           the kernel */
}
#else
void
cf__rseq_renew(void)
{
}
#endif
