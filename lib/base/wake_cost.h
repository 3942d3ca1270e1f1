/* SPDX-License-Identifier: MIT */
/*
 * What a wake-up costs on this machine: the measured time from the call that
 * wakes a sleeping worker to the moment in which the worker runs. On a quiet
 * machine it is some tens of microseconds; in a virtual machine whose
 * processors have to be woken themselves, hundreds. A thread that spins before
 * it sleeps spins for about as long.
 *
 * There is one estimate for the program. It is a hint: if two threads learn at
 * the same moment, what one of them measured may be lost. A thread that was
 * woken and then waited for a processor has measured too much; so a smaller
 * value counts for more.
 */
#ifndef CF_LIB_BASE_WAKE_COST_H
#define CF_LIB_BASE_WAKE_COST_H

#include "lib/base/atomic.h"
#include "lib/base/export.h"

#include <stdint.h>

CF__EXPORT extern _Atomic int64_t cf__wake_cost_ns;

static inline int64_t
cf__wake_cost(void)
{
    return cf_load_relaxed(&cf__wake_cost_ns);
}

/* A wake-up took took_ns. If that is not positive, nothing is learned. */
CF__EXPORT void cf__wake_cost_learn(int64_t took_ns);

#endif
