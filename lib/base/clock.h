/* SPDX-License-Identifier: MIT */
/*
 * The monotonic clock, and deadlines on it, in nanoseconds. A timeout becomes
 * an absolute deadline once: where it enters the library.
 */
#ifndef CF_LIB_CLOCK_H
#define CF_LIB_CLOCK_H

#include <cfutures/base.h>

#include <time.h>

/* A deadline that never comes. */
#define CF__NEVER INT64_MAX

/* Spans of time in nanoseconds. */
#define CF__US(count) (INT64_C(1000) * (count))
#define CF__MS(count) (INT64_C(1000000) * (count))
#define CF__S(count) (INT64_C(1000000000) * (count))

static inline int64_t
cf__now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return CF__S(now.tv_sec) + now.tv_nsec;
}

/* true: the timeout is CF_FOREVER or not negative. */
static inline bool
cf__timeout_valid(int64_t timeout_ns)
{
    return timeout_ns >= CF_FOREVER;
}

/* The deadline of something that began at start_ns and may last for
 * duration_ns, which is not negative. */
static inline int64_t
cf__deadline_from(int64_t start_ns, int64_t duration_ns)
{
    return duration_ns >= CF__NEVER - start_ns ? CF__NEVER
                                               : start_ns + duration_ns;
}

/* The deadline of a timeout that begins now. 0 (poll) gives 0, a deadline that
 * is always past. */
static inline int64_t
cf__deadline(int64_t timeout_ns)
{
    if (timeout_ns == CF_FOREVER)
        return CF__NEVER;
    return timeout_ns == 0 ? 0 : cf__deadline_from(cf__now_ns(), timeout_ns);
}

/* For an option whose default, 0, means that there is no limit. */
static inline int64_t
cf__deadline_or_never(int64_t timeout_ns)
{
    return timeout_ns > 0 ? cf__deadline(timeout_ns) : CF__NEVER;
}

/* The one of two deadlines that comes first. */
static inline int64_t
cf__sooner(int64_t deadline_ns, int64_t other_ns)
{
    return deadline_ns < other_ns ? deadline_ns : other_ns;
}

/* The timeout that is left until the deadline: CF_FOREVER, or at least 0. */
static inline int64_t
cf__time_left(int64_t deadline_ns)
{
    if (deadline_ns == CF__NEVER)
        return CF_FOREVER;
    int64_t now = deadline_ns ? cf__now_ns() : 0;
    return deadline_ns > now ? deadline_ns - now : 0;
}

static inline struct timespec
cf__timespec(int64_t deadline_ns)
{
    struct timespec at = {deadline_ns / CF__S(1), deadline_ns % CF__S(1)};
    return at;
}

#endif
