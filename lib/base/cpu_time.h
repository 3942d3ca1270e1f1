/* SPDX-License-Identifier: MIT */
/* CPU time of threads and processes, by the kernel's clocks for them. */
#ifndef CF_LIB_BASE_CPU_TIME_H
#define CF_LIB_BASE_CPU_TIME_H

#include "lib/base/clock.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

/* No clock: the time is 0. It is not the number of any thread's clock. */
#define CF__NO_CPU_CLOCK 0

/* The clock of the calling thread, which others may read. */
static inline int
cf__cpu_clock_of_this_thread(void)
{
    clockid_t clock;
    return pthread_getcpuclockid(pthread_self(), &clock) == 0
               ? (int)clock
               : CF__NO_CPU_CLOCK;
}

/* Nanoseconds. 0: the thread has ended, or there is no clock. */
static inline uint64_t
cf__cpu_time(int clock)
{
    struct timespec used;
    if (clock == CF__NO_CPU_CLOCK || clock_gettime((clockid_t)clock, &used))
        return 0;
    return (uint64_t)(CF__S(used.tv_sec) + used.tv_nsec);
}

/* The same of a process. */
static inline uint64_t
cf__cpu_time_of_process(pid_t pid)
{
    clockid_t clock;
    return pid > 0 && clock_getcpuclockid(pid, &clock) == 0
               ? cf__cpu_time((int)clock)
               : 0;
}

#endif
